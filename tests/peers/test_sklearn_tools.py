"""scikit-learn's tools on aelearn's estimators: data frames out, metadata routed, pipelines, searches, clones.

Each is held against the same use of scikit-learn's own KMeans and PCA. Skipped where that is not installed.
"""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from aelearn import PCA, Autoencoder, GaussianMixture, KernelDensity, KMeans, SparseCoding, SpectralClustering

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra: peers)")
pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
polars = pytest.importorskip("polars", reason="polars is not installed (extra: peers)")
cluster = pytest.importorskip("sklearn.cluster")
decomposition = pytest.importorskip("sklearn.decomposition")
checks = pytest.importorskip("sklearn.utils.estimator_checks")

X = np.round(np.random.default_rng(0).normal(size=(30, 3)) + np.arange(30)[:, None] % 3 * 5, 3)
START = X[:3]
FRAME = pandas.DataFrame(X, columns=["a", "b", "c"], index=[f"row {n}" for n in range(30)])
WEIGHT = np.arange(30) % 4 + 0.5
PAIRS = {  # ours and theirs, of one class name, which find the same
    "KMeans": (KMeans(3, init=START, n_init=1), cluster.KMeans(3, init=START, n_init=1)),
    "PCA": (PCA(2), decomposition.PCA(2, svd_solver="full")),
}
OTHERS = {"Autoencoder": Autoencoder((3, 2), epochs=1, random_state=0), "SparseCoding": SparseCoding(4, random_state=0)}
TRANSFORMERS = {**{name: ours for name, (ours, _) in PAIRS.items()}, **OTHERS}


def clone(estimator):
    return sklearn.base.clone(estimator)


def same_frames(ours, theirs):
    assert type(ours) is type(theirs) and list(ours.columns) == list(theirs.columns)
    np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-6, atol=1e-6)
    if isinstance(ours, pandas.DataFrame):
        assert list(ours.index) == list(theirs.index)
        assert list(ours.dtypes) == list(theirs.dtypes)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("given", [X, FRAME, polars.DataFrame(X, schema=["a", "b", "c"]), X.tolist()],
                         ids=["array", "pandas", "polars", "list"])
@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("name", PAIRS)
def test_frames_are_those_of_scikit_learn(name, container, given):
    ours, theirs = map(clone, PAIRS[name])
    assert ours.set_output(transform=container) is ours and theirs.set_output(transform=container) is theirs
    same_frames(ours.fit_transform(given), theirs.fit_transform(given))
    same_frames(ours.transform(given), theirs.transform(given))
    same_frames(clone(ours).fit(given).transform(given), theirs.transform(given))
    assert ours.set_output(transform=None).set_output() is ours
    same_frames(ours.transform(given), theirs.transform(given))
    assert type(ours.set_output(transform="default").transform(given)) is np.ndarray


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_frames_by_scikit_learns_own_setting(name, container):
    model = clone(TRANSFORMERS[name]).fit(FRAME)
    expected, kind = model.transform(FRAME), {"pandas": pandas, "polars": polars}[container].DataFrame
    assert type(expected) is np.ndarray
    with sklearn.config_context(transform_output=container):
        frame = model.transform(FRAME)
        assert isinstance(frame, kind) and list(frame.columns) == model.get_feature_names_out().tolist()
        assert np.array_equal(frame.to_numpy(), expected) and isinstance(clone(model).fit_transform(FRAME), kind)
        assert type(clone(model).set_output(transform="default").fit_transform(FRAME)) is np.ndarray
        for method in ("predict", "inverse_transform", "reconstruct"):
            if hasattr(model, method):
                argument = expected if method == "inverse_transform" else FRAME
                assert type(getattr(model, method)(argument)) is np.ndarray
    assert type(model.transform(FRAME)) is np.ndarray


def test_an_unknown_container():
    for model in (*PAIRS["PCA"], *PAIRS["KMeans"], *OTHERS.values()):
        with pytest.raises(ValueError, match=r"output config must be in \['default', 'pandas', 'polars'\], got xarray"):
            clone(model).set_output(transform="xarray").fit_transform(X)
        fitted = clone(model).fit(X)
        with sklearn.config_context(transform_output="xarray"):
            with pytest.raises(ValueError, match="output config must be in .* got xarray"):
                fitted.transform(X)


def test_where_nothing_is_transformed_there_is_no_output_to_set():
    for model in (GaussianMixture(), KernelDensity(), SpectralClustering()):
        assert not hasattr(model, "set_output") and not hasattr(model, "get_feature_names_out")
    assert not hasattr(sklearn.mixture.GaussianMixture(), "set_output")


@pytest.mark.parametrize("check", ["check_set_output_transform", "check_set_output_transform_pandas",
                                   "check_global_output_transform_pandas", "check_set_output_transform_polars",
                                   "check_global_set_output_transform_polars",
                                   "check_transformer_get_feature_names_out_pandas"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_scikit_learns_own_checks_of_output(name, check):
    model = clone(TRANSFORMERS[name]).set_params(**({"init": "k-means++"} if name == "KMeans" else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of arrays after data frames, which is what the checks try
        getattr(checks, check)(name, model)


@pytest.mark.parametrize("name", PAIRS)
def test_pipelines_column_transformers_and_unions(name):
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import StandardScaler

    def outcomes(model):
        model = clone(model).set_params(**({"init": "k-means++"} if name == "KMeans" else {}))
        for build in (lambda: make_pipeline(StandardScaler(), clone(model)),
                      lambda: ColumnTransformer([("ab", clone(model), ["a", "b"]), ("c", "passthrough", ["c"])]),
                      lambda: FeatureUnion([("one", clone(model)), ("two", StandardScaler())])):
            for container in ("pandas", "polars"):
                given = FRAME if container == "pandas" else polars.from_pandas(FRAME)
                yield build().set_output(transform=container).fit_transform(given)

    for ours, theirs in zip(outcomes(PAIRS[name][0]), outcomes(PAIRS[name][1]), strict=True):
        assert type(ours) is type(theirs) and list(ours.columns) == list(theirs.columns) and len(ours) == len(theirs)
        if isinstance(ours, pandas.DataFrame):
            assert list(ours.index) == list(theirs.index)
        if name == "PCA":
            same_frames(ours, theirs)


def test_without_routing_it_is_refused_in_the_same_sentence():
    for model in (KMeans(), cluster.KMeans()):
        for method in ("set_fit_request", "set_score_request"):
            with pytest.raises(RuntimeError, match=r"only available when metadata routing is enabled. You can enable "
                                                   r"it using sklearn.set_config\(enable_metadata_routing=True\)"):
                getattr(model, method)(sample_weight=True)


def test_requests_are_those_of_scikit_learn(routing):
    for change in (lambda m: m, lambda m: m.set_fit_request(sample_weight=True),
                   lambda m: m.set_score_request(sample_weight="other").set_fit_request(sample_weight=False),
                   lambda m: clone(m.set_fit_request(sample_weight=True)),
                   lambda m: m.set_fit_request(sample_weight=True).set_fit_request(sample_weight=None),
                   lambda m: m.set_fit_request(sample_weight="sample_weight"), lambda m: m.set_fit_request()):
        ours, theirs = change(KMeans()), change(cluster.MiniBatchKMeans())  # it also has partial_fit
        assert repr(ours.get_metadata_routing()) == repr(theirs.get_metadata_routing())
    for model in (KMeans(), cluster.KMeans()):
        with pytest.raises(TypeError, match=r"Unexpected args: \{'weight'\} in fit. Accepted arguments are: \{'sample"):
            model.set_fit_request(weight=True)
        with pytest.raises(ValueError, match="alias you're setting for `sample_weight` should be either"):
            model.set_fit_request(sample_weight=3.5)
        assert not hasattr(model, "set_predict_request") and not hasattr(model, "set_transform_request")
    ours = Autoencoder().set_fit_request(validation="images")
    assert repr(ours.get_metadata_routing()) == "{'fit': {'validation': 'images'}}"
    assert not hasattr(Autoencoder(), "set_score_request") and not hasattr(PCA(), "set_fit_request")


def test_weights_routed_through_pipelines_and_cross_validation(routing):
    from sklearn.model_selection import GridSearchCV, cross_validate
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def asked(model):
        return clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)

    ours, theirs = (make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asked(model)) for model in
                    PAIRS["KMeans"])
    assert ours.fit(X, sample_weight=WEIGHT).score(X, sample_weight=WEIGHT) == \
        pytest.approx(theirs.fit(X, sample_weight=WEIGHT).score(X, sample_weight=WEIGHT), rel=1e-9)
    assert ours[-1].inertia_ != pytest.approx(clone(ours).fit(X)[-1].inertia_), "the weights were not handed on"
    ours, theirs = (cross_validate(asked(model), X, cv=3, params={"sample_weight": WEIGHT})["test_score"]
                    for model in PAIRS["KMeans"])
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    unweighted = cross_validate(clone(PAIRS["KMeans"][0]), X, cv=3)["test_score"]
    assert not np.allclose(ours, unweighted)
    ours, theirs = (GridSearchCV(asked(model), {"max_iter": [1, 5]}, cv=3).fit(X, sample_weight=WEIGHT)
                    for model in PAIRS["KMeans"])
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-9)
    for model in PAIRS["KMeans"]:
        unasked = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), clone(model))
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
            unasked.fit(X, sample_weight=WEIGHT)


def test_validation_images_routed_to_an_autoencoder(routing):
    from sklearn.pipeline import make_pipeline

    model = clone(OTHERS["Autoencoder"]).set_fit_request(validation="images")
    pipeline = make_pipeline(clone(PAIRS["PCA"][0]), model).fit(X, images=X[:5, :2])
    assert pipeline[-1].history_[-1]["validation_loss"] is not None


def test_frames_and_requests_survive_a_save(tmp_path, routing):
    model = clone(OTHERS["Autoencoder"]).set_output(transform="pandas").set_fit_request(validation=True).fit(FRAME)
    model.save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    pandas.testing.assert_frame_equal(loaded.transform(FRAME), model.transform(FRAME))
    assert repr(loaded.get_metadata_routing()) == repr(model.get_metadata_routing())
    assert repr(clone(loaded).get_metadata_routing()) == repr(model.get_metadata_routing())


def test_nothing_of_scikit_learn_or_pandas_is_loaded_before_it_is_asked_for():
    code = ("import sys, numpy; from aelearn import KMeans, PCA; m = KMeans(1).fit(numpy.ones((3, 2))); "
            "m.set_output(transform='default').transform(numpy.ones((3, 2))); PCA(1).fit_transform(numpy.eye(3)); "
            "print([name for name in ('sklearn', 'pandas', 'polars') if name in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_container_that_is_not_installed(monkeypatch):
    model = clone(PAIRS["PCA"][0]).fit(X)
    for container in ("pandas", "polars"):
        with monkeypatch.context() as patch, warnings.catch_warnings():
            patch.setitem(sys.modules, container, None)
            with pytest.raises(ImportError, match=f"'{container}' requires {container} to be installed"):
                model.set_output(transform=container).transform(X)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_aelearns_own_jobs_compute_with_arrays_whatever_scikit_learn_is_told(tmp_path, container):
    from aelearn.jobs import compare, main_job

    with sklearn.config_context(transform_output=container):
        report = main_job.run(main_job.Settings(epochs=1, out=str(tmp_path / "out")), say=lambda line: None)
        rows = compare.run(compare.Settings(epochs=1, out=str(tmp_path / "map")), say=lambda line: None)
    assert report and len(rows) == 7
