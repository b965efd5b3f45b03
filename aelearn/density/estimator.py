"""How dense are the data at a point? Kernel density estimation answers this without a model of their shape.

Shapes: N samples, D features, M query points.

A kernel K, a small bump, is centred on each sample x_n; the density is the mean of all of them. With the bandwidth h
and the shape S, a (D, D) matrix that is the identity if the kernels are round,

    p(x) = 1 / (N h^D det S) sum_n K(u_n),    u_n = S^-1 (x - x_n) / h

The kernels and their sums are in kernel_sums.py, the rules for h and S in bandwidths.py, both with their sources. The
other density without a model, `histogram_density`, is in histogram.py and can also be imported from here.
"""

import math

import numpy as np

from aelearn.core.arrays import unit_of
from aelearn.core.base import Estimator
from aelearn.core.progress import progress
from aelearn.core.validation import check_choice, check_integer, check_number, check_verbose, generator
from aelearn.density.bandwidths import N_PASSES, leave_one_out_bandwidth, rule_of_thumb
from aelearn.density.histogram import histogram_density
from aelearn.density.kernel_sums import KERNELS, log_constant, log_kernel_sums

__all__ = ["KernelDensity", "histogram_density"]


class KernelDensity(Estimator):
    """The density of the data as a mean of kernels, one on each sample.

    bandwidth  a number above 0: h is that, a length in the units of X, and kernels are round
               "scott": h = N^(-1 / (D + 4)), and S S^T is the covariance of X
               "silverman": h = (N (D + 2) / 4)^(-1 / (D + 4)), and S as for "scott"
               "leave-one-out": kernels are round, and h, from the grid that `leave_one_out_bandwidth` describes, makes
               the samples most likely under the kernels of the others; duplicates, which would drive h to 0, are left
               out
    kernel     "gaussian" or "epanechnikov"
    verbose    if not 0, "leave-one-out" and `score_samples` show a progress bar, in rows of distances

    Scott's rule (and Silverman's) is that of scipy.stats.gaussian_kde: h scales the full covariance of the data.
    Kernels are stretched as the data are, and measuring X in other units changes nothing. scikit-learn's KernelDensity
    uses the same h for round kernels on the data as they are, whether in metres or in millimetres. The two agree only
    on whitened data, whose covariance is the identity. Both rules are made for one Gaussian blob and Gaussian kernels:
    with several clusters they smooth too much, and Epanechnikov's kernel, for which they are not adjusted, is as wide
    as a Gaussian one when its h is sqrt(D + 4) times as large.

    After `fit`:

    bandwidth_      h, a float
    shape_          S (D, D) float64, lower triangular
    n_features_in_  D
    """

    _estimator_type = "density_estimator"

    def __init__(self, bandwidth="scott", *, kernel="gaussian", verbose=0):
        self.bandwidth = bandwidth
        self.kernel = kernel
        self.verbose = verbose

    def fit(self, X, y=None):
        """Keep a copy of X (N, D) and choose the bandwidth; y is ignored. Returns self.

        Raises ValueError or TypeError for invalid settings, and for rules that are undefined for the data: "scott" and
        "silverman" need a covariance that can be inverted, "leave-one-out" two samples that differ.
        """
        check_choice("kernel", self.kernel, KERNELS)
        check_verbose(self.verbose)
        if isinstance(self.bandwidth, str):
            check_choice("bandwidth", self.bandwidth, ("scott", "silverman", "leave-one-out"))
        else:
            check_number("bandwidth", self.bandwidth, 0, exclusive_low=True)
        X = self._check_training_data(X)
        if self.bandwidth in ("scott", "silverman"):
            h, S = rule_of_thumb(X, self.bandwidth)  # S (D, D)
        elif self.bandwidth == "leave-one-out":
            with progress(self.verbose, "bandwidth", unit="row", total=N_PASSES * len(X)) as bar:
                h, S = leave_one_out_bandwidth(X, self.kernel, after_rows=bar.advance), None
        else:
            h, S = float(self.bandwidth), None
        if not np.isfinite(_in_units_of_kernels(X, X[0], h, S)[0]).all():
            raise ValueError(f"X has entries up to {np.abs(X).max():.3g}: in widths of the fitted kernels that is more "
                             "than float64 can hold: " + ("take a larger bandwidth" if S is None else
                                                     "scale the columns of X to sizes nearer to 1"))
        self.bandwidth_, self.shape_ = h, np.eye(X.shape[1]) if S is None else S  # h, (D, D)
        self._samples, self._S = np.array(X), S  # a copy: (N, D); None where kernels are round
        self._kernel = self.kernel  # the setting may change before the next fit
        return self

    def score_samples(self, X):
        """The logarithm of the density at each point of X (M, D): (M,) float64.

        It is -inf, never NaN, where the density is 0: beyond all Epanechnikov kernels, or so far out that even the
        logarithm of the Gaussian density overflows float64. No row's result depends on the others.
        """
        self._check_fitted("bandwidth_")
        X = self._check_X(X)
        n, n_features = self._samples.shape
        points, h = _in_units_of_kernels(self._samples, self._samples[0], self.bandwidth_, self._S)  # (N, D)
        x, _ = _in_units_of_kernels(X, self._samples[0], self.bandwidth_, self._S)  # (M, D)
        log_sums, near = np.full(len(x), -np.inf), np.isfinite(x).all(axis=1)  # (M,), (M,)
        if near.any():
            with progress(self.verbose, "densities", unit="row", total=np.count_nonzero(near)) as bar:
                log_sums[near] = log_kernel_sums(x[near], points, h, self._kernel, after_rows=bar.advance)
        log_volume = n_features * math.log(self.bandwidth_) + np.log(np.diag(self.shape_)).sum()  # log(h^D det S)
        return log_sums + log_constant(self._kernel, n_features) - math.log(n) - log_volume

    def score(self, X, y=None):
        """The log-likelihood of X (M, D), the sum of its log densities: -inf if one of them is."""
        return float(self.score_samples(X).sum())

    def sample(self, n_samples=1, random_state=None):
        """Draw points from the density: (n_samples, D), of the dtype of the data.

        Each is one of the samples, all equally likely, plus noise drawn from its kernel. Noise from Epanechnikov's is
        a point drawn uniformly from the unit sphere in D + 4 dimensions (normal draws, divided by their length) without
        its last four coordinates: leaving out k makes the density proportional to (1 - |u|^2)^(k/2 - 1). Source:
        Johnson, "Multivariate statistical simulation" (1987), chapter 6, the Pearson type II distribution.
        """
        self._check_fitted("bandwidth_")
        n_samples, rng = check_integer("n_samples", n_samples, 1), generator(random_state)
        chosen = self._samples[rng.integers(len(self._samples), size=n_samples)]  # (n_samples, D)
        u = rng.standard_normal(chosen.shape)  # (n_samples, D)
        if self._kernel == "epanechnikov":
            four = rng.standard_normal((n_samples, 4))  # (n_samples, 4)
            u /= np.sqrt((u**2).sum(axis=1) + (four**2).sum(axis=1))[:, None]
        with np.errstate(over="ignore", under="ignore"):  # a draw may be inf where X is near its dtype's end
            return (chosen + self.bandwidth_ * (u @ self.shape_.T)).astype(chosen.dtype)


def _in_units_of_kernels(X, origin, h, S):
    """X (M, D), float64, and h in coordinates in which kernels are round and about 1 wide.

    With S (D, D) these are S^-1 (x - origin). Where kernels are round to begin with, S is None, and X and h are only
    measured in a unit of about h. What float64 cannot hold becomes inf or NaN.
    """
    X = X.astype(np.float64)  # (M, D)
    if S is None:
        unit = unit_of(np.array(h), limit=1)
        return unit.scale(X), unit.scale(h)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.linalg.solve(S, (X - origin).T).T, h
