"""Clusters that no straight border separates, graphs in pieces, settings at their ends, and all 11,623 digits."""

import warnings

import numpy as np
import pytest

from aelearn import KMeans, SpectralClustering, make_blobs, make_circles, make_moons, metrics
from aelearn.core.validation import ConvergenceWarning
from aelearn.metrics import accuracy
from aelearn.spectral import estimator
from aelearn.spectral.eigenvectors import TOLERANCE
from aelearn.spectral.graphs import neighbor_graph, rbf_affinity
from aelearn.spectral.neighbors import nearest_neighbors
from tests.small import rounding

pytestmark = pytest.mark.linear_algebra

CURVES = {"moons": make_moons(600, noise=0.05, random_state=0),
          "circles": make_circles(600, noise=0.05, random_state=0)}
WAYS = {"rbf": {"gamma": 50.0}, "landmarks": {"gamma": 30.0, "n_landmarks": 150},
        "neighbours": {"affinity": "nearest_neighbors"}}


def quiet(function):
    """The result of the function, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function()


@pytest.mark.parametrize("curves", CURVES)
@pytest.mark.parametrize("way", WAYS)
def test_where_k_means_fails(curves, way):
    X, labels = CURVES[curves]
    assert accuracy(labels, KMeans(2, random_state=0).fit_predict(X)) < 0.9
    model = quiet(lambda: SpectralClustering(2, random_state=0, **WAYS[way]).fit(X))
    assert accuracy(labels, model.labels_) == 1
    assert model.labels_.dtype == np.int32 and model.embedding_.shape == (600, 2) and model.eigenvalues_.shape == (2,)


def test_each_step_is_the_papers():
    X = CURVES["moons"][0]
    model = SpectralClustering(3, gamma=20.0, random_state=0).fit(X)
    W = rbf_affinity(X, 20.0)
    assert np.array_equal(model.affinity_matrix_, W)
    np.fill_diagonal(W, 0)
    d = W.sum(axis=1)
    values, V = np.linalg.eigh(W / np.sqrt(np.outer(d, d)))
    np.testing.assert_allclose(model.eigenvalues_, values[::-1][:3], atol=TOLERANCE)
    V = V[:, ::-1][:, :3]
    Y = V / np.linalg.norm(V, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(model.embedding_), np.abs(Y), atol=1e-6)


@pytest.mark.parametrize("n_parts", [2, 3, 5])
def test_parts_have_one_row_each_and_as_many_eigenvalues_are_1(n_parts):
    X, labels = make_blobs(300, centers=np.arange(n_parts)[:, None] * [100.0, 0], random_state=0)
    model = SpectralClustering(n_parts, affinity="nearest_neighbors", random_state=0)
    with pytest.warns(UserWarning, match=f"falls into {n_parts} parts with no edge between them"):
        model.fit(X)
    np.testing.assert_allclose(model.eigenvalues_, 1, atol=TOLERANCE)
    for part in range(n_parts):
        np.testing.assert_allclose(model.embedding_[labels == part] - model.embedding_[labels == part][0], 0, atol=1e-8)
    assert metrics.adjusted_rand_index(labels, model.labels_) == 1


@pytest.mark.parametrize("settings", [
    {"n_clusters": 1}, {"n_clusters": 30}, {"gamma": 0}, {"gamma": 1e308}, {"affinity": "nearest_neighbors"},
    {"affinity": "nearest_neighbors", "n_neighbors": 30}, {"affinity": "nearest_neighbors", "n_neighbors": 1},
    {"n_landmarks": 30}, {"n_landmarks": 10}, {"n_clusters": 1, "gamma": 0, "n_landmarks": 5},
], ids=str)
@pytest.mark.parametrize("kind", ["normal", "equal", "duplicates", "far point", "1e300", "1e-300", "float32"])
def test_the_answer_is_finite(settings, kind, rng):
    X = rng.normal(size=(30, 2))
    X = {"normal": X, "equal": np.ones((30, 2)), "duplicates": np.repeat(X[:3], 10, axis=0), "1e300": X * 1e300,
         "far point": np.concatenate([X[1:], [[1e9, 0]]]), "1e-300": X * 1e-300, "float32": X.astype(np.float32)}[kind]
    model = SpectralClustering(**{"n_clusters": 3, "n_init": 1, "random_state": 0, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)  # k-means, of duplicates
        warnings.filterwarnings("ignore", "The graph falls into")
        model.fit(X)
    assert np.isfinite(model.embedding_).all() and model.embedding_.dtype == X.dtype
    assert np.isfinite(model.eigenvalues_).all() and model.eigenvalues_.max() < 1 + 100 * rounding(30)
    assert set(model.labels_) <= set(range(model.n_clusters))


def test_isolated_points_are_parts():
    W = np.zeros((6, 6))
    W[0, 1] = W[1, 0] = W[2, 3] = W[3, 2] = 1
    with pytest.warns(UserWarning, match="falls into 4 parts"):
        model = SpectralClustering(4, affinity="precomputed", random_state=0).fit(W)
    assert len(set(model.labels_)) == 4 and model.labels_[0] == model.labels_[1]
    assert np.array_equal(model.affinity_matrix_, W)


def test_precomputed_is_the_same_as_the_graph_itself():
    X = CURVES["circles"][0]
    own = SpectralClustering(2, gamma=30.0, random_state=0).fit(X)
    given = SpectralClustering(2, affinity="precomputed", random_state=0).fit(rbf_affinity(X, 30.0))
    assert np.array_equal(own.labels_, given.labels_)
    W = neighbor_graph(nearest_neighbors(X, 10)).toarray()
    own = quiet(lambda: SpectralClustering(2, affinity="nearest_neighbors", random_state=0).fit(X))
    given = quiet(lambda: SpectralClustering(2, affinity="precomputed", random_state=0).fit(W))
    assert metrics.adjusted_rand_index(own.labels_, given.labels_) == 1
    assert np.array_equal(own.affinity_matrix_, W)


@pytest.mark.parametrize("way", WAYS)
def test_random_state(way):
    X = CURVES["moons"][0]
    a, b = (quiet(lambda: SpectralClustering(5, random_state=4, **WAYS[way]).fit(X)) for _ in range(2))
    assert np.array_equal(a.embedding_, b.embedding_) and np.array_equal(a.labels_, b.labels_)


@pytest.mark.parametrize("settings, error, words", [
    ({"n_clusters": 0}, ValueError, "at least 1"), ({"n_clusters": 2.0}, TypeError, "integer"),
    ({"n_clusters": 601}, ValueError, "n_samples=600 should be >= n_clusters=601"),
    ({"affinity": "cosine"}, ValueError, "'rbf', 'nearest_neighbors', 'precomputed'"),
    ({"gamma": -1}, ValueError, "gamma"), ({"gamma": np.inf}, ValueError, "gamma"), ({"gamma": None}, TypeError, "gam"),
    ({"affinity": "nearest_neighbors", "n_neighbors": 601}, ValueError, "n_neighbors .* from 1 to 600"),
    ({"n_neighbors": 0}, ValueError, "n_neighbors"), ({"n_init": 0}, ValueError, "n_init"),
    ({"n_landmarks": 1}, ValueError, "n_landmarks .* from 2 to 600"), ({"n_landmarks": 601}, ValueError, "2 to 600"),
    ({"affinity": "nearest_neighbors", "n_landmarks": 50}, ValueError, "is for affinity='rbf'"),
    ({"affinity": "precomputed"}, ValueError, r"square matrix; got shape \(600, 2\)"),
    ({"random_state": 1.5}, TypeError, "random_state"),
])
def test_impossible_settings(settings, error, words):
    with pytest.raises(error, match=words):
        SpectralClustering(**{"n_clusters": 2, **settings}).fit(CURVES["moons"][0])


@pytest.mark.parametrize("W", [-np.ones((3, 3)), np.triu(np.ones((3, 3)))])
def test_impossible_graphs(W):
    with pytest.raises(ValueError, match="symmetric matrix without negative entries"):
        SpectralClustering(2, affinity="precomputed").fit(W)


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1.7e308])
def test_weights_at_the_ends_of_float64(weight):
    W = np.kron(np.eye(2), np.ones((8, 8))) * weight
    model = quiet(lambda: SpectralClustering(2, affinity="precomputed", random_state=0).fit(W))
    assert accuracy(np.arange(16) // 8, model.labels_) == 1
    np.testing.assert_allclose(model.eigenvalues_, 1, rtol=16 * rounding(16))


def test_nothing_is_dropped_beyond_the_limit(monkeypatch):
    X, labels = CURVES["moons"]
    monkeypatch.setattr(estimator, "MAX_EXACT", 500)
    monkeypatch.setattr(estimator, "N_LANDMARKS", 150)
    by_landmarks = SpectralClustering(2, gamma=30.0, random_state=0).fit(X)
    exact = quiet(lambda: SpectralClustering(2, affinity="nearest_neighbors", random_state=0).fit(X))
    for model in (by_landmarks, exact):
        assert accuracy(labels, model.labels_) == 1 and not hasattr(model, "affinity_matrix_")
    with pytest.raises(ValueError, match="takes up to 500 points; got 600"):
        SpectralClustering(2, affinity="precomputed").fit(rbf_affinity(X))


@pytest.mark.parametrize("far", [[[1e9, 0.0]], [[1e9, 0.0], [-1e9, 0.0]], [[40.0, 0]], [[20.0, 3], [-18, -9]]], ids=str)
def test_far_points_get_the_same_clusters_on_both_sides_of_the_limit(far, monkeypatch):
    """Out of all others' reach, they are parts of their own; linked by weights of 1e-70, they join who is nearest."""
    X, labels = make_blobs(300, centers=np.array([[0.0, 0], [7, 0], [0, 7]]), cluster_std=0.6, random_state=0)
    Z = np.concatenate([X, far])
    linked = rbf_affinity(Z, 0.5)[300:, :300]
    alone = np.count_nonzero(~linked.any(axis=1))
    wanted = np.concatenate([labels, labels[linked.argmax(axis=1)] if not alone else 3 + np.arange(len(far))])
    for limit in (5000, 300):
        monkeypatch.setattr(estimator, "MAX_EXACT", limit)
        monkeypatch.setattr(estimator, "N_LANDMARKS", 100)
        for seed in range(3):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model = SpectralClustering(3 + alone, gamma=0.5, random_state=seed).fit(Z)
            assert metrics.adjusted_rand_index(wanted, model.labels_) == 1
            parts = [str(w.message) for w in caught if "falls into" in str(w.message)]
            assert len(parts) == (alone > 0) and all(f"falls into {1 + alone} parts" in words for words in parts)


def test_digits(digits):
    images, labels = digits
    few = images[:1500]
    model = SpectralClustering(2, affinity="nearest_neighbors", random_state=0).fit(few)
    assert accuracy(labels[:1500], model.labels_) > 0.995 and model.embedding_.dtype == np.float32
    model = SpectralClustering(2, gamma=0.02, n_landmarks=100, random_state=0).fit(images)
    assert len(model.labels_) == len(images) and accuracy(labels, model.labels_) > 0.98
