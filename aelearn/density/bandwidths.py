"""How wide the hills of a kernel density should be: rules of thumb, and the data's own vote. No state.

Shapes: N samples, D features, B rows of a tile.

Hills that are too narrow show chance, hills that are too wide hide the shape. The rules of thumb are right for one
Gaussian blob. Leave-one-out asks of each sample how likely it is under the kernels of all others.
"""

import numpy as np

from aelearn.core.arrays import rounding
from aelearn.core.validation import check_number
from aelearn.density.kernel_sums import TILE_ENTRIES, log_sums_of_tile, squared_distances_to_all

GRID = 13  # bandwidths that leave-one-out tries, twice


def leave_one_out_bandwidth(X, kernel):
    """The h that makes  sum_n log p_n(x_n)  largest, where p_n is the density of X (N, D) without x_n. A float.

    Duplicates of x_n are left out with it. Otherwise, if all points were there twice, the sum would grow without end
    as h goes to 0. Let r_n be the distance from x_n to the nearest other point and R_n the root mean square of those to
    all others. Then the sum never falls with h below `low`, nor rises above `high`:

        gaussian       low = sqrt(mean r_n^2 / D)   high = sqrt(mean R_n^2 / D)
        epanechnikov   low = max r_n                high = max R_n sqrt(1 + 2 / D)

    Why: for the Gaussian kernel its slope is sum_n (E_n - D h^2) / h^3, where E_n is a mean of squared distances to
    which near points count most, so r_n^2 <= E_n <= R_n^2. Epanechnikov kernels below max r_n leave a point out of
    reach, which makes the sum -inf; above, each slope is at most (2 R_n^2 / (h^2 - R_n^2) - D) / h once h > R_n.

    GRID bandwidths in equal ratios from low to high are tried, then as many between the neighbours of the best one.
    Raises ValueError where no two samples differ.
    Source: Duin, "On the choice of smoothing parameters for Parzen estimators of probability density functions" (1976).
    """
    n, n_features = X.shape
    exponent = int(np.frexp(np.abs(X).max())[1])
    X = np.ldexp(X.astype(np.float64), -exponent)  # a power of two keeps every digit: (N, D)
    points, n_rows = np.ascontiguousarray(X.T), max(1, TILE_ENTRIES // n)  # (D, N)
    tiles = [slice(start, start + n_rows) for start in range(0, n, n_rows)]
    nearest, mean = np.empty(n), np.empty(n)  # r_n^2 and R_n^2: (N,), (N,)
    for rows in tiles:
        squared = squared_distances_to_all(X[rows], points)  # (B, N)
        mean[rows] = squared.sum(axis=1) / np.maximum(np.count_nonzero(squared, axis=1), 1)
        nearest[rows] = np.min(squared, axis=1, where=squared > 0, initial=np.inf)
    if np.isinf(nearest).any():
        raise ValueError(f"bandwidth='leave-one-out' needs points that differ; X, with n_samples={n}, does not have "
                         "them: give a number")
    if kernel == "gaussian":
        low, high = np.sqrt(nearest.mean() / n_features), np.sqrt(mean.mean() / n_features)
    else:
        low, high = np.sqrt(nearest.max()), np.sqrt(mean.max() * (1 + 2 / n_features))
    for _ in range(2):
        grid = np.geomspace(low, high, GRID)  # (GRID,)
        log_likelihoods = -n * n_features * np.log(grid)  # without what does not depend on h: (GRID,)
        for rows in tiles:
            squared = squared_distances_to_all(X[rows], points)  # (B, N)
            squared[squared == 0] = np.inf  # the point itself and its duplicates
            for i, h in enumerate(grid):
                log_likelihoods[i] += log_sums_of_tile(squared, h, kernel).sum()
        best = int(log_likelihoods.argmax())
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    with np.errstate(over="ignore", under="ignore"):
        h = float(np.ldexp(grid[best], exponent))
    return check_number("the bandwidth that 'leave-one-out' finds", h, 0, exclusive_low=True)


def rule_of_thumb(X, rule):
    """h, a float, and S (D, D), lower triangular, with S S^T = the covariance of X (N, D), divided by N - 1.

        scott      h = N^(-1 / (D + 4))                  silverman  h = (N (D + 2) / 4)^(-1 / (D + 4))

    Raises ValueError where S cannot be inverted: where a column is constant, or the smallest eigenvalue of the
    correlations is no more than D times the rounding of one of them, (D + 10 sqrt(N)) eps: so far can errors of that
    size move it. Sources: Scott, "Multivariate density estimation" (1992), section 6.3;
    Silverman, "Density estimation for statistics and data analysis" (1986), sections 4.2.1, for S, and 4.3.2.
    """
    n, n_features = X.shape
    exponents = np.frexp(np.abs(X).max(axis=0))[1]  # in units of 2^e no square leaves float64: (D,)
    z = np.ldexp(X.astype(np.float64), -exponents)  # (N, D)
    z -= z[0]  # makes a constant column exactly 0, which rounding in the mean might not
    z -= z.mean(axis=0)
    deviation = np.sqrt(np.einsum("nd,nd->d", z, z) / max(n - 1, 1))  # (D,)
    if deviation.all():
        z /= deviation
        correlation = z.T @ z / (n - 1)  # (D, D)
        if np.linalg.eigvalsh(correlation)[0] > n_features * rounding(n, n_features):
            with np.errstate(over="ignore", under="ignore"):
                S = np.ldexp(deviation[:, None] * np.linalg.cholesky(correlation), exponents[:, None])  # (D, D)
            if np.isfinite(S).all() and np.diag(S).all():
                return (n if rule == "scott" else n * (n_features + 2) / 4) ** (-1 / (n_features + 4)), S
    raise ValueError(f"bandwidth={rule!r} gives kernels the shape of the covariance of X, which cannot be inverted: "
                     f"with n_samples={n} and n_features={n_features}, a column is constant or a sum of multiples of "
                     "others, too few points differ, or X is at the end of float64. Give a number, or 'leave-one-out'")
