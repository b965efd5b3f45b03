"""Chebyshev filters: the polynomial is the one they say, on both back ends, and its eigenvectors are the graph's."""

import numpy as np
import pytest

from aelearn import kernels, make_blobs, make_moons
from aelearn.spectral import eigenvectors, elimination, sparse
from aelearn.spectral.eigenvectors import TOLERANCE, largest_eigenpairs, orthonormal
from aelearn.spectral.filtering import DEGREE, ChebyshevFilter, chebyshev_step
from aelearn.spectral.graphs import neighbor_graph, normalized_affinity
from aelearn.spectral.neighbors import nearest_neighbors

pytestmark = pytest.mark.linear_algebra


def graph(X, k=8):
    return normalized_affinity(neighbor_graph(nearest_neighbors(X, k)))[0]


def three_parts_and_a_point(rng):
    """Blobs too far apart for edges; duplicates; a point that nobody is near to is linked one way at least."""
    blobs = make_blobs(240, centers=[[0.0, 0], [50, 0], [0, 50]], random_state=0)[0]
    return np.concatenate([blobs, blobs[:12], [[-400.0, 300.0]]])


@pytest.mark.parametrize("compiled", [True, False])
def test_it_multiplies_by_the_polynomial(rng, compiled):
    S, b = graph(rng.normal(size=(120, 2))), rng.normal(size=(120, 3))
    amplify = ChebyshevFilter(S)
    amplify.compiled = compiled
    amplify.adapt(np.array([1.0, 0.99, 0.9]))
    values, vectors = np.linalg.eigh(S.toarray())
    t = (values - (0.9 - 1) / 2) / ((0.9 + 1) / 2)
    p = np.polynomial.chebyshev.chebval(t, np.eye(DEGREE + 1)[DEGREE])
    wanted = vectors * p @ (vectors.T @ b)
    np.testing.assert_allclose(amplify.solve(b), wanted, atol=1e-10 * np.abs(p).max())
    assert np.abs(p[values <= 0.9]).max() < 1 + 1e-9 < p[values > 0.95].min()


def test_a_step_and_a_product_are_their_twins(rng):
    S = graph(rng.normal(size=(700, 2)))
    for columns in (1, 5, 22):
        x, before = rng.normal(size=(2, 700, columns))
        got = before.copy()
        chebyshev_step(S, x, before, -0.1, 0.9)
        kernels.get("numba").chebyshev_step((S.data, S.indices, S.indptr), x, got, -0.1, 0.9)
        np.testing.assert_allclose(got, before, rtol=0, atol=1e-14 * np.abs(before).max())
        product = kernels.get("numba").csr_product(S.data, S.indices, S.indptr, np.asfortranarray(x))
        assert np.array_equal(product, S @ x)
    with pytest.raises(ValueError, match="x must have 700 rows"):
        kernels.get("numba").csr_product(S.data, S.indices, S.indptr, x[1:])


def test_large_products_take_the_kernel(rng, monkeypatch):
    S, x, calls = graph(rng.normal(size=(50, 2))), rng.normal(size=(50, 2)), []
    wanted = S @ x
    monkeypatch.setattr(sparse, "LARGE", 1)
    monkeypatch.setattr(kernels.get("numba"), "csr_product", lambda *arguments: calls.append(arguments) or wanted)
    assert S @ x is wanted and len(calls) == 1


@pytest.mark.parametrize("kind", ["moons", "wide", "parts"])
@pytest.mark.parametrize("n_pairs", [1, 6])
def test_against_all_eigenpairs(rng, kind, n_pairs, monkeypatch):
    """What a graph too large for elimination would take."""
    S = graph({"moons": make_moons(400, random_state=0)[0], "wide": rng.normal(size=(300, 20)),
               "parts": three_parts_and_a_point(rng)}[kind])
    monkeypatch.setattr(elimination, "FEW_ENTRIES", 0)
    monkeypatch.setattr(eigenvectors, "Elimination", None)
    values, V, n_parts = largest_eigenpairs(S, n_pairs, np.random.default_rng(1))
    wanted = np.linalg.eigvalsh(S.toarray())[::-1]
    np.testing.assert_allclose(values, wanted[:n_pairs], atol=TOLERANCE)
    np.testing.assert_allclose(V.T @ V, np.eye(n_pairs), atol=20 * TOLERANCE)
    np.testing.assert_allclose(S @ V, V * values, atol=10 * TOLERANCE)
    assert n_parts == np.count_nonzero(wanted > 1 - 10 * TOLERANCE)


@pytest.mark.parametrize("condition", [1, 1e6, 1e12, None])
def test_orthonormal_bases_of_tall_matrices(rng, condition):
    V = np.linalg.qr(rng.normal(size=(6000, 8)))[0]
    sizes = np.geomspace(1, 1 / condition, 8) if condition else np.zeros(8)
    mixed = V * sizes @ np.linalg.qr(rng.normal(size=(8, 8)))[0] * 1e-30
    Q = orthonormal(mixed)
    np.testing.assert_allclose(Q.T @ Q, np.eye(8), atol=1e-12)
    np.testing.assert_allclose(Q @ (Q.T @ mixed), mixed, atol=1e-12 * np.abs(mixed).max())
