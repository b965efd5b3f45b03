"""Lloyd's k-means as arithmetic, in NumPy: the two half-steps, one iteration, empty clusters. No state.

This is the version to learn from. Its counterparts have the same name: kernels/cpu/lloyd.py runs on all cores,
kernels/gpu/lloyd.py on a GPU.

Shapes: N samples, D features, K clusters, B rows of a block.

k-means looks for K centres with the smallest inertia, the sum of squared distances of all points to their nearest
centre. Lloyd's algorithm takes two half-steps in turn, and neither can raise the inertia:

    assign    each point goes to its nearest centre: no other label would make its term of the sum smaller
    update    each centre moves to the mean of its points: no other place would make their terms smaller, because for
              points x with the mean m, and W of them,   sum |x - c|^2 = sum |x - m|^2 + W |m - c|^2

What they return always comes in one order, here and in the twins: labels, means, weights, inertia. A function that
finds only some of these leaves the others out.

Source: Lloyd, "Least squares quantization in PCM" (1982).

Points are read in blocks of a fixed size and all sums are carried in float64. So no array of size N by K is ever made,
and the result does not depend on how the work is divided.
"""

import numpy as np

from aelearn.core.arrays import blocks, squared_distances
from aelearn.kernels.arguments import check_algorithm, check_kmeans, check_points, check_squares
from aelearn.kernels.common import origin_of
from aelearn.kernels.exact import are_close, nearest_of
from aelearn.kmeans.seeding import kmeans_plusplus as kmeans_plusplus  # a back end offers it beside the steps


def distance_table(x, centers):
    """The squared distances of all rows of x (B, D) to all centres (K, D): (K, B)."""
    return np.stack([squared_distances(x, center) for center in centers])  # (K, B)


def nearest_center(x, centers, distances=None):
    """The nearest centre of each row of x (B, D), and the squared distance to it: (B,) int32 and (B,).

    Where two centres are equally near, it is the one with the lower number. Rounding does not decide this: where it
    might, kernels/exact.py does. distances (K, B): those of `distance_table`, if they are known already.
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
    """The first half-step: give each point the label of its nearest centre.

    X (N, D), centers (K, D), sample_weight (N,) or None for all ones; raises what `lloyd_step` raises.

    Returns labels (N,) int32 and the inertia, a float: sum_n w[n] |x[n] - centers[labels[n]]|^2.
    """
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight)
    labels, inertia = np.empty(len(X), np.int32), 0.0
    for rows in blocks(len(X), max(X.shape[1], len(centers))):
        labels[rows], distances = nearest_center(X[rows].astype(np.float64), centers)  # (B,), (B,)
        inertia += float(sample_weight[rows] @ distances)
    return labels, check_squares(inertia)


def update(X, centers, sample_weight, labels):
    """The second half-step: move each centre to the weighted mean of the points that bear its label.

    X (N, D), centers (K, D), sample_weight (N,) or None for all ones, labels (N,) integers from 0 to K - 1.
    Raises TypeError or ValueError for arrays that are not numeric or whose shapes do not fit.

    With the matrix R of ones and zeros, R[n, k] = 1 where labels[n] is k, and w[n] the weights of the points:

        weights[k] = sum_n w[n] R[n, k]
        sums[k]    = sum_n R[n, k] w[n] (x[n] - origin)
        means[k]   = origin + sums[k] / weights[k]

    The origin is 0; where all points lie far from 0, it is one of them, so that small differences keep their digits.

    Returns means (K, D) float64 (an empty cluster's is its old centre) and weights (K,) float64.
    """
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight, labels)
    n_clusters, origin = len(centers), origin_of(X)  # (D,)
    sums, weights = np.zeros(centers.shape), np.zeros(n_clusters)  # (K, D), (K,)
    for rows in blocks(len(X), max(X.shape[1], n_clusters)):
        x, w = X[rows].astype(np.float64), sample_weight[rows]  # (B, D), (B,)
        R = labels[rows, None] == np.arange(n_clusters)  # (B, K)
        weights += w @ R
        sums += (R * w[:, None]).T @ (x - origin)
    filled = weights[:, None] > 0  # (K, 1)
    return np.where(filled, origin + sums / np.where(filled, weights[:, None], 1), centers), weights  # (K, D), (K,)


def lloyd_step(X, centers, sample_weight=None):
    """One iteration: assign every point to its nearest centre, then move each centre to the mean of its points.

    X (N, D), centers (K, D), sample_weight (N,) or None for all ones.

    Returns labels (N,) int32, means (K, D) float64, weights (K,) float64, and the inertia of the labels against
    `centers`, a float.

    Raises TypeError or ValueError for arrays that are not numeric or whose shapes do not fit, and for NaN, infinity and
    numbers whose squares overflow float64.
    """
    labels, inertia = assign(X, centers, sample_weight)  # (N,)
    means, weights = update(X, centers, sample_weight, labels)  # (K, D), (K,)
    return labels, means, weights, inertia


def own_distances(X, centers, labels):
    """The squared distance of each point of X (N, D) to the centre (K, D) whose label it bears. Returns (N,)."""
    distances = np.empty(len(X))  # (N,)
    for rows in blocks(len(X), X.shape[1]):
        distances[rows] = squared_distances(X[rows].astype(np.float64), centers[labels[rows]])  # (B,)
    return distances


def inertia_of(X, centers, sample_weight, labels):
    """The inertia of labels that are known, a float; arguments and errors are those of `update`."""
    X, centers, sample_weight = check_kmeans(X, centers, sample_weight, labels)
    distances = own_distances(X, centers, labels)  # (N,)
    return check_squares(sum(float(sample_weight[rows] @ distances[rows])
                             for rows in blocks(len(X), max(X.shape[1], len(centers)))))


class Descent:
    """Lloyd's iterations over one X, one after the other; `labels` (N,) are those of the last.

    X (N, D); sample_weight (N,). algorithm: "lloyd"; "hamerly" is in hamerly.py; "auto" means "lloyd" here, because
    bounds cost NumPy more than the distances that they save.
    """

    def __init__(self, X, sample_weight=None, algorithm="lloyd"):
        check_algorithm(algorithm)
        self.X, self.weight = check_points(X, sample_weight)  # (N, D), (N,)
        self.labels = np.full(len(self.X), -1, np.int32)  # (N,)

    def step(self, centers):
        """One iteration. Returns means, weights and inertia like `lloyd_step`, and the number of points that count
        (have a weight above 0) and changed their label."""
        old = self.labels  # (N,)
        self.labels, means, weights, inertia = lloyd_step(self.X, centers, self.weight)
        return means, weights, inertia, np.count_nonzero(self.weight[self.labels != old])

    def settle(self, centers):
        """Labels (N,) and inertia for these centres, which the steps led to."""
        return assign(self.X, centers, self.weight)


def fill_empty_clusters(X, centers, sample_weight, labels, means, weights):
    """Move the mean of each empty cluster to the point that is farthest from its centre, in place.

    No back end fills empty clusters itself; KMeans calls this function.

    X (N, D), centers (K, D), sample_weight (N,) and labels (N,) are those of a step that has returned means (K, D) and
    weights (K,), which are changed.

    The point that is taken leaves its cluster, the donor, whose mean is computed again without it. A point is not taken
    if it has no weight, lies on its centre, is the last of its cluster that has any weight, or equals a point that was
    taken: so no move can empty another cluster, and none can raise the inertia. Where no point is left to take (more
    clusters than distinct points), the cluster stays empty and where it was.
    """
    distances = own_distances(X, centers, labels)  # (N,)
    distances[sample_weight == 0] = 0
    farthest_first = np.argsort(-distances, kind="stable")[:np.count_nonzero(distances)]
    n_left = np.bincount(labels[sample_weight > 0], minlength=len(centers))  # points that count, of each cluster: (K,)
    empty, taken = np.flatnonzero(weights == 0), []
    for point in farthest_first:
        if len(taken) == len(empty):
            break
        if n_left[labels[point]] > 1 and not any(np.array_equal(X[point], X[other]) for other in taken):
            n_left[labels[point]] -= 1
            taken.append(point)
    if taken:
        donors, filled = labels[taken], empty[:len(taken)]  # (T,), (T,)
        labels = labels.copy()  # (N,)
        labels[taken] = filled
        new_means, new_weights = update(X, centers, sample_weight, labels)  # (K, D), (K,)
        means[donors], weights[donors] = new_means[donors], new_weights[donors]
        means[filled], weights[filled] = X[taken], sample_weight[taken]
