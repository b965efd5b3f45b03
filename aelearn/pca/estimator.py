"""Principal component analysis: the few directions in which the data vary most, and the data seen along them.

Shapes: N samples, D features, C components (the code size), M = min(N, D), B rows of a block.

A sample x, seen from the mean m of the data, has the code (x - m) @ W.T; the rows of W (C, D) are the components,
directions of length 1 at right angles to each other. Among all such W the principal components keep the most variance.
By Pythagoras they also lose the least when codes are turned back into samples, x' = code @ W + m:

    sum_n |x_n - m|^2  =  sum_n |code_n|^2  +  sum_n |x_n - x'_n|^2

With the singular values s and directions V of the centred data A = X - m (svd.py), W the first rows of V.T:

    variance   along component c: s_c^2 / (N - 1)
    codes      A @ W.T = the first columns of U diag(s)

Source: Pearson, "On lines and planes of closest fit to systems of points in space" (1901).
"""

import numpy as np

from aelearn.core.arrays import blocks
from aelearn.core.base import Transformer
from aelearn.core.validation import check_array, check_choice, check_integer
from aelearn.pca.svd import auto, covariance_eigh, full, signed

SOLVERS = {"auto": auto, "full": full, "covariance_eigh": covariance_eigh}


class PCA(Transformer):
    """Principal component analysis.

    n_components  C, from 1 to min(N, D); None: min(N, D)
    whiten        divide codes by their standard deviation: variance 1 along each component, 0 along one without any
    svd_solver    "full" is exact to rounding, in float64; "covariance_eigh" is faster where N is large, but blind to
                  deviations below about 1e-7 of the largest; "auto" takes it for up to 1000 features and 10 times as
                  many samples, unless it is blind to one of the C components, and else "full"

    After `fit`:

    components_                (C, D) the directions, most variance first, of X's dtype. The sign of each is such that
                               its entry of largest absolute value is positive, as in scikit-learn
    mean_                      (D,) of X's dtype
    singular_values_           (C,) float64, s; 0 where a direction varies by no more than the rounding of X's entries
                               to its dtype explains (principal_axes.rounding_of)
    explained_variance_        (C,) float64, s^2 / (N - 1), or s^2 for N = 1; inf where that is beyond float64
    explained_variance_ratio_  (C,) float64, s^2 as a share of its sum over all min(N, D); 0 if nothing varies
    n_components_, n_samples_, n_features_in_    C, N, D
    """

    _estimator_type = "transformer"

    def __init__(self, n_components=None, *, whiten=False, svd_solver="auto"):
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver

    def fit(self, X, y=None):
        """Find the components of X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for impossible data or settings, such as more components than features.
        """
        X = self._check_training_data(X)
        n_components, solver = self._check_settings(X)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # such data are taken up again, scaled
            mean, s, directions, shares = solver(X, n_components)  # (D,), (C,), (C, D), (C,)
            deviation = s / np.sqrt(max(len(X) - 1, 1))  # standard deviation of the codes: (C,)
            self.explained_variance_ = deviation ** 2  # (C,)
        directions = signed(directions)  # (C, D)
        self.explained_variance_ratio_, self.singular_values_ = shares, s  # (C,), (C,)
        self.components_, self.mean_ = directions.astype(X.dtype), mean.astype(X.dtype)  # (C, D), (D,)
        self.n_components_ = self._n_features_out = n_components
        self._deviation, self._exact = None, (mean, directions)
        if self.whiten:
            self._deviation = self._measured(X, deviation)
        self.n_samples_ = len(X)
        return self

    def _measured(self, X, deviation):
        """The standard deviations of codes of X (N, D), from those that a solver has found, both (C,).

        A solver knows the smallest to few digits. Infinite along a component without variance: whitened codes are 0
        there.
        """
        self._deviation = np.where(deviation > 0, deviation, np.inf)  # (C,)
        codes = self._codes(X).std(axis=0, dtype=np.float64) * np.sqrt(len(X) / max(len(X) - 1, 1))  # about 1: (C,)
        with np.errstate(over="ignore"):
            measured = np.minimum(deviation * codes, np.finfo(np.float64).max)  # (C,)
        return np.where(measured > 0, measured, np.inf)  # (C,)

    def _check_settings(self, X):
        """Refuse impossible settings, each with a sentence. Returns the number of components and the solver."""
        n_samples, n_features = X.shape
        n_components = min(X.shape) if self.n_components is None else check_integer(
            "n_components (at most min(n_samples, n_features))", self.n_components, 1, min(X.shape))
        if not isinstance(self.whiten, (bool, np.bool_)):
            raise TypeError(f"whiten must be True or False; got {self.whiten!r}")
        return n_components, SOLVERS[check_choice("svd_solver", self.svd_solver, SOLVERS)]

    def transform(self, X):
        """The codes (N, C) of X (N, D)."""
        self._check_fitted("components_")
        return self._codes(self._check_X(X))

    def _codes(self, X, exponent=0):
        """code = (x - m) @ W.T, divided by its standard deviation if `whiten`.

        Whitened codes are computed in float64: a small deviation is a small difference of large products.
        Near the end of a dtype sums may leave it on the way: such rows are done again with 2^exponent as room for them.
        """
        codes = np.empty((len(X), self.n_components_), np.result_type(X, self.components_))  # (N, C)
        mean, W = (self.mean_, self.components_) if self._deviation is None else self._exact  # (D,), (C, D)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            mean, W_T = np.ldexp(mean, -exponent), np.ascontiguousarray(W.T)  # (D,), (D, C)
            # Short blocks, so that what is subtracted is still near; longer ones where there is more to multiply.
            for rows in blocks(len(X), 4 * X.shape[1], at_least=min(self.n_components_, 256)):
                x = np.ldexp(X[rows], -exponent) if exponent else X[rows]  # (B, D)
                code = (x - mean) @ W_T  # (B, C)
                codes[rows] = np.ldexp(code if self._deviation is None else code / self._deviation, exponent)
            lost = ~np.isfinite(codes).all(axis=1)  # (N,)
            if lost.any() and not exponent:
                codes[lost] = self._codes(X[lost], _room(X.shape[1]))
        return codes

    def inverse_transform(self, X):
        """The samples (N, D) that codes X (N, C) stand for, x' = code @ W + m; whitened codes are stretched first.

        Raises ValueError for codes of another size.
        """
        self._check_fitted("components_")
        codes = check_array(X, estimator="PCA")
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X has {codes.shape[1]} features, but PCA is expecting codes of "
                             f"{self.n_components_} features as input")
        return self._samples(codes)

    def _samples(self, codes, exponent=0):
        """x' = code @ W + m, as above: 2^exponent is room for sums that leave the dtype on the way."""
        samples = np.empty((len(codes), self.n_features_in_), np.result_type(codes, self.components_))  # (N, D)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for rows in blocks(*samples.shape):
                code = np.ldexp(codes[rows], -exponent)  # (B, C)
                if self._deviation is not None:
                    code = np.where(np.isinf(self._deviation), 0, code * self._deviation)  # (B, C)
                samples[rows] = np.ldexp(code @ self.components_ + np.ldexp(self.mean_, -exponent), exponent)
            lost = ~np.isfinite(samples).all(axis=1)  # (N,)
            if lost.any() and not exponent:
                samples[lost] = self._samples(codes[lost], _room(self.n_components_))
        return samples


def _room(n_terms):
    """An exponent e: n_terms differences of numbers, each divided by 2^e, add up to less than their dtype holds."""
    return int(np.frexp(4 * n_terms)[1])
