"""A DeepClustering on disk: one .npz file of plain arrays and JSON texts. No pickle, so loading runs no code.

    about              JSON: what core/model_files.py says, and seed
    autoencoder/...    the entries of an autoencoder's file (aelearn/autoencoder/model_file.py)
    centers, labels    after the start; memory/m, memory/v, memory/t: the memory of the centres' optimiser
"""

import numpy as np

from aelearn.autoencoder import Adam, Autoencoder, arrays_of, model_of
from aelearn.core.files import replacing
from aelearn.core.model_files import about_text, read_about, reading, restore
from aelearn.core.validation import check_finite, check_integer

FORMAT = "aelearn deep clustering 1"


def write_model(path, model):
    """Write a DeepClustering that has at least some pre-training to `path`, completely or not at all."""
    settings = {**model.get_params(), "dtype": np.dtype(model.dtype).name}
    arrays = {"about": about_text(model, FORMAT, settings, seed=model._seed)}
    arrays |= {f"autoencoder/{name}": array for name, array in arrays_of(model.autoencoder_).items()}
    if model.history_:
        arrays |= {"centers": model.cluster_centers_, "labels": model.labels_}
        arrays |= {f"memory/{name}": array for name, array in model._center_optimizer.state().items()}
    with replacing(path) as file:
        np.savez(file, **arrays)


def read_model(path, kind):
    """The model that `write_model` wrote to `path`; its class is `kind`.

    Raises FileNotFoundError if there is no such file, ValueError (which names it) if it is damaged or something else.
    """
    with reading(path) as arrays:
        about = read_about(arrays["about"], FORMAT)
        settings, start = about["settings"], about["settings"]["start"]
        model = kind(**{**settings, "dtype": np.dtype(settings["dtype"]).type,
                        "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"]),
                        "start": start if isinstance(start, str) else np.array(start)})
        model.check_settings()
        restore(model, about)
        model._seed = check_integer("seed", about["seed"], 0)
        inner = {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith("autoencoder/")}
        model.autoencoder_ = model_of(inner, Autoencoder)
        if model.n_features_in_ != model.autoencoder_.n_features_in_:
            raise ValueError("its parts do not fit each other")
        model.history_ = [dict(row) for row in about["history"]]
        if model.history_:
            _fill(model, arrays)
        return model


def _fill(model, arrays):
    """Set centres, labels, and the memory of the optimiser."""
    centers, labels = np.ascontiguousarray(arrays["centers"]), arrays["labels"]  # (K, C), (N,)
    n_units = model.autoencoder_.widths_[len(model.autoencoder_.widths_) // 2]  # C
    optimizer = Adam(centers.ravel(), float(model.joint_learning_rate))
    memory = {name: arrays[f"memory/{name}"] for name in optimizer.state()}
    fits = [(memory[name].shape, memory[name].dtype) == (array.shape, array.dtype)
            for name, array in optimizer.state().items()]
    if centers.dtype != np.float64 or centers.shape != (len(centers), n_units) or labels.dtype != np.int32 \
            or not all(fits):
        raise ValueError("its arrays do not fit its settings")
    for name, array in {"centers": centers, **memory}.items():
        check_finite(array, name)
    for name, array in optimizer.state().items():
        array[...] = memory[name]
    model.cluster_centers_, model.labels_, model._center_optimizer = centers, labels, optimizer
    model._n_features_out = n_units
