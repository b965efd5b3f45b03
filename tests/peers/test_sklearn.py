"""Where aelearn and scikit-learn do the same thing, they do it the same way. Skipped where that is not installed."""

import inspect
import warnings

import numpy as np
import pytest

from aelearn import (
    PCA,
    Autoencoder,
    DeepClustering,
    GaussianMixture,
    KernelDensity,
    KMeans,
    SparseCoding,
    SpectralClustering,
    load_mnist,
    make_blobs,
    make_circles,
    make_moons,
    metrics,
)

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra: peers)")
cluster = pytest.importorskip("sklearn.cluster")
checks = pytest.importorskip("sklearn.utils.estimator_checks")

# scikit-learn's own KMeans fails this one for the same reason: weights change which points the start draws.
KMEANS_EXPECTED_FAILURES = {"check_sample_weight_equivalence_on_dense_data": "the start is drawn at random"}
ESTIMATORS = {
    "Autoencoder": Autoencoder(epochs=3),
    "KMeans": KMeans(),
    "DeepClustering": DeepClustering(hidden_layer_sizes=(8, 2), pretraining_epochs=2, epochs=2, update_interval=2),
    "PCA": PCA(),
    "PCA covariance_eigh": PCA(svd_solver="covariance_eigh", whiten=True),
    "SparseCoding": SparseCoding(),
    "SparseCoding omp": SparseCoding(algorithm="omp", update="ksvd"),
    "KernelDensity": KernelDensity(),
    "SpectralClustering": SpectralClustering(),
    "GaussianMixture": GaussianMixture(),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_check_estimator(name):
    expected = KMEANS_EXPECTED_FAILURES if name == "KMeans" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns that the base class is not its own, and of skipped checks
        results = checks.check_estimator(ESTIMATORS[name], expected_failed_checks=expected, on_fail=None)
    failed = [f"{r['check_name']}: {r['exception']!r}" for r in results if r["status"] == "failed"]
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert not failed and len(results) > 40
    # No estimator claims array API input; the other needs pandas.
    assert skipped <= {"check_array_api_input", "check_sample_weights_pandas_series"}


@pytest.mark.parametrize("check", [
    checks.check_clustering, checks.check_clusterer_compute_labels_predict,
    checks.check_transformer_get_feature_names_out,
], ids=lambda check: check.__name__)
def test_checks_that_check_estimator_keeps_for_classes_of_its_own(check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check("KMeans", KMeans())


def test_data_frames():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    X = np.random.default_rng(0).random((30, 3))
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    for K in (KMeans, cluster.KMeans):
        model = K(2, random_state=0).fit(frame)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
            model.predict(frame[["c", "b", "a"]])
        with pytest.warns(UserWarning, match="X does not have valid feature names, but KMeans was fitted with"):
            model.predict(X)
        with pytest.warns(UserWarning, match="X has feature names, but KMeans was fitted without feature names"):
            model.fit(X).predict(frame)


def varied_sets():
    """Ten data sets of different shape, size, dtype and clusteredness: name, X, K."""
    rng = np.random.default_rng(0)
    images = load_mnist("test", digits=(0, 1))[0]
    yield "blobs", make_blobs(1000, centers=5, random_state=0)[0], 5
    yield "blobs float32", make_blobs(3000, centers=8, n_features=6, random_state=1)[0].astype(np.float32), 8
    yield "moons", make_moons(500, random_state=0)[0], 2
    yield "circles", make_circles(700, random_state=0)[0], 6
    yield "uniform", rng.random((2000, 3)), 9
    yield "one dimension", rng.normal(size=(800, 1)), 4
    yield "offset", rng.normal(size=(600, 4)) + 1000, 5
    yield "uneven scales", rng.normal(size=(900, 5)) * [1, 10, 100, 0.1, 0.01], 7
    yield "integers", rng.integers(0, 50, (1000, 4)), 6
    yield "digits", images, 3


@pytest.mark.parametrize("name, X, k", list(varied_sets()), ids=[name for name, _, _ in varied_sets()])
def test_kmeans_from_the_same_start(name, X, k):
    start = X[np.random.default_rng(7).choice(len(X), k, replace=False)].astype(float)
    ours = KMeans(k, init=start).fit(X)
    theirs = cluster.KMeans(k, init=start, n_init=1).fit(X)
    assert np.array_equal(ours.labels_, theirs.labels_)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-4, atol=1e-4)
    for attribute in ("labels_", "cluster_centers_"):
        assert getattr(ours, attribute).dtype == getattr(theirs, attribute).dtype
    assert ours.transform(X).dtype == theirs.transform(X).dtype
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-3, atol=1e-3)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X) == pytest.approx(theirs.score(X), rel=1e-6)


def test_kmeans_with_weights_and_with_empty_clusters():
    X = make_blobs(800, centers=4, random_state=2)[0]
    weight = np.random.default_rng(0).random(800)
    start = np.array([[0.0, 0], [1, 1], [500, 500], [-2, 3]])
    ours = KMeans(4, init=start).fit(X, sample_weight=weight)
    theirs = cluster.KMeans(4, init=start, n_init=1).fit(X, sample_weight=weight)
    assert np.array_equal(ours.labels_, theirs.labels_) and ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_partial_fit_is_their_mini_batch_kmeans(dtype, weighted):
    """Theirs can also move centres with few points to random points; here it does not (reassignment_ratio=0)."""
    rng = np.random.default_rng(0)
    X = make_blobs(2000, centers=rng.normal(scale=3, size=(8, 5)), random_state=1)[0].astype(dtype)
    ours = KMeans(8, init=X[:8])
    theirs = cluster.MiniBatchKMeans(8, init=X[:8], n_init=1, reassignment_ratio=0)
    for start in range(0, 2000, 130):
        batch = X[start:start + 130]
        weight = rng.random(len(batch)) if weighted else None
        ours.partial_fit(batch, sample_weight=weight), theirs.partial_fit(batch, sample_weight=weight)
        rtol = 1e-4 if dtype == np.float32 else 1e-9
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=rtol, atol=rtol)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=rtol) and ours.n_steps_ == theirs.n_steps_


def test_kmeans_plusplus_is_as_good_on_average():
    X = make_blobs(1000, centers=20, cluster_std=0.8, random_state=0)[0]
    ours = [KMeans(20, max_iter=1, random_state=seed).fit(X).inertia_ for seed in range(60)]
    theirs = [cluster.KMeans(20, n_init=1, max_iter=1, random_state=seed).fit(X).inertia_ for seed in range(60)]
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.1)


def test_defaults_of_the_shared_parameters_are_the_same():
    shared = {name: parameter.default for name, parameter in inspect.signature(cluster.KMeans).parameters.items()}
    ours = KMeans().get_params()
    assert {name: ours[name] for name in shared} == {**shared, "algorithm": "auto"}  # scikit-learn's default is "lloyd"


@pytest.mark.parametrize("use", [
    lambda K: K(3).fit(np.ones((2, 2))), lambda K: K(2).fit(np.full((3, 2), np.nan)), lambda K: K(2).fit(np.ones(5)),
    lambda K: K(2, init=np.ones((3, 2))).fit(np.random.rand(9, 2)), lambda K: K(0).fit(np.ones((3, 2))),
    lambda K: K(2, init=np.ones((2, 3))).fit(np.random.rand(9, 2)), lambda K: K(2, copy_x="no").fit(np.eye(3)),
    lambda K: K(2, init=lambda X, k, random_state: np.ones((3, 2))).fit(np.random.rand(9, 2)),
    lambda K: K().predict(np.ones((3, 2))),
    lambda K: K(2, tol=-1).fit(np.ones((3, 2))), lambda K: K(2).fit(np.empty((0, 2))),
    lambda K: K(2).fit([["a", "b"], ["c", "d"]]), lambda K: K(2).fit(np.eye(3) * 1j),
    lambda K: K(2).fit(np.eye(3)).predict(np.eye(4)), lambda K: K(2).fit(np.eye(3), sample_weight=np.ones(2)),
    lambda K: K(2).set_params(colour="red"),
])
def test_errors_are_of_the_same_kind(use):
    with pytest.raises(Exception) as theirs:
        use(cluster.KMeans)
    with pytest.raises(Exception) as ours:
        use(KMeans)
    assert isinstance(ours.value, (ValueError, TypeError))
    assert isinstance(ours.value, next(kind for kind in (ValueError, TypeError) if isinstance(theirs.value, kind)))


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_a_start_of_another_shape_gets_the_same_sentence(shape):
    sentences = []
    for K in (KMeans, cluster.KMeans):
        for init in (np.ones(shape), lambda X, n_clusters, random_state: np.ones(shape)):
            with pytest.raises(ValueError) as error:
                K(2, init=init).fit(np.eye(9)[:, :2])
            sentences.append(str(error.value))
    assert len(set(sentences)) == 1


def test_a_function_written_for_their_kmeans_draws_the_start_of_ours():
    from sklearn.utils import check_random_state

    def draw(X, n_clusters, random_state):
        return X[check_random_state(random_state).choice(len(X), n_clusters, replace=False)]

    X, _ = make_blobs(300, centers=3, random_state=0)
    ours, theirs = (K(3, init=draw, random_state=0).fit(X) for K in (KMeans, cluster.KMeans))
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)


def test_warnings_are_of_the_same_kind():
    from sklearn.exceptions import ConvergenceWarning, NotFittedError

    for K in (KMeans, cluster.KMeans):
        with pytest.warns(ConvergenceWarning, match=r"Number of distinct clusters \(1\) found smaller than n_clusters"):
            K(2, random_state=0).fit(np.ones((5, 2)))
        with pytest.warns(RuntimeWarning, match="performing only one init in KMeans instead of n_init=4"):
            K(2, init=np.array([[0.0, 0], [1, 1]]), n_init=4).fit(np.random.default_rng(0).random((9, 2)))
    with pytest.raises(NotFittedError):
        Autoencoder().transform(np.ones((2, 2)))


def test_clone_pipeline_and_grid_search(few_digits):
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    images = few_digits[0]
    pipeline = make_pipeline(Autoencoder((8, 2), epochs=3, random_state=0), KMeans(2, random_state=0))
    labels = clone(pipeline).fit_predict(images)
    ae = Autoencoder((8, 2), epochs=3, random_state=0).fit(images)
    assert np.array_equal(labels, KMeans(2, random_state=0).fit_predict(ae.transform(images)))
    assert pipeline.get_params()["autoencoder__epochs"] == 3
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [1, 2, 4]}, cv=3).fit(images[:90])
    assert search.best_params_ == {"n_clusters": 4}


def test_metrics_on_random_labelings():
    from scipy.optimize import linear_sum_assignment
    from sklearn import metrics as theirs

    rng = np.random.default_rng(0)
    for _ in range(300):
        n, n_classes, n_clusters = rng.integers(1, 80), rng.integers(1, 9), rng.integers(1, 9)
        classes, clusters = rng.integers(0, n_classes, n), rng.integers(0, n_clusters, n) * 3 - 5
        counts = metrics.confusion_matrix(classes, clusters)
        assert np.array_equal(counts, theirs.cluster.contingency_matrix(classes, clusters))
        best = counts[linear_sum_assignment(-counts)].sum() / n
        assert metrics.accuracy(classes, clusters) == pytest.approx(best, abs=1e-12)
        matching = metrics.best_matching(classes, clusters)
        assert metrics.accuracy(classes, clusters, matching) == pytest.approx(best, abs=1e-12)
        assert metrics.normalized_mutual_information(classes, clusters) == \
            pytest.approx(theirs.normalized_mutual_info_score(classes, clusters), abs=1e-12)
        assert metrics.adjusted_rand_index(classes, clusters) == \
            pytest.approx(theirs.adjusted_rand_score(classes, clusters), abs=1e-12)
        if 2 <= len(set(clusters)) <= n - 1:
            X = rng.normal(size=(n, rng.integers(1, 5)))
            assert metrics.silhouette(X, clusters) == pytest.approx(theirs.silhouette_score(X, clusters), abs=1e-12)
        cost = rng.normal(size=(rng.integers(1, 12), rng.integers(1, 12)))
        least = cost[linear_sum_assignment(cost)].sum()
        assert cost[metrics.linear_assignment(cost)].sum() == pytest.approx(least, abs=1e-12)


def large_labelings():
    """Two labelings of up to 100,000 samples: independent, nearly the same, in a band, of very uneven sizes, alone."""
    rng = np.random.default_rng(0)
    for n, k in ((100, 100), (3_000, 300), (20_000, 400), (100_000, 1000)):
        a = rng.integers(0, k, n)
        yield "independent", a, rng.integers(0, k, n)
        yield "nearly the same", a, np.where(rng.random(n) < 0.5, rng.integers(0, k, n), 7 * a % k)
        yield "band", a, np.clip(a + rng.normal(0, k / 20, n).astype(int), 0, k - 1)
        yield "uneven", (rng.random(n) ** 3 * k).astype(int), (rng.random(n) ** 3 * k).astype(int)
        yield "few and many", a % 7, rng.integers(0, k, n)
    yield "alone", np.arange(20_000) % 10, rng.permutation(20_000)


@pytest.mark.parametrize("name, classes, clusters", list(large_labelings()))
def test_metrics_on_large_labelings(name, classes, clusters):
    from scipy.optimize import linear_sum_assignment
    from sklearn import metrics as theirs

    counts = metrics.confusion_matrix(classes, clusters)
    best = int(counts[linear_sum_assignment(-counts)].sum())
    assert metrics.accuracy(classes, clusters) == best / len(classes)
    matching = metrics.best_matching(classes, clusters)
    assert len(matching) == len(set(matching.values())) == min(counts.shape)
    assert metrics.accuracy(classes, clusters, matching) == best / len(classes)
    # Sums of at most N terms near 1 and logarithms: each term is rounded a few times, and rounding adds up at worst.
    tolerance = 8 * len(classes) * np.finfo(float).eps
    assert metrics.normalized_mutual_information(classes, clusters) == \
        pytest.approx(theirs.normalized_mutual_info_score(classes, clusters), abs=tolerance)
    assert metrics.adjusted_rand_index(classes, clusters) == \
        pytest.approx(theirs.adjusted_rand_score(classes, clusters), abs=tolerance)
    if counts.size <= 250_000:
        cost = np.random.default_rng(1).normal(size=counts.shape)
        for table in (cost, counts):  # without ties and with many
            least = table[linear_sum_assignment(table)].sum()
            assert table[metrics.linear_assignment(table)].sum() == pytest.approx(least, rel=1e-12)
