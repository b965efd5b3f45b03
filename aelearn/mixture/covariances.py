"""Four kinds of covariance: the shapes of their arrays, and the scatter of weighted points that they are computed from.

Shapes: N samples, D features, K components, B rows of a block.

    kind         what a component may look like     its array
    "full"       any ellipsoid, each its own        (K, D, D)
    "tied"       any ellipsoid, all the same        (D, D)
    "diag"       an ellipsoid along the axes        (K, D), the diagonals
    "spherical"  a ball                             (K,), the variances

If point n counts r[n, k] for component k, whose mean is m_k, that component's scatter is

    S_k = sum_n r[n, k] (x_n - m_k) (x_n - m_k).T

gaussians.py turns covariances into densities; em.py finds the covariances.

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 9.2.
"""

import numpy as np

from aelearn.core.arrays import blocks

KINDS = ("full", "tied", "diag", "spherical")
MATRICES = ("full", "tied")  # the kinds with covariances between columns
SCATTER_ERROR = 1e-6  # the relative error up to which the square in a scatter may be multiplied out


def row_blocks(X):
    """Slices over the rows of X (N, D): small enough for the cache, but at least 1024 rows for products with (D, D)."""
    return blocks(len(X), min(X.shape[1], 128))


def shape_of(kind, n_components, n_features):
    """The shape of the covariances of K components in D dimensions."""
    K, D = n_components, n_features
    return {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,)}[kind]


def n_free(kind, n_components, n_features):
    """The number of free parameters in these covariances: a symmetric matrix has D (D + 1) / 2."""
    K, triangle = n_components, n_features * (n_features + 1) // 2
    return {"full": K * triangle, "tied": triangle, "diag": K * n_features, "spherical": K}[kind]


def per_component(values, kind, n_components, n_features):
    """Covariances or factors of any kind as one for each component: (K, D, D) or, diagonals, (K, D). A view."""
    if kind == "spherical":
        values = values[:, None]  # (K, 1)
    return np.broadcast_to(values, shape_of("full" if kind in MATRICES else "diag", n_components, n_features))


def weighted_sums(X, r, *, squares):
    """sum_n r[n, k] x_n and, if `squares`, sum_n r[n, k] x_n^2, for X (N, D), r (N, K): (K, D) and (K, D) or None.

    One pass over X for both.
    """
    sums, of_squares = np.zeros((r.shape[1], X.shape[1])), None  # (K, D)
    if squares:
        of_squares = np.zeros_like(sums)  # (K, D)
    for rows in row_blocks(X):
        x, weights = X[rows].astype(np.float64, copy=False), r[rows].T  # (B, D), (K, B)
        sums += weights @ x
        if squares:
            of_squares += weights @ np.square(x)
    return sums, of_squares


def scatter_matrices(X, r, means):
    """S[k] = sum_n r[n, k] (x_n - means[k]) (x_n - means[k]).T for X (N, D), r (N, K), means (K, D). Returns (K, D, D).

    With the rows y_n = sqrt(r[n, k]) (x_n - means[k]), S[k] is y.T @ y. NumPy sees that both factors are one array and
    computes only half of the symmetric product. Points with r[n, k] = 0 add nothing and are left out: in many
    dimensions most points are so far from a component that their r underflows to 0.
    """
    n_components, n_features = means.shape
    S = np.zeros((n_components, n_features, n_features))  # (K, D, D)
    for rows in row_blocks(X):
        x, root = X[rows].astype(np.float64, copy=False), np.sqrt(r[rows])  # (B, D), (B, K)
        for k, mean in enumerate(means):
            near = slice(None) if root[:, k].all() else root[:, k] > 0
            y = x[near] - mean  # (B, D), or fewer rows
            y *= root[near, k, None]
            S[k] += y.T @ y
    return S


def scatter_diagonals(X, r, means, squares):
    """The diagonals of `scatter_matrices`, sum_n r[n, k] (x[n, d] - means[k, d])^2. Returns (K, D).

    The square is multiplied out, with the squares (K, D) of `weighted_sums`. If the means (K, D) are those of the
    points weighted by r, as in the M step, it is

        S[k, d] = squares[k, d] - (sum_n r[n, k]) means[k, d]^2

    The relative error of each term is at most N eps. In columns where that is more than SCATTER_ERROR of the difference
    (columns far from 0 with little spread) the differences themselves are squared.
    """
    S = squares - r.sum(axis=0)[:, None] * np.square(means)  # (K, D)
    share = len(X) * np.finfo(np.float64).eps / SCATTER_ERROR
    inexact = np.flatnonzero((S < squares * share).any(axis=0))  # columns
    if len(inexact):
        S[:, inexact] = 0
        for rows in row_blocks(X):
            x = X[rows][:, inexact].astype(np.float64, copy=False)  # (B, inexact)
            for k, mean in enumerate(means[:, inexact]):
                S[k, inexact] += r[rows, k] @ np.square(x - mean)
    return S
