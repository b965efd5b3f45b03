"""Kernel densities as arithmetic: sums of kernels without a matrix of all distances. No state.

Shapes: N points with a kernel each, D features, M query points, B and W rows and columns of a tile.

The density at x is a mean of N small bumps of width h, one on each point p_n:

    p(x) = 1 / (N h^D) sum_n K((x - p_n) / h)

With V = pi^(D/2) / Gamma(D/2 + 1), the volume of the unit ball, the two kernels, each of integral 1, are

    gaussian       K(u) = exp(-|u|^2 / 2) / (2 pi)^(D/2)
    epanechnikov   K(u) = (1 - |u|^2) (D + 2) / (2 V)   where |u| < 1, and 0 elsewhere

Sources: Rosenblatt, "Remarks on some nonparametric estimates of a density function" (1956); Parzen, "On estimation of
a probability density function and mode" (1962); Epanechnikov, "Non-parametric estimation of a multivariate probability
density" (1969); in the round form above: Silverman, "Density estimation for statistics and data analysis" (1986),
eq. 4.4.

Distances are computed a tile at a time, so nothing of size M by N is ever stored; everything is float64.
"""

import math

import numpy as np

from aelearn.core.progress import unwatched

KERNELS = ("gaussian", "epanechnikov")
TILE_ENTRIES = 1 << 15  # entries of a tile: 256 KB as float64, which fits into the processor's cache
TILE_ROWS = 64  # rows of a tile at most, so that it stays small where its first row has hardly any neighbours


def log_constant(kernel, n_features):
    """log K(0): K(0) is the factor that makes the kernel's integral over all D dimensions 1."""
    if kernel == "gaussian":
        return -n_features / 2 * math.log(2 * math.pi)
    log_ball = n_features / 2 * math.log(math.pi) - math.lgamma(n_features / 2 + 1)  # log V
    return math.log((n_features + 2) / 2) - log_ball


def log_kernel_sums(x, points, h, kernel, *, after_rows=unwatched):
    """log sum_n K((x_m - p_n) / h) / K(0)  for x (M, D) and points (N, D): (M,).

    Points and x are sorted along the axis on which the points spread most. An Epanechnikov kernel reaches no farther
    than h along it, so all points that matter to the rows of a tile are in one slice, and only these are computed.
    after_rows is called with the number of rows after each tile.
    """
    with np.errstate(over="ignore"):
        axis = np.ptp(points, axis=0).argmax()
        reach = h if kernel == "epanechnikov" else np.inf
        reach += 4 * np.finfo(np.float64).eps * (np.abs(x[:, axis]) + reach)  # (M,); rounding must not cut a kernel off
        order = x[:, axis].argsort()  # (M,)
        points = np.ascontiguousarray(points[points[:, axis].argsort()].T)  # (D, N)
        first = np.searchsorted(points[axis], (x[:, axis] - reach)[order], "left")  # where each slice starts: (M,)
        last = np.searchsorted(points[axis], (x[:, axis] + reach)[order], "right")  # ... and where it ends: (M,)
    log_sums, start = np.empty(len(x)), 0  # (M,)
    while start < len(x):
        n_rows = TILE_ENTRIES // max(1, last[start] - first[start])
        stop = start + min(max(1, n_rows), TILE_ROWS, len(x) - start)
        rows = order[start:stop]  # (B,)
        squared = squared_distances_to_all(x[rows], points[:, first[start]:last[stop - 1]])  # (B, W)
        log_sums[rows] = log_sums_of_tile(squared, h, kernel)  # (B,)
        after_rows(stop - start)
        start = stop
    return log_sums


def squared_distances_to_all(x, points):
    """|x_b - p_n|^2 for x (B, D) and points with a row for each feature, (D, W): (B, W).

    By definition: the expanded square would be one matrix product, but loses the digits of small distances.
    """
    squared = np.zeros((len(x), points.shape[1]))  # (B, W)
    with np.errstate(over="ignore", under="ignore"):  # an infinite distance has the same effect as a huge one
        for x_feature, points_feature in zip(x.T, points):  # (B,), (W,)
            difference = np.subtract.outer(x_feature, points_feature)  # (B, W)
            difference *= difference
            squared += difference
    return squared


def log_sums_of_tile(squared, h, kernel):
    """log sum_n K(u_n) / K(0)  with |u_n|^2 = squared / h^2, squared (B, W): (B,). -inf where no kernel reaches.

    Of Gaussian kernels the nearest is the largest. Taken out of the sum, log sum_n exp(a_n) = max a +
    log sum_n exp(a_n - max a), it leaves a sum of at least 1, even if each kernel alone would round to 0. Relative to
    that 1, N exp(-700), 1e-304 N, is negligible; so smaller terms are replaced by exp(-700), as exp is slow where it
    underflows.
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
