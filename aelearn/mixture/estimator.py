"""A mixture of Gaussians, fitted by EM: k-means with soft labels, and with clusters of any size and shape.

Shapes: N samples, D features, K components, B rows of a block.

The model makes a point in two draws: a component k with probability weights[k], then a point from that component's
normal distribution. So the density of points is

    p(x) = sum_k weights[k] Normal(x | means[k], covariances[k])                                               (9.7)

The parameters are found by EM (em.py), which makes the points of X likely. Like k-means it goes to and fro between "who
belongs to whom" and "where are the groups", but a point belongs to all components, to each with some probability.

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 9.2, whose numbers the equations carry. The
normal distributions are in gaussians.py.
"""

import numpy as np

from aelearn.core.base import Estimator
from aelearn.core.validation import (
    ConvergenceWarning,
    as_array,
    check_array,
    check_choice,
    check_integer,
    check_number,
    generator,
    warn,
)
from aelearn.kmeans import KMeans
from aelearn.mixture import em
from aelearn.mixture.covariances import KINDS, n_free, row_blocks, shape_of, spread
from aelearn.mixture.em import factors_for, log_joint, log_sum_exp, m_step, responsibilities
from aelearn.mixture.gaussians import factor_of_precision, from_standard


class GaussianMixture(Estimator):
    """A mixture of K normal distributions, fitted by EM.

    n_components     K
    covariance_type  "full", "tied" (one covariance for all), "diag" or "spherical" (a single variance each)
    tol              stop when the mean log-likelihood changes by less; 0: make max_iter iterations
    reg_covar        added to each variance
    max_iter         most iterations of a run
    n_init           how many starts; the run that ends with the highest likelihood is kept
    init_params      where the first responsibilities come from: "kmeans" (aelearn's own) or "random"
    weights_init     (K,), means_init (K, D), precisions_init (inverse covariances, shaped like covariances_): start
                     from these instead; where all three are given, nothing is drawn and one run is made
    random_state     None, an int, a np.random.Generator or RandomState; `sample` draws from it, too

    After `fit`, all arrays but history_ in X's dtype (float32 is rounded at the very end):

    weights_              (K,) the probability of each component; 0 if it has no points
    means_                (K, D)
    covariances_          (K, D, D), (D, D), (K, D) or (K,), for "full", "tied", "diag" or "spherical"
    precisions_cholesky_  of the same shape: U with U @ U.T = inverse(covariance), upper triangular
    converged_, n_iter_   whether the best run came to its end before max_iter; its iterations
    history_              (n_iter_,) the mean log-likelihood that each iteration found. With reg_covar=0 it never falls
                          (but in the last digits); reg_covar moves the M step off its best point, and it may, a little
    lower_bound_          the last of them
    n_features_in_        D

    The same seed gives the same bits on the same number of BLAS threads.
    """

    _estimator_type = "density_estimator"

    def __init__(self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100, n_init=1,
                 init_params="kmeans", weights_init=None, means_init=None, precisions_init=None, random_state=None):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state

    def fit(self, X, y=None):
        """Fit the mixture to X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for data or settings that are not possible, and ValueError where a covariance is
        not positive definite in spite of reg_covar. Warns (ConvergenceWarning) where max_iter came before the end, and
        where a component has no points.
        """
        self._check_settings()
        X = self._check_training_data(X)
        if len(X) < self.n_components:
            raise ValueError(f"Expected n_samples >= n_components but got n_components = {self.n_components}, "
                             f"n_samples = {len(X)}")
        limit = 1e18 if X.dtype == np.float32 else 1e100
        _check_size(X, limit, "X")
        check_number("reg_covar", self.reg_covar, 0, limit**2)  # a variance, which X's dtype must hold
        given, rng = self._check_start(X.shape[1]), generator(self.random_state)
        n_runs = 1 if all(part is not None for part in given) else self.n_init
        r, best = np.empty((len(X), self.n_components), order="F"), None  # (N, K), the only one
        for _ in range(n_runs):
            history, converged, parameters = em.run(X, self._start(X, given, rng, r), r, kind=self.covariance_type,
                                                    reg_covar=float(self.reg_covar), tol=self.tol,
                                                    max_iter=self.max_iter)
            if best is None or history[-1] > best[0][-1]:
                best = history, converged, parameters
        history, self.converged_, parameters = best
        self._kind = self.covariance_type  # which may be set anew before the next fit
        self.weights_, self.means_, self.covariances_, self.precisions_cholesky_ = (
            part.astype(X.dtype) for part in parameters)
        self.history_, self.lower_bound_, self.n_iter_ = np.array(history), history[-1], len(history)
        if not self.converged_:
            warn(f"The best run did not converge in max_iter={self.max_iter} iterations: "
                 "raise max_iter or tol, or try other starts.", ConvergenceWarning)
        if not parameters[0].all():
            warn(f"{np.count_nonzero(parameters[0] == 0)} of n_components={self.n_components} components have "
                 "no points. Possibly due to duplicate points in X.", ConvergenceWarning)
        return self

    def _start(self, X, given, rng, r):
        """Weights, means and factors: those that are given; the others by an M step from the first r (N, K)."""
        weights, means, factors = given
        if all(part is not None for part in given):
            return given
        if self.init_params == "kmeans":
            labels = KMeans(self.n_components, random_state=rng).fit(X).labels_  # (N,)
            r[...] = labels[:, None] == np.arange(self.n_components)
        else:
            r[...] = rng.random(r.shape)
            r /= r.sum(axis=1, keepdims=True)
        its_weights, its_means, covariances = m_step(X, r, self.covariance_type, float(self.reg_covar))
        return (its_weights if weights is None else weights, its_means if means is None else means,
                factors_for(X, its_means, covariances, self.covariance_type) if factors is None else factors)

    def _parameters_in_use(self):
        """Weights (K,), means (K, D) and factors (K, D, D) or (K, D) as the steps take them, in float64."""
        weights, means, factors = (part.astype(np.float64)
                                   for part in (self.weights_, self.means_, self.precisions_cholesky_))
        return weights, means, spread(factors, self._kind, *means.shape)

    def _log_joints(self, X):
        """For each block of X (N, D), its rows and their `log_joint` (B, K)."""
        parameters = self._parameters_in_use()
        for rows in row_blocks(X):
            yield rows, log_joint(X[rows].astype(np.float64, copy=False), *parameters)

    def _check(self, X):
        """X as a float array (N, D) for a mixture that is fitted."""
        self._check_fitted("means_")
        return self._check_X(X)

    def score_samples(self, X):
        """log p(x) of each row of X (N, D): (N,) float64. What lies beyond -1e289 or so is that, and never infinite."""
        X = self._check(X)
        return np.concatenate([log_sum_exp(joint) for _, joint in self._log_joints(X)])

    def score(self, X, y=None):
        """The mean of log p(x) over the rows of X (N, D): higher is better."""
        return float(self.score_samples(X).mean())

    def predict_proba(self, X):
        """The responsibilities: how probable it is that component k has made row n of X (N, D). Returns (N, K)."""
        X = self._check(X)
        r = np.empty((len(X), len(self.means_)), np.result_type(X, self.means_))  # (N, K)
        for rows, joint in self._log_joints(X):
            r[rows] = responsibilities(joint)[0]  # (B, K)
        return r

    def predict(self, X):
        """The most probable component of each row of X (N, D): labels (N,) int64."""
        X = self._check(X)
        return np.concatenate([joint.argmax(axis=1) for _, joint in self._log_joints(X)])

    def fit_predict(self, X, y=None):
        """Fit the mixture to X (N, D) and return the most probable component of each row, (N,) int64."""
        return self.fit(X).predict(X)

    def sample(self, n_samples=1):
        """Draw new points: X (n_samples, D), and the component of each, (n_samples,), in ascending order."""
        self._check_fitted("means_")
        n_samples, rng = check_integer("n_samples", n_samples, 1), generator(self.random_state)
        weights, means, factors = self._parameters_in_use()
        labels = np.repeat(np.arange(len(means)), rng.multinomial(n_samples, weights / weights.sum()))  # (n_samples,)
        X = np.empty((n_samples, means.shape[1]), self.means_.dtype)  # (n_samples, D)
        for k, (mean, U) in enumerate(zip(means, factors)):
            rows = labels == k
            X[rows] = from_standard(rng.standard_normal((np.count_nonzero(rows), len(mean))), mean, U)
        return X, labels

    def aic(self, X):
        """Akaike's criterion (1974), -2 log-likelihood of X (N, D) + 2 parameters: lower is better."""
        return float(-2 * self.score_samples(X).sum() + 2 * self._n_parameters())

    def bic(self, X):
        """Schwarz's Bayesian criterion (1978), -2 log-likelihood of X (N, D) + log(N) parameters: lower is better."""
        log_p = self.score_samples(X)  # (N,)
        return float(-2 * log_p.sum() + np.log(len(log_p)) * self._n_parameters())

    def _n_parameters(self):
        """How many numbers can be chosen freely; the last weight follows from the others."""
        return n_free(self._kind, *self.means_.shape) + self.means_.size + len(self.means_) - 1

    def _check_settings(self):
        """Refuse impossible settings, each with a sentence."""
        check_integer("n_components", self.n_components, 1)
        check_choice("covariance_type", self.covariance_type, KINDS)
        check_number("tol", self.tol, 0)
        check_integer("max_iter", self.max_iter, 1)
        check_integer("n_init", self.n_init, 1)
        check_choice("init_params", self.init_params, ("kmeans", "random"))

    def _check_start(self, n_features):
        """weights_init, means_init and the factors of precisions_init in float64; None for what is not given."""
        K, D, kind = int(self.n_components), n_features, self.covariance_type
        weights = _given(self.weights_init, "weights_init", (K,))
        means = _given(self.means_init, "means_init", (K, D))
        precisions = _given(self.precisions_init, "precisions_init", shape_of(kind, K, D))
        # Weights may have been divided by their sum in float32: K roundings.
        if weights is not None and (weights.min() < 0 or abs(weights.sum() - 1) > (K + 8) * np.finfo(np.float32).eps):
            raise ValueError(f"weights_init must not be negative and must add up to 1; got {weights}")
        if means is not None:
            _check_size(means, 1e100, "means_init")
        return weights, means, None if precisions is None else factor_of_precision(precisions, kind)


def _given(value, name, shape):
    """`value` as a float64 array of this shape. None stays None."""
    if value is None:
        return None
    array = as_array(value, name)
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}; got {array.shape}")
    return check_array(array.reshape(shape[0], -1), name=name).reshape(shape).astype(np.float64)


def _check_size(X, limit, name):
    """Refuse numbers whose squares, which covariances are, leave the range of floats."""
    largest = max(float(X.max()), -float(X.min()))
    if largest > limit:
        raise ValueError(f"{name} has entries as large as {largest:.3g}, and covariances are squares: entries of "
                         f"{X.dtype} must not exceed {limit:.0e} here; divide them by a constant first")
