"""The parts of a network, each forward next to its hand-derived backward.

Counterparts, compiled: kernels/cpu/network.py, kernels/gpu/network.py.

Shapes: N samples, D features in, H units out. Names: x input, W weights, b bias, z pre-activation, a activation.
A name with a `d` in front is the derivative of the loss L with respect to that array and has its shape: dW = dL/dW.

A backward takes the derivative with respect to its forward's output and returns the derivative with respect to each of
its inputs. An activation's backward also takes its output a, in terms of which each slope here is simplest. A backward
changes nothing. Every function can write its result into `out`, so that training allocates nothing per step; without
`out` it makes a new array.
"""

import numpy as np


def dense(x, W, b, out=None):
    """z = x @ W + b  with x (N, D), W (D, H), b (H,); returns z (N, H)."""
    z = np.matmul(x, W, out=out)  # (N, H)
    z += b
    return z


def dense_backward(dz, x, W, *, input_gradient=True, dx=None, dW=None, db=None):
    """Derivatives of L with respect to x, W and b, from dz (N, H). Returns dx (N, D), dW (D, H), db (H,).

    In components, z[n, h] = sum_d x[n, d] W[d, h] + b[h]. By the chain rule:

        dx[n, d] = sum_h dz[n, h] W[d, h]      dx = dz @ W.T
        dW[d, h] = sum_n x[n, d] dz[n, h]      dW = x.T @ dz
        db[h]    = sum_n dz[n, h]              db = dz.sum(axis=0)

    input_gradient=False omits dx (None is returned for it): the derivative with respect to the images themselves is
    never used, and that product costs as much as the one for dW. dx, dW, db: arrays to write into.

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
    """
    if input_gradient:
        dx = np.matmul(dz, W.T, out=dx)  # (N, D)
    dW = np.matmul(x.T, dz, out=dW)  # (D, H)
    db = np.sum(dz, axis=0, out=db)  # (H,)
    return (dx if input_gradient else None), dW, db


def sigmoid(z, out=None):
    """a = 1 / (1 + exp(-z)), from 0 to 1, written as 0.5 * tanh(0.5 * z) + 0.5.

    Both are the same function; the second form cannot overflow.
    """
    a = np.multiply(z, 0.5, out=out)  # the shape of z, as all below
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5
    return a


def sigmoid_backward(da, a, out=None):
    """dz = (1 - a) * a * da.

    With a = 1 / (1 + e) and e = exp(-z):  da/dz = e / (1 + e)^2 = (1 - a) * a.
    """
    dz = np.subtract(1, a, out=out)  # the shape of a
    dz *= a
    dz *= da
    return dz


def tanh(z, out=None):
    """a = tanh(z), from -1 to 1."""
    return np.tanh(z, out=out)


def tanh_backward(da, a, out=None):
    """dz = (1 - a * a) * da.

    With s = sinh(z) and c = cosh(z):  a = s / c,  da/dz = (c c - s s) / c^2 = 1 - a * a.
    """
    dz = np.multiply(a, a, out=out)  # the shape of a
    np.subtract(1, dz, out=dz)
    dz *= da
    return dz


def relu(z, out=None):
    """a = max(z, 0)."""
    return np.maximum(z, 0, out=out)


def relu_backward(da, a, out=None):
    """dz = da where a > 0, and 0 elsewhere: the slope is 1 above 0 and 0 below (and, by convention, at 0)."""
    return np.multiply(da, a > 0, out=out)


def identity(z, out=None):
    """a = z: a layer without an activation."""
    return np.positive(z, out=out)


def identity_backward(da, a, out=None):
    """dz = da: the slope is 1."""
    return np.positive(da, out=out)


ACTIVATIONS = {  # name -> (forward, backward)
    "sigmoid": (sigmoid, sigmoid_backward),
    "tanh": (tanh, tanh_backward),
    "relu": (relu, relu_backward),
    "identity": (identity, identity_backward),
}


def truncated_normal(rng, W, b):
    """Fill W (D, H) and b (H,) as the original script did: W from a normal distribution with standard deviation
    sqrt(2 / D), redrawn beyond two of them; b = 0.1.

    The variance 2 / D keeps the size of the signal through layers of ReLU: He et al., "Delving deep into rectifiers"
    (2015), eq. 10. Cutting off the tails leaves 0.88 of the standard deviation, and the default activation is the
    sigmoid, not ReLU: the choice is the original script's, kept so that the two can be compared.
    """
    n_inputs = W.shape[0]
    draws = rng.standard_normal(W.shape)  # (D, H)
    while (beyond := np.abs(draws) > 2).any():
        draws[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    W[...] = np.sqrt(2 / n_inputs) * draws
    b[...] = 0.1


def glorot(rng, W, b):
    """Fill W (D, H) and b (H,): W uniform in +-sqrt(6 / (D + H)), b = 0.

    This keeps the variance of both activations and gradients about equal from layer to layer: Glorot and Bengio,
    "Understanding the difficulty of training deep feedforward neural networks" (2010), eq. 16.
    """
    n_inputs, n_outputs = W.shape
    limit = np.sqrt(6 / (n_inputs + n_outputs))
    W[...] = rng.uniform(-limit, limit, W.shape)
    b[...] = 0


INITIALIZERS = {"truncated_normal": truncated_normal, "glorot": glorot}
