"""Forward, loss and backward on all cores: few kernels, each of which does several of NumPy's steps at once.

Worth reading. Counterparts: autoencoder/network.py, layers.py and losses.py (NumPy, with the equations),
kernels/gpu/network.py.

Shapes: N samples, D features in, H units out of a layer. What is different from NumPy:

- A layer's forward is one kernel. Bias and activation are applied while a tile of x @ W is in the L1 cache.
- A layer's backward is two kernels: dz @ W.T, to which the slope of the activation below is applied at once, and
  dW = x.T @ dz with db. Cores share the rows of the first and the tiles of the second, so no two of them write to the
  same address.
- The products are those of matmul.py. No threads of another library compete with Numba's for the cores, and no sum
  depends on the number of threads: the bits are the same on any number.
"""

import math

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_step
from aelearn.kernels.common import IDENTITY, RELU, SIGMOID, TANH, activation_code
from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.matmul import TILE_COLUMNS, TILE_ROWS, dot_products, even_width, product_tile, store_tile
from aelearn.kernels.cpu.workspace import Workspace

# The activations that _activate and _times_slope have. Kernels know them by numbers.
ACTIVATIONS = {"sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "identity": IDENTITY}


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`).
    """
    last = last or architecture.n_layers
    a, _, z = work.rows(len(x))
    a[first - 1] = _readable(x, a[first - 1])
    for layer in range(first, last + 1):
        W, b = _readable(params[f"W{layer}"]), _readable(params[f"b{layer}"])
        code = activation_code(architecture.activation_of(layer), ACTIVATIONS)
        _dense(a[layer - 1], W, b, code, z if layer == architecture.n_layers else z[:0], a[layer])
    return a[last]


def output_loss(x, architecture, work):
    """The loss on x (N, D), a float, after `forward` has filled `work`."""
    a, _, z = work.rows(len(x))
    _row_losses(_readable(x, a[0]), a[-1], z, architecture.loss == "bce", work.row_loss)
    return float(np.sum(work.row_loss[:len(x)]) / x.size)


def backward(params, x, architecture, work, *, code_gradient=None, reconstruction=True):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter.

    code_gradient, reconstruction: another loss of the codes, see aelearn.autoencoder.network.backward.
    """
    a, dz, _ = work.rows(len(x))
    a[0] = _readable(x, a[0])
    last, code_layer = architecture.n_layers, architecture.code_layer
    if not reconstruction:
        work.clear_decoder()
        last = code_layer
        dz[last][...] = 0
        _add_delta(code_gradient, a[last], activation_code(architecture.activation_of(last), ACTIVATIONS), dz[last])
    else:
        if architecture.loss == "bce":
            code, scale = IDENTITY, 1 / x.size  # the sigmoid's slope cancels
        else:
            code, scale = activation_code(architecture.output_activation, ACTIVATIONS), 2 / x.size
        _output_delta(a[0], a[-1], code, dz[-1].dtype.type(scale), dz[-1])
    for layer in range(last, 0, -1):
        below = layer - 1
        _weight_gradient(a[below], dz[layer], work.grads[f"W{layer}"], work.grads[f"b{layer}"])
        if below > 0:
            code = activation_code(architecture.activation_of(below), ACTIVATIONS)
            _delta_below(dz[layer], _readable(params[f"W{layer}"]), a[below], code, dz[below])
            if below == code_layer and code_gradient is not None:
                _add_delta(code_gradient, a[below], code, dz[below])


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative with respect to every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are arrays of `work` if it is given.
    Raises TypeError and ValueError for arrays that do not fit: see arguments.check_step.
    """
    x = check_step(params, x, architecture, work)
    work = work or Workspace(architecture, len(x), x.dtype)
    forward(params, x, architecture, work)
    backward(params, x, architecture, work)
    return output_loss(x, architecture, work), work.grads


def _readable(array, copy=None):
    """The array as kernels need it, C-ordered and writeable: itself, or copied into `copy`, an array of its shape.

    Kernels write to no input, but Numba would compile each of them anew for arrays of another kind.
    """
    if array.flags.c_contiguous and array.flags.writeable:
        return array
    copy = np.empty_like(array, order="C") if copy is None else copy
    copy[...] = array
    return copy


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _sigmoid_for_float32(z):
    """1 / (1 + e^-z), with e^-z = (e^(-z / 256))^256: a short Taylor series, squared eight times.

    It has only products and sums, so a loop over it becomes vector instructions, which math.exp would prevent. The
    relative error is at most 1.1e-7 before rounding to float32. Beyond +-40 the sigmoid is 0 or 1 to 17 digits.
    """
    x = min(max(-np.float64(z), -40.0), 40.0) / 256
    e = x * (1 / 720) + 1 / 120  # 1 / 6!, 1 / 5!
    e = e * x + 1 / 24
    e = e * x + 1 / 6
    e = e * x + 1 / 2
    e = e * x + 1
    e = e * x + 1
    for _ in range(8):
        e *= e
    return 1 / (1 + e)


@compiled(inside=True)
def _activate(code, z, a):
    """a = f(z) for a row."""
    if code == SIGMOID and z.itemsize == 4:
        for h in range(len(z)):
            a[h] = _sigmoid_for_float32(z[h])
    elif code == SIGMOID:
        for h in range(len(z)):
            a[h] = 0.5 * math.tanh(0.5 * z[h]) + 0.5
    elif code == TANH:
        for h in range(len(z)):
            a[h] = math.tanh(z[h])
    elif code == RELU:
        for h in range(len(z)):
            a[h] = max(z[h], 0)
    elif code == IDENTITY:
        for h in range(len(z)):
            a[h] = z[h]
    else:
        for h in range(len(z)):
            a[h] = np.nan  # kernels cannot raise; `activation_code` does


@compiled(inside=True)
def _times_slope(code, a, da):
    """da *= f'(z) for a row, with the slope written in terms of a = f(z) as in autoencoder/layers.py."""
    one = a.dtype.type(1)
    if code == SIGMOID:
        for h in range(len(a)):
            da[h] *= (one - a[h]) * a[h]
    elif code == TANH:
        for h in range(len(a)):
            da[h] *= one - a[h] * a[h]
    elif code == RELU:
        for h in range(len(a)):
            da[h] *= a[h] > 0
    elif code != IDENTITY:
        for h in range(len(a)):
            da[h] = np.nan


@compiled(parallel=True, work=lambda x, W, b, code, z, a: len(x) * W.size)
def _dense(x, W, b, code, z, a):
    """z = x @ W + b, a = f(z)  with x (N, D), W (D, H), b (H,); fills a (N, H), and also z unless it has no rows."""
    width = even_width(len(b))
    n_across = -(-len(b) // width)
    for task in prange(-(-len(x) // TILE_ROWS) * n_across):
        i, j = task // n_across * TILE_ROWS, task % n_across * width
        w = min(width, len(b) - j)
        tile = product_tile(x, W, i, j, w)
        for r in range(min(TILE_ROWS, len(x) - i)):
            z_row = tile[r * TILE_COLUMNS:r * TILE_COLUMNS + w]
            for h in range(w):
                z_row[h] += b[j + h]
            _activate(code, z_row, a[i + r, j:j + w])
            if len(z):
                for h in range(w):
                    z[i + r, j + h] = z_row[h]


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _row_losses(x, a, z, cross_entropy, row_loss):
    """Each row's loss, summed over its D entries in float64."""
    for n in range(len(x)):
        total = 0.0
        if cross_entropy:
            for d in range(x.shape[1]):
                zd = np.float64(z[n, d])
                total += max(zd, 0.0) - x[n, d] * zd + math.log1p(math.exp(-abs(zd)))
        else:
            for d in range(x.shape[1]):
                error = np.float64(a[n, d] - x[n, d])
                total += error * error
        row_loss[n] = total


@compiled
def _output_delta(x, a, code, scale, dz):
    """dz = f'(z) * (a - x) * scale  for the output layer, all (N, D)."""
    for n in range(len(x)):
        for d in range(x.shape[1]):
            dz[n, d] = (a[n, d] - x[n, d]) * scale
        _times_slope(code, a[n], dz[n])


@compiled
def _add_delta(da, a, code, dz):
    """dz += f'(z) * da  with a = f(z), all (N, C): another loss's part."""
    for n in range(len(da)):
        more = da[n].copy()
        _times_slope(code, a[n], more)
        dz[n] += more


@compiled(parallel=True, work=lambda dz, W, a, code, dz_below: len(dz) * W.size)
def _delta_below(dz, W, a, code, dz_below):
    """dz_below = f'(z) * (dz @ W.T)  with dz (N, H), W (D, H), and a = f(z) (N, D), the layer's input."""
    for task in prange(-(-len(dz) // 4)):
        i = task * 4
        for j in range(0, len(W), 4):
            dot_products(dz, W, i, j, dz_below)
        for n in range(i, min(i + 4, len(dz))):
            _times_slope(code, a[n], dz_below[n])


@compiled(parallel=True, work=lambda x, dz, dW, db: len(x) * dW.size)
def _weight_gradient(x, dz, dW, db):
    """dW = x.T @ dz, db = dz.sum(axis=0)  with x (N, D), dz (N, H)."""
    width = even_width(len(db))
    n_across = -(-len(db) // width)
    for task in prange(-(-len(dW) // TILE_ROWS) * n_across):
        i, j = task // n_across * TILE_ROWS, task % n_across * width
        w = min(width, len(db) - j)
        store_tile(product_tile(x.T, dz, i, j, w), dW, i, j, w)
        if i == 0:
            for h in range(j, j + w):
                db[h] = 0
            for n in range(len(dz)):
                for h in range(j, j + w):
                    db[h] += dz[n, h]
