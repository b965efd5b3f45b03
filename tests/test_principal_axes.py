"""Principal axes: the twins are equal, and what the fast one loses."""

import numpy as np
import pytest

from aelearn.principal_axes import covariance_eigh, full, mean_and_scatter


@pytest.mark.parametrize("shape", [(200, 6), (7, 7), (6, 30), (2, 5), (5000, 3), (1, 4), (20_000, 12)])
def test_the_twins_are_equal(rng, shape):
    X = rng.normal(size=shape) @ np.diag(np.geomspace(10, 1, shape[1])) - 3
    X[:, 1] = 0.1  # a constant column
    for a, b in zip(full(X), covariance_eigh(X)):
        assert a.shape == b.shape and a.dtype == b.dtype == np.float64
    (mean, s, V), (other_mean, other_s, other_V) = full(X), covariance_eigh(X)
    np.testing.assert_allclose(other_mean, mean, atol=1e-13)
    np.testing.assert_allclose(other_s, s, atol=1e-10)
    vary = s > 0  # of the others, any choice is right
    assert np.count_nonzero(vary) == min(shape[0] - 1, shape[1] - 1) == np.count_nonzero(other_s)
    np.testing.assert_allclose(np.abs(np.sum(V * other_V, axis=1))[vary], 1, atol=1e-10)  # the same but for the sign
    for directions in (V, other_V):
        np.testing.assert_allclose(directions @ directions.T, np.eye(min(shape)), atol=1e-12)


def test_what_the_fast_twin_loses(rng):
    """A direction with 1e-9 of the largest deviation: 1e-18 of its square, below what float64 can add to it."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    X = np.linalg.qr(rng.normal(size=(50, 4)))[0][:, :3] * [1, 0.1, 1e-9]
    X = (X - X.mean(axis=0)) @ turn
    assert full(X)[1][2] == pytest.approx(1e-9, rel=0.1)
    assert covariance_eigh(X)[1][2] == 0


@pytest.mark.parametrize("offset", [0, 1000])
def test_float32_products_lose_little_even_far_from_0(rng, offset):
    X = (rng.normal(size=(30_000, 8)) * np.geomspace(3, 1, 8) @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
         + offset).astype(np.float32)
    mean, scatter = mean_and_scatter(X)
    A = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(mean, X.mean(axis=0, dtype=np.float64), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(scatter, A.T @ A, rtol=0, atol=2e-6 * np.trace(A.T @ A))
    np.testing.assert_allclose(covariance_eigh(X)[1], full(X)[1], rtol=1e-5)


def test_sorted_data_whose_start_says_little_about_the_rest(rng):
    X = (rng.normal(size=(50_000, 3)) * [3, 2, 1]).astype(np.float32)
    X = X[np.argsort(X[:, 0])]
    X[:100, 0] += 100
    np.testing.assert_allclose(covariance_eigh(X)[1], full(X)[1], rtol=1e-5)
