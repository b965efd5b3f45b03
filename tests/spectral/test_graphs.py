"""Affinities by hand and by definition; what a normalised graph always has; sizes at the ends of float64."""

import numpy as np
import pytest

from aelearn.spectral import graphs
from aelearn.spectral.elimination import level_groups
from aelearn.spectral.graphs import neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.spectral.neighbors import nearest_neighbors
from aelearn.spectral.nystrom import landmark_affinity
from aelearn.spectral.sparse import CSRMatrix
from tests.small import rounding
from tests.spectral.test_neighbors import far_apart
from tests.spectral.test_sparse import csr

pytestmark = pytest.mark.linear_algebra

LINE = np.array([[0.0], [1.0], [3.0]])


def test_rbf_by_hand():
    wanted = np.exp(-0.5 * np.array([[0.0, 1, 9], [1, 0, 4], [9, 4, 0]]))
    np.testing.assert_allclose(rbf_affinity(LINE, 0.5), wanted, rtol=rounding(4.5))  # of the largest exponent, gamma 9


@pytest.mark.parametrize("n", [1, 2, 127, 128, 129, 600])
def test_rbf_by_definition_across_blocks(rng, n):
    X = rng.normal(size=(n, 3)) + 1e4
    W = rbf_affinity(X, 0.7)
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(W, np.exp(-0.7 * squares), rtol=3 * 746 * rounding(3))  # see graphs.gaussian
    assert np.array_equal(W, W.T) and (np.diag(W) == 1).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_rbf_of_any_size(rng, scale):
    X = rng.normal(size=(20, 2)) * scale
    assert np.array_equal(rbf_affinity(X), np.ones((20, 20)) if scale < 1 else np.eye(20))


@pytest.mark.parametrize("gamma, wanted", [(0, 1.0), (1e308, 0.0)])
def test_gamma_at_its_ends(rng, gamma, wanted):
    W = rbf_affinity(rng.normal(size=(9, 2)), gamma)
    assert (W[~np.eye(9, dtype=bool)] == wanted).all() and (np.diag(W) == 1).all()


def test_a_far_point_does_not_blur_the_others(rng):
    X = rng.normal(size=(50, 2))
    far = rbf_affinity(np.concatenate([X, [[1e9, -1e9]]]))
    np.testing.assert_allclose(far[:50, :50], rbf_affinity(X), rtol=3 * 746 * rounding(2))


def test_one_point_at_the_end_of_float64_changes_nothing_for_the_others(rng):
    X = np.concatenate([rng.normal(size=(50, 2)), [[1e300, -1e300]]])
    np.testing.assert_allclose(rbf_affinity(X)[:50, :50], rbf_affinity(X[:50]), rtol=3 * 746 * rounding(2))


@pytest.mark.parametrize("scale, gamma", [(1e-150, 1e300), (1e-5, 1e10), (1e140, 1e-280), (1e160, 1e-320)])
def test_weights_do_not_depend_on_the_unit(rng, scale, gamma):
    X = rng.normal(size=(30, 2))
    rtol = 1e-3 if gamma < 1e-310 else 1e-12  # this gamma has three digits
    np.testing.assert_allclose(rbf_affinity(X * scale, gamma), rbf_affinity(X, gamma * scale * scale), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 3, 60])
@pytest.mark.parametrize("offset", [0, 1e3, 1e8, 1e12, 1e15, 1e30])
def test_weights_in_groups_far_apart(rng, offset, n_features, dtype):
    """By differences an exponent gamma t < 746 is wrong by (D + 2) eps of itself; a table's by three times that."""
    X = far_apart(rng, offset, n_features, dtype)
    squares = ((X[:, None].astype(float) - X) ** 2).sum(axis=2)  # (N, N)
    for gamma in (1 / n_features, 30 / n_features):
        error = 3 * 746 * rounding(n_features)
        np.testing.assert_allclose(rbf_affinity(X, gamma), np.exp(-gamma * squares), rtol=error, atol=1e-300)
        np.testing.assert_allclose(landmark_affinity(X, np.arange(9), gamma), np.exp(-gamma * squares[:, :9]),
                                   rtol=error, atol=1e-300)


@pytest.mark.parametrize("call, error, words", [
    (lambda: rbf_affinity(LINE, -1), ValueError, "gamma"), (lambda: rbf_affinity([1, 2]), ValueError, "2D array"),
    (lambda: graphs.check_affinity(LINE), ValueError, r"square matrix; got shape \(3, 1\)"),
])
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_graph_of_neighbours_by_hand():
    W = neighbor_graph(nearest_neighbors(LINE, 2))
    assert W.toarray().tolist() == [[1, 1, 0], [1, 1, 0.5], [0, 0.5, 1]]


def test_a_graph_of_neighbours_is_symmetric(rng):
    W = neighbor_graph(nearest_neighbors(rng.normal(size=(50, 2)), 5)).toarray()
    assert W.shape == (50, 50) and np.array_equal(W, W.T) and (np.diag(W) == 1).all()


def test_normalised_by_hand():
    W = np.array([[9.0, 1, 0, 0], [1, 9, 3, 0], [0, 3, 9, 0], [0, 0, 0, 9]])  # degrees 1, 4, 3 and 0
    S, degrees = normalized_affinity(W)
    a, b = 1 / np.sqrt(4), 3 / np.sqrt(12)
    np.testing.assert_allclose(S, [[0, a, 0, 0], [a, 0, b, 0], [0, b, 0, 0], [0, 0, 0, 1]], rtol=rounding(4))
    assert degrees.tolist() == [1, 4, 3, 0] and W[0, 0] == 9


def test_sparse_and_dense_graphs_are_normalised_alike(rng):
    X = np.concatenate([rng.normal(size=(60, 2)), [[1e3, 1e3]]])
    for k in (1, 6):
        W = neighbor_graph(nearest_neighbors(X, k))
        (sparse, degrees), (dense, same) = normalized_affinity(W), normalized_affinity(W.toarray())
        assert isinstance(sparse, CSRMatrix)
        np.testing.assert_allclose(sparse.toarray(), dense, rtol=rounding(61))
        np.testing.assert_allclose(degrees, same, rtol=rounding(61))


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1.7e308])
def test_the_spectrum_does_not_depend_on_the_size_of_the_weights(rng, scale):
    W = np.ones((12, 12))
    values = np.linalg.eigvalsh(normalized_affinity(W * scale)[0])
    np.testing.assert_allclose(values[-1], 1, rtol=12 * rounding(12))  # LAPACK: N eps, of sums
    np.testing.assert_allclose(values[:-1], -1 / 11, atol=12 * rounding(12))


@pytest.mark.parametrize("small, large", [(1e-200, 1.0), (5e-324, 1.0), (1e-300, 1e300), (1e-160, 1e160)])
def test_weights_of_very_different_sizes_in_one_graph(rng, small, large):
    """Two parts, each with a size of its own; then an edge between them that would round to 0 beside the large one."""
    block = np.ones((8, 8)) - np.eye(8)
    W = np.zeros((16, 16))
    W[:8, :8], W[8:, 8:] = small * block, large * block
    S, degrees = normalized_affinity(W)
    np.testing.assert_allclose(S, np.kron(np.eye(2), block / 7), rtol=20 * np.finfo(float).eps)
    assert np.array_equal(S, S.T) and (degrees > 0).all()
    np.testing.assert_allclose(normalized_affinity(csr(W))[0].toarray(), S, rtol=20 * np.finfo(float).eps)
    assert level_groups(S)[1] == 2
    W[0, 15] = W[15, 0] = small
    S = normalized_affinity(W)[0]
    with np.errstate(under="ignore"):
        wanted = np.sqrt(small / large) / np.sqrt(56)  # small / sqrt(8 small 7 large)
    assert S[0, 15] == S[15, 0] == pytest.approx(wanted, rel=1e-12 if small > 1e-320 else 0.2)
    assert level_groups(S)[1] == 1


def test_symmetry_is_measured_beside_the_weights_of_the_two_points(rng):
    W = rng.random((6, 6)) + 0.1
    W += W.T
    W[:3, 3:], W[3:, :3] = 0, 0
    W[:3, :3] *= 1e-200
    rounded = W * (1 + 4 * np.finfo(np.float32).eps * rng.uniform(-1, 1, W.shape))
    assert np.array_equal(graphs.check_affinity(rounded), np.maximum(rounded, rounded.T))
    W[0, 1] *= 2
    with pytest.raises(ValueError, match="symmetric"):
        graphs.check_affinity(W)


@pytest.mark.parametrize("seed", range(5))
def test_eigenvalues_lie_between_minus_1_and_1_and_1_is_there(seed):
    X = np.random.default_rng(seed).standard_cauchy(size=(60, 2))
    for W in (rbf_affinity(X, 0.1), neighbor_graph(nearest_neighbors(X, 4)).toarray()):
        values = np.linalg.eigvalsh(normalized_affinity(W)[0])
        assert values[-1] == pytest.approx(1, abs=60 * rounding(60)) and values[0] > -1 - 60 * rounding(60)


def test_a_light_edge_between_an_ordinary_and_a_heavy_point_is_kept():
    """1e-200 / sqrt(1e-99 1e300) is a float64, although 1e-200 / sqrt(1e300) is not."""
    W = np.array([[0, 1e-99, 1e-200, 0], [1e-99, 0, 0, 0], [1e-200, 0, 0, 1e300], [0, 0, 1e300, 0]])
    for S in (normalized_affinity(W)[0], normalized_affinity(csr(W))[0].toarray()):
        assert S[0, 2] == S[2, 0] == pytest.approx(10**-300.5, rel=1e-12)
        assert level_groups(S)[1] == 1
