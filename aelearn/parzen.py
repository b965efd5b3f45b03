"""Kernel densities as arithmetic: sums of kernels without a table of all distances, and bandwidths from data. No state.

Shapes: N points that carry a kernel, D features, M points to look at, B and W rows and columns of a tile.

The density at x is a mean of N small hills of width h, one on each point p_n:

    p(x) = 1 / (N h^D) sum_n K((x - p_n) / h)

With V = pi^(D/2) / Gamma(D/2 + 1), the volume of the unit ball, the two kernels, each of integral 1, are

    gaussian       K(u) = exp(-|u|^2 / 2) / (2 pi)^(D/2)
    epanechnikov   K(u) = (1 - |u|^2) (D + 2) / (2 V)   where |u| < 1, and 0 elsewhere

Sources: Rosenblatt, "Remarks on some nonparametric estimates of a density function" (1956); Parzen, "On estimation of
a probability density function and mode" (1962); Epanechnikov, "Non-parametric estimation of a multivariate probability
density" (1969); in the round form above: Silverman, "Density estimation for statistics and data analysis" (1986),
eq. 4.4.

Distances are taken a tile at a time, so nothing of size M by N is ever made; all is float64.
"""

import math

import numpy as np

from aelearn.validation import check_number

KERNELS = ("gaussian", "epanechnikov")
TILE_ENTRIES = 1 << 15  # entries of a tile: 256 KB as float64, which the processor's cache can keep
TILE_ROWS = 64  # rows of a tile at most, so that it stays small where its first row has hardly any neighbours
GRID = 13  # bandwidths that leave-one-out tries, twice


def log_constant(kernel, n_features):
    """log K(0): K(0) is the factor that makes the kernel's integral over all D dimensions 1."""
    if kernel == "gaussian":
        return -n_features / 2 * math.log(2 * math.pi)
    log_ball = n_features / 2 * math.log(math.pi) - math.lgamma(n_features / 2 + 1)  # log V
    return math.log((n_features + 2) / 2) - log_ball


def log_kernel_sums(x, points, h, kernel):
    """log sum_n K((x_m - p_n) / h) / K(0)  for x (M, D) and points (N, D): (M,).

    Points and x are sorted along the axis on which the points spread most. There an Epanechnikov kernel reaches no
    farther than h, so all points that matter to the rows of a tile lie in one slice, and only those are looked at.
    """
    with np.errstate(over="ignore"):
        axis = np.ptp(points, axis=0).argmax()
        reach = h if kernel == "epanechnikov" else np.inf
        order = x[:, axis].argsort()  # (M,)
        points = np.ascontiguousarray(points[points[:, axis].argsort()].T)  # (D, N)
        first = np.searchsorted(points[axis], x[order, axis] - reach, "left")  # where each slice begins: (M,)
        last = np.searchsorted(points[axis], x[order, axis] + reach, "right")  # ... and where it ends: (M,)
    log_sums, start = np.empty(len(x)), 0  # (M,)
    while start < len(x):
        n_rows = TILE_ENTRIES // max(1, last[start] - first[start])
        stop = start + min(max(1, n_rows), TILE_ROWS, len(x) - start)
        rows = order[start:stop]  # (B,)
        squared = squared_distances_to_all(x[rows], points[:, first[start]:last[stop - 1]])  # (B, W)
        log_sums[rows] = _log_sums(squared, h, kernel)  # (B,)
        start = stop
    return log_sums


def squared_distances_to_all(x, points):
    """|x_b - p_n|^2 for x (B, D) and points with a row for each feature, (D, W): (B, W).

    By definition: the expanded square would be one matrix product, but loses the digits of small distances.
    """
    squared = np.zeros((len(x), points.shape[1]))  # (B, W)
    with np.errstate(over="ignore", under="ignore"):  # infinitely far is far enough
        for x_feature, points_feature in zip(x.T, points):  # (B,), (W,)
            difference = np.subtract.outer(x_feature, points_feature)  # (B, W)
            difference *= difference
            squared += difference
    return squared


def _log_sums(squared, h, kernel):
    """log sum_n K(u_n) / K(0)  with |u_n|^2 = squared / h^2, squared (B, W): (B,). -inf where no kernel reaches.

    Of Gaussian kernels the nearest is the largest. Taken out of the sum, log sum_n exp(a_n) = max a +
    log sum_n exp(a_n - max a), it leaves a sum of at least 1, even where each kernel alone would round to 0. Beside
    that 1, exp(-700) is nothing, so smaller terms may be that, too: where exp underflows, it is slow.
    """
    with np.errstate(divide="ignore", over="ignore", under="ignore"):  # log 0 is -inf, as it should be
        u2 = squared * h**-2  # (B, W)
        if kernel == "epanechnikov":
            np.subtract(1, u2, out=u2)
            return np.log(np.maximum(u2, 0, out=u2).sum(axis=1))
        nearest = u2.min(axis=1)  # (B,)
        np.subtract(np.minimum(nearest, np.finfo(np.float64).max)[:, None], u2, out=u2)  # inf - inf would be NaN
        u2 *= 0.5
        np.maximum(u2, -700, out=u2)
        return np.log(np.exp(u2, out=u2).sum(axis=1)) - nearest / 2


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
                log_likelihoods[i] += _log_sums(squared, h, kernel).sum()
        best = int(log_likelihoods.argmax())
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    with np.errstate(over="ignore", under="ignore"):
        h = float(np.ldexp(grid[best], exponent))
    return check_number("the bandwidth that 'leave-one-out' finds", h, 0, exclusive_low=True)


def rule_of_thumb(X, rule):
    """h, a float, and S (D, D), lower triangular, with S S^T = the covariance of X (N, D), divided by N - 1.

        scott      h = N^(-1 / (D + 4))                  silverman  h = (N (D + 2) / 4)^(-1 / (D + 4))

    Raises ValueError where S cannot be inverted. Sources: Scott, "Multivariate density estimation" (1992), section 6.3;
    Silverman (1986), sections 4.2.1, for S, and 4.3.2.
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
        if np.linalg.eigvalsh(correlation)[0] > 10 * n_features * np.finfo(np.float64).eps:
            with np.errstate(over="ignore", under="ignore"):
                S = np.ldexp(deviation[:, None] * np.linalg.cholesky(correlation), exponents[:, None])  # (D, D)
            if np.isfinite(S).all() and np.diag(S).all():
                return (n if rule == "scott" else n * (n_features + 2) / 4) ** (-1 / (n_features + 4)), S
    raise ValueError(f"bandwidth={rule!r} gives kernels the shape of the covariance of X, which cannot be inverted: "
                     f"with n_samples={n} and n_features={n_features}, a column is constant or a sum of multiples of "
                     "others, too few points differ, or X is at the end of float64. Give a number, or 'leave-one-out'")
