"""The smallest entries of each row of a matrix: the nearest points, from distances; and without the matrix.

Worth reading, and short. Counterparts: smallest and nearest_neighbors of aelearn.spectral.neighbors (NumPy).

Shapes: B rows, M entries per row, k smallest entries; N points, D features.

Sorting a whole row to keep ten of its entries is far too much work. Instead, the k smallest entries so far are kept in
order, and a new entry costs more than one comparison only if it is smaller than the last of them. In a row in random
order this happens about k log(M / k) times.

`nearest` does without the matrix, which is as large as the square of N: a tile of 16 rows and 512 columns at a time is
computed, searched and overwritten while it is in the L1 cache. It computes differences, not products, so no digit is
lost, and for points of few features that is no slower.
"""

import numpy as np
from numba import prange

from aelearn.kernels.arguments import as_numbers, check_table
from aelearn.kernels.cpu.compiling import compiled

TILE_ROWS, TILE_COLUMNS = 16, 512
STRETCH = 64  # entries that are compared at once, before any of them is looked at alone


@compiled(inside=True)
def _is_before(value, other):
    """True if value < other, where NaN counts as the largest number, as in NumPy's sort."""
    return value < other or (other != other and value == value)


@compiled(inside=True)
def _insert(values, places, at, value, place):
    """Insert an entry into the sorted smallest ones, values (k,) and places (k,); the entry at `at` is dropped."""
    while at > 0 and _is_before(value, values[at - 1]):
        values[at], places[at] = values[at - 1], places[at - 1]
        at -= 1
    values[at], places[at] = value, place


@compiled
def _select(table, found):
    """Fill found (B, k) for table (B, M)."""
    n_entries, k = table.shape[1], found.shape[1]
    values = np.empty(k, table.dtype)  # (k,)
    for b in range(len(table)):
        row, places = table[b], found[b]
        for j in range(k):
            _insert(values, places, j, row[j], j)
        for j in range(k, n_entries):
            if _is_before(row[j], values[k - 1]):
                _insert(values, places, k - 1, row[j], j)


def smallest(table, k):
    """The column indices of the k smallest entries of each row of table (B, M), smallest first; see
    aelearn.spectral.neighbors.smallest.

    Raises TypeError if the table does not contain real numbers, ValueError for other shapes and unless 1 <= k <= M.
    """
    table, k = check_table(table, k)
    found = np.zeros((len(table), k), np.int64)  # (B, k)
    _select(table, found)
    return found


@compiled(inside=True)
def _squared_distances(X, columns, i, start, width, squares):
    """squares[j] = |X[i] - X[start + j]|^2 for j below `width`; columns (D, N) is X.T. Two features at a time."""
    n_features = len(columns)
    for j in range(width):
        squares[j] = 0
    for d in range(0, n_features - 1, 2):
        x0, x1, y0, y1 = X[i, d], X[i, d + 1], columns[d, start:start + width], columns[d + 1, start:start + width]
        for j in range(width):
            a, b = y0[j] - x0, y1[j] - x1
            squares[j] += a * a + b * b
    if n_features % 2:
        x0, y0 = X[i, n_features - 1], columns[n_features - 1, start:start + width]
        for j in range(width):
            a = y0[j] - x0
            squares[j] += a * a


@compiled(parallel=True, work=lambda X, columns, found: len(X) * X.size)
def _nearest(X, columns, found):
    """Fill found (N, k) for X (N, D) and columns = X.T, both C-ordered."""
    n_points, k = found.shape
    for task in prange(-(-n_points // TILE_ROWS)):
        first = task * TILE_ROWS
        n_rows = min(TILE_ROWS, n_points - first)
        values, places = np.full((n_rows, k), np.inf), found[first:first + n_rows]  # (n_rows, k)
        squares = np.empty(TILE_COLUMNS)
        for start in range(0, n_points, TILE_COLUMNS):
            width = min(TILE_COLUMNS, n_points - start)
            for r in range(n_rows):
                i = first + r
                _squared_distances(X, columns, i, start, width, squares)
                if start <= i < start + width:
                    squares[i - start] = -1  # itself comes before any duplicate
                for j0 in range(0, width, STRETCH):
                    last, n_near = values[r, k - 1], 0
                    for j in range(j0, min(j0 + STRETCH, width)):
                        n_near += squares[j] < last
                    if n_near:
                        for j in range(j0, min(j0 + STRETCH, width)):
                            if squares[j] < values[r, k - 1]:
                                _insert(values[r], places[r], k - 1, squares[j], start + j)


def nearest(X, k):
    """The indices of the k points nearest to each row of X (N, D), nearest first, each point itself included: (N, k).

    X must be finite, and small enough for squares of distances to be finite. Of points at the same distance, the one
    with the lower index comes first. Raises TypeError if X does not contain real numbers, ValueError for other shapes
    and unless 1 <= k <= N.
    """
    X = np.ascontiguousarray(as_numbers(X, "X", 2), np.float64)  # (N, D)
    if not 1 <= k <= len(X):
        raise ValueError(f"k must be from 1 to {len(X)}, the number of points; got {k}")
    found = np.zeros((len(X), k), np.int64)  # (N, k)
    _nearest(X, np.ascontiguousarray(X.T), found)
    return found
