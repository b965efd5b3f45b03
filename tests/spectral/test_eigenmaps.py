"""Laplacian eigenmaps by the equation that they solve, and the eigengap."""

import numpy as np
import pytest

from aelearn import SpectralClustering, eigengap, laplacian_eigenmaps, make_blobs, make_moons
from aelearn.spectral.eigenvectors import TOLERANCE
from aelearn.spectral.graphs import neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.spectral.neighbors import nearest_neighbors
from aelearn.spectral.sparse import CSRMatrix

pytestmark = pytest.mark.linear_algebra


def test_eigengap():
    assert eigengap([1, 0.99, 0.98, 0.5, 0.45]) == 3 and eigengap([1, 0.2]) == 1
    X = make_blobs(400, centers=np.array([[0.0, 0], [9, 0], [0, 9], [9, 9]]), random_state=0)[0]
    assert eigengap(SpectralClustering(10, gamma=0.5, random_state=0).fit(X).eigenvalues_) == 4
    assert eigengap([1, 1 + 4e-16, 0.3]) == 2  # equal, to rounding
    for wrong in ([1.0], [0.5, 1.0], [1.0, np.nan], [[1, 0.5], [1, 0.4]], []):
        with pytest.raises(ValueError):
            eigengap(wrong)


def test_eigenmaps_by_the_equation_they_solve():
    """y minimises sum W (y_i - y_j)^2: L y = lambda D y with L = D - W."""
    W = rbf_affinity(make_moons(150, noise=0.05, random_state=0)[0], 5.0)
    y = laplacian_eigenmaps(W, 3, random_state=0)
    np.fill_diagonal(W, 0)
    d = W.sum(axis=1)
    values = np.linalg.eigvalsh(np.eye(150) - normalized_affinity(W)[0])[1:4]
    error = 20 * TOLERANCE * np.sqrt(d.max())  # D^1/2 times that of S v = lambda v
    np.testing.assert_allclose(d[:, None] * y - W @ y, d[:, None] * y * values, atol=error)
    np.testing.assert_allclose(y.T @ (d[:, None] * y), np.eye(3), atol=20 * TOLERANCE)
    np.testing.assert_allclose(d @ y, 0, atol=20 * TOLERANCE * np.sqrt(d.sum()))  # v orthogonal to D^1/2 1


def test_eigenmaps_unroll_a_curve(rng):
    t = np.sort(rng.random(400))
    arc = np.column_stack([np.cos(4 * t), np.sin(4 * t)])
    y = laplacian_eigenmaps(neighbor_graph(nearest_neighbors(arc, 12)), 1, random_state=0)[:, 0]
    steps = np.diff(y) * np.sign(y[-1] - y[0])  # 0 between points that have the same neighbours
    assert steps.min() > -1e-4 * np.ptp(y)  # only the very ends bend back


@pytest.mark.parametrize("e", [-1070, -1000, -530, 530, 1020])
def test_the_size_of_the_weights_is_the_size_of_the_codes(e):
    """y goes as 1 / sqrt(weight), and stays within float64 where degrees, or their products, do not."""
    W = np.ones((40, 40)) + np.kron(np.eye(2), np.ones((20, 20)))
    wanted, codes = (laplacian_eigenmaps(np.ldexp(W, exponent), 1, random_state=0) for exponent in (0, e))
    np.testing.assert_allclose(np.ldexp(codes, e // 2), wanted, atol=20 * TOLERANCE)


def test_impossible_weights_of_a_sparse_graph():
    def graph(weights):
        return CSRMatrix(np.array(weights), np.array([1, 0]), np.array([0, 1, 2]))

    assert np.isfinite(laplacian_eigenmaps(graph([1.0, 1.0]), 1)).all()
    for weights in ([1.0, np.nan], [-1.0, -1.0], [np.inf, np.inf]):
        with pytest.raises(ValueError, match="weights of edges must be finite and not negative"):
            laplacian_eigenmaps(graph(weights), 1)


@pytest.mark.parametrize("W", [-np.ones((3, 3)), np.triu(np.ones((3, 3)))])
def test_impossible_graphs(W):
    with pytest.raises(ValueError, match="symmetric matrix without negative entries"):
        laplacian_eigenmaps(W)


def test_a_graph_in_parts_is_told():
    with pytest.warns(UserWarning, match="falls into 2 parts"):
        codes = laplacian_eigenmaps(np.kron(np.eye(2), np.ones((4, 4))), 1, random_state=0)[:, 0]
    assert np.ptp(codes[:4]) < 20 * TOLERANCE > np.ptp(codes[4:]) and abs(codes[0] - codes[4]) > 0.1
