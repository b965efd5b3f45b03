"""Which of two centres is nearer, in exact arithmetic: for points whose distances are equal up to rounding in float64.

Worth reading. Counterpart, compiled: kernels/cpu/exact.py; the GPU leaves such points to it.

Shapes: A points that are undecided, D features, K clusters.

Two computed distances that differ by no more than rounding do not show which is the smaller one: that may change with
the order of a sum, and so from one back end to another. But the question has an answer. From

    |x - b|^2 - |x - a|^2  =  2 x . a - a . a - 2 x . b + b . b

we see that it is the sign of a sum of products. The product of two floats is itself the sum of two floats, the rounded
product and the rounding error, and these can be added without error. So two centres are equally far exactly if that sum
is 0.

Sources: Dekker, "A floating-point technique for extending the available precision" (1971), for `two_product`;
Shewchuk, "Adaptive precision floating-point arithmetic" (1997), for the exact sum, which Python has as math.fsum.
"""

import math

import numpy as np

SPLITTER = 2.0**27 + 1  # splits the 53 bits of a float64 into two halves, whose products are exact
LARGEST = 500  # numbers of up to 2^500 may be squared and added


def doubt(n_features):
    """The relative difference above which the order of two squared distances in float64 is certain.

    With u the unit roundoff, eps / 2: each x - c is within a factor 1 + u, its square within (1 + u)^3, and a sum of D
    of them within (1 + u)^(D + 2), in any order. Two distances: (D + 2) eps of the larger one; this is twice that.
    """
    return 2 * (n_features + 3) * np.finfo(np.float64).eps


def are_close(distances, nearest, n_features):
    """Which of the squared distances (K, A) may be the smallest, given their rounding in float64. Returns (K, A) bool.

    nearest (A,): the smallest as computed. Squares that are too small for float64 become 0, or multiples of 5e-324:
    each may be wrong by that much.
    """
    is_close = distances * (1 - doubt(n_features)) <= nearest + n_features * np.finfo(np.float64).tiny  # (K, A)
    return is_close & (nearest < np.inf)  # what cannot be squared cannot be decided


def two_product(a, b):
    """a * b as two parts that add up to it exactly: the rounded product and the rounding error."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _split(a):
    big = SPLITTER * a
    high = big - (big - a)
    return high, a - high


def is_nearer(x, a, b):
    """True where the point x (A, D) is nearer to a (A, D) than to b (A, D), False where it is as near or farther: (A,).

    The three rows are scaled by a power of two, their largest number to about 2^LARGEST, so that no product overflows
    or underflows: exact as long as nothing depends on numbers 1e200 times as small.
    """
    largest = np.max([np.abs(x), np.abs(a), np.abs(b)], axis=(0, 2))  # (A,)
    x, a, b = (np.ldexp(array, LARGEST - np.frexp(largest)[1][:, None]) for array in (x, a, b))  # (A, D) each
    terms = np.concatenate([*two_product(2 * x, a), *two_product(-a, a), *two_product(-2 * x, b), *two_product(b, b)],
                           axis=1)  # (A, 8 D)
    return np.array([math.fsum(row) > 0 for row in terms], bool)


def nearest_of(x, centers, possible):
    """The nearest centre of each point of x (A, D), the lower index if two are exactly as near. Returns (A,).

    centers (K, D); possible (K, A): which centres may be the nearest, at least one for each point.
    """
    labels = possible.argmax(axis=0)  # the first of them: (A,)
    for k, center in enumerate(centers):
        rows = np.flatnonzero(possible[k] & (labels < k))
        rows = rows[(centers[labels[rows]] != center).any(axis=1)]  # a centre is never nearer than its duplicate
        if len(rows):
            nearer = is_nearer(x[rows], np.broadcast_to(center, (len(rows), len(center))), centers[labels[rows]])
            labels[rows[nearer]] = k
    return labels
