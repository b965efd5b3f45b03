"""Right answers to the exercises of lesson 2, and typical mistakes."""

import numpy as np

from aelearn.autoencoder import layers, losses


def neuron(x, w, b):
    return layers.sigmoid(np.array([w @ x + b]))[0]


def neuron_backward(da, x, w, a):
    return da * a * (1 - a) * w, da * a * (1 - a) * x, da * a * (1 - a)


def dense(x, W, b):
    return x @ W + b


def dense_backward(dz, x, W):
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def sigmoid_backward(da, a):
    return da * a * (1 - a)


def mse_gradient(a, x):
    return 2 * (a - x) / a.size


def autoencoder_backward(x, W1, b1, W2, b2, factor=1):
    c = layers.sigmoid(x @ W1 + b1)
    a = layers.sigmoid(c @ W2 + b2)
    dz2 = layers.sigmoid_backward(losses.mean_squared_error_gradient(a, x), a)
    dc, dW2, db2 = layers.dense_backward(dz2, c, W2)
    dz1 = layers.sigmoid_backward(dc, c) * factor
    return x.T @ dz1, dz1.sum(axis=0), dW2, db2


def gradients_in_one_pass(batches, W1, b1, W2, b2):
    n, total = 0, np.zeros(4, object)
    for batch in batches:
        n += len(batch)
        total += len(batch) * np.fromiter(autoencoder_backward(batch, W1, b1, W2, b2), object)
    return tuple(total / n)


def all_at_once(batches, *params):
    return autoencoder_backward(np.concatenate(list(batches)), *params)


def never_starts(batches, *params):
    for batch in list(batches)[3:]:
        grads = autoencoder_backward(batch, *params)
    return grads


def typo(x, w, b):
    return np.exp(z)  # noqa: F821, as a learner would


def unpacks(dz, x, W):
    N, D, H = x.shape
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def changed(dz, x, W):
    dz *= 2
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def slope_of_the_output(x, W1, b1, W2, b2):
    a, dc = np.zeros(x.shape), np.zeros((len(x), len(b1)))
    dz1 = layers.sigmoid_backward(dc, a)
    return dz1


RIGHT = (neuron, neuron_backward, dense, dense_backward, sigmoid_backward, mse_gradient, autoencoder_backward,
         gradients_in_one_pass)
MISTAKES = [  # exercise, answer, what the line says
    ("neuron", lambda x, w, b: None, "not solved yet"),
    ("neuron", lambda x, w, b: ..., "not solved yet"),
    ("neuron", lambda x, w, b: 0, "a: yours"),
    ("neuron", lambda x, w, b: w @ x + b + 1, r"a: yours .*, expected "),
    ("neuron", lambda x, w, b: np.nan, "it is not finite"),
    ("neuron", lambda x, w, b: w * x + b, r"it should be a single number; yours has the shape \(\d,\)"),
    ("neuron", typo, r"it raised NameError in `return np.exp\(z\).*`: name 'z' is not defined"),
    ("neuron_backward", lambda da, x, w, a: (da * w * a / 3, da * x * a / 3, da / 3), r"dx: .*finite difference"),
    ("neuron_backward", lambda da, x, w, a: da * a * (1 - a), "it should return dx, dw, db; it returns one float"),
    ("neuron_backward", lambda da, x, w, a: neuron_backward(da, w, x, a),
     "^neuron_backward: your dx is what dw should be: look at the order in which you return them$"),
    ("dense", lambda x, W, b: x @ W + b[0], r"z: \d+ of \d+ .*wrong"),
    ("dense", lambda x, W, b: (x @ W + b).T, r"its shape is .* instead of .*: it is transposed"),
    ("dense", lambda x, W, b: W @ x + b,
     r"in a product the inner sizes are \d and \d: must one factor be transposed\?"),
    ("dense_backward", unpacks,
     r"it raised ValueError in `N, D, H = x.shape`: not enough values to unpack.*: how"),
    ("dense_backward", changed, "it changes its input dz"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, 2.7 * x.T @ dz, dz.sum(axis=0)),
     "dW: .* is off by the factor 2.7; right: dx and db"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, x.T @ dz, -dz.sum(axis=0)), "db: .* has the wrong sign"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, x.T @ dz, dz.sum(axis=1)), r"its shape is \(\d,\) instead of"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, dz.T @ x, dz.sum(axis=0)),
     "its shape is .*: it is transposed"),
    ("dense_backward", lambda dz, x, W: (None, x.T @ dz, dz.sum(axis=0)), "dx: it is None: not solved yet"),
    ("sigmoid_backward", lambda da, a: da * a * a, r"dz: \d+ of \d+ .*wrong"),
    ("sigmoid_backward", lambda da, a: da + a * (1 - a), r"dz: \d+ of \d+ .*wrong"),
    ("sigmoid_backward", lambda da, a: "da", "dz: it should be numbers; it is a str"),
    ("mse_gradient", lambda a, x: 2 * (x - a) / a.size, "da: .*every entry has the wrong sign"),
    ("mse_gradient", lambda a, x: (a - x) / a.size, "da: .*every entry is off by the factor 0.5"),
    ("mse_gradient", lambda a, x: 2 * (a - x) / a.size**2, r"da: .*off by the factor .*, which is 1 / a.size here"),
    ("autoencoder_backward", lambda *all: autoencoder_backward(*all, factor=2),
     "dW1: .*off by the factor 2.*; right: dW2 and db2"),
    ("autoencoder_backward", lambda *all: np.array(autoencoder_backward(*all), object)[[2, 3, 0, 1]].tolist(),
     "your dW1 is what dW2 should be"),
    ("autoencoder_backward", lambda x, W1, b1, W2, b2: layers.dense(W1, x, b1),
     r"inside it the inner sizes \d and \d do not fit: wrong arguments\?$"),
    ("autoencoder_backward", slope_of_the_output,
     r"the shapes \S+ and \S+ do not fit: which is not what you expect\?$"),
    ("autoencoder_backward", lambda *all: autoencoder_backward(*all)[:3], "it should return .*; it returns 3 values"),
    ("gradients_in_one_pass", all_at_once, "it returns the right result, but needs .* MB for it; 8 are enough"),
    ("gradients_in_one_pass", never_starts, "it raised UnboundLocalError in `return grads`"),
    ("gradients_in_one_pass", lambda *all: gradients_in_one_pass(*all)[0],
     "it should return .*; it returns one ndarray"),
    ("gradients_in_one_pass", lambda batches, *params: gradients_in_one_pass(batches[:-1], *params),
     "is not subscript"),
]
