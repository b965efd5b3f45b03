"""Histograms: against NumPy's, by hand, and bad input."""

import numpy as np
import pytest

from aelearn import histogram_density
from tests.small import rounding


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("uneven", [False, True])
def test_histogram(rng, n_features, uneven):
    X = rng.normal(size=(500, n_features))
    bins = [np.concatenate([[-9], np.sort(rng.normal(size=4)), [9]]) for _ in range(n_features)] if uneven else 7
    histogram = histogram_density(X, bins)
    wanted, edges = np.histogramdd(X, bins, density=True)
    np.testing.assert_allclose(histogram.density, wanted, rtol=rounding(n_features))
    assert len(histogram.edges) == n_features and all(map(np.allclose, histogram.edges, edges))
    volumes = np.prod(np.meshgrid(*map(np.diff, edges), indexing="ij"), axis=0)
    assert (histogram.density * volumes).sum() == pytest.approx(1, rel=rounding(7**3))
    assert (histogram.at(X) > 0).all() and histogram.at(X).shape == (500,)
    assert histogram.at(np.full((1, n_features), 9.5))[0] == 0


def test_histogram_by_hand():
    histogram = histogram_density([[0.0, 0], [1, 0], [2, 1], [4, 1]], bins=[[0, 1, 4], 2])
    assert histogram.density.tolist() == [[0.5, 0], [1 / 6, 1 / 3]]  # 1, 0, 1 and 2 of 4 in boxes of area 1/2 and 3/2
    assert histogram.at([[1, 0.4], [0.9, 0], [4, 1], [4.1, 1], [1, -0.1]]).tolist() == [1 / 6, 0.5, 1 / 3, 0, 0]
    constant = histogram_density(np.full((5, 1), 3.0), bins=1)
    assert constant.density.tolist() == [1] and constant.edges[0].tolist() == [2.5, 3.5]


@pytest.mark.parametrize("X, bins, error, words", [
    (np.ones((5, 4)), 3, ValueError, "1 to 3 features.*got 4"), (np.eye(2), [3], ValueError, "bins for 1"),
    (np.eye(2), 0, ValueError, "bins must be"), (np.eye(2), 2.5, TypeError, "bins must be an integer"),
    (np.eye(2), None, TypeError, "bins"), (np.eye(2), [[0, 1], [1, 0]], ValueError, "ascending"),
    (np.eye(2), [[0, 1], [1]], ValueError, "ascending"), (np.eye(2), [[0, 1], [0, np.nan]], ValueError, "NaN"),
    (np.eye(2), [[0, 0.5], 2], ValueError, "1 of 2 samples are outside"), (np.eye(3), 1000, ValueError, "use fewer"),
    ([[1.0], [1 + 2e-16]], 5, ValueError, "ascending"), ([[-1.7e308], [1.7e308]], 5, ValueError, "ascending"),
    (np.eye(3) * 1e-200, 2, ValueError, "overflow or underflow"), (np.eye(3) * 1e200, 2, ValueError, "or underflow"),
    ([[np.nan]], 2, ValueError, "NaN"),
])
def test_impossible_histograms(X, bins, error, words):
    with pytest.raises(error, match=words):
        histogram_density(X, bins)


def test_a_histogram_looks_up_points_of_its_own_dimension():
    with pytest.raises(ValueError, match="X has 1 features, but the histogram has 2"):
        histogram_density(np.eye(2)).at([[1.0]])
