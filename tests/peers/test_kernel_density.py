"""Densities against SciPy's and scikit-learn's, in the form in which each can be compared. Skipped without them.

A number as the bandwidth means the same to scikit-learn; "scott" and "silverman" mean the same to SciPy, and to
scikit-learn on whitened data alone.
"""

import numpy as np
import pytest

from aelearn import KernelDensity
from aelearn.density.kernel_sums import log_constant

stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed (extra: peers)")
neighbors = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is not installed (extra: peers)")

KERNELS = ("gaussian", "epanechnikov")


def data_sets():
    """Data of different shape and scale: name, X, points to look at."""
    rng = np.random.default_rng(0)
    for n, n_features in ((300, 1), (900, 2), (1500, 3), (400, 7)):
        X = rng.normal(size=(n, n_features)) @ rng.normal(size=(n_features, n_features))
        yield f"normal {n_features}", X, np.concatenate([X[:100], rng.normal(size=(100, n_features)) * 2])
    blobs = np.concatenate([rng.normal(size=(200, 2)) * s + m for s, m in ((1, 0), (0.1, 5), (3, -9))])
    yield "blobs", blobs, rng.uniform(-15, 10, (200, 2))
    yield "uneven units", rng.normal(size=(500, 3)) * [1e-3, 1, 1e3] + [0, 10, 1e4], rng.normal(size=(50, 3))
    yield "duplicates", np.repeat(rng.normal(size=(40, 2)), 5, axis=0), rng.normal(size=(50, 2))


SETS = [pytest.param(X, x, id=name) for name, X, x in data_sets()]


def whitened(X):
    """X (N, D) with the identity as its covariance."""
    root = np.linalg.cholesky(np.atleast_2d(np.cov(X.T)))
    return np.linalg.solve(root, (X - X.mean(axis=0)).T).T


@pytest.mark.parametrize("X, x", SETS)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("h", [0.1, 0.7, 5.0, 300.0])
def test_a_number_means_what_it_means_to_scikit_learn(X, x, kernel, h):
    ours = KernelDensity(h, kernel=kernel).fit(X)
    theirs = neighbors.KernelDensity(bandwidth=h, kernel=kernel, leaf_size=len(X)).fit(X)  # a tree without branches
    got, wanted = ours.score_samples(x), theirs.score_samples(x)
    assert np.array_equal(np.isinf(got), np.isinf(wanted))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)
    assert ours.bandwidth_ == theirs.bandwidth_ and ours.score(X) == pytest.approx(theirs.score(X), rel=1e-9)
    # With branches, its sums and differences of bounds leave errors the size of the 16th digit of the largest sum. In
    # the tails, where the density itself is no larger, its answer is not one to compare with.
    wanted = neighbors.KernelDensity(bandwidth=h, kernel=kernel).fit(X).score_samples(x)
    tail = got < log_constant(kernel, X.shape[1]) - X.shape[1] * np.log(h) - 14
    np.testing.assert_allclose(got[~tail], wanted[~tail], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("X, x", SETS)
@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_the_rules_mean_what_they_mean_to_scipy(X, x, rule):
    ours, theirs = KernelDensity(rule).fit(X), stats.gaussian_kde(X.T, bw_method=rule)
    assert ours.bandwidth_ == pytest.approx(theirs.factor, rel=4 * np.finfo(float).eps)  # one power on either side
    np.testing.assert_allclose(ours.bandwidth_**2 * ours.shape_ @ ours.shape_.T, theirs.covariance, rtol=1e-9)
    for points in (X[:200], x):
        np.testing.assert_allclose(ours.score_samples(points), theirs.logpdf(points.T), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("X", [pytest.param(X, id=name) for name, X, _ in data_sets()])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_the_rules_on_whitened_data_mean_what_they_mean_to_scikit_learn(X, kernel, rule):
    Z = whitened(X)
    ours = KernelDensity(rule, kernel=kernel).fit(Z)
    theirs = neighbors.KernelDensity(bandwidth=rule, kernel=kernel).fit(Z)
    assert ours.bandwidth_ == pytest.approx(theirs.bandwidth_, rel=4 * np.finfo(float).eps)
    np.testing.assert_allclose(ours.score_samples(Z), theirs.score_samples(Z), rtol=1e-9, atol=1e-9)


def test_elsewhere_scikit_learns_rule_depends_on_the_units_and_ours_does_not():
    X = np.random.default_rng(0).normal(size=(200, 2))
    for K, moves in ((KernelDensity, False), (neighbors.KernelDensity, True)):
        metres, millimetres = (K(bandwidth="scott").fit(X * unit).score(X * unit) for unit in (1, 1000))
        assert (abs(millimetres + 400 * np.log(1000) - metres) > 1) == moves


@pytest.mark.parametrize("kernel", KERNELS)
def test_leave_one_out_is_what_scikit_learns_densities_without_each_point_say(kernel):
    X = np.random.default_rng(1).normal(size=(60, 2)) * [1, 0.3]
    found = KernelDensity("leave-one-out", kernel=kernel).fit(X).bandwidth_
    scores = []
    for h in found * np.array([0.7, 0.9, 1, 1.1, 1.4]):
        model = neighbors.KernelDensity(bandwidth=h, kernel=kernel)
        scores.append(sum(model.fit(np.delete(X, i, axis=0)).score(X[i:i + 1]) for i in range(len(X))))
    assert int(np.argmax(scores)) == 2


def test_samples_are_as_likely_as_scikit_learns():
    """scikit-learn draws from the Gaussian kernel alone."""
    X = np.random.default_rng(0).normal(size=(300, 3))
    theirs = neighbors.KernelDensity(bandwidth=0.8).fit(X)
    ours = KernelDensity(0.8).fit(X).sample(20_000, random_state=0)
    assert theirs.score(ours) / 20_000 == pytest.approx(theirs.score(theirs.sample(20_000, random_state=0)) / 20_000,
                                                        abs=0.03)


@pytest.mark.parametrize("use", [
    lambda K: K(bandwidth=0).fit(np.ones((5, 2))), lambda K: K(bandwidth=-1.0).fit(np.ones((5, 2))),
    lambda K: K(kernel="round").fit(np.ones((5, 2))), lambda K: K(bandwidth="best").fit(np.ones((5, 2))),
    lambda K: K(bandwidth=1.0).fit(np.full((3, 2), np.nan)), lambda K: K().score_samples(np.ones((3, 2))),
    lambda K: K(bandwidth=1.0).fit(np.eye(3)).score_samples(np.eye(4)), lambda K: K().sample(),
])
def test_errors_are_of_the_same_kind(use):
    for K in (neighbors.KernelDensity, KernelDensity):
        with pytest.raises(ValueError):
            use(K)
