"""The moves of a batch are those of its points, one after the other."""

import numpy as np

from aelearn.kmeans.lloyd import assign, update
from aelearn.kmeans.mini_batch import move_to_running_means
from tests.small import rounding


def test_a_batch_is_its_points_one_after_the_other(rng):
    centers, counts = rng.normal(size=(5, 3)), np.zeros(5)
    expected, seen = centers.copy(), counts.copy()
    for _ in range(4):
        x, weight = rng.normal(size=(40, 3)), rng.integers(0, 4, 40).astype(float)
        labels, _ = assign(x, centers, weight)
        for point, k, w in zip(x, labels, weight):  # algorithm 1, a point of weight w as w points
            for _ in range(int(w)):
                seen[k] += 1
                rate = 1 / seen[k]
                expected[k] = (1 - rate) * expected[k] + rate * point
        centers, counts = move_to_running_means(centers, counts, *update(x, centers, weight, labels))
        np.testing.assert_array_equal(counts, seen)
        np.testing.assert_allclose(centers, expected, atol=rounding(500, 5.0))


def test_a_centre_without_a_point_stays():
    centers, counts = np.array([[1.0, 2.0], [5.0, 5.0], [7.0, 8.0]]), np.array([2.0, 0.0, 3.0])
    means, weights = np.array([[4.0, 2.0], [9.0, 9.0], [7.0, 8.0]]), np.array([1.0, 0.0, 0.0])
    moved, seen = move_to_running_means(centers, counts, means, weights)
    assert moved.tolist() == [[2.0, 2.0], [5.0, 5.0], [7.0, 8.0]] and seen.tolist() == [3.0, 0.0, 3.0]
    assert counts.tolist() == [2.0, 0.0, 3.0] and centers[0, 0] == 1
