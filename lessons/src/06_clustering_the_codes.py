# %% [markdown]
# # 6 · Clustering the codes
#
# Lesson 1 ran the whole job and believed a number. Now look inside: what do the codes say, which images went wrong,
# and why? How does one score clusters without cheating? And what happens with digits that are harder to tell apart?
#
# **After this lesson you can** look at a clustering with open eyes, score it in four ways and say what each hides, and
# judge whether an autoencoder was worth its trouble.
#
# **You need** lessons 1 and 5, and about 45 minutes.

# %%
import inspect

import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show, slider

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
model = Autoencoder((128, 3), epochs=40, random_state=0).fit(images)
codes = model.transform(images)  # (N, 3)
kmeans = KMeans(2, n_init=4, random_state=0).fit(codes)
matching = metrics.best_matching(labels, kmeans.labels_)
show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_, matching),
     alt="The codes in space, coloured by digit and by cluster; red stars are the two centres")

# %% [markdown]
# ## A centre is an image
#
# A centre of k-means is a code like any other, so the decoder can draw it: the image that its cluster stands for.
# Below it are images in the wrong cluster, those first that lie deepest in it.

# %%
digit_of = np.array([matching[k] for k in range(2)])  # (2,)
wrong = np.flatnonzero(digit_of[kmeans.labels_] != labels)  # (M,)
distances = kmeans.transform(codes)  # (N, 2)
wrong = wrong[np.argsort(distances[wrong, kmeans.labels_[wrong]])]
show(plotting.center_images(model.inverse_transform(kmeans.cluster_centers_), np.bincount(kmeans.labels_), matching,
                            images[wrong], labels[wrong], kmeans.labels_[wrong], (28, 28)),
     alt="The two centres drawn by the decoder, a zero and a one, and the images that went wrong")

# %% [markdown]
# Are they wrong because the code lost what matters, or because k-means cut in the wrong place? Ask the decoder: if it
# draws the right digit from the code of a misplaced image, the code still knew.

# %%
few = wrong[:: max(1, len(wrong) // 10)][:10]  # up to ten of them, from the deepest to the nearest to the border
pairs = np.concatenate([images[few], model.reconstruct(images[few])])  # (2 F, 784)
show(plotting.tiles(pairs, [f"a {labels[i]}" for i in few] + ["drawn"] * len(few), (28, 28), n_columns=len(few),
                    title="Images in the wrong cluster, and what the decoder draws from their codes"),
     alt="Misplaced images above what the decoder makes of them")

# %% [markdown]
# Where the lower row shows the right digit, the code knew, and the cut is to blame: k-means cuts halfway between two
# centres, and a heap of codes may bend around. Where it shows a smear, or the other digit, the code itself is to blame.
#
# ## How sure is it?
#
# A code right between two centres belongs to either. Compare the distance to its own centre, the nearest, with that to
# the next one:
#
# $$ \text{doubt}_n = \frac{d_{n,\text{nearest}}}{d_{n,\text{second nearest}}} $$
#
# It is near 0 at a centre and 1 on the border between two cells.
#
# ### Exercise 1: doubt
#
# From `codes` (N, C) and `centers` (K, C) return the doubt (N,) of each code; distances, not their squares. *About
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
near, far = np.sort(distances, axis=1).T  # (N,), (N,): two centres, so two distances
doubts = near / far  # (N,)
is_wrong = digit_of[kmeans.labels_] != labels  # (N,)
edges = np.linspace(0, 1, 11)  # (11,)
bins = np.digitize(doubts, edges[1:-1])  # (N,)
shares = [is_wrong[bins == b].mean() if np.any(bins == b) else np.nan for b in range(10)]
show(plotting.curves({"share of images in the wrong cluster": ((edges[1:] + edges[:-1]) / 2, shares)},
                     xlabel="doubt: distance to the nearest centre / to the second nearest", ylabel="share",
                     title="Where it is in doubt, it is wrong more often"),
     alt="The share of wrong images is near zero for low doubt and rises towards a doubt of one")

# %% [markdown]
# The doubt is known without a label. In practice this is how mistakes are found: a person looks at the few images with
# the greatest doubt.

# %%
doubtful = np.argsort(-doubts)[:20]  # (20,)
show(plotting.tiles(images[doubtful], [f"a {labels[i]}" for i in doubtful], (28, 28),
                    title="The twenty images with the greatest doubt"),
     alt="Twenty odd zeros and ones")

# %% [markdown]
# ## Scores, and how not to cheat with them
#
# All scores start from one table: how many images of each digit are in each cluster.
#
# ### Exercise 2: the table
#
# `digits` and `clusters`, both (N,), hold numbers from 0 to `n_digits` - 1 and from 0 to `n_clusters` - 1. Return the
# table of counts (n_digits, n_clusters). *One to four lines.*

# %% tags=["exercise"]
def count_table(digits, clusters, n_digits, n_clusters):
    ### BEGIN SOLUTION
    table = np.zeros((n_digits, n_clusters), int)
    np.add.at(table, (digits, clusters), 1)
    return table
    ### END SOLUTION

# %% tags=["check"]
check(count_table)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# A loop over all pairs of `zip(digits, clusters)` that adds 1 to a cell of a table of zeros is right. `table[digits,
# clusters] += 1` is not: a cell that is named twice is increased once. `np.add.at` does what that looks like.
# </details>

# %% [markdown]
# From the table come four scores:
#
# - **Accuracy** matches clusters with digits one to one, as well as possible, and counts what agrees.
# - **Purity** lets each cluster take its most frequent digit.
# - **NMI**, normalised mutual information, asks how much the cluster tells about the digit.
# - **ARI**, the adjusted Rand index, asks of all pairs of images whether both groupings agree to put them together,
#   moved so that chance gives 0.
#
# ### Exercise 3: purity
#
# From the table (n_digits, n_clusters) return the share of images whose digit is the most frequent one in their
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
# Clusters are columns. The largest count in each column is what that cluster gets right.
# </details>

# %% [markdown]
# The easiest way to cheat is to use more clusters than digits. Watch each score as K grows, on the same codes:

# %%
numbers, scores = [2, 3, 4, 6, 8, 12, 16, 24, 32], {}
for k in numbers:
    clusters = KMeans(k, n_init=1, random_state=0).fit_predict(codes)  # (N,)
    for name, score in (("accuracy", metrics.accuracy), ("purity", metrics.purity),
                        ("NMI", metrics.normalized_mutual_information), ("ARI", metrics.adjusted_rand_index)):
        scores.setdefault(name, (numbers, []))[1].append(score(labels, clusters))
show(plotting.curves(scores, xlabel="K, the number of clusters of two digits", ylabel="score",
                     title="Purity does not mind how many clusters there are; the others do"),
     alt="Purity stays near one for any K, while accuracy, NMI and ARI fall")

# %% [markdown]
# Other ways to cheat, all seen in earnest:
#
# - to choose the seed, the number of epochs or the architecture by the score. Then the labels have been used for
#   learning, by hand;
# - to match clusters with digits anew on the test images. The matching belongs to what was learnt: find it on the
#   training images, and keep it;
# - to drop the images that are hard, or to take a sample that happens to be easy.
#
# ## Was the autoencoder worth it?
#
# The same k-means on raw pixels, on principal components (the best straight projection to as few numbers; lesson 10
# writes it), and on codes. First zeros and ones, then four and nine, which differ in a short stroke:

# %%
def compare(images, labels, codes, k):
    """Print the scores of k-means on pixels, on components and on codes. Returns the clusters of the codes (N,)."""
    components = PCA(codes.shape[1]).fit_transform(images)  # (N, C)
    for name, X in (("pixels", images), ("components", components), ("codes", codes)):
        clusters = KMeans(k, n_init=4, random_state=0).fit_predict(X)  # (N,)
        print(f"{name:10}  {X.shape[1]:3} numbers   accuracy {metrics.accuracy(labels, clusters):.3f}   "
              f"NMI {metrics.normalized_mutual_information(labels, clusters):.3f}   "
              f"ARI {metrics.adjusted_rand_index(labels, clusters):.3f}")
    return clusters


print("0 and 1")
_ = compare(images, labels, codes, 2)
hard_images, hard_labels = load_mnist("train", digits=(4, 9))  # (N, 784), (N,)
hard_codes = Autoencoder((128, 3), epochs=30, random_state=0).fit_transform(hard_images)  # (N, 3)
print("4 and 9")
hard_clusters = compare(hard_images, hard_labels, hard_codes, 2)

# %%
show(plotting.table(metrics.confusion_matrix(hard_labels, hard_clusters), ["4", "9"], ["0", "1"], title="Four and nine",
                    xlabel="cluster", ylabel="digit"), alt="A table of two digits by two clusters: both are mixed")

# %% [markdown]
# k-means has found two heaps of about the same size, and they are not the digits. Two centres split the images along
# whatever varies most. Look at what the decoder makes of the two centres, and say what that is:

# %%
hard_model = Autoencoder((128, 3), epochs=30, random_state=0).fit(hard_images)
hard_kmeans = KMeans(2, n_init=4, random_state=0).fit(hard_codes)
show(plotting.tiles(hard_model.inverse_transform(hard_kmeans.cluster_centers_), ["cluster 0", "cluster 1"], (28, 28),
                    title="Two centres of 4 and 9"), alt="Two blurred images, one slanted and one upright")

# %% [markdown]
# Nobody told it that the digit is what we care about. Of all that differs between images of 4 and 9, how they slant
# makes the largest difference to the pixels; which digit it is makes a small one. *Unsupervised learning finds
# structure; whether it is the structure that you had in mind, it cannot know.*
#
# ## All ten digits

# %%
all_images, all_labels = load_mnist("train")  # (N, 784), (N,)
all_model = Autoencoder((128, 3), epochs=8, random_state=0).fit(all_images)
all_codes = all_model.transform(all_images)  # (N, 3)
all_clusters = compare(all_images, all_labels, all_codes, 10)

# %%
counts = metrics.confusion_matrix(all_labels, all_clusters)  # (10, 10)
order = np.argsort([k for _, k in sorted((digit, k) for k, digit in metrics.best_matching(
    all_labels, all_clusters).items())])  # where each cluster goes, so that matched pairs are on the diagonal
columns = np.argsort(order)
show(plotting.table(counts[:, columns], range(10), columns, xlabel="cluster", ylabel="digit",
                    title="Each cluster beside the digit that it is matched with"),
     alt="A table of ten digits by ten clusters; the diagonal is strong for some digits and weak for others")

# %%
all_kmeans = KMeans(10, n_init=4, random_state=0).fit(all_codes)
drawn = all_model.inverse_transform(all_kmeans.cluster_centers_)  # (10, 784)
show(plotting.tiles(drawn, [f"cluster {k}" for k in range(10)], (28, 28), n_columns=5, title="The ten centres"),
     alt="Ten blurred digits drawn by the decoder from the ten centres")

# %%
slider(lambda k: plotting.tiles(all_images[all_clusters == k][:20], [""] * 20, (28, 28),
                                title=f"The first images of cluster {k}"), 10, label="cluster")

# %% [markdown]
# Three numbers are few for ten digits: k-means does better on pixels. So give the code more room:

# %%
wide_codes = Autoencoder((128, 8), epochs=8, random_state=0).fit_transform(all_images)  # (N, 8)
wide_clusters = KMeans(10, n_init=4, random_state=0).fit_predict(wide_codes)  # (N,)
print(f"codes of 8 numbers: accuracy {metrics.accuracy(all_labels, wide_clusters):.3f}, "
      f"NMI {metrics.normalized_mutual_information(all_labels, wide_clusters):.3f}")

# %% [markdown]
# Now look at the table above, row by row. A digit whose row has one large number has a heap of its own; one with two
# or three is written in different ways, or shares its heap with a digit that looks like it.
#
# The library's NMI, equation and code together:

# %%
print(inspect.getsource(metrics.normalized_mutual_information))

# %% [markdown]
# ## What you know now
#
# - Decode a centre to see what its cluster stands for; decode a mistake to see whether code or cut is to blame.
# - Doubt finds mistakes without labels.
# - A score hides something: purity likes many clusters, accuracy wants one cluster for each digit, one number hides
#   the table.
# - Clusters follow what varies most, which need not be what you want to know.
#
# ## To think about
#
# 1. The silhouette of lesson 5 needs no labels. Can it replace these scores?
# 2. A clustering of zeros and ones has an NMI of 0. What is its accuracy?
# 3. How would you get k-means to tell four from nine, still without labels?
#
# **Before:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means. **Next:** [lesson 12](12_densities.ipynb) lets
# clusters be long, tilted and soft.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. It says whether there are dense heaps far apart, not whether they are digits. Heaps by slant have a good
#    silhouette, too.
# 2. Cluster and digit are independent, so each cluster has the same share of zeros. The best matching is right for at
#    least half of the images: accuracy is never below 1/2 here, however useless the clusters are.
# 3. Take away what varies and does not matter: straighten slanted images first. Or make the code larger, so that the
#    short stroke has a number of its own, and look for more clusters than two: then some clusters are fours and others
#    nines.
