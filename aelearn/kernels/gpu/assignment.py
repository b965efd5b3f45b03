"""The nearest centre of each point, and what the points of a chunk add up to: the kernel of k-means on the GPU.

Shapes: N samples, D features, K clusters, M chunks, E = 2 + K (D + 1) numbers that a chunk adds up.

A block takes a chunk of points, 128 at a time, a thread for each. Centres and points come through shared memory in
panels of 8 centres and slabs of 16 features, so that any K and any D fit: memory is read in whole lines, and each
number of a centre serves 128 points.

Then, behind a barrier, the threads change roles: each takes some of the K (D + 1) sums, and walks over the 128 points
in order, adding those of its cluster. Nobody else writes to its sums, so no atomic addition is wanted, whose order
would be another in each run. If there are fewer sums than threads, several teams share the points: with K = 2 and
D = 4 there are 10 sums, so 12 teams of 10 threads; the other 8 threads wait.

Centres come in two forms. To find the nearest one, `near` is good enough: the centre as seen from an origin near the
points, rounded to X's dtype. The sums want x - c to all its digits: there the centre is the pair `high` + `low`.
"""

import numpy as np
from numba import cuda

from aelearn.kernels.gpu.sums import THREADS, add, sum_of_block

SLAB = 16  # features in shared memory at a time
PANEL = THREADS // SLAB  # centres in shared memory at a time: each thread loads one number of them
SLAB_WIDTH = SLAB + 1  # of a point there: with 16, threads would queue for one bank
INERTIA, MOVED, SUMS = range(3)  # where the numbers of a chunk begin


@cuda.jit(device=True)
def nearest_center(X, first, stop, origin, near, points, centers):
    """The number of the centre that is nearest to point first + t, for thread t; of two as near, the lower one.

    origin (D,); near (K, D): the centres, seen from the origin. points (THREADS, SLAB_WIDTH), centers (PANEL, SLAB):
    shared memory. All threads of a block must call this, those past `stop` as well: they help to load.
    """
    t, zero = cuda.threadIdx.x, X.dtype.type(0)
    n_clusters, n_features = near.shape
    best, label = X.dtype.type(np.inf), 0
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
                for k in range(PANEL):
                    difference = x - centers[k, d]
                    distances[k] += difference * difference
            cuda.syncthreads()  # nobody needs them any more
        for k in range(PANEL):
            if k0 + k < n_clusters and distances[k] < best:
                best, label = distances[k], k0 + k
    return label


@cuda.jit
def pass_over(X, weight, origin, near, high, low, labels, chunk, n_teams, partial):
    """One pass over X (N, D): label the points, and add up the chunks into partial (M n_teams, E, 2), pairs.

    weight (N,), or (1,) if all weigh the same; high, low (K, D): the centres, in two parts; labels (N,) int32, those of
    the pass before; chunk: points in a chunk, a block for each. With w the weight of a point x and c its centre, the
    rows of chunk m add up to

        [INERTIA] sum w |x - c|^2        [MOVED] number of new labels, of points that weigh
        [SUMS + k (D + 1) + d] sum of w (x - c)[d] over cluster k, and for d = D the sum of w
    """
    t, m, zero, one = cuda.threadIdx.x, cuda.blockIdx.x, X.dtype.type(0), X.dtype.type(1)
    points = cuda.shared.array((THREADS, SLAB_WIDTH), X.dtype)
    centers = cuda.shared.array((PANEL, SLAB), X.dtype)
    labels_here = cuda.shared.array(THREADS, np.int32)
    weights_here = cuda.shared.array(THREADS, X.dtype)
    pairs = cuda.shared.array((THREADS, 2), X.dtype)
    n_clusters, n_features = high.shape
    columns = n_features + 1
    n_sums = n_clusters * columns
    team_size = THREADS // n_teams  # with one team, a thread may have several sums; else one at most
    team, member = t // team_size, t % team_size
    own = m * n_teams + team  # the team's row
    start, stop = m * chunk, min(X.shape[0], (m + 1) * chunk)
    inertia_high = inertia_low = moved = zero
    for first in range(start, stop, THREADS):
        label = nearest_center(X, first, stop, origin, near, points, centers)
        row, w = first + t, zero
        if row < stop:
            w = weight[row if weight.size > 1 else 0]
            if label != labels[row] and w > zero:
                moved += one
            labels[row] = label
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
                        offset = (X[first + p, d] - high[k, d]) - low[k, d]
                        moment = w * offset
                        sum_high, sum_low = add(sum_high, sum_low, moment)
                        # Exactly one thread of the block meets this feature of this point: it is counted once.
                        inertia_high, inertia_low = add(inertia_high, inertia_low, moment * offset)
                    else:
                        sum_high, sum_low = add(sum_high, sum_low, w)
            partial[own, SUMS + entry, 0] = sum_high
            partial[own, SUMS + entry, 1] = sum_low
        # No barrier here: the next round overwrites the labels only after those in nearest_center.
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
