"""The exercises of lesson 13. Shapes: N points, D features, K clusters, P eigenvalues, E entries of a sparse W."""

import numpy as np

from aelearn.spectral import graphs
from aelearn.spectral.eigenmaps import eigengap
from aelearn.teaching.costs import Memory
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _points_and_gamma(rng):
    """Random points; as many points as features; two equal points and two far apart, whose weight is small but counts;
    and points on a line."""
    n, d = sizes(rng, 2, low=3)
    gamma = float(rng.uniform(0.2, 0.8))
    X = rng.normal(size=(2 * n, d))
    special = np.concatenate([X, X[:1], X[:1] + np.sqrt(12 / (gamma * d))])  # gamma |x - y|^2 is 12
    return [{"X": X, "gamma": gamma}, {"X": rng.normal(size=(d, d)), "gamma": gamma},
            {"X": special, "gamma": gamma}, {"X": rng.normal(size=(n + 1, 1)), "gamma": 2.5}]


def _affinities(X, gamma):
    return graphs.without_diagonal(graphs.rbf_affinity(X, gamma))  # (N, N)


def _without_diagonal(weight):
    """A wrong affinity: weight(differences (N, N, D), gamma), with zeros on the diagonal."""
    return lambda X, gamma: weight(X[:, None] - X, gamma) * (1 - np.eye(len(X)))


AFFINITY_MISTAKES = {
    "the diagonal should be 0: no point has an edge to itself": lambda X, gamma: graphs.rbf_affinity(X, gamma),
    "the formula has the squared distance: no square root": _without_diagonal(
        lambda differences, gamma: np.exp(-gamma * np.linalg.norm(differences, axis=2))),
    "gamma multiplies the squared distance: is yours squared, or in the denominator?": _without_diagonal(
        lambda differences, gamma: np.exp(-(differences**2).sum(axis=2) / gamma)),
    "gamma is outside of the square: is yours squared as well?": _without_diagonal(
        lambda differences, gamma: np.exp(-((gamma * differences) ** 2).sum(axis=2))),
    "close points have large weights: what is the sign of the exponent?": _without_diagonal(
        lambda differences, gamma: np.exp(gamma * (differences**2).sum(axis=2))),
    "add up the squares over all D features: a mean is D times too small": _without_diagonal(
        lambda differences, gamma: np.exp(-gamma * (differences**2).mean(axis=2))),
}


def _weights(rng):
    """Graphs without isolated points, and without edges from a point to itself: all edges, of very different weights;
    few edges; and weights so small that whatever is added to a degree is seen."""
    n = int(rng.integers(4, 9))
    full = np.triu(rng.uniform(0.1, 2, (n, n)), 1)
    few = np.triu(rng.uniform(0.1, 2, (n, n)), 1) * (rng.random((n, n)) < 0.3)
    few[np.arange(n - 1), np.arange(1, n)] = rng.uniform(0.5, 3, n - 1)  # a path, so that every node has an edge
    return [{"W": W + W.T} for W in (full, few, 1e-3 * full)]


def _scaled(scale):
    """A wrong S: scale(W, degrees), and right degrees."""
    return lambda W: (scale(W, W.sum(axis=1)), W.sum(axis=1))


DEGREE_MISTAKES = {
    "an edge has two ends: divide by the root of the degree at each of them": _scaled(
        lambda W, degrees: W / degrees[:, None]),
    "divide by the square roots of the degrees": _scaled(lambda W, degrees: W / np.outer(degrees, degrees)),
    "rows are divided, and the columns? W is symmetric, and so is S": _scaled(
        lambda W, degrees: W / np.sqrt(degrees)[:, None]),
    "S alone is asked for, not the Laplacian I - S": _scaled(
        lambda W, degrees: np.eye(len(W)) - W / np.sqrt(np.outer(degrees, degrees))),
    "multiply the two degrees, do not add them": _scaled(
        lambda W, degrees: W / np.sqrt(degrees[:, None] + degrees)),
    "a degree is a sum of weights, not the number of edges": lambda W: (
        W / np.sqrt(np.outer((W > 0).sum(axis=1), (W > 0).sum(axis=1))), (W > 0).sum(axis=1)),
}


def _edges(rng):
    """The entries of such graphs, in any order."""
    made = []
    for graph in _weights(rng):
        i, j = np.nonzero(graph["W"])  # (E,), (E,)
        order = rng.permutation(len(i))
        i, j = i[order], j[order]
        made.append({"i": i, "j": j, "w": graph["W"][i, j], "n": len(graph["W"])})
    return made


def _many_edges(rng):
    """1,000 nodes in a ring, each with an edge to the next ten: an array (N, N) has 8 MB, a result 0.16 MB."""
    i = np.repeat(np.arange(1000), 10)
    j = (i + np.tile(np.arange(1, 11), 1000)) % 1000
    w = rng.uniform(0.1, 2, len(i))
    return {"i": np.append(i, j), "j": np.append(j, i), "w": np.append(w, w), "n": 1000}


def _divide_edges(i, j, w, n):
    W = np.zeros((n, n))
    W[i, j] = w
    S, degrees = graphs.normalized_affinity(W)
    return S[i, j], degrees


def _degrees(i, w, n):
    return np.bincount(i, weights=w, minlength=n)  # (N,)


def _degrees_overwritten(i, w, n):
    degrees = np.zeros(n)
    degrees[i] += w
    return degrees


def _divided(w, degrees, i, j):
    return w / np.sqrt(degrees[i] * degrees[j]), degrees


EDGE_MISTAKES = {
    "degrees[i] += w adds only one of the weights where an index is repeated: np.bincount": lambda i, j, w, n:
        _divided(w, _degrees_overwritten(i, w, n), i, j),
    "a degree is a sum of weights, not the number of edges": lambda i, j, w, n:
        _divided(w, np.bincount(i, minlength=n), i, j),
    "an edge has two ends: divide by the root of the degree at each of them": lambda i, j, w, n:
        (w / _degrees(i, w, n)[i], _degrees(i, w, n)),
    "divide by the square roots of the degrees": lambda i, j, w, n:
        (w / (_degrees(i, w, n)[i] * _degrees(i, w, n)[j]), _degrees(i, w, n)),
    "every edge is in the list twice, as (i, j) and as (j, i): count each end once": lambda i, j, w, n:
        _divided(w, _degrees(i, w, n) + _degrees(j, w, n), i, j),
}


def _rows(rng):
    """Rows of either sign; as many rows as columns, where the wrong axis raises no exception; rows of zeros; a short
    row; rows with some zeros; and a single column."""
    n, k = sizes(rng, 2, low=3)
    zero, short = rng.normal(size=(2, n, k))
    zero[rng.permutation(n)[:2]] = 0
    short[rng.integers(n)] *= 1e-5 / np.sqrt(k)
    return [{"V": V} for V in (rng.normal(size=(3 * n, k)), rng.normal(size=(k, k)), zero, short,
                               np.array([[0.0, 3, 4], [0, 0, 0], [0, -2, 0]]), np.array([[0.2], [-3.0], [1.7]]))]


def _unit_rows(V):
    lengths = np.sqrt((V * V).sum(axis=1, keepdims=True))  # (N, 1)
    return np.divide(V, lengths, out=np.zeros_like(V), where=lengths > 0)


def _filled(lengths):
    return lengths + (lengths == 0)


ROW_MISTAKES = {
    "each row has a length of its own: over which axis is the sum?": lambda V:
        V / _filled(np.linalg.norm(V, axis=0)),
    "a length is the root of the sum of squares: where is the root?": lambda V:
        V / _filled((V**2).sum(axis=1, keepdims=True)),
    "a row of zeros has the length 0: what do you divide it by?": lambda V:
        V / np.linalg.norm(V, axis=1, keepdims=True),
    "what you add to every length changes short rows: replace only lengths of 0": lambda V:
        V / (np.linalg.norm(V, axis=1, keepdims=True) + 1e-8),
    "that is the length of all rows together: give norm an axis": lambda V: V / np.linalg.norm(V),
    "a length is the root of a sum of squares, not a sum of absolute values": lambda V:
        V / _filled(np.abs(V).sum(axis=1, keepdims=True)),
}


def _eigenvalues(rng):
    """Several drops, negative values; a drop between these; equal drops; one after the first and one before the last;
    small drops; only two values; and random ones. On the first four, no two mistakes give the same number."""
    drops = rng.uniform(0.001, 0.01, int(rng.integers(6, 10)))
    drops[rng.integers(0, len(drops) - 1)] = 0.3
    return [{"eigenvalues": values} for values in (
        np.array([1, 0.97, 0.86, 0.855, 0.75, 0.65, 0.25, 0.15, 0.05, -0.3]),
        np.array([1, 0.8, 0.1, 0.005, -0.9, -0.95]), np.array([1, 0.9375, 0.6875, 0.625, 0.375, 0.3125, 0.125]),
        np.array([1, 0.41, 0.4, 0.35]), np.array([1, 0.99, 0.96, 0.94, 0.07]),
        np.array([1, 0.999, 0.997, 0.967, 0.966]), np.array([1.0, 0.25]),
        1 - np.concatenate([[0], np.cumsum(drops)]))]


GAP_MISTAKES = {
    "the first drop has the index 0, but it is the drop after 1 eigenvalue": lambda values:
        np.argmax(values[:-1] - values[1:]),
    "np.diff is the next one minus this one: yours is the smallest drop": lambda values: np.argmax(np.diff(values)) + 1,
    "no threshold suits every graph: compare the drops with each other": lambda values: np.sum(values > 0.9),
    "a drop is a difference, not a ratio": lambda values: np.argmax(values[:-1] / values[1:]) + 1,
    "eigenvalues may be negative: take the differences of their values, signs included": lambda values:
        np.argmax(np.abs(values[:-1]) - np.abs(values[1:])) + 1,
    "of two equal drops, take the first": lambda values: len(values) - 1 - np.argmax((values[:-1] - values[1:])[::-1]),
}


EXERCISES = {
    "affinities": Exercise(_points_and_gamma, ("W",), answer=_affinities, mistakes=AFFINITY_MISTAKES),
    "divide_by_degrees": Exercise(_weights, ("S", "degrees"), answer=graphs.normalized_affinity,
                                  mistakes=DEGREE_MISTAKES),
    "unit_rows": Exercise(_rows, ("Y",), answer=_unit_rows, mistakes=ROW_MISTAKES,
                          blank="does a row have the length 0?"),
    "clusters_by_gap": Exercise(_eigenvalues, ("k",), answer=eigengap, mistakes=GAP_MISTAKES),
    "divide_edges": Exercise(_edges, ("s", "degrees"), answer=_divide_edges, mistakes=EDGE_MISTAKES,
                             costs=(Memory(_many_edges, lambda i, j, w, n: 3e6),)),
}
