"""Arrays in general: blocks of rows, squared distances, how far rounding goes, and the one policy for size.

Shapes: N samples, D features, B rows of a block.

The policy for size: everything in aelearn squares its numbers sooner or later, and float64 ends at 1.8e308, so squares
of 1e155 overflow, and those of 1e-163 are 0. Where data are as large or as small as that, they are divided by a power
of two, their Unit, before anything else happens, and the results are multiplied by it at the end. A power of two
changes no digit. For ordinary data the unit is 1 and nothing happens at all.
"""

import numpy as np

BLOCK_ENTRIES = 1 << 17  # entries of a block's largest array: 1 MB as float64
LARGE = 480  # of 2^480, 1e144, the square is 1e289, and that of 1e-300 times as much 1e-311: both are float64
SAFE = 1e100  # numbers up to this size, and down to its inverse, can be squared and their squares be added up


def blocks(n_samples, n_columns, at_least=1):
    """Slices that cover rows 0..N-1 and have about BLOCK_ENTRIES entries each, in arrays of `n_columns` columns.

    at_least  rows of a block, however many columns there are
    """
    n_rows = max(at_least, BLOCK_ENTRIES // n_columns)
    return [slice(start, min(start + n_rows, n_samples)) for start in range(0, n_samples, n_rows)]


def squared_distances(x, points):
    """|x - p|^2 for each row of x (B, D) and the same row of `points` (B, D), or one point (D,). Returns (B,).

    By definition: the expanded square |x|^2 - 2 x . p + |p|^2 is faster for many points at once, but loses the digits
    of a small distance between points that lie far from the origin.
    """
    difference = x - points  # (B, D)
    return np.einsum("bd,bd->b", difference, difference)


def mean_variance(X):
    """The variance of X (N, D), averaged over its D columns."""
    mean = sum(X[rows].sum(axis=0, dtype=np.float64) for rows in blocks(*X.shape)) / len(X)  # (D,)
    return sum(float(squared_distances(X[rows].astype(np.float64), mean).sum()) for rows in blocks(*X.shape)) / X.size


def rounding(n_samples, n_features):
    """How far sums of N products, or what D steps of elimination leave of them, may be off, as a share of their terms.

        (D + 10 sqrt(N)) eps

    Rounding errors have either sign, so N of them add up like a random walk, which hardly ever goes 10 sqrt(N) far.
    (A sum of N equal numbers is another matter: there they may have one sign, and N eps is the bound.)
    Source: Higham and Mary, "A new approach to probabilistic rounding error analysis" (2019), theorem 2.4.
    """
    return (n_features + 10 * n_samples**0.5) * np.finfo(np.float64).eps


def largest_size(array, axis=None):
    """The largest absolute value in an array, or (axis=1) in each of its rows; no copy of the array is made."""
    return np.maximum(array.max(axis=axis), -array.min(axis=axis))


class Unit:
    """A power of two in which data are measured: 2^exponent. True where there is anything to do: where it is not 1.

    exponent  an int, or integers that broadcast with the data: (N, 1), a unit for each row, or (D,), for each column
    """

    def __init__(self, exponent):
        self.exponent = exponent

    def __bool__(self):
        return bool(np.any(self.exponent))

    def __eq__(self, other):
        return np.array_equal(self.exponent, other.exponent)

    __hash__ = None

    def scale(self, X, power=1):
        """X in this unit: X / 2^exponent, or, of what is a product of `power` such numbers, X / 2^(power exponent)."""
        return self._times(X, -power) if self else X

    def unscale(self, X, power=1):
        """The inverse. What leaves the dtype of X becomes infinite or 0, without a warning."""
        return self._times(X, power) if self else X

    def _times(self, X, power):
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(X, power * self.exponent)
        return float(scaled) if isinstance(X, float) else scaled


def unit_of(*arrays, limit=SAFE):
    """The Unit in which all numbers of some arrays are about 1 or less; 1 if their largest is of an ordinary size.

    limit  ordinary is from 1 / limit to limit
    """
    largest = max(float(largest_size(array)) for array in arrays)
    return Unit(0 if largest == 0 or 1 / limit < largest < limit else int(np.frexp(largest)[1]))


def in_safe_units(X):
    """X (N, D) in float64, times the power of two that makes its largest entry about 2^LARGE: every digit stays.

    Squares of distances are then below infinity, and above 0 where the distance is more than 1e-300 of the largest.
    """
    exponent = np.frexp(largest_size(X))[1]
    return np.ldexp(X, LARGE - int(exponent), dtype=np.float64)  # (N, D)


def row_units(X):
    """The Unit of each row of X (N, D) in which its largest entry is between 1/2 and 1; its exponent is (N, 1)."""
    return Unit(np.frexp(largest_size(X, axis=1))[1][:, None])


def largest_squarable(dtype):
    """The largest numbers whose squares, and sums of a great many of them, a float dtype holds."""
    return 1e18 if dtype == np.float32 else SAFE


def check_squarable(X, name, squares):
    """Refuse an X with numbers too large to be squared in X's dtype. squares: what their squares are, in the plural."""
    largest, limit = float(largest_size(X)), largest_squarable(X.dtype)
    if largest > limit:
        raise ValueError(f"{name} has entries as large as {largest:.3g}, and {squares} are squares: entries of "
                         f"{X.dtype} must not exceed {limit:.0e} here; divide them by a constant first")
