"""Numba on all cores: the functions that aelearn.kernels.get("numba") gives."""

import numba


def describe():
    """What this back end runs on, in a sentence."""
    return f"runs here, on {numba.get_num_threads()} threads with Numba {numba.__version__}"
