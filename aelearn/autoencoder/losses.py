"""Two losses of a reconstruction, each value next to its gradient. Counterparts: kernels/cpu/network.py,
kernels/gpu/losses.py.

Shapes: N samples, D features. x (N, D) the originals, a (N, D) the network's output, z (N, D) the output before its
activation. Both losses are means over all N * D entries, so they do not depend on the size of a batch. Values are
summed in float64; gradients keep the dtype of their input.
"""

import numpy as np

from aelearn.autoencoder.layers import sigmoid


def mean_squared_error(a, x):
    """L = mean((a - x)^2), a float."""
    error = a - x  # (N, D)
    return float(np.einsum("nd,nd->", error, error, dtype=np.float64) / error.size)


def mean_squared_error_gradient(a, x, out=None):
    """da = (a - x) * 2 / (N D).

    L = 1 / (N D) sum_nd (a[n, d] - x[n, d])^2, and each entry of a is in one term of the sum.
    """
    da = np.subtract(a, x, out=out)  # (N, D)
    da *= 2 / da.size
    return da


def binary_cross_entropy(z, x):
    """L = mean(-x log a - (1 - x) log(1 - a)) with a = sigmoid(z), a float; x in [0, 1].

    Computed from z, because log a is -infinity once a rounds to 0. With -log a = log(1 + exp(-z)) and
    -log(1 - a) = z + log(1 + exp(-z)) the loss is log(1 + exp(-z)) + (1 - x) z, and because
    log(1 + exp(-z)) = max(-z, 0) + log(1 + exp(-|z|)), nothing in it can overflow:

        L = mean(max(z, 0) - x z + log(1 + exp(-|z|)))
    """
    terms = np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z)))  # (N, D)
    return float(np.sum(terms, dtype=np.float64) / terms.size)


def binary_cross_entropy_gradient(z, x, out=None):
    """dz = (sigmoid(z) - x) / (N D): the plain difference.

    Each term is log(1 + exp(z)) - x z (the same function as above); its derivative with respect to z is
    exp(z) / (1 + exp(z)) - x = sigmoid(z) - x. The slope of the sigmoid cancels.
    """
    dz = sigmoid(z, out=out)  # (N, D)
    dz -= x
    dz *= 1 / dz.size
    return dz
