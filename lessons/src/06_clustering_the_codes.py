# %% [markdown]
# # 6 · Clustering the codes
#
# Lesson 1 ran the whole job and trusted a single number. Now look inside: what do the codes contain, which images went
# wrong, and why? How can one score clusters without cheating? And what happens with digits that are harder to separate?
#
# **After this lesson you can** examine a clustering critically, score it in four ways and say what each score hides,
# and judge whether an autoencoder was worth the trouble.
#
# **You need** lessons 1 and 5, and about 60 minutes.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import show, slider

images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
model = Autoencoder((128, 3), epochs=40, random_state=0, verbose=1).fit(images)
codes = model.transform(images)  # (N, 3)
kmeans = KMeans(2, n_init=4, random_state=0, verbose=1).fit(codes)
matching = metrics.best_matching(labels, kmeans.labels_)
show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_, matching),
     alt="The codes in space, coloured by digit and by cluster; red stars are the two centres")

# %% [markdown]
# ## A centre is an image
#
# A k-means centre is a code like any other, so the decoder can draw it: the image that its cluster stands for. Below
# the centres are the images in the wrong cluster, starting with those that are closest to its centre.

# %%
digit_of = np.array([matching[k] for k in range(2)])  # (2,)
wrong = np.flatnonzero(digit_of[kmeans.labels_] != labels)  # (M,)
distances = kmeans.transform(codes)  # (N, 2)
wrong = wrong[np.argsort(distances[wrong, kmeans.labels_[wrong]])]
show(plotting.center_images(model.inverse_transform(kmeans.cluster_centers_), np.bincount(kmeans.labels_), matching,
                            images[wrong], labels[wrong], kmeans.labels_[wrong], (28, 28)),
     alt="The two centres drawn by the decoder, a zero and a one, and the images that went wrong")

# %% [markdown]
# Are they wrong because the code lost what matters, or because k-means put the border in the wrong place? Ask the
# decoder: if it draws the right digit from the code of a misplaced image, the code still contains the digit.

# %% tags=["plot"]
# Draws images in the wrong cluster.
few = wrong[:: max(1, len(wrong) // 10)][:10]  # up to ten of them, from near the centre to near the border
pairs = np.concatenate([images[few], model.reconstruct(images[few])])  # (2 F, 784)
show(plotting.tiles(pairs, [f"a {labels[i]}" for i in few] + ["decoded"] * len(few), (28, 28), n_columns=len(few),
                    title="Images in the wrong cluster, and their reconstructions"),
     alt="Misplaced images above their reconstructions")

# %% [markdown]
# Where the lower row shows the right digit, the code is right and the border is to blame: it runs halfway between the
# two centres, while a group of codes may be curved. Where it shows a smear or the other digit, the code itself is to
# blame.
#
# ## How certain is it?
#
# A code halfway between two centres could belong to either. Compare the distance to its own centre, the nearest, with
# the distance to the second nearest:
#
# $$ \text{doubt}_n = \frac{d_{n,\text{nearest}}}{d_{n,\text{second nearest}}} $$
#
# It is near 0 at a centre and 1 on the border between two cells.
#
# ### Exercise 1: doubt
#
# From `codes` (N, C) and `centers` (K, C) return the doubt (N,) of each code; use distances, not their squares. *About
# three lines.*

# %% tags=["exercise"]
def doubt(codes, centers):
    ### BEGIN SOLUTION
    distances = np.sqrt(((codes[:, None, :] - centers) ** 2).sum(axis=2))  # (N, K)
    nearest = np.sort(distances, axis=1)  # (N, K)
    return nearest[:, 0] / nearest[:, 1]
    ### END SOLUTION

# %% tags=["check"]
check(doubt)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The distances to all centres are (N, K), as in lesson 5. `np.sort(..., axis=1)` puts the nearest first.
# </details>

# %%
doubt_of = yours(doubt, lambda codes, centers: np.divide(*np.sort(kmeans.transform(codes), axis=1).T))
doubts = doubt_of(codes, kmeans.cluster_centers_)  # (N,)
is_wrong = digit_of[kmeans.labels_] != labels  # (N,)
edges = np.linspace(0, 1, 11)  # (11,)
bins = np.digitize(doubts, edges[1:-1])  # (N,)
shares = [is_wrong[bins == b].mean() if np.any(bins == b) else np.nan for b in range(10)]
show(plotting.curves({"fraction of images in the wrong cluster": ((edges[1:] + edges[:-1]) / 2, shares)},
                     xlabel="doubt: distance to the nearest centre / to the second nearest", ylabel="fraction",
                     title="The greater the doubt, the more images are in the wrong cluster"),
     alt="The fraction of wrong images is near zero for low doubt and rises towards a doubt of one")

# %% [markdown]
# Computing the doubt takes no labels. This is how mistakes are found in practice: a person looks at the few images with
# the greatest doubt.

# %% tags=["plot"]
# Draws the images with the greatest doubt.
doubtful = np.argsort(-doubts)[:20]  # (20,)
show(plotting.tiles(images[doubtful], [f"a {labels[i]}" for i in doubtful], (28, 28),
                    title="The twenty images with the greatest doubt"),
     alt="Twenty images, nearly all of them ones that lean far to one side")

# %% [markdown]
# ### Exercise 2: without the table
#
# With many centres, the table of all distances, (N, K), is the largest array of all, and `codes[:, None] - centers` is
# C times as large as that. Return the same doubt with much less memory, about thirty numbers for each code, however
# many centres there are. *Five to seven lines.*

# %% tags=["exercise"]
def doubt_in_little_memory(codes, centers):
    ### BEGIN SOLUTION
    nearest = np.full(len(codes), np.inf)  # (N,)
    second = np.full(len(codes), np.inf)  # (N,)
    for center in centers:
        distance = np.sqrt(((codes - center) ** 2).sum(axis=1))  # (N,)
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    return nearest / second
    ### END SOLUTION

# %% tags=["check"]
check(doubt_in_little_memory)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Go through the centres one by one, and keep for each code the two smallest distances so far, (N,) each. A new distance
# can become the nearest, or the second nearest, or neither. (Or take the codes in blocks of some hundred, each with its
# own small table.)
# </details>

# %% [markdown]
# ## Scores, and how not to cheat with them
#
# All scores are computed from one table: how many images of each digit are in each cluster.
#
# ### Exercise 3: the table
#
# `digits` and `clusters`, both (N,), contain integers from 0 to `n_digits` - 1 and from 0 to `n_clusters` - 1; some of
# these may not occur. Return the table of counts (n_digits, n_clusters). *Two to four lines.*

# %% tags=["exercise"]
def count_table(digits, clusters, n_digits, n_clusters):
    ### BEGIN SOLUTION
    table = np.zeros((n_digits, n_clusters), int)
    for digit, cluster in zip(digits, clusters):
        table[digit, cluster] += 1
    return table
    ### END SOLUTION

# %% tags=["check"]
check(count_table)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Start from a table of zeros. A loop over `zip(digits, clusters)` adds 1 to a cell each time.
# </details>

# %% [markdown]
# ### Exercise 4: now without a loop
#
# The same table, without a loop over the images (one over digits or clusters is all right). Why is
# `table[digits, clusters] += 1` wrong? *One to three lines.*

# %% tags=["exercise"]
def table_without_a_loop(digits, clusters, n_digits, n_clusters):
    ### BEGIN SOLUTION
    cells = np.bincount(digits * n_clusters + clusters, minlength=n_digits * n_clusters)
    return cells.reshape(n_digits, n_clusters)
    ### END SOLUTION

# %% tags=["check"]
check(table_without_a_loop)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# A cell that occurs twice among `table[digits, clusters]` is increased only once; `np.add.at` does what was meant. Or
# number the cells row by row, from 0 to n_digits * n_clusters - 1, and let `np.bincount` count; what is `minlength`
# for?
# </details>

# %% [markdown]
# Four scores follow from the table:
#
# - **Accuracy** matches clusters with digits one to one, as well as possible, and counts the images that agree.
# - **Purity** assigns to each cluster its most frequent digit.
# - **NMI**, normalised mutual information, measures how much the cluster tells us about the digit: with the fractions
#   $p_{ck}$ of the table it is $\sum p_{ck} \log \frac{p_{ck}}{p_c\,p_k}$, divided by the mean of the two entropies
#   $-\sum p_c \log p_c$ and $-\sum p_k \log p_k$.
# - **ARI**, the adjusted Rand index, looks at all pairs of images: do both groupings agree on whether to put them
#   together? It is shifted so that chance gives 0.
#
# ### Exercise 5: purity
#
# From the table (n_digits, n_clusters) return the fraction of images whose digit is the most frequent one in their
# cluster. *One line.*

# %% tags=["exercise"]
def purity_of(table):
    ### BEGIN SOLUTION
    return table.max(axis=0).sum() / table.sum()
    ### END SOLUTION

# %% tags=["check"]
check(purity_of)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Clusters are columns. The largest count in each column is what this cluster gets right.
# </details>

# %% [markdown]
# The easiest way to cheat is to use more clusters than digits. See how each score changes as K grows, on the same
# codes:

# %%
table_of, purity = yours((count_table, purity_of), (lambda digits, clusters, n_digits, n_clusters: (digits, clusters),
                                                    lambda labels: metrics.purity(*labels)))
numbers, scores = [2, 3, 4, 6, 8, 12, 16, 24, 32], {}
for k in numbers:
    clusters = KMeans(k, n_init=1, random_state=0, verbose=1).fit_predict(codes)  # (N,)
    for name, score in (("accuracy", metrics.accuracy(labels, clusters)),
                        ("purity", purity(table_of(labels, clusters, 2, k))),
                        ("NMI", metrics.normalized_mutual_information(labels, clusters)),
                        ("ARI", metrics.adjusted_rand_index(labels, clusters))):
        scores.setdefault(name, (numbers, []))[1].append(score)
show(plotting.curves(scores, xlabel="K, the number of clusters (for two digits)", ylabel="score",
                     title="Purity does not punish additional clusters; the other scores do"),
     alt="Purity stays near one for any K, while accuracy, NMI and ARI fall")

# %% [markdown]
# Here are other ways to cheat, all of which happen in practice:
#
# - Choosing the seed, the number of epochs or the architecture by the score. Then the labels have been used for
#   learning, by hand.
# - Matching clusters with digits again on the test images. The matching is part of what was learnt: find it on the
#   training images, and keep it.
# - Dropping the hard images, or taking a sample that happens to be easy.
#
# ## Was the autoencoder worth it?
#
# Apply the same k-means to raw pixels, to principal components (the best linear projection to equally few numbers; see
# lesson 10), and to codes. First to zeros and ones, then to fours and nines, which differ by a short stroke:

# %%
def compare(images, labels, codes, k):
    """Print the scores of k-means on pixels, on components and on codes. Returns the clusters of the codes (N,)."""
    components = PCA(codes.shape[1], verbose=1).fit_transform(images)  # (N, C)
    for name, X in (("pixels", images), ("components", components), ("codes", codes)):
        clusters = KMeans(k, n_init=4, random_state=0, verbose=1).fit_predict(X)  # (N,)
        print(f"{name:10}  {X.shape[1]:3} numbers   accuracy {metrics.accuracy(labels, clusters):.3f}   "
              f"NMI {metrics.normalized_mutual_information(labels, clusters):.3f}   "
              f"ARI {metrics.adjusted_rand_index(labels, clusters):.3f}")
    return clusters


print("0 and 1")
_ = compare(images, labels, codes, 2)
hard_images, hard_labels = load_mnist("train", digits=(4, 9))  # (N, 784), (N,)
hard_model = Autoencoder((128, 3), epochs=30, random_state=0, verbose=1).fit(hard_images)
hard_codes = hard_model.transform(hard_images)  # (N, 3)
print("4 and 9")
hard_clusters = compare(hard_images, hard_labels, hard_codes, 2)
show(plotting.table(metrics.confusion_matrix(hard_labels, hard_clusters), ["4", "9"], ["0", "1"], title="Four and nine",
                    xlabel="cluster", ylabel="digit"), alt="A table of two digits by two clusters: both are mixed")

# %% [markdown]
# k-means has found two groups of about the same size, and they are not the digits. Two centres split the images along
# whatever varies most. Look at the decoded centres, and say what that is:

# %%
hard_kmeans = KMeans(2, n_init=4, random_state=0, verbose=1).fit(hard_codes)
show(plotting.tiles(hard_model.inverse_transform(hard_kmeans.cluster_centers_), ["cluster 0", "cluster 1"], (28, 28),
                    title="Two centres of 4 and 9"), alt="Two blurred images, one slanted and one upright")

# %% [markdown]
# Nobody told k-means that we care about the digit. Of all the differences between images of 4 and 9, the slant has the
# largest effect on the pixels; the digit has a small one. *Unsupervised learning finds structure; it cannot know
# whether it is the structure that you had in mind.*
#
# ## All ten digits

# %%
all_images, all_labels = load_mnist("train")  # (N, 784), (N,)
all_model = Autoencoder((128, 3), epochs=8, random_state=0, verbose=1).fit(all_images)
all_codes = all_model.transform(all_images)  # (N, 3)
all_clusters = compare(all_images, all_labels, all_codes, 10)

# %% tags=["plot"]
# Draws the table of digits and clusters.
counts = metrics.confusion_matrix(all_labels, all_clusters)  # (10, 10)
order = np.argsort([k for _, k in sorted((digit, k) for k, digit in metrics.best_matching(
    all_labels, all_clusters).items())])  # puts matched pairs on the diagonal
columns = np.argsort(order)
show(plotting.table(counts[:, columns], range(10), columns, xlabel="cluster", ylabel="digit",
                    title="Each digit, and the cluster that it is matched with"),
     alt="A table of ten digits by ten clusters; the diagonal is strong for some digits and weak for others")

# %%
all_kmeans = KMeans(10, n_init=4, random_state=0, verbose=1).fit(all_codes)
drawn = all_model.inverse_transform(all_kmeans.cluster_centers_)  # (10, 784)
show(plotting.tiles(drawn, [f"cluster {k}" for k in range(10)], (28, 28), n_columns=5, title="The ten centres"),
     alt="Ten blurred digits drawn by the decoder from the ten centres")

# %% tags=["plot"]
# Run this cell and drag.
slider(lambda k: plotting.tiles(all_images[all_clusters == k][:20], [""] * 20, (28, 28),
                                title=f"The first images of cluster {k}"),
       range(10), label="cluster", alt="The first twenty images of one cluster, mostly one digit or two similar ones")

# %% [markdown]
# Three numbers are not many for ten digits: k-means does better on pixels. With codes of eight numbers, it gets ahead
# of them: put `(128, 8)` into the cell that trains, and see.
#
# Now look at the table above, row by row. A digit whose row has one large number has a cluster of its own; a digit with
# two or three is written in different ways, or shares its cluster with a digit that looks similar.
#
# ## An open task
#
# *For those who want more; nothing is checked here.* Separate the fours from the nines, still without labels: k-means
# got a little more than half of them right; get more than nine in ten.
#
# What to try: clusters follow what varies most, so remove what varies but does not matter. How slanted is an image, and
# how can each of its rows be shifted so that it stands upright? (*x* and *y* of its ink have a covariance.) And a short
# stroke has little variance: what if you divide each of twenty principal components by its standard deviation? You are
# there when `metrics.accuracy(hard_labels, clusters)` is above 0.9; but choose by looking at images and centres, and
# use this number once, at the end. Why? The picture to aim at is a table like this one:

# %% tags=["plot"]
# Draws the table of zeros and ones.
show(plotting.table(metrics.confusion_matrix(labels, kmeans.labels_), ["0", "1"], ["0", "1"], xlabel="cluster",
                    ylabel="digit", title="Zero and one: to aim at"),
     alt="A table of two digits by two clusters: nearly all zeros are in one cluster, nearly all ones in the other")

# %% tags=["answer"]
def straightened(images):
    """The images (N, 784) without their slant: each row is shifted by whole pixels."""
    ink = images.reshape(-1, 28, 28)  # (N, 28, 28)
    row, column = np.mgrid[:28, :28]  # (28, 28), (28, 28)
    mass = ink.sum(axis=(1, 2), keepdims=True)  # (N, 1, 1)
    y = row - (ink * row).sum(axis=(1, 2), keepdims=True) / mass  # (N, 28, 28), from the middle of the ink
    x = column - (ink * column).sum(axis=(1, 2), keepdims=True) / mass  # (N, 28, 28)
    slant = (ink * x * y).sum(axis=(1, 2)) / (ink * y * y).sum(axis=(1, 2))  # (N,), columns for each row
    taken_from = column + np.rint(slant[:, None, None] * y).astype(int)  # (N, 28, 28)
    return np.take_along_axis(ink, taken_from.clip(0, 27), axis=2).reshape(len(images), -1)  # (N, 784)


upright = straightened(hard_images)  # (N, 784)
components = PCA(20, verbose=1).fit_transform(upright)  # (N, 20)
scaled = components / components.std(axis=0)  # (N, 20)
for name, X in (("upright, 20 components", components), ("upright, 20 scaled components", scaled)):
    clusters = KMeans(2, n_init=4, random_state=0, verbose=1).fit_predict(X)  # (N,)
    print(f"{name:30} accuracy {metrics.accuracy(hard_labels, clusters):.3f}")
show(plotting.table(metrics.confusion_matrix(hard_labels, clusters), ["4", "9"], ["0", "1"],
                    title="Four and nine, upright and scaled", xlabel="cluster", ylabel="digit"),
     alt="A table of two digits by two clusters: each digit is nearly always in the same cluster")

# %% [markdown]
# ## What you know now
#
# - Decode a centre to see what its cluster stands for; decode a mistake to see whether the code or the border is to
#   blame.
# - Doubt finds mistakes without labels.
# - Every score hides something: purity favours many clusters, accuracy expects one cluster for each digit, and a single
#   number hides the table.
# - Clusters follow what varies most, which need not be what you are interested in.
#
# ## To think about
#
# 1. The silhouette of lesson 5 needs no labels. Can it replace these scores?
# 2. A clustering of zeros and ones has an NMI of 0. What is its accuracy?
# 3. Many papers choose the number of epochs that gives the best accuracy. Is that still unsupervised?
#
# **Previous:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means. **Next:** [lesson 12](12_densities.ipynb) lets
# clusters be long, tilted and soft.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. It says whether there are dense groups far apart, not whether they are digits. Groups by slant have a good
#    silhouette as well.
# 2. Cluster and digit are independent, so each cluster has the same proportion of zeros. The best matching is right
#    for at least half of the images: accuracy is never below 1/2 here, however useless the clusters are.
# 3. No. Labels have chosen among the models, so the score is too good, and who has no labels cannot do the same. The
#    same goes for the open task: who tries twenty ideas and keeps the one with the best accuracy has used the labels.
