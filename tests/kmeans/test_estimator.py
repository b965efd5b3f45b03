"""The estimator: it finds the clusters, never climbs, and gives a sentence or a finite answer for everything else."""

import warnings

import numpy as np
import pytest

from aelearn import KMeans, make_blobs
from aelearn.core.validation import ConvergenceWarning, NotFittedError
from aelearn.kmeans.estimator import _same_clustering

pytestmark = pytest.mark.linear_algebra


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request, monkeypatch):
    """Every test here runs on both back ends: each in turn is what KMeans takes where the test names none."""
    defaults = {**KMeans.__init__.__kwdefaults__, "backend": request.param}
    monkeypatch.setattr(KMeans.__init__, "__kwdefaults__", defaults)


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(600, centers=np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]]), random_state=0)


def test_it_finds_the_blobs(blobs):
    X, labels = blobs
    model = KMeans(4, random_state=0).fit(X)
    assert _same_clustering(model.labels_, labels)
    assert model.cluster_centers_.shape == (4, 2) and model.labels_.dtype == np.int32
    assert type(model.inertia_) is float and type(model.n_iter_) is int


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_belongs_together(blobs, dtype):
    X = blobs[0].astype(dtype)
    model = KMeans(7, random_state=0, max_iter=3, tol=0).fit(X)  # stopped on the way
    distances = np.linalg.norm(X[:, None].astype(float) - model.cluster_centers_[None], axis=2)
    assert np.array_equal(model.labels_, distances.argmin(axis=1))
    assert np.array_equal(model.labels_, model.predict(X))
    assert model.inertia_ == pytest.approx((distances.min(axis=1) ** 2).sum(), rel=1e-12)
    assert model.score(X) == -model.inertia_
    assert model.cluster_centers_.dtype == model.transform(X).dtype == dtype
    np.testing.assert_allclose(model.transform(X), distances, rtol=1e-6)
    assert np.array_equal(KMeans(7, random_state=0, max_iter=3, tol=0).fit_transform(X), model.transform(X))
    assert np.array_equal(KMeans(7, random_state=0, max_iter=3, tol=0).fit_predict(X), model.labels_)


def nasty_sets():
    rng = np.random.default_rng(0)
    yield "offset", rng.normal(size=(300, 3)) + 1e7
    yield "tight and far", np.concatenate([rng.normal(size=(50, 2)) * 1e-6 + 1e3 * c for c in rng.normal(size=(9, 2))])
    yield "duplicates", np.repeat(rng.normal(size=(12, 2)), 20, axis=0)
    yield "integers", rng.integers(0, 4, (300, 2))
    yield "one dimension", rng.exponential(size=(400, 1))
    yield "float32", rng.normal(size=(300, 5)).astype(np.float32)
    yield "heavy tails", rng.standard_cauchy(size=(300, 2))


@pytest.mark.parametrize("name, X", list(nasty_sets()), ids=[name for name, _ in nasty_sets()])
@pytest.mark.parametrize("weighted", [False, True])
def test_inertia_never_rises(name, X, weighted):
    weight = np.random.default_rng(1).integers(0, 3, len(X)) if weighted else None
    far_start = np.full((8, X.shape[1]), np.abs(X).max() * 5) + np.arange(8)[:, None]  # empties seven clusters
    far_start[0] = X.mean(axis=0)
    for init in ("random", "k-means++", far_start):
        model = KMeans(8, init=init, n_init=1, tol=0, random_state=0).fit(X, sample_weight=weight)
        assert len(model.history_) == model.n_iter_
        assert (np.diff(model.history_) <= 0).all()
        assert model.inertia_ <= model.history_[-1] * (1 + 1e-6)  # 1e-6: centres rounded to float32
        assert np.array_equal(model.labels_, model.predict(X))


def test_empty_clusters_are_filled(blobs):
    start = np.array([[5.0, 5.0], [1e3, 1e3], [2e3, 0.0], [0.0, 3e3]])
    model = KMeans(4, init=start).fit(blobs[0])
    assert np.bincount(model.labels_, minlength=4).min() > 50


@pytest.mark.parametrize("gap, noise", [(1e8, 1.0), (1e8, 0.01), (1e10, 1.0)])
def test_labels_are_the_nearest_centres_even_where_tight_clusters_lie_far_apart(rng, gap, noise):
    X = rng.normal(size=(100, 1)) * noise + gap * (np.arange(100) % 2)[:, None]
    model = KMeans(4, random_state=0).fit(X)
    distances = np.abs(X - model.cluster_centers_.T)
    assert (distances[np.arange(100), model.labels_] == distances.min(axis=1)).all() and len(set(model.labels_)) == 4


def test_k_equals_n(rng):
    X = rng.normal(size=(30, 2))
    for init in ("k-means++", "random", np.zeros((30, 2))):
        model = KMeans(30, init=init, n_init=1, random_state=0).fit(X)
        assert model.inertia_ == pytest.approx(0, abs=1e-20) and len(set(model.labels_)) == 30


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_fewer_distinct_points_than_clusters(init):
    X = np.repeat([[0.0, 0], [1, 1], [5, 5]], 10, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) found smaller than n_clusters \(6\)"):
        model = KMeans(6, init=init, random_state=0).fit(X)
    assert model.inertia_ == 0 and np.isfinite(model.cluster_centers_).all()


def test_weights_are_repetitions(rng):
    X, weight = rng.normal(size=(80, 3)), rng.integers(0, 5, 80)
    start = X[:4]
    weighted = KMeans(4, init=start, tol=0).fit(X, sample_weight=weight)
    repeated = KMeans(4, init=start, tol=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_)
    assert weighted.score(X, sample_weight=weight) == pytest.approx(-weighted.inertia_)
    assert np.array_equal(np.repeat(weighted.labels_, weight), repeated.labels_)


def test_more_starts_are_never_worse():
    X, _ = make_blobs(400, centers=15, cluster_std=0.2, random_state=1)
    one = [KMeans(15, init="random", n_init=1, random_state=seed).fit(X).inertia_ for seed in range(5)]
    many = [KMeans(15, init="random", n_init=8, random_state=seed).fit(X).inertia_ for seed in range(5)]
    assert all(b <= a * (1 + 1e-12) for a, b in zip(one, many)) and min(many) < max(one)
    auto = KMeans(15, init="random", random_state=0).fit(X)
    assert auto.inertia_ == KMeans(15, init="random", n_init=10, random_state=0).fit(X).inertia_


def test_random_state(blobs):
    X = blobs[0]
    a, b = (KMeans(9, random_state=seed).fit(X).cluster_centers_ for seed in (0, 0))
    assert np.array_equal(a, b)
    stream = np.random.RandomState(4)
    first, second = (KMeans(9, max_iter=1, random_state=stream).fit(X).cluster_centers_ for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, KMeans(9, max_iter=1, random_state=np.random.RandomState(4)).fit(X).cluster_centers_)


def test_given_start_is_not_changed_and_one_run_is_made(blobs):
    start = blobs[0][:4].copy()
    start.flags.writeable = False
    with pytest.warns(RuntimeWarning, match="performing only one init in KMeans instead of n_init=3"):
        KMeans(4, init=start, n_init=3).fit(blobs[0])
    assert KMeans(4, init=start.tolist()).fit(blobs[0]).n_iter_ >= 1


def test_a_function_may_draw_the_start(blobs):
    X, seen = blobs[0], []

    def some_rows(X, n_clusters, random_state):
        assert isinstance(random_state, np.random.RandomState)
        seen.append(random_state.permutation(len(X))[:n_clusters])
        return X[seen[-1]]

    first, again = (KMeans(4, init=some_rows, random_state=3).fit(X) for _ in range(2))
    assert len(seen) == 20 and len({tuple(rows) for rows in seen}) == 10  # ten starts each, the same in both
    assert np.array_equal(first.cluster_centers_, again.cluster_centers_)
    one = KMeans(4, init=some_rows, n_init=1, random_state=3).fit(X)
    assert np.array_equal(one.cluster_centers_, KMeans(4, init=X[seen[-1]]).fit(X).cluster_centers_)
    as_lists = KMeans(4, init=lambda X, k, random_state: X[:k].tolist(), n_init=1).fit(X.astype(np.float32))
    assert as_lists.cluster_centers_.dtype == np.float32


@pytest.mark.parametrize("drawn, error, words", [
    (np.zeros((3, 2)), ValueError, r"shape of the initial centers \(3, 2\) does not match the number of clusters 4"),
    (np.zeros((4, 3)), ValueError, r"initial centers \(4, 3\) does not match the number of features of the data 2"),
    (np.full((4, 2), np.nan), ValueError, "init contains NaN"), (np.zeros(4), ValueError, "Expected 2D array"),
    (None, (ValueError, TypeError), "init"), ([["a", "b"]] * 4, ValueError, "numbers"),
    (iter([[0.0, 0]] * 4), (ValueError, TypeError), "init"), (np.zeros((4, 2)) + 1j, ValueError, "Complex"),
])
def test_a_function_that_draws_something_else(blobs, drawn, error, words):
    with pytest.raises(error, match=words):
        KMeans(4, init=lambda X, k, random_state: drawn).fit(blobs[0])
    with pytest.raises(error, match=words):
        KMeans(4, init=drawn).fit(blobs[0])


def test_a_function_that_draws_points_out_of_reach(blobs):
    with pytest.raises(ValueError, match="cannot be squared"):
        KMeans(4, init=lambda X, k, random_state: np.full((k, 2), 1e300)).fit(blobs[0])


def rows_and_their_company(dtype, rng):
    """Centres, points near them, and rows of extreme size that may share a batch with them."""
    d, k, top = int(rng.integers(1, 10)), int(rng.integers(1, 7)), np.finfo(dtype).max
    size = dtype(10.0 ** rng.choice([0, 0, -20, 20] if dtype == np.float32 else [0, 0, -200, 200, -140, 140]))
    centers, X = rng.normal(size=(k, d)).astype(dtype), rng.normal(size=(9, d)).astype(dtype)
    if rng.random() < 0.5:
        centers, X = np.round(centers), np.round(X)  # ties
    company = np.concatenate([np.outer([0.9 * top, -0.5 * top, 1e-30, 0, 1], np.ones(d)), rng.normal(size=(50, d))])
    return centers * size, X * size, company.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_has_the_same_label_and_distances_in_any_company(dtype):
    rng = np.random.default_rng(0)
    for _ in range(40):
        centers, X, company = rows_and_their_company(dtype, rng)
        model = KMeans(len(centers)).fit(np.arange(2.0 * len(centers))[:, None])
        model.cluster_centers_, model.n_features_in_ = centers, centers.shape[1]
        for method in (model.predict, model.transform):
            alone = np.concatenate([method(x[None]) for x in X])
            for batch in (X, np.concatenate([X, company]), np.concatenate([X, company[:1]])):
                assert np.array_equal(method(batch)[:len(X)], alone)


def test_extreme_rows_have_the_labels_of_exact_arithmetic():
    from tests.kernels.test_exact import nearest

    centers = np.array([[1.0, 2], [2, 1], [-3, 0]])
    X = np.array([[1e300, 0], [0, 1e300], [-1e300, 1], [1e300, 1e300], [1e-300, 0], [1.5, 1.5], [0, 0]])
    model = KMeans(3, init=centers, max_iter=1).fit(centers)
    assert np.array_equal(model.predict(X), nearest(X, model.cluster_centers_))


@pytest.mark.parametrize("settings, error, words", [
    ({"verbose": -1}, ValueError, "verbose"), ({"verbose": "yes"}, TypeError, "verbose"),
    ({"copy_x": "yes"}, ValueError, "copy_x"), ({"algorithm": "elkan"}, ValueError, "use 'hamerly'"),
    ({"n_clusters": 0}, ValueError, "at least 1"), ({"n_clusters": 2.0}, TypeError, "integer"),
    ({"n_clusters": True}, TypeError, "integer"), ({"n_clusters": 601}, ValueError, "n_samples=600 should be >= n_c"),
    ({"init": "best"}, ValueError, "'random'"), ({"init": np.zeros((3, 2))}, ValueError, "number of clusters 4"),
    ({"init": np.zeros((4, 3))}, ValueError, "number of features of the data 2"),
    ({"backend": None}, ValueError, "does not exist"),
    ({"init": np.full((4, 2), np.nan)}, ValueError, "init contains NaN"),
    ({"init": None}, (ValueError, TypeError), "init"),
    ({"n_init": 0}, ValueError, "n_init"), ({"n_init": "many"}, ValueError, "n_init"),
    ({"max_iter": 0}, ValueError, "max_iter"), ({"tol": -1}, ValueError, "tol"), ({"tol": np.inf}, ValueError, "tol"),
    ({"tol": "tight"}, TypeError, "tol"), ({"algorithm": "elkan"}, ValueError, "'lloyd'"),
    ({"backend": "gpu"}, ValueError, "does not exist"), ({"random_state": 1.5}, TypeError, "random_state"),
])
def test_impossible_settings(blobs, settings, error, words):
    model = KMeans(**{"n_clusters": 4, **settings})  # the constructor only stores
    with pytest.raises(error, match=words):
        model.fit(blobs[0])


@pytest.mark.parametrize("weight, error, words", [
    (np.ones(5), ValueError, "expected"), (np.full(600, -1.0), ValueError, "negative"),
    (np.zeros(600), ValueError, "at least one non-zero"), (np.full(600, 1e308), ValueError, "above 1e100"),
    (np.full(600, 1j), ValueError, "Complex"), (np.full(600, np.nan), ValueError, "NaN"),
    (np.ones((600, 1)), ValueError, "1D"), (["a"] * 600, ValueError, "numbers"),
])
def test_impossible_weights(blobs, weight, error, words):
    with pytest.raises(error, match=words):
        KMeans(4).fit(blobs[0], sample_weight=weight)


def test_random_start_wants_enough_points_that_weigh_something(blobs):
    weight = np.zeros(600)
    weight[:3] = 1
    with pytest.raises(ValueError, match="only 3 have a sample_weight above 0"):
        KMeans(4, init="random").fit(blobs[0], sample_weight=weight)


def test_unfitted_use(blobs):
    for use in ("predict", "transform", "score"):
        with pytest.raises((NotFittedError, ValueError), match="not fitted yet"):
            getattr(KMeans(), use)(blobs[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e15, 1e-30, 1e30, 1.0])
def test_scale_changes_nothing(blobs, dtype, scale):
    X = blobs[0].astype(dtype)
    plain = KMeans(4, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = KMeans(4, random_state=0).fit(X * dtype(scale))
    assert np.array_equal(plain.labels_, scaled.labels_) and np.isfinite(scaled.history_).all()
    np.testing.assert_allclose(scaled.cluster_centers_, plain.cluster_centers_ * dtype(scale), rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-290, 1e-200, 1e200, 1e300])
def test_scales_whose_squares_leave_float64(blobs, scale):
    X = blobs[0] * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = KMeans(4, random_state=0).fit(X)
        assert np.array_equal(model.predict(X), model.labels_)
        np.testing.assert_allclose(model.transform(X).min(axis=1), KMeans(4, random_state=0).fit(blobs[0])
                                   .transform(blobs[0]).min(axis=1) * scale, rtol=1e-9)
    assert _same_clustering(model.labels_, blobs[1])


@pytest.mark.parametrize("value", [0.0, 1.0, -1e15, 1e-30])
def test_constant_data(value):
    X = np.full((20, 3), value)
    with pytest.warns(ConvergenceWarning):
        model = KMeans(2, random_state=0).fit(X)
    assert model.inertia_ == 0 and (model.cluster_centers_ == value).all()
    assert KMeans(1).fit(X).inertia_ == 0


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], np.ndarray.tolist])
def test_any_layout_gives_the_same_answer(blobs, change):
    X = blobs[0].copy()
    X.flags.writeable = False
    wanted, got = KMeans(4, random_state=0).fit(X), KMeans(4, random_state=0).fit(change(X))
    assert np.array_equal(wanted.cluster_centers_, got.cluster_centers_)


def test_integers_and_booleans_become_float64(rng):
    X = rng.integers(0, 100, (50, 2))
    assert KMeans(3, random_state=0).fit(X).cluster_centers_.dtype == np.float64
    assert KMeans(2, random_state=0).fit(X > 50).cluster_centers_.dtype == np.float64


def test_memory_map_is_read_where_it_lies(tmp_path, blobs):
    mapped = np.memmap(tmp_path / "x", dtype=np.float64, mode="w+", shape=(600, 2))
    mapped[:] = blobs[0]
    mapped.flush()
    read_only = np.memmap(tmp_path / "x", dtype=np.float64, mode="r", shape=(600, 2))
    wanted = KMeans(4, random_state=0).fit_predict(blobs[0])
    assert np.array_equal(KMeans(4, random_state=0).fit_predict(read_only), wanted)


def test_digits(digits):
    from aelearn.metrics import accuracy

    images, labels = digits
    model = KMeans(2, random_state=0).fit(images)
    assert accuracy(labels, model.labels_) == pytest.approx(0.9908, abs=0.001)  # as measured with scikit-learn


def test_a_function_that_changes_what_it_is_given_does_not_change_x(rng):
    def init(X, k, random_state):
        random_state.shuffle(X)
        start = X[:k].copy()
        X[:] = 0
        return start

    X = rng.normal(size=(30, 2))
    before = X.copy()
    model = KMeans(3, init=init, n_init=2, random_state=0).fit(X)
    assert np.array_equal(X, before) and model.inertia_ > 0


def batches(X, size=50):
    return [X[start:start + size] for start in range(0, len(X), size)]


@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
def test_partial_fit_finds_the_blobs(blobs, algorithm):
    X, labels = blobs
    model = KMeans(4, algorithm=algorithm, random_state=0)
    for batch in batches(X):
        assert model.partial_fit(batch) is model
        assert np.array_equal(model.labels_, model.predict(batch)) and model.inertia_ == -model.score(batch)
    found = model.predict(X)
    assert _same_clustering(found, labels) and model.n_steps_ == 12
    assert model.counts_.tolist() == np.bincount(found).tolist()  # no point was given to another centre on the way
    means = [X[found == k].mean(axis=0) for k in range(4)]
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-12)


def test_partial_fit_on_one_batch_is_an_iteration_of_lloyd(blobs):
    X, start = blobs[0], blobs[0][:5]
    batch = KMeans(5, init=start).partial_fit(X)
    iteration = KMeans(5, init=start, max_iter=1, tol=0).fit(X)
    np.testing.assert_allclose(batch.cluster_centers_, iteration.cluster_centers_, rtol=1e-12)
    assert np.array_equal(batch.labels_, iteration.labels_) and batch.counts_.sum() == len(X)


def test_partial_fit_goes_on_after_fit(blobs, rng):
    X, weight = blobs[0], rng.random(600)
    model = KMeans(4, random_state=0).fit(X, sample_weight=weight)
    np.testing.assert_allclose(model.counts_, np.bincount(model.labels_, weight))
    centers, counts, point = model.cluster_centers_.copy(), model.counts_.copy(), X[:1] + 0.5
    k = model.predict(point)[0]
    model.partial_fit(point, sample_weight=[3.0])
    np.testing.assert_allclose(model.cluster_centers_[k], (counts[k] * centers[k] + 3 * point[0]) / (counts[k] + 3))
    assert np.array_equal(np.delete(model.cluster_centers_, k, 0), np.delete(centers, k, 0))
    assert model.counts_[k] == counts[k] + 3 and model.n_steps_ == 1
    assert model.fit(X).n_steps_ == 0 and model.counts_.sum() == len(X)


def test_partial_fit_in_float32_loses_no_small_moves():
    model = KMeans(1, init=np.array([[10.0]], np.float32))
    model.partial_fit(np.array([[10.0]], np.float32), sample_weight=[1e7])
    for _ in range(200):  # each moves the centre by a tenth of what float32 can tell from 10
        model.partial_fit(np.array([[11.0]], np.float32))
    assert model.cluster_centers_.dtype == np.float32
    assert model.cluster_centers_[0, 0] - 10 == pytest.approx(200 / 1e7, abs=float(np.spacing(np.float32(10))))


@pytest.mark.parametrize("power", [-700, 700])
def test_partial_fit_at_any_scale(blobs, power):
    X = blobs[0]
    model, scaled = KMeans(4, random_state=0), KMeans(4, random_state=0)
    for batch in batches(X, 200):
        model.partial_fit(batch), scaled.partial_fit(np.ldexp(batch, power))
    np.testing.assert_allclose(np.ldexp(scaled.cluster_centers_, -power), model.cluster_centers_, rtol=1e-9)


def test_partial_fit_refuses_what_does_not_fit_and_stays_as_it_was(blobs):
    X = blobs[0]
    with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
        KMeans(4).partial_fit(X[:3])
    model = KMeans(4, random_state=0).partial_fit(X)
    before = {name: np.copy(value) for name, value in vars(model).items() if name.endswith("_")}
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2"):
        model.partial_fit(np.ones((5, 3)))
    with pytest.raises(ValueError, match="n_clusters is 5, but there are 4 centres already: call fit to start anew"):
        model.set_params(n_clusters=5).partial_fit(X)
    with pytest.raises(ValueError, match="NaN"):
        model.set_params(n_clusters=4).partial_fit([[np.nan, 0.0]])
    for name, value in before.items():
        assert np.array_equal(getattr(model, name), value), name
    model.partial_fit(X[:1])  # later batches may be small
    assert len(model.labels_) == 1
