"""Principal axes: the twins are equal, what counts as rounding, and what the fast twin loses."""

import numpy as np
import pytest

from aelearn.pca.svd import auto, covariance_eigh, full, mean_and_scatter

pytestmark = pytest.mark.linear_algebra

EPS = np.finfo(np.float64).eps


def blur(X, s):
    """How far apart the eigenvalues of two scatters may be: see svd._blur, here for all N rows at once."""
    return EPS * (np.sqrt(len(X)) + X.shape[1]) * np.sum(s**2)


@pytest.mark.parametrize("shape", [(200, 6), (7, 7), (6, 30), (2, 5), (5000, 3), (1, 4), (20_000, 12)])
def test_the_twins_are_equal(rng, shape):
    X = rng.normal(size=shape) @ np.diag(np.geomspace(10, 1, shape[1])) - 3
    X[:, 1] = 0.1  # a constant column
    for a, b in zip(full(X), covariance_eigh(X)):
        assert a.shape == b.shape and a.dtype == b.dtype == np.float64
    (mean, s, V, shares), (other_mean, other_s, other_V, other_shares) = full(X), covariance_eigh(X)
    vary = s > 0  # of the others, any choice is right
    assert np.count_nonzero(vary) == min(shape[0] - 1, shape[1] - 1) == np.count_nonzero(other_s)
    # A mean moves by sqrt(N) eps times the entries. From eigenvalues to s: d(s^2) = 2 s ds. Directions turn by the blur
    # divided by the distance to the nearest other eigenvalue, and cosines fall with the square of that.
    np.testing.assert_allclose(other_mean, mean, rtol=0, atol=np.sqrt(len(X)) * EPS * np.abs(X).max())
    moves = blur(X, s)
    np.testing.assert_allclose(other_s[vary], s[vary], rtol=0, atol=moves / s[vary].min(initial=np.inf))
    gap = np.abs(np.diff(s[vary] ** 2, append=0)).min(initial=np.inf)
    np.testing.assert_allclose(np.abs(np.sum(V * other_V, axis=1))[vary], 1, rtol=0,
                               atol=(moves / gap) ** 2 + shape[1] * EPS)
    np.testing.assert_allclose(other_shares, shares, rtol=0, atol=2 * moves / max(np.sum(s**2), 1))
    for directions in (V, other_V):
        np.testing.assert_allclose(directions @ directions.T, np.eye(min(shape)), atol=4 * shape[1] * EPS)


def test_what_the_fast_twin_loses(rng):
    """A direction with 1e-9 of the largest deviation: 1e-18 of its square, below what float64 can add to it."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    X = np.linalg.qr(rng.normal(size=(50, 4)))[0][:, :3] * [1, 0.1, 1e-9]
    X = (X - X.mean(axis=0)) @ turn
    assert full(X)[1][2] == pytest.approx(1e-9, rel=0.1) == auto(X, 3)[1][2]
    assert covariance_eigh(X)[1][2] == 0 < auto(X, 3)[1][2]
    assert np.array_equal(auto(X, 2)[1], covariance_eigh(X, 2)[1])  # the other two are sharp


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


@pytest.mark.parametrize("solver", [full, auto])
@pytest.mark.parametrize("dtype, spread", [(np.float32, 1e6), (np.float64, 1e13)])
def test_a_small_column_beside_a_large_one(rng, solver, dtype, spread):
    """Columns are as they are given, so each is found with its own deviation, however large the other is."""
    X = (rng.normal(size=(3000, 2)) * [spread, 1]).astype(dtype)
    wanted = np.linalg.norm(X - X.mean(axis=0, dtype=np.float64), axis=0)
    np.testing.assert_allclose(solver(X, 2)[1], wanted, rtol=1e-2)


@pytest.mark.parametrize("solver", [full, auto, covariance_eigh])
def test_what_float32_makes_of_a_constant_is_no_direction(rng, solver):
    """Column 0 varies by what float32 rounds of 1e8 (numbers there are 8 apart), column 1 by 1, which is real."""
    X = np.column_stack([1e8 + rng.uniform(-8, 8, 2000), rng.normal(size=2000)]).astype(np.float32)
    assert X[:, 0].std(dtype=np.float64) > X[:, 1].std()
    _, s, directions, _ = solver(X, 2)
    assert s[1] == 0 < s[0] and abs(directions[0, 1]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("solver", [full, auto, covariance_eigh])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_samples, rank, n_features", [(99, 2, 10), (100, 2, 10), (5000, 7, 40), (30, 3, 60)])
def test_ranks(rng, solver, dtype, n_samples, rank, n_features):
    X = (rng.normal(size=(n_samples, rank)) @ rng.normal(size=(rank, n_features)) + 3).astype(dtype)
    assert np.count_nonzero(solver(X, min(X.shape))[1]) == rank
