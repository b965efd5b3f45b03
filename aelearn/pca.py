"""Principal component analysis: the few directions in which the data vary most, and the data seen along them.

Shapes: N samples, D features, C components (the code size), M = min(N, D), B rows of a block.

A sample x, seen from the mean m of the data, has the code (x - m) @ W.T; the rows of W (C, D) are the components,
directions of length 1 at right angles to each other. Among all such W the principal components keep the most variance.
By Pythagoras they also lose the least when codes are turned back into samples, x' = code @ W + m:

    sum_n |x_n - m|^2  =  sum_n |code_n|^2  +  sum_n |x_n - x'_n|^2

They are the right singular vectors of the centred data A = X - m. With A = U diag(s) V.T, and W the first rows of V.T:

    variance   along component c: s_c^2 / (N - 1)
    codes      A @ W.T = the first columns of U diag(s)
    scatter    A.T @ A = V diag(s^2) V.T: the rows of V.T are the eigenvectors of the covariance A.T @ A / (N - 1), too

`full` decomposes A, `covariance_eigh`, its fast twin, the scatter.

Sources: Pearson, "On lines and planes of closest fit to systems of points in space" (1901); Hotelling, "Analysis of a
complex of statistical variables into principal components" (1933).
"""

import numbers

import numpy as np

from aelearn.estimator import Estimator
from aelearn.lloyd import blocks, safe_exponent
from aelearn.validation import check_array, check_choice


def full(X):
    """Mean (D,), singular values (M,) and directions V.T (M, D) of X (N, D), the largest first, all float64.

    Where N is much larger than D, so is A, and its U is never asked for. So first A = Q R, where the columns of Q (N, M)
    have length 1 and are at right angles, and R is (M, D). With R = U' diag(s) V.T this makes A = (Q U') diag(s) V.T;
    the columns of Q U' are again of length 1 and at right angles. So this is A's own decomposition: same s, same V.
    Source: Chan, "An improved algorithm for computing the singular value decomposition" (1982).
    """
    if exponent := safe_exponent(X):
        return _scaled(full, X, exponent)
    origin = _origin(X).astype(np.float64)  # (D,)
    A = X - origin  # (N, D)
    shift = A.mean(axis=0)  # (D,)
    A -= shift
    varies = A.any(axis=0)  # (D,)
    R = np.linalg.qr(A[:, varies], mode="r")  # (min(N, D'), D'), with D' columns that vary
    _, s, directions = np.linalg.svd(R, full_matrices=False)  # (min(N, D'),), (min(N, D'), D')
    s[s <= np.finfo(np.float64).eps * max(X.shape) * s.max(initial=0)] = 0  # all that rounding leaves of nothing
    return origin + shift, *_with_constant_columns(s, directions, varies, min(X.shape))


def covariance_eigh(X):
    """What `full` returns, from the eigenvectors of the scatter (D, D): several times as fast where N is large.

    What is lost: the eigenvalues are squares, s^2, and rounding blurs all of them by about epsilon times their sum. So
    singular values below sqrt(epsilon) times the largest are lost, and their directions with them: with the epsilon of
    X's dtype, those below 1.5e-8 times the largest for float64, and 3e-4 times for float32.
    """
    mean, scatter = mean_and_scatter(X)  # (D,), (D, D)
    if not 1e-20 < scatter.trace() < 1e30:  # float32 squares go from 1e-38 to 3e38, and the sum must not be near that
        if exponent := safe_exponent(X, limit=1e8):
            return _scaled(covariance_eigh, X, exponent)
    varies = scatter.diagonal() > 0  # (D,)
    squares, vectors = np.linalg.eigh(scatter[np.ix_(varies, varies)])  # (D',), (D', D'): a column each, ascending
    squares[squares <= np.finfo(X.dtype).eps * squares.sum()] = 0  # all that rounding leaves of nothing
    return mean, *_with_constant_columns(np.sqrt(squares[::-1]), vectors.T[::-1], varies, min(X.shape))


def mean_and_scatter(X):
    """The mean m (D,) of X (N, D) and its scatter A.T @ A (D, D), both float64, in one pass over X.

    Seen from an origin o near the data, so that no digits are lost where the data lie far from 0:

        shift d = sum_n (x_n - o) / N,   m = o + d,   A.T @ A = sum_n (x_n - o).T (x_n - o) - N d.T d

    Within a block this is computed in X's dtype; blocks are added up in float64.
    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983), eq. 1.8.
    """
    n_samples, n_features = X.shape
    origin, total = _origin(X), np.zeros(n_features)  # (D,), (D,)
    scatter = np.zeros((n_features, n_features))  # (D, D)
    for rows in blocks(n_samples, n_features, at_least=4 * n_features):  # else adding up takes as long as products
        x = X[rows] - origin  # (B, D)
        total += np.ones(len(x), x.dtype) @ x
        scatter += x.T @ x
    shift = total / n_samples  # (D,)
    return origin + shift, scatter - n_samples * np.outer(shift, shift)


def _origin(X):
    """A point (D,) in the middle of the data, to within the spread of a thousand of them; exact in constant columns."""
    some = X[::1 + len(X) // 1000]  # (B, D)
    return X[0] + (some - X[0]).mean(axis=0)


def _with_constant_columns(s, directions, varies, n_directions):
    """Singular values and directions, where those given are of the columns that vary, varies (D,) bool, alone.

    A column that is constant is a direction of its own, without variance. Of digits it is a quarter of the pixels, and
    the time of a decomposition grows with the cube of the others.
    """
    widened = np.zeros((len(s), len(varies)))  # (D', D)
    widened[:, varies] = directions
    constant = np.eye(len(varies))[~varies]  # (D - D', D)
    return np.append(s, np.zeros(len(constant)))[:n_directions], np.concatenate([widened, constant])[:n_directions]


def _scaled(solver, X, exponent):
    """What `solver` returns for data whose squares are too large or too small. A power of two changes no digit."""
    mean, s, directions = solver(np.ldexp(X, -exponent))
    return np.ldexp(mean, exponent), np.ldexp(s, exponent), directions


SOLVERS = {"full": full, "covariance_eigh": covariance_eigh}


class PCA(Estimator):
    """Principal component analysis.

    n_components  C, from 1 to min(N, D); a number between 0 and 1: as few as keep more than that share of the
                  variance; None: min(N, D)
    whiten        divide each code by its standard deviation, so that the codes have variance 1 along every component;
                  along a component without variance they are 0
    svd_solver    "full": the singular value decomposition of the centred data, in float64; "covariance_eigh": the
                  eigenvectors of the covariance, faster where N is large, blind to small variances (see there); "auto":
                  "covariance_eigh" for up to 1000 features and 10 times as many samples at least, else "full"

    After `fit`:

    components_                (C, D) the directions, most variance first, of X's dtype. The sign of each is such that
                               its entry of largest absolute value is positive, as in scikit-learn
    mean_                      (D,) of X's dtype
    explained_variance_        (C,) float64, the variance of the codes, with N - 1 in the denominator (1 for N = 1);
                               inf where that is beyond float64
    explained_variance_ratio_  (C,) float64, as a share of the sum over all min(N, D); 0 if nothing varies
    singular_values_           (C,) float64, s; below rounding they are 0
    n_components_              C
    n_samples_                 N
    n_features_in_             D
    """

    _estimator_type = "transformer"

    def __init__(self, n_components=None, *, whiten=False, svd_solver="auto"):
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver

    def fit(self, X, y=None):
        """Find the components of X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for data or settings that are not possible, such as more components than features.
        """
        self._fit(X)
        return self

    def fit_transform(self, X, y=None):
        """Find the components of X (N, D) and return its codes, (N, C)."""
        return self._codes(self._fit(X))

    def _fit(self, X):
        """Find the components. Returns X as a float array."""
        columns, X = X, check_array(X, estimator="PCA")
        solver = SOLVERS[self._check_settings(X)]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # such data are taken up again, scaled
            mean, s, directions = solver(X)  # (D,), (M,), (M, D)
            shares = (s / s[0]) ** 2 if s[0] > 0 else s  # of the largest variance: (M,)
            ratio = shares / max(shares.sum(), 1)  # (M,)
            self.n_components_ = self._number_of_components(ratio)
            kept = slice(self.n_components_)
            self.explained_variance_ = (s[kept] / np.sqrt(max(len(X) - 1, 1))) ** 2  # (C,)
        self.explained_variance_ratio_, self.singular_values_ = ratio[kept], s[kept]  # (C,), (C,)
        self.components_, self.mean_ = _signed(directions[kept]).astype(X.dtype), mean.astype(X.dtype)  # (C, D), (D,)
        self.n_samples_, self._n_features_out = len(X), self.n_components_
        self._record_columns(columns, X.shape[1])
        return X

    def transform(self, X):
        """The codes (N, C) of X (N, D)."""
        self._check_fitted("components_")
        return self._codes(self._check_X(X))

    def _codes(self, X):
        """code = (x - m) @ W.T, divided by the standard deviation of each component if `whiten`."""
        codes = np.empty((len(X), self.n_components_), np.result_type(X, self.components_))  # (N, C)
        for rows in blocks(*X.shape):
            codes[rows] = (X[rows] - self.mean_) @ self.components_.T
        if self.whiten:
            deviation = self._deviation()  # (C,)
            codes /= np.where(deviation > 0, deviation, np.inf)
        return codes

    def inverse_transform(self, X):
        """The samples (N, D) that codes X (N, C) stand for:  x' = code @ W + m."""
        self._check_fitted("components_")
        codes = check_array(X, estimator="PCA")
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X has {codes.shape[1]} features, but PCA is expecting codes of "
                             f"{self.n_components_} features as input")
        W = self.components_ * self._deviation()[:, None] if self.whiten else self.components_  # (C, D)
        samples = np.empty((len(codes), W.shape[1]), np.result_type(codes, self.components_))  # (N, D)
        for rows in blocks(*samples.shape):
            samples[rows] = codes[rows] @ W + self.mean_
        return samples

    def _deviation(self):
        """The standard deviation of the codes along each component, (C,): from s, whose square may be beyond float64."""
        return self.singular_values_ / np.sqrt(max(self.n_samples_ - 1, 1))

    def _check_settings(self, X):
        """Refuse impossible settings, each with a sentence. Returns the name of the solver."""
        wanted, most = self.n_components, min(X.shape)
        words = (f"n_components must be None, an integer from 1 to min(n_samples, n_features)={most}, "
                 f"or a share of the variance between 0 and 1; got {wanted!r}")
        if wanted is not None:
            if isinstance(wanted, (bool, np.bool_)) or not isinstance(wanted, numbers.Real):
                raise TypeError(words)
            if not (1 <= wanted <= most if isinstance(wanted, numbers.Integral) else 0 < wanted < 1):
                raise ValueError(words)
        if not isinstance(self.whiten, (bool, np.bool_)):
            raise TypeError(f"whiten must be True or False; got {self.whiten!r}")
        check_choice("svd_solver", self.svd_solver, ("auto", *SOLVERS))
        if self.svd_solver != "auto":
            return self.svd_solver
        n_samples, n_features = X.shape
        return "covariance_eigh" if n_features <= 1000 and n_samples >= 10 * n_features else "full"

    def _number_of_components(self, ratio):
        """C, from the shares of the variance, ratio (M,)."""
        if self.n_components is None:
            return len(ratio)
        if isinstance(self.n_components, numbers.Integral):
            return int(self.n_components)
        too_few = np.count_nonzero(np.cumsum(ratio) <= self.n_components)
        return min(too_few + 1, len(ratio))


def _signed(directions):
    """The same directions (C, D), each with the sign that makes its entry of largest absolute value positive."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)  # (C, 1)
    return directions * np.sign(largest)  # (C, D)
