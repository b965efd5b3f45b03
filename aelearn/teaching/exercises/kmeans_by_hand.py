"""The exercises of lesson 5. Shapes: N points, D features, K clusters."""

import numpy as np

from aelearn.kmeans import lloyd
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_centers(rng):
    n, d, k = sizes(rng, 3)
    X = rng.normal(size=(3 * n, d)) + 2 * rng.integers(-1, 2, (3 * n, 1))
    return {"X": X, "centers": X[rng.choice(len(X), k, replace=False)] + 0.1 * rng.normal(size=(k, d))}


def _to_assign(rng):
    """Random points; and two where another measure of distance would find another centre."""
    return [_points_and_centers(rng), {"X": np.zeros((1, 2)), "centers": np.array([[3.0, 3], [5, 0]])},
            {"X": np.zeros((1, 2)), "centers": np.array([[3.0, 3], [4, 0]])}]


def _labels(X, centers):
    return lloyd.assign(X, centers, np.ones(len(X)))[0]


def _points_and_labels(rng):
    points = _points_and_centers(rng)
    labels = rng.integers(0, len(points["centers"]), len(points["X"]))
    labels[labels == 1] = 0  # cluster 1 is empty: its centre does not move
    return {"X": points["X"], "labels": labels, "centers": points["centers"]}


def _means(X, labels, centers):
    return lloyd.update(X, centers, np.ones(len(X)), labels)[0]


def _inertia(X, labels, centers):
    return lloyd.inertia_of(X, centers, np.ones(len(X)), labels)


def _settled(X, centers):
    labels = None
    while labels is None or not np.array_equal(labels, _labels(X, centers)):
        labels = _labels(X, centers)
        centers = _means(X, labels, centers)
    return labels, centers


def _next_center(X, centers):
    nearest = lloyd.nearest_center(X, centers)[1]
    return nearest / nearest.sum()


EXERCISES = {
    "assign": Exercise(_to_assign, ("labels",), answer=_labels),
    "update": Exercise(_points_and_labels, ("centers",), answer=_means, blank="does a cluster have no points?"),
    "inertia": Exercise(_points_and_labels, ("inertia",), answer=_inertia),
    "kmeans": Exercise(_points_and_centers, ("labels", "centers"), answer=_settled),
    "next_center": Exercise(_points_and_centers, ("probabilities",), answer=_next_center),
}
