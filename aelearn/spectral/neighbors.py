"""Distances of many points to many, in tables, and right to float64's digits where that matters.

Shapes: N points, D features, B rows of a block, M other points.

A table of squared distances is one matrix product, |x|^2 - 2 x . y + |y|^2, far faster than a difference for each pair.
But where two points are close to each other and far from 0, it is a small rest of large numbers. Its error has a bound;
so who reads a table can tell which entries might matter, and takes the differences of these few.
"""

import numpy as np

from aelearn.core.arrays import blocks

MIN_ROWS, MAX_ROWS = 32, 128  # of a block
FARTHEST = 746  # exp(-746) is 0 in float64
LARGE = 2000  # nearly three times that
TINY = np.finfo(np.float64).tiny  # squares below it lose digits, but no more than it


def row_blocks(X):
    """Slices over the rows of X (N, D), for tables of distances to all rows.

    Short ones, so that a table stays in the cache; longer ones where D is large and most of the work is a product.
    """
    n_rows = min(max(MIN_ROWS, X.shape[1]), MAX_ROWS)
    return [slice(start, min(start + n_rows, len(X))) for start in range(0, len(X), n_rows)]


class Points:
    """Points whose squared distances are wanted in tables: X (N, D), and the same as seen from their median.

    A table comes from |z|^2 - 2 z . y + |y|^2, which is one matrix product. With z and y rounded when the median was
    taken off, D products and sums in each of the three terms, and two more sums, it is wrong by at most

        (D + 4) eps (|z|^2 + |y|^2)

    which is much for two points that are close to each other and far from the median. So whoever reads a table asks
    where that could matter, and takes the differences of X there. (The median, because a single point far away does
    not draw it along.)
    """

    def __init__(self, X):
        self.X = X  # (N, D) float64
        with np.errstate(over="ignore", invalid="ignore"):  # where it leaves float64 the bound is no number either
            self.Z = X - np.median(X, axis=0)  # (N, D)
            self.squares = np.einsum("nd,nd->n", self.Z, self.Z)  # (N,)
        self.rounding = (X.shape[1] + 8) * np.finfo(np.float64).eps  # with some room

    def table(self, rows, others=slice(None)):
        """Squared distances of some rows to others, (B, M); not below 0."""
        with np.errstate(over="ignore", invalid="ignore"):
            table = (-2 * self.Z[rows]) @ self.Z[others].T  # (B, M)
            table += self.squares[rows, None]
            table += self.squares[others]
        return np.maximum(table, 0, out=table)


def by_differences(x, y, i, j, factor=1.0):
    """|factor (x[i] - y[j])|^2 for pairs of rows of x (B, D) and y (M, D): one for each of i and j."""
    squared = np.empty(len(i))  # (pairs,)
    for pairs in blocks(len(i), x.shape[1]):
        difference = factor * (x[i[pairs]] - y[j[pairs]])  # (pairs, D)
        squared[pairs] = np.einsum("pd,pd->p", difference, difference)
    return squared


def gaussian(points, rows, others, gamma):
    """exp(-gamma |x - y|^2) for some rows x of points and others y: (B, M).

    The weights above 0 have exponents gamma |x - y|^2 up to FARTHEST. By differences these are wrong by less than
    (D + 4) eps FARTHEST, and so, as a share of itself, is the weight. A table does no worse by more than a factor of
    three while gamma (|z|^2 + |y|^2) is no more than LARGE; the rest are taken by differences, but for those whose
    weight is 0 in any case.
    """
    if gamma == 0:
        return np.ones((len(points.squares[rows]), len(points.squares[others])))  # (B, M)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # infinitely far is far enough: exp(-inf) = 0
        exponents = gamma * points.table(rows, others)  # (B, M)
        z2, y2 = gamma * points.squares[rows], gamma * points.squares[others]  # (B,), (M,)
        if not z2.max() + y2.max() <= LARGE:  # "not <=" takes NaN in, too
            sizes = z2[:, None] + y2  # (B, M)
            doubtful = ~(sizes <= LARGE) & ~(exponents - points.rounding * sizes > FARTHEST)  # (B, M)
            exponents[doubtful] = by_differences(points.X[rows], points.X[others], *doubtful.nonzero(), np.sqrt(gamma))
        return np.exp(-exponents)  # (B, M)
