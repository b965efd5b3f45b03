# %% [markdown]
# # 8 · k-means on all cores
#
# Lloyd's algorithm looks made for many cores: each point finds its own centre. It is, and yet the obvious way to do it
# gives wrong results, different ones each time. This lesson makes that mistake, fixes it, and then makes an iteration
# several times faster without any more cores: by vectorising across points, and by not computing what cannot matter.
#
# **After this lesson you can** recognise a race, get the same bits on any number of cores, vectorise a loop whose
# innermost part is short, and skip distances by the triangle inequality.
#
# **You need** lesson 5 and about 70 minutes. Lesson 7 helps.

# %%
import numba
import numpy as np

from aelearn import KMeans, kernels, load_mnist, make_blobs, plotting
from aelearn.kmeans import lloyd
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.notebooks import machine, measured, recorded, seconds, show, waiting

# %% [markdown]
# Shapes: N points, D features, K clusters, M chunks. All measurements are taken on your machine, when you run the cell.
# The output that you see before that comes from another machine:

# %%
print(measured("machine", machine))

# %% [markdown]
# ## A race
#
# The update step counts the points of each cluster and adds them up. The counts alone show what goes wrong. With
# `prange`, Numba distributes the iterations of a loop over all cores:

# %%
@numba.njit(parallel=True)
def racing_counts(labels, n_clusters):
    """How many points have each label. Wrong."""
    counts = np.zeros(n_clusters, np.int64)  # (K,)
    for n in numba.prange(len(labels)):
        counts[labels[n]] += 1
    return counts


many = np.random.default_rng(0).integers(0, 4, 2_000_000)  # (N,)
with waiting("counting"):
    found = measured("race", lambda: [int(racing_counts(many, 4).sum()) for _ in range(5)])
print(f"{len(many):,} points; total of the counts in five runs: {', '.join(f'{count:,}' for count in found)}")
if set(found) == {len(many)}:
    machine_then, found = (recorded("08_kmeans_on_all_cores", name) for name in ("machine", "race"))
    print(f"All five happen to be right here. They were wrong when this lesson was made, on {machine_then}:")
    print(", ".join(f"{count:,}" for count in found))

# %% [markdown]
# `counts[k] += 1` is three steps: load, add, store. If two cores do it at the same time, both load 7, both store 8, and
# one point is lost. This is a **race condition**: the result depends on who comes first. (On a machine with a single
# core, or one that is busy with something else, nothing may be lost; then the cell shows what was lost on the machine
# that built this lesson. The code is wrong on both.)
#
# A lock around the line would be correct, but slow: the cores would spend their time waiting for each other. The remedy
# is never to write to memory that another thread writes to.
#
# ## Chunks
#
# Split the points into **chunks**. Each chunk has counts and sums of its own, which no other thread touches. At the end
# they are added up on one core, in the order of the chunks. That is little work, because there are few chunks.
#
# ### Exercise 1: sums of each chunk
#
# For points `X` (N, D), `labels` (N,) from 0 to K - 1 (`n_clusters` is K; some labels may be absent) and chunks of
# `chunk` points (the last one may be smaller), return the sums (M, K, D): row [m, k] is the sum of the points in chunk
# m that have label k. *About five lines.*

# %% tags=["exercise"]
def chunk_sums(X, labels, n_clusters, chunk):
    ### BEGIN SOLUTION
    n_chunks = -(-len(X) // chunk)  # rounded up
    sums = np.zeros((n_chunks, n_clusters, X.shape[1]))  # (M, K, D)
    for n in range(len(X)):
        sums[n // chunk, labels[n]] += X[n]
    return sums
    ### END SOLUTION

# %% tags=["check"]
check(chunk_sums)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Point n is in chunk `n // chunk`. There are N / chunk chunks, rounded up: `-(-len(X) // chunk)`.
# </details>

# %% [markdown]
# How large should a chunk be? It is tempting to make one for each core. Before you do, look at this: the same numbers,
# added in one, two, four and eight parts.

# %%
numbers = np.random.default_rng(0).random(1_000_000, np.float32)  # (N,)
for parts in (1, 2, 4, 8):
    total = float(sum(np.cumsum(part)[-1] for part in np.array_split(numbers, parts)))  # one after the other
    print(f"{parts} part{'s' * (parts > 1)}: {total!r}")

# %% [markdown]
# There was no race, and yet the last digits differ: floating-point sums depend on the order. With one chunk for each
# core, a result would depend on the machine, and with it a centre, the label of a borderline point, a test. So the size
# of a chunk must depend on the data alone. Then any number of cores gives the same bits:

# %%
X = make_blobs(200_000, centers=16, n_features=16, random_state=0)[0].astype(np.float32)  # (N, D)
centers = X[:16].astype(np.float64)  # (K, D)
threads, results = numba.get_num_threads(), []
with waiting("one iteration on one thread, and one on all"):
    for n_threads in (1, threads):
        numba.set_num_threads(n_threads)
        results.append(kernels.get("numba").lloyd_step(X, centers)[1].tobytes())  # the means
numba.set_num_threads(threads)
print("the same bits on one thread and on all:", results[0] == results[1])

# %% [markdown]
# ## More points than memory
#
# Chunks have another use. All that the update needs of a chunk are its sums and counts. So the points need not be in
# memory together: read a chunk from the disk, add its share, and forget it.
#
# ### Exercise 2: one iteration in one pass
#
# `chunks` is an iterator: `for X in chunks` gives one array (B, D) after the other, of different lengths, and only
# once. From these and the `centers` (K, D), return the new means (K, D) (a centre without points stays where it is) and
# the inertia of the points with respect to the given `centers`, a number. Do not collect the chunks in a list. *About
# nine lines.*

# %% tags=["exercise"]
def one_pass(chunks, centers):
    ### BEGIN SOLUTION
    sums, counts, inertia = np.zeros(centers.shape), np.zeros(len(centers)), 0.0  # (K, D), (K,)
    for X in chunks:
        distances = ((X[:, None] - centers) ** 2).sum(axis=2)  # (B, K)
        labels = distances.argmin(axis=1)  # (B,)
        np.add.at(sums, labels, X)
        counts += np.bincount(labels, minlength=len(centers))
        inertia += distances.min(axis=1).sum()
    has_points = counts[:, None] > 0  # (K, 1)
    return np.where(has_points, sums / np.maximum(counts, 1)[:, None], centers), inertia
    ### END SOLUTION

# %% tags=["check"]
check(one_pass)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Keep sums (K, D), counts (K,) and the inertia, all 0 at first. For each chunk: the distances (B, K), their `argmin`
# and their `min`. `np.add.at(sums, labels, X)` adds each point to the sum of its label; `np.bincount(labels,
# minlength=K)` counts. Divide after the last chunk. (The mean of the chunks' means would be wrong: chunks have
# different counts.)
# </details>

# %%
def library_pass(chunks, centers):
    """The same, with all points in memory at once."""
    _, means, _, inertia = lloyd.lloyd_step(np.concatenate(list(chunks)), centers)
    return means, inertia


def stream(n_chunks, size=10_000):
    """Chunks (size, D) of points that are made when they are asked for, the same ones each time."""
    for number in range(n_chunks):
        yield make_blobs(size, centers=X[:4], random_state=number)[0]


pass_over, inertias = yours(one_pass, library_pass), []
moving = X[:4] + 1.0  # (4, D)
for _ in range(4):
    moving, inertia = pass_over(stream(20), moving)
    inertias.append(float(inertia))
print("200,000 points, 10,000 of them at a time; inertia per point:",
      ", ".join(f"{inertia / 200_000:.2f}" for inertia in inertias))

# %% [markdown]
# ## Cheaper distances
#
# In the assign step only the *order* of the distances matters. Expand the square:
#
# $$ |x - c|^2 = |x|^2 - 2\, x \cdot c + |c|^2 $$
#
# $|x|^2$ is the same for all centres, so it can be left out; halve the rest:
#
# $$ s_{nk} = \tfrac12 |c_k|^2 - x_n \cdot c_k $$
#
# The smallest score belongs to the nearest centre. It takes one multiply-add per feature, while a squared difference
# takes two dependent operations. And $x_n \cdot c_k$ for all n and k is a matrix product.
#
# ### Exercise 3: scores
#
# From `X` (N, D) and `centers` (K, D) return the scores (N, K). *One line.*

# %% tags=["exercise"]
def scores(X, centers):
    ### BEGIN SOLUTION
    return 0.5 * (centers**2).sum(axis=1) - X @ centers.T
    ### END SOLUTION

# %% tags=["check"]
check(scores)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `(centers**2).sum(axis=1)` is (K,), and NumPy broadcasts it to each row of an (N, K) array.
# </details>

# %% [markdown]
# There is a price. Far from the origin the score is a small difference of large numbers, and float32 loses digits. The
# library may move the origin to one of the points, it bounds the possible rounding error, and it decides close calls
# again in float64.
#
# ## Vectorise across points
#
# Codes have three features. A loop over three features is too short for vector instructions, which process eight or
# sixteen numbers at once. But there are many points! So let the innermost loop run over *points*: transpose the points
# to (D, N), and process one feature of all points at a time.
#
# ### Exercise 4: across points
#
# `across` (D, N) has the points as columns, `centers` is (K, D). Return the labels (N,): for each point the index of
# its nearest centre, of equally near ones the lowest. Loop over centres and over features; everything else is whole
# NumPy rows, (N,). An array (N, K) would be too large: do not create one. *About nine lines.*

# %% tags=["exercise"]
def labels_across(across, centers):
    ### BEGIN SOLUTION
    best = np.full(across.shape[1], np.inf)  # (N,)
    labels = np.zeros(across.shape[1], int)  # (N,)
    for k, center in enumerate(centers):
        distance = np.zeros(across.shape[1])  # (N,)
        for row, feature in zip(across, center):
            distance += (row - feature) ** 2
        labels[distance < best] = k
        best = np.minimum(best, distance)
    return labels
    ### END SOLUTION

# %% tags=["check"]
check(labels_across)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# For each point keep the smallest distance so far (initially infinity) and its label. For each centre, add up the
# squared differences feature by feature, (N,); where the result is smaller than the best, set the label to this
# centre's index.
# </details>

# %% [markdown]
# The library does this in blocks of 256 points, which fit into the L1 cache, with four features and four centres at a
# time, so that each loaded number is used four times (lesson 7). This is its innermost loop over the points p of a
# block, for the first of the four centres, c0; x0 to x3 are rows of one feature each:
#
#     for p in range(n):
#         scores0[p] -= (x0[p] * c00 + x1[p] * c01) + (x2[p] * c02 + x3[p] * c03)
#
# What do these ideas gain? For comparison, here is a plain kernel, parallel and correct: point by point, with sums for
# each chunk.

# %%
@numba.njit(parallel=True, fastmath={"reassoc", "contract"})
def plain_step(X, centers, chunk):
    """Sums (M, K, D) and counts (M, K) of one iteration, point by point."""
    n_chunks = (len(X) + chunk - 1) // chunk
    sums = np.zeros((n_chunks, centers.shape[0], centers.shape[1]))  # (M, K, D)
    counts = np.zeros((n_chunks, len(centers)))  # (M, K)
    for m in numba.prange(n_chunks):
        for n in range(m * chunk, min(len(X), (m + 1) * chunk)):
            best, label = np.inf, 0
            for k in range(len(centers)):
                distance = np.float32(0)
                for d in range(X.shape[1]):
                    distance += (X[n, d] - centers[k, d]) ** 2
                if distance < best:
                    best, label = distance, k
            counts[m, label] += 1
            for d in range(X.shape[1]):
                sums[m, label, d] += X[n, d]
    return sums, counts


def ten_iterations(step, centers):
    """The centres (K, D) after ten calls of `step`, each starting from the previous means."""
    for _ in range(10):
        centers = step(centers)
    return centers


def plain_means(X, centers):
    """The means (K, D) after an iteration of the plain kernel."""
    sums, counts = plain_step(X, centers.astype(np.float32), 4096)  # (M, K, D), (M, K)
    return sums.sum(axis=0) / counts.sum(axis=0)[:, None]


def times(n, d, k):
    """Milliseconds per iteration, averaged over ten: NumPy, the plain kernel, the library's kernel."""
    X = make_blobs(n, centers=k, n_features=d, cluster_std=8, random_state=0)[0].astype(np.float32)  # (N, D)
    start = X[:k].astype(np.float64)  # (K, D)
    steps = {"NumPy": lambda: lambda centers: lloyd.lloyd_step(X, centers)[1],
             "plain kernel": lambda: lambda centers: plain_means(X, centers),
             "the library's": lambda: lambda centers, run=kernels.get("numba").Descent(X): run.step(centers)[0]}
    ends = [ten_iterations(step(), start) for step in steps.values()]
    assert all(np.allclose(ends[0], end, rtol=1e-3, atol=1e-3) for end in ends)
    calls = {name: lambda step=step: ten_iterations(step(), start) for name, step in steps.items()}
    return {name: 1e3 * time / 10 for name, time in seconds(calls, rounds=3).items()}


shapes = {"200,000 x 3, K = 8": (200_000, 3, 8), "100,000 x 16, K = 16": (100_000, 16, 16)}
with waiting("measuring"):
    milliseconds = {name: measured(name, lambda: times(*shape)) for name, shape in shapes.items()}
bars = {f"{shape}: {name}": time for shape, found in milliseconds.items() for name, time in found.items()}
show(plotting.bars(list(bars), list(bars.values()), xlabel="milliseconds (shorter is better)",
                   title="One iteration of k-means, mean of the first ten"),
     alt="Bars: NumPy takes longest, the plain kernel less, the library's least")

# %% [markdown]
# A run of the library keeps the sums between iterations: a point that stays in its cluster is not added again, and the
# inertia follows from the sums, without another pass over the points.
#
# ## Distances that cannot matter
#
# Late in a run the centres hardly move, and nearly every point keeps its label. Still, all N K distances are computed.
# The triangle inequality tells us in advance which of them can be skipped. Keep two bounds for each point:
#
# - `upper`: its own centre is at most this far away;
# - `lower`: every other centre is at least this far away.
#
# When centre k moves by $m_k$, no distance to it changes by more than $m_k$. So increase `upper` by the distance that
# the point's own centre moved, and decrease `lower` by the largest distance that any centre moved (a little less would
# do). Then both bounds hold again. While `upper < lower`, the point keeps its label, and not even its features are
# read; where they are equal, another centre may be as near. (Hamerly, 2010.)
#
# ### Exercise 5: which points can stay?
#
# `upper` and `lower` (N,) are the bounds before the centres move; `labels` (N,) are the points' own centres, and
# centre k moves by `moved[k]` (K,). Return a boolean array (N,): True where the point needs no distance. Decrease
# every `lower` by the same, the largest of all moves. *One or two lines.*

# %% tags=["exercise"]
def can_stay(upper, lower, labels, moved):
    ### BEGIN SOLUTION
    return upper + moved[labels] < lower - moved.max()
    ### END SOLUTION

# %% tags=["check"]
check(can_stay)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `moved[labels]` is (N,): for each point, how far its own centre moved. Loosen both bounds, then compare.
# </details>

# %% [markdown]
# ### Exercise 6: only the points that ask
#
# Now use it. From `X` (N, D), `centers` (K, D), `labels` (N,) and `stays` (N,), True where a point can stay, return the
# labels (N,) after the centres have moved: points that stay keep theirs, whatever it is; the others get the index of
# their nearest centre, of equally near ones the lowest. If one point in a thousand asks, this must be at least ten
# times as fast as computing all distances. *Three or four lines.*

# %% tags=["exercise"]
def reassign(X, centers, labels, stays):
    ### BEGIN SOLUTION
    labels = labels.copy()  # (N,)
    differences = X[~stays][:, None] - centers  # (A, K, D)
    labels[~stays] = (differences**2).sum(axis=2).argmin(axis=1)
    return labels
    ### END SOLUTION

# %% tags=["check"]
check(reassign)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `X[~stays]` are the A points that ask. Compute distances (A, K) for these alone, and write their `argmin` into a copy
# of the labels: `labels[~stays] = ...`
# </details>

# %% [markdown]
# How much does it save? Here is a run with bounds, in NumPy, that counts the points for which distances were computed.
# (They give new bounds as well as new labels: the distances to the nearest centre and to the second nearest.)

# %%
def run_with_bounds(X, centers, stay):
    """Until no centre moves: the fractions of points recomputed, and of labels changed, in each iteration; the labels
    (N,)."""
    upper, lower = np.full(len(X), np.inf), np.zeros(len(X))  # (N,), (N,)
    labels, ask, asking, changing = np.zeros(len(X), int), np.ones(len(X), bool), [], []  # (N,), (N,)
    while True:
        distances = np.sqrt(((X[ask][:, None] - centers) ** 2).sum(axis=2))  # (A, K)
        new = distances.argmin(axis=1)  # (A,)
        asking.append(ask.mean())
        changing.append(np.count_nonzero(labels[ask] != new) / len(X))
        labels[ask] = new
        upper[ask], lower[ask] = np.partition(distances, 1, axis=1)[:, :2].T
        means = np.array([X[labels == k].mean(axis=0) for k in range(len(centers))])  # (K, D)
        moved = np.sqrt(((means - centers) ** 2).sum(axis=1))  # (K,)
        if not moved.any():
            return asking, changing, labels
        ask = ~np.asarray(stay(upper, lower, labels, moved))  # (N,)
        upper, lower, centers = upper + moved[labels], lower - moved.max(), means


points = make_blobs(5_000, centers=10, n_features=8, cluster_std=4.0, random_state=0)[0]  # (N, D)
asking, changing, labels = run_with_bounds(points, points[:10], yours(can_stay, EXERCISES["can_stay"].answer))
changing[0] = 1.0  # the first iteration gives every point its label
plain = points[:10].copy()  # (K, D)
for _ in asking:
    without, plain = lloyd.lloyd_step(points, plain)[:2]
print("the same labels as without bounds:", np.array_equal(labels, without))
iterations = range(1, len(asking) + 1)
show(plotting.curves({"points with new distances": (iterations, asking),
                      "points with another label": (iterations, changing)}, xlabel="iteration",
                     ylabel="fraction of all points",
                     title=f"In {len(asking)} iterations, {np.mean(asking):.0%} of the distances were computed"),
     alt="Two fractions of all points, both 1 at first: that of points with new distances falls slowly; that of points "
         "with another label falls at once, and stays far below")

# %% [markdown]
# Bounds cost memory and bookkeeping, so they pay off where distances are expensive: many features, many centres. On
# images:

# %%
def runs():
    """Seconds for complete runs on images of all digits, without and with bounds."""
    images = load_mnist("train")[0]  # (N, 784)
    start = images[:20]  # (K, D)
    return seconds({name: lambda a=name: KMeans(20, init=start, algorithm=a, tol=0).fit(images)
                    for name in ("lloyd", "hamerly")}, rounds=1)


with waiting("measuring whole runs"):
    found = measured("bounds", runs)
print(f"55,000 images, 20 clusters, whole run: {found['lloyd']:.2f} s without bounds, {found['hamerly']:.2f} s with, "
      f"{found['lloyd'] / found['hamerly']:.1f} times as fast")

# %% [markdown]
# ## An open task
#
# **Goal:** look at the two curves above once more. Only the points below the lower one had to be looked at; all
# between the two were asked in vain. Close as much of this gap as you can: a `stay` function, or a run, with bounds
# that ask fewer points and give the same labels.
#
# **What to try:** `lower` shrinks by the largest move of *all* centres, even if it is the point's own that moved most.
# A point that is nearer to its centre than half the way from there to the next centre can have no other nearest centre.
# And one lower bound for each of the other centres says more than one for all (at what price?).
#
# **How to see whether you got there:** the labels are those of `lloyd_step`, in every iteration, and the mean of
# `asking` is smaller. A curve that touches the lower one is perfect.

# %% tags=["answer"]
def run_with_more_bounds(X, centers):
    """As run_with_bounds, with all three ideas: the fraction of points recomputed in each iteration, and the labels."""
    upper, lower = np.full(len(X), np.inf), np.zeros((len(X), len(centers)))  # (N,), (N, K)
    labels, asking, moved = np.zeros(len(X), int), [], np.ones(len(centers))  # (N,), (K,)
    while moved.any():
        between = np.sqrt(((centers[:, None] - centers) ** 2).sum(axis=2))  # (K, K)
        needed = np.maximum(lower, 0.5 * between[labels])  # (N, K): nearer than this, and centre k cannot be nearest
        needed[np.arange(len(X)), labels] = np.inf  # a point's own centre is no rival
        ask = upper >= needed.min(axis=1)  # (N,)
        asking.append(ask.mean())
        distances = np.sqrt(((X[ask][:, None] - centers) ** 2).sum(axis=2))  # (A, K)
        labels[ask], upper[ask], lower[ask] = distances.argmin(axis=1), distances.min(axis=1), distances
        means = np.array([X[labels == k].mean(axis=0) for k in range(len(centers))])  # (K, D)
        moved = np.sqrt(((means - centers) ** 2).sum(axis=1))  # (K,)
        upper, lower, centers = upper + moved[labels], lower - moved, means
    return asking, labels


more, labels = run_with_more_bounds(points, points[:10])
print(f"{np.mean(asking):.0%} of the points were asked before, {np.mean(more):.0%} now; the same labels:",
      np.array_equal(labels, without))

# %% [markdown]
# ## What you know now
#
# - Adding to shared sums from several cores is a race. Give each chunk its own sums.
# - Chunks of a fixed size, added in a fixed order, give the same bits on any number of cores; and no more than one of
#   them has to be in memory.
# - Scores instead of distances: half the arithmetic, but the lost digits have to be watched.
# - Where the innermost loop is short, let it run over points.
# - The fastest distance is the one that is not computed.
#
# ## To think about
#
# 1. `racing_counts` was right in a test with 100 points. Why does this prove nothing?
# 2. Why do we not use as many chunks as points?
# 3. If the centres move far in each iteration, what do the bounds gain?
#
# **Next:** [lesson 9](09_on_a_gpu.ipynb) takes the same kernels to a machine with thousands of threads.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. A race loses something only if two cores meet within the same few nanoseconds. With little work, one core may have
#    finished before the other starts. Tests find races by luck; the rule "never write to memory that another thread
#    writes to" finds them by reading.
# 2. Each chunk has K D sums, which take memory and have to be added up at the end on one core. With one point per chunk
#    that would be more work than the sums themselves.
# 3. Nothing: `upper` grows and `lower` shrinks until they cross for nearly all points, so all distances are computed
#    anyway, and the bookkeeping comes on top.
#
# **The open task** (solved above, with all three ideas): one lower bound for each centre (Elkan, 2003) makes the first
# idea needless, and asks fewest points. But these are N K bounds, and all of them have to be loosened in each
# iteration: that pays off only if a distance costs much more than a bound, with many features. No bounds touch the
# lower curve.
