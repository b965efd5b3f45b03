"""The exercises of lesson 2. Shapes: N samples, D features, H units, C code size."""

import numpy as np

from aelearn.autoencoder import layers, losses
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def _neuron(rng):
    (d,) = sizes(rng, 1)
    return numbers(rng, x=(d,), w=(d,), b=())


def _neuron_output(x, w, b):
    return 1 / (1 + np.exp(-(w @ x + b)))


def _neuron_backward(rng):
    numbers = _neuron(rng)
    a = float(_neuron_output(**numbers))
    return {"da": float(rng.normal()), "x": numbers["x"], "w": numbers["w"], "a": a, "_b": numbers["b"]}


def _dense(rng):
    n, d, h = sizes(rng, 3)
    return numbers(rng, x=(n, d), W=(d, h), b=(h,))


def _dense_backward(rng):
    n, d, h = sizes(rng, 3)
    return numbers(rng, dz=(n, h), x=(n, d), W=(d, h), _b=(h,))


def _activation_backward(rng):
    n, h = sizes(rng, 2)
    return {"da": rng.normal(size=(n, h)), "a": layers.sigmoid(rng.normal(size=(n, h)))}


def _loss(rng):
    n, d = sizes(rng, 2, low=3)
    return {"a": rng.random((n, d)), "x": rng.random((n, d))}


def _network(rng):
    n, d, c = sizes(rng, 3)
    return {"x": rng.random((n, d)), **numbers(rng, W1=(d, c), b1=(c,), W2=(c, d), b2=(d,))}


def _network_loss(x, W1, b1, W2, b2):
    code = layers.sigmoid(x @ W1 + b1)  # (N, C)
    return losses.mean_squared_error(layers.sigmoid(code @ W2 + b2), x)


EXERCISES = {
    "neuron": Exercise(_neuron, ("a",), answer=_neuron_output),
    "neuron_backward": Exercise(_neuron_backward, ("dx", "dw", "db"), forward=_neuron_output, upstream="da"),
    "dense": Exercise(_dense, ("z",), answer=layers.dense),
    "dense_backward": Exercise(_dense_backward, ("dx", "dW", "db"), forward=lambda x, W, b: layers.dense(x, W, b),
                               upstream="dz"),
    "sigmoid_backward": Exercise(_activation_backward, ("dz",), answer=layers.sigmoid_backward),
    "mse_gradient": Exercise(_loss, ("da",), forward=lambda a, x: losses.mean_squared_error(a, x)),
    "autoencoder_backward": Exercise(_network, ("dW1", "db1", "dW2", "db2"), forward=_network_loss),
}
