"""Graphs, eigenvalues, labels and eigenmaps beside scikit-learn's and SciPy's. Skipped where they are not installed."""

import warnings

import numpy as np
import pytest

from aelearn import KMeans, SpectralClustering, laplacian_eigenmaps, make_blobs, make_circles, make_moons, metrics
from aelearn.spectral.eigenvectors import TOLERANCE, largest_eigenpairs
from aelearn.spectral.graphs import neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.spectral.neighbors import nearest_neighbors
from tests.small import rounding

cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed (extra: peers)")
linalg = pytest.importorskip("scipy.linalg", reason="SciPy is not installed (extra: peers)")


def sets():
    """Name, X, K, gamma."""
    rng = np.random.default_rng(0)
    yield "moons", make_moons(500, noise=0.03, random_state=0)[0], 2, 40.0
    yield "circles", make_circles(500, random_state=0)[0], 2, 40.0
    yield "blobs", make_blobs(600, centers=5, random_state=3)[0], 5, 0.3
    yield "bridge", np.concatenate([rng.normal(size=(200, 3)), rng.normal(size=(200, 3)) + 4]), 2, 0.2
    yield "many columns", make_blobs(300, centers=4, n_features=50, random_state=0)[0], 4, 0.01


@pytest.fixture(params=list(sets()), ids=lambda case: case[0])
def case(request):
    return request.param[1:]


@pytest.fixture(autouse=True)
def graphs_in_parts_are_fine():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        warnings.filterwarnings("ignore", "The graph falls into")
        yield


def fitted(case, affinity):
    X, k, gamma = case
    settings = {"affinity": affinity, "gamma": gamma, "random_state": 0}
    return SpectralClustering(k, **settings).fit(X), cluster.SpectralClustering(k, **settings).fit(X)


def dense(W):
    return W.toarray() if hasattr(W, "toarray") else W


@pytest.mark.parametrize("affinity", ["rbf", "nearest_neighbors"])
def test_the_same_graph_and_the_same_clusters(case, affinity):
    ours, theirs = fitted(case, affinity)
    np.testing.assert_allclose(ours.affinity_matrix_, dense(theirs.affinity_matrix_),
                               atol=rounding(case[0].shape[1], case[2] * 4 * np.square(case[0]).sum(axis=1).max()))
    assert metrics.accuracy(theirs.labels_, ours.labels_) == 1


@pytest.mark.parametrize("affinity", ["rbf", "nearest_neighbors"])
def test_the_same_clusters_from_the_same_graph(case, affinity):
    W = fitted(case, affinity)[0].affinity_matrix_
    settings = {"affinity": "precomputed", "random_state": 0}
    ours = SpectralClustering(case[1], **settings).fit(W)
    theirs = cluster.SpectralClustering(case[1], **settings).fit(W)
    assert metrics.accuracy(theirs.labels_, ours.labels_) == 1


@pytest.mark.parametrize("affinity", ["rbf", "nearest_neighbors"])
def test_eigenvalues(case, affinity):
    """SciPy's normalised Laplacian is I - S: so much for the definition. Its eigh finds them all."""
    from scipy.sparse.csgraph import laplacian

    X, _, gamma = case
    W = rbf_affinity(X, gamma) if affinity == "rbf" else neighbor_graph(nearest_neighbors(X, 10))
    L = laplacian(dense(W), normed=True)
    S = normalized_affinity(W)[0]
    np.testing.assert_allclose(dense(S), np.eye(len(X)) - L, atol=rounding(len(X)))
    wanted = 1 - linalg.eigh(L, eigvals_only=True, subset_by_index=(0, 7))
    np.testing.assert_allclose(largest_eigenpairs(S, 8, np.random.default_rng(0))[0], wanted,
                               atol=TOLERANCE + len(X) * np.finfo(float).eps)  # ours, and LAPACK's


def test_where_the_clusters_differ_it_is_for_the_rows_that_k_means_sees():
    """These moons touch: rows of V of length 1, as in the paper, tell them apart better than rows of D^-1/2 V."""
    X, labels = make_moons(500, noise=0.05, random_state=0)
    ours, theirs = fitted((X, 2, 1.0), "nearest_neighbors")
    S, degrees = normalized_affinity(neighbor_graph(nearest_neighbors(X, 10)))
    V = largest_eigenpairs(S, 2, np.random.default_rng(0))[1]
    with_their_rows = KMeans(2, n_init=10, random_state=0).fit_predict(V / np.sqrt(degrees)[:, None])
    assert metrics.accuracy(theirs.labels_, with_their_rows) > 0.99 > metrics.accuracy(theirs.labels_, ours.labels_)
    assert metrics.accuracy(labels, ours.labels_) > metrics.accuracy(labels, theirs.labels_) + 0.05


def test_eigenmaps():
    from sklearn.manifold import spectral_embedding

    X = make_moons(400, noise=0.02, random_state=1)[0]
    W = rbf_affinity(X, 20.0)
    ours = laplacian_eigenmaps(W, 4, random_state=0)
    theirs = spectral_embedding(W, n_components=4, random_state=0)
    np.testing.assert_allclose(ours, theirs * np.sign((ours * theirs).sum(axis=0)), atol=1e-8)


def test_errors_and_warnings_are_of_the_same_kind():
    for S in (SpectralClustering, cluster.SpectralClustering):
        for bad in ({"affinity": "best"}, {"gamma": -1}, {"n_clusters": 0},
                    {"affinity": "nearest_neighbors", "n_neighbors": 99}):
            with pytest.raises(ValueError):
                S(**{"n_clusters": 2, **bad}).fit(np.random.default_rng(0).normal(size=(20, 2)))
        W = np.kron(np.eye(2), np.ones((10, 10)))
        with pytest.warns(UserWarning):
            labels = S(2, affinity="precomputed", random_state=0).fit_predict(W)
        assert metrics.accuracy(np.arange(20) // 10, labels) == 1


def test_the_shared_defaults_are_the_same():
    theirs = cluster.SpectralClustering().get_params()
    ours = SpectralClustering().get_params()
    assert all(ours[name] == theirs[name] for name in ours if name != "n_landmarks")
