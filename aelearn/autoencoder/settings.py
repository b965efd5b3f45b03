"""Validation of an autoencoder's settings and images: whatever is invalid is rejected with one sentence.

Shapes: N samples, M validation samples, D features.
"""

from collections.abc import Iterator

import numpy as np

from aelearn.autoencoder.layers import ACTIVATIONS, INITIALIZERS
from aelearn.autoencoder.network import LOSSES
from aelearn.autoencoder.optim import OPTIMIZERS
from aelearn.core.base import column_names
from aelearn.core.validation import (
    check_array,
    check_backend,
    check_choice,
    check_float_dtype,
    check_integer,
    check_number,
    check_verbose,
)


def check_settings(model):
    """Raise ValueError or TypeError for an invalid setting of an Autoencoder."""
    sizes = model.hidden_layer_sizes
    sizes = sizes.tolist() if isinstance(sizes, np.ndarray) else sizes
    if not isinstance(sizes, (tuple, list)) or len(sizes) == 0:
        raise ValueError(f"hidden_layer_sizes must name one or more layer sizes, such as (128, 3); got {sizes!r}")
    for size in sizes:
        check_integer("each of hidden_layer_sizes", size, 1)
    check_choice("activation", model.activation, ACTIVATIONS)
    if model.code_activation is not None:
        check_choice("code_activation", model.code_activation, ACTIVATIONS)
    check_choice("output_activation", model.output_activation, ACTIVATIONS)
    check_choice("loss", model.loss, LOSSES)
    if model.loss == "bce" and model.output_activation != "sigmoid":
        raise ValueError("loss 'bce' reads the output as probabilities and needs output_activation='sigmoid'; "
                         f"got {model.output_activation!r}")
    check_choice("optimizer", model.optimizer, OPTIMIZERS)
    check_choice("weight_init", model.weight_init, INITIALIZERS)
    check_number("learning_rate", model.learning_rate, 0, exclusive_low=True)
    check_integer("epochs", model.epochs, 0)
    check_integer("batch_size", model.batch_size, 1)
    check_backend(model.backend)
    check_float_dtype(model.dtype)
    check_verbose(model.verbose)
    if model.augment is not None and not callable(model.augment):
        raise TypeError("augment must be a function of images and a generator, such as data.moved_images, or None; "
                        f"got {model.augment!r}")
    if isinstance(model.callbacks, Iterator):
        raise TypeError("callbacks must be a sequence of functions; got an iterator, which is empty after the first "
                        "epoch: pass a list of them")
    if not np.iterable(model.callbacks) or not all(callable(callback) for callback in model.callbacks):
        raise TypeError(f"callbacks must be a sequence of functions; got {model.callbacks!r}")


def check_validation(validation, names, X, loss):
    """Validation images (M, D) in the form of X (N, D). Raises ValueError if their columns are not X's.

    names  of X's columns, if it was a data frame; else None
    """
    its_names = column_names(validation)
    validation = as_dtype(check_array(validation, name="validation", estimator="Autoencoder"), X.dtype, loss)
    if validation.shape[1] != X.shape[1]:
        raise ValueError(f"validation has {validation.shape[1]} columns, X has {X.shape[1]}")
    if names is not None and its_names is not None and list(names) != list(its_names):
        raise ValueError(f"validation has the columns {list(its_names)}, X has {list(names)}")
    return validation


def as_dtype(X, dtype, loss=None):
    """X as a C-ordered array of the network's dtype. Raises ValueError if its values do not fit dtype or loss."""
    dtype = np.dtype(dtype)
    if X.dtype == np.float64 and dtype == np.float32:
        largest = np.abs(X).max()
        if largest > np.finfo(np.float32).max:
            raise ValueError(f"X has an entry of size {largest:.3g}, too large for float32: scale X, "
                             "or use dtype=np.float64")
    if loss == "bce" and (X.min() < 0 or X.max() > 1):
        raise ValueError("loss 'bce' reads X as probabilities, from 0 to 1; "
                         f"X goes from {X.min():.3g} to {X.max():.3g}: scale it, or use loss='mse'")
    return np.ascontiguousarray(X, dtype=dtype)
