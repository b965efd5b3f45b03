"""Density peaks: against their definition, and on heaps that k-means cuts through."""

import numpy as np
import pytest

from aelearn import KernelDensity, make_blobs, make_moons, metrics
from aelearn.density.peaks import density_peaks, nearest_denser

pytestmark = pytest.mark.linear_algebra


def test_nearest_denser_is_its_definition(rng):
    X = rng.normal(size=(60, 3))
    above, delta = nearest_denser(X)
    assert above[0] == 0 and delta[0] == pytest.approx(max(np.linalg.norm(x - X[0]) for x in X))
    for n in range(1, 60):
        distances = np.linalg.norm(X[:n] - X[n], axis=1)
        assert above[n] == distances.argmin() and delta[n] == pytest.approx(distances.min())


def test_by_hand():
    X = np.array([[0.0], [1], [2], [10], [11], [12]])
    assert density_peaks(X, np.log([1, 3, 1, 1, 2, 1]), 2).tolist() == [0, 0, 0, 1, 1, 1]
    assert density_peaks(X, np.log([1, 2, 1, 1, 3, 1]), 2).tolist() == [1, 1, 1, 0, 0, 0]  # the densest is the first


def test_each_point_belongs_with_its_nearest_denser_one(rng):
    X, log_density = rng.normal(size=(200, 2)), rng.normal(size=200)
    labels = density_peaks(X, log_density, 5)
    order = np.argsort(-log_density)
    above, delta = nearest_denser(X[order])
    goes_along = labels[order] == labels[order][above]
    assert np.count_nonzero(~goes_along) == 4  # the peaks but for the densest point, which is its own
    rho_delta = np.exp(log_density[order]) * delta
    assert set(np.flatnonzero(~goes_along)) == set(np.argsort(-rho_delta[1:])[:4] + 1)


def test_blobs_and_moons():
    X, y = make_blobs(400, centers=np.array([[0.0, 0], [6, 0], [0, 6]]), random_state=0)
    assert metrics.accuracy(y, density_peaks(X, KernelDensity(0.7).fit(X).score_samples(X), 3)) > 0.99
    X, y = make_moons(400, noise=0.05, random_state=0)
    assert metrics.accuracy(y, density_peaks(X, KernelDensity(0.3).fit(X).score_samples(X), 2)) > 0.85


def test_units_and_a_factor_change_nothing(rng):
    X, log_density = rng.normal(size=(80, 2)), rng.normal(size=80)
    labels = density_peaks(X, log_density, 4)
    assert np.array_equal(density_peaks(1000 * X, log_density - 50, 4), labels)


def test_duplicates_one_point_and_as_many_clusters_as_points():
    assert density_peaks(np.ones((5, 2)), np.zeros(5), 1).tolist() == [0] * 5
    assert sorted(density_peaks(np.ones((5, 2)), np.zeros(5), 5)) == [0, 1, 2, 3, 4]
    assert density_peaks([[3.0]], [0.0], 1).tolist() == [0]
    X = np.repeat([[0.0, 0], [9, 9]], 10, axis=0)
    assert density_peaks(X, np.zeros(20), 2).tolist() == [0] * 10 + [1] * 10
    assert density_peaks([[0.0], [1]], [-np.inf, 0], 1).tolist() == [0, 0]  # a density of 0


def test_bad_input():
    with pytest.raises(ValueError, match=r"log_density must hold 2 numbers, one for each row of X; got shape \(3,\)$"):
        density_peaks([[0.0], [1]], np.zeros(3), 1)
    with pytest.raises(ValueError, match="got NaN or inf"):
        density_peaks([[0.0], [1]], [0, np.nan], 1)
    with pytest.raises(ValueError, match="n_clusters"):
        density_peaks([[0.0], [1]], [0, 1], 3)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-100, 1e160, 1e300])
def test_scales_whose_squares_leave_float64(scale):
    X = make_blobs(60, centers=3, random_state=0)[0]
    log_density = KernelDensity().fit(X).score_samples(X)
    assert np.array_equal(density_peaks(X * scale, log_density, 3), density_peaks(X, log_density, 3))


@pytest.mark.parametrize("log_density, words", [
    ([np.inf, 0, 0], "got NaN or inf"), ([1j, 0, 0], "Complex"), (["a", "b", "c"], "log_density must hold numbers"),
    ([[1], [1, 2], [3]], "log_density must be an array; got rows of different lengths")])
def test_densities_that_are_none(log_density, words):
    with pytest.raises(ValueError, match=words):
        density_peaks(np.eye(3), log_density, 2)


def test_a_density_of_zero_is_one():
    assert len(set(density_peaks([[0.0], [1], [5]], [0.0, 1, -np.inf], 2))) == 2
