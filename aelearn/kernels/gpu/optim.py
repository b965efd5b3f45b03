"""The optimisers on the GPU: one pass over all parameters, a thread for each entry.

Equations and names as in aelearn/optim.py. Vectors are NumPy's or lie on the device; NumPy's are uploaded for the call,
and what changes is copied back.
"""

import math

from numba import cuda

from aelearn.kernels.arguments import check_vectors
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.sums import THREADS, n_blocks, thread_number


def sgd_step(params, grads, *, learning_rate, scratch=None):
    """One step downhill, in place on params: aelearn.autoencoder.optim.sgd_step. `scratch` is not needed."""
    _update(_sgd, (params,), grads, learning_rate)


def momentum_step(params, grads, velocity, *, learning_rate, momentum, scratch=None):
    """One step of the rolling ball, in place on params and velocity: aelearn.autoencoder.optim.momentum_step."""
    _update(_momentum, (params, velocity), grads, learning_rate, momentum)


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v: aelearn.autoencoder.optim.adam_step in one pass.

    Each is a vector of all parameters' entries, NumPy's or on the device. `scratch` is not needed.
    """
    _update(_adam, (params, m, v), grads, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 1 / math.sqrt(1 - beta2**t),
            learning_rate / (1 - beta1**t))


def _update(kernel, changed, grads, *numbers):
    """Run an optimiser's kernel on vectors; what it changes is copied back to those that are NumPy's."""
    if all(device.is_host(array) for array in (*changed, grads)):
        check_vectors(changed, grads)
    there = [device.on_device(array) for array in changed]
    numbers = [grads.dtype.type(number) for number in numbers]  # Python's floats would be float64 on the device
    device.launch(kernel, n_blocks(grads.size), THREADS, *there, device.on_device(grads), *numbers)
    for array, twin in zip(changed, there):
        if device.is_host(array):
            array[...] = device.download(twin)


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
def _adam(params, m, v, grads, beta1, rest1, beta2, rest2, epsilon, to_v_hat, step):
    """One entry of Adam for each thread: rest1 = 1 - beta1, rest2 = 1 - beta2, sqrt(v_hat) = sqrt(v) * to_v_hat."""
    i = thread_number()
    if i < params.size:
        g = grads[i]
        m[i] = beta1 * m[i] + rest1 * g
        v[i] = beta2 * v[i] + rest2 * g * g
        params[i] -= step * m[i] / (math.sqrt(v[i]) * to_v_hat + epsilon)
