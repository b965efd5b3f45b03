"""The network as arithmetic: parameters in, codes, losses and gradients out. No state, no training.

Shapes: N samples, D features, H units of a layer, C code size. An autoencoder 784-128-3-128-784 has the widths
(784, 128, 3, 128, 784) and L = 4 dense layers, numbered from 1; layer l has the weights Wl and the biases bl.

All parameters live in one vector; `Parameters` shows pieces of it as matrices. So an optimiser moves everything with
one update, and a matrix changes as soon as the vector does.

    forward    a[0] = x,  and for l = 1..L:    z[l] = a[l-1] @ W[l] + b[l]        a[l] = f(z[l])
    loss       the mean squared error of a[L] and x, or the binary cross-entropy of z[L] and x
    backward   from the loss:                  mse:  da[L] = (a[L] - x) * 2 / (N D),  dz[L] = f'(z[L]) * da[L]
                                               bce:  dz[L] = (sigmoid(z[L]) - x) / (N D)
               and for l = L..1:               da[l-1], dW[l], db[l] = dense_backward(dz[l], a[l-1], W[l])
                                               dz[l-1] = f'(z[l-1]) * da[l-1]

f is the layer's activation. Its backward in layers.py computes f'(z) from a = f(z), which is at hand.
"""

import math
from dataclasses import dataclass

import numpy as np

from aelearn.autoencoder.layers import ACTIVATIONS, dense, dense_backward
from aelearn.autoencoder.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    mean_squared_error,
    mean_squared_error_gradient,
)
from aelearn.kernels.arguments import check_step

LOSSES = {"mse": mean_squared_error, "bce": binary_cross_entropy}


@dataclass(frozen=True)
class Architecture:
    """What the network computes, apart from its parameters.

    widths             units of each layer from the images through the code and back
    activation         of all hidden layers, the code included
    output_activation  of the last layer
    loss               "mse" or "bce"; "bce" wants the sigmoid as output activation
    """

    widths: tuple
    activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    loss: str = "mse"

    @property
    def n_layers(self):
        """L, the number of dense layers."""
        return len(self.widths) - 1

    @property
    def n_parameters(self):
        """The length of the parameter vector."""
        return sum(n_in * n_out + n_out for n_in, n_out in zip(self.widths, self.widths[1:]))

    def parameters(self, vector):
        """The network's parameters in a vector (or the gradient by them), as a dict of matrices."""
        return Parameters(vector, self.widths)

    def functions(self, layer):
        """(forward, backward) of the activation of layer 1..L."""
        return ACTIVATIONS[self.output_activation if layer == self.n_layers else self.activation]


def autoencoder_widths(n_features, hidden_layer_sizes):
    """(784, 128, 3, 128, 784) from 784 and (128, 3): the decoder mirrors the encoder."""
    hidden = tuple(hidden_layer_sizes)
    return (n_features, *hidden, *hidden[-2::-1], n_features)


class Parameters(dict):
    """{"W1": (D, H), "b1": (H,), ...}: views of one vector of all parameters, in the order of the layers.

    vector  what they are views of
    """

    def __init__(self, vector, widths):
        self.vector, start = vector, 0
        for layer, (n_in, n_out) in enumerate(zip(widths, widths[1:]), 1):
            for name, shape in (("W", (n_in, n_out)), ("b", (n_out,))):
                stop = start + math.prod(shape)
                self[f"{name}{layer}"] = vector[start:stop].reshape(shape)
                start = stop


class Workspace:
    """The arrays that one pass over at most `n_rows` rows writes into, made once and used for every batch.

    z[l], a[l], dz[l] and da[l] are (n_rows, width of layer l), as in the module's equations; those of l = 0 stay
    unused, because a[0] is x itself.
    """

    def __init__(self, architecture, n_rows, dtype):
        self.z, self.a, self.dz, self.da = ([np.empty((n_rows, width), dtype) for width in architecture.widths]
                                            for _ in range(4))
        self.gradient = np.zeros(architecture.n_parameters, dtype)
        self.grads = architecture.parameters(self.gradient)


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`). The encoder is the first half of the layers, the decoder the second.
    """
    a = x
    for layer in range(first, (last or architecture.n_layers) + 1):
        z = dense(a, params[f"W{layer}"], params[f"b{layer}"], out=work.z[layer][:len(x)])  # (N, width of layer)
        activate, _ = architecture.functions(layer)
        a = activate(z, out=work.a[layer][:len(x)])  # (N, width of layer)
    return a


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative by every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are arrays of `work` if it is given.
    Raises TypeError and ValueError for arrays that do not fit: see kernels.arguments.check_step.
    """
    x = check_step(params, x, architecture, work)
    work = work or Workspace(architecture, len(x), x.dtype)
    forward(params, x, architecture, work)
    backward(params, x, architecture, work)
    return output_loss(x, architecture, work), work.grads


def output_loss(x, architecture, work):
    """The loss on x (N, D), after `forward` has filled `work`."""
    output = {"mse": work.a, "bce": work.z}[architecture.loss][-1][:len(x)]  # (N, D)
    return LOSSES[architecture.loss](output, x)


def backward(params, x, architecture, work):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter."""
    last, n = architecture.n_layers, len(x)
    dz = work.dz[last][:n]  # (N, D)
    if architecture.loss == "bce":
        binary_cross_entropy_gradient(work.z[last][:n], x, out=dz)
    else:
        da = mean_squared_error_gradient(work.a[last][:n], x, out=work.da[last][:n])  # (N, D)
        _, activation_backward = architecture.functions(last)
        activation_backward(da, work.a[last][:n], out=dz)
    for layer in range(last, 0, -1):
        below = layer - 1
        a = work.a[below][:n] if below else x  # (N, width below)
        da, _, _ = dense_backward(dz, a, params[f"W{layer}"], input_gradient=below > 0, dx=work.da[below][:n],
                                  dW=work.grads[f"W{layer}"], db=work.grads[f"b{layer}"])  # (N, width below)
        if below:
            _, activation_backward = architecture.functions(below)
            dz = activation_backward(da, a, out=work.dz[below][:n])  # (N, width below)
