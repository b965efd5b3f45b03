"""Principal components: the equations of the module, answers worked out by hand, and bad input."""

import warnings

import numpy as np
import pytest

from aelearn import PCA
from aelearn.pca import svd
from aelearn.pca.svd import full

pytestmark = pytest.mark.linear_algebra

SOLVERS = ["full", "covariance_eigh"]


@pytest.fixture(params=SOLVERS)
def solver(request):
    return request.param


@pytest.fixture
def X(rng):
    """200 samples of 6 features, correlated, of uneven variance and away from 0."""
    return rng.normal(size=(200, 6)) * [5, 1, 3, 0.1, 2, 0.5] @ rng.normal(size=(6, 6)) + 7


@pytest.mark.parametrize("n_components", [None, 1, 3, 6])
def test_the_equations(X, solver, n_components):
    model = PCA(n_components, svd_solver=solver)
    codes = model.fit_transform(X)
    C = n_components or 6
    assert codes.shape == (200, C) and (model.n_components_, model.n_samples_, model.n_features_in_) == (C, 200, 6)
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(C), atol=1e-13)
    np.testing.assert_allclose(model.mean_, X.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(codes, (X - X.mean(axis=0)) @ model.components_.T, atol=1e-12)
    assert np.array_equal(codes, model.transform(X))
    np.testing.assert_allclose(np.cov(codes.T).reshape(C, C), np.diag(model.explained_variance_), atol=1e-11)
    values = np.linalg.eigvalsh(np.cov(X.T))[::-1]  # all variances, the largest first
    np.testing.assert_allclose(model.explained_variance_, values[:C], rtol=1e-9)
    np.testing.assert_allclose(model.explained_variance_ratio_, values[:C] / values.sum(), rtol=1e-9)
    np.testing.assert_allclose(model.singular_values_ ** 2 / 199, values[:C], rtol=1e-9)
    lost = ((X - model.inverse_transform(codes)) ** 2).sum()  # by Pythagoras:
    assert lost == pytest.approx(((X - X.mean(axis=0)) ** 2).sum() - (codes ** 2).sum(), abs=1e-8)


def test_no_other_directions_keep_more(X, rng, solver):
    kept = PCA(2, svd_solver=solver).fit_transform(X).var(axis=0).sum()
    for _ in range(50):
        others = np.linalg.qr(rng.normal(size=(6, 2)))[0]  # two random directions at right angles
        assert (X @ others).var(axis=0).sum() < kept


def test_by_hand(solver):
    """Four points on two lines at right angles, through (1, 1): 5 along (3, 4) / 5, and 1 along (-4, 3) / 5."""
    X = np.array([[4.0, 5], [-2, -3], [0.2, 1.6], [1.8, 0.4]])
    model = PCA(svd_solver=solver)
    codes = model.fit_transform(X)
    np.testing.assert_allclose(model.mean_, [1, 1], atol=1e-15)
    np.testing.assert_allclose(model.components_, [[0.6, 0.8], [0.8, -0.6]], atol=1e-15)  # the largest entry: positive
    np.testing.assert_allclose(codes, [[5, 0], [-5, 0], [0, -1], [0, 1]], atol=1e-14)
    np.testing.assert_allclose(model.explained_variance_, [50 / 3, 2 / 3], rtol=1e-14)
    np.testing.assert_allclose(model.explained_variance_ratio_, [25 / 26, 1 / 26], rtol=1e-14)
    np.testing.assert_allclose(model.singular_values_, np.sqrt([50, 2]), rtol=1e-14)
    np.testing.assert_allclose(model.transform([[1.0, 2]]), [[0.8, -0.6]], atol=1e-15)
    np.testing.assert_allclose(model.inverse_transform([[5.0, 1]]), [[4.8, 4.4]], atol=1e-14)


def test_the_sign_is_that_of_the_largest_entry(X, solver):
    for data in (X, -X, X[::-1]):
        components = PCA(svd_solver=solver).fit(data).components_
        assert (components[np.arange(6), np.abs(components).argmax(axis=1)] > 0).all()
        np.testing.assert_allclose(components, PCA(svd_solver=solver).fit(X).components_, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(X, solver, dtype):
    model = PCA(3, svd_solver=solver).fit(X.astype(dtype))
    codes = model.transform(X.astype(dtype))
    assert codes.dtype == model.inverse_transform(codes).dtype == model.components_.dtype == model.mean_.dtype == dtype
    assert model.explained_variance_.dtype == model.singular_values_.dtype == np.float64
    np.testing.assert_allclose(codes, PCA(3, svd_solver=solver).fit_transform(X), atol=1e-4)
    assert PCA(3, whiten=True, svd_solver=solver).fit_transform(X.astype(dtype)).dtype == dtype


def test_whitening(X, solver):
    model = PCA(4, whiten=True, svd_solver=solver)
    codes = model.fit_transform(X)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(4), atol=1e-12)
    plain = PCA(4, svd_solver=solver).fit(X)
    np.testing.assert_allclose(codes * np.sqrt(model.explained_variance_), plain.transform(X), atol=1e-11)
    np.testing.assert_allclose(model.inverse_transform(codes), plain.inverse_transform(plain.transform(X)), atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_age_beside_an_income(rng, dtype):
    """Two groups that only the small column tells apart."""
    group = rng.integers(0, 2, 1000)
    X = np.column_stack([rng.normal(0, 200_000, 1000), 50 * group + rng.normal(0, 1, 1000)]).astype(dtype)
    model = PCA().fit(X)
    np.testing.assert_allclose(model.explained_variance_, X.var(axis=0, ddof=1, dtype=np.float64), rtol=1e-2)
    codes = model.transform(X)[:, 1]
    assert np.ptp(codes[group == 0]) < 20 and abs(codes[group == 0].mean() - codes[group == 1].mean()) > 40


@pytest.mark.parametrize("seed", range(60))
def test_a_whitened_direction_has_variance_1_or_0(solver, seed):
    """Random ranks, scales of directions and of columns, offsets and sizes. A variance of N codes that were rounded
    to the dtype is right to a few of its epsilons, a sum of N squares to sqrt(N) of them; sqrt(3) for two roundings."""
    rng = np.random.default_rng(seed)
    dtype = (np.float32, np.float64)[seed % 2]
    n_samples, n_features = rng.integers(2, 400), rng.integers(1, 25)
    rank = rng.integers(1, n_features + 1)
    X = rng.normal(size=(n_samples, rank)) @ (rng.normal(size=(rank, n_features))
                                              * 10.0 ** rng.integers(-6, 6, (rank, 1))) + rng.normal() * 100
    X *= 10.0 ** rng.integers(-5, 5, n_features) if rng.random() < 0.5 else 1
    for name in (solver, "auto"):
        variances = PCA(whiten=True, svd_solver=name).fit_transform(X.astype(dtype)).var(axis=0, ddof=1, dtype=float)
        off = np.minimum(np.abs(variances - 1), variances)
        assert off.max() < 4 * np.finfo(dtype).eps * np.sqrt(3 * n_samples)


def test_auto_finds_what_full_finds(rng):
    for spread in np.geomspace(1, 1e-14, 15):
        for dtype in (np.float32, np.float64):
            turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
            X = (rng.normal(size=(400, 5)) * np.geomspace(1, spread, 5) @ turn).astype(dtype)
            exact, found = PCA(svd_solver="full").fit(X).singular_values_, PCA().fit(X).singular_values_
            assert np.array_equal(exact > 0, found > 0)
            np.testing.assert_allclose(found, exact, rtol=1 / svd.SHARP)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_code_depends_on_its_row_alone(rng, whiten, dtype):
    X = rng.normal(size=(50, 4)).astype(dtype)
    model = PCA(3, whiten=whiten).fit(X)
    tiny, large = np.finfo(dtype).tiny * 8, np.finfo(dtype).max
    batch = np.vstack([X[:5], np.full((1, 4), large), X[:1] * 0 + tiny, [[large, -large, large, -large]]]).astype(dtype)
    together = model.transform(batch)
    alone = np.concatenate([model.transform(row[None]) for row in batch])
    np.testing.assert_allclose(together, alone, rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)
    back = model.inverse_transform(np.nan_to_num(together))
    np.testing.assert_allclose(back[:5], model.inverse_transform(together[:5]), rtol=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_rank_deficient_data(rng, solver, whiten):
    X = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 20)) + 3
    model = PCA(whiten=whiten, svd_solver=solver)
    codes = model.fit_transform(X)
    assert np.count_nonzero(model.singular_values_) == 4 and (model.explained_variance_ >= 0).all()
    np.testing.assert_allclose(model.inverse_transform(codes), X, atol=1e-11)
    np.testing.assert_allclose(codes[:, 4:], 0, atol=1e-12)  # nothing is there, and whitening does not blow it up
    assert np.isfinite(model.transform(rng.normal(size=(5, 20)) * 1e6)).all()


@pytest.mark.parametrize("X", [np.full((20, 3), 0.1), np.full((20, 3), 0.1, np.float32), np.ones((1, 4)), [[5.0]],
                               np.full((3, 9), -1e300), np.full((40, 2), 1e-310), np.zeros((2, 2))],
                         ids=["0.1", "float32", "N=1", "a number", "huge", "denormal", "zeros"])
@pytest.mark.parametrize("whiten", [False, True])
def test_constant_data_and_a_single_sample(X, solver, whiten):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PCA(whiten=whiten, svd_solver=solver)
        codes = model.fit_transform(X)
    for values in (model.explained_variance_, model.explained_variance_ratio_, model.singular_values_, codes):
        assert (values == 0).all()
    assert np.array_equal(model.inverse_transform(codes), X) and np.isfinite(model.components_).all()


@pytest.mark.parametrize("dtype, scale", [(np.float64, 1e300), (np.float64, 1e-300), (np.float64, 1e20),
                                          (np.float32, 1e35), (np.float32, 1e-30), (np.float32, 1e15)])
def test_scales_whose_squares_leave_the_dtype(X, solver, dtype, scale):
    plain = PCA(3, whiten=True, svd_solver=solver).fit(X.astype(dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PCA(3, whiten=True, svd_solver=solver).fit(X.astype(dtype) * dtype(scale))
        codes = model.transform(X.astype(dtype) * dtype(scale))
        back = model.inverse_transform(codes)
    np.testing.assert_allclose(codes, plain.transform(X.astype(dtype)), atol=1e-4 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(model.singular_values_, plain.singular_values_ * scale, rtol=1e-5)
    np.testing.assert_allclose(model.explained_variance_ratio_, plain.explained_variance_ratio_, rtol=1e-5)
    assert np.isfinite(back).all() and not np.isnan(model.explained_variance_).any()


def test_the_end_of_float64_gives_no_nan(solver):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PCA(whiten=True, svd_solver=solver)
        codes = model.fit_transform([[1.7e308], [-1.7e308]])
        assert np.isfinite(codes).all() and not np.isnan(model.inverse_transform(codes)).any()


def test_many_features_make_no_square_array(rng):
    import tracemalloc

    X = rng.normal(size=(5, 20_000))
    X[:, ::2] = 3  # 3.2 GB, if every column met every other
    tracemalloc.start()
    assert PCA().fit(X).components_.shape == (5, 20_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * X.nbytes


@pytest.mark.parametrize("shape, least, name", [
    ((100, 10), 1, "covariance_eigh"), ((99, 10), 1, "full"), ((2002, 1001), 1, "full"), ((100, 10), 1e-9, "full"),
])
def test_auto_chooses_by_shape_and_by_what_it_would_lose(rng, monkeypatch, shape, least, name):
    X = rng.normal(size=shape) * np.append(np.ones(shape[1] - 1), least)
    used = []
    monkeypatch.setattr(svd, "full", lambda X, C, full=full: used.append("full") or full(X, C))
    PCA().fit(X)
    assert used == (["full"] if name == "full" else [])


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], np.ndarray.tolist])
def test_any_layout_gives_the_same_answer_and_x_stays_what_it_was(X, solver, change):
    X.flags.writeable = False
    wanted = PCA(3, svd_solver=solver).fit(X)
    np.testing.assert_allclose(PCA(3, svd_solver=solver).fit(change(X)).components_, wanted.components_, atol=1e-13)
    assert np.array_equal(PCA(3, svd_solver=solver).fit(X.copy()).components_, wanted.components_)  # bit for bit


@pytest.mark.parametrize("settings, error, words", [
    ({"n_components": 0}, ValueError, "from 1 to 6; got 0"),
    ({"n_components": 7}, ValueError, r"at most min\(n_samples, n_features\)\) must be an integer from 1 to 6; got 7"),
    ({"n_components": 2.0}, TypeError, "integer"), ({"n_components": "mle"}, TypeError, "integer"),
    ({"n_components": True}, TypeError, "integer"), ({"whiten": "yes"}, TypeError, "True or False"),
    ({"svd_solver": "randomized"}, ValueError, "'covariance_eigh'"), ({"svd_solver": None}, ValueError, "svd_solver"),
])
def test_impossible_settings(X, settings, error, words):
    with pytest.raises(error, match=words):
        PCA(**settings).fit(X)


@pytest.mark.parametrize("use, words", [
    (lambda X: PCA(3).fit(X[:2]), "from 1 to 2; got 3"), (lambda X: PCA().fit(X * np.nan), "NaN"),
    (lambda X: PCA().fit(X[0]), "2D array"), (lambda X: PCA().transform(X), "not fitted yet"),
    (lambda X: PCA().inverse_transform(X), "not fitted yet"),
    (lambda X: PCA().fit(X).transform(X[:, 1:]), "expecting 6"),
    (lambda X: PCA(2).fit(X).inverse_transform(X), "X has 6 features, but PCA is expecting codes of 2 features"),
])
def test_bad_input(X, use, words):
    with pytest.raises(ValueError, match=words):
        use(X)


def test_digits(digits):
    """All zeros and ones, of whose 784 pixels 610 ever change: float32 products find what float64 finds.

    Products of B = 3136 rows move eigenvalues s^2 by some sqrt(B) epsilons of their sum, (s^2)' = 2 s s', and
    directions by that divided by the distance to the next eigenvalue.
    """
    images = digits[0]
    model = PCA(8).fit(images)
    mean, s, V, shares = full(images, 9)
    eps = np.finfo(np.float32).eps
    blur = 56 * eps / shares  # as a share of s^2: (9,)
    gaps = -np.diff(shares) / shares[:8]  # to the next eigenvalue below, as a share of s^2: (8,)
    turned = blur[:8] / np.minimum(gaps, np.append(np.inf, gaps[:7] * shares[:7] / shares[1:8]))  # angles: (8,)
    np.testing.assert_allclose(model.mean_, mean, rtol=0, atol=56 * eps)  # of pixels up to 1
    assert (np.abs(model.singular_values_ / s[:8] - 1) < blur[:8] / 2).all()
    assert (np.abs(model.explained_variance_ratio_ / shares[:8] - 1) < 2 * blur[:8]).all()
    assert (np.abs(np.sum(V[:8] * model.components_, axis=1)) > 1 - turned**2 - 8 * eps).all()
    far = turned * np.linalg.norm(images - mean, axis=1).max()  # how far codes move: (8,)
    assert (np.abs(model.transform(images) - PCA(8, svd_solver="full").fit_transform(images)).max(axis=0) < far).all()
    everything = PCA(whiten=True)
    assert np.isfinite(everything.fit_transform(images[:3000])).all()
    assert 300 < np.count_nonzero(everything.singular_values_) <= 610


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("whiten", [False, True])
def test_the_ends_of_a_dtype_give_no_nan(rng, solver, whiten, dtype):
    X = (np.where(rng.random((50, 4)) < 0.5, -1, 1) * np.finfo(dtype).max * 0.9).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PCA(whiten=whiten, svd_solver=solver).fit(X)
        codes = model.transform(X)
        finite = np.nan_to_num(codes)
        assert not np.isnan(codes).any() and not np.isnan(model.inverse_transform(finite)).any()
    plain = PCA(whiten=whiten, svd_solver=solver).fit_transform(np.ldexp(X.astype(np.float64), -1000))
    if whiten and dtype == np.float32:  # of float64, the singular values themselves end where it ends
        np.testing.assert_allclose(codes, plain, atol=1e-4)


@pytest.mark.parametrize("scales", [[1e-10, 1e-24], [3e-11, 1e-24], [1e-3, 1e-17], [1e-5, 1e-11]])
def test_small_columns_whose_squares_float32_does_not_hold(rng, scales):
    X = (rng.normal(size=(200, 2)) * scales).astype(np.float32)
    found = PCA().fit(X).singular_values_
    np.testing.assert_allclose(found, PCA(svd_solver="full").fit(X).singular_values_, rtol=1e-2)
    assert found.all()


def test_float32_whose_sums_leave_float32(rng):
    X = (rng.uniform(-1, 1, (2000, 4)) * 1e36).astype(np.float32)
    np.testing.assert_allclose(PCA(svd_solver="full").fit(X).singular_values_,
                               PCA(svd_solver="full").fit(X.astype(np.float64)).singular_values_, rtol=1e-6)
