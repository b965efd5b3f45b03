"""Affinities by hand and by definition; what a normalised graph always has; sizes at the ends of float64."""

import numpy as np
import pytest

from aelearn import graphs, kernels
from aelearn.graphs import (Edges, nearest_neighbors, neighbor_graph, normalized_affinity, rbf_affinity, smallest)

LINE = np.array([[0.0], [1.0], [3.0]])


def test_rbf_by_hand():
    wanted = np.exp(-0.5 * np.array([[0.0, 1, 9], [1, 0, 4], [9, 4, 0]]))
    np.testing.assert_allclose(rbf_affinity(LINE, 0.5), wanted, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 127, 128, 129, 600])
def test_rbf_by_definition_across_blocks(rng, n):
    X = rng.normal(size=(n, 3)) + 1e4
    W = rbf_affinity(X, 0.7)
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(W, np.exp(-0.7 * squares), rtol=1e-9)
    assert np.array_equal(W, W.T) and (np.diag(W) == 1).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_rbf_of_any_size(rng, scale):
    X = rng.normal(size=(20, 2)) * scale
    assert np.array_equal(rbf_affinity(X), np.ones((20, 20)) if scale < 1 else np.eye(20))
    if 1e-150 < scale < 1e150:
        return
    assert np.array_equal(nearest_neighbors(X, 4), nearest_neighbors(X / scale, 4))


@pytest.mark.parametrize("gamma, wanted", [(0, 1.0), (1e308, 0.0)])
def test_gamma_at_its_ends(rng, gamma, wanted):
    W = rbf_affinity(rng.normal(size=(9, 2)), gamma)
    assert (W[~np.eye(9, dtype=bool)] == wanted).all() and (np.diag(W) == 1).all()


def test_a_far_point_does_not_blur_the_others(rng):
    X = rng.normal(size=(50, 2))
    far = rbf_affinity(np.concatenate([X, [[1e9, -1e9]]]))
    np.testing.assert_allclose(far[:50, :50], rbf_affinity(X), rtol=1e-9)


@pytest.mark.parametrize("call, error, words", [
    (lambda: rbf_affinity(LINE, -1), ValueError, "gamma"), (lambda: rbf_affinity([1, 2]), ValueError, "2D array"),
    (lambda: nearest_neighbors(LINE, 4), ValueError, "n_neighbors .* from 1 to 3"),
    (lambda: nearest_neighbors(LINE, 1.5), TypeError, "n_neighbors"),
    (lambda: graphs.check_affinity(LINE), ValueError, r"square matrix; got shape \(3, 1\)"),
])
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_neighbours_by_hand():
    assert nearest_neighbors(LINE, 2).tolist() == [[0, 1], [1, 0], [2, 1]]
    W = neighbor_graph(nearest_neighbors(LINE, 2))
    assert W.toarray().tolist() == [[1, 1, 0], [1, 1, 0.5], [0, 0.5, 1]]


@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (40, 2, 40), (300, 3, 7), (513, 30, 10)])
def test_neighbours_by_definition_on_both_back_ends(rng, n, d, k, monkeypatch):
    X = rng.normal(size=(n, d))
    wanted = ((X[:, None] - X[None]) ** 2).sum(axis=2).argsort(axis=1)[:, :k]
    for backend in ("numba", "numpy"):
        monkeypatch.setattr(graphs, "load_backend", lambda name, backend=backend: backend)
        assert np.array_equal(nearest_neighbors(X, k), wanted)


def test_a_point_comes_before_its_duplicates():
    found = nearest_neighbors(np.zeros((6, 2)), 3)
    assert (found[:, 0] == np.arange(6)).all() and all(len(set(row)) == 3 for row in found.tolist())


def test_smallest_keeps_the_order_of_ties():
    assert smallest(np.array([[2.0, 1, 1, 0, 1]]), 4).tolist() == [[3, 1, 2, 4]]
    assert kernels.get("numba").smallest(np.array([[2.0, 1, 1, 0, 1]]), 4).tolist() == [[3, 1, 2, 4]]


def test_edges_are_their_matrix(rng):
    W = neighbor_graph(nearest_neighbors(rng.normal(size=(50, 2)), 5))
    dense, x = W.toarray(), rng.normal(size=(50, 3))
    assert len(W) == 50 and np.array_equal(dense, dense.T) and (np.diag(dense) == 1).all()
    np.testing.assert_allclose(W @ x, dense @ x, rtol=1e-12)
    points = np.array([7, 0, 49])
    edges, owner = W.of(points)
    assert np.array_equal(W.rows[edges], points[owner])
    assert [np.bincount(owner)[i] for i in range(3)] == [np.count_nonzero(dense[p]) for p in points]


def test_normalised_by_hand():
    W = np.array([[9.0, 1, 0, 0], [1, 9, 3, 0], [0, 3, 9, 0], [0, 0, 0, 9]])  # degrees 1, 4, 3 and 0
    S, degrees = normalized_affinity(W)
    a, b = 1 / np.sqrt(4), 3 / np.sqrt(12)
    np.testing.assert_allclose(S, [[0, a, 0, 0], [a, 0, b, 0], [0, b, 0, 0], [0, 0, 0, 1]], rtol=1e-15)
    assert degrees.tolist() == [1, 4, 3, 0] and W[0, 0] == 9


def test_edges_and_arrays_are_normalised_alike(rng):
    X = np.concatenate([rng.normal(size=(60, 2)), [[1e3, 1e3]]])
    for k in (1, 6):
        W = neighbor_graph(nearest_neighbors(X, k))
        (sparse, degrees), (dense, same) = normalized_affinity(W), normalized_affinity(W.toarray())
        assert isinstance(sparse, Edges)
        np.testing.assert_allclose(sparse.toarray(), dense, rtol=1e-14)
        np.testing.assert_allclose(degrees, same, rtol=1e-14)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1.7e308])
def test_the_spectrum_does_not_depend_on_the_size_of_the_weights(rng, scale):
    W = np.ones((12, 12))
    values = np.linalg.eigvalsh(normalized_affinity(W * scale)[0])
    np.testing.assert_allclose(values[-1], 1, rtol=1e-12)
    np.testing.assert_allclose(values[:-1], -1 / 11, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_eigenvalues_lie_between_minus_1_and_1_and_1_is_there(seed):
    X = np.random.default_rng(seed).standard_cauchy(size=(60, 2))
    for W in (rbf_affinity(X, 0.1), neighbor_graph(nearest_neighbors(X, 4)).toarray()):
        values = np.linalg.eigvalsh(normalized_affinity(W)[0])
        assert values[-1] == pytest.approx(1, abs=1e-12) and values[0] > -1 - 1e-12
