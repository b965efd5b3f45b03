"""Inputs of estimators: every kind of array and setting is interpreted correctly, or rejected with a clear message."""

import datetime
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from aelearn import Autoencoder, DeepClustering, KMeans
from tests.small import every_estimator

TABLE = np.round(np.concatenate([np.random.default_rng(1).random((12, 3)),
                                 np.random.default_rng(2).random((12, 3)) + 2]) * 64) / 64  # exact in float16


def fit(model, X, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.set_params(**settings).fit(X)


def learnt(model):
    """All numbers that a fit has produced, as bytes."""
    numbers = dict(vars(model))
    if isinstance(model, Autoencoder):
        numbers |= model.params_
        numbers["losses_"] = np.array([row["loss"] for row in model.history_])
    if isinstance(model, DeepClustering):
        numbers |= model.autoencoder_.params_
        numbers["losses_"] = np.array([row["loss"] for row in model.history_])
    return {name: np.asarray(value).tobytes() for name, value in numbers.items()
            if isinstance(value, (np.ndarray, float)) and name not in model.get_params() and value is not None}


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


class Subclass(np.ndarray):
    """A subclass with arithmetic of its own."""

    def __mul__(self, other):
        raise AssertionError("X was computed with as what it was given")

    __add__ = __sub__ = __matmul__ = __mul__


TAKEN = {  # the same X in another form
    "list": lambda X: X.tolist(), "tuple of tuples": lambda X: tuple(map(tuple, X.tolist())), "rows": list,
    "Fortran": np.asfortranarray, "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "reversed": lambda X: X[::-1].copy()[::-1], "byte-swapped": lambda X: X.astype(">f8"), "read-only": read_only,
    "nothing masked": np.ma.array, "an empty mask": lambda X: np.ma.array(X, mask=np.zeros(X.shape, bool)),
    "float16": lambda X: X.astype(np.float16), "longdouble": lambda X: X.astype(np.longdouble),
    "matrix": np.matrix, "subclass": lambda X: X.view(Subclass), "object": lambda X: X.astype(object),
    "fractions": lambda X: [[Fraction(x) for x in row] for row in X.tolist()],
    "decimals": lambda X: np.array([[Decimal(x) for x in row] for row in X.tolist()], dtype=object),
}
masked = np.ma.array(TABLE, mask=np.arange(72).reshape(24, 3) == 5)
REFUSED = {  # X: the type of error, and a word of its message
    "generator": (lambda X: (row for row in X), "iterator"), "iterator": (lambda X: iter(X.tolist()), "iterator"),
    "map": (lambda X: map(tuple, X), "iterator"), "masked": (lambda X: masked, "masked entries"),
    "masked rows": (lambda X: list(masked), "masked entries"), "None": (lambda X: np.where(X > 2, None, X), "NaN"),
    "dates": (lambda X: X.astype(int).astype("M8[D]"), "datetime64"),
    "times": (lambda X: X.astype(int).astype("m8[s]"), "timedelta64"),
    "dates as objects": (lambda X: X.astype(int).astype("M8[D]").astype(object), "date"),
    "times as objects": (lambda X: X.astype(int).astype("m8[s]").astype(object), "timedelta"),
    "NumPy's times as objects": (lambda X: [[np.timedelta64(5, "s"), 1.5, None]] * 24, "timedelta64"),
    "strings": (lambda X: X.astype(str), "numbers"), "bytes": (lambda X: X.astype("S8"), "numbers"),
    "strings as objects": (lambda X: X.astype(str).astype(object), "numbers"),
    "complex": (lambda X: X * 1j, "Complex"), "complex as objects": (lambda X: (X * 1j).astype(object), "complex"),
    "records": (lambda X: np.zeros(24, "f8,f8"), "numbers"), "set": (lambda X: {1.0, 2.0}, "set"),
    "dict": (lambda X: {"a": 1}, "dict"), "0-d": (lambda X: np.array(3.0), "scalar array"),
}


def same_as_table(name, X):
    """Whether X gives the same result as TABLE, bit for bit: in one of its layouts, by rows or by columns."""
    found = learnt(fit(every_estimator()[name], X))
    found.pop("feature_names_in_", None)
    return found in [learnt(fit(every_estimator()[name], layout(TABLE))) for layout in (np.asarray, np.asfortranarray)]


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("form", TAKEN)
@pytest.mark.parametrize("name", every_estimator())
def test_what_is_the_same_data_gives_the_same_bits(name, form):
    assert same_as_table(name, TAKEN[form](TABLE))


@pytest.mark.parametrize("name", every_estimator())
def test_a_memory_mapped_file_is_an_array(name, tmp_path):
    np.save(tmp_path / "X.npy", TABLE)
    assert same_as_table(name, np.load(tmp_path / "X.npy", mmap_mode="r"))


@pytest.mark.parametrize("name", every_estimator())
def test_byte_swapped_float32_is_float32(name):
    X = TABLE.astype(np.float32)
    swapped, native = fit(every_estimator()[name], X.astype(">f4")), fit(every_estimator()[name], X)
    assert learnt(swapped) == learnt(native)
    for method in ("transform", "predict", "score_samples"):
        if hasattr(native, method):
            answer = getattr(native, method)(X.astype(">f4"))
            assert answer.dtype == getattr(native, method)(X).dtype and answer.dtype.isnative


@pytest.mark.parametrize("form", REFUSED)
@pytest.mark.parametrize("name", every_estimator())
def test_what_is_no_table_of_numbers_is_refused_in_a_sentence(name, form):
    make, word = REFUSED[form]
    model = fit(every_estimator()[name], TABLE)
    for use in (lambda X: fit(model, X), *(getattr(model, method) for method in
                                          ("transform", "predict", "score_samples", "fit_transform", "fit_predict")
                                          if hasattr(model, method))):
        with pytest.raises((ValueError, TypeError), match=word) as caught:
            use(make(TABLE))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", every_estimator())
def test_frames_of_pandas(name):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"])
    for same in (frame, frame.astype("Float64"), frame.astype(object), frame.astype(pandas.SparseDtype(float)),
                 frame.astype({"a": "category"}), frame.set_axis([3, 1, 2], axis=1)):
        assert same_as_table(name, same)
    missing = frame.astype("Float64")
    missing.iloc[3, 1] = pandas.NA
    dates = frame.assign(b=pandas.Timestamp("2020-01-01"))
    times = frame.assign(b=pandas.Timedelta("1s"))
    for bad in (missing, dates, times, frame.assign(b="x"), frame.assign(b="1.5"),
                frame.assign(b=pandas.Categorical(["x"] * 24)), frame["a"]):
        with pytest.raises((ValueError, TypeError), match="NaN|numbers|NAType|2D array") as caught:
            fit(every_estimator()[name], bad)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", every_estimator())
def test_frames_of_polars(name):
    polars = pytest.importorskip("polars", reason="polars is not installed (extra: peers)")
    frame = polars.DataFrame(TABLE, schema=["a", "b", "c"])
    assert fit(every_estimator()[name], frame).feature_names_in_.tolist() == ["a", "b", "c"]
    assert same_as_table(name, frame)
    for bad in (frame.with_columns(b=None), frame.with_columns(b=polars.lit("x"))):
        with pytest.raises((ValueError, TypeError), match="NaN|numbers"):
            fit(every_estimator()[name], bad)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, np.float16, np.float32, np.longdouble])
@pytest.mark.parametrize("name", every_estimator())
def test_settings_as_numbers_of_numpy_are_those_of_python(name, kind):
    model = every_estimator()[name]
    values = {key: value for key, value in model.get_params().items()
              if isinstance(value, int if issubclass(kind, np.integer) else float) and not isinstance(value, bool)}
    values = {key: kind(value) for key, value in values.items() if key != "transform_max_iter" and value < 127}
    as_python = {key: value.item() if issubclass(kind, np.integer) else float(value) for key, value in values.items()}
    found = learnt(fit(every_estimator()[name], TABLE, **values))
    assert found == learnt(fit(every_estimator()[name], TABLE, **as_python))


@pytest.mark.parametrize("wrong", [np.array(3), np.array([3]), "3", None, 3.0, True, Decimal(3)])
@pytest.mark.parametrize("name", every_estimator())
def test_settings_that_are_no_integers(name, wrong):
    model, tried = every_estimator()[name], 0
    for key, value in model.get_params().items():
        if isinstance(value, int) and not isinstance(value, bool) and key not in ("random_state", "verbose") \
                and not (wrong is None and type(model)().get_params()[key] is None):
            with pytest.raises((ValueError, TypeError), match=r"[a-z_]+ .*must be") as caught:
                fit(every_estimator()[name], TABLE, **{key: wrong})
            assert "\n" not in str(caught.value)
            tried += 1
    assert tried or name.startswith("KernelDensity") or wrong is None  # None is a valid setting of PCA


@pytest.mark.parametrize("name", [name for name, model in every_estimator().items()
                                  if "random_state" in model.get_params()])
def test_random_states(name):
    for seed in (np.int8(3), np.uint64(3), np.int64(3)):
        assert learnt(fit(every_estimator()[name], TABLE, random_state=seed)) == \
            learnt(fit(every_estimator()[name], TABLE, random_state=3))
    for make in (np.random.default_rng, np.random.RandomState):
        assert learnt(fit(every_estimator()[name], TABLE, random_state=make(3))) == \
            learnt(fit(every_estimator()[name], TABLE, random_state=make(3)))
    for wrong in (np.random, True, np.bool_(True), 3.0, "3", np.array(3), -1, Fraction(3)):
        with pytest.raises((ValueError, TypeError), match="random_state must") as caught:
            fit(every_estimator()[name], TABLE, random_state=wrong)
        assert "\n" not in str(caught.value)


WEIGHT = np.arange(24) % 3 + 0.5


@pytest.mark.parametrize("form", ["list", "rows", "byte-swapped", "read-only", "nothing masked", "float16", "object",
                                  "longdouble", "subclass", "reversed"])
def test_weights_in_any_form(form):
    given = TAKEN[form](WEIGHT)
    model = KMeans(2, random_state=0)
    assert learnt(model.fit(TABLE, sample_weight=given)) == \
        learnt(KMeans(2, random_state=0).fit(TABLE, sample_weight=WEIGHT))
    assert model.score(TABLE, sample_weight=given) == model.score(TABLE, sample_weight=WEIGHT)


@pytest.mark.parametrize("wrong, words", [
    (iter(WEIGHT), "iterator"), (np.ma.array(WEIGHT, mask=WEIGHT > 2), "masked entries"),
    (WEIGHT.astype(str), "numbers"),
    (WEIGHT.astype(int).astype("m8[s]"), "timedelta"), (WEIGHT[:, None], "1D array"), (np.array(1.0), "1D array"),
    (WEIGHT[1:], "expected"), (WEIGHT * np.nan, "NaN"), (-WEIGHT, "negative"), (WEIGHT * 1j, "Complex"),
    (np.where(WEIGHT > 2, None, WEIGHT), "NaN"), ([datetime.timedelta(1)] * 24, "numbers"),
])
def test_weights_that_are_none(wrong, words):
    model = KMeans(2, random_state=0).fit(TABLE)
    for use in (model.fit, model.score):
        with pytest.raises((ValueError, TypeError), match=words) as caught:
            use(TABLE, sample_weight=wrong)
        assert "\n" not in str(caught.value)


def test_an_autoencoders_lists():
    expected = learnt(fit(Autoencoder((3, 2), epochs=1, random_state=0), TABLE))
    for sizes in ([3, 2], np.array([3, 2]), np.array([3, 2], np.uint8), (np.int64(3), np.int8(2))):
        assert learnt(fit(Autoencoder(sizes, epochs=1, random_state=0), TABLE)) == expected
    for wrong in (iter([3, 2]), (size for size in (3, 2)), np.array(3), np.array([[3, 2]]), np.array([3.0, 2.0]), [],
                  np.ma.array([3, 2], mask=[0, 1]), [3, None], "32", ((3,), 2)):
        with pytest.raises((ValueError, TypeError), match="hidden_layer_sizes"):
            fit(Autoencoder(wrong, epochs=1), TABLE)
    seen = []
    for callbacks in ([lambda *_: seen.append(1)], (lambda *_: seen.append(1),), np.array([lambda *_: seen.append(1)])):
        fit(Autoencoder((2,), epochs=2, callbacks=callbacks), TABLE)
    assert len(seen) == 6
    for wrong in (iter([print]), (f for f in [print]), map(print, []), print, [3], None, 3):
        with pytest.raises(TypeError, match="callbacks must be a sequence of functions"):
            fit(Autoencoder((2,), epochs=2, callbacks=wrong), TABLE)


def test_the_validation_images_have_the_columns_of_X():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"])
    model = Autoencoder((2,), epochs=1, random_state=0).fit(frame, validation=frame[:5])
    with pytest.raises(ValueError, match="validation has the columns"):
        model.fit(frame, validation=frame[["c", "b", "a"]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.set_params(epochs=2).resume(frame, validation=frame[["c", "b", "a"]])
    for bad, word in ((iter(TABLE), "iterator"), (masked, "validation has masked")):
        with pytest.raises((ValueError, TypeError), match=word):
            model.fit(TABLE, validation=bad)
