"""Lloyd's arithmetic against its definition, written out in plain Python loops."""

import numpy as np
import pytest

from aelearn.core import arrays
from aelearn.core.arrays import BLOCK_ENTRIES, mean_variance
from aelearn.kmeans.lloyd import assign, fill_empty_clusters, inertia_of, lloyd_step, nearest_center, update

pytestmark = pytest.mark.linear_algebra


def plain_step(X, centers, weight):
    """One iteration, point by point, in the words of the definition."""
    labels, inertia = [], 0.0
    for x, w in zip(X, weight):
        distances = [sum((float(a) - float(b)) ** 2 for a, b in zip(x, c)) for c in centers]
        labels.append(distances.index(min(distances)))
        inertia += w * min(distances)
    means, weights = [list(map(float, c)) for c in centers], [0.0] * len(centers)
    for k in range(len(centers)):
        members = [n for n in range(len(X)) if labels[n] == k]
        weights[k] = sum(weight[n] for n in members)
        if weights[k]:
            means[k] = [sum(weight[n] * float(X[n][d]) for n in members) / weights[k] for d in range(len(X[0]))]
    return labels, means, weights, inertia


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (2, 1, 2), (31, 3, 2), (33, 1, 5), (48, 7, 9), (100, 33, 4)])
def test_one_step_is_its_definition(rng, n, d, k, dtype):
    X, weight = rng.normal(size=(n, d)).astype(dtype), rng.integers(0, 4, n).astype(float)
    centers = X[rng.choice(n, k, replace=False)] + 0.25
    labels, means, weights, inertia = lloyd_step(X, centers, weight)
    plain = plain_step(X, centers, weight)
    assert labels.tolist() == plain[0] and labels.dtype == np.int32
    np.testing.assert_allclose(means, plain[1], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(weights, plain[2])
    assert inertia == pytest.approx(plain[3], rel=1e-12)
    again, same = assign(X, centers, weight)
    assert np.array_equal(again, labels) and same == inertia == inertia_of(X, centers, weight, labels)
    assert all(map(np.array_equal, update(X, centers, weight, labels), (means, weights)))


def test_many_blocks_are_as_one(rng, monkeypatch):
    X, centers = rng.normal(size=(1000, 5)), rng.normal(size=(4, 5))
    whole = lloyd_step(X, centers)
    monkeypatch.setattr(arrays, "BLOCK_ENTRIES", 35)  # 7 rows a block, the last one smaller
    for got, wanted in zip(lloyd_step(X, centers), whole):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_ties_go_to_the_lower_number():
    assert nearest_center(np.array([[0.0], [1.0]]), np.array([[-1.0], [1.0], [1.0]]))[0].tolist() == [0, 1]


def test_an_offset_costs_no_digits():
    """Points 1e8 away from the origin and 1 apart: the expanded square alone would lose all digits of the distance."""
    X = 1e8 + np.array([[0.0, 0], [1, 0], [10, 0], [11, 0]])
    labels, means, _, inertia = lloyd_step(X, X[[1, 2]])
    assert labels.tolist() == [0, 0, 1, 1] and inertia == 2
    assert np.array_equal(means - 1e8, [[0.5, 0], [10.5, 0]])


def test_an_empty_cluster_goes_to_the_farthest_point():
    X = np.array([[0.0], [1.0], [2.0], [9.0]])
    centers = np.array([[1.0], [100.0]])
    labels, means, weights, _ = lloyd_step(X, centers, weight := np.ones(4))
    assert means.tolist() == [[3.0], [100.0]] and weights.tolist() == [4, 0]
    fill_empty_clusters(X, centers, weight, labels, means, weights)
    np.testing.assert_allclose(means, [[1.0], [9.0]])
    assert weights.tolist() == [3, 1]


def test_a_point_that_outweighs_its_cluster_beyond_rounding_is_not_taken():
    X, weight = np.array([[0.0], [1.0], [7.0]]), np.array([1e-20, 1e30, 1.0])
    centers = np.array([[0.0], [6.5], [50.0]])
    labels, means, weights, _ = lloyd_step(X, centers, weight)
    fill_empty_clusters(X, centers, weight, labels, means, weights)
    assert np.isfinite(means).all()


def test_empty_clusters_take_different_points():
    X = np.array([0.0] * 50 + [10.0] * 50 + [1, 2, 3, 4, 5, 6, 7, 8])[:, None]
    centers = np.array([0.0, *range(100, 109)])[:, None]
    labels, means, weights, _ = lloyd_step(X, centers, weight := np.ones(len(X)))
    fill_empty_clusters(X, centers, weight, labels, means, weights)
    assert means[1:, 0].tolist() == [10, 8, 7, 6, 5, 4, 3, 2, 1]


def test_filling_takes_no_last_point_no_weightless_point_and_no_point_on_its_centre():
    X = np.array([[0.0], [0.0], [5.0], [9.0]])
    centers = np.array([[0.0], [6.0], [50.0], [60.0]])
    weight = np.array([1.0, 1.0, 1.0, 0.0])
    labels, means, weights, _ = lloyd_step(X, centers, weight)
    kept = means.copy()
    fill_empty_clusters(X, centers, weight, labels, means, weights)
    assert np.array_equal(means, kept) and weights.tolist() == [2, 1, 0, 0]


def test_mean_variance(rng):
    X = (rng.normal(size=(500, 4)) * [1, 2, 3, 4] + 1e6).astype(np.float64)
    assert mean_variance(X) == pytest.approx(X.var(axis=0).mean(), rel=1e-9)


def test_a_step_makes_no_n_by_k_and_no_second_x():
    import tracemalloc

    X = np.zeros((400_000, 4), np.float32)  # 6.4 MB; N x K would be 51 MB as float32
    centers = np.random.default_rng(0).normal(size=(32, 4))
    tracemalloc.start()
    lloyd_step(X, centers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    block = 8 * BLOCK_ENTRIES * (32 // 4 + 1) * 3  # scores, R and its weighted copy of one block
    assert peak < 4 * len(X) + block  # the labels and one block
