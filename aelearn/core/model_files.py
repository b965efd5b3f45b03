"""What model files have in common: an .npz file of plain arrays and one JSON text, `about`. Loading runs no code.

`about` has the format's name, settings, seed, n_features, history, whether training was interrupted, and, since version
2 of aelearn, feature_names (of X's columns), output_config and metadata_request.
"""

import json
import numbers
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from aelearn.core.metadata_routing import Requests
from aelearn.core.validation import check_integer

NOT_SAVED = ("callbacks", "augment", "verbose")  # functions, and what concerns a screen


def about_text(model, model_format, settings, **more):
    """The JSON text about a fitted model: its format, some of its settings, what all models know, and `more`."""
    settings = {name: value for name, value in settings.items() if name not in NOT_SAVED}
    if not isinstance(model.random_state, (int, np.integer, type(None))):
        settings["random_state"] = None
    names = getattr(model, "feature_names_in_", None)
    return json.dumps({"format": model_format, "settings": settings, "n_features": model.n_features_in_,
                       "history": model.history_, "interrupted": model.interrupted_,
                       "feature_names": None if names is None else names.tolist(),
                       "output_config": getattr(model, "_sklearn_output_config", None),
                       "metadata_request": getattr(model, "_metadata_request", None), **more}, default=_plain)


def read_about(text, model_format):
    """The dict of an `about`, a 0-d array of text. Raises ValueError if its format is another one."""
    about = json.loads(str(text))
    if about.pop("format", None) != model_format:
        raise ValueError(f"its format is not {model_format!r}")
    return about


def restore(model, about):
    """Set on a model what `about` says about its columns, its output and its training; ValueError if that cannot be."""
    model.n_features_in_ = check_integer("n_features", about["n_features"], 1)
    model.interrupted_ = bool(about["interrupted"])
    names, output, request = (about.get(key) for key in ("feature_names", "output_config", "metadata_request"))
    if names is not None:
        if len(names) != model.n_features_in_ or not all(isinstance(name, str) for name in names):
            raise ValueError("its column names do not fit its columns")
        model.feature_names_in_ = np.array(names, dtype=object)  # (D,)
    if output is not None:
        model.set_output(**output)
    if request is not None:
        model._metadata_request = Requests(request)


@contextmanager
def reading(path):
    """The arrays of a model file, {name: array}, for a block that makes a model of them.

    Raises FileNotFoundError if there is no such file, and ValueError, which names it, if it is damaged or something
    else, whether that shows here or in the block.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            yield {name: file[name] for name in file.files}
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, OSError,
            EOFError, zipfile.BadZipFile, zlib.error) as error:  # all that damaged files were seen to raise
        raise ValueError(f"{path} is not a complete model file of aelearn: {error}") from None


def _plain(value):
    """A NumPy number or array, or a fraction, as a value that JSON can hold."""
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value.tolist()
