"""A `fit` that fails leaves the estimator unchanged, wherever it fails: all estimators, with errors at many calls."""

import copy
import inspect
import os
import pickle
import sys
import warnings

import numpy as np
import pytest

import aelearn
from aelearn import Autoencoder, DeepClustering, kernels
from aelearn.core.base import Estimator
from tests.small import ROW_METHODS, every_estimator, quick, same_parameters

PACKAGE = os.path.dirname(aelearn.__file__) + os.sep
PLACES = 12  # number of calls in a fit at which an error is injected


class Injected(Exception):
    """The error that the tests inject."""


class Failure:
    """While active, call number n of a function of aelearn raises `error`; n=None only counts calls."""

    def __init__(self, n=None, error=Injected):
        self.n, self.error, self.calls = n, error, 0

    def __call__(self, frame, event, argument):
        code = frame.f_code
        inside = code.co_filename.startswith(PACKAGE) and code.co_name != "guarded" \
            and not code.co_flags & inspect.CO_GENERATOR  # its last "call" closes it, where no error can propagate
        if event == "call" and inside:
            self.calls += 1
            if self.calls == self.n:
                raise self.error

    def __enter__(self):
        sys.setprofile(self)
        return self

    def __exit__(self, *exception):
        sys.setprofile(None)


def answers(model, X):
    """All results of a fitted model for X, as bytes; errors as text."""
    found = {}
    for method in (*ROW_METHODS, "score"):
        if hasattr(model, method):
            try:
                found[method] = np.asarray(getattr(model, method)(X)).tobytes()
            except ValueError as error:
                found[method] = str(error)
    return found


def fit(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X)


def places(model, X):
    """Indices of calls within a fit, from the first to the last, evenly spaced."""
    fit(copy.deepcopy(model), X)  # compile first whatever has to be compiled
    again = copy.deepcopy(model)
    with Failure() as count:
        fit(again, X)
    return sorted({int(n) for n in np.linspace(1, count.calls, PLACES)})


@pytest.fixture
def X(rng):
    return np.concatenate([rng.normal(size=(12, 4)), rng.normal(size=(12, 4)) + 4])


@pytest.mark.parametrize("error", [Injected, KeyboardInterrupt])
@pytest.mark.parametrize("name", every_estimator())
def test_wherever_a_fit_fails_the_model_of_before_stays(name, X, error):
    model = fit(every_estimator()[name], X)
    before, pickled, said = dict(vars(model)), pickle.dumps(vars(model)), answers(model, X)
    other = X[:, ::-1][:, 1:] * 2  # of another width, so that the old parameters do not fit
    for n in places(model, other):
        try:
            with Failure(n, error):
                fit(model, other)
        except error:
            assert list(vars(model)) == list(before) and all(vars(model)[key] is before[key] for key in before), n
            assert pickle.dumps(vars(model)) == pickled and answers(model, X) == said, n
        else:  # Ctrl-C ended the training, which is documented to keep complete epochs
            assert error is KeyboardInterrupt and model.interrupted_, n
            assert isinstance(model, DeepClustering) or 1 <= len(model.history_) <= 3, n
            model = pickle.loads(pickle.dumps(fit(every_estimator()[name], X)))
            before, pickled = dict(vars(model)), pickle.dumps(vars(model))


@pytest.mark.parametrize("error", [Injected, KeyboardInterrupt])
@pytest.mark.parametrize("name", every_estimator())
def test_wherever_a_first_fit_fails_the_model_is_not_fitted_or_has_whole_epochs(name, X, error):
    for n in places(every_estimator()[name], X):
        model = every_estimator()[name].set_params()
        before = dict(vars(model))
        try:
            with Failure(n, error):
                fit(model, X)
        except error:
            pass
        if hasattr(model, "history_") and isinstance(model, Autoencoder):
            done = every_estimator()[name].set_params(epochs=len(model.history_)).fit(X)
            assert len(model.history_) >= 1 and same_parameters(model, done), n
            assert same_parameters(model.resume(X), every_estimator()[name].fit(X)), n
        elif hasattr(model, "autoencoder_"):
            model, done = model.resume(X), fit(every_estimator()[name], X)
            assert np.array_equal(model.cluster_centers_, done.cluster_centers_), n
            assert np.array_equal(model.labels_, done.labels_) and len(model.history_) == len(done.history_), n
            assert same_parameters(model.autoencoder_, done.autoencoder_), n
        else:
            assert vars(model) == before, n
            with pytest.raises(ValueError, match="not fitted yet"):
                model._check_fitted("n_features_in_")


@pytest.mark.parametrize("error", [Injected, KeyboardInterrupt])
def test_wherever_a_resume_fails_the_last_whole_epoch_stays(X, error):
    through = [quick(epochs=epochs, hidden_layer_sizes=(3, 2)).fit(X) for epochs in range(7)]
    start = copy.deepcopy(through[2]).set_params(epochs=6)
    again = copy.deepcopy(start)
    with Failure() as count:
        again.resume(X)
    for n in sorted({int(n) for n in np.linspace(1, count.calls, PLACES)}):
        model = copy.deepcopy(start)
        try:
            with Failure(n, error), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.resume(X)
        except error:
            pass
        assert 2 <= len(model.history_) <= 6 and same_parameters(model, through[len(model.history_)]), n
        assert model.get_params() == start.get_params()
        assert same_parameters(model.resume(X), through[6]), n


@pytest.mark.parametrize("name", every_estimator())
def test_a_failed_fit_changes_neither_columns_nor_names_nor_settings(name, X, monkeypatch):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = fit(every_estimator()[name], frame)
    settings = model.get_params()
    check = Estimator._check_training_data

    def fails(self, X):
        check(self, X)
        raise Injected

    monkeypatch.setattr(Estimator, "_check_training_data", fails)
    with pytest.raises(Injected):
        fit(model, frame[["d", "a"]])
    assert model.n_features_in_ == 4 and model.feature_names_in_.tolist() == list("abcd")
    assert model.get_params() == settings
    for bad in (X[:, :2] * np.nan, X[:0], "X"):
        with pytest.raises((ValueError, TypeError)):
            fit(model, bad)
        assert model.n_features_in_ == 4 and model.feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize("name", ["Autoencoder", "KMeans"])
@pytest.mark.parametrize("fitted", [False, True])
def test_a_back_end_that_cannot_run(name, X, fitted, monkeypatch):
    model = every_estimator()[name]
    said = answers(fit(model, X), X) if fitted else None
    with monkeypatch.context() as patch:
        def get(name):
            raise kernels.UnavailableError("no such library")
        patch.setattr(kernels, "get", get)
        with pytest.raises(RuntimeError, match="no such library"):
            model.set_params(backend="numba").fit(X + 1)
    assert answers(model, X) == said if fitted else not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("name", [name for name, model in every_estimator().items() if hasattr(model, "transform")])
def test_a_fit_transform_that_fails_in_transform_is_no_failed_fit(name, X, monkeypatch):
    model = every_estimator()[name]

    def fails(self, X):
        raise Injected

    monkeypatch.setattr(type(model), "transform", fails)
    with pytest.raises(Injected):
        model.fit_transform(X)
    monkeypatch.undo()
    assert np.array_equal(model.transform(X), every_estimator()[name].fit(X).transform(X))


def test_a_training_that_fails_keeps_its_epochs_only_where_nothing_was_fitted_before(few_digits):
    def fails(model, row):
        model.set_params(learning_rate=0.5)
        if row["epoch"] == 3:
            raise Injected

    first = quick(callbacks=(fails,))
    with pytest.raises(Injected):
        first.fit(few_digits[0])
    assert len(first.history_) == 3 and first.learning_rate == quick().learning_rate
    again = quick(epochs=1).fit(few_digits[0])
    with pytest.raises(Injected):
        again.set_params(epochs=4, callbacks=(fails,)).fit(few_digits[0][:50])
    assert len(again.history_) == 1 and same_parameters(again, quick(epochs=1).fit(few_digits[0]))


def test_a_warning_that_is_an_error_is_a_failed_fit():
    model = aelearn.KMeans(2, random_state=0).fit([[0.0], [1.0], [5.0]])
    centers = model.cluster_centers_.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="distinct clusters"):
            model.fit(np.ones((4, 2)))
    assert np.array_equal(model.cluster_centers_, centers) and model.n_features_in_ == 1


@pytest.mark.parametrize("name", every_estimator())
def test_the_wrapped_fit_looks_like_the_one_that_was_written(name):
    model = every_estimator()[name]
    assert type(model).fit.__doc__.strip() and type(model).fit.__name__ == "fit"


def test_warnings_name_the_line_of_the_user():
    with pytest.warns(UserWarning, match="distinct clusters") as caught:
        aelearn.KMeans(2).fit(np.ones((4, 2)))
    assert caught[0].filename == __file__
    model = aelearn.KMeans(1).fit(np.ones((4, 2)))
    model.feature_names_in_ = np.array(["a", "b"], dtype=object)
    for use in (model.predict, model.transform, model.score):
        with pytest.warns(UserWarning, match="feature names") as caught:
            use(np.ones((2, 2)))
        assert caught[0].filename == __file__
