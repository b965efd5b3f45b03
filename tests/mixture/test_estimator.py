"""EM: the likelihood never falls, the parts agree with each other, and what is singular ends in a sentence."""

import re
import tracemalloc
import warnings

import numpy as np
import pytest

from aelearn import GaussianMixture, KMeans, make_blobs, metrics
from aelearn.core.validation import ConvergenceWarning, NotFittedError
from aelearn.mixture.covariances import KINDS, shape_of
from tests.small import assert_rows_stand_alone, extreme_rows, rounding

pytestmark = pytest.mark.linear_algebra


@pytest.fixture(scope="module")
def blobs():
    """Four groups, stretched and turned: X (800, 3) and the group of each point."""
    X, labels = make_blobs(800, centers=4, n_features=3, cluster_std=1.5, random_state=3)
    return X @ np.random.default_rng(1).normal(size=(3, 3)), labels


def nasty_sets():
    rng = np.random.default_rng(0)
    yield "overlapping", rng.normal(size=(400, 2))
    yield "offset", rng.normal(size=(300, 3)) + 1e7
    yield "tight and far", np.concatenate([rng.normal(size=(60, 2)) * 1e-3 + 1e3 * c for c in rng.normal(size=(4, 2))])
    yield "one dimension", rng.exponential(size=(400, 1))
    yield "uneven scales", rng.normal(size=(300, 3)) * [1e-6, 1, 1e6]
    yield "float32", rng.normal(size=(300, 4)).astype(np.float32)
    yield "large", rng.normal(size=(200, 2)) * 1e90
    yield "small", rng.normal(size=(200, 2)) * 1e-90


@pytest.mark.parametrize("name, X", list(nasty_sets()), ids=[name for name, _ in nasty_sets()])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("init_params", ["kmeans", "random"])
def test_likelihood_never_falls(name, X, kind, init_params):
    model = GaussianMixture(4, covariance_type=kind, reg_covar=0, tol=0, max_iter=12, init_params=init_params,
                            random_state=0)
    with pytest.warns(ConvergenceWarning, match="did not converge in max_iter=12 iterations"):
        model.fit(X)
    assert len(model.history_) == model.n_iter_ == 12 and np.isfinite(model.history_).all()
    assert model.lower_bound_ == model.history_[-1] and model.converged_ is False
    # Rounding: the offset of 1e7 leaves 9 of 16 digits of a distance.
    assert (np.diff(model.history_) >= -1e-9 * np.abs(model.history_[1:])).all()
    assert model.history_[-1] > model.history_[0] or init_params == "kmeans"  # which may start where EM ends


@pytest.mark.parametrize("kind", KINDS)
def test_one_component_is_the_mean_and_the_covariance(blobs, kind):
    X = blobs[0]
    model = GaussianMixture(covariance_type=kind, reg_covar=0).fit(X)
    covariance = np.cov(X.T, bias=True)
    wanted = {"full": covariance[None], "tied": covariance, "diag": np.diag(covariance)[None],
              "spherical": np.array([np.trace(covariance) / 3])}[kind]
    np.testing.assert_allclose(model.means_[0], X.mean(axis=0))
    np.testing.assert_allclose(model.covariances_, wanted)
    assert model.weights_ == 1 and model.converged_ is True and model.n_iter_ == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_belongs_together(blobs, kind, dtype):
    X = blobs[0].astype(dtype)
    model = GaussianMixture(4, covariance_type=kind, random_state=0).fit(X)
    log_p, r, labels = model.score_samples(X), model.predict_proba(X), model.predict(X)
    assert model.covariances_.shape == model.precisions_cholesky_.shape == shape_of(kind, 4, 3)
    assert {getattr(model, name).dtype for name in ("weights_", "means_", "covariances_", "precisions_cholesky_")} == \
        {r.dtype} == {np.dtype(dtype)} and log_p.dtype == np.float64 and labels.dtype == np.int64
    assert r.shape == (800, 4) and model.means_.shape == (4, 3) and log_p.shape == labels.shape == (800,)
    np.testing.assert_allclose(r.sum(axis=1), 1, rtol=1e-6)
    assert np.array_equal(r.argmax(axis=1), labels) and model.weights_.sum() == pytest.approx(1)
    assert model.score(X) == pytest.approx(log_p.mean()) and model.score(X) >= model.lower_bound_ - 1e-6
    assert np.array_equal(GaussianMixture(4, covariance_type=kind, random_state=0).fit_predict(X), labels)
    n_numbers = {"full": 24, "tied": 6, "diag": 12, "spherical": 4}[kind] + 12 + 3
    assert model.aic(X) == pytest.approx(-2 * log_p.sum() + 2 * n_numbers)
    assert model.bic(X) == pytest.approx(-2 * log_p.sum() + np.log(800) * n_numbers)


def test_float32_is_rounded_at_the_end_only(blobs):
    X = blobs[0].astype(np.float32)
    narrow, wide = (GaussianMixture(4, random_state=0).fit(Y) for Y in (X, X.astype(np.float64)))
    assert np.array_equal(narrow.history_, wide.history_)
    assert np.array_equal(narrow.covariances_, wide.covariances_.astype(np.float32))


def test_it_finds_stretched_groups_where_kmeans_cannot():
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    X = rng.normal(size=(600, 2)) * [10, 0.5] + labels[:, None] * [0, 4]  # two long, flat groups, one above the other
    mixture = GaussianMixture(2, n_init=5, init_params="random", max_iter=500, tol=1e-6, random_state=0).fit(X)
    assert metrics.accuracy(labels, mixture.predict(X)) > 0.99
    assert metrics.accuracy(labels, KMeans(2, random_state=0).fit(X).labels_) < 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_moments_of_the_mixture(blobs, kind):
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(blobs[0])
    X, labels = model.sample(40_000)
    assert X.shape == (40_000, 3) and X.dtype == np.float64 and (np.diff(labels) >= 0).all()
    np.testing.assert_allclose(np.bincount(labels) / 40_000, model.weights_, atol=0.01)
    for k in range(3):
        wanted = {"full": model.covariances_[k], "tied": model.covariances_, "diag": np.diag(model.covariances_[k])
                  if kind == "diag" else None, "spherical": model.covariances_[k] * np.eye(3)
                  if kind == "spherical" else None}[kind]
        largest = np.abs(wanted).max()
        np.testing.assert_allclose(X[labels == k].mean(axis=0), model.means_[k], atol=0.05 * np.sqrt(largest))
        np.testing.assert_allclose(np.cov(X[labels == k].T), wanted, atol=0.08 * largest)
    assert np.array_equal(model.sample(5)[0], model.sample(5)[0])
    with pytest.raises(ValueError, match="n_samples must be an integer of at least 1; got 0"):
        model.sample(0)


def test_density_adds_up_to_one(blobs):
    X = blobs[0][:, :1]
    model = GaussianMixture(3, random_state=0).fit(X)
    grid = np.linspace(X.min() - 30, X.max() + 30, 20_001)
    assert np.exp(model.score_samples(grid[:, None])).sum() * (grid[1] - grid[0]) == pytest.approx(1, abs=1e-6)


def test_a_given_start_is_used_and_not_changed(blobs):
    X = blobs[0]
    start = {"weights_init": np.array([0.5, 0.3, 0.2]), "means_init": X[:3].copy(),
             "precisions_init": np.array([0.1, 0.2, 0.3])}
    for array in start.values():
        array.flags.writeable = False

    def fit(**more):
        return GaussianMixture(3, covariance_type="spherical", **more).fit(X)

    whole = fit(**start, n_init=4)
    squares = np.square(X[:, None] - start["means_init"]).sum(axis=2) * start["precisions_init"]  # (N, K)
    joint = np.log(start["weights_init"]) + 1.5 * np.log(start["precisions_init"] / (2 * np.pi)) - squares / 2
    assert whole.history_[0] == pytest.approx(np.log(np.exp(joint).sum(axis=1)).mean(), rel=rounding(800))
    assert np.array_equal(whole.history_, fit(**{name: a.tolist() for name, a in start.items()}).history_)
    for name, array in start.items():  # each counts on its own, the rest is drawn
        alone, other = fit(**{name: array}, random_state=0), fit(random_state=0)
        assert alone.history_[0] != other.history_[0] and np.isfinite(alone.history_).all()


def test_more_starts_are_never_worse(blobs):
    def fit(seed, n):
        return GaussianMixture(6, init_params="random", n_init=n, random_state=seed, tol=1e-4,
                               max_iter=300).fit(blobs[0]).lower_bound_

    one, many = [fit(seed, 1) for seed in range(3)], [fit(seed, 4) for seed in range(3)]
    assert all(b >= a for a, b in zip(one, many)) and max(many) > min(one)


@pytest.mark.parametrize("init_params", ["kmeans", "random"])
def test_random_state(blobs, init_params):
    def fit(state):
        return GaussianMixture(5, init_params=init_params, random_state=state, tol=0.1).fit(blobs[0]).means_

    assert np.array_equal(fit(0), fit(0))
    stream = np.random.RandomState(4)
    first, second = fit(stream), fit(stream)
    assert not np.array_equal(first, second) and np.array_equal(first, fit(np.random.RandomState(4)))


@pytest.mark.parametrize("settings, error, words", [
    ({"n_components": 0}, ValueError, "at least 1"), ({"n_components": 2.0}, TypeError, "integer"),
    ({"n_components": 801}, ValueError, "n_components = 801, n_samples = 800"),
    ({"covariance_type": "round"}, ValueError, "'full', 'tied', 'diag', 'spherical'"),
    ({"tol": -1}, ValueError, "tol"), ({"reg_covar": -1e-9}, ValueError, "reg_covar"),
    ({"max_iter": 0}, ValueError, "max_iter"),
    ({"n_init": 0}, ValueError, "n_init"), ({"init_params": "best"}, ValueError, "'kmeans', 'random'"),
    ({"random_state": 1.5}, TypeError, "random_state"),
    ({"weights_init": [[1, 2], [3]]}, ValueError, "weights_init must be an array; got rows of different lengths"),
    ({"weights_init": [0.5, 0.5]}, ValueError, r"weights_init must have the shape \(3,\); got \(2,\)"),
    ({"weights_init": [0.5, 0.3, 0.3]}, ValueError, "add up to 1"),
    ({"weights_init": [1.5, -0.5, 0]}, ValueError, "negative"),
    ({"means_init": np.zeros((3, 2))}, ValueError, r"means_init must have the shape \(3, 3\)"),
    ({"means_init": np.full((3, 3), np.nan)}, ValueError, "means_init contains NaN"),
    ({"means_init": np.full((3, 3), 1e200)}, ValueError, "means_init has entries as large as 1e"),
    ({"precisions_init": np.ones(3)}, ValueError, r"precisions_init must have the shape \(3, 3, 3\)"),
    ({"precisions_init": -np.ones(3), "covariance_type": "spherical"}, ValueError, "above 0"),
    ({"precisions_init": [["a"] * 3] * 3, "covariance_type": "diag"}, ValueError, "precisions_init must hold numbers"),
])
def test_impossible_settings(blobs, settings, error, words):
    model = GaussianMixture(**{"n_components": 3, **settings})  # the constructor only stores
    with pytest.raises(error, match=words):
        model.fit(blobs[0])


def test_unfitted_use(blobs):
    for use in ("predict", "predict_proba", "score", "score_samples", "aic", "bic"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(GaussianMixture(), use)(blobs[0])
    with pytest.raises(NotFittedError):
        GaussianMixture().sample()


def degenerate_sets():
    rng = np.random.default_rng(0)
    column = rng.normal(size=(40, 1))
    yield "one point", np.array([[3.0, 4.0]]), 1
    yield "as many components as points", rng.normal(size=(6, 2)), 6
    yield "one value", np.full((20, 3), 0.1), 1
    yield "a constant column", np.hstack([column, np.full((40, 1), 0.1)]), 2
    yield "a column twice", np.hstack([column, 4 * column]), 2
    yield "more columns than points", rng.normal(size=(5, 8)), 1
    yield "zero", np.zeros((5, 2)), 1
    yield "nearly nothing", rng.normal(size=(30, 2)) * 1e-300, 2


# The kinds of covariance for which these sets are not singular.
REGULAR = {"a constant column": ("spherical",), "a column twice": ("diag", "spherical"),
           "more columns than points": ("diag", "spherical")}


@pytest.mark.parametrize("name, X, K", list(degenerate_sets()), ids=[name for name, _, _ in degenerate_sets()])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_singular_data_are_finite_with_reg_covar_and_a_sentence_without(name, X, K, kind, dtype):
    X = X.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # K-means may find points too close to tell apart
        model = GaussianMixture(K, covariance_type=kind, random_state=0).fit(X)
        for result in (model.weights_, model.means_, model.covariances_, model.precisions_cholesky_, model.history_,
                       model.score_samples(X), model.predict_proba(X), model.sample(9)[0], model.aic(X), model.bic(X)):
            assert np.isfinite(result).all()
        exact = GaussianMixture(K, covariance_type=kind, reg_covar=0, random_state=0)
        if kind in REGULAR.get(name, ()):
            assert np.isfinite(exact.fit(X).history_).all()
        else:
            with pytest.raises(ValueError, match="not positive definite: .*raise reg_covar"):
                exact.fit(X)


@pytest.mark.parametrize("kind", KINDS)
def test_duplicates_leave_components_without_points(kind):
    X = np.repeat([[0.0, 0], [1, 1], [5, 5]], 10, axis=0)
    with pytest.warns(ConvergenceWarning) as caught:
        model = GaussianMixture(6, covariance_type=kind, random_state=0).fit(X)
    assert any(re.search("3 of n_components=6 components have no points", str(w.message)) for w in caught)
    assert np.count_nonzero(model.weights_) == 3 and np.isfinite(model.score_samples(X)).all()
    assert len(set(model.predict(X))) == 3 and np.isin(model.sample(50)[1], np.flatnonzero(model.weights_)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_far_away_and_a_weight_of_zero(blobs, kind):
    X = blobs[0]
    with pytest.warns(ConvergenceWarning, match="1 of n_components=2 components have no points"):
        far = GaussianMixture(2, covariance_type=kind, means_init=[[0, 0, 0], [1e99] * 3]).fit(X)
    assert far.weights_.tolist() == [1, 0] and np.isfinite(far.history_).all()
    with pytest.warns(ConvergenceWarning, match="have no points"):
        zero = GaussianMixture(2, covariance_type=kind, weights_init=[0, 1]).fit(X)
    np.testing.assert_allclose(zero.means_[1], X.mean(axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_points_farther_than_any_density_reaches(blobs, kind):
    model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(blobs[0] * 1e-90)
    X = np.array([[1e100, -1e100, 1e100], [1e50, 0, 0]])
    assert np.isfinite(model.score_samples(X)).all() and np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("X", [np.array([[1e300], [-1e300]]), np.array([[1e30], [2e30]], np.float32)])
def test_numbers_whose_squares_leave_the_range(X):
    with pytest.raises(ValueError, match="covariances are squares: entries of float.* divide them by a constant first"):
        GaussianMixture().fit(X)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], np.ndarray.tolist])
def test_any_layout_gives_the_same_answer(blobs, change):
    X = blobs[0].copy()
    X.flags.writeable = False
    wanted, got = (GaussianMixture(4, random_state=0).fit(Y) for Y in (X, change(X)))
    np.testing.assert_allclose(got.covariances_, wanted.covariances_, rtol=1e-9)


def test_memory_is_one_array_of_responsibilities_and_blocks(rng):
    X = rng.normal(size=(100_000, 16))
    start = {"weights_init": np.full(8, 1 / 8), "means_init": X[:8], "precisions_init": np.ones((8, 16))}
    model = GaussianMixture(8, covariance_type="diag", tol=1e9, **start)
    tracemalloc.start()
    model.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000 * 8 * 8 + 10 * (1 << 20)  # responsibilities, 6.4 MB, and some blocks of 1 MB; X has 12.8 MB


def test_digits(digits):
    images, labels = digits[0][::3], digits[1][::3]
    model = GaussianMixture(2, covariance_type="diag", reg_covar=1e-2, random_state=0).fit(images)
    assert model.converged_ and metrics.accuracy(labels, model.predict(images)) > 0.9
    assert model.sample(3)[0].shape == (3, 784) and model.means_.dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_row_is_told_depends_on_that_row_alone(blobs, rng, kind, dtype):
    """|z|^2 is computed to 1e-8 at the least (gaussians.ERROR), and so is the exponent of a probability."""
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(blobs[0].astype(dtype))
    X = extreme_rows(rng, dtype)
    for ask in (model.score_samples, model.predict_proba, model.predict):
        assert_rows_stand_alone(ask, X, rtol=1e-8 if dtype == np.float64 else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_far_out_the_nearest_component_in_widths_is_the_likeliest(kind):
    X = np.concatenate([np.random.default_rng(0).normal(size=(100, 2)) * s + m for s, m in ((1, -50), (2, 50))])
    model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
    left, right = model.predict([[-50.0, -50], [50, 50]])
    for size in (1e3, 1e100, 1e153, 1e160, 1e300, 1.7e308):
        rows = np.array([[size, size], [-size, -size], [size, -0.5 * size]])
        if kind != "tied":  # where no component is wider than the other
            assert model.predict(rows).tolist() == [right] * 3
        elif size == 1e3:
            assert model.predict(rows).tolist()[:2] == [right, left]
        r = model.predict_proba(rows)
        np.testing.assert_allclose(r.sum(axis=1), 1, rtol=rounding(2))
        assert np.isfinite(model.score_samples(rows)).all()


@pytest.mark.parametrize("kind", ["full", "tied", "diag"])
@pytest.mark.parametrize("n", [2, 10, 1000, 30_000])
@pytest.mark.parametrize("n_features", [1, 2, 20])
def test_a_constant_column_and_one_that_follows_from_others_are_singular(rng, kind, n, n_features):
    """Whatever rounding makes of their variance."""
    X = rng.normal(size=(n, n_features))
    sets = [np.hstack([X, np.full((n, 1), value)]) for value in (0.1, 1e8 + 0.1)]
    if kind != "diag":
        sets += [np.hstack([X, 3 * X[:, :1]]), np.hstack([X + 7, X[:, :1] + X[:, -1:] + 3]),
                 np.hstack([X + 1e4, 0.3 * X[:, :1] + 3000.1])]
    for Y in sets:
        for K in (1, 2):
            with pytest.raises(ValueError, match="not positive definite"):
                GaussianMixture(K, covariance_type=kind, reg_covar=0, init_params="random", random_state=0).fit(Y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [100, 100_000])
def test_what_is_nearly_singular_is_not_refused(rng, kind, n):
    X = rng.normal(size=(n, 2))
    for Y in (np.column_stack([X[:, 0], X[:, 0] + 1e-5 * X[:, 1]]), X * [1e-8, 1e8], X + 1e8, X * 1e-3 + 1e5):
        with pytest.warns(ConvergenceWarning):
            model = GaussianMixture(2, covariance_type=kind, reg_covar=0, tol=0, max_iter=2, random_state=0).fit(Y)
        assert np.isfinite(model.history_).all()


@pytest.mark.parametrize("kind", KINDS)
def test_settings_changed_after_fit_change_nothing_until_the_next(blobs, kind):
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(blobs[0])
    before = model.score_samples(blobs[0]), model.bic(blobs[0])
    for other in KINDS:
        model.set_params(covariance_type=other)
        assert np.array_equal(model.score_samples(blobs[0]), before[0]) and model.bic(blobs[0]) == before[1]


@pytest.mark.parametrize("dtype, reg_covar", [(np.float32, 1e40), (np.float64, 1e250)])
def test_a_width_that_the_dtype_cannot_hold(blobs, dtype, reg_covar):
    with pytest.raises(ValueError, match="reg_covar must be a number from 0 to 1e"):
        GaussianMixture(3, reg_covar=reg_covar).fit(blobs[0].astype(dtype))


@pytest.mark.parametrize("seed", range(30))
def test_a_column_that_follows_from_others_is_refused_whatever_their_scales(seed):
    """A sum of columns of scales 1e-3 to 1e3: large coefficients magnify the rounding of what is left of the last."""
    rng = np.random.default_rng(seed)
    n_samples, n_features = (20, 100, 1000)[seed % 3], 3 + seed % 5
    A = rng.normal(size=(n_samples, n_features - 1)) * 10.0 ** rng.uniform(-3, 3, n_features - 1)
    X = np.column_stack([A, A.sum(axis=1)])[:, rng.permutation(n_features)]
    x, y = rng.normal(size=(2, 100))
    for data in (X, np.column_stack([x, x + 1e-3 * y, y])):
        with pytest.raises(ValueError, match="not positive definite"):
            GaussianMixture(reg_covar=0).fit(data)


@pytest.mark.parametrize("rho", [1e-1, 1e-3, 1e-5])
def test_a_column_that_nearly_follows_from_others_is_not_refused(rng, rho):
    A = rng.normal(size=(500, 3)) * [1e-3, 1, 1e3]
    last = A.sum(axis=1)
    X = np.column_stack([A, last + rho * last.std() * rng.normal(size=500)])
    assert np.isfinite(GaussianMixture(reg_covar=0).fit(X).score(X))
