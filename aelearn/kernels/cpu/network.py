"""Forward, loss and backward on all cores: few kernels, each of which does several of NumPy's steps at once.

Worth reading. Counterparts: autoencoder/network.py, layers.py and losses.py (NumPy, with the equations),
kernels/gpu/network.py.

Shapes: N samples, D features in, H units out of a layer. What is different from NumPy:

- A layer's forward is one kernel. Bias and activation are applied to a block of x @ W while it is in the cache.
- A layer's backward is two kernels: dz @ W.T, to which the slope of the activation below is applied at once, and
  dW = x.T @ dz with db. Cores share the blocks of the results, so no two of them write to the same address.
- The products are blocks of matmul.py, and what surrounds them is written with vectors as well. No threads of another
  library compete with Numba's for the cores, and no sum depends on the number of threads: the bits are the same on any
  number.
"""

import math

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_step
from aelearn.kernels.common import IDENTITY, RELU, SIGMOID, TANH, activation_code
from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.matmul import any_layout, block, block_shape, product_block
from aelearn.kernels.cpu.vectors import fma, full, lanes_of, less, load_part, power_of_two, select, store_part
from aelearn.kernels.cpu.workspace import Workspace

# The activations that _activation and _slope have. Kernels know them by numbers.
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


@compiled(inside=True)
def _exponential(x):
    """s and q with e^x = s (1 + q), where s is a power of two and -0.3 < q < 0.42: in parts, so that no digit is lost.

    x = n ln 2 + r with a whole n and |r| <= ln 2 / 2; then s = 2^n, and q = e^r - 1 = r (1 + r/2 (1 + r/3 (...))).
    ln 2 is a sum of two numbers, the first of few digits, so that n times it is exact. Beyond the clamp e^x is too
    large or too small to matter here. NaN stays NaN.
    """
    if x.itemsize == 4:
        n_terms, most, ln2_high, ln2_low = 7, 87.0, 0.693359375, -2.12194440054690583e-4
    else:
        n_terms, most, ln2_high, ln2_low = 13, 708.0, 6.93147180369123816490e-01, 1.90821492927058770002e-10
    x = select(less(full(most, x), x), full(most, x), x)
    x = select(less(x, full(-most, x)), full(-most, x), x)
    s, n = power_of_two(x * full(1 / math.log(2), x))
    r = fma(full(-ln2_low, x), n, fma(full(-ln2_high, x), n, x))
    series = full(1, x)
    for k in range(n_terms, 1, -1):
        series = fma(series, r * full(1 / k, x), full(1, x))
    return s, series * r


@compiled(inside=True)
def _activation(code, z):
    """f(z) for a vector of any number of lanes."""
    if code == SIGMOID:
        s, q = _exponential(full(0, z) - z)
        return full(1, z) / fma(s, q, s + full(1, z))  # 1 / (1 + e^-z)
    if code == TANH:
        s, q = _exponential(z + z)
        e = fma(s, q, s - full(1, z))  # e^2z - 1
        return e / (e + full(2, z))
    if code == RELU:
        return select(less(z, full(0, z)), full(0, z), z)
    if code == IDENTITY:
        return z
    return full(np.nan, z)  # kernels cannot raise; `activation_code` does


@compiled(inside=True)
def _slope(code, a):
    """f'(z) for a vector, in terms of a = f(z), as in autoencoder/layers.py."""
    one = full(1, a)
    if code == SIGMOID:
        return (one - a) * a
    if code == TANH:
        return one - a * a
    if code == RELU:
        return select(less(full(0, a), a), one, full(0, a))
    if code == IDENTITY:
        return one
    return full(np.nan, a)


@compiled(parallel=True, work=lambda x, W, b, code, z, a: len(x) * W.size)
def _dense(x, W, b, code, z, a):
    """z = x @ W + b, a = f(z)  with x (N, D), W (D, H), b (H,); fills a (N, H), and also z unless it has no rows."""
    n_rows, width, across = block_shape(len(W), a)
    for task in prange(-(-len(a) // n_rows) * across):
        rows, columns = block(task, n_rows, width, across, a)
        product_block(any_layout(x), any_layout(W), rows, columns, a)
        for n in range(rows.start, rows.stop):
            for h in range(columns.start, columns.stop, lanes_of(a)):
                left = len(b) - h
                z_part = load_part(a, (n, h), left) + load_part(b, h, left)
                if len(z):
                    store_part(z, (n, h), left, z_part)
                store_part(a, (n, h), left, _activation(code, z_part))


@compiled(parallel=True, fastmath=SUMS_IN_ANY_ORDER, work=lambda x, a, z, cross_entropy, row_loss: x.size)
def _row_losses(x, a, z, cross_entropy, row_loss):
    """Each row's loss, summed over its D entries in float64."""
    for n in prange(len(x)):
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


@compiled(parallel=True, work=lambda x, a, code, scale, dz: x.size)
def _output_delta(x, a, code, scale, dz):
    """dz = f'(z) * (a - x) * scale  for the output layer, all (N, D)."""
    for n in prange(len(x)):
        for d in range(0, x.shape[1], lanes_of(x)):
            left = x.shape[1] - d
            a_part = load_part(a, (n, d), left)
            error = (a_part - load_part(x, (n, d), left)) * full(scale, x)
            store_part(dz, (n, d), left, error * _slope(code, a_part))


@compiled
def _add_delta(da, a, code, dz):
    """dz += f'(z) * da  with a = f(z), all (N, C): another loss's part."""
    for n in range(len(da)):
        for c in range(0, a.shape[1], lanes_of(a)):
            left = a.shape[1] - c
            slope = _slope(code, load_part(a, (n, c), left))
            store_part(dz, (n, c), left, fma(load_part(da, (n, c), left), slope, load_part(dz, (n, c), left)))


@compiled(parallel=True, work=lambda dz, W, a, code, dz_below: len(dz) * W.size)
def _delta_below(dz, W, a, code, dz_below):
    """dz_below = f'(z) * (dz @ W.T)  with dz (N, H), W (D, H), and a = f(z) (N, D), the layer's input."""
    n_rows, width, across = block_shape(W.shape[1], a)
    for task in prange(-(-len(a) // n_rows) * across):
        rows, columns = block(task, n_rows, width, across, a)
        product_block(any_layout(dz), any_layout(W.T), rows, columns, dz_below)
        for n in range(rows.start, rows.stop):
            for d in range(columns.start, columns.stop, lanes_of(a)):
                left = len(W) - d
                slope = _slope(code, load_part(a, (n, d), left))
                store_part(dz_below, (n, d), left, load_part(dz_below, (n, d), left) * slope)


@compiled(parallel=True, work=lambda x, dz, dW, db: len(x) * dW.size)
def _weight_gradient(x, dz, dW, db):
    """dW = x.T @ dz, db = dz.sum(axis=0)  with x (N, D), dz (N, H)."""
    n_rows, width, across = block_shape(len(x), dW)
    for task in prange(-(-len(dW) // n_rows) * across):
        rows, columns = block(task, n_rows, width, across, dW)
        product_block(any_layout(x.T), any_layout(dz), rows, columns, dW)
        if rows.start == 0:
            for h in range(columns.start, columns.stop, lanes_of(dz)):
                total = full(0, dz)
                for n in range(len(dz)):
                    total = total + load_part(dz, (n, h), len(db) - h)
                store_part(db, h, len(db) - h, total)
