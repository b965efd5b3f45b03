"""The few largest eigenpairs against all of them from np.linalg.eigh, on dense and on sparse graphs of every kind."""

import numpy as np
import pytest

from aelearn import make_blobs, make_circles, make_moons
from aelearn.core.validation import ConvergenceWarning
from aelearn.spectral import eigenvectors
from aelearn.spectral.eigenvectors import TOLERANCE, largest_eigenpairs, with_signs
from aelearn.spectral.graphs import neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.spectral.neighbors import nearest_neighbors

pytestmark = pytest.mark.linear_algebra


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
    # A residual of TOLERANCE is an error of the eigenvalue that is no larger (in truth its square over the gap to the
    # next); the eigenvectors are orthogonal to rounding, but for the last product S v / lambda, 10 TOLERANCE at most.
    np.testing.assert_allclose(values, wanted[:n_pairs], atol=TOLERANCE)
    np.testing.assert_allclose(V.T @ V, np.eye(n_pairs), atol=20 * TOLERANCE)
    np.testing.assert_allclose(dense @ V, V * values, atol=10 * TOLERANCE)
    # Gaussian weights are small but not 0: one part, however close to 1 some eigenvalues are.
    assert n_parts == (1 if "rbf" in name else np.count_nonzero(wanted > 1 - 10 * TOLERANCE))
    assert (V.max(axis=0) >= -V.min(axis=0)).all()


def test_the_same_seed_gives_the_same_bits():
    S = CASES[0][1]
    a, b = (largest_eigenpairs(S, 4, np.random.default_rng(3))[1] for _ in range(2))
    assert np.array_equal(a, b)


def test_a_graph_in_float32_is_as_good(monkeypatch):
    S = dict(CASES)["moons, rbf"].astype(np.float32)
    values, V, _ = largest_eigenpairs(S, 4, np.random.default_rng(1))
    np.testing.assert_allclose(S @ V, V * values, atol=10 * TOLERANCE)
    assert V.dtype == np.float64


@pytest.mark.parametrize("n", [90, 600])
def test_points_on_light_edges_have_digits_of_their_own(n):
    """Their entries are far below 1e-16, and yet the mean of their neighbours': S v / lambda, entry by entry."""
    X = make_blobs(n, centers=np.array([[0.0, 0], [6, 0], [0, 6]]), random_state=0)[0]
    S = normalized_affinity(rbf_affinity(np.concatenate([X, [[26.0, 0], [-20, 6], [6, -19]]]), 0.5))[0]
    values, V, n_parts = largest_eigenpairs(S, 3, np.random.default_rng(0))
    assert n_parts == 1 and 0 < np.abs(V[n:]).max() < 1e-20
    np.testing.assert_allclose(V[n:], S[n:, :n] @ V[:n] / values, rtol=1e-6)  # 10 TOLERANCE of near entries, some 1e-3


def test_signs():
    V = with_signs(np.array([[1.0, -1, 2], [-3, 0.5, 1]]))
    assert V.tolist() == [[-1, 1, 2], [3, -0.5, 1]]


def test_what_is_not_reached_is_said(monkeypatch):
    monkeypatch.setattr(eigenvectors, "MAX_ROUNDS", 1)
    with pytest.warns(ConvergenceWarning, match="after 1 rounds the eigenvectors are still wrong by"):
        largest_eigenpairs(dict(CASES)["wide, neighbours"], 9, np.random.default_rng(0))
