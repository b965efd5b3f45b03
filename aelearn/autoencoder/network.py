"""The network as arithmetic: parameters in, codes, losses and gradients out. This file is backpropagation.

Its functions keep no state and do no training. Counterparts, compiled: kernels/cpu/network.py, kernels/gpu/network.py.

Shapes: N samples, D features, H units of a layer, C code size. An autoencoder 784-128-3-128-784 has the widths
(784, 128, 3, 128, 784) and L = 4 dense layers, numbered from 1; layer l has the weights W[l] and the biases b[l].

    forward    a[0] = x,  and for l = 1..L:    z[l] = a[l-1] @ W[l] + b[l]        a[l] = f(z[l])
    loss       the mean squared error of a[L] and x, or the binary cross-entropy of z[L] and x
    backward   from the loss:                  mse:  da[L] = (a[L] - x) * 2 / (N D),  dz[L] = f'(z[L]) * da[L]
                                               bce:  dz[L] = (sigmoid(z[L]) - x) / (N D)
               and for l = L..1:               da[l-1], dW[l], db[l] = dense_backward(dz[l], a[l-1], W[l])
                                               dz[l-1] = f'(z[l-1]) * da[l-1]

f is the layer's activation. Its backward in layers.py computes f'(z) from a = f(z), which is available.

All parameters are in one vector, and `Parameters` are views of it as matrices: so an optimiser updates everything at
once. The arrays z, a, dz, da and the gradients are made in workspace.py; every function here writes into them (`out=`).
"""

import math
from dataclasses import dataclass

from aelearn.autoencoder.layers import ACTIVATIONS, dense, dense_backward
from aelearn.autoencoder.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    mean_squared_error,
    mean_squared_error_gradient,
)
from aelearn.autoencoder.workspace import Workspace
from aelearn.kernels.arguments import check_step

LOSSES = ("mse", "bce")


@dataclass(frozen=True)
class Architecture:
    """What the network computes, apart from its parameters.

    widths             units of each layer from the images through the code and back
    activation         of all hidden layers
    output_activation  of the last layer
    loss               "mse" or "bce"; "bce" needs the sigmoid as output activation
    code_activation    of the code; None: as the other hidden layers
    """

    widths: tuple
    activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    loss: str = "mse"
    code_activation: str = None

    @property
    def n_layers(self):
        """L, the number of dense layers."""
        return len(self.widths) - 1

    @property
    def code_layer(self):
        """The number of the layer whose activations are the codes: half of them are in front of it."""
        return self.n_layers // 2

    @property
    def n_parameters(self):
        """The length of the parameter vector."""
        return sum(n_in * n_out + n_out for n_in, n_out in zip(self.widths, self.widths[1:]))

    def parameters(self, vector):
        """A vector of all parameters, or of the derivatives with respect to them, as a dict of matrices and vectors."""
        return Parameters(vector, self.widths)

    def activation_of(self, layer):
        """The name of the activation of layer 1..L."""
        if layer == self.n_layers:
            return self.output_activation
        if layer == self.code_layer and self.code_activation is not None:
            return self.code_activation
        return self.activation


def autoencoder_widths(n_features, hidden_layer_sizes):
    """(784, 128, 3, 128, 784) from 784 and (128, 3): the decoder mirrors the encoder."""
    hidden = tuple(hidden_layer_sizes)
    return (n_features, *hidden, *hidden[-2::-1], n_features)


class Parameters(dict):
    """{"W1": (D, H), "b1": (H,), ...}: views of `vector`, which has all parameters in the order of the layers."""

    def __init__(self, vector, widths):
        self.vector, start = vector, 0
        for layer, (n_in, n_out) in enumerate(zip(widths, widths[1:]), 1):
            for name, shape in (("W", (n_in, n_out)), ("b", (n_out,))):
                stop = start + math.prod(shape)
                self[f"{name}{layer}"] = vector[start:stop].reshape(shape)
                start = stop


def forward(params, x, architecture, work, *, first=1, last=None):
    """Run x through layers `first` to `last` (all by default); returns the last activation, an array of `work`.

    x is (N, width in front of layer `first`). The encoder is the first half of the layers, the decoder the second.
    """
    last = last or architecture.n_layers
    z, a, _, _ = work.rows(len(x))
    a[first - 1] = x
    for layer in range(first, last + 1):
        W, b = params[f"W{layer}"], params[f"b{layer}"]
        f, _ = ACTIVATIONS[architecture.activation_of(layer)]
        z[layer] = dense(a[layer - 1], W, b, out=z[layer])  # (N, width of layer)
        a[layer] = f(z[layer], out=a[layer])  # (N, width of layer)
    return a[last]


def output_loss(x, architecture, work):
    """The loss on x (N, D), a float, after `forward` has filled `work`."""
    z, a, _, _ = work.rows(len(x))
    if architecture.loss == "bce":
        return binary_cross_entropy(z[-1], x)
    return mean_squared_error(a[-1], x)


def backward(params, x, architecture, work, *, code_gradient=None, reconstruction=True):
    """Fill `work.grads`, from the last layer to the first, after `forward` has filled `work`. Changes no parameter.

    code_gradient   (N, C), the derivative of another loss of the codes with respect to them, or None. The gradients are
                    then those of the sum of both losses: da of the code is the sum of both derivatives
    reconstruction  False: the reconstruction does not count, only the other loss. `forward` may stop at the code, and
                    the gradients of the decoder are 0
    """
    last, code = architecture.n_layers, architecture.code_layer
    z, a, dz, da = work.rows(len(x))
    a[0] = x
    if not reconstruction:
        work.clear_decoder()
        last = code
        _, f_backward = ACTIVATIONS[architecture.activation_of(code)]
        dz[code] = f_backward(code_gradient, a[code], out=dz[code])  # (N, C)
    elif architecture.loss == "bce":
        dz[last] = binary_cross_entropy_gradient(z[last], x, out=dz[last])  # (N, D)
    else:
        da[last] = mean_squared_error_gradient(a[last], x, out=da[last])  # (N, D)
        _, f_backward = ACTIVATIONS[architecture.output_activation]
        dz[last] = f_backward(da[last], a[last], out=dz[last])  # (N, D)
    for layer in range(last, 0, -1):
        below = layer - 1
        W, dW, db = params[f"W{layer}"], work.grads[f"W{layer}"], work.grads[f"b{layer}"]
        da[below], dW, db = dense_backward(dz[layer], a[below], W, input_gradient=below > 0,
                                           dx=da[below], dW=dW, db=db)  # da (N, width below); dW, db like W, b
        if below == code and code_gradient is not None:
            da[below] += code_gradient  # (N, C)
        if below > 0:
            _, f_backward = ACTIVATIONS[architecture.activation_of(below)]
            dz[below] = f_backward(da[below], a[below], out=dz[below])  # (N, width below)


def loss_and_gradients(params, x, architecture, work=None):
    """The loss on x (N, D) and its derivative with respect to every parameter, by backpropagation.

    Returns the loss (a float) and a dict like `params`: "W1", "b1", ... They are arrays of `work` if it is given.
    Raises TypeError and ValueError for arrays that do not fit: see kernels.arguments.check_step.
    """
    x = check_step(params, x, architecture, work)
    work = work or Workspace(architecture, len(x), x.dtype)
    forward(params, x, architecture, work)
    backward(params, x, architecture, work)
    return output_loss(x, architecture, work), work.grads
