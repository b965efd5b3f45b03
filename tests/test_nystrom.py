"""Nystrom's method: exact where the landmarks say all there is to say, close where they say enough."""

import numpy as np
import pytest

from aelearn.graphs import rbf_affinity
from aelearn.nystrom import landmark_affinity, nystrom_eigenpairs


def filled_in(C, chosen):
    """S of the graph W' = C A^-1 C^T, by definition."""
    W = C @ np.linalg.pinv(C[chosen], rcond=1e-10, hermitian=True) @ C.T
    d = W.sum(axis=1)
    return W / np.sqrt(np.outer(d, d)), W


def test_columns_of_the_affinity(rng):
    X, chosen = rng.normal(size=(600, 3)), np.array([0, 7, 300, 599])
    C = landmark_affinity(X, chosen, 0.4)
    np.testing.assert_allclose(C, rbf_affinity(X, 0.4)[:, chosen], rtol=1e-12)
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


def test_points_out_of_reach_and_landmarks_that_are_all_alike(rng):
    X = np.concatenate([rng.normal(size=(20, 2)), [[1e4, 0]]])
    with pytest.raises(ValueError, match="1 of 21 points are out of reach of all 5 landmarks: use a smaller gamma"):
        nystrom_eigenpairs(landmark_affinity(X, np.arange(5), 1.0), np.arange(5), 2)
    with pytest.raises(ValueError, match="span 1 dimensions, and 2 clusters want as many"):
        nystrom_eigenpairs(np.ones((21, 5)), np.arange(5), 2)
