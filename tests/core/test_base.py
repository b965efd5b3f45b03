"""The conventions and the door, for both estimators alike."""

import pickle

import numpy as np
import pytest

from aelearn import Autoencoder, KMeans

ESTIMATORS = [Autoencoder((2,), epochs=1, random_state=0), KMeans(2, random_state=0)]


class SparseMatrix:
    """Looks like SciPy's sparse matrices, which need not be installed."""

    nnz, shape = 1, (3, 2)

    def toarray(self):
        return np.ones(self.shape)


class Frame:
    """Looks like a data frame: named columns, and an array on request."""

    def __init__(self, values, columns):
        self.values, self.columns = np.asarray(values), columns

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


def fresh(estimator):
    return type(estimator)(**estimator.get_params())


@pytest.fixture(params=ESTIMATORS, ids=lambda e: type(e).__name__)
def estimator(request):
    return fresh(request.param)


@pytest.fixture
def X(rng):
    return rng.random((20, 3))


@pytest.mark.parametrize("bad, error, words", [
    (np.full((5, 3), np.nan), ValueError, "Input X contains NaN."),
    (np.full((5, 3), np.inf), ValueError, "contains infinity"),
    (np.array([[1.0, -np.inf], [np.inf, 2.0]]), ValueError, "contains infinity"),
    (np.ones(5), ValueError, r"Expected 2D array, got 1D array instead.*Reshape your data.*reshape\(-1, 1\)"),
    (np.ones((2, 2, 2)), ValueError, "Expected 2D array, got 3D array"),
    (3.0, ValueError, "got scalar array"), (None, (ValueError, TypeError), "X"),
    (np.empty((0, 3)), ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required"),
    (np.empty((5, 0)), ValueError, r"0 feature\(s\)"), ([], ValueError, "2D array"),
    ([["a", "b"], ["c", "d"]], ValueError, "strings"), (np.array([["a", 1]], object), ValueError, "numbers"),
    (np.array([[{}, 1]], object), TypeError, "argument must be .* string.* number"),
    (np.ones((5, 3)) * 1j, ValueError, "Complex data not supported"),
    (SparseMatrix(), TypeError, "Sparse data was passed.*dense data is required"),
    ([[1, 2], [3]], ValueError, "."),
])
def test_bad_arrays(estimator, bad, error, words):
    with pytest.raises(error, match=words) as caught:
        estimator.fit(bad)
    assert "\n" not in str(caught.value)


def test_params(estimator):
    params = estimator.get_params()
    assert fresh(estimator).get_params() == params and estimator.set_params() is estimator
    estimator.set_params(random_state=7)
    assert estimator.random_state == 7 and estimator.get_params()["random_state"] == 7
    with pytest.raises(ValueError, match="Invalid parameter 'colour' for estimator .* Valid parameters are"):
        estimator.set_params(random_state=8, colour="red")
    assert estimator.random_state == 7, "half of a wrong call was carried out"


def test_repr_is_the_call():
    assert repr(KMeans()) == "KMeans()"
    assert repr(KMeans(2, random_state=0)) == "KMeans(n_clusters=2, random_state=0)"
    assert repr(Autoencoder((5, 2), loss="bce")) == "Autoencoder(hidden_layer_sizes=(5, 2), loss='bce')"


def test_fit_stores_nothing_in_the_settings(estimator, X):
    before = dict(estimator.get_params())
    assert estimator.fit(X, np.zeros(20)) is estimator
    assert estimator.get_params() == before and estimator.n_features_in_ == 3


def test_wrong_number_of_columns(estimator, X):
    estimator.fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but .* is expecting 3 features as input"):
        estimator.transform(X[:, :2])


def test_column_names(estimator, X):
    estimator.fit(Frame(X, ["a", "b", "c"]))
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c"]
    estimator.transform(Frame(X, ["a", "b", "c"]))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but .* was fitted with"):
        estimator.transform(X)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(Frame(X, ["a", "c", "b"]))
    assert not hasattr(estimator.fit(X), "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but .* was fitted without"):
        estimator.transform(Frame(X, ["a", "b", "c"]))


def test_names_of_the_output(estimator, X):
    names = estimator.fit(X).get_feature_names_out()
    prefix = type(estimator).__name__.lower()
    assert names.tolist() == [f"{prefix}0", f"{prefix}1"]
    assert estimator.get_feature_names_out(["a", "b", "c"]).tolist() == names.tolist()
    with pytest.raises(ValueError, match="length equal to number of features"):
        estimator.get_feature_names_out(["a"])


def test_pickle(estimator, X):
    estimator.fit(X)
    again = pickle.loads(pickle.dumps(estimator))
    assert np.array_equal(again.transform(X), estimator.transform(X))


def test_global_random_state_is_left_alone(estimator, X):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    estimator.set_params(random_state=None).fit(X)
    assert np.array_equal(np.random.get_state()[1], before)
