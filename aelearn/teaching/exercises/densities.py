"""The exercises of lesson 12. Shapes: N points, D features, K components, M query points."""

import numpy as np

from aelearn.density.estimator import KernelDensity
from aelearn.mixture.covariances import n_free
from aelearn.mixture.em import log_joint, log_sum_exp, m_step
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_queries(rng):
    """Random ones, a single query point, and two points under a wide kernel."""
    n, m = sizes(rng, 2, low=3, high=9)
    return [{"points": rng.normal(size=n), "x": 2 * rng.normal(size=m), "h": rng.uniform(0.3, 0.8)},
            {"points": rng.normal(size=n), "x": rng.normal(size=1), "h": rng.uniform(0.3, 0.8)},
            {"points": np.array([0.0, 3.0]), "x": rng.normal(size=m), "h": 2.5}]


def _kernel_estimate(points, x, h):
    return np.exp(KernelDensity(h).fit(points[:, None]).score_samples(x[:, None]))


def _mixture_on_a_line(rng):
    """Points near the components; and some so far out that each density alone rounds to 0."""
    n, k = sizes(rng, 2, low=3, high=8)
    weights = rng.dirichlet(np.full(k, 3.0))
    shape = {"weights": weights, "means": 3 * rng.normal(size=k), "variances": rng.uniform(0.2, 3.0, k)}
    # Far out, components of the same width, or the widest one would be responsible for every point.
    far = {**shape, "means": np.linspace(0, 1e-3, k), "variances": np.full(k, 1.5)}
    return [{"x": 3 * rng.normal(size=n), **shape}, {"x": rng.uniform(500, 900, n) * rng.choice([-1, 1], n), **far}]


def _responsibilities(x, weights, means, variances):
    joint = log_joint(x[:, None], weights, means[:, None], 1 / np.sqrt(variances)[:, None])  # (N, K)
    return np.exp(joint - log_sum_exp(joint)[:, None])


def _points_and_shares(rng):
    n, d, k = sizes(rng, 3, low=3, high=8)
    r = rng.dirichlet(np.linspace(0.5, 2, k), size=2 * n)
    return {"X": rng.normal(size=(2 * n, d)) + 1, "r": r}


def _weights_and_means(X, r):
    return m_step(X, r, "spherical", 0)[:2]


def _log_densities(rng):
    k, d = sizes(rng, 2, low=2, high=7)
    return {"log_p": rng.normal(size=int(rng.integers(20, 60))) - 3, "n_components": k, "n_features": d}


def _bic(log_p, n_components, n_features):
    n_parameters = n_free("full", n_components, n_features) + n_components * n_features + n_components - 1
    return -2 * log_p.sum() + np.log(len(log_p)) * n_parameters


EXERCISES = {
    "kernel_estimate": Exercise(_points_and_queries, ("density",), answer=_kernel_estimate),
    "responsibilities": Exercise(_mixture_on_a_line, ("responsibilities",), answer=_responsibilities,
                                 blank="far out every density rounds to 0: subtract the largest logarithm of each row "
                                       "before exp",
                                 look=lambda r: "" if np.allclose(np.sum(r, axis=1), 1) else
                                 "each row should add up to 1"),
    "weights_and_means": Exercise(_points_and_shares, ("weights", "means"), answer=_weights_and_means),
    "bic": Exercise(_log_densities, ("bic",), answer=_bic),
}
