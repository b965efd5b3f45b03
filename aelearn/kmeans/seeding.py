"""Where k-means begins, if not at k-means++: at centres that are given, that a function returns, or at random points.

Shapes: N samples, D features, K clusters.
"""

import numpy as np

from aelearn.core.validation import check_array, check_finite
from aelearn.kmeans.lloyd import draw


def check_start(init, X, n_clusters):
    """The centres `init` to start from, as an array (K, D) of the dtype of X (N, D).

    Raises ValueError or TypeError for what holds no finite numbers, or has another shape.
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


def call(init, X, n_clusters, rng):
    """The centres (K, D) that the function `init` returns, given a copy of X (N, D), K and a random_state.

    Functions written for scikit-learn draw from a np.random.RandomState: they get one that shares the stream of rng, so
    that what they draw depends on `random_state`, and the next call draws something else.
    """
    return check_start(init(X.copy(), n_clusters, random_state=np.random.RandomState(rng.bit_generator)), X, n_clusters)


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
