"""Squared distances of many points to many others, and nearest neighbours, exact although the distances are rounded.

Shapes: N points, D features, B rows of a block, M other points, k neighbours.

A matrix of squared distances takes one matrix product, |x|^2 - 2 x . y + |y|^2, far faster than a difference for each
pair. But for two points that are close to each other and far from 0 this is a small difference of large numbers, whose
digits are lost. A bound on the error shows which entries matter; only these are computed from differences.
"""

import numpy as np

from aelearn import kernels
from aelearn.core.arrays import blocks, in_safe_units
from aelearn.core.validation import check_array, check_integer, load_backend

MIN_ROWS, MAX_ROWS = 32, 128  # of a block
MAX_FEATURES = 48  # up to so many, differences on all cores are faster than products
MANY = 2_000  # from so many points on, for fewer it does not matter
TINY = np.finfo(np.float64).tiny  # smaller squares lose digits; their error is below this


def row_blocks(X):
    """Slices over the rows of X (N, D), for matrices of distances to all rows.

    Short ones, so that a matrix stays in the cache; longer ones if D is large and the matrix product dominates.
    """
    n_rows = min(max(MIN_ROWS, X.shape[1]), MAX_ROWS)
    return [slice(start, min(start + n_rows, len(X))) for start in range(0, len(X), n_rows)]


class Points:
    """Points whose squared distances are computed as matrices (B, M), called tables here.

    X         (N, D) float64
    Z         (N, D), X minus its median, which makes the squares small; unlike the mean, the median does not follow a
              single point that is far away
    squares   (N,), |z|^2
    rounding  a table's relative error: an entry |z|^2 - 2 z . y + |y|^2, with y from the rows of Z, is off by at most

                  rounding (|z|^2 + |y|^2)

              because z and y are rounded, D products are added in each term, and three terms are added: (D + 4) eps,
              with a small margin
    """

    def __init__(self, X):
        self.X = X  # (N, D) float64
        with np.errstate(over="ignore", invalid="ignore"):  # if squares are infinite, so is the bound
            self.Z = X - np.median(X, axis=0)  # (N, D)
            self.squares = np.einsum("nd,nd->n", self.Z, self.Z)  # (N,)
        self.rounding = (X.shape[1] + 8) * np.finfo(np.float64).eps

    def table(self, rows, others=slice(None)):
        """Squared distances of some rows to others, (B, M); at least 0."""
        with np.errstate(over="ignore", invalid="ignore"):
            table = (-2 * self.Z[rows]) @ self.Z[others].T  # (B, M)
            table += self.squares[rows, None]
            table += self.squares[others]
        return np.maximum(table, 0, out=table)


def by_differences(x, y, i, j, factor=1.0):
    """|factor (x[i] - y[j])|^2 for pairs of rows of x (B, D) and y (M, D), given as i (P,) and j (P,). Returns (P,)."""
    squared = np.empty(len(i))  # (P,)
    for pairs in blocks(len(i), x.shape[1]):
        difference = factor * (x[i[pairs]] - y[j[pairs]])  # (pairs, D)
        squared[pairs] = np.einsum("pd,pd->p", difference, difference)
    return squared


def smallest(table, k):
    """The columns of the k smallest entries of each row of table (B, M), smallest first: (B, k) int64.

    Of equal entries the leftmost comes first. The compiled version is in kernels/cpu/neighbors.py.
    """
    return np.argsort(table, axis=1, kind="stable")[:, :k]


def nearest_neighbors(X, n_neighbors):
    """The indices of the points nearest to each row of X (N, D), nearest first: (N, n_neighbors) int64.

    A point is its own nearest neighbour, as in scikit-learn's graph: n_neighbors = 10 finds nine others. Of points at
    the same distance, the one with the lower index comes first.

    The compiled version for many points of few features, which computes nothing but differences, is in
    kernels/cpu/neighbors.py.

    Raises ValueError or TypeError if X is not an array of numbers, and for n_neighbors above N.
    """
    X = check_array(X)
    k = check_integer("n_neighbors", n_neighbors, 1, len(X))
    if X.shape[1] <= MAX_FEATURES and len(X) >= MANY and load_backend("auto") == "numba":
        return kernels.get("numba").nearest(in_safe_units(X), k)
    points = Points(in_safe_units(X))
    neighbors = np.empty((len(X), k), np.int64)  # (N, k)
    select = smallest if load_backend("auto") == "numpy" else kernels.get("numba").smallest
    for rows in row_blocks(X):
        table = points.table(rows)  # (B, N)
        table[np.arange(len(table)), np.arange(rows.start, rows.stop)] = -1  # itself comes before any duplicate
        nearest = select(table, min(k + 1, len(X)))  # (B, k + 1), one more than k, to see how much farther it is
        neighbors[rows] = nearest[:, :k]
        squared = np.take_along_axis(table, nearest, axis=1)  # (B, k + 1)
        # The error of an entry t = |z - y|^2 and of all smaller ones, since |y|^2 <= 2 |z|^2 + 2 t:
        error = points.rounding * (3 * points.squares[rows, None] + 2 * np.maximum(squared, 0)) + TINY  # (B, k + 1)
        uncertain = (np.diff(squared, axis=1) <= 2 * error[:, 1:]).any(axis=1)  # (B,): rounding may change the order
        for b in np.flatnonzero(uncertain):
            candidates = np.flatnonzero(table[b] <= squared[b, k - 1] + 4 * error[b, k - 1])
            neighbors[rows.start + b] = _nearest_by_differences(points.X, rows.start + b, candidates, k)
    return neighbors


def _nearest_by_differences(X, i, candidates, k):
    """The k of `candidates`, in ascending order, that are nearest to row i of X (N, D), nearest first: (k,)."""
    squared = by_differences(X, X, np.full(len(candidates), i), candidates)  # (candidates,)
    squared[candidates == i] = -1
    return candidates[np.argsort(squared, kind="stable")[:k]]
