"""The exercises of lesson 8. Shapes: N points, D features, K clusters, M chunks."""

import numpy as np

from aelearn.kmeans import lloyd
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_chunk(rng):
    """Chunks that do not divide N evenly, that do, and one that is larger than N."""
    n, d, k = sizes(rng, 3, low=3)
    points = {"X": rng.normal(size=(3 * n, d)), "labels": rng.integers(0, k, 3 * n), "n_clusters": k}
    return [{**points, "chunk": chunk} for chunk in (n - 1, n, 5 * n)]


def _chunk_sums(X, labels, n_clusters, chunk):
    parts = [slice(start, start + chunk) for start in range(0, len(X), chunk)]
    return np.array([[X[part][labels[part] == k].sum(axis=0) for k in range(n_clusters)] for part in parts])


def _points_and_centers(rng):
    n, d, k = sizes(rng, 3)
    return {"X": rng.normal(size=(2 * n, d)) + 1, "centers": rng.normal(size=(k, d)) + 1}


def _across_and_centers(rng):
    numbers = _points_and_centers(rng)
    return {"across": np.ascontiguousarray(numbers["X"].T), "centers": numbers["centers"]}


def _labels(across, centers):
    return lloyd.assign(across.T, centers, np.ones(across.shape[1]))[0]


def _bounds(rng):
    """Some labels are certain, some are not, and some would not be if the wrong centre's move were used."""
    n, k = 40, *sizes(rng, 1, low=3)
    upper = rng.uniform(1, 3, n)
    return {"upper": upper, "lower": upper + rng.uniform(-0.5, 1.5, n), "labels": rng.integers(0, k, n),
            "moved": rng.uniform(0.0, 0.6, k)}


EXERCISES = {
    "chunk_sums": Exercise(_points_and_chunk, ("sums",), answer=_chunk_sums),
    "scores": Exercise(_points_and_centers, ("scores",),
                       answer=lambda X, centers: (centers**2).sum(axis=1) / 2 - X @ centers.T),
    "labels_across": Exercise(_across_and_centers, ("labels",), answer=_labels),
    "can_stay": Exercise(_bounds, ("stays",),
                         answer=lambda upper, lower, labels, moved: upper + moved[labels] < lower - moved.max()),
}
