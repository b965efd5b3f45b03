"""The exercises of lesson 13. Shapes: N points, D features, K clusters, P eigenvalues."""

import numpy as np

from aelearn.spectral import graphs
from aelearn.spectral.eigenmaps import eigengap
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_gamma(rng):
    n, d = sizes(rng, 2)
    return {"X": rng.normal(size=(2 * n, d)), "gamma": float(rng.uniform(0.2, 0.8))}


def _affinities(X, gamma):
    W = graphs.rbf_affinity(X, gamma)  # (N, N)
    np.fill_diagonal(W, 0)
    return W


def _weights(rng):
    """A graph without isolated points, and without edges from a point to itself."""
    n = int(rng.integers(4, 9))
    W = np.triu(rng.uniform(0.1, 2, (n, n)), 1)
    return {"W": W + W.T}


def _rows(rng):
    """Rows of either sign; as many rows as columns, where the wrong axis raises no exception; and a row of zeros."""
    n, k = sizes(rng, 2, low=3)
    zero = rng.normal(size=(n, k))
    zero[rng.integers(n)] = 0
    return [{"V": rng.normal(size=(3 * n, k))}, {"V": rng.normal(size=(k, k))}, {"V": zero}]


def _unit_rows(V):
    lengths = np.sqrt((V * V).sum(axis=1, keepdims=True))  # (N, 1)
    return np.divide(V, lengths, out=np.zeros_like(V), where=lengths > 0)


def _eigenvalues(rng):
    """A random gap; one right after the first; and one that is neither where values drop below 0.9 nor where they drop
    by the largest factor."""
    p = int(rng.integers(6, 10))
    drops = rng.uniform(0.001, 0.01, p)
    drops[rng.integers(0, p - 1)] = 0.3
    return [{"eigenvalues": 1 - np.concatenate([[0], np.cumsum(drops)])},
            {"eigenvalues": np.array([1, 0.41, 0.4, 0.35])},
            {"eigenvalues": np.array([1, 0.97, 0.86, 0.85, 0.3, 0.2, 0.02])}]


EXERCISES = {
    "affinities": Exercise(_points_and_gamma, ("W",), answer=_affinities),
    "divide_by_degrees": Exercise(_weights, ("S", "degrees"), answer=graphs.normalized_affinity),
    "unit_rows": Exercise(_rows, ("Y",), answer=_unit_rows, blank="does a row have the length 0?"),
    "clusters_by_gap": Exercise(_eigenvalues, ("k",), answer=eigengap),
}
