"""How wide the kernels of a density should be: rules of thumb, and leave-one-out, which uses the data. No state.

Shapes: N samples, D features, B rows of a tile.

Kernels that are too narrow show noise, kernels that are too wide hide the shape. The rules of thumb are right for one
Gaussian blob. Leave-one-out measures how likely each sample is under the kernels of all others.
"""

import numpy as np

from aelearn.core.arrays import rounding, unit_of, units_of_columns
from aelearn.core.progress import unwatched
from aelearn.core.validation import check_number
from aelearn.density.kernel_sums import TILE_ENTRIES, log_sums_of_tile, squared_distances_to_all

GRID = 13  # bandwidths that leave-one-out tries, twice
N_PASSES = 3  # over all rows of X: for the bounds, and for each grid


def leave_one_out_bandwidth(X, kernel, *, after_rows=unwatched):
    """The h that makes  sum_n log p_n(x_n)  largest, where p_n is the density of X (N, D) without x_n. A float.

    Duplicates of x_n are left out with it: if every point occurred twice, the sum would otherwise grow without bound as
    h goes to 0.

    GRID bandwidths in equal ratios between two bounds are tried, then as many between the neighbours of the best one.
    after_rows is called with the number of rows after each few of the N_PASSES times N. Raises ValueError where no two
    samples differ.
    Source: Duin, "On the choice of smoothing parameters for Parzen estimators of probability density functions" (1976).
    """
    unit = unit_of(X, limit=1)
    X = unit.scale(X.astype(np.float64))  # (N, D)
    low, high = _bounds(X, kernel, after_rows)
    for _ in range(2):
        grid = np.geomspace(low, high, GRID)  # (GRID,)
        best = int(_log_likelihoods(X, grid, kernel, after_rows).argmax())
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    h = unit.unscale(float(grid[best]))
    return check_number("the bandwidth that 'leave-one-out' finds", h, 0, exclusive_low=True)


def _bounds(X, kernel, after_rows):
    """Bounds of the best bandwidth for X (N, D): the sum never decreases up to `low` and never increases from `high`.

    Let r_n be the distance from x_n to the nearest other point and R_n the root mean square of those to all others.

        gaussian       low = sqrt(mean r_n^2 / D)   high = sqrt(mean R_n^2 / D)
        epanechnikov   low = max r_n                high = max R_n sqrt(1 + 2 / D)

    Why: for the Gaussian kernel its slope is sum_n (E_n - D h^2) / h^3, where E_n is a mean of squared distances to
    which near points count most, so r_n^2 <= E_n <= R_n^2. With Epanechnikov kernels below max r_n, a point is beyond
    all of them, and the sum is -inf; above, each slope is at most (2 R_n^2 / (h^2 - R_n^2) - D) / h once h > R_n.
    """
    n_samples, n_features = X.shape
    nearest, mean = np.empty(n_samples), np.empty(n_samples)  # r_n^2 and R_n^2: (N,), (N,)
    for rows, squared in _tiles(X, after_rows):
        nearest[rows] = np.min(squared, axis=1, where=squared > 0, initial=np.inf)
        mean[rows] = squared.sum(axis=1) / np.maximum(np.count_nonzero(squared, axis=1), 1)
    if np.isinf(nearest).any():
        raise ValueError("bandwidth='leave-one-out' needs points that differ; X has none, with "
                         f"n_samples={n_samples}: pass a number")
    if kernel == "gaussian":
        return np.sqrt(nearest.mean() / n_features), np.sqrt(mean.mean() / n_features)
    return np.sqrt(nearest.max()), np.sqrt(mean.max() * (1 + 2 / n_features))


def _log_likelihoods(X, grid, kernel, after_rows):
    """The sum above for X (N, D) and each bandwidth of the grid (GRID,), up to a constant: (GRID,)."""
    log_likelihoods = -X.size * np.log(grid)  # (GRID,)
    for _, squared in _tiles(X, after_rows):
        squared[squared == 0] = np.inf  # the point itself and its duplicates
        for i, h in enumerate(grid):
            log_likelihoods[i] += log_sums_of_tile(squared, h, kernel).sum()
    return log_likelihoods


def _tiles(X, after_rows):
    """For a few rows of X (N, D) at a time: which, as a slice, and their squared distances to all rows (B, N)."""
    points, n_rows = np.ascontiguousarray(X.T), max(1, TILE_ENTRIES // len(X))  # (D, N)
    for start in range(0, len(X), n_rows):
        rows = slice(start, start + n_rows)
        yield rows, squared_distances_to_all(X[rows], points)
        after_rows(len(X[rows]))


def rule_of_thumb(X, rule):
    """h, a float, and S (D, D), lower triangular, with S S^T = the covariance of X (N, D), divided by N - 1.

        scott      h = N^(-1 / (D + 4))                  silverman  h = (N (D + 2) / 4)^(-1 / (D + 4))

    Raises ValueError where S cannot be inverted: where a column is constant, or the smallest eigenvalue of the
    correlations is no more than D times the rounding of one of them, (D + 10 sqrt(N)) eps, as errors of that size can
    change it that much. Sources: Scott, "Multivariate density estimation" (1992), section 6.3;
    Silverman, "Density estimation for statistics and data analysis" (1986), sections 4.2.1, for S, and 4.3.2.
    """
    n, n_features = X.shape
    units = units_of_columns(X)
    z = units.scale(X.astype(np.float64))  # (N, D)
    z -= z[0]  # makes a constant column exactly 0, which rounding in the mean might not
    z -= z.mean(axis=0)
    deviation = np.sqrt(np.einsum("nd,nd->d", z, z) / max(n - 1, 1))  # (D,)
    if deviation.all():
        z /= deviation
        correlation = z.T @ z / (n - 1)  # (D, D)
        if np.linalg.eigvalsh(correlation)[0] > n_features * rounding(n, n_features):
            S = units.unscale((deviation[:, None] * np.linalg.cholesky(correlation)).T).T  # (D, D); a unit for each row
            if np.isfinite(S).all() and np.diag(S).all():
                return (n if rule == "scott" else n * (n_features + 2) / 4) ** (-1 / (n_features + 4)), S
    raise ValueError(f"bandwidth={rule!r} gives kernels the shape of the covariance of X, which cannot be inverted: "
                     f"with n_samples={n} and n_features={n_features}, a column is constant or a linear combination of "
                     "others, too few points differ, or X is at the end of float64. Pass a number or 'leave-one-out'")
