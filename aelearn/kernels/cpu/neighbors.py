"""The smallest entries of each row of a table: who is near, told from distances. The twin of graphs.smallest.

Shapes: B rows, M entries of a row, k wanted.

Sorting a whole row to keep ten of its entries does far too much. Here the k smallest so far stand in order, and an
entry is looked at twice only if it is smaller than the last of them. In a row without order that happens about
k log(M / k) times: for all others one comparison is all they cost.
"""

import numpy as np

from aelearn.kernels.cpu.compiling import compiled


@compiled(inside=True)
def _insert(values, places, value, place):
    """Put one more entry into its place among the k smallest, (k,) and (k,), of which the largest goes."""
    at = len(values) - 1
    while at > 0 and values[at - 1] > value:
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
        values[:] = np.inf
        for j in range(n_entries):
            if row[j] < values[k - 1]:
                _insert(values, places, row[j], j)


def smallest(table, k):
    """The places of the k smallest entries of each row of table (B, M), smallest first; see aelearn.graphs.smallest."""
    found = np.zeros((len(table), k), np.int64)  # (B, k)
    _select(table, found)
    return found
