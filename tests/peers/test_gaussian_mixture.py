"""The mixture beside scikit-learn's, from the same start. Skipped where that is not installed."""

import inspect
import warnings

import numpy as np
import pytest

from aelearn import GaussianMixture, KMeans, load_mnist, make_blobs, make_moons
from aelearn.mixture.covariances import KINDS, shape_of

mixture = pytest.importorskip("sklearn.mixture", reason="scikit-learn is not installed (extra: peers)")


def varied_sets():
    """Data sets of different shape, size and clusteredness: name, X, K, reg_covar."""
    rng = np.random.default_rng(0)
    images = load_mnist("test", digits=(0, 1), dtype=np.float64)[0]
    yield "blobs", make_blobs(1000, centers=5, random_state=0)[0], 5, 1e-6
    yield "stretched", make_blobs(1500, centers=4, n_features=3, random_state=0)[0] @ rng.normal(size=(3, 3)), 4, 0
    yield "moons", make_moons(500, random_state=0)[0], 6, 1e-6
    yield "one component", rng.normal(size=(300, 4)) + 5, 1, 0
    yield "one dimension", rng.exponential(size=(800, 1)), 3, 1e-6
    yield "sixteen dimensions", rng.normal(size=(2000, 16)) + rng.integers(0, 3, (2000, 1)), 3, 1e-6
    yield "pixels", images[:600, 290:350], 3, 1e-2  # with columns that are constant


def same_start(X, kind, K):
    """Points far from the truth, unequal weights, and precisions that are not the identity."""
    rng = np.random.default_rng(7)
    D = X.shape[1]
    weights = np.arange(1, K + 1) / (K * (K + 1) / 2)
    turn = rng.normal(size=(D, D)) / np.sqrt(D)
    matrix = (turn @ turn.T + np.eye(D)) / X.var()
    precisions = {"full": np.stack([matrix * (k + 1) for k in range(K)]), "tied": matrix,
                  "diag": rng.uniform(0.5, 2, (K, D)) / X.var(), "spherical": rng.uniform(0.5, 2, K) / X.var()}[kind]
    return {"weights_init": weights, "means_init": X[rng.choice(len(X), K, replace=False)],
            "precisions_init": precisions}


def close(ours, theirs):
    """Equal within 1e-6 of the largest entry."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name, X, K, reg_covar", list(varied_sets()), ids=[name for name, *_ in varied_sets()])
def test_from_the_same_start(name, X, K, reg_covar, kind):
    settings = {"covariance_type": kind, "reg_covar": reg_covar, "max_iter": 40, **same_start(X, kind, K)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where 40 iterations were not enough for either
        ours, theirs = (G(K, **settings).fit(X) for G in (GaussianMixture, mixture.GaussianMixture))
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for attribute in ("weights_", "means_", "covariances_", "precisions_cholesky_", "lower_bound_"):
        close(getattr(ours, attribute), getattr(theirs, attribute))
    close(ours.history_, theirs.lower_bounds_)
    close(ours.score_samples(X), theirs.score_samples(X))
    close(ours.predict_proba(X), theirs.predict_proba(X))
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    for criterion in ("score", "aic", "bic"):
        assert getattr(ours, criterion)(X) == pytest.approx(getattr(theirs, criterion)(X), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_from_k_means_and_float32(kind):
    """The same labels from both k-means lead to the same M step. scikit-learn computes in float32, we in float64."""
    X = make_blobs(2000, centers=4, n_features=5, cluster_std=0.8, random_state=0)[0].astype(np.float32)
    centers = KMeans(4, random_state=0).fit(X).cluster_centers_
    ours = GaussianMixture(4, covariance_type=kind, means_init=centers, random_state=0).fit(X)
    theirs = mixture.GaussianMixture(4, covariance_type=kind, means_init=centers, random_state=0).fit(X)
    order = np.lexsort(ours.means_.T), np.lexsort(theirs.means_.T)  # components under other numbers
    np.testing.assert_allclose(ours.means_[order[0]], theirs.means_[order[1]], rtol=1e-3, atol=1e-3)
    assert ours.score(X) == pytest.approx(theirs.score(X), rel=1e-3)
    for attribute in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        assert getattr(ours, attribute).dtype == getattr(theirs, attribute).dtype == np.float32
        assert getattr(ours, attribute).shape == getattr(theirs, attribute).shape
    assert ours.predict_proba(X).dtype == theirs.predict_proba(X).dtype


@pytest.mark.parametrize("kind", KINDS)
def test_precisions_cholesky_work_in_the_other(kind):
    """A mixture that aelearn fitted scores the same in scikit-learn."""
    X = make_blobs(500, centers=3, random_state=0)[0]
    ours = GaussianMixture(3, covariance_type=kind, random_state=0).fit(X)
    theirs = mixture.GaussianMixture(3, covariance_type=kind)
    for attribute in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        setattr(theirs, attribute, getattr(ours, attribute))
    close(ours.score_samples(X), theirs.score_samples(X))
    assert ours.precisions_cholesky_.shape == shape_of(kind, 3, 2)


def test_defaults_of_the_shared_parameters_are_the_same():
    signature = inspect.signature(mixture.GaussianMixture).parameters
    shared = {name: parameter.default for name, parameter in signature.items()
              if name not in ("warm_start", "verbose_interval")}
    assert GaussianMixture().get_params() == shared


@pytest.mark.parametrize("use", [
    lambda G: G(3).fit(np.ones((2, 2))), lambda G: G(2).fit(np.full((3, 2), np.nan)), lambda G: G(2).fit(np.ones(5)),
    lambda G: G(0).fit(np.ones((3, 2))), lambda G: G(2, tol=-1).fit(np.eye(3)), lambda G: G().predict(np.ones((3, 2))),
    lambda G: G(2, weights_init=[0.9, 0.9]).fit(np.eye(3)), lambda G: G(2, means_init=np.eye(2)).fit(np.eye(3)),
    lambda G: G(1, covariance_type="round").fit(np.eye(3)), lambda G: G(1, init_params="best").fit(np.eye(3)),
    lambda G: G(1, reg_covar=0).fit(np.ones((9, 2))), lambda G: G(1).fit(np.eye(3)).predict(np.eye(4)),
    lambda G: G(1, precisions_init=-np.eye(3), covariance_type="tied").fit(np.eye(3)),
    lambda G: G(1).fit(np.eye(3)).sample(0), lambda G: G(1).sample(), lambda G: G(1).set_params(colour="red"),
])
def test_errors_are_of_the_same_kind(use):
    with pytest.raises(Exception) as theirs:
        use(mixture.GaussianMixture)
    with pytest.raises(Exception) as ours:
        use(GaussianMixture)
    assert isinstance(ours.value, next(kind for kind in (ValueError, TypeError) if isinstance(theirs.value, kind)))


def test_warnings_are_of_the_same_kind():
    from sklearn.exceptions import ConvergenceWarning

    X = np.random.default_rng(0).normal(size=(50, 2))
    for G in (GaussianMixture, mixture.GaussianMixture):
        with pytest.warns(ConvergenceWarning, match="did not converge"):
            G(3, max_iter=1, random_state=0).fit(X)


def test_grid_search_and_pipeline():
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = make_blobs(400, centers=np.array([[0.0, 0], [9, 0], [0, 9]]), random_state=0)[0]
    search = GridSearchCV(make_pipeline(StandardScaler(), GaussianMixture(random_state=0)),
                          {"gaussianmixture__n_components": [1, 2, 3]}, cv=3).fit(X)
    assert search.best_params_ == {"gaussianmixture__n_components": 3}
