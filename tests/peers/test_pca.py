"""PCA beside scikit-learn's, whose svd_solver="full" it must match. Skipped where that is not installed."""

import inspect

import numpy as np
import pytest

from aelearn import PCA

decomposition = pytest.importorskip("sklearn.decomposition", reason="scikit-learn is not installed (extra: peers)")


def data_sets(digits):
    """name -> X, float64, and how many components of it are far enough from each other to be compared one by one."""
    rng = np.random.default_rng(0)
    yield "tall", rng.normal(size=(2000, 30)) * np.geomspace(1, 0.1, 30) + 5, 30
    yield "square", rng.normal(size=(40, 40)), 38
    yield "wide", rng.normal(size=(20, 50)) * np.geomspace(10, 1, 50), 19
    yield "correlated", rng.normal(size=(300, 7)) @ rng.normal(size=(7, 7)) - 100, 7
    yield "one feature", rng.normal(size=(50, 1)), 1
    yield "digits", digits.astype(float), 10


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("svd_solver", ["full", "covariance_eigh", "auto"])
def test_against_full(digits, svd_solver, whiten):
    for name, X, n in data_sets(digits[0][:3000]):
        ours = PCA(n, whiten=whiten, svd_solver=svd_solver)
        theirs = decomposition.PCA(n, whiten=whiten, svd_solver="full")
        codes, their_codes = ours.fit_transform(X), theirs.fit_transform(X)
        for attribute in ("components_", "mean_", "explained_variance_", "explained_variance_ratio_",
                          "singular_values_"):
            np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=0, atol=1e-10,
                                       err_msg=f"{name}: {attribute}")
        assert (ours.n_components_, ours.n_samples_) == (theirs.n_components_, theirs.n_samples_)
        np.testing.assert_allclose(codes, their_codes, rtol=0, atol=1e-10, err_msg=name)
        np.testing.assert_allclose(ours.transform(X[::-1]), theirs.transform(X[::-1]), rtol=0, atol=1e-10)
        np.testing.assert_allclose(ours.inverse_transform(codes), theirs.inverse_transform(codes), rtol=0, atol=1e-10)


def test_all_components_of_digits_have_the_same_variance(digits):
    """Of pixels that are constant, each library chooses other directions; variances and images are the same."""
    X = digits[0][:2000].astype(float)
    ours, theirs = PCA(svd_solver="full").fit(X), decomposition.PCA(svd_solver="full").fit(X)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.inverse_transform(ours.transform(X)), theirs.inverse_transform(theirs.transform(X)),
                               rtol=0, atol=1e-10)


def test_float32_far_from_0_keeps_more_digits_than_the_peer():
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(5000, 8)) * np.geomspace(3, 1, 8) + 1000).astype(np.float32)
    exact = decomposition.PCA(svd_solver="full").fit(X.astype(float)).singular_values_
    ours, theirs = PCA().fit(X).singular_values_, decomposition.PCA().fit(X).singular_values_
    assert np.abs(ours / exact - 1).max() < 1e-5 < np.abs(theirs / exact - 1).max()


def test_shared_parameters_and_names():
    defaults = {name: parameter.default for name, parameter in inspect.signature(decomposition.PCA).parameters.items()}
    assert all(defaults[name] == value for name, value in PCA().get_params().items() if name != "verbose")
    X = np.random.default_rng(0).random((9, 4))
    ours, theirs = PCA(2).fit(X), decomposition.PCA(2).fit(X)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist() == ["pca0", "pca1"]


@pytest.mark.parametrize("use", [
    lambda P: P(5).fit(np.eye(4)), lambda P: P(-1).fit(np.eye(4)), lambda P: P(2.5).fit(np.eye(4)),
    lambda P: P(whiten="yes").fit(np.eye(4)), lambda P: P(svd_solver="best").fit(np.eye(4)),
    lambda P: P().fit(np.eye(4)).transform(np.eye(3)), lambda P: P().transform(np.eye(4)),
    lambda P: P(2).fit(np.eye(4)).inverse_transform(np.eye(4)), lambda P: P().fit([["a"]]),
])
def test_what_the_peer_refuses_is_refused(use):
    for P in (PCA, decomposition.PCA):
        with pytest.raises((ValueError, TypeError)):
            use(P)
