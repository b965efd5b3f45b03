# %% [markdown]
# # 1 · The job
#
# Here are thousands of images of handwritten digits, all of them zeros or ones, in no order, and nobody says which is
# which. Sort them into two heaps. Can a program do that without having been told a single answer?
#
# This lesson does the whole job in a few cells, looks at every picture, and asks questions. The other lessons answer
# them, down to the last line of code.
#
# **After this lesson you can** run the job, say what each of its two halves does, and score clusters without deceiving
# yourself.
#
# **You need** Python and a little NumPy, and about half an hour. You need not know what a network is.
#
# There are three exercises. Each has a cell to fill in, a hint that you may ignore, and a cell with `check(...)`,
# which tries your function on random inputs and says in one line whether it is right or what is wrong. No later cell
# wants your answers: you can go on and come back.

# %%
import inspect

import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.jobs import main_job
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show

# %% [markdown]
# ## The images
#
# MNIST is a collection of handwritten digits, 28 x 28 pixels each, from 0 (black) to 1 (white). It comes with the
# package. For a program an image is a row of 784 numbers:

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
print(f"{len(images):,} images of {images.shape[1]} numbers each: "
      f"{np.sum(labels == 0):,} zeros and {np.sum(labels == 1):,} ones")
show(plotting.tiles(images[:20], [""] * 20, (28, 28), title="The first twenty images"),
     alt="Twenty small images of handwritten zeros and ones")

# %% [markdown]
# `labels` says which digit each image shows. It stays out of everything that learns here: it serves to score what
# came out, at the end, and to colour pictures.
#
# An image is a point in a space of 784 dimensions, and images that look alike are points that lie near each other.
# "Near" needs a distance:
#
# ### Exercise 1: the nearest image
#
# `image` has the shape (D,), `images` (N, D). Return the number (0 to N - 1) of the row of `images` whose squared
# distance to `image`, the sum over all pixels of the squared difference, is smallest. *One or two lines.*

# %% tags=["exercise"]
def nearest(image, images):
    ### BEGIN SOLUTION
    return ((images - image) ** 2).sum(axis=1).argmin()
    ### END SOLUTION

# %% tags=["check"]
check(nearest)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `images - image` takes the one image from each row, (N, D). Square it, `.sum(axis=1)`, and ask for the `argmin`.
# </details>

# %% [markdown]
# ## First half: squeeze each image into three numbers
#
# Many of the 784 numbers say nothing: the corners are always black, and neighbouring pixels are nearly always alike.
# An **autoencoder** is a network with a narrow waist, 784-128-3-128-784. Its first half, the encoder, squeezes an
# image into three numbers, the **code**; its second half, the decoder, draws the image again from these three. It
# learns by comparing what it drew with what it was shown, so it needs no labels. What passes through the waist must be
# what matters.

# %%
model = Autoencoder((128, 3), epochs=40, random_state=0).fit(images)
show(plotting.loss_curve(model.history_, reference=plotting.ORIGINAL_LOSSES),
     alt="The loss falls over forty epochs, close to the diamonds of the original script")

# %% [markdown]
# An epoch is one look at all images; the loss is the mean squared difference between a pixel drawn and a pixel shown.
# The diamonds are what the script once recorded that this package grew from.
#
# *How does a network learn? Lesson 2 derives it, lesson 3 proves it right, lesson 4 walks downhill.*

# %%
drawn = model.reconstruct(images)  # (N, 784)
show(plotting.reconstructions(images, drawn, (28, 28)),
     alt="Originals above their reconstructions: the best, those about the median, the worst")

# %% [markdown]
# The best are plain strokes, of which there are so many. The worst have something that few others have, a foot, a flag,
# a second loop: three numbers cannot tell everything.
#
# ## Second half: two heaps of codes
#
# **k-means** looks for two centres such that each code is near one of them. It does not know what a digit is, either:

# %%
codes = model.transform(images)  # (N, 3)
kmeans = KMeans(n_clusters=2, n_init=4, random_state=0).fit(codes)
matching = metrics.best_matching(labels, kmeans.labels_)
show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_, matching),
     alt="The codes in space, coloured by digit and by cluster; red stars are the two centres")

# %% [markdown]
# Each point is an image. Left they are coloured by what they are (the program never saw this), right by what k-means
# made of them. The red stars are the centres.
#
# *How does k-means find them, and when does it fail? Lesson 5. What is in the codes, and which images went wrong?
# Lesson 6.*
#
# ## Was it right?
#
# A cluster has a number, not a name: cluster 0 may be the ones. So the clusters are first matched with the digits, in
# the way that agrees best. For two clusters there are two ways:
#
# ### Exercise 2: accuracy
#
# `digits` and `clusters`, both (N,), hold only zeros and ones. Return the share of images that are right under the
# better of the two matchings. *One or two lines.*

# %% tags=["exercise"]
def two_way_accuracy(digits, clusters):
    ### BEGIN SOLUTION
    agree = np.mean(digits == clusters)
    return max(agree, 1 - agree)
    ### END SOLUTION

# %% tags=["check"]
check(two_way_accuracy)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `np.mean(digits == clusters)` is the share that is right if cluster 0 is digit 0. What is it the other way round?
# </details>

# %%
print(f"accuracy of k-means on codes: {metrics.accuracy(labels, kmeans.labels_):.4f}")
print(f"if all images were put on one heap: {max(np.mean(labels), 1 - np.mean(labels)):.4f}")

# %% [markdown]
# Always ask what a program gets that does nothing: here it is more than a half. And what one gets that does less: the
# same k-means on the raw pixels, and on the three *principal components*, the best code that a straight projection can
# give:

# %%
components = PCA(3).fit_transform(images)  # (N, 3)
for name, X in (("784 pixels", images), ("3 components", components), ("3 numbers of the autoencoder", codes)):
    clusters = KMeans(2, n_init=4, random_state=0).fit_predict(X)  # (N,)
    print(f"k-means on {name:30} accuracy {metrics.accuracy(labels, clusters):.4f}   "
          f"NMI {metrics.normalized_mutual_information(labels, clusters):.4f}")

# %% [markdown]
# Zeros and ones are easy: even raw pixels nearly do. Other digits are another story, which lesson 6 tells. The NMI
# compares the two groupings without any matching, 0 for unrelated, 1 for the same.
#
# **And new images?** Everything above was measured on the images that it was fitted to. The test images were never
# shown:

# %%
new_images, new_labels = load_mnist("test", digits=(0, 1))  # (M, 784), (M,)
new_clusters = kmeans.predict(model.transform(new_images))  # (M,)
print(f"accuracy on {len(new_images):,} test images, under the same matching: "
      f"{metrics.accuracy(new_labels, new_clusters, matching):.4f}")

# %% [markdown]
# ## What the original script got wrong
#
# The job comes from a script for TensorFlow 1. It learnt well, and then:
#
# - it clustered only 400 of the images, and called that the result;
# - it never compared the clusters with the labels: nobody knew whether they were right;
# - it shuffled the images but not the labels along with them, so that no comparison would have been possible;
# - it started k-means anywhere, without a seed, and stopped after ten rounds, done or not;
# - it cut the images into batches of 48 and dropped the seven that were left over, in every epoch;
# - it never looked at a test image, and kept neither the model nor the pictures.
#
# None of these crashes. That is what makes them worth knowing. The third one is easy to repeat:
#
# ### Exercise 3: shuffle
#
# `order` (N,) is a random order of the numbers 0 to N - 1. Return the images and the labels in that order: images
# first, then labels. *One line.*

# %% tags=["exercise"]
def shuffled(images, labels, order):
    ### BEGIN SOLUTION
    return images[order], labels[order]
    ### END SOLUTION

# %% tags=["check"]
check(shuffled)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# An array of row numbers between the brackets gives these rows, in that order. Both arrays need it.
# </details>

# %% [markdown]
# How much would it have cost? Here are the right clusters, scored against labels that were left behind:

# %%
left_behind = labels[np.random.default_rng(0).permutation(len(labels))]  # (N,)
print(f"accuracy with labels in step: {metrics.accuracy(labels, kmeans.labels_):.4f}, "
      f"with labels left behind: {metrics.accuracy(left_behind, kmeans.labels_):.4f}")

# %% [markdown]
# ## The same, as the command line does it
#
# In a terminal, `aelearn` does all of the above, for 150 epochs, and writes a report, tables and pictures into the
# folder `out`. This is the story that it tells, in the package's own words:

# %%
print(inspect.getsource(main_job.cluster))
print(inspect.getsource(main_job.score))

# %% [markdown]
# ## What you know now
#
# - An autoencoder finds a few numbers that say what matters in an image; k-means finds heaps. Neither sees a label.
# - Clusters must be matched with digits before they are scored; a score needs something to compare it with, and images
#   that were never shown.
# - A program can be wrong without crashing.
#
# ## To think about
#
# 1. Why are the labels not simply given to k-means?
# 2. The autoencoder could reach a loss of 0 if the code had 784 numbers. Why would that be worth nothing?
# 3. Two clusterings of three digits both have an accuracy of 2/3. Must they be equally good?
#
# **Next:** [lesson 2](02_backprop_by_hand.ipynb) opens the network.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. Then it would be another job: with labels one learns to tell digits apart, and somebody must first have labelled
#    thousands of images. Here the question is what the images themselves tell.
# 2. It could copy its input. A code is worth something because it is too narrow to copy: to draw the image again, the
#    network must find out what images have in common.
# 3. No. One may put two digits together on one heap and leave a heap empty; the other may spread its mistakes over all
#    three. Look at the table of digits and clusters, not only at one number.
