"""A small autoencoder, and when two of them are the same: for several test modules."""

import numpy as np

from aelearn import Autoencoder


def quick(**settings):
    """A small autoencoder that is trained in a blink."""
    return Autoencoder(**{"hidden_layer_sizes": (16, 3), "epochs": 4, "random_state": 0, **settings})


def same_parameters(a, b):
    return all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)
