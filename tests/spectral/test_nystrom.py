"""Nystrom's method: exact where the landmarks say all there is to say, close where they say enough."""

import numpy as np
import pytest

from aelearn.spectral.elimination import level_groups
from aelearn.spectral.graphs import rbf_affinity
from aelearn.spectral.nystrom import count_parts, landmark_affinity, nystrom_eigenpairs
from tests.small import rounding

pytestmark = pytest.mark.linear_algebra


def filled_in(C, chosen):
    """S of the graph W' = C A^-1 C^T, by definition."""
    W = C @ np.linalg.pinv(C[chosen], rcond=1e-10, hermitian=True) @ C.T
    d = W.sum(axis=1)
    return W / np.sqrt(np.outer(d, d)), W


def test_columns_of_the_affinity(rng):
    X, chosen = rng.normal(size=(600, 3)), np.array([0, 7, 300, 599])
    C = landmark_affinity(X, chosen, 0.4)
    error = rounding(3, 0.4 * 4 * np.square(X).sum(axis=1))  # of the exponents
    np.testing.assert_allclose(C, rbf_affinity(X, 0.4)[:, chosen], rtol=error)
    assert (C[chosen, np.arange(4)] == 1).all()


@pytest.mark.parametrize("m", [5, 20, 60])
def test_the_eigenpairs_of_what_is_filled_in(rng, m):
    X, chosen = rng.normal(size=(60, 2)), np.sort(rng.choice(60, m, replace=False))
    C = landmark_affinity(X, chosen, 2.0)
    S, W = filled_in(C, chosen)
    values, V = nystrom_eigenpairs(C, chosen, 4)
    np.testing.assert_allclose(W[:, chosen], C, atol=1e-8)  # landmarks keep what they were
    np.testing.assert_allclose(values, np.linalg.eigvalsh(S)[::-1][:4], atol=1e-7)
    np.testing.assert_allclose(S @ V, V * values, atol=1e-6)
    np.testing.assert_allclose(V.T @ V, np.eye(4), atol=1e-7)
    assert values[0] == pytest.approx(1, abs=1e-9) and (V.max(axis=0) >= -V.min(axis=0)).all()


def test_with_all_points_as_landmarks_it_is_the_whole_graph(rng):
    X = rng.normal(size=(80, 3))
    W = rbf_affinity(X, 1.0)
    d = W.sum(axis=1)
    values, _ = nystrom_eigenpairs(landmark_affinity(X, np.arange(80), 1.0), np.arange(80), 5)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(W / np.sqrt(np.outer(d, d)))[::-1][:5], atol=1e-8)


def test_a_point_out_of_reach_is_a_part_of_its_own(rng):
    X = np.concatenate([rng.normal(size=(20, 2)), [[1e4, 0], [-1e4, 0]]])
    chosen = np.arange(5)
    C = landmark_affinity(X, chosen, 1.0)
    values, V = nystrom_eigenpairs(C, chosen, 4)
    near = nystrom_eigenpairs(C[:20], chosen, 2)[0]
    np.testing.assert_allclose(values, [1, 1, 1, near[1]], atol=1e-9)  # 5 digits are lost to the root of 1e-10
    np.testing.assert_allclose(V.T @ V, np.eye(4), atol=1e-9)
    S = filled_in(C[:20], chosen)[0]
    np.testing.assert_allclose(S @ V[:20], V[:20] * values, atol=1e-6)
    assert count_parts(C) == 3 and np.linalg.matrix_rank(V[20:], tol=1e-6) == 2


def test_far_points_alone_among_landmarks_that_are_alone(rng):
    X = rng.normal(size=(30, 2))
    C = landmark_affinity(X, np.arange(10), 1e300)
    values, V = nystrom_eigenpairs(C, np.arange(10), 4)
    np.testing.assert_allclose(values, 1, rtol=1e-12)
    np.testing.assert_allclose(V.T @ V, np.eye(4), atol=1e-12)
    assert count_parts(C) == 30


def test_landmarks_that_are_all_alike_leave_eigenvalues_of_0():
    values, V = nystrom_eigenpairs(np.ones((21, 5)), np.arange(5), 3)
    np.testing.assert_allclose(values, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(V, np.eye(1, 3) / np.sqrt(21) * np.ones((21, 1)), atol=1e-12)


def test_parts_are_those_of_the_whole_graph_where_landmarks_see_it(rng):
    X = np.concatenate([rng.normal(size=(100, 2)) + center for center in ([0, 0], [99, 0], [0, 99])])
    assert count_parts(landmark_affinity(X, np.arange(0, 300, 10), 1.0)) == level_groups(rbf_affinity(X, 1.0))[1] == 3
