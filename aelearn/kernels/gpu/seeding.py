"""The k-means++ start on the GPU: the draws of aelearn.kmeans.seeding.kmeans_plusplus, from distances computed there.

Worth reading, after lloyd.py. Counterparts: kmeans/seeding.py (NumPy), kernels/cpu/seeding.py.

Shapes: N samples, D features, K clusters, T trial candidates, M chunks.

The random numbers are drawn on the host, from the same stream in the same order as on the other back ends. To turn one
into a point, the host needs the chunks' masses and then the distances of one chunk: nothing else is fetched.
"""

import numpy as np
from numba import cuda

from aelearn.kernels.arguments import check_number_of_clusters
from aelearn.kernels.common import choose_points
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.lloyd import Points
from aelearn.kernels.gpu.sums import THREADS, add, sum_of_block


@cuda.jit
def _try_all(X, weight, nearest, candidates, keep, chunk, inertias):
    """inertias[m, c] = chunk m's sum of w min(nearest, |x - X[candidates[c]]|^2), as a pair; a block for each chunk.

    candidates (T,): rows of X; keep: write the minimum to nearest (N,).
    """
    t, m, zero = cuda.threadIdx.x, cuda.blockIdx.x, X.dtype.type(0)
    pairs = cuda.shared.array((THREADS, 2), X.dtype)
    start, stop = m * chunk, min(X.shape[0], (m + 1) * chunk)
    for c in range(candidates.size):
        high = low = zero
        for row in range(start + t, stop, THREADS):
            distance = zero
            for d in range(X.shape[1]):
                difference = X[row, d] - X[candidates[c], d]
                distance += difference * difference
            distance = min(distance, nearest[row])
            if keep:
                nearest[row] = distance
            high, low = add(high, low, weight[row if weight.size > 1 else 0] * distance)
        sum_of_block(high, low, pairs)
        if t == 0:
            inertias[m, c, 0] = pairs[0, 0]
            inertias[m, c, 1] = pairs[0, 1]


def kmeans_plusplus(X, n_clusters, sample_weight, rng):
    """K points of X (N, D) that lie far apart; see aelearn.kmeans.seeding.kmeans_plusplus. Returns centres (K, D).

    X is an array, or Points if it is on the device already.
    """
    points = X if isinstance(X, Points) else Points(X, sample_weight)
    check_number_of_clusters(n_clusters)
    n_samples = len(points.X)
    size, n_chunks = points.chunks(2 + int(np.log(n_clusters)))
    chunks = [slice(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]
    nearest = device.upload(np.full(n_samples, np.inf, points.dtype))  # (N,), of points divided by 2^exponent

    def attempt(candidates, keep):
        inertias = device.empty((n_chunks, len(candidates), 2), points.dtype)  # (M, T, 2)
        device.launch(_try_all, n_chunks, THREADS, points.there, points.weight_there, nearest,
                      device.upload(np.array(candidates, np.int64)), keep, size, inertias)
        return device.download(inertias).sum(axis=2, dtype=np.float64) * points.unit  # (M, T)

    return points.X[choose_points(n_clusters, chunks, np.broadcast_to(points.weight, n_samples),
                                  lambda rows: device.download(nearest[rows]).astype(np.float64), attempt, rng)]
