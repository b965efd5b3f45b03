# %% [markdown]
# # 1 · The job
#
# Here are thousands of images of handwritten digits. Each is a zero or a one, they are in no particular order, and
# nobody tells us which is which. Can a program sort them into two piles without being told a single answer?
#
# This lesson does the whole job in a few cells, looks at every picture and asks questions. The other lessons answer
# them, down to the last line of code.
#
# **After this lesson you can** run the job, say what each of its two halves does, and score clusters without fooling
# yourself.
#
# **You need** Python, a little NumPy and about 35 minutes. You do not need to know what a neural network is.
#
# There are four exercises. Each has a cell to fill in, a hint that you may ignore, and a cell with `check(...)`, which
# tries your function on a few inputs and says in one line whether it is right or what is wrong. As soon as it is right,
# the lesson goes on with your function; until then the library's takes its place, so you can move on and come back.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.core.arrays import squared_distances
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import show

# %% [markdown]
# ## The images
#
# MNIST is a collection of handwritten digits, 28 x 28 pixels each, from 0 (black) to 1 (white). It comes with the
# package. To a program, an image is a row of 784 numbers:

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
print(f"{len(images):,} images of {images.shape[1]} numbers each: "
      f"{np.sum(labels == 0):,} zeros and {np.sum(labels == 1):,} ones")
show(plotting.tiles(images[:20], [""] * 20, (28, 28), title="The first twenty images"),
     alt="Twenty small images of handwritten zeros and ones")

# %% [markdown]
# `labels` says which digit each image shows. We keep it away from everything that learns here, and use it only at the
# end, to score the result and to colour the pictures.
#
# An image is a point in a space of 784 dimensions, and images that look alike are points that are close to each other.
# "Close" needs a distance:
#
# ### Exercise 1: the nearest image
#
# `image` has shape (D,), `images` has shape (N, D); `image` itself is not among them. Return the index (0 to N - 1) of
# the row of `images` whose squared distance to `image` is smallest: the sum over all pixels of the squared difference.
# If several are equally near, return the first of them. *One or two lines.*

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
# `images - image` subtracts the one image from each row, (N, D). Square it, `.sum(axis=1)`, and take the `argmin`.
# </details>

# %% [markdown]
# Look for the nearest neighbours of the first eight images. The row below is what your function finds among all others:

# %%
find = yours(nearest, lambda image, images: squared_distances(images, image).argmin())
found = [8 + find(image, images[8:]) for image in images[:8]]
show(plotting.tiles(images[[*range(8), *found]], ["image"] * 8 + ["nearest"] * 8, (28, 28), n_columns=8,
                    title="Eight images, and the nearest of all others"),
     alt="Eight zeros and ones, and below each the image nearest to it, which shows the same digit in the same style")

# %% [markdown]
# Each neighbour shows the same digit, written in the same way: distances know more about images than one might expect.
#
# ## First half: compress each image into three numbers
#
# Many of the 784 numbers say nothing: the corners are always black, and neighbouring pixels are nearly always alike.
# An **autoencoder** is a network with a bottleneck, 784-128-3-128-784. Its first half, the encoder, compresses an image
# into three numbers, the **code**; its second half, the decoder, reconstructs the image from these three. It learns by
# comparing its output with its input, so it needs no labels. Whatever passes through the bottleneck has to be what
# matters.

# %%
show(plotting.network((784, 128, 3, 128, 784), ["sigmoid"] * 4),
     alt="Five bars from left to right, the layers: 784 pixels, 128 units, the code of 3 numbers, 128 units and 784 "
         "pixels. Between them are the numbers of parameters, 202,515 in all")

# %% [markdown]
# A bar is a layer. Each of its numbers is computed from all numbers of the layer before, and then squeezed between 0
# and 1 by a function called the sigmoid. The **parameters** are what the network learns: for each number of a layer, a
# weight for each number of the layer before, and one more number that is added.
#
# When this machine runs the next cell for the first time, the package compiles its loops before the bar moves. That can
# take a minute, and the k-means below has to wait a little as well; from then on they start at once.

# %%
model = Autoencoder((128, 3), epochs=40, random_state=0, verbose=1).fit(images)
show(plotting.loss_curve(model.history_, reference=plotting.ORIGINAL_LOSSES),
     alt="The loss falls over forty epochs, close to the diamonds of the original script")

# %% [markdown]
# An epoch is one pass over all images; the loss is the mean squared difference between output pixels and input pixels.
# The diamonds are the losses that were once recorded with the script from which this package grew.
#
# *How does a network learn? Lesson 2 derives the gradients, lesson 3 checks them, lesson 4 follows them downhill.*

# %%
drawn = model.reconstruct(images)  # (N, 784)
show(plotting.reconstructions(images, drawn, (28, 28)),
     alt="Originals above their reconstructions: the best, those about the median, the worst")

# %% [markdown]
# The best ones are plain strokes, which are very common. The worst have something unusual, such as a foot, a flag or a
# second loop: three numbers cannot describe everything.
#
# ## Second half: cluster the codes
#
# **k-means** looks for two centres such that each code is near one of them. It does not know what a digit is either:

# %%
codes = model.transform(images)  # (N, 3)
kmeans = KMeans(n_clusters=2, n_init=4, random_state=0, verbose=1).fit(codes)
matching = metrics.best_matching(labels, kmeans.labels_)
show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_, matching),
     alt="The codes in space, coloured by digit and by cluster; red stars are the two centres")

# %% [markdown]
# Each point is an image. On the left, points are coloured by their true digit (which the program never saw), on the
# right by their cluster. The red stars are the centres. The legend on the right says which digit each cluster stands
# for; how we know that comes next.
#
# *How does k-means find them, and when does it fail? Lesson 5. What do the codes contain, and which images went wrong?
# Lesson 6.*
#
# ## Was it right?
#
# A cluster has a number, not a name: cluster 0 may be the ones. So we first match the clusters with the digits in the
# way that agrees best. For two clusters there are two ways:
#
# ### Exercise 2: accuracy
#
# `digits` and `clusters`, both (N,), hold only zeros and ones. Return the fraction of images that are right under the
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
# `np.mean(digits == clusters)` is the fraction that is right if cluster 0 is digit 0. What is it the other way round?
# </details>

# %%
score = yours(two_way_accuracy, metrics.accuracy)
print(f"accuracy of k-means on codes: {score(labels, kmeans.labels_):.4f}")
print(f"if all images were put into one cluster: {max(np.mean(labels), 1 - np.mean(labels)):.4f}")

# %% [markdown]
# Always ask what score a program gets that does nothing: here it is more than a half. Then ask what simpler methods
# get. Here is the same k-means on the raw pixels, and on the first three *principal components*, which are the best
# code that a linear projection can give. The **NMI** (normalised mutual information) compares two groupings without any
# matching: 0 if they are unrelated, 1 if they are the same.

# %%
components = PCA(3, verbose=1).fit_transform(images)  # (N, 3)
for name, X in (("784 pixels", images), ("3 components", components), ("3 numbers of the autoencoder", codes)):
    clusters = KMeans(2, n_init=4, random_state=0, verbose=1).fit_predict(X)  # (N,)
    print(f"k-means on {name:30} accuracy {score(labels, clusters):.4f}   "
          f"NMI {metrics.normalized_mutual_information(labels, clusters):.4f}")

# %% [markdown]
# Zeros and ones are easy: even raw pixels are almost enough. Other digits are a different story; see lesson 6.
#
# ### Exercise 3: in one pass
#
# Suppose that the images do not fit into memory: they come one after the other, and none of them is kept. `pairs` is an
# iterator over pairs of integers, `(digit, cluster)`, which can be read only once. Return the same accuracy as in
# exercise 2, in one loop that keeps two or three numbers and no list. *About five lines.*

# %% tags=["exercise"]
def accuracy_in_one_pass(pairs):
    ### BEGIN SOLUTION
    n_equal = n = 0
    for digit, cluster in pairs:
        n_equal += digit == cluster
        n += 1
    return max(n_equal, n - n_equal) / n
    ### END SOLUTION

# %% tags=["check"]
check(accuracy_in_one_pass)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Count two things: all pairs, and those with `digit == cluster`. The better matching can wait until the loop is over.
# </details>

# %% [markdown]
# **And new images?** Everything above was measured on the images that the models were fitted to. The test images have
# not been used so far:

# %%
new_images, new_labels = load_mnist("test", digits=(0, 1))  # (M, 784), (M,)
new_clusters = kmeans.predict(model.transform(new_images))  # (M,)
print(f"accuracy on {len(new_images):,} test images, under the same matching: "
      f"{metrics.accuracy(new_labels, new_clusters, matching):.4f}")

# %% [markdown]
# ## What the original script got wrong
#
# The job comes from a script for TensorFlow 1. It learnt well, but:
#
# - it clustered only 400 of the images and called that the result;
# - it never compared the clusters with the labels, so nobody knew whether they were right;
# - it shuffled the images but not the labels along with them, so no comparison would have been possible;
# - it started k-means at random without a seed, and stopped after ten iterations whether it had converged or not;
# - it split the images into batches of 48 and, in every epoch, dropped the seven that were left over;
# - it never looked at a test image, and saved neither the model nor the pictures.
#
# None of these mistakes makes a program crash. That is why they are worth knowing. The third is easy to reproduce:
#
# ### Exercise 4: shuffle
#
# `order` (N,) is a random permutation of the numbers 0 to N - 1. Return the images and the labels in that order: images
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
# An array of row indices inside the brackets selects these rows, in that order. Both arrays need it.
# </details>

# %% [markdown]
# How much would it have cost? Here are the right clusters, scored against labels that were not shuffled with them:

# %%
left_behind = labels[np.random.default_rng(0).permutation(len(labels))]  # (N,)
print(f"accuracy with the labels in the same order: {metrics.accuracy(labels, kmeans.labels_):.4f}, "
      f"with labels in another order: {metrics.accuracy(left_behind, kmeans.labels_):.4f}")

# %% [markdown]
# In a terminal, `aelearn` does all of this with 150 epochs, and writes a report, tables and pictures to the folder
# `out`; `aelearn --help` says what else it can do.
#
# ## What you know now
#
# - An autoencoder finds a few numbers that say what matters in an image; k-means groups them. Neither sees a label.
# - Clusters must be matched with digits before they can be scored, and a score means little without a baseline and
#   without images that were not used for fitting.
# - A program can be wrong without crashing.
#
# ## An open task
#
# *For those who want more; nothing is checked here.* Walk from a zero to a one in small steps: find a row of images
# from the collection that starts with this zero and ends with this one, in which each image looks much like the one
# before. The cell below takes one big step.
#
# What to try: `find(image, some)`, your function of exercise 1 or the library's, returns the index of the nearest of
# some images; which images should it choose from, so that the walk gets somewhere? You are there when the largest step
# is below 7 in at most fifteen images. Then look at the row: what does a zero have to do to become a one?

# %%
def show_walk(walk):
    """The images whose indices are in the list `walk`, each with its distance to the one before."""
    steps = np.linalg.norm(np.diff(images[walk], axis=0), axis=1)  # (len(walk) - 1,)
    print(f"{len(walk)} images, the largest step is {steps.max():.1f}")
    return show(plotting.tiles(images[walk], ["start", *(f"{step:.1f}" for step in steps)], (28, 28), n_columns=15,
                               title="From a zero to a one; numbers are distances to the image before"),
                alt=f"A row of {len(walk)} images that starts with a zero and ends with a one")


zero, one = np.argmax(labels == 0), np.argmax(labels == 1)
show_walk([zero, one])

# %% tags=["answer"]
walk = [zero]
to_go = np.linalg.norm(images - images[one], axis=1)  # (N,) the distance from each image to the goal
while walk[-1] != one:
    nearer = np.flatnonzero(to_go < 0.9 * to_go[walk[-1]])  # the images that are clearly nearer to it than the last one
    walk.append(nearer[find(images[walk[-1]], images[nearer])])
show_walk(walk)

# %% [markdown]
# ## To think about
#
# 1. Why do we not simply give the labels to k-means?
# 2. The autoencoder could reach a loss of 0 if the code had 784 numbers. Why would that be useless?
# 3. Two clusterings of three digits both have an accuracy of 2/3. Are they necessarily equally good?
#
# **Next:** [lesson 2](02_backprop_by_hand.ipynb) looks inside the network.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. That would be a different job: with labels one learns to recognise digits, and somebody must first have labelled
#    thousands of images. Here the question is what the images alone can tell us.
# 2. It could simply copy its input. A code is useful because it is too small for that: to reconstruct the image, the
#    network must find out what images have in common.
# 3. No. One may put two digits into the same cluster and leave a cluster empty; the other may spread its mistakes over
#    all three. Look at the table of digits and clusters, not only at one number.
