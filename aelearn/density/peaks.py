"""Clusters as peaks of a density: from each point to the nearest denser point, and so on, until there is none.

Shapes: N samples, D features, K clusters, B rows of a block.

k-means looks for round clusters. For a density their shape does not matter: a cluster is all points from which these
steps end at the same peak. Two numbers show whether a point is a peak:

    rho_n      the density at the point
    delta_n    the distance to the nearest denser point (for the densest of all: to the farthest point)

Inside a cluster the next denser point is near; from a peak it is far away, in another cluster. The K points with the
largest rho_n delta_n are the peaks, and every other point gets the label of its nearest denser one.

Source: Rodriguez and Laio, "Clustering by fast search and find of density peaks" (2014).
"""

import numpy as np

from aelearn.core.arrays import blocks, in_safe_units, squared_distances
from aelearn.core.validation import as_float64, check_array, check_integer


def density_peaks(X, log_density, n_clusters):
    """Labels (N,) int64 of the points X (N, D), whose densities have the logarithms log_density (N,).

    Of points of equal density the first one counts as denser, so duplicates have a denser point at the distance 0.
    Raises ValueError if log_density has another length or contains NaN or +inf (-inf, a density of 0, is allowed), and
    for n_clusters above N.
    """
    X = in_safe_units(check_array(X, estimator="density_peaks"))  # (N, D); the order of distances stays the same
    log_density = as_float64(log_density, "log_density")  # (N,)
    if log_density.shape != (len(X),):
        raise ValueError(f"log_density must hold {len(X)} numbers, one for each row of X; got shape "
                         f"{log_density.shape}")
    if np.isnan(log_density).any() or (log_density == np.inf).any():
        raise ValueError("log_density must hold numbers below infinity; got NaN or inf")
    n_clusters = check_integer("n_clusters", n_clusters, 1, len(X))
    order = np.argsort(-log_density, kind="stable")  # the densest first: (N,)
    above, delta = nearest_denser(X[order])  # (N,), (N,)
    with np.errstate(divide="ignore"):  # a duplicate is not a peak: log 0 is -inf
        peak = log_density[order] + np.log(delta)  # log(rho delta): (N,)
    peak[0] = np.inf  # the densest point is always one
    peaks = np.argsort(-peak, kind="stable")[:n_clusters]  # (K,)
    labels = np.empty(len(X), np.int64)  # (N,), in the order of density
    is_peak = np.zeros(len(X), bool)  # (N,)
    is_peak[peaks], labels[peaks] = True, np.arange(n_clusters)
    for n in range(len(X)):  # the point above it has its label already
        if not is_peak[n]:
            labels[n] = labels[above[n]]
    found = np.empty_like(labels)  # (N,)
    found[order] = labels
    return found


def nearest_denser(X):
    """For each row of X (N, D), sorted from the densest: the index of the nearest row before it, and how far that is.

    The first row has none: its index is 0, its own, and its distance that of the farthest row. Both are (N,).
    """
    above, delta = np.zeros(len(X), int), np.empty(len(X))  # (N,), (N,)
    for rows in blocks(len(X), len(X)):
        before = X[:rows.stop]  # (rows.stop, D)
        squared = np.stack([squared_distances(before, x) for x in X[rows]])  # (B, rows.stop)
        squared[np.arange(rows.stop) >= np.arange(rows.start, rows.stop)[:, None]] = np.inf  # these are not denser
        above[rows] = squared.argmin(axis=1)
        delta[rows] = np.sqrt(squared.min(axis=1))
    delta[0] = np.sqrt(squared_distances(X, X[0]).max())
    return above, delta
