"""A sparse symmetric matrix in CSR form (compressed sparse row): only its entries that are not 0 are stored.

Shapes: N rows and columns, E stored entries, Q columns at a time.

SciPy's names for the same three arrays are used. The entries are stored row by row:

    data     (E,)      their values
    indices  (E,)      their columns
    indptr   (N + 1,)  where each row starts: row i has the entries indptr[i] to indptr[i + 1] - 1

    [1  1  0]          data     1  1  1  1  .5  .5  1
    [1  1 .5]          indices  0  1  0  1  2   1   2
    [0 .5  1]          indptr   0  2  5  7
"""

import numpy as np

from aelearn import kernels
from aelearn.core.validation import load_backend

LARGE = 1 << 22  # terms of a product from which on it is computed by the compiled version


class CSRMatrix:
    """A sparse symmetric matrix (N, N) in CSR form. Since W.T = W, its rows are its columns as well.

    rows  (E,)  the row of each entry, which follows from indptr
    """

    def __init__(self, data, indices, indptr):
        self.data, self.indices, self.indptr = data, indices, indptr
        self.rows = np.repeat(np.arange(len(self)), np.diff(indptr))  # (E,)

    def __len__(self):
        """N."""
        return len(self.indptr) - 1

    def __matmul__(self, x):
        """The product with x (N, Q), (N, Q): y[i, q] = sum_j W[i, j] x[j, q] over the entries of row i.

        The compiled version, which computes large products, is in kernels/cpu/sparse.py; its bits are the same.
        """
        if len(self.data) * x.shape[1] >= LARGE and load_backend("auto") == "numba":
            return kernels.get("numba").csr_product(self.data, self.indices, self.indptr, x)
        return np.stack([np.bincount(self.rows, self.data * column[self.indices], minlength=len(self))
                         for column in x.T], axis=1)  # (N, Q)

    def __mul__(self, number):
        """The matrix times a number."""
        return self.with_data(self.data * number)

    def sum(self, axis):
        """The sum of each row, (N,), which is that of each column: so `axis` may be 0 or 1."""
        return np.bincount(self.rows, self.data, minlength=len(self))  # (N,)

    def with_data(self, data):
        """The matrix with other values (E,) in the same positions."""
        return CSRMatrix(data, self.indices, self.indptr)

    def entries_of(self, rows):
        """Which entries are in `rows` (R,), and in which of them: indices into `data`, and indices from 0 to R - 1."""
        counts = self.indptr[rows + 1] - self.indptr[rows]  # (R,)
        owner = np.repeat(np.arange(len(rows)), counts)  # (entries,)
        first = np.cumsum(counts) - counts  # of each row among all these entries: (R,)
        return (self.indptr[rows] - first)[owner] + np.arange(len(owner)), owner  # (entries,), (entries,)

    def block(self, rows, columns):
        """The entries in `rows` (R,) and `columns` (C,) as an array (R, C)."""
        entries, owner = self.entries_of(rows)
        column = np.full(len(self), -1)  # of the block, or -1: (N,)
        column[columns] = np.arange(len(columns))
        column = column[self.indices[entries]]  # (entries,)
        inside = column >= 0
        block = np.zeros((len(rows), len(columns)))  # (R, C)
        block[owner[inside], column[inside]] = self.data[entries[inside]]
        return block

    def toarray(self):
        """The whole matrix as an array (N, N)."""
        matrix = np.zeros((len(self), len(self)))  # (N, N)
        matrix[self.rows, self.indices] = self.data
        return matrix
