"""Chebyshev filters: the largest eigenvectors of a sparse matrix S brought out by nothing but products with S.

Shapes: N points, Q columns at a time.

Elimination (elimination.py) needs the square of a level's number of points in memory. If a graph is large and its
points are close to each other, as images are, that is too much. A polynomial of S has the eigenvectors of S as well,

    S v = lambda v   =>   p(S) v = p(lambda) v

and of all polynomials of degree m that stay between -1 and 1 from lambda = -1 to a cut, Chebyshev's grows fastest
beyond it:

    p(lambda) = T_m(t),  t = (lambda - middle) / half,  middle = (cut - 1) / 2,  half = (cut + 1) / 2
    T_0 = 1,  T_1 = t,  T_m = 2 t T_{m-1} - T_{m-2};  for t > 1 it is cosh(m acosh t)

So p(S) b keeps the part of b in eigenvectors beyond the cut, enlarges it, and leaves the rest as small as it was. The
cut is the smallest eigenvalue that is known so far: it rises as these get better.

Sources: Saad, "Chebyshev acceleration techniques for solving nonsymmetric eigenvalue problems" (1984); Zhou, Saad,
Tiago and Chelikowsky, "Self-consistent-field calculations using Chebyshev-filtered subspace iteration" (2006).
"""

import numpy as np

from aelearn import kernels
from aelearn.core.validation import load_backend
from aelearn.spectral.sparse import CSRMatrix

DEGREE = 32  # of the polynomial: so many products with S in one filter
FIRST_CUT = 0.5  # before any eigenvalue is known
LAST_CUT = 1 - 1e-6  # a cut at 1 would leave nothing beyond it


def chebyshev_step(S, x, before, middle, half):
    """T_m b from x = T_{m-1} b and before = T_{m-2} b, all (N, Q), written into `before`:

        2 t T_{m-1} b - T_{m-2} b = (S x - middle x) 2 / half - before

    The compiled version is in kernels/cpu/sparse.py.
    """
    np.subtract((S @ x - middle * x) * (2 / half), before, out=before)


class ChebyshevFilter:
    """Multiplies by p(S) for S (N, N) with eigenvalues from -1 to 1, an array or a CSRMatrix."""

    def __init__(self, S):
        self.S, self.cut = S, FIRST_CUT
        self.compiled = isinstance(S, CSRMatrix) and load_backend("auto") == "numba"

    def adapt(self, values):
        """Set the cut to the smallest of the largest eigenvalues (Q,) as they are known so far."""
        self.cut = min(max(float(values[-1]), 0.0), LAST_CUT)

    def solve(self, b):
        """p(S) b, (N, Q), for b (N, Q)."""
        middle, half = (self.cut - 1) / 2, (self.cut + 1) / 2
        before = np.array(b, np.float64, order="C")  # (N, Q): T_0 b
        x = np.ascontiguousarray((self.S @ before - middle * before) / half)  # (N, Q): T_1 b
        for _ in range(DEGREE - 1):
            if self.compiled:
                matrix = self.S.data, self.S.indices, self.S.indptr
                kernels.get("numba").chebyshev_step(matrix, x, before, middle, half)
            else:
                chebyshev_step(self.S, x, before, middle, half)
            before, x = x, before
        return x
