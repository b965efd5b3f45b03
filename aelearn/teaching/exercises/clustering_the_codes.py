"""The exercises of lesson 6. Shapes: N samples, C code size, K clusters."""

import numpy as np

from aelearn.core.arrays import squared_distances
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _codes_and_centers(rng):
    n, c, k = sizes(rng, 3, low=3, high=8)
    return {"codes": rng.random((2 * n, c)), "centers": rng.random((k, c))}


def _doubt(codes, centers):
    squared = np.stack([squared_distances(codes, center) for center in centers], axis=1)  # (N, K)
    nearest = np.sqrt(np.sort(squared, axis=1))  # (N, K)
    return nearest[:, 0] / nearest[:, 1]


def _digits_and_clusters(rng):
    n_digits, n_clusters = sizes(rng, 2)
    n = 23
    return {"digits": rng.integers(0, n_digits, n), "clusters": rng.integers(0, n_clusters, n),
            "n_digits": n_digits, "n_clusters": n_clusters}


def _table(digits, clusters, n_digits, n_clusters):
    return np.bincount(digits * n_clusters + clusters, minlength=n_digits * n_clusters).reshape(n_digits, n_clusters)


def _counts(rng):
    """In the second one, the largest counts of the columns are not those of the rows."""
    return [{"table": rng.integers(0, 50, sizes(rng, 2))}, {"table": np.array([[9, 8], [1, 2], [0, 7]])}]


EXERCISES = {
    "doubt": Exercise(_codes_and_centers, ("doubt",), answer=_doubt),
    "count_table": Exercise(_digits_and_clusters, ("table",), answer=_table),
    "purity_of": Exercise(_counts, ("purity",), answer=lambda table: table.max(axis=0).sum() / table.sum()),
}
