"""A model file is whole or not there, and a damaged one is told in a sentence."""

import json
import os
import zipfile

import numpy as np
import pytest

from aelearn import Autoencoder
from tests.small import quick


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


def flipped_bytes(content):
    """Every 97th byte inverted."""
    return bytes(byte ^ 255 if i % 97 == 5 else byte for i, byte in enumerate(content))


def unknown_compression(content):
    """The first entry of the zip's directory claims a method of compression that nobody knows."""
    at = content.index(b"PK\x01\x02") + 10
    return content[:at] + b"\x63" + content[at + 1:]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:1000], lambda b: b"not a zip file", lambda b: b[:-50],
                                    flipped_bytes, unknown_compression])
def test_damaged_model_files(tmp_path, fitted, damage):
    path = tmp_path / "model.npz"
    fitted.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="model.npz is not a whole model file"):
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
        with pytest.raises(ValueError, match=f"{name} is not a whole model file"):
            Autoencoder.load(tmp_path / name)
