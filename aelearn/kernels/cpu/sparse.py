"""The product of a sparse matrix in CSR form and a few columns, on all cores; and a step of a Chebyshev polynomial.

Worth reading, and short. Counterparts (NumPy): CSRMatrix.__matmul__ in aelearn/spectral/sparse.py, to the last bit,
because both add the terms of an entry in the order in which the matrix stores them; chebyshev_step in
aelearn/spectral/filtering.py.

Shapes: N rows and columns, E stored entries, Q columns at a time.

An entry of the matrix is loaded once and multiplied by a whole row of x, which is in one or two cache lines. Each row
of the result belongs to one core. The step does at once what would be four passes over arrays (N, Q) that are larger
than the cache.
"""

import numpy as np
from numba import prange

from aelearn.kernels.arguments import as_numbers
from aelearn.kernels.cpu.compiling import compiled

CHUNK = 256  # rows that a core computes at a time


@compiled(inside=True)
def _times_row(data, indices, indptr, i, x, total):
    """total = W[i] @ x  for row i of W (N, N) in CSR form, x (N, Q), total (Q,)."""
    for q in range(len(total)):
        total[q] = 0
    for e in range(indptr[i], indptr[i + 1]):
        weight, row = data[e], x[indices[e]]
        for q in range(len(total)):
            total[q] += weight * row[q]


@compiled(parallel=True, work=lambda data, indices, indptr, x, y: data.size * x.shape[1])
def _csr_product(data, indices, indptr, x, y):
    """y = W @ x  for W (N, N) in CSR form, x (N, Q), y (N, Q)."""
    n_rows = len(y)
    for task in prange(-(-n_rows // CHUNK)):
        for i in range(task * CHUNK, min((task + 1) * CHUNK, n_rows)):
            _times_row(data, indices, indptr, i, x, y[i])


@compiled(parallel=True, work=lambda data, indices, indptr, x, before, middle, half: data.size * x.shape[1])
def _chebyshev_step(data, indices, indptr, x, before, middle, half):
    """before = (W @ x - middle x) 2 / half - before, all (N, Q) but W (N, N) in CSR form."""
    n_rows, factor = len(x), 2 / half
    for task in prange(-(-n_rows // CHUNK)):
        total = np.empty(x.shape[1])
        for i in range(task * CHUNK, min((task + 1) * CHUNK, n_rows)):
            _times_row(data, indices, indptr, i, x, total)
            last, row = before[i], x[i]
            for q in range(len(total)):
                last[q] = (total[q] - middle * row[q]) * factor - last[q]


def csr_product(data, indices, indptr, x):
    """W @ x, (N, Q) float64, for x (N, Q) and the arrays of a matrix W (N, N) in CSR form.

    data (E,) are its entries, indices (E,) their columns, indptr (N + 1,) where each row starts. Raises TypeError for x
    without numbers, ValueError for other shapes.
    """
    x = np.ascontiguousarray(as_numbers(x, "x", 2), np.float64)  # (N, Q)
    if len(x) != len(indptr) - 1:
        raise ValueError(f"x must have {len(indptr) - 1} rows, as the matrix has; got {len(x)}")
    y = np.empty_like(x)  # (N, Q)
    _csr_product(*(np.ascontiguousarray(array) for array in (data, indices, indptr)), x, y)
    return y


def chebyshev_step(matrix, x, before, middle, half):
    """before = (W @ x - middle x) 2 / half - before, in place; see aelearn.spectral.filtering.chebyshev_step.

    matrix     W as its arrays data (E,), indices (E,), indptr (N + 1,)
    x, before  (N, Q) float64, C-ordered; another array each
    """
    _chebyshev_step(*matrix, x, before, float(middle), float(half))
