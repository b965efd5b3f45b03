"""Densities integrate to 1, and are what the equations say; tests/peers compares with SciPy and scikit-learn."""

import math
import warnings

import numpy as np
import pytest

from aelearn import KernelDensity
from aelearn.core.validation import NotFittedError
from tests.small import assert_rows_stand_alone, extreme_rows, rounding

pytestmark = pytest.mark.linear_algebra

KERNELS = ("gaussian", "epanechnikov")


def grid_of(low, high, n, n_features):
    """The middles of n^D small boxes, (n^D, D), and the volume of each."""
    edges = np.linspace(low, high, n + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    points = np.stack(np.meshgrid(*[middles] * n_features), axis=-1).reshape(-1, n_features)
    return points, ((high - low) / n) ** n_features


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bandwidth", [0.6, "scott", "silverman", "leave-one-out"])
@pytest.mark.parametrize("n_features, n", [(1, 4000), (2, 300), (3, 64)])
def test_the_density_integrates_to_1(rng, kernel, bandwidth, n_features, n):
    X = rng.normal(size=(12, n_features)) * [2, 1.5, 1.5][:n_features]
    points, volume = grid_of(-9, 9, n, n_features)
    model = KernelDensity(bandwidth, kernel=kernel).fit(X)
    assert np.exp(model.score_samples(points)).sum() * volume == pytest.approx(1, abs=0.02)


def test_one_kernel_by_hand():
    for n_features, ball in ((1, 2), (2, math.pi), (3, 4 / 3 * math.pi), (4, math.pi**2 / 2)):
        x = np.zeros((1, n_features))
        x[0, 0] = 1  # |u| = 0.5
        h, X = 2.0, np.zeros((1, n_features))
        wanted = -0.125 - n_features / 2 * math.log(2 * math.pi) - n_features * math.log(2)
        error = rounding(n_features, 10)  # of terms up to 10
        assert KernelDensity(h).fit(X).score_samples(x)[0] == pytest.approx(wanted, abs=error)
        wanted = math.log(0.75 * (n_features + 2) / (2 * ball)) - n_features * math.log(2)
        assert KernelDensity(h, kernel="epanechnikov").fit(X).score_samples(x)[0] == pytest.approx(wanted, abs=error)


def direct(X, x, h, kernel):
    """The equation, term by term, for round kernels."""
    n_features = X.shape[1]
    u2 = ((x[:, None] - X[None]) ** 2).sum(axis=2) / h**2
    ball = math.pi ** (n_features / 2) / math.gamma(n_features / 2 + 1)
    values = (np.exp(-u2 / 2) / (2 * math.pi) ** (n_features / 2) if kernel == "gaussian"
              else np.where(u2 < 1, (1 - u2) * (n_features + 2) / (2 * ball), 0))
    with np.errstate(divide="ignore"):
        return np.log(values.mean(axis=1) / h**n_features)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_features", [1, 2, 5])
@pytest.mark.parametrize("h", [0.05, 0.4, 1.0, 30.0])
def test_tiles_and_slices_add_up_to_the_equation(rng, kernel, n_features, h):
    X = np.concatenate([rng.normal(size=(700, n_features)), rng.normal(size=(90, n_features)) * 0.01 + 4])
    x = np.concatenate([rng.normal(size=(333, n_features)), X[::3], [np.full(n_features, 8.0)]])
    x.flags.writeable = False
    got, wanted = KernelDensity(h, kernel=kernel).fit(X).score_samples(x), direct(X, x, h, kernel)
    lost = np.isinf(wanted) & (kernel == "gaussian")  # there the direct sum has rounded to 0
    assert np.isfinite(got[lost]).all()
    # Of a log density: N roundings of the sum, those of |u|^2 in the exponent; and where Epanechnikov kernels only just
    # reach, 1 - |u|^2 is as small as exp(log density), beside rounding that is as large as that of 1.
    reach = np.exp(np.minimum(wanted, 0)) * h**n_features if kernel == "epanechnikov" else np.ones(len(x))
    size = 1 + np.abs(wanted[np.isfinite(wanted)]).max()
    error = rounding(n_features + len(X), size) / np.maximum(reach, 1e-9)  # (M,)
    np.testing.assert_allclose(got[~lost], wanted[~lost], rtol=rounding(n_features, 1),
                               atol=np.max(error[~lost], initial=0))


def test_far_out_the_logarithm_is_still_exact():
    model = KernelDensity(1.0).fit([[0.0], [1.0]])
    wanted = -1e6**2 / 2 - math.log(2) - math.log(2 * math.pi) / 2  # exp of it is 0
    assert model.score_samples([[1e6 + 1]])[0] == pytest.approx(wanted, rel=rounding(1))


def test_where_no_kernel_reaches_the_log_density_is_minus_infinity(rng):
    model = KernelDensity(1.0, kernel="epanechnikov").fit(rng.random((20, 2)))
    assert model.score_samples([[5.0, 5.0], [-1e300, 0.0], [0.5, 0.5]])[:2].tolist() == [-np.inf, -np.inf]
    assert model.score([[0.5, 0.5], [5.0, 5.0]]) == -np.inf and np.isfinite(model.score([[0.5, 0.5]]))
    assert KernelDensity(1.0).fit([[0.0]]).score_samples([[1e200]])[0] == -np.inf


def test_the_rules_by_hand_and_in_other_units(rng):
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3))
    scott, silverman = KernelDensity("scott").fit(X), KernelDensity("silverman").fit(X)
    assert scott.bandwidth_ == pytest.approx(50 ** (-1 / 7)) and scott.score(X) < silverman.score(X)
    assert silverman.bandwidth_ == pytest.approx((50 * 5 / 4) ** (-1 / 7))
    error = rounding(50, np.square(X - X.mean(axis=0)).sum(axis=0) / 49)
    np.testing.assert_allclose(scott.shape_ @ scott.shape_.T, np.cov(X.T), atol=error)
    change = rng.normal(size=(3, 3)) * [1e-3, 1, 1e3]  # other axes, in millimetres, metres and kilometres
    for kernel in KERNELS:
        before = KernelDensity("scott", kernel=kernel).fit(X).score_samples(X[:9])
        after = KernelDensity("scott", kernel=kernel).fit(X @ change + 7).score_samples(X[:9] @ change + 7)
        np.testing.assert_allclose(after, before - np.log(abs(np.linalg.det(change))), rtol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_scales_whose_squares_leave_float64(rng, kernel, scale):
    X = rng.normal(size=(60, 2))
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        for bandwidth in (0.5, "scott", "leave-one-out"):
            plain = KernelDensity(bandwidth, kernel=kernel).fit(X)
            scaled = KernelDensity(bandwidth * scale if bandwidth == 0.5 else bandwidth, kernel=kernel).fit(X * scale)
            wanted = plain.score_samples(X) - 2 * math.log(scale)
            np.testing.assert_allclose(scaled.score_samples(X * scale), wanted, rtol=1e-9, atol=1e-9)
            assert np.isfinite(scaled.sample(5, random_state=0)).all()


def test_far_points_and_tiny_kernels():
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        X = [[-1.7e308], [0.0], [1.7e308]]
        np.testing.assert_allclose(KernelDensity(2.0).fit(X).score_samples(X), -math.log(6 * math.sqrt(2 * math.pi)))
        assert np.isfinite(KernelDensity(1e308).fit(X).score_samples(X)).all()
        for bandwidth, words in ((1e-10, "larger bandwidth"), ("scott", "end of float64"), ("leave-one-out", "finite")):
            with pytest.raises(ValueError, match=words):
                KernelDensity(bandwidth).fit([X[0], X[2]])
        model = KernelDensity().fit([[1e-300], [2e-300]])  # infinitely far in widths of its kernels, which are 1e-300
        assert model.score_samples([[1e300], [1e-300]])[0] == -np.inf < model.score_samples([[1e-300]])[0]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bandwidth", ["scott", 1.0, 1e-3, 1e-10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_row_is_told_depends_on_that_row_alone(rng, kernel, bandwidth, dtype):
    model = KernelDensity(bandwidth, kernel=kernel).fit(rng.normal(size=(50, 3)).astype(dtype))
    assert_rows_stand_alone(model.score_samples, extreme_rows(rng, dtype), rtol=50 * np.finfo(float).eps,
                            atol=50 * np.finfo(float).eps)  # of a sum of 50 kernels, and of its logarithm


def test_a_row_at_the_edge_of_a_kernel_does_not_depend_on_the_others(rng):
    points = rng.normal(size=(200, 1)) * 0.3 + 1e3
    model = KernelDensity(0.1, kernel="epanechnikov").fit(points)
    edges = np.concatenate([points + 0.1 + step * np.spacing(1e3) for step in (-2, -1, 0, 1, 2)])
    assert_rows_stand_alone(model.score_samples, edges, 200 * np.finfo(float).eps, atol=200 * np.finfo(float).eps)


@pytest.mark.parametrize("gap", [1e3, 1e7])
def test_small_distances_far_from_the_origin_keep_their_digits(rng, gap):
    X = np.round(rng.normal(size=(40, 2)) * 64) / 64
    near, far = KernelDensity(0.1).fit(X).score_samples(X), KernelDensity(0.1).fit(X + gap).score_samples(X + gap)
    np.testing.assert_allclose(far, near, rtol=rounding(40), atol=rounding(40))  # all coordinates are exact


@pytest.mark.parametrize("X", [np.ones((1, 2)), np.full((20, 2), 0.1), np.eye(2), np.ones((20, 1)) * [1, 2],
                               np.arange(20.0)[:, None] * [0.1, 0.3], np.arange(20.0)[:, None] * [1, 0] + 0.1],
                         ids=["one", "constant", "two", "constant columns", "line", "a constant column"])
def test_no_covariance_to_invert(X):
    for rule in ("scott", "silverman"):
        with pytest.raises(ValueError, match=f"'{rule}' .* cannot be inverted.*n_samples={len(X)} .*Pass a number"):
            KernelDensity(rule).fit(X)
    assert np.isfinite(KernelDensity(1.0).fit(X).score_samples(X)).all()
    if len(np.unique(X, axis=0)) > 1:
        assert np.isfinite(KernelDensity("leave-one-out").fit(X).score(X))
    else:
        with pytest.raises(ValueError, match=f"points that differ.*n_samples={len(X)}"):
            KernelDensity("leave-one-out").fit(X)


@pytest.mark.parametrize("n", [10, 1000, 100_000])
@pytest.mark.parametrize("n_features", [1, 2, 10])
def test_a_column_that_follows_from_others_is_found_for_any_number_of_samples(rng, n, n_features):
    X = rng.normal(size=(n, n_features))
    for Y in (np.hstack([X, 3 * X[:, :1]]), np.hstack([X + 7, X[:, :1] + X[:, -1:] + 3]),
              np.hstack([X, np.full((n, 1), 0.1)]), np.hstack([X + 1e4, 0.3 * X[:, :1] + 3000.1])):
        with pytest.raises(ValueError, match="cannot be inverted"):
            KernelDensity("scott").fit(Y)
    if n > n_features + 1:
        assert KernelDensity("scott").fit(np.hstack([X, X[:, :1] + 1e-4 * rng.normal(size=(n, 1))])).bandwidth_ > 0


@pytest.mark.parametrize("settings, error, words", [
    ({"bandwidth": 0}, ValueError, "bandwidth must be finite and above 0; got 0"),
    ({"bandwidth": -1.0}, ValueError, "above 0; got -1"),
    ({"bandwidth": np.inf}, ValueError, "finite"), ({"bandwidth": np.nan}, ValueError, "finite"),
    ({"bandwidth": "best"}, ValueError, "'scott', 'silverman', 'leave-one-out'"),
    ({"bandwidth": None}, TypeError, "number"),
    ({"bandwidth": True}, TypeError, "number"), ({"kernel": "tophat"}, ValueError, "'gaussian', 'epanechnikov'"),
])
def test_impossible_settings(rng, settings, error, words):
    with pytest.raises(error, match=words):
        KernelDensity(**settings).fit(rng.random((9, 2)))


def test_wrong_use(rng):
    for use in (lambda m: m.score_samples([[0.0]]), lambda m: m.score([[0.0]]), lambda m: m.sample()):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            use(KernelDensity())
    model = KernelDensity(1.0).fit(rng.random((9, 2)))
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.score_samples([[0.0]])
    with pytest.raises(ValueError, match="n_samples must be an integer of at least 1"):
        model.sample(0)
    with pytest.raises(TypeError, match="n_samples must be an integer"):
        model.sample(2.5)


@pytest.mark.parametrize("n_features", [1, 2, 3, 6])
def test_noise_from_the_epanechnikov_kernel(n_features):
    """For u from the kernel, P(|u| < r) = (D + 2) / 2 r^D - D / 2 r^(D + 2), the integral of its radial density."""
    u = KernelDensity(1.0, kernel="epanechnikov").fit(np.zeros((1, n_features))).sample(40_000, random_state=0)
    radius, r = np.linalg.norm(u, axis=1), np.linspace(0.1, 1, 10)
    shares = (radius[:, None] < r).mean(axis=0)
    np.testing.assert_allclose(shares, (n_features + 2) / 2 * r**n_features - n_features / 2 * r ** (n_features + 2),
                               atol=0.01)
    assert radius.max() < 1 and np.abs(u.mean(axis=0)).max() < 0.01
    np.testing.assert_allclose(np.cov(u.T), np.eye(n_features).squeeze() / (n_features + 4), atol=0.005)


@pytest.mark.parametrize("kernel, variance", [("gaussian", 1), ("epanechnikov", 1 / 6)])
def test_samples_have_the_mean_and_the_covariance_of_the_density(rng, kernel, variance):
    X = rng.normal(size=(200, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + 3
    covariance = np.cov(X.T, ddof=0)
    for bandwidth in ("scott", 0.8):
        model = KernelDensity(bandwidth, kernel=kernel).fit(X)
        drawn = model.sample(60_000, random_state=1)
        noise = variance * model.bandwidth_**2 * model.shape_ @ model.shape_.T
        np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.04)
        np.testing.assert_allclose(np.cov(drawn.T), covariance + noise, atol=0.08)
        assert np.isfinite(model.score(drawn[:2000]))


def test_samples_are_those_of_the_random_state_and_of_the_dtype(rng):
    X = rng.random((30, 3)).astype(np.float32)
    for kernel in KERNELS:
        model = KernelDensity(0.1, kernel=kernel).fit(X)
        a, b, c = (model.sample(8, random_state=seed) for seed in (0, 0, 1))
        assert np.array_equal(a, b) and not np.array_equal(a, c) and a.shape == (8, 3) and a.dtype == np.float32
        stream = np.random.default_rng(0)
        assert np.array_equal(model.sample(8, random_state=stream), a)
        assert not np.array_equal(model.sample(8, random_state=stream), a)
        assert model.sample().shape == (1, 3) and model.score_samples(X).dtype == np.float64
        assert np.array_equal(model.score_samples(X), model.score_samples(X))
        wide = KernelDensity(0.1, kernel=kernel).fit(X.astype(np.float64))
        assert np.array_equal(wide.score_samples(X), model.score_samples(X)) and wide.sample().dtype == np.float64


def test_fit_keeps_a_copy(rng):
    X = rng.random((30, 2))
    model = KernelDensity(0.1).fit(X)
    before = model.score(X.copy())
    again = X.copy()
    X[:] = 0
    assert model.score(again) == before


def test_digits(digits):
    """All 11,623: zeros and ones by three numbers each; a one is likelier under the ones."""
    images, labels = digits
    corners = [np.s_[:14, :14], np.s_[14:, 14:], np.s_[9:19, 11:17]]
    codes = np.stack([images.reshape(-1, 28, 28)[(slice(None), *c)].mean(axis=(1, 2)) for c in corners], axis=1)
    models = [KernelDensity().fit(codes[labels == digit]) for digit in (0, 1)]
    ones = models[1].score_samples(codes) > models[0].score_samples(codes)
    assert (ones == labels).mean() > 0.95
    assert np.isfinite(KernelDensity().fit(codes).score(codes))


def test_settings_changed_after_fit_change_nothing_until_the_next(rng):
    X = rng.normal(size=(30, 2))
    model = KernelDensity(1.0).fit(X)
    before = model.score_samples(X), model.sample(5, random_state=0)
    model.set_params(kernel="epanechnikov", bandwidth="scott")
    assert all(np.array_equal(a, b) for a, b in zip(before, (model.score_samples(X), model.sample(5, random_state=0))))
    assert not np.array_equal(model.fit(X).score_samples(X), before[0])


def test_a_fit_that_fails_leaves_no_fitted_model(rng):
    model = KernelDensity(1e-320)
    with pytest.raises(ValueError, match="larger bandwidth"):
        model.fit(rng.normal(size=(9, 2)))
    with pytest.raises(NotFittedError):
        model.sample(2)
