"""Which of two centres is nearer, in exact arithmetic, compiled.

Plumbing. Counterpart: kernels/exact.py, which explains it.

Shapes: D features. Nothing in here may be compiled with `fastmath`: a compiler that reorders sums would assume that
what rounding took away is 0.
"""

import math

import numpy as np

from aelearn.kernels.cpu.compiling import compiled
from aelearn.kernels.exact import LARGEST, SPLITTER

EPSILON = np.finfo(np.float64).eps
MOST_PARTS = 1100  # of an exact sum: between two of them lies a bit that is 0, and float64 spans 2098 bits


@compiled(inside=True)
def doubt(n_features):
    """By what share of the larger one two squared distances in float64 must differ for their order to be certain."""
    return 2 * (n_features + 3) * EPSILON


@compiled(inside=True)
def _split(a):
    big = SPLITTER * a
    high = big - (big - a)
    return high, a - high


@compiled(inside=True)
def two_product(a, b):
    """a * b in two parts that add up to it exactly: the rounded product, and what rounding took away."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@compiled(inside=True)
def _add(parts, n, x):
    """Add x to the sum of parts[:n], without error: Shewchuk's GROW-EXPANSION. Returns the new n.

    No two parts share a bit, and each is larger than the one before: the last one has the sign of the sum.
    """
    kept = 0
    for i in range(n):
        part = parts[i]
        if abs(x) < abs(part):
            x, part = part, x
        total = x + part
        rest = part - (total - x)
        if rest != 0:
            parts[kept] = rest
            kept += 1
        x = total
    if x != 0:
        parts[kept] = x
        kept += 1
    return kept


@compiled(inside=True)
def _add_product(parts, n, a, b):
    product, rest = two_product(a, b)
    return _add(parts, _add(parts, n, product), rest)


@compiled(inside=True)
def is_nearer(x, a, b):
    """Whether the point x (D,), of any float dtype, is nearer to a (D,) than to b (D,), both float64."""
    largest, are_same = 0.0, True
    for d in range(len(x)):
        largest = max(largest, abs(np.float64(x[d])), abs(a[d]), abs(b[d]))
        are_same = are_same and a[d] == b[d]
    if are_same or not largest < np.inf:
        return False
    exponent = LARGEST - math.frexp(largest)[1]
    parts, n = np.empty(min(8 * len(x), MOST_PARTS)), 0  # eight numbers are added for each column
    for d in range(len(x)):
        if a[d] != b[d]:
            point = math.ldexp(np.float64(x[d]), exponent)
            one, other = math.ldexp(a[d], exponent), math.ldexp(b[d], exponent)
            n = _add_product(parts, n, 2 * point, one)
            n = _add_product(parts, n, -one, one)
            n = _add_product(parts, n, -2 * point, other)
            n = _add_product(parts, n, other, other)
    return n > 0 and parts[n - 1] > 0
