"""EM, expectation and maximisation: how the parameters of a Gaussian mixture are found. Arithmetic, no state.

Shapes: N samples, D features, K components, B rows of a block.

A mixture's density is a weighted sum of normal densities:

    p(x) = sum_k weights[k] Normal(x | means[k], covariances[k])                                               (9.7)

EM looks for parameters under which the points of X are likely. It alternates two steps, neither of which can lower the
likelihood (except for reg_covar, which moves the M step away from its optimum):

    E    r[n, k] = weights[k] Normal(x_n | means[k], covariances[k]) / p(x_n),                                (9.23)
         the responsibilities: the probability that component k generated point n
    M    each component takes the mean and the covariance of all points, point n weighted by r[n, k]  (9.24 to 9.27)

"E" stands for expectation: r are the expected memberships. "M" stands for maximisation: the parameters maximise the
likelihood given r. k-means is the hard limit, in which r[n, k] is 1 or 0 and all clusters are balls of the same size.

Sources: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm" (1977); Bishop,
"Pattern Recognition and Machine Learning" (2006), section 9.2, whose equation numbers are used here.

In hundreds of dimensions densities overflow or underflow. So everything here works with their logarithms, and in
float64 whatever the dtype of X.
"""

from dataclasses import dataclass

import numpy as np

from aelearn.core.progress import unwatched
from aelearn.mixture.covariances import (
    MATRICES,
    per_component,
    row_blocks,
    scatter_diagonals,
    scatter_matrices,
    weighted_sums,
)
from aelearn.mixture.gaussians import log_normal, precision_factor


@dataclass(frozen=True)
class Run:
    """The result of EM from one start.

    history    the mean log-likelihood that each E step found, a list of floats
    converged  False: it stopped at max_iter
    weights (K,), means (K, D), covariances of their kind, and factors, of the same shape as covariances
    """

    history: list
    converged: bool
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    factors: np.ndarray


def log_joint(x, weights, means, factors):
    """log(weights[k] Normal(x[b] | means[k], covariances[k])), (B, K), for x (B, D); the rest as in `e_step`."""
    with np.errstate(divide="ignore"):  # the logarithm of a weight of 0 is -inf
        return np.log(weights) + log_normal(x, means, factors)  # (B, K)


def log_sum_exp(a):
    """log(sum_k exp(a[b, k])) for each row of a (B, K), without overflow or underflow. Returns (B,)."""
    largest = np.maximum(a.max(axis=1), -np.finfo(np.float64).max)  # (B,); finite, so that a row of -inf gives -inf
    with np.errstate(divide="ignore"):
        return largest + np.log(np.exp(a - largest[:, None]).sum(axis=1))


def responsibilities(joint):
    """r[b, k] = weights[k] Normal(x_b | ...) / p(x_b) and log p(x_b), from their logarithms `joint` (B, K): 9.23, 9.7.

    Both are divided by the largest joint density of the row first. That does not change r and keeps p within range, so
    the r of a row add up to 1 however large or small its log p is. Returns (B, K) and (B,).
    """
    largest = joint.max(axis=1)  # (B,)
    r = np.exp(joint - largest[:, None])  # (B, K)
    p = r.sum(axis=1)  # (B,)
    r /= p[:, None]
    return r, largest + np.log(p)


def e_step(X, weights, means, factors, r):
    """Write the responsibilities of X (N, D) into r (N, K); return the mean log-likelihood of a point, a float.

    weights (K,), means (K, D), factors U (K, D, D) or, diagonals, (K, D), with U @ U.T = inverse(covariance).
    """
    log_likelihood = 0.0
    for rows in row_blocks(X):
        x = X[rows].astype(np.float64, copy=False)  # (B, D)
        r[rows], log_p = responsibilities(log_joint(x, weights, means, factors))  # (B, K), (B,)
        log_likelihood += float(log_p.sum())
    return log_likelihood / len(X)


def m_step(X, r, kind, reg_covar):
    """The parameters that maximise the likelihood of X (N, D), given r (N, K): weights (K,), means (K, D), covariances.

    reg_covar is added to each variance, so that a component with few points keeps some width.
    """
    counts = r.sum(axis=0)  # 9.27: (K,)
    weights = counts / len(X)  # 9.26: (K,)
    counts = np.maximum(counts, np.finfo(np.float64).tiny)  # (K,); a component without points: mean 0, scatter 0
    sums, squares = weighted_sums(X, r, squares=kind not in MATRICES)  # (K, D), (K, D) or None
    means = sums / counts[:, None]  # 9.24: (K, D)
    if kind in MATRICES:
        S = scatter_matrices(X, r, means)  # (K, D, D)
        covariances = S / counts[:, None, None]  # 9.25: (K, D, D)
        if kind == "tied":
            covariances = S.sum(axis=0) / len(X)  # the mean of 9.25, weighted: (D, D)
    else:
        S = scatter_diagonals(X, r, means, squares)  # (K, D)
        covariances = S / counts[:, None]  # the diagonals of 9.25: (K, D)
        if kind == "spherical":
            covariances = covariances.mean(axis=1)  # their means: (K,)
    return weights, means, covariances + reg_covar * (np.eye(X.shape[1]) if kind in MATRICES else 1)


def factors_for(X, means, covariances, kind):
    """The precision factors U of covariances: see `precision_factor`. X's dtype must be able to hold the variances."""
    return precision_factor(covariances, kind, means, np.finfo(X.dtype).tiny, max(len(X), 2))


def run(X, start, r, *, kind, reg_covar, tol, max_iter, after_iteration=unwatched):
    """Alternate both steps on X (N, D) until the mean log-likelihood changes by less than tol, at most max_iter times.

    start  weights (K,), means (K, D) and factors, shaped like covariances of this kind
    r      (N, K), overwritten
    tol    with 0 all max_iter iterations are made: no change is less
    after_iteration  called with log_likelihood=..., the mean log-likelihood that the iteration found

    Returns a Run. Raises ValueError if a covariance is not positive definite.
    """
    weights, means, factors = start
    history, converged = [], False
    while not converged and len(history) < max_iter:
        history.append(e_step(X, weights, means, per_component(factors, kind, *means.shape), r))
        weights, means, covariances = m_step(X, r, kind, reg_covar)
        factors = factors_for(X, means, covariances, kind)
        converged = len(history) > 1 and abs(history[-1] - history[-2]) < tol
        after_iteration(log_likelihood=history[-1])
    return Run(history, converged, weights, means, covariances, factors)
