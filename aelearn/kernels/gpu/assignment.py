"""The nearest centre of each point, and what the points of a chunk add up to: the kernel of k-means on the GPU.

Worth reading, after device.py and sums.py. Counterparts: kmeans/lloyd.py (NumPy), kernels/cpu/assignment.py.

Shapes: N samples, D features, K clusters, M chunks, E = 3 + K (D + 1) numbers that a chunk adds up.

A block takes a chunk of points, 128 at a time, a thread for each. Centres and points come through shared memory in
panels of 8 centres and slabs of 16 features, so that any K and any D fit: memory is read in whole lines, and each
number of a centre serves 128 points.

Then, behind a barrier, the threads change roles: each takes some of the K (D + 1) sums, and walks over the 128 points
in order, adding those of its cluster. Nobody else writes to its sums, so there is no need for atomic additions, whose
order would be another in each run. If there are fewer sums than threads, several teams share the points: with K = 2 and
D = 4 there are 10 sums, so 12 teams of 10 threads; the other 8 threads wait. The sums of a cluster that has no points
are 0: it is filled afterwards, for all back ends, by aelearn.kmeans.lloyd.fill_empty_clusters.

Centres come in two forms. To find the nearest one, `near` is good enough: the centre as seen from an origin near the
points, rounded to X's dtype. The inertia needs x - c to all its digits: there the centre is the pair `high` + `low`.

`near` is good enough because a point whose two best distances differ by no more than rounding is marked as doubtful,
and the host decides it. With u the unit roundoff, rounding point and centre to `near` and taking their difference
moves that by at most 2 u |x| + 2 u |x - c|, because |c| is at most |x| + |x - c|. So a squared distance d comes out
within

    u (D + 5) d + 4 u |x| sqrt(d)

and to this, for both of the two, half as much again is added, which is for the rounding of the bound and for what is
smaller than u. The bound grows with d: where the second best is certainly farther than the best, so are all others.
"""

import math

import numpy as np
from numba import cuda

from aelearn.kernels.gpu.sums import THREADS, add, sum_of_block

SLAB = 16  # features in shared memory at a time
PANEL = THREADS // SLAB  # centres in shared memory at a time: each thread loads one number of them
SLAB_WIDTH = SLAB + 1  # of a point there: with 16, threads would queue for one bank
INERTIA, MOVED, DOUBTFUL, SUMS = range(4)  # where the numbers of a chunk begin
OF_DISTANCE, OF_ROOT, LEAST = range(3)  # the bound's factors of d and of |x| sqrt(d), and the least number that counts


@cuda.jit(device=True)
def nearest_center(X, first, stop, origin, near, rounding, points, centers):
    """The number of the centre that is nearest to point first + t, for thread t, and whether that is in doubt.

    origin (D,); near (K, D): the centres, seen from the origin; rounding (3,): OF_DISTANCE, OF_ROOT and LEAST;
    points (THREADS, SLAB_WIDTH), centers (PANEL, SLAB): shared memory. All threads of a block must call this, even
    those past `stop`: they help to load.
    """
    t, zero = cuda.threadIdx.x, X.dtype.type(0)
    n_clusters, n_features = near.shape
    best = second = X.dtype.type(np.inf)
    label, square = 0, zero  # square: |x|^2
    distances = cuda.local.array(PANEL, X.dtype)
    for k0 in range(0, n_clusters, PANEL):
        for k in range(PANEL):
            distances[k] = zero
        for d0 in range(0, n_features, SLAB):
            width = min(SLAB, n_features - d0)
            d, k = t % SLAB, t // SLAB  # sixteen threads load a row: they stand side by side, as its numbers do
            if k0 == 0 or n_features > SLAB:  # else the points are still there
                for p in range(k, THREADS, THREADS // SLAB):
                    inside = first + p < stop and d < width
                    points[p, d] = X[first + p, d0 + d] - origin[d0 + d] if inside else zero
            centers[k, d] = near[k0 + k, d0 + d] if k0 + k < n_clusters and d < width else zero
            cuda.syncthreads()  # points and centres are there
            for d in range(width):
                x = points[t, d]
                if k0 == 0:
                    square += x * x
                for k in range(PANEL):
                    difference = x - centers[k, d]
                    distances[k] += difference * difference
            cuda.syncthreads()  # nobody needs them any more
        for k in range(PANEL):
            if k0 + k < n_clusters:
                if distances[k] < best:
                    best, second, label = distances[k], best, k0 + k
                else:
                    second = min(second, distances[k])
    if n_clusters == 1:
        return label, False
    roots = math.sqrt(best) + math.sqrt(second)
    bound = rounding[OF_DISTANCE] * (best + second) + rounding[OF_ROOT] * math.sqrt(square) * roots + rounding[LEAST]
    return label, not second - best > bound  # also where they are so large that their difference is no number


@cuda.jit
def pass_over(X, weight, centers, rounding, before, labels, search, chunk, n_teams, partial):
    """One pass over X (N, D): label the points, and add up the chunks, a block for each.

    weight    (N,), or (1,) if all weigh the same
    centers   (3 K + 1, D): the origin, and K rows each of near, high and low: the centres as seen from the origin and,
              in two parts, from 0
    rounding  (3,), see `nearest_center`
    before    (N,) int32, the labels of the pass before
    labels    (N,) int32, of this one
    search    whether to find the labels, and write -1 - label where one is in doubt; else they are as they are
    chunk     points in a chunk
    n_teams   how many teams of threads share the points
    partial   (M n_teams, E, 2), filled in: pairs

    With w the weight of a point x, c its centre and o the origin, the rows of chunk m add up to

        [INERTIA] sum w |x - c|^2        [MOVED] number of new labels, of points that weigh        [DOUBTFUL] how many
        [SUMS + k (D + 1) + d] sum of w (x - o)[d] over cluster k, and for d = D the sum of w
    """
    t, m, zero, one = cuda.threadIdx.x, cuda.blockIdx.x, X.dtype.type(0), X.dtype.type(1)
    points = cuda.shared.array((THREADS, SLAB_WIDTH), X.dtype)
    panel = cuda.shared.array((PANEL, SLAB), X.dtype)
    labels_here = cuda.shared.array(THREADS, np.int32)
    weights_here = cuda.shared.array(THREADS, X.dtype)
    pairs = cuda.shared.array((THREADS, 2), X.dtype)
    n_clusters, n_features = centers.shape[0] // 3, centers.shape[1]
    origin, near = centers[0], centers[1:1 + n_clusters]  # (D,), (K, D)
    high, low = centers[1 + n_clusters:1 + 2 * n_clusters], centers[1 + 2 * n_clusters:]  # (K, D), (K, D)
    columns = n_features + 1
    n_sums = n_clusters * columns
    team_size = THREADS // n_teams  # with one team, a thread may have several sums; else one at most
    team, member = t // team_size, t % team_size
    own = m * n_teams + team  # the team's row
    start, stop = m * chunk, min(X.shape[0], (m + 1) * chunk)
    inertia_high = inertia_low = moved = doubtful = zero
    for first in range(start, stop, THREADS):
        label, is_doubtful = 0, False
        if search:
            label, is_doubtful = nearest_center(X, first, stop, origin, near, rounding, points, panel)
        row, w = first + t, zero
        if row < stop:
            w = weight[row if weight.size > 1 else 0]
            if search:
                labels[row] = -1 - label if is_doubtful else label
            else:
                label = labels[row]
            if label != before[row] and w > zero:
                moved += one
            if is_doubtful:
                doubtful += one
        labels_here[t] = label
        weights_here[t] = w
        cuda.syncthreads()  # all labels are there
        first_sum = member if team < n_teams else n_sums  # threads that are left over have none
        for entry in range(first_sum, n_sums, team_size):
            k, d = entry // columns, entry % columns
            sum_high = sum_low = zero
            if first > start:  # go on where the last 128 points ended
                sum_high, sum_low = partial[own, SUMS + entry, 0], partial[own, SUMS + entry, 1]
            for p in range(team, min(THREADS, stop - first), n_teams):
                if labels_here[p] == k:
                    w = weights_here[p]
                    if d < n_features:
                        x = X[first + p, d]
                        sum_high, sum_low = add(sum_high, sum_low, w * (x - origin[d]))
                        # Exactly one thread of the block meets this feature of this point: it is counted once.
                        offset = (x - high[k, d]) - low[k, d]
                        inertia_high, inertia_low = add(inertia_high, inertia_low, w * offset * offset)
                    else:
                        sum_high, sum_low = add(sum_high, sum_low, w)
            partial[own, SUMS + entry, 0] = sum_high
            partial[own, SUMS + entry, 1] = sum_low
        if not search:  # else the next round overwrites the labels only after the barriers in nearest_center
            cuda.syncthreads()
    if t < n_teams:
        for which in range(INERTIA, SUMS):  # only the first team's row gets the block's, below
            partial[m * n_teams + t, which, 0] = zero
            partial[m * n_teams + t, which, 1] = zero
    sum_of_block(inertia_high, inertia_low, pairs)
    if t == 0:
        partial[m * n_teams, INERTIA, 0] = pairs[0, 0]
        partial[m * n_teams, INERTIA, 1] = pairs[0, 1]
    sum_of_block(moved, zero, pairs)
    if t == 0:
        partial[m * n_teams, MOVED, 0] = pairs[0, 0]
        partial[m * n_teams, MOVED, 1] = pairs[0, 1]
    sum_of_block(doubtful, zero, pairs)
    if t == 0:
        partial[m * n_teams, DOUBTFUL, 0] = pairs[0, 0]
        partial[m * n_teams, DOUBTFUL, 1] = pairs[0, 1]
