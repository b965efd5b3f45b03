"""Numba on all cores: the functions that aelearn.kernels.get("numba") gives."""

import numba

from aelearn.kernels.cpu.lloyd import Descent, assign, lloyd_step  # noqa: F401
from aelearn.kernels.cpu.seeding import kmeans_plusplus  # noqa: F401


def describe():
    """What this back end runs on, in a sentence."""
    return f"runs here, on {numba.get_num_threads()} threads with Numba {numba.__version__}"
