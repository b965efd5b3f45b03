"""The density of points by counting: bins on a grid, and how many points are in each.

Shapes: N samples, D features (1 to 3), M query points.

    p(x) = (points in the bin of x) / (N volume of the bin)

Times the volumes of their bins, these densities add up to 1. The positions of the edges are arbitrary, and in many
dimensions nearly all bins are empty: estimator.py puts a kernel on each point instead.

Source: Silverman, "Density estimation for statistics and data analysis" (1986), section 2.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from aelearn.core.validation import as_float64, check_array, check_finite, check_integer

MOST_BINS = 1 << 25  # a quarter of a gigabyte of them


@dataclass(frozen=True, eq=False)
class Histogram:
    """A density that is constant in each bin of a grid."""

    density: np.ndarray  # (bins of each axis)
    edges: list  # D of (bins + 1,)

    def at(self, X):
        """The density at each point of X (M, D): (M,). Outside of the grid it is 0.

        Raises ValueError for another number of features.
        """
        X = check_array(X, estimator="Histogram")
        if X.shape[1] != len(self.edges):
            raise ValueError(f"X has {X.shape[1]} features, but the histogram has {len(self.edges)}")
        indices, inside = _bin_indices(X, self.edges)  # D of (M,), (M,)
        return np.where(inside, self.density[indices], 0.0)


def histogram_density(X, bins=10):
    """The density of X (N, D), D from 1 to 3, by counting:  density[bin] = count[bin] / (N volume[bin]).

    bins  how many there are on each axis, all of the same width, from the smallest value to the largest (around the
          value of a constant column); or a list with, for each axis, such a number or edges in ascending order, with
          all of X between them

    Returns a `Histogram`: `density`, `edges` and `at(X)`. A point on an edge is in the bin above it, except at the last
    edge. Raises ValueError or TypeError for invalid data or bins.
    """
    X = check_array(X, estimator="histogram_density").astype(np.float64)  # (N, D)
    n, n_features = X.shape
    bins = list(bins) if np.iterable(bins) and not isinstance(bins, str) else [bins] * n_features
    if n_features > 3 or len(bins) != n_features:
        raise ValueError("a histogram needs 1 to 3 features, and bins for each; "
                         f"got {n_features} features and bins for {len(bins)}")
    edges = [_edges(*pair) for pair in zip(bins, X.T)]  # D of (bins + 1,)
    shape = tuple(len(edge) - 1 for edge in edges)
    if math.prod(shape) > MOST_BINS:
        raise ValueError(f"there are {math.prod(shape):,} bins in all, more than {MOST_BINS:,}: use fewer")
    indices, inside = _bin_indices(X, edges)  # D of (N,), (N,)
    if not inside.all():
        raise ValueError(f"{n - inside.sum()} of {n} samples are outside the edges: move the outer edges")
    counts = np.bincount(np.ravel_multi_index(indices, shape), minlength=math.prod(shape)).reshape(shape)
    density = counts / n  # (bins of each axis)
    with np.errstate(over="ignore", under="ignore"):
        for widths in np.ix_(*map(np.diff, edges)):  # (bins, 1, 1), (1, bins, 1), (1, 1, bins)
            density /= widths
    if not np.isfinite(density).all() or (density[counts > 0] == 0).any():
        raise ValueError("the densities overflow or underflow float64: scale the columns of X to sizes nearer to 1")
    return Histogram(density, edges)


def _edges(bins, column):
    """The edges (bins + 1,) on one axis, for the values (N,) on it."""
    if np.iterable(bins):
        edges = as_float64(bins, "bins")  # (bins + 1,)
        check_finite(edges, "bins")
    else:
        low, high = column.min(), column.max()
        margin = max(0.5, abs(low) / 2**20) if low == high else 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # edges that are not finite are rejected next
            edges = np.linspace(low - margin, high + margin, check_integer("bins", bins, 1, MOST_BINS) + 1)
    if edges.ndim != 1 or len(edges) < 2 or not (edges[1:] > edges[:-1]).all():
        raise ValueError("edges must be two or more numbers in ascending order, and float64 must have as many between "
                         f"{column.min():.6g} and {column.max():.6g} as the bins need: change bins or scale X")
    return edges


def _bin_indices(X, edges):
    """The bin of each point of X (M, D), as D arrays of indices (M,), and whether it is in any, (M,)."""
    inside = np.ones(len(X), bool)  # (M,)
    indices = []
    for column, edge in zip(X.T, edges):  # (M,), (bins + 1,)
        inside &= (column >= edge[0]) & (column <= edge[-1])
        indices.append(np.searchsorted(edge[1:-1], column, side="right"))  # inner edges at or below it: (M,)
    return tuple(indices), inside
