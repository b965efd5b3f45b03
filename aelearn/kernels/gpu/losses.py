"""The loss on the GPU: sums over each row, then over the rows, stored as pairs of numbers (sums.py).

Worth reading. Counterparts: autoencoder/losses.py (NumPy, with the equations), kernels/cpu/network.py. The gradients of
the losses are in network.py. Shapes: N samples, D features.
"""

import math

import numpy as np
from numba import cuda

from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.sums import THREADS, add, add_all, sum_of_block


def fill_row_losses(x, a, z, cross_entropy, pairs):
    """pairs (N, 2) = each row's loss, from images x and outputs a (N, D), or z (N, D) for the cross-entropy."""
    device.launch(_row_losses, len(x), THREADS, x, a, z, cross_entropy, pairs)


def total_loss(pairs, vector=None):
    """The sum of pairs (N, 2), a float; NaN unless all entries of `vector` are finite. Python waits for the result."""
    total = device.empty(2, pairs.dtype)
    device.launch(add_all, 1, THREADS, pairs, total)
    if vector is not None:
        device.launch(_nan_unless_finite, 1, THREADS, vector, total)
    return float(device.download(total).sum(dtype=np.float64))


@cuda.jit
def _row_losses(x, a, z, cross_entropy, row_loss):
    """row_loss[n] = the loss of row n, summed over its D entries: a block for each row."""
    n, t = cuda.blockIdx.x, cuda.threadIdx.x
    pairs = cuda.shared.array((THREADS, 2), a.dtype)
    zero = a.dtype.type(0)
    high = low = zero
    for d in range(t, x.shape[1], THREADS):
        if cross_entropy:
            zd = z[n, d]
            term = (zero if zd < zero else zd) - x[n, d] * zd + math.log1p(math.exp(-abs(zd)))
        else:
            error = a[n, d] - x[n, d]
            term = error * error
        high, low = add(high, low, term)
    sum_of_block(high, low, pairs)
    if t == 0:
        row_loss[n, 0] = pairs[0, 0]
        row_loss[n, 1] = pairs[0, 1]


@cuda.jit
def _nan_unless_finite(vector, total):
    """total[0] += sum_i vector[i] - vector[i], which is 0, or NaN if an entry is infinite or NaN. One block."""
    t, zero = cuda.threadIdx.x, vector.dtype.type(0)
    pairs = cuda.shared.array((THREADS, 2), vector.dtype)
    own = zero
    for i in range(t, vector.size, THREADS):
        own += vector[i] - vector[i]
    sum_of_block(own, zero, pairs)
    if t == 0:
        total[0] += pairs[0, 0]
