# %% [markdown]
# # 5 · k-means by hand
#
# Here are some points, without any labels. Which of them belong together? k-means is the classic answer: find K centres
# such that every point is near one of them. It alternates between two steps, and each takes a few lines of NumPy.
#
# **After this lesson you can** write Lloyd's algorithm, say why it always terminates and why its result may be bad,
# initialise it well, and choose K with care.
#
# **You need** NumPy's arrays, and about 75 minutes. No earlier lesson is needed.

# %%
import numpy as np

from aelearn import KMeans, load_mnist, metrics, plotting
from aelearn.data import make_blobs, make_moons
from aelearn.kmeans import lloyd
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.notebooks import show, slider, waiting

# %% [markdown]
# Notation: N points of D numbers each are `X` (N, D). There are K centres, `centers` (K, D), and each point has a
# label, the index of its centre: `labels` (N,).
#
# ## What is a good clustering?
#
# One in which points are close to their centres. The sum of the squared distances of all points to their own centres is
# called the **inertia**, and k-means tries to make it small:
#
# $$ I = \sum_n |x_n - c_{\text{label}(n)}|^2 $$
#
# There are two things to choose, the labels and the centres. Choosing both at once is hard. Choosing one while the
# other is fixed is easy, and that is the whole idea:
#
# 1. **Assign.** The centres are fixed. Each point gets the label of its nearest centre: no other label makes its term
#    of the sum smaller.
# 2. **Update.** The labels are fixed. Each centre moves to the mean of its points: no other position makes their terms
#    smaller.
#
# Alternating between the two is **Lloyd's algorithm**. Neither step can increase the inertia, and an iteration in which
# a centre moves decreases it. So no labelling occurs again after a centre has moved. As there are only finitely many
# labellings, the centres stop moving at some time, and the labels with them: the algorithm terminates. (A point that is
# equally near to two centres must always be treated in the same way: here it goes to the one with the lower index.)
#
# ### Exercise 1: assign
#
# Return the labels, an array of integers (N,): for each point, the index of its nearest centre; of centres that are
# equally near, the lowest index. *One to three lines.*

# %% tags=["exercise"]
def assign(X, centers):
    ### BEGIN SOLUTION
    differences = X[:, None, :] - centers  # (N, K, D)
    return (differences**2).sum(axis=2).argmin(axis=1)
    ### END SOLUTION

# %% tags=["check"]
check(assign)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `X[:, None, :]` has shape (N, 1, D). Subtract `centers` from it, and NumPy makes (N, K, D): every point minus every
# centre. Square, sum over D, and take the `argmin` over K. You need no square root: it does not change which centre is
# nearest.
# </details>

# %% [markdown]
# ### Exercise 2: update
#
# Return the new centres (K, D), each the mean of the points with its label. A centre without points stays where it is.
# *About five lines.*

# %% tags=["exercise"]
def update(X, labels, centers):
    ### BEGIN SOLUTION
    means = centers.copy()  # (K, D)
    for k in range(len(centers)):
        if np.any(labels == k):
            means[k] = X[labels == k].mean(axis=0)
    return means
    ### END SOLUTION

# %% tags=["check"]
check(update)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `X[labels == k]` are the points of cluster k. Start with a copy of `centers`, and overwrite the rows that have points.
# </details>

# %% [markdown]
# **Why the mean?** For points $x$ of one cluster with mean $m$, and any other position $c$ of their centre,
#
# $$ \sum |x - c|^2 = \sum |x - m|^2 + n\,|m - c|^2 $$
#
# (write $x - c = (x - m) + (m - c)$; the mixed term vanishes because the $x - m$ add up to 0). The second term is never
# negative, and it is 0 only for $c = m$.
#
# ### Exercise 3: the inertia
#
# Return the sum of the squared distances of all points to their own centres, a number. *One line.*

# %% tags=["exercise"]
def inertia(X, labels, centers):
    ### BEGIN SOLUTION
    return ((X - centers[labels]) ** 2).sum()
    ### END SOLUTION

# %% tags=["check"]
check(inertia)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `centers[labels]` is (N, D): each point's own centre.
# </details>

# %% [markdown]
# ### Exercise 4: Lloyd's algorithm
#
# Put it all together. Starting from the given centres, alternate between assign and update until the labels no longer
# change, however many rounds that takes; return the labels and the centres. A centre without points stays where it is.
# *About seven lines; call your own functions.*

# %% tags=["exercise"]
def kmeans(X, centers):
    ### BEGIN SOLUTION
    labels = assign(X, centers)
    while True:
        centers = update(X, labels, centers)
        new_labels = assign(X, centers)
        if np.array_equal(new_labels, labels):
            return labels, centers
        labels = new_labels
    ### END SOLUTION

# %% tags=["check"]
check(kmeans)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Keep the labels of the previous iteration, and compare with `np.array_equal`. If an error comes from `labels == k` in
# your `update`: does your `assign` return a list? A list is never equal to a number; `np.array` makes an array of it.
# </details>

# %% [markdown]
# ## Watch it run
#
# Here are four groups of points, and the first four points are the first centres. `yours` takes your functions if they
# are right, and the library's otherwise, so that you can go on in any case. In the pictures, the plane is coloured by
# the nearest centre; the region of a centre is called its **Voronoi cell**.

# %%
def library_assign(X, centers):
    return lloyd.assign(X, centers)[0]


def library_update(X, labels, centers):
    return lloyd.update(X, centers, None, labels)[0]


def library_inertia(X, labels, centers):
    return lloyd.inertia_of(X, centers, None, labels)


nearest_centers, moved_centers = yours((assign, update), (library_assign, library_update))
total = yours(inertia, library_inertia)
X, _ = make_blobs(300, centers=4, cluster_std=1.0, random_state=11)  # (300, 2)
centers = X[:4].astype(float)  # (K, 2): the first four points
steps, inertias = [("start", centers)], []
for iteration in range(1, 20):
    labels = np.asarray(nearest_centers(X, centers))  # (N,)
    inertias.append(float(total(X, labels, centers)))
    means = np.asarray(moved_centers(X, labels, centers))  # (K, 2)
    if np.array_equal(means, centers):
        break
    centers = means
    steps.append((f"after iteration {iteration}", centers))

# %% tags=["plot"]
# Draws the iterations, and the inertia after each.
shown = steps if len(steps) <= 8 else [*steps[:7], steps[-1]]
display(show(plotting.partitions(X, shown, title="Lloyd's algorithm: each panel is one iteration; stars are centres"),
             alt="Panels with four groups of points. From panel to panel the four red stars, the centres, and the "
                 "coloured regions around them move less and less, until they stop"))
show(plotting.curves({"inertia": (range(len(inertias)), inertias)}, xlabel="iterations done", ylabel="inertia",
                     title=f"It never rises: from {inertias[0]:.0f} down to {inertias[-1]:.0f}"),
     alt="The inertia falls steeply in the first iterations, then ever more slowly, and stays")

# %% tags=["plot"]
# Run this cell and drag.
slider(lambda iteration: plotting.partitions(X, [steps[iteration]], title="", size=5.5), range(len(steps)),
       label="iteration", alt="Points in the plane in the colours of their clusters, and the centres as red stars")

# %% [markdown]
# The library's two steps, `assign` and `update` in `aelearn/kmeans/lloyd.py`, differ from yours in three ways: they
# read the points in blocks, so that no N-by-K array is ever created; they sum in float64 and, if all points lie far
# from 0, relative to one of them, so that no digits are lost; and points may have weights.
#
# ## It stops. But where?
#
# Look at the last panel again: two stars share one group, and one star serves two. It has converged, but not to a good
# result.
#
# Neither step can increase the inertia, but the two together may stop in a local minimum that is not the global one.
# Here are the best and the worst of thirty random starts on the same points:

# %%
def library_kmeans(X, centers):
    run = KMeans(len(centers), init=centers, n_init=1, tol=0).fit(X)
    return run.labels_, run.cluster_centers_


def result(X, start):
    """The inertia at which k-means ends, and the centres from left to right (K, 2)."""
    labels, centers = map(np.asarray, converge(X, start))
    return float(total(X, labels, centers)), centers[centers[:, 0].argsort()]


converge = yours(kmeans, library_kmeans)
starts = [X[np.random.default_rng(seed).choice(len(X), 4, replace=False)] for seed in range(30)]  # (4, 2) each
with waiting("30 runs of k-means"):
    runs = sorted((result(X, start) for start in starts), key=lambda run: run[0])
best, worst = runs[0][0], runs[-1][0]
reached = sum(value < 1.001 * best for value, _ in runs)
print(f"{reached} of {len(runs)} random starts reach the best inertia, {best:.0f}; the worst reaches {worst:.0f}")
panels = [(f"{name}: inertia {value:.0f}", centers) for name, (value, centers) in zip(("best", "worst"),
                                                                                     (runs[0], runs[-1]))]
show(plotting.partitions(X, panels, title="Two places where Lloyd's algorithm stops"),
     alt="Left, a star in each group; right, two stars share a group and one lies between two others")

# %% [markdown]
# ## A better start: k-means++
#
# It goes wrong when two centres start in the same group. So choose the centres one by one, each far from the previous
# ones. Do not take the farthest point, which may be an outlier. Draw a point at random, with a probability proportional
# to the squared distance to its nearest centre so far:
#
# $$ p_n = \frac{d_n^2}{\sum_m d_m^2} \qquad d_n = \text{distance of } x_n \text{ to its nearest centre so far} $$
#
# ### Exercise 5: the probabilities of the next centre
#
# From `X` (N, D) and the centres so far (K, D), return the probabilities (N,). *About three lines.*

# %% tags=["exercise"]
def next_center(X, centers):
    ### BEGIN SOLUTION
    differences = X[:, None, :] - centers  # (N, K, D)
    nearest = (differences**2).sum(axis=2).min(axis=1)  # (N,)
    return nearest / nearest.sum()
    ### END SOLUTION

# %% tags=["check"]
check(next_center)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The same array of differences as in exercise 1; this time `min`, not `argmin`.
# </details>

# %%
def plus_plus(X, n_clusters, rng):
    """A start for k-means: points (K, D) of X, drawn one by one."""
    centers = X[[rng.integers(len(X))]]  # (1, D): the first may be any point
    while len(centers) < n_clusters:
        p = np.maximum(np.asarray(probabilities(X, centers), float), 0)  # (N,); rounding may have made one negative
        centers = np.concatenate([centers, X[[rng.choice(len(X), p=p / p.sum())]]])
    return centers


probabilities = yours(next_center, EXERCISES["next_center"].answer)
with waiting("30 runs of k-means"):
    plus = [result(X, plus_plus(X, 4, np.random.default_rng(seed)))[0] for seed in range(30)]
print(f"{sum(value < 1.001 * best for value in plus)} of {len(plus)} starts with k-means++ reach the best inertia")

# %% [markdown]
# ## A centre without points
#
# A centre that is nearest to no point has no mean. It could stay where it is, as in exercise 2. It is better to move
# it to the point that is farthest from its own centre: that lowers the inertia at once. `KMeans` does this. Here one
# centre starts far outside:

# %%
start = np.array([[0, 0], [1, 1], [2, 2], [90, 90]], float)  # (4, 2)
centers = start
for _ in range(50):
    labels, centers, _, value = lloyd.lloyd_step(X, centers)
print("if it stays:  points in each cluster", np.bincount(labels, minlength=4).tolist(), " inertia", round(value))
with waiting("the library's k-means (its first run compiles it)"):
    helped = KMeans(4, init=start, n_init=1).fit(X)
print("if it moves:  points in each cluster", np.bincount(helped.labels_).tolist(), " inertia", round(helped.inertia_))

# %% [markdown]
# ## How many clusters?
#
# The inertia cannot tell us: it falls with every additional centre, down to 0 when each point has its own. Two plots
# help.
#
# - **The elbow.** Once an additional centre only splits a real group in two, the inertia falls much less than before.
# - **The silhouette.** For each point compare $a$, the mean distance to the other points of its own cluster, with $b$,
#   that to the points of the nearest other cluster: $(b - a)/\max(a, b)$. Near 1 the point fits well, near 0 it is on a
#   border. Take the K for which the mean over all points is highest.

# %%
numbers = list(range(2, 9))
fits = [KMeans(k, n_init=5, random_state=0).fit(X) for k in numbers]
silhouettes = [metrics.silhouette(X, fit.labels_) for fit in fits]
shares = [fit.inertia_ / fits[0].inertia_ for fit in fits]
lines = {"inertia, as a fraction of that for K = 2": (numbers, shares), "mean silhouette": (numbers, silhouettes)}
peak = int(np.argmax(silhouettes))
marked = {f"K = {numbers[peak]}": ([numbers[peak]] * 2, [shares[peak], silhouettes[peak]])}
show(plotting.curves(lines, points=marked, xlabel="K, the number of clusters", ylabel="fraction, or mean silhouette",
                     title=f"The elbow and the peak are at K = {numbers[peak]}"),
     alt="The inertia has an elbow, and the silhouette its peak, at the same K")

# %% [markdown]
# ## Where k-means fails
#
# Each Voronoi cell has straight sides, and the border between two centres is halfway between them. So a curved group is
# cut through, and a wide group loses its rim to a narrow one. Here k-means has found the lowest inertia, and is still
# wrong. (Which cluster has the number 0 is chance, so `metrics.accuracy` first matches the clusters to the true groups,
# in the way that makes most of the points right.)

# %%
moons, side = make_moons(400, noise=0.06, random_state=0)  # (400, 2), (400,)
blobs = np.random.default_rng(0).normal(size=(400, 2)) * np.repeat([[2.2], [0.3]], 200, axis=0)  # (400, 2)
blobs[200:, 0] += 5  # the narrow blob is to the right of the wide one
for name, points, truth in (("two moons", moons, side), ("a wide blob and a narrow one", blobs, np.arange(400) // 200)):
    found = KMeans(2, n_init=5, random_state=0).fit(points)
    print(f"{name}: {metrics.accuracy(truth, found.labels_):.0%} of the points are in the right cluster")
    display(show(plotting.partitions(points, [("the result of k-means", found.cluster_centers_)], title=name, size=4),
                 alt=f"{name}: the straight border of k-means cuts through"))

# %% [markdown]
# ## Points with 784 numbers
#
# Nothing above depended on the number of features. Images are points as well, and a centre is an image: the mean of its
# cluster. But for N = 2,000 images of D = 784 pixels and K = 10 centres, the array (N, K, D) of all differences, as in
# the hint to exercise 1, takes 125 MB; for all 55,000 training images it would take 3.4 GB, and moving it to and from
# memory would take longer than the arithmetic. It is not needed: expand the square,
#
# $$ |x - c|^2 = |x|^2 - 2\, x \cdot c + |c|^2 $$
#
# and notice that all $x_n \cdot c_k$ together are one matrix product, (N, K), and that $|x|^2$ is the same for all
# centres. (Or take one centre at a time, in a loop over the K centres.)
#
# ### Exercise 6: one round without the table
#
# From `X` (N, D) and `centers` (K, D) return the labels (N,) and the new centres (K, D) of one iteration: what exercise
# 1 returns, and what exercise 2 makes of it. There may be no array as large as (N, K, D), and no loop over the points;
# arrays (N, D) and (N, K), and loops over the centres or the features, are fine. *About six lines.*

# %% tags=["exercise"]
def lean_step(X, centers):
    ### BEGIN SOLUTION
    labels = ((centers**2).sum(axis=1) - 2 * X @ centers.T).argmin(axis=1)  # (N,)
    means = centers.copy()  # (K, D)
    for k in np.unique(labels):
        means[k] = X[labels == k].mean(axis=0)
    return labels, means
    ### END SOLUTION

# %% tags=["check"]
check(lean_step)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `(centers**2).sum(axis=1)` is (K,), and NumPy adds it to each row of `-2 * X @ centers.T`, (N, K). Your `update` has
# no loop over the points yet? Then call it. Otherwise: `X[labels == k].mean(axis=0)`.
# </details>

# %%
# 2,000 test images of all ten digits, in ten clusters
images, digits = load_mnist("test")  # (10000, 784), (10000,)
images, digits = images[:2000].astype(float), digits[:2000]
one_round = yours(lean_step, lambda X, centers: lloyd.lloyd_step(X, centers)[:2])
centers, old = images[np.random.default_rng(0).choice(len(images), 10, replace=False)], None  # (10, 784)
n_rounds = 0
with waiting("k-means on images"):
    while n_rounds < 300:
        n_rounds += 1
        labels, centers = map(np.asarray, one_round(images, centers))  # (N,), (10, 784)
        if np.array_equal(labels, old):
            break
        old = labels
print(f"after {n_rounds} rounds no label changes; accuracy under the best matching of clusters to digits: "
      f"{metrics.accuracy(digits, labels):.2f}")
captions = [f"{np.bincount(digits[labels == k]).argmax()}? ({np.sum(labels == k)})" for k in range(10)]
show(plotting.tiles(centers, captions, (28, 28), n_columns=5,
                    title="Ten centres: the most frequent digit in each cluster (and the cluster's size)"),
     alt="Ten blurred digits, the centres of ten clusters of images")

# %% [markdown]
# Some digits have two centres, others share one: pixels are not the best coordinates for digits. It helps to find
# better coordinates first, and that is what an autoencoder is for (lesson 4).
#
# ## An open task
#
# **Goal:** separate the two moons, with nothing but k-means and a few lines of your own. The picture below is the
# result to aim at.
#
# **What to try:** two centres cannot do it, because their border is straight. Sixteen can follow the curves: each moon
# is then cut into about eight pieces. Which pieces belong together? Find a measure of how near two *clusters* are (not
# their centres: why?), and join the nearest ones until two groups are left.
#
# **How to see whether you got there:** `metrics.accuracy(side, labels)` is 1.0. Then make it harder: more noise in
# `make_moons`, fewer points, other numbers of centres. When does your measure join the wrong pieces?

# %% tags=["plot"]
# Draws the goal.
show(plotting.graphs([("", moons, side, None)], title="What to aim at: each moon is one group", size=(5, 3)),
     alt="Points in two interlocking half circles, each half circle in one colour")

# %% tags=["answer"]
pieces = KMeans(16, n_init=5, random_state=0).fit(moons).labels_  # (N,)
distances = np.sqrt(((moons[:, None] - moons) ** 2).sum(axis=2))  # (N, N)
gaps = np.array([[distances[pieces == a][:, pieces == b].min() for b in range(16)] for a in range(16)])  # (16, 16)
group = np.arange(16)  # at first, each piece is a group
while len(np.unique(group)) > 2:
    apart = np.where(group[:, None] == group, np.inf, gaps)  # the smallest gap between two points of two groups
    a, b = np.unravel_index(apart.argmin(), apart.shape)
    group[group == group[b]] = group[a]
print("the two moons, joined from pieces: accuracy", metrics.accuracy(side, group[pieces]))

# %% [markdown]
# ## What you know now
#
# - k-means lowers the sum of squared distances in two steps, assign and update; neither can increase it.
# - It stops in a local minimum, which is not always the global one: start with k-means++, more than once.
# - The inertia does not choose K. The elbow and the silhouette give hints.
# - The borders are always straight and halfway: curved groups, or groups of very different width, are cut wrongly.
# - Distances to all centres are a matrix product: no array (N, K, D) is needed.
#
# ## To think about
#
# 1. Multiply one of the features by 1,000. What happens to the clusters?
# 2. Why can the border between two k-means clusters never be curved?
# 3. The mean goes with *squared* distances. Which centre would minimise the sum of plain distances (in one dimension)?
#
# **Next:** [lesson 6](06_clustering_the_codes.ipynb) clusters the codes of an autoencoder; [lesson
# 8](08_kmeans_on_all_cores.ipynb) makes k-means fast.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. This feature alone determines all distances: the clusters become slices along it. Scale the features to a common
#    range first.
# 2. The border between two centres is where both are equally far away: the perpendicular bisector, a straight line (a
#    plane, a hyperplane). In $|x - c_1|^2 = |x - c_2|^2$ the $|x|^2$ cancels, and what remains is linear in $x$.
# 3. The median: as many points on its left as on its right. A step to either side increases the distance to more points
#    than it decreases.
#
# **The open task** (solved above): the centres of two pieces of one moon may be farther apart than those of pieces of
# different moons, but along a moon the nearest *points* of two pieces always touch. With more noise a single point
# between the moons is enough to join them. Then count the points near the border of two pieces instead; or turn the
# points into a graph, as [lesson 13](13_spectral_clustering.ipynb) does.
