"""Lloyd's k-means as arithmetic: distances, one iteration, empty clusters, and the k-means++ start. No state.

Shapes: N samples, D features, K clusters, B rows of a block.

k-means looks for K centres with the smallest inertia, the sum of squared distances of all points to their nearest
centre. Lloyd's algorithm takes two half-steps in turn, and neither can raise the inertia:

    assign    each point goes to its nearest centre: no other label would make its term of the sum smaller
    update    each centre moves to the mean of its points: no other place would make their terms smaller, because for
              points x with the mean m, and W of them,   sum |x - c|^2 = sum |x - m|^2 + W |m - c|^2

Sources: Lloyd, "Least squares quantization in PCM" (1982); Arthur and Vassilvitskii, "k-means++: the advantages of
careful seeding" (2007).

Points are read in blocks of a fixed size and all sums are carried in float64. So nothing of size N by K is ever made,
and the result does not depend on how the work is shared out.
"""

import math

import numpy as np

from aelearn.core.arrays import blocks, squared_distances
from aelearn.kernels.arguments import (
    check_algorithm,
    check_kmeans,
    check_number_of_clusters,
    check_points,
    check_squares,
)
from aelearn.kernels.common import origin_of
from aelearn.kernels.exact import are_close, nearest_of


def distance_table(x, centers):
    """The squared distances of all rows of x (B, D) to all centres (K, D): (K, B)."""
    return np.stack([squared_distances(x, center) for center in centers])  # (K, B)


def nearest_center(x, centers, distances=None):
    """The nearest centre of each row of x (B, D), and the squared distance to it: (B,) int32 and (B,).

    Where two centres are exactly as near, it is the one with the lower number. Rounding has no say in it: where it
    might, kernels/exact.py decides. distances (K, B): those of `distance_table`, if they are known already.
    """
    if distances is None:
        distances = distance_table(x, centers)  # (K, B)
    labels = distances.argmin(axis=0)  # (B,)
    possible = are_close(distances, distances.min(axis=0), x.shape[1])  # (K, B)
    doubtful = np.flatnonzero(np.count_nonzero(possible, axis=0) > 1)  # (A,)
    if len(doubtful):
        labels[doubtful] = nearest_of(x[doubtful], centers, possible[:, doubtful])
    return labels.astype(np.int32), distances[labels, np.arange(len(x))]


def assign(X, centers, sample_weight=None):
    """The first half-step. Returns labels (N,) int32 and the inertia sum_n w_n |x_n - c_label(n)|^2, a float.

    X (N, D), centers (K, D), sample_weight (N,) or None for all ones; raises what `lloyd_step` raises.
    """
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight)
    labels, inertia = np.empty(len(X), np.int32), 0.0
    for rows in blocks(len(X), max(X.shape[1], len(centers))):
        labels[rows], distances = nearest_center(X[rows].astype(np.float64), centers)  # (B,), (B,)
        inertia += float(sample_weight[rows] @ distances)
    return labels, check_squares(inertia)


def lloyd_step(X, centers, sample_weight=None):
    """One iteration: assign every point to its nearest centre, then take the mean of each cluster.

    X (N, D), centers (K, D), sample_weight (N,) or None for all ones.

    With the matrix R of ones and zeros, R[n, k] = 1 where label n is k, and w[n] the weights of the points:

        weights[k] = sum_n w[n] R[n, k]
        sums[k]    = sum_n R[n, k] w[n] (x[n] - origin)
        means[k]   = origin + sums[k] / weights[k]

    which is the weighted mean of the points of cluster k. The origin is 0; where all points lie far from 0, it is one
    of them, so that sums of small numbers keep their digits.

    Returns labels (N,) int32, means (K, D) float64 (an empty cluster's is its old centre), weights (K,) float64, and
    the inertia of the labels against `centers`.

    Raises TypeError or ValueError for arrays that are no numbers or whose shapes do not fit, and for NaN, infinity and
    numbers whose squares leave float64.
    """
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight)
    n_clusters, origin = len(centers), origin_of(X)  # (D,)
    labels, inertia = np.empty(len(X), np.int32), 0.0
    sums, weights = np.zeros(centers.shape), np.zeros(n_clusters)  # (K, D), (K,)
    for rows in blocks(len(X), max(X.shape[1], n_clusters)):
        x, w = X[rows].astype(np.float64), sample_weight[rows]  # (B, D), (B,)
        labels[rows], distances = nearest_center(x, centers)  # (B,), (B,)
        inertia += float(w @ distances)
        R = labels[rows, None] == np.arange(n_clusters)  # (B, K)
        weights += w @ R
        sums += (R * w[:, None]).T @ (x - origin)
    return labels, means_of(sums, weights, origin, centers), weights, check_squares(inertia)


def means_of(sums, weights, origin, centers):
    """Means (K, D) from sums (K, D) seen from the origin (D,), and weights (K,); of empty clusters, the old centres."""
    weights = weights[:, None]  # (K, 1)
    return np.where(weights > 0, origin + sums / np.where(weights > 0, weights, 1), centers)  # (K, D)


def update(X, centers, sample_weight, labels):
    """The second half-step alone, for labels (N,) that are known. Returns means, weights and inertia."""
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight, labels)
    n_clusters, origin = len(centers), origin_of(X)  # (D,)
    sums, weights, inertia = np.zeros(centers.shape), np.zeros(n_clusters), 0.0  # (K, D), (K,)
    for rows in blocks(len(X), max(X.shape[1], n_clusters)):
        x, w = X[rows].astype(np.float64), sample_weight[rows]  # (B, D), (B,)
        inertia += float(w @ squared_distances(x, centers[labels[rows]]))
        R = labels[rows, None] == np.arange(n_clusters)  # (B, K)
        weights += w @ R
        sums += (R * w[:, None]).T @ (x - origin)
    return means_of(sums, weights, origin, centers), weights, check_squares(inertia)


class Descent:
    """Lloyd's iterations over one X, one after the other; `labels` (N,) are those of the last.

    X (N, D); sample_weight (N,). algorithm: "lloyd"; "hamerly" is in hamerly.py; "auto" is "lloyd" here, because
    bounds cost NumPy more than the distances that they spare.
    """

    def __init__(self, X, sample_weight=None, algorithm="lloyd"):
        check_algorithm(algorithm)
        self.X, self.weight = check_points(X, sample_weight)  # (N, D), (N,)
        self.labels = np.full(len(self.X), -1, np.int32)  # (N,)

    def step(self, centers):
        """One iteration. Returns means, weights and inertia like `lloyd_step`, and how many labels changed, of points
        that weigh anything."""
        labels, means, weights, inertia = lloyd_step(self.X, centers, self.weight)
        n_moved, self.labels = np.count_nonzero(self.weight[labels != self.labels]), labels
        return means, weights, inertia, n_moved

    def settle(self, centers):
        """Labels (N,) and inertia for these centres, which the steps led to."""
        return assign(self.X, centers, self.weight)


def fill_empty_clusters(X, centers, sample_weight, labels, means, weights):
    """Move the mean of each empty cluster to the point that is farthest from its centre, in place.

    That point leaves its cluster, whose mean is taken anew without it. Never taken is a point that weighs nothing, lies
    on its centre, is the last of its cluster that weighs anything, or is a duplicate of one that was taken: so no move
    can empty another cluster, and none can raise the inertia. Where no point is left to take (more clusters than
    distinct points), the cluster stays empty and where it was.
    """
    empty = np.flatnonzero(weights == 0)
    if len(empty) == 0:
        return
    distances = np.empty(len(X))  # (N,)
    for rows in blocks(*X.shape):
        x = X[rows].astype(np.float64)  # (B, D)
        distances[rows] = squared_distances(x, centers[labels[rows]])  # (B,)
    distances[sample_weight == 0] = 0
    farthest_first = iter(np.argsort(-distances, kind="stable")[:np.count_nonzero(distances)])
    members = np.bincount(labels[sample_weight > 0], minlength=len(centers))  # points that count, per cluster: (K,)
    labels, placed, donors = labels.copy(), [], set()  # (N,)

    def may_leave(point):
        return members[labels[point]] > 1 and not any(np.array_equal(X[point], X[other]) for other in placed)

    for cluster in empty:
        point = next(filter(may_leave, farthest_first), None)
        if point is None:
            break
        placed.append(point)
        donors.add(labels[point])
        members[labels[point]] -= 1
        labels[point] = cluster
        means[cluster], weights[cluster] = X[point], sample_weight[point]
    if donors:
        new_means, new_weights, _ = update(X, centers, sample_weight, labels)
        for donor in donors:
            means[donor], weights[donor] = new_means[donor], new_weights[donor]


def kmeans_plusplus(X, n_clusters, sample_weight, rng):
    """Greedy k-means++: K points of X that lie far apart. Returns centres (K, D) of X's dtype.

    The first is drawn with probability proportional to its weight; each further one with probability proportional to
    weight times squared distance to the nearest centre so far. Of 2 + floor(log K) such draws the one that lowers
    the inertia most is kept: the greedy variant that Arthur and Vassilvitskii tried (2007, section 5).
    """
    X, sample_weight = check_points(X, sample_weight)
    check_number_of_clusters(n_clusters)
    n_trials = 2 + int(np.log(n_clusters))
    chosen = [draw(rng, sample_weight)]
    nearest = _distances_to(X, X[chosen[0]])  # squared distance to the nearest centre so far: (N,)
    check_squares(float(sample_weight @ nearest))
    while len(chosen) < n_clusters:
        best_inertia = np.inf
        for _ in range(n_trials):
            candidate = draw(rng, sample_weight * nearest)
            with_candidate = np.minimum(nearest, _distances_to(X, X[candidate]))  # (N,)
            inertia = sample_weight @ with_candidate
            if inertia < best_inertia:
                best, best_inertia, best_nearest = candidate, inertia, with_candidate
        chosen.append(best)
        nearest = best_nearest
    return X[chosen]


def draw(rng, mass):
    """The index of one entry, drawn with probability proportional to `mass` (N,); any entry if all mass is 0."""
    cumulative = np.cumsum(mass)  # (N,)
    if cumulative[-1] == 0:
        return int(rng.integers(len(mass)))
    index = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")  # never an entry of mass 0 ...
    return int(min(index, np.flatnonzero(mass)[-1]))  # ... and never past the last one, should the product round up


def _distances_to(X, point):
    """Squared distances (N,) of all rows of X to one point (D,)."""
    distances = np.empty(len(X))  # (N,)
    for rows in blocks(*X.shape):
        distances[rows] = squared_distances(X[rows].astype(np.float64), point.astype(np.float64))  # (B,)
    return distances


def safe_exponent(*arrays, limit=1e100):
    """0 for ordinary data; for data so large or small that sums of their squares leave float64, e with 2^e their size.

    Squares overflow from about 1e154 and round to 0 below about 1e-162; this steps in well before, above `limit` and
    below 1 / limit. Data divided by 2^e have neither trouble, and their digits are the same.
    """
    largest = max(float(max(array.max(), -array.min())) for array in arrays)
    return 0 if largest == 0 or 1 / limit < largest < limit else math.frexp(largest)[1]
