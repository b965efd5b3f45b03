"""The smallest entries of each row of a table: who is near, told from distances. The twin of graphs.smallest.

Shapes: B rows, M entries of a row, k wanted.

Sorting a whole row to keep ten of its entries does far too much. Here the k smallest so far stand in order, and an
entry is looked at twice only if it is smaller than the last of them. In a row without order that happens about
k log(M / k) times: for all others one comparison is all they cost.
"""

import numpy as np

from aelearn.kernels.arguments import check_table
from aelearn.kernels.cpu.compiling import compiled


@compiled(inside=True)
def _is_before(value, other):
    """Smaller, or a number where the other one is none: NaN counts as the largest, as NumPy sorts it."""
    return value < other or (other != other and value == value)


@compiled(inside=True)
def _insert(values, places, at, value, place):
    """Put one more entry into its place among the smallest, (k,) and (k,); what stands at `at` goes."""
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
    """The places of the k smallest entries of each row of table (B, M), smallest first; see
    aelearn.spectral.graphs.smallest.

    Raises TypeError for a table that holds no real numbers, ValueError for other shapes and unless 1 <= k <= M.
    """
    table, k = check_table(table, k)
    found = np.zeros((len(table), k), np.int64)  # (B, k)
    _select(table, found)
    return found
