"""Pairwise similarity as a graph: points are its nodes, and the more similar two points, the heavier their edge.

Shapes: N samples, D features, M other points, B rows of a block, E stored entries.

Clusters are then groups with heavy edges inside and light ones between. The weights are the affinity matrix W. Two
graphs are in use:

    rbf                 W[i, j] = exp(-gamma |x_i - x_j|^2)                all pairs, an array (N, N)
    nearest neighbours  W[i, j] = (i is near j) / 2 + (j is near i) / 2    few pairs, a CSRMatrix

A point's degree is the sum of its edges to others, d_i = sum_j W[i, j]. Divided by the roots of both degrees,

    S[i, j] = W[i, j] / sqrt(d_i d_j)      S = D^-1/2 W D^-1/2

has its eigenvalues from -1 to 1, and the eigenvalue 1 as many times as the graph has parts with no edge between them
(connected components).

Sources: Ng, Jordan and Weiss, "On spectral clustering" (2002), section 2, whose W has zeros on its diagonal;
von Luxburg, "A tutorial on spectral clustering" (2007), sections 2.2 and 3.2.
"""

import numpy as np

from aelearn.core.arrays import Unit
from aelearn.core.validation import check_array, check_number
from aelearn.spectral.neighbors import TINY, Points, by_differences, nearest_neighbors as nearest_neighbors, row_blocks
from aelearn.spectral.sparse import CSRMatrix

Edges = CSRMatrix  # the name in version 1
SYMMETRY = 1e-6  # an affinity computed in float32, with eps = 1.2e-7, may be off by a few roundings
LARGEST_EXPONENT = 746  # exp(-746) underflows to 0
EXACT_SIZE = 2000  # nearly three times that; see `gaussian`


def gaussian(points, rows, others, gamma):
    """exp(-gamma |x - y|^2) for some rows x of Points and others y: (B, M).

    Weights above 0 have exponents gamma |x - y|^2 up to LARGEST_EXPONENT. Computed from differences, such an exponent
    has an error of at most (D + 4) eps LARGEST_EXPONENT, which is the relative error of the weight. The error of
    `Points.table` is at most three times that as long as gamma (|z|^2 + |y|^2) is no more than EXACT_SIZE. The other
    exponents are computed from differences, except those whose weight is 0 in any case.
    """
    if gamma == 0:
        return np.ones((len(points.squares[rows]), len(points.squares[others])))  # (B, M)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # an infinite distance is fine: exp(-inf) = 0
        exponents = gamma * points.table(rows, others)  # (B, M)
        z2, y2 = gamma * points.squares[rows], gamma * points.squares[others]  # (B,), (M,)
        if not z2.max() + y2.max() <= EXACT_SIZE:  # "not <=" includes NaN
            sizes = z2[:, None] + y2  # (B, M)
            zero = exponents - points.rounding * sizes > LARGEST_EXPONENT  # (B, M)
            b, m = (~(sizes <= EXACT_SIZE) & ~zero).nonzero()  # pairs
            exponents[b, m] = by_differences(points.X[rows], points.X[others], b, m, np.sqrt(gamma))
        return np.exp(-exponents)  # (B, M)


def rbf_affinity(X, gamma=1.0):
    """W[i, j] = exp(-gamma |x_i - x_j|^2) for X (N, D): (N, N) float64, symmetric, with ones on the diagonal.

    Raises ValueError or TypeError if X is not an array of numbers, and for a gamma below 0.
    """
    gamma = check_number("gamma", gamma, 0)
    points = Points(check_array(X).astype(np.float64, copy=False))
    W = np.empty((len(points.X), len(points.X)))  # (N, N)
    for rows in row_blocks(points.X):
        W[rows, rows.start:] = gaussian(points, rows, slice(rows.start, None), gamma)
        W[rows, rows] = np.maximum(W[rows, rows], W[rows, rows].T)  # rounding may differ on the two sides
        W[rows.start:, rows] = W[rows, rows.start:].T
    np.fill_diagonal(W, 1)
    return W


def neighbor_graph(neighbors):
    """W[i, j] = (j is in neighbors[i]) / 2 + (i is in neighbors[j]) / 2, a CSRMatrix, for neighbors (N, k)."""
    n_points, k = neighbors.shape
    i, j = np.repeat(np.arange(n_points), k), neighbors.ravel()  # (N k,), (N k,)
    both_ways = np.concatenate([i * n_points + j, j * n_points + i])  # positions in W, row by row: (2 N k,)
    positions, counts = np.unique(both_ways, return_counts=True)  # (E,), (E,)
    rows, columns = np.divmod(positions, n_points)  # (E,), (E,)
    return CSRMatrix(counts / 2, columns, np.searchsorted(rows, np.arange(n_points + 1)))


def check_affinity(W):
    """W (N, N) in float64, symmetric to the last bit; a CSRMatrix as it is.

    Raises ValueError unless W is square, not negative, and symmetric to within SYMMETRY times the largest weights of
    the two points, in the geometric mean.
    """
    if isinstance(W, CSRMatrix):
        if not np.isfinite(W.data).all() or (W.data < 0).any():
            raise ValueError("the weights of edges must be finite and not negative")
        return W
    W = check_array(W, name="the affinity", estimator="a graph")
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"an affinity must be a square matrix; got shape {W.shape}")
    W = W.astype(np.float64, copy=False)  # (N, N)
    root = np.sqrt(np.maximum(W.max(axis=0), W.max(axis=1)).clip(0))  # of the largest weight of each point: (N,)
    for rows in row_blocks(W):
        difference = np.abs(W[rows] - W.T[rows])  # (B, N)
        if W[rows].min() < 0 or (difference > SYMMETRY * root[rows, None] * root).any():
            raise ValueError("an affinity must be a symmetric matrix without negative entries; got entries from "
                             f"{W.min()} to {W.max()}, and W - W.T up to {difference.max()}")
    return np.maximum(W, W.T)  # (N, N)


def normalized_affinity(W):
    """S = D^-1/2 W D^-1/2 and the degrees d (N,), for an array W (N, N) or a CSRMatrix; S is of the same kind.

    W's diagonal counts as 0: the similarity of a point to itself says nothing about clusters. An isolated point, one
    without edges, is a part of its own and gets S[i, i] = 1. Any weight above 0 is an edge, even 1e-300: of the weights
    exp(-gamma t), those with gamma t up to 745.
    """
    S = without_diagonal(W)
    degrees, roots = degrees_and_roots(S)  # (N,), (N,)
    isolated = degrees == 0  # (N,)
    if isinstance(S, CSRMatrix):
        data = divide_by_roots(S.data, roots[S.rows], roots[S.indices])  # (E,)
        return S.with_data(np.where(S.rows == S.indices, isolated[S.rows], data)), degrees
    for rows in row_blocks(S):
        S[rows] = divide_by_roots(S[rows], roots[rows, None], roots)
    np.fill_diagonal(S, isolated)
    return S, degrees


def without_diagonal(W):
    """A copy of an array W (N, N), in float64, or of a CSRMatrix, with zeros on the diagonal."""
    if isinstance(W, CSRMatrix):
        return W.with_data(np.where(W.rows == W.indices, 0, W.data))
    W = W.astype(np.float64)  # (N, N)
    np.fill_diagonal(W, 0)
    return W


def degrees_and_roots(W):
    """The degrees d (N,) of a W without a diagonal, and their roots (N,), with 1 instead of 0 for an isolated point.

    Near the end of float64 a sum of weights may be infinite. Its root is not: it is 2^32 times the root of the sum of
    the weights / 2^64.
    """
    with np.errstate(over="ignore"):
        degrees = W.sum(axis=1)  # (N,)
    roots = np.sqrt(degrees) + (degrees == 0)  # (N,)
    infinite = np.isinf(degrees)
    if infinite.any():
        roots[infinite] = 2.0**32 * np.sqrt((W * 2.0**-64).sum(axis=1)[infinite])
    return degrees, roots


def divide_by_roots(weights, left, right):
    """weights / (left right), where left and right are the roots of the degrees at both ends of each edge.

    Near the ends of float64 the product of two roots may be infinite, or lose digits. There everything is measured in
    another Unit.
    """
    with np.errstate(over="ignore"):
        product = left * right
    small, large = product < TINY, product == np.inf
    if not (small | large).any():
        return weights / product
    unit = Unit(np.where(small, -512, np.where(large, 512, 0)))
    return unit.scale(weights, power=2) / (unit.scale(left) * unit.scale(right))
