"""Numba on all cores: the functions that aelearn.kernels.get("numba") returns. Plumbing; the files worth reading are

    matmul      the matrix product, in five versions; read it first
    vectors     vector registers, written down
    network     forward, loss and backward
    optim       Adam
    lloyd       k-means: what is remembered from one iteration to the next; it calls the kernels of
    assignment    one pass over X: labels, and the sums over points
    distances     the two nearest centres of a block of points
    seeding     the k-means++ start
    neighbors   the smallest entries of each row; nearest points
    sparse      the product of a sparse matrix and a few columns
    ceiling     what this machine can do at most
"""

import numba

from aelearn.kernels import UnavailableError
from aelearn.kernels.cpu.lloyd import Descent as Descent, assign as assign, lloyd_step as lloyd_step
from aelearn.kernels.cpu.matmul import matmul as matmul
from aelearn.kernels.cpu.neighbors import nearest as nearest, smallest as smallest
from aelearn.kernels.cpu.network import (
    backward as backward,
    forward as forward,
    loss_and_gradients as loss_and_gradients,
    output_loss as output_loss,
)
from aelearn.kernels.cpu.optim import STEPS as STEPS, adam_step as adam_step
from aelearn.kernels.cpu.seeding import kmeans_plusplus as kmeans_plusplus
from aelearn.kernels.cpu.sparse import chebyshev_step as chebyshev_step, csr_product as csr_product
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
