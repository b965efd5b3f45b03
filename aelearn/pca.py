"""Principal component analysis: the few directions in which the data vary most, and the data seen along them.

Shapes: N samples, D features, C components (the code size), M = min(N, D), B rows of a block.

A sample x, seen from the mean m of the data, has the code (x - m) @ W.T; the rows of W (C, D) are the components,
directions of length 1 at right angles to each other. Among all such W the principal components keep the most variance.
By Pythagoras they also lose the least when codes are turned back into samples, x' = code @ W + m:

    sum_n |x_n - m|^2  =  sum_n |code_n|^2  +  sum_n |x_n - x'_n|^2

They are the right singular vectors of the centred data A = X - m. With A = U diag(s) V.T, and W the first rows of V.T:

    variance   along component c: s_c^2 / (N - 1)
    codes      A @ W.T = the first columns of U diag(s)
    scatter    A.T @ A = V diag(s^2) V.T: the columns of V are the eigenvectors of the scatter, and of the covariance

`full` decomposes A, `covariance_eigh`, its fast twin, the scatter.

Sources: Pearson, "On lines and planes of closest fit to systems of points in space" (1901); Hotelling, "Analysis of a
complex of statistical variables into principal components" (1933).
"""

import numpy as np

from aelearn.estimator import Estimator
from aelearn.lloyd import blocks, safe_exponent
from aelearn.validation import check_array, check_choice, check_integer


def full(X):
    """Mean (D,), singular values (M,) and directions V.T (M, D) of X (N, D), the largest first, all float64.

    Nobody asks for U, which is as large as A. So first A = Q R, where the columns of Q (N, M) have length 1 and are at
    right angles, and R is (M, D). With R = U' diag(s) V.T this makes A = (Q U') diag(s) V.T, and the columns of Q U'
    again have length 1 and are at right angles: this is A's own decomposition, with the same s and the same V.
    Source: Chan, "An improved algorithm for computing the singular value decomposition" (1982).
    """
    if exponent := safe_exponent(X):
        return _scaled(full, X, exponent)
    origin = _origin(X).astype(np.float64)  # (D,)
    A = X - origin  # (N, D)
    shift = A.mean(axis=0)  # (D,)
    A -= shift
    varies = A.any(axis=0)  # (D,)
    R = np.linalg.qr(np.compress(varies, A, axis=1), mode="r")  # (M', D'): D' columns vary, M' = min(N, D')
    _, s, directions = np.linalg.svd(R, full_matrices=False)  # (M',), (M', D')
    s[s <= np.finfo(np.float64).eps * max(X.shape) * s.max(initial=0)] = 0  # what rounding makes of 0
    return origin + shift, *_with_constant_columns(s, directions, varies, min(X.shape))


def covariance_eigh(X):
    """What `full` returns, from the eigenvectors of the scatter (D, D): several times as fast where N is large.

    What is lost: the eigenvalues are squares, s^2 (the condition number is squared, too), and rounding blurs all of
    them by about epsilon times their sum. So singular values below sqrt(epsilon) times the largest are lost, and their
    directions with them: with the epsilon of X's dtype, below 1.5e-8 times the largest for float64, 3e-4 for float32.
    """
    mean, scatter = mean_and_scatter(X)  # (D,), (D, D)
    if not 1e-20 < scatter.trace() < 1e30:  # float32 ends at 1e-38 and 3e38, and its sums must stay away from both
        if exponent := safe_exponent(X, limit=1e8):
            return _scaled(covariance_eigh, X, exponent)
    varies = scatter.diagonal() > 0  # (D,)
    squares, vectors = np.linalg.eigh(scatter[np.ix_(varies, varies)])  # (D',), (D', D'): a column each, ascending
    squares[squares <= np.finfo(X.dtype).eps * squares.sum()] = 0  # what rounding makes of 0
    return mean, *_with_constant_columns(np.sqrt(squares[::-1]), vectors.T[::-1], varies, min(X.shape))


def mean_and_scatter(X):
    """The mean m (D,) of X (N, D) and its scatter A.T @ A (D, D), both float64, in one pass over X.

    Seen from an origin o near the data, so that no digits are lost where the data lie far from 0:

        shift d = sum_n (x_n - o) / N,   m = o + d,   A.T @ A = sum_n (x_n - o).T (x_n - o) - N d.T d

    Within a block this is computed in X's dtype; blocks are added up in float64.
    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).
    """
    n_samples, n_features = X.shape
    origin, total = _origin(X), np.zeros(n_features)  # (D,), (D,)
    scatter = np.zeros((n_features, n_features))  # (D, D)
    for rows in blocks(n_samples, n_features, at_least=4 * n_features):  # in shorter ones, adding up would take longest
        x = X[rows] - origin  # (B, D)
        total += np.ones(len(x), x.dtype) @ x
        scatter += x.T @ x
    shift = total / n_samples  # (D,)
    return origin + shift, scatter - n_samples * np.outer(shift, shift)


def _origin(X):
    """The mean of about a thousand samples, (D,): a point amid the data. In a constant column it is that constant."""
    some = X[::1 + len(X) // 1000]  # (B, D)
    return X[0] + (some - X[0]).mean(axis=0)


def _with_constant_columns(s, directions, varies, n_directions):
    """The first M singular values and directions, from those of the columns that vary, varies (D,) bool, alone.

    A constant column is a direction of its own, without variance. Of digits that is a fifth of the pixels, and the time
    of a decomposition grows with the cube of the others.
    """
    s = s[:n_directions]  # (M',)
    constant = np.flatnonzero(~varies)[:n_directions - len(s)]  # (M - M',)
    every_s, every_direction = np.zeros(n_directions), np.zeros((n_directions, len(varies)))  # (M,), (M, D)
    every_s[:len(s)], every_direction[:len(s), varies] = s, directions[:len(s)]
    every_direction[np.arange(len(s), n_directions), constant] = 1
    return every_s, every_direction


def _scaled(solver, X, exponent):
    """What `solver` returns, for data whose squares are too large or too small. A power of two changes no digit."""
    mean, s, directions = solver(np.ldexp(X, -exponent))
    return np.ldexp(mean, exponent), np.minimum(np.ldexp(s, exponent), np.finfo(np.float64).max), directions


SOLVERS = {"full": full, "covariance_eigh": covariance_eigh}


class PCA(Estimator):
    """Principal component analysis.

    n_components  C, from 1 to min(N, D); None: min(N, D)
    whiten        divide codes by their standard deviation: variance 1 along each component, 0 along one without any
    svd_solver    "full" is exact to rounding, in float64; "covariance_eigh" is faster where N is large, but blind to
                  small variances; "auto" takes it for up to 1000 features and 10 times as many samples, else "full"

    After `fit`:

    components_                (C, D) the directions, most variance first, of X's dtype. The sign of each is such that
                               its entry of largest absolute value is positive, as in scikit-learn
    mean_                      (D,) of X's dtype
    singular_values_           (C,) float64, s; 0 where only rounding is left
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
        self._fit(X)
        return self

    def fit_transform(self, X, y=None):
        """Find the components of X (N, D) and return its codes, (N, C)."""
        return self._codes(self._fit(X))

    def _fit(self, X):
        """Find the components. Returns X as a float array (N, D)."""
        columns, X = X, check_array(X, estimator="PCA")
        n_components, solver = self._check_settings(X)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # such data are taken up again, scaled
            mean, s, directions = solver(X)  # (D,), (M,), (M, D)
            shares = (s / s[0]) ** 2 if s[0] > 0 else s  # of the largest variance: (M,)
            self._deviation = s[:n_components] / np.sqrt(max(len(X) - 1, 1))  # standard deviation of the codes: (C,)
            self.explained_variance_ = self._deviation ** 2  # (C,)
        self.explained_variance_ratio_ = shares[:n_components] / max(shares.sum(), 1)  # (C,)
        self.singular_values_ = s[:n_components]  # (C,)
        self.components_ = _signed(directions[:n_components]).astype(X.dtype)  # (C, D)
        self.mean_ = mean.astype(X.dtype)  # (D,)
        self.n_components_ = self._n_features_out = n_components
        self.n_samples_ = len(X)
        self._record_columns(columns, X.shape[1])
        return X

    def _check_settings(self, X):
        """Refuse impossible settings, each with a sentence. Returns the number of components and the solver."""
        n_samples, n_features = X.shape
        n_components = min(X.shape) if self.n_components is None else check_integer(
            "n_components (at most min(n_samples, n_features))", self.n_components, 1, min(X.shape))
        if not isinstance(self.whiten, (bool, np.bool_)):
            raise TypeError(f"whiten must be True or False; got {self.whiten!r}")
        name = check_choice("svd_solver", self.svd_solver, ("auto", *SOLVERS))
        if name == "auto":
            name = "covariance_eigh" if n_features <= 1000 and n_samples >= 10 * n_features else "full"
        return n_components, SOLVERS[name]

    def transform(self, X):
        """The codes (N, C) of X (N, D)."""
        self._check_fitted("components_")
        return self._codes(self._check_X(X))

    def _codes(self, X):
        """code = (x - m) @ W.T, divided by its standard deviation if `whiten`."""
        codes = np.empty((len(X), self.n_components_), np.result_type(X, self.components_))  # (N, C)
        with np.errstate(over="ignore", invalid="ignore"):  # a code may be inf where X is near its dtype's end
            W_T = np.ascontiguousarray(self.components_.T)  # (D, C)
            for rows in blocks(len(X), 4 * X.shape[1]):  # short ones: what is subtracted is still near
                np.matmul(X[rows] - self.mean_, W_T, out=codes[rows])
            if self.whiten:
                codes /= np.where(self._deviation > 0, self._deviation, np.inf)
        return codes

    def inverse_transform(self, X):
        """The samples (N, D) that codes X (N, C) stand for, x' = code @ W + m; whitened codes are stretched first."""
        self._check_fitted("components_")
        codes = check_array(X, estimator="PCA")
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X has {codes.shape[1]} features, but PCA is expecting codes of "
                             f"{self.n_components_} features as input")
        samples = np.empty((len(codes), self.n_features_in_), np.result_type(codes, self.components_))  # (N, D)
        with np.errstate(over="ignore", invalid="ignore"):  # the same
            for rows in blocks(*samples.shape):
                code = codes[rows] * self._deviation if self.whiten else codes[rows]  # (B, C)
                samples[rows] = code @ self.components_ + self.mean_
        return samples


def _signed(directions):
    """The same directions (C, D), each with the sign that makes its entry of largest absolute value positive."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)  # (C, 1)
    return directions * np.sign(largest)  # (C, D)
