"""Forward and backward on the GPU, as kernels on top of the matrix product.

Worth reading. Counterparts: autoencoder/network.py and layers.py (NumPy, with the equations), kernels/cpu/network.py.
The loss is in losses.py.

Shapes: N samples, D features in, H units out of a layer.

As in kernels/cpu/network.py each kernel does several of NumPy's steps at once, because a launch costs time and a pass
over an array costs more: bias and activation are applied to the sums while they are still in registers, and in the
backward so is the slope of the activation below.

Arrays may be NumPy's, which are copied to the device for the call, or on the device. Results are where the arguments
were. The sums of a product have as many terms as a layer has units or a batch has rows, and are plain sums.
"""

import math

import numpy as np
from numba import cuda

from aelearn.kernels.arguments import check_step
from aelearn.kernels.common import IDENTITY, RELU, SIGMOID, TANH, activation_code
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.losses import fill_row_losses, total_loss
from aelearn.kernels.gpu.matmul import EACH, ENTRIES, SIDE, TILE, n_tiles, product_tile, tile_corner
from aelearn.kernels.gpu.sums import THREADS, n_blocks, thread_number
from aelearn.kernels.gpu.workspace import Workspace

# The activations that _activation and _slope have. Kernels know them by numbers.
ACTIVATIONS = {"sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "identity": IDENTITY}


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`). If it is NumPy's, so is the result.
    """
    last = last or architecture.n_layers
    a, _, z = work.rows(len(x))
    params, a[first - 1] = work.take_params(params), work.take_images(x, first - 1)
    for layer in range(first, last + 1):
        W, b = params[f"W{layer}"], params[f"b{layer}"]
        code = activation_code(architecture.activation_of(layer), ACTIVATIONS)
        device.launch(_dense, n_tiles(a[layer]), (SIDE, SIDE), a[layer - 1], W, b, code,
                      z if layer == architecture.n_layers else work.no_z, a[layer])
    return device.download(a[last]) if device.is_host(x) else a[last]


def output_loss(x, architecture, work):
    """The loss on x (N, D), a float, after `forward` has filled `work`."""
    return total_loss(row_losses(x, architecture, work)) / x.size


def row_losses(x, architecture, work, out=None):
    """Each row's loss, summed over its D entries: pairs (N, 2) on the device, in `out` or else in `work`."""
    a, _, z = work.rows(len(x))
    pairs = work.row_loss[:len(x)] if out is None else out
    fill_row_losses(work.take_images(x), a[-1], z, architecture.loss == "bce", pairs)
    return pairs


def backward(params, x, architecture, work, *, code_gradient=None, reconstruction=True):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter.

    code_gradient, reconstruction: another loss of the codes, see aelearn.autoencoder.network.backward.
    """
    a, dz, _ = work.rows(len(x))
    params, a[0] = work.take_params(params), work.take_images(x)
    last, code_layer = architecture.n_layers, architecture.code_layer
    if code_gradient is not None and device.is_host(code_gradient):
        code_gradient = device.upload(np.ascontiguousarray(code_gradient))
    if not reconstruction:
        work.clear_decoder()
        last = code_layer
        code = activation_code(architecture.activation_of(last), ACTIVATIONS)
        device.fill(dz[last], np.zeros(dz[last].shape, dz[last].dtype))
        device.launch(_add_delta, n_blocks(dz[last].size), THREADS, code_gradient, a[last], code, dz[last])
    else:
        if architecture.loss == "bce":
            code, scale = IDENTITY, 1 / x.size  # the sigmoid's slope cancels
        else:
            code, scale = activation_code(architecture.output_activation, ACTIVATIONS), 2 / x.size
        scale = dz[-1].dtype.type(scale)
        device.launch(_output_delta, n_blocks(x.size), THREADS, a[0], a[-1], code, scale, dz[-1])
    for layer in range(last, 0, -1):
        below = layer - 1
        W, dW, db = params[f"W{layer}"], work.grads[f"W{layer}"], work.grads[f"b{layer}"]
        device.launch(_weight_gradient, n_tiles(dW), (SIDE, SIDE), a[below], dz[layer], dW, db)
        if below > 0:
            code = activation_code(architecture.activation_of(below), ACTIVATIONS)
            device.launch(_delta_below, n_tiles(dz[below]), (SIDE, SIDE), dz[layer], W, a[below], code, dz[below])
            if below == code_layer and code_gradient is not None:
                device.launch(_add_delta, n_blocks(dz[below].size), THREADS, code_gradient, a[below], code, dz[below])


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative with respect to every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are NumPy arrays or, if `work` is given,
    its own arrays on the device. Raises TypeError and ValueError for arrays that do not fit: see arguments.check_step.
    """
    if device.is_host(params["W1"]):
        x = check_step(params, x, architecture, work)
    own = work or Workspace(architecture, len(x), x.dtype)
    x = own.take_images(x)
    forward(params, x, architecture, own)
    backward(params, x, architecture, own)
    loss = output_loss(x, architecture, own)
    return loss, own.grads if work else architecture.parameters(device.download(own.gradient))


def take(X, order, start, x):
    """x = X[order[start:start + N]], all on the device: X (M, D), order (M,) int64, x (N, D)."""
    device.launch(_take, n_blocks(x.size), THREADS, X, order, start, x)


@cuda.jit
def _take(X, order, start, x):
    """x[n, d] = X[order[start + n], d], a thread for each entry."""
    entry, n_features = thread_number(), x.shape[1]
    if entry < x.size:
        n, d = entry // n_features, entry % n_features
        x[n, d] = X[order[start + n], d]


@cuda.jit(device=True)
def _activation(code, z, like):
    """f(z) for a number of the dtype of the array `like`."""
    one, half, zero = like.dtype.type(1), like.dtype.type(0.5), like.dtype.type(0)
    if code == SIGMOID:
        return half * math.tanh(half * z) + half  # 1 / (1 + e^-z) without its overflow
    if code == TANH:
        return one * math.tanh(z)  # in the simulator math.tanh gives a Python float; this makes it one of `like`'s
    if code == RELU:
        return zero if z < zero else z
    if code == IDENTITY:
        return z
    return like.dtype.type(math.nan)  # kernels cannot raise; `activation_code` does


@cuda.jit(device=True)
def _slope(code, a, like):
    """f'(z) in terms of the number a = f(z), as in autoencoder/layers.py."""
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if code == SIGMOID:
        return (one - a) * a
    if code == TANH:
        return one - a * a
    if code == RELU:
        return one if a > zero else zero
    if code == IDENTITY:
        return one
    return like.dtype.type(math.nan)


@cuda.jit
def _dense(x, W, b, code, z, a):
    """z = x @ W + b, a = f(z)  with x (N, D), W (D, H), b (H,); fills a (N, H), and also z unless it has no rows."""
    i, j = tile_corner(a)
    sums = cuda.local.array(ENTRIES, a.dtype)
    product_tile(x, True, W, False, i, j, sums)
    for r in range(EACH):
        for s in range(EACH):
            n, h = i + cuda.threadIdx.y + SIDE * r, j + cuda.threadIdx.x + SIDE * s
            if n < a.shape[0] and h < a.shape[1]:
                zn = sums[EACH * r + s] + b[h]
                a[n, h] = _activation(code, zn, a)
                if z.shape[0] > 0:
                    z[n, h] = zn


@cuda.jit
def _output_delta(x, a, code, scale, dz):
    """dz = f'(z) * (a - x) * scale  for the output layer, all (N, D); a thread for each entry."""
    entry, n_features = thread_number(), x.shape[1]
    if entry < x.size:
        n, d = entry // n_features, entry % n_features
        dz[n, d] = _slope(code, a[n, d], a) * ((a[n, d] - x[n, d]) * scale)


@cuda.jit
def _add_delta(da, a, code, dz):
    """dz += f'(z) * da  with a = f(z), all (N, C): another loss's part; a thread for each entry."""
    entry, n_units = thread_number(), da.shape[1]
    if entry < da.size:
        n, c = entry // n_units, entry % n_units
        dz[n, c] += _slope(code, a[n, c], a) * da[n, c]


@cuda.jit
def _weight_gradient(x, dz, dW, db):
    """dW = x.T @ dz, db = dz.sum(axis=0)  with x (N, D), dz (N, H). The blocks of the first row of tiles compute db."""
    i, j = tile_corner(dW)
    sums = cuda.local.array(ENTRIES, dW.dtype)
    product_tile(x, False, dz, False, i, j, sums)
    for r in range(EACH):
        for s in range(EACH):
            d, h = i + cuda.threadIdx.y + SIDE * r, j + cuda.threadIdx.x + SIDE * s
            if d < dW.shape[0] and h < dW.shape[1]:
                dW[d, h] = sums[EACH * r + s]
    t = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    if i == 0 and t < TILE and j + t < dz.shape[1]:
        total = dz.dtype.type(0)
        for n in range(dz.shape[0]):
            total += dz[n, j + t]
        db[j + t] = total


@cuda.jit
def _delta_below(dz, W, a, code, dz_below):
    """dz_below = f'(z) * (dz @ W.T)  with dz (N, H), W (D, H), and a = f(z) (N, D), the layer's input."""
    i, j = tile_corner(dz_below)
    sums = cuda.local.array(ENTRIES, a.dtype)
    product_tile(dz, True, W, True, i, j, sums)
    for r in range(EACH):
        for s in range(EACH):
            n, d = i + cuda.threadIdx.y + SIDE * r, j + cuda.threadIdx.x + SIDE * s
            if n < a.shape[0] and d < a.shape[1]:
                dz_below[n, d] = _slope(code, a[n, d], a) * sums[EACH * r + s]
