"""The few largest eigenpairs against all of them from np.linalg.eigh, on dense and on sparse graphs of every kind."""

import numpy as np
import pytest

from aelearn import eigenvectors, make_blobs, make_circles, make_moons
from aelearn.eigenvectors import largest_eigenpairs, with_signs
from aelearn.graphs import nearest_neighbors, neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.validation import ConvergenceWarning


def graphs_of_every_kind():
    rng = np.random.default_rng(0)
    moons, circles, blobs = make_moons(400, random_state=0)[0], make_circles(300, random_state=0)[0], make_blobs(
        500, centers=6, random_state=0)[0]
    for name, X in (("moons", moons), ("circles", circles), ("blobs", blobs), ("wide", rng.normal(size=(300, 20)))):
        yield f"{name}, neighbours", normalized_affinity(neighbor_graph(nearest_neighbors(X, 8)))[0]
        yield f"{name}, rbf", normalized_affinity(rbf_affinity(X, 5.0))[0]
    yield "a chain", normalized_affinity(neighbor_graph(nearest_neighbors(np.arange(700.0)[:, None], 3)))[0]
    yield "all alike", normalized_affinity(np.ones((200, 200)))[0]
    yield "alone", np.eye(200)


CASES = list(graphs_of_every_kind())


@pytest.mark.parametrize("name, S", CASES, ids=[name for name, _ in CASES])
@pytest.mark.parametrize("n_pairs", [1, 3, 9])
def test_against_all_eigenpairs(name, S, n_pairs):
    values, V, n_parts = largest_eigenpairs(S, n_pairs, np.random.default_rng(1))
    dense = S if isinstance(S, np.ndarray) else S.toarray()
    wanted = np.linalg.eigvalsh(dense)[::-1]
    np.testing.assert_allclose(values, wanted[:n_pairs], atol=1e-11)
    np.testing.assert_allclose(V.T @ V, np.eye(n_pairs), atol=1e-9)
    np.testing.assert_allclose(dense @ V, V * values, atol=1e-9)
    # Gaussian weights are small but not 0: one part, however close to 1 some eigenvalues are.
    assert n_parts == (1 if "rbf" in name else np.count_nonzero(wanted > 1 - 1e-9))
    assert (V.max(axis=0) >= -V.min(axis=0)).all()


def test_the_same_seed_gives_the_same_bits():
    S = CASES[0][1]
    a, b = (largest_eigenpairs(S, 4, np.random.default_rng(3))[1] for _ in range(2))
    assert np.array_equal(a, b)


def test_signs():
    V = with_signs(np.array([[1.0, -1, 2], [-3, 0.5, 1]]))
    assert V.tolist() == [[-1, 1, 2], [3, -0.5, 1]]


def test_what_is_not_reached_is_said(monkeypatch):
    monkeypatch.setattr(eigenvectors, "MAX_ROUNDS", 1)
    with pytest.warns(ConvergenceWarning, match="after 1 rounds the eigenvectors are still wrong by"):
        largest_eigenpairs(dict(CASES)["wide, neighbours"], 9, np.random.default_rng(0))
