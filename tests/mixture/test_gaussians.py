"""Normal distributions: the density by its definition, factors that are what they claim, and singular covariances."""

import numpy as np
import pytest

from aelearn.mixture.covariances import KINDS, per_component, scatter_diagonals, shape_of, weighted_sums
from aelearn.mixture.gaussians import (
    ERROR,
    factor_of_precision,
    from_standard,
    inverse_of_lower,
    log_normal,
    precision_factor,
    squared_length,
    squared_lengths,
)
from tests.small import rounding

pytestmark = pytest.mark.linear_algebra

TINY = np.finfo(np.float64).tiny


def random_covariances(kind, K, D, rng):
    A = rng.normal(size=(*shape_of(kind, K, D), D)) if kind == "diag" else rng.normal(size=shape_of(kind, K, D))
    if kind in ("full", "tied"):
        return A @ A.swapaxes(-1, -2) + 0.1 * np.eye(D)
    return np.square(A).mean(axis=-1) + 0.1 if kind == "diag" else np.square(A) + 0.1


def as_matrices(values, kind, K, D):
    """Covariances, precisions or factors of any kind written out in full, (K, D, D)."""
    each = per_component(values, kind, K, D)
    return each if each.ndim == 3 else np.stack([np.diag(row) for row in each])


def condition(covariances, kind):
    """The largest condition number: so much larger than rounding can the error of an inverse be."""
    return np.linalg.cond(covariances).max() if kind in ("full", "tied") else covariances.max() / covariances.min()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K, D", [(1, 1), (3, 1), (2, 5), (2, 33), (1, 130)])
def test_factors_invert_the_covariance(rng, kind, K, D):
    covariances, means = random_covariances(kind, K, D, rng), rng.normal(size=(K, D))
    U = precision_factor(covariances, kind, means, TINY)
    assert U.shape == covariances.shape == shape_of(kind, K, D)
    matrix = as_matrices(U, kind, K, D)
    assert (np.tril(matrix, -1) == 0).all()
    np.testing.assert_allclose(matrix @ matrix.swapaxes(1, 2) @ as_matrices(covariances, kind, K, D),
                               np.broadcast_to(np.eye(D), (K, D, D)), atol=condition(covariances, kind) * rounding(D))
    precisions = U @ U.swapaxes(-1, -2) if kind in ("full", "tied") else U * U
    np.testing.assert_allclose(factor_of_precision(precisions, kind), U,
                               atol=condition(covariances, kind) * rounding(D, np.abs(U)))


@pytest.mark.parametrize("kind", KINDS)
def test_density_by_its_definition(rng, kind):
    K, D = 3, 4
    x, means, covariances = rng.normal(size=(7, D)), rng.normal(size=(K, D)), random_covariances(kind, K, D, rng)
    got = log_normal(x, means, per_component(precision_factor(covariances, kind, means, TINY), kind, K, D))
    for k, C in enumerate(as_matrices(covariances, kind, K, D)):
        for b in range(7):
            d = x[b] - means[k]
            density = np.exp(-d @ np.linalg.inv(C) @ d / 2) / np.sqrt((2 * np.pi) ** D * np.linalg.det(C))
            error = condition(covariances, kind) * rounding(D, d @ np.linalg.inv(C) @ d + D)  # of |z|^2 and of log det
            assert got[b, k] == pytest.approx(np.log(density), abs=error + ERROR * (kind in ("diag", "spherical")))


def test_density_by_hand():
    def at(x, deviation):
        return log_normal(np.array([[x]]), np.zeros((1, 1)), np.array([[1 / deviation]])).item()

    assert at(0.0, 1.0) == pytest.approx(-0.9189385332046727)  # log(1 / sqrt(2 pi))
    assert at(3.0, 1.0) == pytest.approx(-0.9189385332046727 - 4.5)
    assert at(3.0, 3.0) == pytest.approx(-0.9189385332046727 - 0.5 - np.log(3))


@pytest.mark.parametrize("D", [1, 31, 127, 128, 129, 300])
def test_strips_are_the_whole_product(rng, D):
    U, difference = np.triu(rng.normal(size=(D, D))), rng.normal(size=(9, D))
    error = 2 * rounding(D, np.square(np.abs(difference) @ np.abs(U)).sum(axis=1))
    np.testing.assert_allclose(squared_length(difference, U), np.square(difference @ U).sum(axis=1), atol=error)
    diagonal = np.diagonal(U)
    np.testing.assert_allclose(squared_length(difference, diagonal), np.square(difference * diagonal).sum(axis=1))


@pytest.mark.parametrize("D", [1, 2, 3, 7, 64])
def test_inverse_of_lower_triangles(rng, D):
    L = np.tril(rng.normal(size=(2, D, D)) / D, -1) + np.eye(D)
    inverse = inverse_of_lower(L)
    error = np.linalg.cond(L).max() * rounding(D)
    np.testing.assert_allclose(L @ inverse, np.broadcast_to(np.eye(D), L.shape), atol=error)
    assert (np.triu(inverse, 1) == 0).all()


@pytest.mark.parametrize("offset, spread_", [(0, 1), (1e3, 1e-2), (1e7, 1), (1e7, 1e-3), (-1e100, 1e98)])
def test_diagonals_keep_their_digits_far_from_zero(rng, offset, spread_):
    """The squares multiplied out would lose them all; the offset itself leaves x - mean few enough."""
    X, r = rng.normal(size=(40, 3)) * spread_ + [offset, 0, 1], rng.random((40, 2))
    means = r.T @ X / r.sum(axis=0)[:, None]
    differences = X[:, None] - means  # (N, K, D)
    squares = weighted_sums(X, r, squares=True)[1]
    wanted = np.einsum("nk,nkd->kd", r, differences ** 2)
    np.testing.assert_allclose(scatter_diagonals(X, r, means, squares), wanted, rtol=1e-9)
    U = rng.uniform(0.5, 2, (2, 3)) / spread_
    np.testing.assert_allclose(squared_lengths(X, means, U), np.square(differences * U).sum(axis=2), rtol=1e-8)


def test_from_standard_is_whitening_backwards(rng):
    z, mean, U = rng.normal(size=(6, 3)), rng.normal(size=3), np.triu(rng.normal(size=(3, 3))) + 3 * np.eye(3)
    error = np.linalg.cond(U) * rounding(3, np.abs(z).max() + np.abs(U).sum() * np.abs(mean).max())
    np.testing.assert_allclose((from_standard(z, mean, U) - mean) @ U, z, atol=error)
    np.testing.assert_allclose((from_standard(z, mean, np.diagonal(U)) - mean) * np.diagonal(U), z, atol=error)


@pytest.mark.parametrize("covariances, kind, means", [
    (np.zeros((1, 2, 2)), "full", np.zeros((1, 2))), (np.ones((1, 2, 2)), "full", np.zeros((1, 2))),
    (np.array([[1.0, 2], [2, 1]]), "tied", np.zeros((3, 2))), (np.array([[1.0, 0]]), "diag", np.zeros((1, 2))),
    (np.array([1.0, 0.0]), "spherical", np.zeros((2, 2))), (np.array([[1e-20, 1]]), "diag", np.array([[1e7, 0]])),
    (np.array([[1, 1], [1, 1 + 3e-16]])[None], "full", np.zeros((1, 2))),
])
def test_singular_covariances_are_refused(covariances, kind, means):
    with pytest.raises(ValueError, match="not positive definite: .*; raise reg_covar, take fewer") as caught:
        precision_factor(covariances, kind, means, TINY)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("precisions, kind, words", [
    (np.array([[1.0, 0.5], [0.2, 1]]), "tied", "symmetric"),
    (np.array([[1.0, 2], [2, 1]]), "tied", "positive definite"),
    (np.array([[1e-12, 5e-13], [2e-13, 1e-12]]), "tied", "symmetric"),
    (np.array([[1.0, 0.0]]), "diag", "above 0"), (np.array([-1.0]), "spherical", "above 0"),
])
def test_impossible_precisions(precisions, kind, words):
    with pytest.raises(ValueError, match=words):
        factor_of_precision(precisions, kind)
