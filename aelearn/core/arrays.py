"""Arrays in general: blocks of rows, squared distances, the size of rounding errors, and how data are scaled.

Shapes: N samples, D features, B rows of a block.

Scaling. All methods in aelearn square their numbers at some point. float64 ends at 1.8e308, so the square of 1e155
overflows and that of 1e-163 is 0; float32 ends at 3.4e38. Data as large or as small as that are measured in another
unit: they are divided by a power of two, which changes no digit, before anything else happens, and the results are
multiplied by it at the end.

    unit = unit_of(X)  # 1 for data of an ordinary magnitude, and then nothing happens at all
    centers, inertia = fit(unit.scale(X))
    centers, inertia = unit.unscale(centers), unit.unscale(inertia, power=2)

This is the only file that deals with exponents; all others deal with units. (The compiled kernels, which import nothing
from here, scale the data of float32 in kernels/common.py.)
"""

import numpy as np

BLOCK_ENTRIES = 1 << 17  # entries of a block's largest array: 1 MB as float64

# Numbers from 1 / limit to limit are of an ordinary magnitude. The limit depends on what is done with them:
SAFE = 1e100  # squares are added up in float64: 1e200 leaves a factor of 1e108 for sums and products
SAFE_FLOAT32 = 1e9  # squares are added up in float32: 1e18 leaves a factor of 1e20 for sums and products
NEAR_1 = 1e3  # float32 holds the squares even of parts as small as float64's epsilon: (2e-16 / 1e3)^2 = 5e-38

LARGE = 480  # the square of 2^480 is 1e289, that of 1e-300 times as much is 1e-311: float64 holds both
ROW_STEP = 32  # the units of rows are powers of 2^32, so that rows of about one magnitude share one


def blocks(n_samples, n_columns, at_least=1):
    """Slices that cover rows 0..N-1 and have about BLOCK_ENTRIES entries each, in arrays of `n_columns` columns.

    at_least  rows of a block, however many columns there are
    """
    n_rows = max(at_least, BLOCK_ENTRIES // n_columns)
    return [slice(start, min(start + n_rows, n_samples)) for start in range(0, n_samples, n_rows)]


def squared_distances(x, points):
    """|x - p|^2 for each row of x (B, D) and the same row of `points` (B, D), or one point (D,). Returns (B,).

    By definition: the expanded square |x|^2 - 2 x . p + |p|^2 is faster for many points at once, but loses the digits
    of a small distance between points that are far from the origin.
    """
    difference = x - points  # (B, D)
    return np.einsum("bd,bd->b", difference, difference)


def mean_variance(X):
    """The variance of X (N, D), averaged over its D columns."""
    mean = sum(X[rows].sum(axis=0, dtype=np.float64) for rows in blocks(*X.shape)) / len(X)  # (D,)
    return sum(float(squared_distances(X[rows].astype(np.float64), mean).sum()) for rows in blocks(*X.shape)) / X.size


def rounding(n_samples, n_features):
    """The error of sums of N products, or of such sums after D elimination steps, relative to the sum of their terms.

        (D + 10 sqrt(N)) eps

    Rounding errors have either sign, so N of them add up like a random walk, which hardly ever gets 10 sqrt(N) far.
    (In a sum of N equal numbers they may all have the same sign, and the bound is N eps.)
    Source: Higham and Mary, "A new approach to probabilistic rounding error analysis" (2019), theorem 2.4.
    """
    return (n_features + 10 * n_samples**0.5) * np.finfo(np.float64).eps


def largest_size(array, axis=None):
    """The largest absolute value of an array, or along an axis of it; no copy of the array is made."""
    return np.maximum(array.max(axis=axis), -array.min(axis=axis))


class Unit:
    """A power of two in which data are measured: 2^exponent. It is true if there is anything to scale: if it is not 1.

    exponent  an int, or integers that broadcast with the data: (N, 1), a unit for each row, or (D,), for each column

    >>> X = np.array([[3e200, 1e199]])
    >>> unit = unit_of(X)
    >>> unit.scale(X).round(2)
    array([[0.98, 0.03]])
    >>> unit.unscale(unit.scale(X)) == X
    array([[ True,  True]])
    """

    def __init__(self, exponent):
        self.exponent, self._is_1 = exponent, not np.any(exponent)

    def __bool__(self):
        return not self._is_1

    def __eq__(self, other):
        return np.array_equal(self.exponent, other.exponent)

    __hash__ = None

    @property
    def log2(self):
        """The logarithm of the unit to base 2."""
        return self.exponent

    def scale(self, X, power=1):
        """X in this unit: X / unit, or X / unit^power, if X is made of products of `power` numbers.

        Entries that exceed the range of X's dtype become infinite or 0, without a warning. If the unit is 1, this is X
        itself.
        """
        return self._times(X, -power) if self else X

    def unscale(self, X, power=1):
        """The inverse: X times unit^power."""
        return self._times(X, power) if self else X

    def _times(self, X, power):
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(X, power * self.exponent)
        return float(scaled) if isinstance(X, float) else scaled

    def groups(self):
        """If each row has its own unit: the rows that share one, as pairs of an index of rows and their Unit."""
        exponents = self.exponent[:, 0]  # (N,)
        different = np.unique(exponents).tolist()
        if len(different) == 1:
            return [(slice(None), Unit(different[0]))]
        return [(exponents == exponent, Unit(exponent)) for exponent in different]


def unit_of(*arrays, limit=SAFE):
    """The Unit in which all numbers of some arrays are below 1; or 1, if the largest is of an ordinary magnitude.

    limit  sizes from 1 / limit to limit are ordinary; with limit=1 no size is
    """
    return Unit(int(_exponent(max(float(largest_size(array)) for array in arrays), limit)))


def units_of_rows(X, limit=SAFE):
    """A Unit for each row of X (N, D), from that row alone: 1, or its largest number to a factor of 2^16."""
    largest = largest_size(X, axis=1).astype(np.float64)[:, None]  # (N, 1)
    return Unit((_exponent(largest, limit) + ROW_STEP // 2) // ROW_STEP * ROW_STEP)


def units_of_columns(X):
    """A Unit for each column of X (N, D), in which its numbers are below 1."""
    return Unit(_exponent(largest_size(X, axis=0).astype(np.float64), 1))


def _exponent(largest, limit):
    """The power of two above the largest of some numbers, as its exponent; 0 for an ordinary magnitude, and for 0."""
    return np.where((1 / limit < largest) & (largest < limit), 0, np.frexp(largest)[1])


def in_safe_units(X):
    """X (N, D) in float64, times the power of two that makes its largest entry about 2^LARGE: every digit stays.

    Squares of distances are then below infinity, and above 0 where the distance is more than 1e-300 of the largest.
    """
    return Unit(unit_of(X, limit=1).exponent - LARGE).scale(X.astype(np.float64))  # (N, D)


def with_room(compute, X, n_terms):
    """compute(X, unit), a row for each row of X (N, D), without overflow in sums even near the end of their dtype.

    compute  a function of rows and a Unit, which scales its arguments and unscales its result
    n_terms  how many differences of two numbers its longest sum adds up

    A partial sum can overflow although the result does not. So rows that are infinite or NaN in the unit 1 are computed
    once more, in a unit that makes the terms small enough.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        found = compute(X, Unit(0))  # (N, columns)
        lost = ~np.isfinite(found).all(axis=1)  # (N,)
        if lost.any():
            found[lost] = compute(X[lost], Unit((4 * n_terms).bit_length()))
    return found


def largest_squarable(dtype):
    """The largest numbers whose squares, and sums of very many squares, a float dtype can hold."""
    return 1e18 if dtype == np.float32 else SAFE


def check_squarable(X, name, squares):
    """Raise ValueError if X has numbers too large to square in its dtype. squares: what the squares are, in plural."""
    largest, limit = float(largest_size(X)), largest_squarable(X.dtype)
    if largest > limit:
        raise ValueError(f"{name} has entries as large as {largest:.3g}, and {squares} are squares: entries of "
                         f"{X.dtype} must not exceed {limit:.0e} here; divide them by a constant first")


def rows_by_unit(X, unit):
    """A Unit for each row of X (N, D): `unit`, or, where the row has numbers above SAFE in it, one of the row's own.

    Nearly always `unit` serves all rows. If not, the unit of a row depends on that row alone: other rows of X must not
    change what is computed from it. Yields, for the rows that share a unit, their indices and the unit.
    """
    limit = unit.unscale(SAFE)
    if float(largest_size(X)) < limit:
        yield slice(None), unit
        return
    sizes = largest_size(X, axis=1).astype(np.float64)  # (N,)
    exponents = np.where(sizes < limit, unit.exponent, np.frexp(sizes)[1])  # (N,)
    for exponent in np.unique(exponents):
        yield np.flatnonzero(exponents == exponent), Unit(int(exponent))
