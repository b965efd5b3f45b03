"""Where k-means begins: k-means++, random points, or centres that are given or that a function returns.

Shapes: N samples, D features, K clusters, B rows of a block. The fast twins of `kmeans_plusplus` are in
kernels/cpu/seeding.py and kernels/gpu/seeding.py; they draw the same points.

Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (2007).
"""

import numpy as np

from aelearn.core.arrays import blocks, squared_distances, unit_of
from aelearn.core.validation import check_array, check_finite
from aelearn.kernels.arguments import check_number_of_clusters, check_points, check_squares


def kmeans_plusplus(X, n_clusters, sample_weight, rng):
    """Greedy k-means++: K points of X (N, D) that lie far apart. Returns centres (K, D) of X's dtype.

    The first is drawn with probability proportional to its weight; each further one with probability proportional to
    weight times squared distance to the nearest centre so far. Of 2 + floor(log K) such draws the one that lowers
    the inertia most is kept: the greedy variant that Arthur and Vassilvitskii tried (section 5).
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


def random_points(X, n_clusters, sample_weight, rng):
    """K different rows of X, each drawn with probability proportional to its weight. Returns centres (K, D).

    Raises ValueError if fewer than K have any weight.
    """
    n_weighted = np.count_nonzero(sample_weight)
    if n_weighted < n_clusters:
        raise ValueError(f"init='random' draws {n_clusters} different points, "
                         f"but only {n_weighted} have a sample_weight above 0")
    mass, chosen = sample_weight.copy(), []  # (N,)
    for _ in range(n_clusters):
        chosen.append(draw(rng, mass))
        mass[chosen[-1]] = 0
    return X[chosen]


def check_start(init, X, n_clusters):
    """The centres `init` to start from, as an array (K, D) of the dtype of X (N, D).

    Raises ValueError or TypeError if they are not finite numbers, or have another shape.
    """
    start = check_array(init, name="init", estimator="KMeans")
    with np.errstate(over="ignore"):
        start = start.astype(X.dtype)
    check_finite(start, "init")
    if start.shape[0] != n_clusters:
        raise ValueError(f"The shape of the initial centers {start.shape} does not match "
                         f"the number of clusters {n_clusters}.")
    if start.shape[1] != X.shape[1]:
        raise ValueError(f"The shape of the initial centers {start.shape} does not match "
                         f"the number of features of the data {X.shape[1]}.")
    return start


def call(init, X, n_clusters, rng, unit):
    """The centres (K, D) that the function `init` returns, given a copy of X (N, D), K and a random_state.

    Functions written for scikit-learn draw from a np.random.RandomState: they get one that shares the stream of rng, so
    that what they draw depends on `random_state`, and the next call draws something else.

    Raises what `check_start` raises, and ValueError for centres that cannot be measured in `unit`, that of X.
    """
    random_state = np.random.RandomState(rng.bit_generator)
    start = check_start(init(X.copy(), n_clusters, random_state=random_state), X, n_clusters)  # (K, D)
    if unit != unit_of(X, start):
        raise ValueError("the centres that init returned lie so far from the points of X, or these are so "
                         "much smaller, that distances between them cannot be squared")
    return start
