"""A mixture of Gaussians, fitted by EM: k-means with soft labels, and with clusters of any size and shape.

Shapes: N samples, D features, K components, B rows of a block.

The model generates a point in two draws: a component k with probability weights[k], then a point from that component's
normal distribution. So the density of points is

    p(x) = sum_k weights[k] Normal(x | means[k], covariances[k])                                               (9.7)

The parameters are found by EM (em.py), which maximises the likelihood of X. Like k-means it alternates between
assigning points to clusters and updating the clusters, but a point belongs to every component with some probability.

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 9.2, whose equation numbers are used here.
The normal distributions are in gaussians.py.
"""

import numpy as np

from aelearn.core.arrays import check_squarable, largest_squarable
from aelearn.core.base import Estimator
from aelearn.core.progress import progress
from aelearn.core.validation import (
    ConvergenceWarning,
    as_array,
    check_array,
    check_choice,
    check_integer,
    check_number,
    check_verbose,
    generator,
    warn,
)
from aelearn.kmeans import KMeans
from aelearn.mixture import em
from aelearn.mixture.covariances import KINDS, n_free, per_component, row_blocks, shape_of
from aelearn.mixture.em import factors_for, log_joint, log_sum_exp, m_step, responsibilities
from aelearn.mixture.gaussians import factor_of_precision, from_standard


class GaussianMixture(Estimator):
    """A mixture of K normal distributions, fitted by EM.

    n_components     K
    covariance_type  "full", "tied" (one covariance for all), "diag" or "spherical" (a single variance each)
    tol              stop when the mean log-likelihood changes by less than this; 0: always make max_iter iterations
    reg_covar        added to each variance
    max_iter         maximum number of iterations of a run
    n_init           how many starts; the run that ends with the highest likelihood is kept
    init_params      where the first responsibilities come from: "kmeans" (aelearn's own) or "random"
    weights_init     (K,), means_init (K, D), precisions_init (inverse covariances, shaped like covariances_): start
                     from these instead; if all three are given, nothing is drawn and only one run is made
    random_state     None, an int, a np.random.Generator or RandomState; `sample` also draws from it
    verbose          if not 0, `fit` shows a progress bar: starts, iterations, and the mean log-likelihood

    After `fit`, all arrays except history_ in X's dtype (float32 is rounded at the very end):

    weights_              (K,) the probability of each component; 0 if it has no points
    means_                (K, D)
    covariances_          (K, D, D), (D, D), (K, D) or (K,), for "full", "tied", "diag" or "spherical"
    precisions_cholesky_  of the same shape: U with U @ U.T = inverse(covariance), upper triangular
    converged_, n_iter_   whether the best run converged within max_iter iterations; how many it made
    history_              (n_iter_,) the mean log-likelihood that each iteration found. With reg_covar=0 it never
                          decreases (except in the last digits); reg_covar moves the M step away from its optimum, and
                          it may decrease slightly
    lower_bound_          the last of them
    n_features_in_        D

    The same seed gives the same bits on the same number of BLAS threads.
    """

    _estimator_type = "density_estimator"

    def __init__(self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100, n_init=1,
                 init_params="kmeans", weights_init=None, means_init=None, precisions_init=None, random_state=None,
                 verbose=0):
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
        self.verbose = verbose

    def fit(self, X, y=None):
        """Fit the mixture to X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for invalid data or settings, and ValueError if a covariance is not positive
        definite in spite of reg_covar. Warns (ConvergenceWarning) if the best run did not converge, and if a
        component has no points.
        """
        self._check_settings()
        X = self._check_training_data(X)
        if len(X) < self.n_components:
            raise ValueError(f"Expected n_samples >= n_components but got n_components = {self.n_components}, "
                             f"n_samples = {len(X)}")
        check_squarable(X, "X", "covariances")
        check_number("reg_covar", self.reg_covar, 0, largest_squarable(X.dtype) ** 2)  # a variance
        given, rng = self._check_start(X.shape[1]), generator(self.random_state)
        r = np.empty((len(X), self.n_components), order="F")  # (N, K), overwritten by each run
        n_starts, best = 1 if _complete(given) else self.n_init, None
        with progress(self.verbose, unit="iteration") as bar:
            for number in range(1, n_starts + 1):
                bar.text, bar.n = f"start {number} of {n_starts}", 0
                run = em.run(X, self._start(X, given, rng, r), r, kind=self.covariance_type,
                             reg_covar=float(self.reg_covar), tol=self.tol, max_iter=self.max_iter,
                             after_iteration=bar.advance)
                if best is None or run.history[-1] > best.history[-1]:
                    best = run
        self._kind = self.covariance_type  # the setting may be changed before the next fit
        self.weights_ = best.weights.astype(X.dtype)
        self.means_ = best.means.astype(X.dtype)
        self.covariances_ = best.covariances.astype(X.dtype)
        self.precisions_cholesky_ = best.factors.astype(X.dtype)
        self.history_, self.lower_bound_ = np.array(best.history), best.history[-1]
        self.converged_, self.n_iter_ = best.converged, len(best.history)
        if not best.converged:
            warn(f"The best run did not converge in max_iter={self.max_iter} iterations: "
                 "raise max_iter or tol, or try other starts.", ConvergenceWarning)
        if not best.weights.all():
            warn(f"{np.count_nonzero(best.weights == 0)} of n_components={self.n_components} components have "
                 "no points. Possibly due to duplicate points in X.", ConvergenceWarning)
        return self

    def _start(self, X, given, rng, r):
        """Weights, means and factors: those that are given; the others by an M step from the first r (N, K)."""
        if _complete(given):
            return given
        weights, means, factors = given
        if self.init_params == "kmeans":
            labels = KMeans(self.n_components, random_state=rng).fit(X).labels_  # (N,)
            r[...] = labels[:, None] == np.arange(self.n_components)
        else:
            r[...] = rng.random(r.shape)
            r /= r.sum(axis=1, keepdims=True)
        new_weights, new_means, covariances = m_step(X, r, self.covariance_type, float(self.reg_covar))
        return (new_weights if weights is None else weights, new_means if means is None else means,
                factors_for(X, new_means, covariances, self.covariance_type) if factors is None else factors)

    def _parameters_in_use(self):
        """Weights (K,), means (K, D) and factors (K, D, D) or (K, D) in float64, as `log_joint` takes them."""
        weights, means, factors = (part.astype(np.float64)
                                   for part in (self.weights_, self.means_, self.precisions_cholesky_))
        return weights, means, per_component(factors, self._kind, *means.shape)

    def _log_joints(self, X):
        """For each block of X (N, D), its rows and their `log_joint` (B, K)."""
        parameters = self._parameters_in_use()
        for rows in row_blocks(X):
            yield rows, log_joint(X[rows].astype(np.float64, copy=False), *parameters)

    def _check(self, X):
        """X as a float array (N, D); the mixture must be fitted."""
        self._check_fitted("means_")
        return self._check_X(X)

    def score_samples(self, X):
        """log p(x) of each row of X (N, D): (N,) float64. It is never infinite: it is limited to about -1e289."""
        X = self._check(X)
        return np.concatenate([log_sum_exp(joint) for _, joint in self._log_joints(X)])

    def score(self, X, y=None):
        """The mean of log p(x) over the rows of X (N, D): higher is better."""
        return float(self.score_samples(X).mean())

    def predict_proba(self, X):
        """The responsibilities: the probability that component k generated row n of X (N, D). Returns (N, K)."""
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
        """The number of free parameters; the last weight follows from the others."""
        return n_free(self._kind, *self.means_.shape) + self.means_.size + len(self.means_) - 1

    def _check_settings(self):
        """Raise ValueError or TypeError for an invalid setting."""
        check_integer("n_components", self.n_components, 1)
        check_choice("covariance_type", self.covariance_type, KINDS)
        check_number("tol", self.tol, 0)
        check_integer("max_iter", self.max_iter, 1)
        check_integer("n_init", self.n_init, 1)
        check_choice("init_params", self.init_params, ("kmeans", "random"))
        check_verbose(self.verbose)

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
            check_squarable(means, "means_init", "covariances")
        return weights, means, None if precisions is None else factor_of_precision(precisions, kind)


def _given(value, name, shape):
    """`value` as a float64 array of this shape. None stays None."""
    if value is None:
        return None
    array = as_array(value, name)
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}; got {array.shape}")
    return check_array(array.reshape(shape[0], -1), name=name).reshape(shape).astype(np.float64)


def _complete(start):
    """True if weights, means and factors are all given."""
    return all(part is not None for part in start)
