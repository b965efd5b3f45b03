"""The k-means++ start on all cores: the draws of aelearn.kmeans.seeding.kmeans_plusplus, without its temporary arrays.

Worth reading, after lloyd.py. Counterparts: kmeans/seeding.py (NumPy), kernels/gpu/seeding.py.

Shapes: N samples, D features, K clusters, T trial candidates, M chunks.

Each round draws T candidates, and one pass over X finds what the inertia would be with each of them; a second pass, for
the best one, records how far each point now is from its nearest centre.
"""

import numba
import numpy as np

from aelearn.kernels.arguments import check_number_of_clusters, check_points
from aelearn.kernels.common import choose_points, compact
from aelearn.kernels.cpu.assignment import squared_distance
from aelearn.kernels.cpu.compiling import compiled
from aelearn.kernels.cpu.lloyd import CHUNK_POINTS, MAX_CHUNKS, pieces


@compiled(inside=True)
def _try_chunk(X, weight, nearest, candidates, keep, start, stop, inertias):
    """What `_try_all` does, for the points start..stop-1: inertias (T,)."""
    n_features = X.shape[1]
    for t in range(len(candidates)):
        inertias[t] = 0
    for row in range(start, stop):
        w = weight[row if len(weight) > 1 else 0]
        for t in range(len(candidates)):
            if n_features < 8:  # too few terms to be worth a vectorised loop
                distance = 0.0
                for d in range(n_features):
                    difference = np.float64(X[row, d]) - candidates[t, d]
                    distance += difference * difference
            else:
                distance = squared_distance(X[row], candidates[t])
            distance = min(distance, nearest[row])
            inertias[t] += w * distance
            if keep:
                nearest[row] = distance


@compiled(parallel=True, work=lambda X, weight, nearest, candidates, *others: len(X) * (candidates.size + 16))
def _try_all(X, weight, nearest, candidates, keep, chunk, inertias):
    """inertias[m, t] = the sum over chunk m of w min(nearest, |x - candidates[t]|^2).

    X (N, D); weight (N,), or (1,) if all weigh the same; nearest (N,) float64, to which the minimum is written with
    `keep`; candidates (T, D) float64; chunk: how many points a chunk has; inertias (M, T).
    """
    for m in numba.prange(len(inertias)):
        start, stop = m * chunk, min(len(nearest), (m + 1) * chunk)
        _try_chunk(X, weight, nearest, candidates, keep, start, stop, inertias[m])


def kmeans_plusplus(X, n_clusters, sample_weight, rng):
    """K points of X (N, D) that lie far apart; see aelearn.kmeans.seeding.kmeans_plusplus. Returns centres (K, D)."""
    X, sample_weight = check_points(X, sample_weight)  # (N, D), (N,)
    check_number_of_clusters(n_clusters)
    weight = compact(sample_weight)  # (N,) or (1,)
    chunk = max(CHUNK_POINTS, -(-len(X) // MAX_CHUNKS))
    chunks = [slice(start, min(start + chunk, len(X))) for start in range(0, len(X), chunk)]
    nearest = np.full(len(X), np.inf)  # squared distance to the nearest centre so far: (N,)

    def attempt(points, keep):
        inertias = np.empty((len(chunks), len(points)))  # (M, T)
        candidates = np.array([X[point] for point in points], np.float64)  # (T, D)
        for part, rows, piece in pieces(X, chunk, len(chunks)):
            share = slice(None) if len(weight) == 1 else rows
            _try_all(piece, weight[share], nearest[rows], candidates, keep, chunk, inertias[part])
        return inertias

    return X[choose_points(n_clusters, chunks, sample_weight, lambda rows: nearest[rows], attempt, rng)]
