"""The k-means++ start: distinct points, draws in proportion to their weights, a lower inertia than random points."""

import numpy as np
import pytest

from aelearn.kmeans.lloyd import assign
from aelearn.kmeans.seeding import kmeans_plusplus

pytestmark = pytest.mark.linear_algebra


def test_kmeans_plusplus_takes_distinct_points_and_none_without_weight(rng):
    X = np.repeat(rng.normal(size=(6, 2)), 5, axis=0)
    weight = np.ones(30)
    weight[:5] = 0
    for seed in range(20):
        centers = kmeans_plusplus(X, 5, weight, np.random.default_rng(seed))
        assert len(np.unique(centers, axis=0)) == 5 and not (centers == X[0]).all(axis=1).any()
    assert len(kmeans_plusplus(X, 8, weight, rng)) == 8  # more than there are distinct points


def test_kmeans_plusplus_beats_random_starts():
    from aelearn import make_blobs

    X, _ = make_blobs(600, centers=12, cluster_std=0.3, random_state=3)
    weight = np.ones(600)

    def mean_inertia(start):
        return np.mean([assign(X, start(np.random.default_rng(seed)), weight)[1] for seed in range(30)])

    assert mean_inertia(lambda g: kmeans_plusplus(X, 12, weight, g)) < 0.3 * mean_inertia(lambda g: g.choice(X, 12))


def test_first_draw_follows_the_weights():
    X = np.arange(3.0)[:, None]
    generator = np.random.default_rng(0)
    draws = [int(kmeans_plusplus(X, 1, np.array([1.0, 0.0, 3.0]), generator)[0, 0]) for _ in range(2000)]
    assert draws.count(1) == 0 and draws.count(2) == pytest.approx(1500, abs=80)
