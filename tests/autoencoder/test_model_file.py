"""A model file is complete or does not exist, and a damaged one is reported in one sentence."""

import json
import os
import warnings
import zipfile
import zlib
from fractions import Fraction

import numpy as np
import pytest

from aelearn import Autoencoder
from aelearn.core.metadata_routing import Requests
from tests.small import quick, same_parameters


@pytest.fixture(scope="module")
def fitted(few_digits):
    return quick().fit(few_digits[0])


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, fitted, monkeypatch):
    path = tmp_path / "model.npz"
    fitted.save(path)
    before = path.read_bytes()

    def breaks(file, **arrays):
        file.write(b"half a file")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", breaks)
    with pytest.raises(OSError, match="no space"):
        fitted.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.npz"]


def test_whether_a_progress_bar_is_shown_is_not_saved(tmp_path, few_digits, fitted):
    path, other = tmp_path / "model.npz", tmp_path / "other.npz"
    fitted.save(path)
    loud = quick().fit(few_digits[0])
    loud.set_params(verbose=2).save(other)
    with np.load(path) as one, np.load(other) as two:
        a, b = (json.loads(str(file["about"])) for file in (one, two))
    assert a["settings"] == b["settings"] and "verbose" not in a["settings"]
    assert Autoencoder.load(other).verbose == 0


def flipped_bytes(content):
    """Every 97th byte inverted."""
    return bytes(byte ^ 255 if i % 97 == 5 else byte for i, byte in enumerate(content))


def unknown_compression(content):
    """The first entry of the zip's directory claims a compression method that does not exist."""
    at = content.index(b"PK\x01\x02") + 10
    return content[:at] + b"\x63" + content[at + 1:]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:1000], lambda b: b"not a zip file", lambda b: b[:-50],
                                    flipped_bytes, unknown_compression])
def test_damaged_model_files(tmp_path, fitted, damage):
    path = tmp_path / "model.npz"
    fitted.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="model.npz is not a complete model file"):
        Autoencoder.load(path)


def test_other_files_are_no_models(tmp_path, fitted):
    with pytest.raises(FileNotFoundError, match="no model file"):
        Autoencoder.load(tmp_path / "nowhere.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.savez(tmp_path / "pickled.npz", about=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "format.npz", about=json.dumps({"format": "something else"}))
    fitted.save(tmp_path / "shapes.npz")
    with np.load(tmp_path / "shapes.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "shapes.npz", **{**arrays, "params/W1": np.ones((2, 2))})
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "nan.npz", **{**arrays, "params/W1": arrays["params/W1"] * np.nan})
    np.savez(tmp_path / "dtype.npz", **{**arrays, "params/W1": arrays["params/W1"].astype(np.float64)})
    about = json.loads(str(arrays["about"]))
    np.savez(tmp_path / "huge.npz", **{**arrays, "about": json.dumps({**about, "n_features": 10**12})})
    np.savez(tmp_path / "history.npz", **{**arrays, "about": json.dumps({**about, "history": None})})
    for name in ("nan.npz", "dtype.npz", "huge.npz", "history.npz", "other.npz", "pickled.npz", "format.npz",
                 "shapes.npz", "empty.npz", "array.npy"):
        with pytest.raises(ValueError, match=f"{name} is not a complete model file"):
            Autoencoder.load(tmp_path / name)


class Frame:
    """Looks like a data frame: named columns, and an array on request."""

    def __init__(self, values, columns):
        self.values, self.columns = values, columns

    def __array__(self, dtype=None, copy=None):
        return self.values


def same(a, b):
    """Whether two attributes of two models say the same, however deep."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (dict, list, tuple)):
        keys = a if isinstance(a, dict) else range(len(a))
        return len(a) == len(b) and all(same(a[key], b[key]) for key in keys)
    return same(vars(a), vars(b)) if type(a).__module__.startswith("aelearn.") else a == b


@pytest.mark.parametrize("settings", [
    {}, {"optimizer": "momentum", "dtype": np.float64}, {"optimizer": "sgd", "loss": "bce", "random_state": None},
    {"hidden_layer_sizes": (4,), "backend": "numpy", "batch_size": np.int64(7), "weight_init": "glorot"},
])
def test_nothing_that_a_model_knows_is_lost_in_its_file(tmp_path, rng, settings):
    """All attributes are compared, so that one which a later version adds and forgets to save is found here."""
    X = Frame(rng.random((20, 3)), ["a", "b", "c"])
    model = quick(**{"epochs": 2, **settings}).set_output(transform="pandas").fit(X, validation=X)
    model._metadata_request = Requests(fit={"validation": "images"})  # what set_fit_request leaves
    model.interrupted_ = True
    model.save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    assert set(vars(loaded)) == set(vars(model))
    for name in vars(model):
        if name == "_training":  # its optimiser has scratch arrays, whose contents mean nothing
            assert same(loaded.params_, model.params_) and loaded._training.seed == model._training.seed
            memory, its_memory = loaded._training.optimizer.state(), model._training.optimizer.state()
            assert same(memory, its_memory) and loaded._training.history == model._training.history
            assert set(vars(loaded._training)) == set(vars(model._training))
        else:
            mine, theirs = vars(model)[name], vars(loaded)[name]
            assert same(theirs, mine) or name in settings and theirs == mine, name


def test_column_names_survive(tmp_path, rng):
    values = rng.random((20, 3))
    quick().fit(Frame(values, ["a", "b", "c"])).save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded.transform(Frame(values, ["a", "b", "c"]))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.transform(Frame(values, ["c", "b", "a"]))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        loaded.transform(values)


def about_of(path):
    with np.load(path) as file:
        return dict(file), json.loads(str(file["about"]))


@pytest.mark.parametrize("optimizer, memory", [("adam", {"m", "v", "t"}), ("momentum", {"velocity"}), ("sgd", set())])
def test_files_of_version_1_still_load(tmp_path, rng, optimizer, memory):
    """The form that version 1 wrote: these entries, and none about columns."""
    X, path = rng.random((30, 5)), tmp_path / "old.npz"
    model = quick(hidden_layer_sizes=(4, 2), optimizer=optimizer, epochs=2).fit(X)
    settings = {"activation": "sigmoid", "backend": "auto", "batch_size": 48, "dtype": "float32", "epochs": 2,
                "hidden_layer_sizes": [4, 2], "learning_rate": 0.003, "loss": "mse", "optimizer": optimizer,
                "output_activation": "sigmoid", "random_state": 0, "weight_init": "truncated_normal"}
    about = {"format": "aelearn autoencoder 1", "settings": settings, "seed": model._training.seed, "n_features": 5,
             "history": model.history_, "interrupted": False, "fingerprint": zlib.crc32(X.astype(np.float32))}
    state = model._training.optimizer.state()
    assert set(state) == memory
    np.savez(path, about=json.dumps(about), **{f"params/{name}": array for name, array in model.params_.items()},
             **{f"memory/{name}": array for name, array in state.items()})
    loaded = Autoencoder.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(loaded.transform(X), model.transform(X)) and not hasattr(loaded, "feature_names_in_")
    through = quick(hidden_layer_sizes=(4, 2), optimizer=optimizer, epochs=4).fit(X)
    assert same_parameters(loaded.set_params(epochs=4).resume(X), through)


@pytest.mark.parametrize("change", [{"feature_names": ["a", "b"]}, {"feature_names": [1, 2, 3]}, {"feature_names": 3},
                                    {"output_config": {"transform": "xarray"}}, {"output_config": 3},
                                    {"metadata_request": 3}, {"fingerprint": None, "settings": None}])
def test_what_does_not_fit_is_refused(tmp_path, rng, change):
    path = tmp_path / "model.npz"
    quick(epochs=1).fit(Frame(rng.random((20, 3)), ["a", "b", "c"])).save(path)
    arrays, about = about_of(path)
    np.savez(path, **{**arrays, "about": json.dumps({**about, **change})})
    with pytest.raises(ValueError, match="model.npz is not a complete model file"):
        Autoencoder.load(path)


@pytest.mark.parametrize("rate", [np.float16(0.01), np.float32(0.01), np.longdouble(0.01), Fraction(1, 100)])
def test_any_number_can_be_saved(tmp_path, rng, rate):
    X = rng.random((20, 3))

    def note(model, row):
        row["largest code"], row["codes"] = model.transform(X).max(), model.transform(X[:1])

    model = quick(learning_rate=rate, epochs=2, callbacks=(note,)).fit(X)
    model.save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    assert loaded.learning_rate == float(rate) and len(loaded.history_[0]["codes"][0]) == 3
