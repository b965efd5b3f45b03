"""Numba on all cores: the functions that aelearn.kernels.get("numba") returns. Plumbing."""

import numba

from aelearn.kernels import UnavailableError
from aelearn.kernels.cpu.lloyd import Descent as Descent
from aelearn.kernels.cpu.lloyd import assign as assign
from aelearn.kernels.cpu.lloyd import lloyd_step as lloyd_step
from aelearn.kernels.cpu.matmul import matmul as matmul
from aelearn.kernels.cpu.neighbors import smallest as smallest
from aelearn.kernels.cpu.network import backward as backward
from aelearn.kernels.cpu.network import forward as forward
from aelearn.kernels.cpu.network import loss_and_gradients as loss_and_gradients
from aelearn.kernels.cpu.network import output_loss as output_loss
from aelearn.kernels.cpu.optim import STEPS as STEPS
from aelearn.kernels.cpu.optim import adam_step as adam_step
from aelearn.kernels.cpu.seeding import kmeans_plusplus as kmeans_plusplus
from aelearn.kernels.cpu.workspace import Workspace as Workspace


def require():
    """Raise UnavailableError if Numba cannot start its threads, for example without the requested threading layer."""
    try:
        numba.get_num_threads()
    except ValueError as error:
        raise UnavailableError(str(error).splitlines()[0]) from error


def n_threads():
    """How many cores a parallel kernel uses; NUMBA_NUM_THREADS and numba.set_num_threads change it."""
    return numba.get_num_threads()


def describe():
    """A sentence that says what this back end runs on."""
    return f"runs here, on {n_threads()} threads with Numba {numba.__version__}"
