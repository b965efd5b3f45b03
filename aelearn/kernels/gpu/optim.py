"""The optimisers on the GPU: one pass over all parameters, a thread for each entry.

Worth reading. Counterparts: autoencoder/optim.py (NumPy, with the equations), kernels/cpu/optim.py.

Shapes: P parameters. Vectors are NumPy's or on the device; NumPy's are copied to the device for the call, and those
that change are copied back.
"""

import math

from numba import cuda

from aelearn.kernels.arguments import check_vectors
from aelearn.kernels.common import adam_numbers
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.sums import THREADS, n_blocks, thread_number


def sgd_step(params, grads, *, learning_rate, scratch=None):
    """One step of gradient descent, in place on params: aelearn.autoencoder.optim.sgd_step. `scratch` is not used."""
    _update(_sgd, (params,), grads, grads.dtype.type(learning_rate))


def momentum_step(params, grads, velocity, *, learning_rate, momentum, scratch=None):
    """One step with momentum, in place on params and velocity: aelearn.autoencoder.optim.momentum_step."""
    number = grads.dtype.type  # Python's floats would be float64 on the device
    _update(_momentum, (params, velocity), grads, number(learning_rate), number(momentum))


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v: aelearn.autoencoder.optim.adam_step in one pass.

    All are vectors (P,), NumPy's or on the device. `scratch` is not used.
    """
    _update(_adam, (params, m, v), grads, adam_numbers(grads.dtype, t, learning_rate, beta1, beta2, epsilon))


def _update(kernel, changed, grads, *numbers):
    """Run an optimiser's kernel on vectors (P,); what it changes is copied back to those that are NumPy's."""
    if all(device.is_host(array) for array in (*changed, grads)):
        check_vectors(changed, grads)
    there = [device.on_device(array) for array in changed]
    device.launch(kernel, n_blocks(grads.size), THREADS, *there, device.on_device(grads), *numbers)
    for array, on_device in zip(changed, there):
        if device.is_host(array):
            array[...] = device.download(on_device)


@cuda.jit
def _sgd(params, grads, learning_rate):
    """params -= learning_rate * grads, a thread for each entry."""
    i = thread_number()
    if i < params.size:
        params[i] -= learning_rate * grads[i]


@cuda.jit
def _momentum(params, velocity, grads, learning_rate, momentum):
    """The step of aelearn.autoencoder.optim.Momentum, a thread for each entry."""
    i = thread_number()
    if i < params.size:
        velocity[i] = momentum * velocity[i] + grads[i]
        params[i] -= learning_rate * velocity[i]


@cuda.jit
def _adam(params, m, v, grads, numbers):
    """The step of aelearn.autoencoder.optim.Adam, with common.AdamNumbers, a thread for each entry."""
    i, n = thread_number(), numbers
    if i < params.size:
        g = grads[i]
        m[i] = n.beta1 * m[i] + n.one_minus_beta1 * g
        v[i] = n.beta2 * v[i] + n.one_minus_beta2 * g * g
        params[i] -= n.step * m[i] / (math.sqrt(v[i]) * n.to_v_hat + n.epsilon)


STEPS = {"sgd": sgd_step, "momentum": momentum_step, "adam": adam_step}  # by the optimiser's name
