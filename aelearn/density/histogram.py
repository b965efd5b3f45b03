"""The density of points by counting: boxes on a grid, and how many points fall into each.

Shapes: N samples, D features (1 to 3), M query points.

    p(x) = (points in the box of x) / (N volume of the box)

Times the volumes of their boxes, these densities add up to 1. Where the edges lie is arbitrary, and in many dimensions
nearly all boxes are empty: estimator.py puts a kernel on each point instead.

Source: Silverman, "Density estimation for statistics and data analysis" (1986), section 2.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from aelearn.core.validation import as_float64, check_array, check_finite, check_integer

MOST_BOXES = 1 << 25  # a quarter of a gigabyte of them


@dataclass(frozen=True, eq=False)
class Histogram:
    """A density that is constant in each box of a grid."""

    density: np.ndarray  # (bins of each axis)
    edges: list  # D of (bins + 1,)

    def at(self, X):
        """The density at each point of X (M, D): (M,). Outside of the grid it is 0.

        Raises ValueError for another number of features.
        """
        X = check_array(X, estimator="Histogram")
        if X.shape[1] != len(self.edges):
            raise ValueError(f"X has {X.shape[1]} features, but the histogram has {len(self.edges)}")
        boxes, inside = _boxes(X, self.edges)  # D of (M,), (M,)
        return np.where(inside, self.density[boxes], 0.0)


def histogram_density(X, bins=10):
    """The density of X (N, D), D from 1 to 3, by counting:  density[box] = count[box] / (N volume[box]).

    bins  how many there are on each axis, all of one width, from the smallest value to the largest (around the value of
          a constant column); or a list that holds, for each axis, such a number or edges in rising order, with all of X
          between them

    Returns a `Histogram`: `density`, `edges` and `at(X)`. A point on an edge is in the box above it, except at the last
    edge. Raises ValueError or TypeError for data or bins that are not possible.
    """
    X = check_array(X, estimator="histogram_density").astype(np.float64)  # (N, D)
    n, n_features = X.shape
    bins = list(bins) if np.iterable(bins) and not isinstance(bins, str) else [bins] * n_features
    if n_features > 3 or len(bins) != n_features:
        raise ValueError("a histogram needs 1 to 3 features, and bins for each; "
                         f"got {n_features} features and bins for {len(bins)}")
    edges = [_edges(*pair) for pair in zip(bins, X.T)]  # D of (bins + 1,)
    shape = tuple(len(edge) - 1 for edge in edges)
    if math.prod(shape) > MOST_BOXES:
        raise ValueError(f"bins make {math.prod(shape):,} boxes, more than {MOST_BOXES:,}: use fewer")
    boxes, inside = _boxes(X, edges)  # D of (N,), (N,)
    if not inside.all():
        raise ValueError(f"{n - inside.sum()} of {n} samples lie outside of the edges: move the outer edges")
    counts = np.bincount(np.ravel_multi_index(boxes, shape), minlength=math.prod(shape)).reshape(shape)
    density = counts / n  # (bins of each axis)
    with np.errstate(over="ignore", under="ignore"):
        for widths in np.ix_(*map(np.diff, edges)):  # (bins, 1, 1), (1, bins, 1), (1, 1, bins)
            density /= widths
    if not np.isfinite(density).all() or (density[counts > 0] == 0).any():
        raise ValueError("the densities leave float64: scale the columns of X to sizes nearer to 1")
    return Histogram(density, edges)


def _edges(bins, column):
    """The edges (bins + 1,) on one axis, for the values (N,) on it."""
    if np.iterable(bins):
        edges = as_float64(bins, "bins")  # (bins + 1,)
        check_finite(edges, "bins")
    else:
        low, high = column.min(), column.max()
        margin = max(0.5, abs(low) / 2**20) if low == high else 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused next
            edges = np.linspace(low - margin, high + margin, check_integer("bins", bins, 1, MOST_BOXES) + 1)
    if edges.ndim != 1 or len(edges) < 2 or not (edges[1:] > edges[:-1]).all():
        raise ValueError("edges must be two or more numbers in rising order, and float64 must have as many between "
                         f"{column.min():.6g} and {column.max():.6g} as the bins ask for: change bins or scale X")
    return edges


def _boxes(X, edges):
    """In which box each point of X (M, D) is, as D arrays (M,), and whether it is in any, (M,)."""
    inside = np.ones(len(X), bool)  # (M,)
    boxes = []
    for column, edge in zip(X.T, edges):  # (M,), (bins + 1,)
        inside &= (column >= edge[0]) & (column <= edge[-1])
        boxes.append(np.searchsorted(edge[1:-1], column, side="right"))  # inner edges at or below it: (M,)
    return tuple(boxes), inside
