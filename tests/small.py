"""A small autoencoder, when two of them are the same, and small cases: for several test modules."""

import numba
import numpy as np

from aelearn import Autoencoder


def quick(**settings):
    """A small autoencoder that is trained in a blink."""
    return Autoencoder(**{"hidden_layer_sizes": (16, 3), "epochs": 4, "random_state": 0, **settings})


def same_parameters(a, b):
    return all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)


def affordable(cases, work):
    """The cases whose work(*case) is small enough for plain Python, if NUMBA_DISABLE_JIT is set; else all of them."""
    return [case for case in cases if not numba.config.DISABLE_JIT or work(*case) <= 5_000]
