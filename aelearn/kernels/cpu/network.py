"""The training step on all cores: forward, backward and Adam, with what belongs together done in one go.

Shapes: N samples, D features in, H units out of a layer; names and equations as in aelearn/network.py and
aelearn/layers.py, whose twins these functions are.

What is different from there:

- A layer's forward is one kernel. Bias and activation are applied while a tile of x @ W is in the nearest cache.
- A layer's way back is two: dz @ W.T, with the slope of the activation below applied at once, and dW = x.T @ dz with
  db. Cores share out rows of the one and tiles of the other, so no two write to the same place.
- Adam reads and writes every array once.
- The products are those of matmul.py. No library's threads compete with Numba's for the cores, and no sum depends on
  the number of threads: the same bits on any.
"""

import math

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_step, check_vectors
from aelearn.kernels.common import CODES, IDENTITY, RELU, SIGMOID, TANH
from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled, room
from aelearn.kernels.cpu.matmul import TILE_COLUMNS, TILE_ROWS, dot_products, even_width, product_tile, store_tile

ADAM_CHUNK = 4096  # parameters that a core updates in one go


class Workspace:
    """The arrays that one pass over at most `n_rows` rows writes into, made once and used for every batch.

    a[l], dz[l] are (n_rows, width of layer l), as in aelearn/network.py; a[0] takes images that kernels cannot read
    where they lie. z is that of the last layer alone, (n_rows, D): the cross-entropy is computed from it, and only
    where that is the loss is it kept.
    """

    def __init__(self, architecture, n_rows, dtype):
        def matrix(width):
            return room(n_rows * width, like).reshape(n_rows, width)

        like = np.empty(0, dtype)
        self.a, self.dz = ([matrix(width) for width in architecture.widths] for _ in range(2))
        self.z = matrix(architecture.widths[-1])
        self.row_loss = np.empty(n_rows)  # each row's sum of the loss over its D entries
        self.gradient = room(architecture.n_parameters, like)
        self.grads = architecture.parameters(self.gradient)


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`).
    """
    n, last = len(x), last or architecture.n_layers
    a = _readable(x, work.a[first - 1])
    for layer in range(first, last + 1):
        is_output = layer == architecture.n_layers
        code = CODES[architecture.output_activation if is_output else architecture.activation]
        below, a = a, work.a[layer][:n]  # (N, width below), (N, width)
        z = work.z[:n if is_output and architecture.loss == "bce" else 0]  # kept only where the loss needs it
        _dense(below, _readable(params[f"W{layer}"]), _readable(params[f"b{layer}"]), code, z, a)
    return a


def output_loss(x, architecture, work):
    """The loss on x (N, D), after `forward` has filled `work`."""
    n = len(x)
    _row_losses(_readable(x, work.a[0]), work.a[-1][:n], work.z[:n], architecture.loss == "bce", work.row_loss)
    return float(np.sum(work.row_loss[:n]) / x.size)


def backward(params, x, architecture, work):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter."""
    n, code = len(x), CODES[architecture.activation]
    x, dz = _readable(x, work.a[0]), work.dz[-1][:n]
    if architecture.loss == "bce":
        _output_delta(x, work.a[-1][:n], IDENTITY, dz.dtype.type(1 / x.size), dz)  # the sigmoid's slope has cancelled
    else:
        _output_delta(x, work.a[-1][:n], CODES[architecture.output_activation], dz.dtype.type(2 / x.size), dz)
    for layer in range(architecture.n_layers, 0, -1):
        below = layer - 1
        a = work.a[below][:n] if below else x  # (N, width below)
        _weight_gradient(a, dz, work.grads[f"W{layer}"], work.grads[f"b{layer}"])
        if below:
            above, dz = dz, work.dz[below][:n]  # (N, width), (N, width below)
            _delta_below(above, _readable(params[f"W{layer}"]), a, code, dz)


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative by every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are arrays of `work` if it is given.
    Raises TypeError and ValueError for arrays that do not fit: see arguments.check_step.
    """
    x = check_step(params, x, architecture, work)
    work = work or Workspace(architecture, len(x), x.dtype)
    forward(params, x, architecture, work)
    loss = output_loss(x, architecture, work)
    backward(params, x, architecture, work)
    return loss, work.grads


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v: aelearn.autoencoder.optim.adam_step in one pass.

    Each is a vector of all parameters' entries. `scratch` is not needed. Raises TypeError and ValueError for vectors
    that cannot be updated.
    """
    check_vectors((params, m, v), grads)
    number = params.dtype.type  # Python's floats would turn float32 sums into float64 ones
    _adam(params, grads, m, v, number(beta1), number(1 - beta1), number(beta2), number(1 - beta2), number(epsilon),
          number(1 / math.sqrt(1 - beta2**t)), number(learning_rate / (1 - beta1**t)))


def _readable(array, room=None):
    """The array as the kernels want it: C-ordered and writeable, or else copied into `room`.

    They write to no input, but Numba would compile every kernel anew for arrays of another kind.
    """
    if array.flags.c_contiguous and array.flags.writeable:
        return array
    room = np.empty_like(array, order="C") if room is None else room[:len(array)]
    room[...] = array
    return room


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _sigmoid_for_float32(z):
    """1 / (1 + e^-z), with e^-z = (e^(-z / 256))^256: a short Taylor series, squared eight times.

    Nothing but products and sums, so a loop over it becomes vector instructions, which math.exp would prevent. The
    relative error is at most 1.1e-7, before it is rounded to float32. Beyond +-40 the sigmoid is 0 or 1 to 17 digits.
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
    else:
        for h in range(len(z)):
            a[h] = z[h]


@compiled(inside=True)
def _times_slope(code, a, da):
    """da *= f'(z) for a row, with the slope written in terms of a = f(z) as in aelearn/layers.py."""
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


@compiled(parallel=True, work=lambda x, W, b, code, z, a: len(x) * W.size)
def _dense(x, W, b, code, z, a):
    """z = x @ W + b, a = f(z)  with x (N, D), W (D, H), b (H,); fills a (N, H), and z too unless it has no rows."""
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


@compiled(parallel=True, work=lambda params, *others: 8 * len(params))
def _adam(params, grads, m, v, beta1, rest1, beta2, rest2, epsilon, to_v_hat, step):
    """One pass of Adam: rest1 = 1 - beta1, rest2 = 1 - beta2, sqrt(v_hat) = sqrt(v) * to_v_hat."""
    for chunk in prange(-(-len(params) // ADAM_CHUNK)):
        rows = slice(chunk * ADAM_CHUNK, min((chunk + 1) * ADAM_CHUNK, len(params)))
        p_, g_, m_, v_ = params[rows], grads[rows], m[rows], v[rows]
        for i in range(len(p_)):
            g = g_[i]
            m_[i] = beta1 * m_[i] + rest1 * g
            v_[i] = beta2 * v_[i] + rest2 * g * g
            p_[i] -= step * m_[i] / (np.sqrt(v_[i]) * to_v_hat + epsilon)
