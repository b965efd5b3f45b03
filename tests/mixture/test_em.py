"""EM's two steps by their equations, and its hard limit, k-means."""

import numpy as np
import pytest

from aelearn import KMeans, make_blobs
from aelearn.mixture.covariances import KINDS, SCATTER_ERROR
from aelearn.mixture.em import e_step, log_sum_exp, m_step, responsibilities
from aelearn.mixture.gaussians import ERROR
from tests.small import rounding

pytestmark = pytest.mark.linear_algebra


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_by_its_equations(rng, kind):
    """E and M step with loops, from Bishop's 9.23 to 9.27."""
    X, weights, means, deviations = rng.normal(size=(20, 2)), np.array([0.3, 0.7]), rng.normal(size=(2, 2)), [0.5, 2.0]
    joint = np.array([[weights[k] * np.exp(-np.sum((x - means[k]) ** 2) / (2 * deviations[k] ** 2))
                       / (2 * np.pi * deviations[k] ** 2) for k in range(2)] for x in X])
    r = np.empty((20, 2))
    value = e_step(X, weights, means, np.array([[1 / s, 1 / s] for s in deviations]), r)
    assert value == pytest.approx(np.mean(np.log(joint.sum(axis=1))), abs=rounding(20, np.abs(np.log(joint)).sum()))
    np.testing.assert_allclose(r, joint / joint.sum(axis=1, keepdims=True),
                               rtol=rounding(2, -np.log(joint)) + ERROR)

    got_weights, got_means, got = m_step(X, r, kind, 0.25)
    N_k = r.sum(axis=0)
    new_means = np.array([sum(r[n, k] * X[n] for n in range(20)) / N_k[k] for k in range(2)])
    full = np.array([sum(r[n, k] * np.outer(X[n] - new_means[k], X[n] - new_means[k]) for n in range(20)) / N_k[k]
                     for k in range(2)])
    wanted = {"full": full + 0.25 * np.eye(2), "tied": (N_k[:, None, None] * full).sum(axis=0) / 20 + 0.25 * np.eye(2),
              "diag": np.array([np.diag(c) for c in full]) + 0.25,
              "spherical": np.array([np.trace(c) / 2 for c in full]) + 0.25}[kind]
    np.testing.assert_allclose(got_weights, N_k / 20, rtol=rounding(20))
    np.testing.assert_allclose(got_means, new_means, atol=rounding(20, np.abs(X)))
    np.testing.assert_allclose(got, wanted, rtol=20 * np.finfo(float).eps / SCATTER_ERROR,
                               atol=rounding(20, np.square(X)))


def test_kmeans_is_the_hard_limit():
    """Equal weights and one small variance for all: responsibilities become the labels of the nearest means."""
    X = make_blobs(800, centers=4, n_features=3, cluster_std=1.5, random_state=3)[0]
    means = KMeans(4, random_state=0).fit(X).cluster_centers_
    r = np.empty((800, 4))
    e_step(X, np.full(4, 0.25), means, np.full((4, 3), 1e4), r)
    assert np.array_equal(r.argmax(axis=1), KMeans(4, init=means, max_iter=1).fit(X).labels_)
    assert np.isin(r, (0, 1)).all()


@pytest.mark.parametrize("far", [0.0, -1e5, -1e15, -5e289])
def test_responsibilities_add_up_to_1_however_far_out(far):
    r, log_p = responsibilities(far + np.array([[0.0, 0, 0], [0, -1e300, 0]]))
    np.testing.assert_allclose(r.sum(axis=1), 1, rtol=rounding(3))
    np.testing.assert_allclose(r, [[1 / 3, 1 / 3, 1 / 3], [0.5, 0, 0.5]], rtol=rounding(3))
    np.testing.assert_allclose(log_p, far + np.log([3, 2]), rtol=rounding(1))


def test_log_sum_exp_stays_in_range():
    assert log_sum_exp(np.full((1, 3), -np.inf)).tolist() == [-np.inf]
    assert log_sum_exp(np.array([[-1e5, -1e5], [1e5, 1e5], [0.0, -np.inf]])).tolist() == pytest.approx(
        [-1e5 + np.log(2), 1e5 + np.log(2), 0.0])
