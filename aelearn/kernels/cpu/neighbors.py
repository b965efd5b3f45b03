"""The smallest entries of each row of a matrix: the nearest points, from distances.

Worth reading, and short. Counterpart: aelearn.spectral.neighbors.smallest (NumPy).

Shapes: B rows, M entries per row, k smallest entries.

Sorting a whole row to keep ten of its entries is far too much work. Instead, the k smallest entries so far are kept in
order, and a new entry costs more than one comparison only if it is smaller than the last of them. In a row in random
order this happens about k log(M / k) times.
"""

import numpy as np

from aelearn.kernels.arguments import check_table
from aelearn.kernels.cpu.compiling import compiled


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
