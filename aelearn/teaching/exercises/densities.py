"""The exercises of lesson 12. Shapes: N points, D features, K components, M query points, B rows of a block."""

import numpy as np

from aelearn.density.estimator import KernelDensity
from aelearn.mixture.covariances import n_free
from aelearn.mixture.em import log_joint, log_sum_exp, m_step
from aelearn.teaching.costs import Memory
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_queries(rng):
    """Random ones; a single query point; two points under a wide kernel; as many queries as points, among them the
    points themselves and one point twice; and queries in the tails of all bumps."""
    n, m = sizes(rng, 2, low=3, high=9)
    points = rng.normal(size=n)
    return [{"points": points, "x": 2 * rng.normal(size=m), "h": rng.uniform(0.3, 0.8)},
            {"points": rng.normal(size=n), "x": rng.normal(size=1), "h": rng.uniform(0.3, 0.8)},
            {"points": np.array([0.0, 3.0]), "x": rng.normal(size=m), "h": 2.5},
            {"points": np.append(points, points[0]), "x": np.append(points, 0.5), "h": rng.uniform(0.3, 0.8)},
            {"points": rng.uniform(-0.1, 0.1, n), "x": np.array([-3.1, 3.0, 2.6]), "h": 0.5}]


def _kernel_estimate(points, x, h):
    return np.exp(KernelDensity(h).fit(points[:, None]).score_samples(x[:, None]))


def _bumps(points, x, h):
    """The exponents -u^2 / 2 of all bumps, (M, N)."""
    return -((x[:, None] - points) / h) ** 2 / 2


ROOT = np.sqrt(2 * np.pi)

KERNEL_MISTAKES = {
    "the area under a bump must be 1: a bump of width h is 1/h as high": lambda points, x, h:
        (np.exp(_bumps(points, x, h)) / ROOT).mean(axis=1),
    "take the mean of the bumps, not their sum: what is the area under yours?": lambda points, x, h:
        (np.exp(_bumps(points, x, h)) / (ROOT * h)).sum(axis=1),
    "what is the factor before the exponential of a normal distribution?": lambda points, x, h:
        (np.exp(_bumps(points, x, h)) / h).mean(axis=1),
    "the exponent is minus half the square of u: where is the half?": lambda points, x, h:
        (np.exp(2 * _bumps(points, x, h)) / (ROOT * h)).mean(axis=1),
    "h is a standard deviation, and not a variance: is it squared with the distance?": lambda points, x, h:
        (np.exp(h * _bumps(points, x, h)) / np.sqrt(2 * np.pi * h)).mean(axis=1),
    "a mean over the points, for each position: which axis is which?": lambda points, x, h:
        (np.exp(_bumps(points, x, h)) / (ROOT * h)).mean(axis=0),
}


def _mixture_on_a_line(rng):
    """Points near the components, the first halfway between two equal ones; a single point; as many points as
    components; points so far out that each density alone rounds to 0; and components far from each other."""
    n, k = sizes(rng, 2, low=3, high=8)
    weights = rng.dirichlet(np.full(k, 3.0))
    shape = {"weights": weights, "means": 3 * rng.normal(size=k), "variances": rng.uniform(0.2, 3.0, k)}
    twins = {"weights": np.array([0.3, 0.3, 0.4]), "means": np.array([-1.0, 1.0, 0.5]),
             "variances": np.array([0.8, 0.8, 2.0])}
    # Far out, components of the same width, or the widest one would be responsible for every point; no farther than it
    # needs for exp to be 0, or float32 would have no digits left; and so that exp is 0 for a quotient of two points.
    far = {**shape, "means": np.linspace(0, 0.01, k), "variances": np.full(k, 1.5)}
    return [{"x": 3 * rng.normal(size=n), **shape}, {"x": np.append(0.0, rng.normal(size=n)), **twins},
            {"x": rng.normal(size=1), **twins}, {"x": rng.normal(size=3), **twins},
            {"x": np.append([50.0, -70.0], rng.uniform(50, 70, n) * rng.choice([-1, 1], n)), **far},
            {"x": np.array([0.0, 1.0, 99.0]), **twins, "means": np.array([0.0, 1.0, 100.0])}]


def _responsibilities(x, weights, means, variances):
    joint = log_joint(x[:, None], weights, means[:, None], 1 / np.sqrt(variances)[:, None])  # (N, K)
    return np.exp(joint - log_sum_exp(joint)[:, None])


def _shares(a, axis=1):
    """Numbers that add up to 1 along an axis, from their logarithms a (N, K) up to a constant."""
    r = np.exp(a - a.max(axis=axis, keepdims=True))
    return r / r.sum(axis=axis, keepdims=True)


def _exponents(x, means, variances):
    return -((x[:, None] - means) ** 2) / (2 * variances)  # (N, K)


def _logarithms(x, weights, means, variances):
    return np.log(weights) - np.log(2 * np.pi * variances) / 2 + _exponents(x, means, variances)  # (N, K)


E_STEP_MISTAKES = {
    "a component with a larger weight has a larger share: where are the weights?": lambda x, weights, means, variances:
        _shares(_logarithms(x, np.ones(len(weights)), means, variances)),
    "a wide component is a low one: where is the factor before its exponential?": lambda x, weights, means, variances:
        _shares(np.log(weights) + _exponents(x, means, variances)),
    "the factor before the exponential has a root: its logarithm has a half": lambda x, weights, means, variances:
        _shares(np.log(weights) - np.log(2 * np.pi * variances) + _exponents(x, means, variances)),
    "the variances are squares already: do not square them": lambda x, weights, means, variances:
        _shares(_logarithms(x, weights, means, variances**2)),
    "the shares of a point add up to 1, not those of a component: which axis?": lambda x, weights, means, variances:
        _shares(_logarithms(x, weights, means, variances), axis=0),
    "subtract the largest logarithm of each row, not the largest of all": lambda x, weights, means, variances:
        (lambda r: r / r.sum(axis=1, keepdims=True))(
            np.exp((lambda a: a - a.max())(_logarithms(x, weights, means, variances)))),
}


def _about_rows(r):
    """What a learner should read about wrong responsibilities."""
    if np.allclose(np.sum(r, axis=1), 1):
        return ""
    with np.errstate(over="ignore"):
        logarithms = np.allclose(np.sum(np.exp(r), axis=1), 1)
    return "these are logarithms: apply exp" if logarithms else "each row should add up to 1"


def _points_and_shares(rng):
    """Random ones, the last component with very little; and as many points, features and components, where a wrong
    product or axis raises no exception."""
    n, d, k = sizes(rng, 3, low=3, high=8)
    r = rng.dirichlet(np.linspace(0.5, 2, k), size=3 * n)
    little = np.column_stack([r * (1 - 1e-4), np.full(3 * n, 1e-4)])  # (3 N, K + 1)
    return [{"X": rng.normal(size=(3 * n, d)) + 1, "r": r}, {"X": rng.normal(size=(3 * n, d)) + 1, "r": little},
            {"X": rng.normal(size=(d, d)) + 1, "r": rng.dirichlet(np.linspace(0.5, 2, d), size=d)}]


def _weights_and_means(X, r):
    return m_step(X, r, "spherical", 0)[:2]


def _one_hot(r):
    return np.eye(r.shape[1])[r.argmax(axis=1)]  # (N, K)


M_STEP_MISTAKES = {
    "a weight is a share of the N points: the weights add up to 1": lambda X, r:
        (r.sum(axis=0), r.T @ X / r.sum(axis=0)[:, None]),
    "divide by each component's share of the points, not by their number": lambda X, r:
        (r.mean(axis=0), r.T @ X / len(X)),
    "these are sums: a weighted mean is divided by the sum of its weights": lambda X, r: (r.mean(axis=0), r.T @ X),
    "every point counts for every component, as much as r says: why the largest r only?": lambda X, r:
        (_one_hot(r).mean(axis=0), _one_hot(r).T @ X / _one_hot(r).sum(axis=0)[:, None]),
    "there is a weight for each component: over which axis of r do you take the mean?": lambda X, r:
        (r.mean(axis=1), r.T @ X / r.sum(axis=0)[:, None]),
}


def _blocks(rng):
    """Blocks of different numbers of rows, of one row, and a single block."""
    n, d, k = sizes(rng, 3, low=3, high=8)
    X, r = rng.normal(size=(3 * n, d)) + 1, rng.dirichlet(np.linspace(0.5, 2, k), size=3 * n)
    cuts = [{"ends": np.array([n, n + 1, 3 * n])}, {"ends": np.arange(1, 3 * n + 1)}, {"ends": np.array([3 * n])}]
    return [{"X": X, "r": r, **some} for some in cuts]


class Blocks:
    """An iterator over pairs that says so if it is read again. (Learners see its name in error messages.)"""

    def __init__(self, pairs):
        self.pairs, self.at_end = iter(pairs), False

    def __iter__(self):
        if self.at_end:
            raise ValueError("the blocks can be read only once")
        return self

    def __next__(self):
        try:
            return next(self.pairs)
        except StopIteration:
            self.at_end = True
            raise


def _with_blocks(answer, X, r, ends):
    """Call an answer with an iterator over blocks: copies of the rows up to each of these ends."""
    return answer(Blocks((X[start:end].copy(), r[start:end].copy()) for start, end in zip([0, *ends], ends)))


def _many_blocks(rng):
    """50 blocks of 300 points, made when they are asked for: 34 kB each, 1.7 MB all together."""
    return {"blocks": Blocks((rng.normal(size=(300, 10)), rng.dirichlet(np.ones(4), size=300)) for _ in range(50))}


def _means_in_one_pass(X, r, ends):
    return _weights_and_means(X, r)


def _from_sums(blocks):
    """What mistakes are made with: N, and the sums of r (K,) and of r.T @ X (K, D)."""
    parts = [(len(X), r.sum(axis=0), r.T @ X) for X, r in blocks]
    return tuple(sum(part) for part in zip(*parts))


def _means_of_blocks(blocks):
    each = [_weights_and_means(X, r) for X, r in blocks]
    return tuple(np.mean(part, axis=0) for part in zip(*each))


def _last_block(blocks):
    return [_weights_and_means(X, r) for X, r in blocks][-1]


def _sums_with(blocks, weights, means):
    n, counts, sums = _from_sums(blocks)
    return weights(n, counts), means(n, counts, sums)


ONE_PASS_MISTAKES = {
    "the mean of the blocks' results: blocks differ in size, so add up sums and divide at the end": _means_of_blocks,
    "that is the last block alone: add to the sums, do not replace them": _last_block,
    "a weight is a share of all points: count the points, and divide by their number": lambda blocks: _sums_with(
        blocks, lambda n, counts: counts, lambda n, counts, sums: sums / counts[:, None]),
    "divide the sums by those of r, not by the number of points": lambda blocks: _sums_with(
        blocks, lambda n, counts: counts / n, lambda n, counts, sums: sums / n),
}


def _log_densities(rng):
    """A mixture for which no two mistakes count as many parameters, and another one."""
    return [{"log_p": rng.normal(size=int(rng.integers(20, 60))) - 3, "n_components": k, "n_features": d}
            for k, d in ((3, 4), sizes(rng, 2, low=2, high=7))]


def _bic(log_p, n_components, n_features):
    n_parameters = n_free("full", n_components, n_features) + n_components * n_features + n_components - 1
    return -2 * log_p.sum() + np.log(len(log_p)) * n_parameters


def _penalised(log_p, n_parameters, price=None):
    return -2 * log_p.sum() + n_parameters * (np.log(len(log_p)) if price is None else price)


BIC_MISTAKES = {
    "the weights add up to 1: how many of the K are free?": lambda log_p, K, D:
        _penalised(log_p, K * (D + D * (D + 1) / 2) + K),
    "a covariance is symmetric: not all of its D squared numbers are free": lambda log_p, K, D:
        _penalised(log_p, K * (D + D**2) + K - 1),
    "the weights are parameters too": lambda log_p, K, D: _penalised(log_p, K * (D + D * (D + 1) / 2)),
    "every component has a covariance of its own": lambda log_p, K, D:
        _penalised(log_p, K * D + D * (D + 1) / 2 + K - 1),
    "this is the AIC: the BIC's price of a parameter is log N": lambda log_p, K, D:
        _penalised(log_p, K * (D + D * (D + 1) / 2) + K - 1, price=2),
    "L is the sum of the log densities, not their mean": lambda log_p, K, D:
        _penalised(log_p, K * (D + D * (D + 1) / 2) + K - 1) + 2 * log_p.sum() - 2 * log_p.mean(),
}


EXERCISES = {
    "kernel_estimate": Exercise(_points_and_queries, ("density",), answer=_kernel_estimate, mistakes=KERNEL_MISTAKES),
    "responsibilities": Exercise(_mixture_on_a_line, ("responsibilities",), answer=_responsibilities,
                                 mistakes=E_STEP_MISTAKES,
                                 blank="far out every density rounds to 0: subtract the largest logarithm of each row "
                                       "before exp",
                                 look=_about_rows),
    "weights_and_means": Exercise(_points_and_shares, ("weights", "means"), answer=_weights_and_means,
                                  mistakes=M_STEP_MISTAKES),
    "means_in_one_pass": Exercise(_blocks, ("weights", "means"), answer=_means_in_one_pass, call=_with_blocks,
                                  mistakes=ONE_PASS_MISTAKES,
                                  costs=(Memory(_many_blocks, lambda blocks: 400_000),)),
    "bic": Exercise(_log_densities, ("bic",), answer=_bic, mistakes=BIC_MISTAKES),
}
