"""An autoencoder on disk: one .npz file of plain arrays and one JSON text. No pickle, so loading runs no code.

    about           JSON: what core/model_files.py says, and seed, fingerprint of X, augmented (since version 2)
    params/W1 ...   the parameters
    memory/m ...    the optimiser's memory
"""

import numpy as np

from aelearn.core.files import replacing
from aelearn.core.model_files import about_text, read_about, reading, restore
from aelearn.core.validation import check_finite, check_integer

FORMAT = "aelearn autoencoder 1"


def arrays_of(model):
    """All that a fitted Autoencoder's file contains, {name: array}."""
    about = about_text(model, FORMAT, {**model.get_params(), **model._fitted_structure}, seed=model._training.seed,
                       fingerprint=model._fingerprint, augmented=model._was_augmented)
    arrays = {"about": np.array(about)}
    arrays |= {f"params/{name}": array for name, array in model.params_.items()}
    return arrays | {f"memory/{name}": array for name, array in model._training.optimizer.state().items()}


def write_model(path, model):
    """Write a fitted Autoencoder to `path`, completely or not at all."""
    arrays = arrays_of(model)
    with replacing(path) as file:
        np.savez(file, **arrays)


def read_model(path, kind):
    """The model that `write_model` wrote to `path`; its class is `kind`.

    Raises FileNotFoundError if there is no such file, ValueError (which names it) if it is damaged or something else.
    """
    with reading(path) as arrays:
        return model_of(arrays, kind)


def model_of(arrays, kind):
    """A model of class `kind` from what `arrays_of` returned, which is checked first."""
    about = read_about(arrays["about"], FORMAT)
    groups = {"params": {}, "memory": {}}
    for name, array in arrays.items():
        if name != "about":
            group, _, key = name.partition("/")
            groups[group][key] = array
    params, memory = groups["params"], groups["memory"]
    settings = about["settings"]
    model = kind(**{**settings, "dtype": np.dtype(settings["dtype"]).type,
                    "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"])})
    model.check_settings()
    restore(model, about)
    model._fingerprint, model._was_augmented = about["fingerprint"], bool(about.get("augmented", False))
    for name, array in {**params, **memory}.items():
        check_finite(array, name)
    if params["W1"].shape[0] != model.n_features_in_:  # checked first: a wrong number could request too much memory
        raise ValueError("its arrays do not fit its settings")
    model._start(model._structure(), check_integer("seed", about["seed"], 0))
    model._training.fill(params, memory)
    model._training.history = [dict(row) for row in about["history"]]
    return model
