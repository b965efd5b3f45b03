"""The training step on all cores: forward, backward and Adam, with what belongs together done in one go.

Shapes: N samples, D features, H units of a layer, R rows of a workspace; widths, layers and equations as in
aelearn/network.py, whose functions these are the twins of.

What is different from there:

- Forward and the way back through the deltas: each core takes eight images at a time through all layers, so that what
  one layer wrote is still near when the next one reads it. Bias and activation are applied while a tile of the product
  is in the nearest cache; z is never stored.
- Gradients of the weights: each core fills tiles of dW = a.T @ dz. No two tiles share an entry.
- Products are those of matmul.py. No library's threads compete with Numba's, and no sum depends on their number: the
  same bits on any.
- Arrays of one kind lie in one vector, layer after layer, as the parameters do. So one compiled kernel serves a
  network of any depth. A workspace is made once; a step allocates nothing that grows with the network.
"""

import math

import numpy as np
from numba import prange

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.matmul import (TILE_COLUMNS, TILE_ROWS, add_product, clear_tile, dot_products, even_width,
                                        store_tile)

SIGMOID, TANH, RELU, IDENTITY = range(4)
CODES = {"sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "identity": IDENTITY}
ADAM_CHUNK = 4096  # parameters that a core updates in one go


class Workspace:
    """The arrays that one pass over at most `n_rows` rows writes into, made once and used for every batch.

    a         activations, the images included: for each layer l a matrix (R, width of layer l), one after the other
    dz        deltas, laid out alike; before `backward`, that of the last layer holds z
    row_loss  (R,) float64, each image's sum of the loss over its D entries
    gradient  derivatives of the loss by all parameters, in a row; `grads` shows its pieces
    """

    def __init__(self, architecture, n_rows, dtype):
        self.n_rows, self.widths = n_rows, np.array(architecture.widths)
        self.a, self.dz = (np.empty(n_rows * sum(architecture.widths), dtype) for _ in range(2))
        self.row_loss = np.empty(n_rows)
        self.gradient = np.zeros(architecture.n_parameters, dtype)
        self.grads = _pieces(self.gradient, architecture.widths)


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`), float32 or float64 as the parameters are.
    """
    last = last or architecture.n_layers
    _forward(x, _in_a_row(params), work.widths, work.n_rows, first, last, CODES[architecture.activation],
             CODES[architecture.output_activation], work.a, work.dz)
    return _layer_of(work.a, work.widths, work.n_rows, last)[:len(x)]


def output_loss(x, architecture, work):
    """The loss on x (N, D), after `forward` has filled `work`."""
    _row_losses(work.a, work.dz, work.widths, work.n_rows, len(x), architecture.loss == "bce", work.row_loss)
    return float(np.sum(work.row_loss[:len(x)]) / x.size)


def backward(params, x, architecture, work):
    """Fill `work.grads`, after `forward` has filled `work`. Changes no parameter."""
    _deltas(_in_a_row(params), work.widths, work.n_rows, len(x), CODES[architecture.activation],
            CODES[architecture.output_activation], architecture.loss == "bce", work.a, work.dz)
    _gradients(work.a, work.dz, work.widths, work.n_rows, len(x), work.gradient)


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative by every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are arrays of `work` if it is given.
    """
    work = work or Workspace(architecture, len(x), x.dtype)
    forward(params, x, architecture, work)
    loss = output_loss(x, architecture, work)
    backward(params, x, architecture, work)
    return loss, work.grads


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v: aelearn.optim.adam_step in one pass.

    Each is a vector of all parameters' entries. Read once and written once, instead of once for each of eleven
    operations; `scratch` is not needed.
    """
    number = params.dtype.type  # Python's floats would turn float32 sums into float64 ones
    _adam(params, grads, m, v, number(beta1), number(1 - beta1), number(beta2), number(1 - beta2), number(epsilon),
          number(1 / math.sqrt(1 - beta2**t)), number(learning_rate / (1 - beta1**t)))


def _in_a_row(params):
    """All parameters as one vector: the one whose pieces they are, or else a copy."""
    vector = getattr(params, "vector", None)
    return np.concatenate([array.ravel() for array in params.values()]) if vector is None else vector


def _pieces(vector, widths):
    """{"W1": (D, H), "b1": (H,), ...}: views of a vector of all parameters."""
    views = {}
    for layer in range(1, len(widths)):
        views[f"W{layer}"], views[f"b{layer}"] = _weights_of.py_func(vector, np.array(widths), layer)
    return views


@compiled
def _weights_of(vector, widths, layer):
    """W (D, H) and b (H,) of a layer: pieces of the vector of all parameters (or of all gradients)."""
    start = 0
    for below in range(layer - 1):
        start += (widths[below] + 1) * widths[below + 1]
    n_in, n_out = widths[layer - 1], widths[layer]
    middle = start + n_in * n_out
    return vector[start:middle].reshape((n_in, n_out)), vector[middle:middle + n_out]


@compiled
def _layer_of(buffer, widths, n_rows, layer):
    """The matrix (R, width of layer) of a layer: a piece of a workspace's `a` or `dz`."""
    start = n_rows * widths[:layer].sum()
    return buffer[start:start + n_rows * widths[layer]].reshape((n_rows, widths[layer]))


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _sigmoid(z):
    """1 / (1 + e^-z), with e^-z = (e^(-z / 1024))^1024: a short Taylor series, squared ten times.

    Nothing but products and sums, so a loop over it becomes vector instructions, which math.exp would prevent. In
    float64 the relative error of the power stays below 1e-12. Beyond +-40 the sigmoid is 0 or 1 to 17 digits.
    """
    x = min(max(-np.float64(z), -40.0), 40.0) / 1024
    e = 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6)))))
    e *= e  # e^2 ...
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e  # ... e^1024
    return 1 / (1 + e)


@compiled
def _activate(code, z, bias, a):
    """a = f(z + bias) for a row."""
    if code == SIGMOID:
        for h in range(len(bias)):
            a[h] = _sigmoid(z[h] + bias[h])
    elif code == TANH:
        for h in range(len(bias)):
            a[h] = math.tanh(z[h] + bias[h])
    elif code == RELU:
        for h in range(len(bias)):
            a[h] = max(z[h] + bias[h], 0)
    else:
        for h in range(len(bias)):
            a[h] = z[h] + bias[h]


@compiled
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


@compiled(parallel=True)
def _forward(x, vector, widths, n_rows, first, last, hidden_code, output_code, activations, deltas):
    """Fill the activations of layers `first` to `last`, and z of the network's last layer if it is among them."""
    n, n_layers = len(x), len(widths) - 1
    for task in prange(-(-n // TILE_ROWS)):
        i = task * TILE_ROWS
        stop = min(i + TILE_ROWS, n)
        tile = np.empty(TILE_ROWS * TILE_COLUMNS, activations.dtype)
        given = _layer_of(activations, widths, n_rows, first - 1)  # (R, width in front)
        for row in range(i, stop):
            for d in range(x.shape[1]):
                given[row, d] = x[row, d]
        for layer in range(first, last + 1):
            W, b = _weights_of(vector, widths, layer)  # (width below, width), (width,)
            below = _layer_of(activations, widths, n_rows, layer - 1)[i:stop]  # (8, width below)
            a = _layer_of(activations, widths, n_rows, layer)[i:stop]  # (8, width)
            code = output_code if layer == n_layers else hidden_code
            width = even_width(len(b))
            for j in range(0, len(b), width):
                w = min(width, len(b) - j)
                clear_tile(w, tile)
                add_product(below, W, 0, j, w, tile)  # below @ W[:, j:j + w]
                for r in range(stop - i):
                    z = tile[r * TILE_COLUMNS:r * TILE_COLUMNS + w]
                    _activate(code, z, b[j:j + w], a[r, j:j + w])
                if layer == n_layers:
                    z = _layer_of(deltas, widths, n_rows, layer)[i:stop]  # (8, D)
                    for r in range(stop - i):
                        for h in range(w):
                            z[r, j + h] = tile[r * TILE_COLUMNS + h] + b[j + h]


@compiled(parallel=True, fastmath=SUMS_IN_ANY_ORDER)
def _row_losses(activations, deltas, widths, n_rows, n, cross_entropy, row_loss):
    """Each image's loss, summed over its D entries in float64."""
    x, a = _layer_of(activations, widths, n_rows, 0), _layer_of(activations, widths, n_rows, len(widths) - 1)  # (R, D)
    z = _layer_of(deltas, widths, n_rows, len(widths) - 1)  # (R, D)
    for row in prange(n):
        x_row, a_row, z_row, total = x[row], a[row], z[row], 0.0
        if cross_entropy:
            for d in range(len(x_row)):
                zd = np.float64(z_row[d])
                total += max(zd, 0.0) - x_row[d] * zd + math.log1p(math.exp(-abs(zd)))
        else:
            for d in range(len(x_row)):
                error = a_row[d] - x_row[d]
                total += np.float64(error) * np.float64(error)
        row_loss[row] = total


@compiled(parallel=True)
def _deltas(vector, widths, n_rows, n, hidden_code, output_code, cross_entropy, activations, deltas):
    """Fill dz of all layers, from the last to the first: dz[l-1] = f'(z[l-1]) * (dz[l] @ W[l].T)."""
    n_layers = len(widths) - 1
    for task in prange(-(-n // TILE_ROWS)):
        i, stop = task * TILE_ROWS, min(task * TILE_ROWS + TILE_ROWS, n)
        x = _layer_of(activations, widths, n_rows, 0)[i:stop]  # (8, D)
        a = _layer_of(activations, widths, n_rows, n_layers)[i:stop]  # (8, D)
        dz = _layer_of(deltas, widths, n_rows, n_layers)[i:stop]  # (8, D)
        scale = dz.dtype.type((1 if cross_entropy else 2) / (n * widths[n_layers]))
        for r in range(stop - i):
            for d in range(widths[n_layers]):
                dz[r, d] = (a[r, d] - x[r, d]) * scale
            if not cross_entropy:
                _times_slope(output_code, a[r], dz[r])
        for layer in range(n_layers, 1, -1):
            W, _ = _weights_of(vector, widths, layer)  # (width below, width)
            dz = _layer_of(deltas, widths, n_rows, layer)[i:stop]  # (8, width)
            a = _layer_of(activations, widths, n_rows, layer - 1)[i:stop]  # (8, width below)
            da = _layer_of(deltas, widths, n_rows, layer - 1)[i:stop]  # (8, width below)
            for j in range(0, len(W), 4):
                for r in range(0, stop - i, 4):
                    dot_products(dz, W, r, j, da)  # dz @ W.T
            for r in range(stop - i):
                _times_slope(hidden_code, a[r], da[r])


@compiled(parallel=True)
def _gradients(activations, deltas, widths, n_rows, n, gradient):
    """Fill dW = a.T @ dz and db = the sum of dz's rows, for every layer."""
    for layer in range(1, len(widths)):
        dW, db = _weights_of(gradient, widths, layer)  # (width below, width), (width,)
        a = _layer_of(activations, widths, n_rows, layer - 1)[:n]  # (N, width below)
        dz = _layer_of(deltas, widths, n_rows, layer)[:n]  # (N, width)
        tile_width = even_width(len(db))
        n_across = -(-len(db) // tile_width)
        for task in prange(-(-len(dW) // TILE_ROWS) * n_across):
            i, j = task // n_across * TILE_ROWS, task % n_across * tile_width
            width = min(tile_width, len(db) - j)
            tile = np.empty(TILE_ROWS * TILE_COLUMNS, dW.dtype)
            clear_tile(width, tile)
            add_product(a.T, dz, i, j, width, tile)
            store_tile(tile, dW, i, j, width)
        db[:] = 0
        for row in range(n):
            for h in range(len(db)):
                db[h] += dz[row, h]


@compiled(parallel=True)
def _adam(params, grads, m, v, beta1, rest1, beta2, rest2, epsilon, to_v_hat, step):
    """One pass of Adam: rest1 = 1 - beta1, rest2 = 1 - beta2, sqrt(v_hat) = sqrt(v) * to_v_hat."""
    n_chunks = -(-len(params) // ADAM_CHUNK)
    for chunk in prange(n_chunks):
        rows = slice(chunk * ADAM_CHUNK, min((chunk + 1) * ADAM_CHUNK, len(params)))
        p_, g_, m_, v_ = params[rows], grads[rows], m[rows], v[rows]
        for i in range(len(p_)):
            g = g_[i]
            m_[i] = beta1 * m_[i] + rest1 * g
            v_[i] = beta2 * v_[i] + rest2 * g * g
            p_[i] -= step * m_[i] / (np.sqrt(v_[i]) * to_v_hat + epsilon)
