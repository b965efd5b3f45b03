"""Principal component analysis: the few directions in which the data vary most, and the data projected onto them.

Shapes: N samples, D features, C components (the code size), M = min(N, D), B rows of a block.

With the mean m of the data, a sample x has the code (x - m) @ W.T; the rows of W (C, D) are the components, which are
orthonormal. Among all such W the principal components keep the most variance. By Pythagoras they also have the smallest
error when samples are reconstructed from codes, x' = code @ W + m:

    sum_n |x_n - m|^2  =  sum_n |code_n|^2  +  sum_n |x_n - x'_n|^2

With the singular values s and directions V of the centred data A = X - m (svd.py), W the first rows of V.T:

    variance   along component c: s_c^2 / (N - 1)
    codes      A @ W.T = the first columns of U diag(s)

Source: Pearson, "On lines and planes of closest fit to systems of points in space" (1901).
"""

import numpy as np

from aelearn.core.arrays import NEAR_1, blocks, unit_of, with_room
from aelearn.core.base import Transformer
from aelearn.core.progress import progress
from aelearn.core.validation import check_array, check_choice, check_integer, check_verbose
from aelearn.pca.svd import auto, covariance_eigh, full, signed

LARGEST = np.finfo(np.float64).max
SOLVERS = {"auto": auto, "full": full, "covariance_eigh": covariance_eigh}


class PCA(Transformer):
    """Principal component analysis.

    n_components  C, from 1 to min(N, D); None: min(N, D)
    whiten        divide codes by their standard deviation: variance 1 along each component, 0 along one without any
    svd_solver    "full" is exact to rounding, in float64; "covariance_eigh" is faster if N is large, but cannot resolve
                  deviations below about 1e-7 of the largest; "auto" takes it for up to 1000 features and 10 times as
                  many samples, unless it cannot resolve one of the C components, and "full" otherwise
    verbose       if not 0, `fit` shows the elapsed time: "full" takes seconds for thousands of images

    After `fit`:

    components_                (C, D) the directions, most variance first, of X's dtype. The sign of each is such that
                               its entry of largest absolute value is positive, as in scikit-learn
    mean_                      (D,) of X's dtype
    singular_values_           (C,) float64, s; 0 where a direction varies by no more than the rounding of X's entries
                               to its dtype explains (svd.rounding_of)
    explained_variance_        (C,) float64, s^2 / (N - 1), or s^2 for N = 1; inf where that is beyond float64
    explained_variance_ratio_  (C,) float64, s^2 as a share of its sum over all min(N, D); 0 if nothing varies
    n_components_, n_samples_, n_features_in_    C, N, D
    """

    _estimator_type = "transformer"

    def __init__(self, n_components=None, *, whiten=False, svd_solver="auto", verbose=0):
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.verbose = verbose

    def fit(self, X, y=None):
        """Find the components of X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for invalid data or settings, such as more components than features.
        """
        X = self._check_training_data(X)
        n_components, solver = self._check_settings(X)
        unit = unit_of(X, limit=NEAR_1)
        with progress(self.verbose, "components"), np.errstate(over="ignore", under="ignore"):
            mean, s, directions, shares = solver(unit.scale(X), n_components)  # (D,), (C,), (C, D), (C,)
            mean, s = unit.unscale(mean), np.minimum(unit.unscale(s), LARGEST)  # (D,), (C,)
            deviation = s / np.sqrt(max(len(X) - 1, 1))  # standard deviation of the codes: (C,)
            self.explained_variance_ = deviation ** 2  # (C,)
        directions = signed(directions)  # (C, D)
        self.explained_variance_ratio_, self.singular_values_ = shares, s  # (C,), (C,)
        self.components_, self.mean_ = directions.astype(X.dtype), mean.astype(X.dtype)  # (C, D), (D,)
        self.n_components_ = self._n_features_out = n_components
        self.n_samples_ = len(X)
        self._projection = self.mean_, self.components_, 1.0  # m, W, and what codes are divided by
        if self.whiten:
            self._projection = mean, directions, _measured(X, mean, directions, deviation)
        return self

    def _check_settings(self, X):
        """Raise ValueError or TypeError for an invalid setting. Returns C and the solver."""
        n_components = min(X.shape) if self.n_components is None else check_integer(
            "n_components (at most min(n_samples, n_features))", self.n_components, 1, min(X.shape))
        if not isinstance(self.whiten, (bool, np.bool_)):
            raise TypeError(f"whiten must be True or False; got {self.whiten!r}")
        check_verbose(self.verbose)
        return n_components, SOLVERS[check_choice("svd_solver", self.svd_solver, SOLVERS)]

    def transform(self, X):
        """The codes (N, C) of X (N, D)."""
        self._check_fitted("components_")
        X = self._check_X(X)
        return _project(X, *self._projection, np.result_type(X, self.components_))

    def inverse_transform(self, X):
        """The samples (N, D) that codes X (N, C) stand for, x' = code @ W + m; whitened codes are scaled back first.

        Raises ValueError for codes of another size.
        """
        self._check_fitted("components_")
        codes = check_array(X, estimator="PCA")
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X has {codes.shape[1]} features, but PCA is expecting codes of "
                             f"{self.n_components_} features as input")
        *_, deviation = self._projection

        def reconstruct(codes, unit):
            samples = np.empty((len(codes), self.n_features_in_), np.result_type(codes, self.components_))  # (N, D)
            for rows in blocks(*samples.shape):
                code = np.where(np.isinf(deviation), 0, unit.scale(codes[rows]) * deviation)  # (B, C)
                samples[rows] = unit.unscale(code @ self.components_ + unit.scale(self.mean_))  # (B, D)
            return samples

        return with_room(reconstruct, codes, self.n_components_)


def _project(X, mean, W, deviation, dtype):
    """Codes (N, C) of X (N, D), of this dtype: (x - m) @ W.T, divided by the deviation, (C,) or 1.

    For whitening, mean and W are float64: a small deviation is a small difference of large products.
    """
    W_T = np.ascontiguousarray(W.T)  # (D, C)

    def project(X, unit):
        codes = np.empty((len(X), len(W)), dtype)  # (N, C)
        # Short blocks, so that the difference is still in the cache; longer ones if W has many rows.
        for rows in blocks(len(X), 4 * X.shape[1], at_least=min(len(W), 256)):
            difference = unit.scale(X[rows]) - unit.scale(mean)  # (B, D)
            codes[rows] = unit.unscale(difference @ W_T / deviation)  # (B, C)
        return codes

    return with_room(project, X, X.shape[1])


def _measured(X, mean, directions, deviation):
    """The standard deviations (C,) of codes of X (N, D), measured, given those that a solver has found, (C,).

    A solver finds the smallest to few digits. Infinite along a component without variance: whitened codes are 0 there.
    """
    found = np.where(deviation > 0, deviation, np.inf)  # (C,)
    codes = _project(X, mean, directions, found, X.dtype)  # (N, C)
    ratio = codes.std(axis=0, dtype=np.float64) * np.sqrt(len(X) / max(len(X) - 1, 1))  # to that found: about 1, (C,)
    with np.errstate(over="ignore"):
        measured = np.minimum(deviation * ratio, LARGEST)  # (C,)
    return np.where(measured > 0, measured, np.inf)  # (C,)
