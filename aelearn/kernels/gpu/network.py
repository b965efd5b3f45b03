"""The training step on the GPU: forward and backward, as kernels on top of the matrix product.

Shapes: N samples, D features in, H units out of a layer; names and equations as in aelearn/network.py and
aelearn/layers.py, whose twins these functions are.

As in kernels/cpu/network.py, what belongs together is done in one go, because each launch costs time and each pass
over an array costs more: bias and activation are applied to the sums while they are still in registers, and so is the
slope of the activation below on the way back. The loss is in losses.py, the optimisers are in optim.py.

Arrays may be NumPy's, which are uploaded for the call, or lie on the device. What a call gives back lies where its
arguments did. The sums of a product have as many terms as a layer has units or a batch has rows, and are plain.
"""

import math
from types import SimpleNamespace

from numba import cuda

from aelearn.kernels.arguments import check_step
from aelearn.kernels.common import CODES, IDENTITY, RELU, SIGMOID, TANH
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.losses import fill_row_losses, total_loss
from aelearn.kernels.gpu.matmul import EACH, ENTRIES, SIDE, TILE, n_tiles, product_tile, tile_corner
from aelearn.kernels.gpu.sums import THREADS, n_blocks, thread_number


class Workspace:
    """The arrays on the device that a pass over at most `n_rows` rows writes into, made once and used for every batch.

    a[l], dz[l] are (n_rows, width of layer l), as in aelearn/network.py; a[0] takes images that come from the host. z
    is that of the last layer alone, (n_rows, D), where the loss needs it. row_loss (n_rows, 2): a pair for each row.
    `rows(n)` are the first n rows of them all.
    """

    def __init__(self, architecture, n_rows, dtype):
        self.a, self.dz = ([device.empty((n_rows, width), dtype) for width in architecture.widths] for _ in range(2))
        self.z = device.empty((n_rows if architecture.loss == "bce" else 0, architecture.widths[-1]), dtype)
        self.row_loss = device.empty((n_rows, 2), dtype)
        self.gradient = device.empty(architecture.n_parameters, dtype)
        self.grads = architecture.parameters(self.gradient)
        self.params = architecture.parameters(device.empty(architecture.n_parameters, dtype))  # for those of the host
        self._rows = {}

    def rows(self, n):
        """The first n rows of a, dz, z and row_loss. They are remembered: each slice costs Python time."""
        if n not in self._rows:
            self._rows[n] = SimpleNamespace(a=[array[:n] for array in self.a], dz=[array[:n] for array in self.dz],
                                            z=self.z[:min(n, len(self.z))], no_z=self.z[:0],
                                            row_loss=self.row_loss[:n])
        return self._rows[n]

    def take_images(self, x, layer=0):
        """Images, or codes, x (N, width) on the device: themselves, or copied into a[layer]."""
        if not device.is_host(x):
            return x
        there = self.rows(len(x)).a[layer]
        device.fill(there, x)
        return there

    def take_params(self, params):
        """Parameters on the device: themselves, or copied."""
        if not device.is_host(params["W1"]):
            return params
        for name, array in params.items():
            device.fill(self.params[name], array)
        return self.params


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`). If it is NumPy's, so is what comes back.
    """
    rows, last = work.rows(len(x)), last or architecture.n_layers
    there, a = work.take_params(params), work.take_images(x, first - 1)
    for layer in range(first, last + 1):
        is_output = layer == architecture.n_layers
        code = CODES[architecture.output_activation if is_output else architecture.activation]
        below, a = a, rows.a[layer]  # (N, width below), (N, width)
        z = rows.z if is_output else rows.no_z  # kept only where the loss needs it
        device.launch(_dense, n_tiles(a), (SIDE, SIDE), below, there[f"W{layer}"], there[f"b{layer}"], code, z, a)
    return device.download(a) if device.is_host(x) else a


def output_loss(x, architecture, work):
    """The loss on x (N, D), after `forward` has filled `work`."""
    return total_loss(row_losses(x, architecture, work)) / x.size


def row_losses(x, architecture, work, out=None):
    """Each row's loss, summed over its D entries: pairs (N, 2) on the device, in `out` or else in `work`."""
    rows, x = work.rows(len(x)), work.take_images(x)
    pairs = rows.row_loss if out is None else out
    fill_row_losses(x, rows.a[-1], rows.z, architecture.loss == "bce", pairs)
    return pairs


def backward(params, x, architecture, work):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter."""
    rows, code = work.rows(len(x)), CODES[architecture.activation]
    params, x, dz = work.take_params(params), work.take_images(x), rows.dz[-1]  # dz (N, D)
    output_code, factor = CODES[architecture.output_activation], 2
    if architecture.loss == "bce":
        output_code, factor = IDENTITY, 1  # the sigmoid's slope has cancelled
    device.launch(_output_delta, n_blocks(x.size), THREADS, x, rows.a[-1], output_code,
                  dz.dtype.type(factor / x.size), dz)
    for layer in range(architecture.n_layers, 0, -1):
        below = layer - 1
        a = rows.a[below] if below else x  # (N, width below)
        W, dW, db = params[f"W{layer}"], work.grads[f"W{layer}"], work.grads[f"b{layer}"]
        device.launch(_weight_gradient, n_tiles(dW), (SIDE, SIDE), a, dz, dW, db)
        if below:
            above, dz = dz, rows.dz[below]  # (N, width), (N, width below)
            device.launch(_delta_below, n_tiles(dz), (SIDE, SIDE), above, W, a, code, dz)


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative by every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are NumPy arrays, or if `work` is given
    its own, on the device. Raises TypeError and ValueError for arrays that do not fit: see arguments.check_step.
    """
    if device.is_host(params["W1"]):
        x = check_step(params, x, architecture, work)
    own = work or Workspace(architecture, len(x), x.dtype)
    there = own.take_images(x)
    forward(params, there, architecture, own)
    loss = output_loss(there, architecture, own)
    backward(params, there, architecture, own)
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
    return z


@cuda.jit(device=True)
def _slope(code, a, like):
    """f'(z) in terms of the number a = f(z), as in aelearn/layers.py."""
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if code == SIGMOID:
        return (one - a) * a
    if code == TANH:
        return one - a * a
    if code == RELU:
        return one if a > zero else zero
    return one


@cuda.jit
def _dense(x, W, b, code, z, a):
    """z = x @ W + b, a = f(z)  with x (N, D), W (D, H), b (H,); fills a (N, H), and z too unless it has no rows."""
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
def _weight_gradient(x, dz, dW, db):
    """dW = x.T @ dz, db = dz.sum(axis=0)  with x (N, D), dz (N, H). The blocks of the first row of tiles make db."""
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
