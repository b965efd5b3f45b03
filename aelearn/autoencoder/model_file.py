"""An autoencoder on disk: one .npz file of plain arrays and one JSON text. No pickle, so loading runs no code.

    about           JSON: format, settings, seed, n_features, history, interrupted, fingerprint of X; since version 2
                    of aelearn also feature_names (of X's columns), output_config, metadata_request, augmented
    params/W1 ...   the parameters
    memory/m ...    the optimiser's memory
"""

import json
import numbers
import zipfile
import zlib
from pathlib import Path

import numpy as np

from aelearn.core.files import replacing
from aelearn.core.metadata_routing import Requests
from aelearn.core.validation import check_finite, check_integer

FORMAT = "aelearn autoencoder 1"


def write_model(path, model):
    """Write a fitted Autoencoder to `path`, completely or not at all."""
    settings = {**model.get_params(), **model._fitted_structure}
    for name in ("callbacks", "augment", "verbose"):
        settings.pop(name)
    if not isinstance(model.random_state, (int, np.integer, type(None))):
        settings["random_state"] = None
    names = getattr(model, "feature_names_in_", None)
    about = {"format": FORMAT, "settings": settings, "seed": model._training.seed, "n_features": model.n_features_in_,
             "history": model.history_, "interrupted": model.interrupted_, "fingerprint": model._fingerprint,
             "augmented": model._was_augmented,
             "feature_names": None if names is None else names.tolist(),
             "output_config": getattr(model, "_sklearn_output_config", None),
             "metadata_request": getattr(model, "_metadata_request", None)}
    arrays = {f"params/{name}": array for name, array in model.params_.items()}
    arrays |= {f"memory/{name}": array for name, array in model._training.optimizer.state().items()}
    with replacing(path) as file:
        np.savez(file, about=json.dumps(about, default=_plain), **arrays)


def read_model(path, kind):
    """The model that `write_model` wrote to `path`; its class is `kind`.

    Raises FileNotFoundError if there is no such file, ValueError (which names it) if it is damaged or something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about.pop("format", None) != FORMAT:
                raise ValueError(f"its format is not {FORMAT!r}")
            groups = {"params": {}, "memory": {}}
            for name in file.files:
                if name != "about":
                    group, _, key = name.partition("/")
                    groups[group][key] = file[name]
            return _model(kind, about, **groups)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, OSError,
            EOFError, zipfile.BadZipFile, zlib.error) as error:  # all that damaged files were seen to raise
        raise ValueError(f"{path} is not a complete model file of aelearn: {error}") from None


def _model(kind, about, params, memory):
    """A model of class `kind` from the parts of a file, which are checked first."""
    settings = about["settings"]
    model = kind(**{**settings, "dtype": np.dtype(settings["dtype"]).type,
                    "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"])})
    model.check_settings()
    model.n_features_in_, model._fingerprint = check_integer("n_features", about["n_features"], 1), about["fingerprint"]
    model.interrupted_, model._was_augmented = bool(about["interrupted"]), bool(about.get("augmented", False))
    names, output, request = (about.get(key) for key in ("feature_names", "output_config", "metadata_request"))
    if names is not None:
        if len(names) != model.n_features_in_ or not all(isinstance(name, str) for name in names):
            raise ValueError("its column names do not fit its columns")
        model.feature_names_in_ = np.array(names, dtype=object)  # (D,)
    if output is not None:
        model.set_output(**output)
    if request is not None:
        model._metadata_request = Requests(request)
    for name, array in {**params, **memory}.items():
        check_finite(array, name)
    if params["W1"].shape[0] != model.n_features_in_:  # checked first: a wrong number could request too much memory
        raise ValueError("its arrays do not fit its settings")
    model._start(model._structure(), check_integer("seed", about["seed"], 0))
    model._training.fill(params, memory)
    model._training.history = [dict(row) for row in about["history"]]
    return model


def _plain(value):
    """A NumPy number or array, or a fraction, as a value that JSON can hold."""
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value.tolist()
