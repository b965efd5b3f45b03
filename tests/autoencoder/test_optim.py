"""Each optimiser against its equations, written again in the plainest way, and against what it promises."""

import numpy as np
import pytest

from aelearn.autoencoder.optim import OPTIMIZERS, SGD, Adam, Momentum, adam_step

RATE = 0.01


def plain_sgd(p, gradients):
    for g in gradients:
        p = p - RATE * g
    return p


def plain_momentum(p, gradients):
    velocity = 0
    for g in gradients:
        velocity = 0.9 * velocity + g
        p = p - RATE * velocity
    return p


def plain_adam(p, gradients):
    m = v = 0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("optimizer, plain", [(SGD, plain_sgd), (Momentum, plain_momentum), (Adam, plain_adam)])
def test_update_is_its_equation(rng, optimizer, plain, dtype, rtol):
    start, gradients = rng.normal(size=37), rng.normal(size=(20, 37))
    params = start.astype(dtype)
    walker = optimizer(params, RATE)
    for g in gradients.astype(dtype):
        kept = g.copy()
        assert walker.update(params, g) is None
        assert np.array_equal(g, kept), "update changed the gradients"
    assert params.dtype == dtype
    np.testing.assert_allclose(params, plain(start, gradients), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_is_all_that_is_remembered(rng, name):
    gradients = rng.normal(size=(10, 8))
    through, stopped = np.ones(8), np.ones(8)
    first, walker = OPTIMIZERS[name](through, RATE), OPTIMIZERS[name](stopped, RATE)
    for g in gradients:
        first.update(through, g)
    for g in gradients[:4]:
        walker.update(stopped, g)
    successor = OPTIMIZERS[name](stopped, RATE)
    for key, array in successor.state().items():
        array[...] = walker.state()[key]
    for g in gradients[4:]:
        successor.update(stopped, g)
    assert np.array_equal(through, stopped)


def test_first_step_of_adam_has_the_size_of_the_learning_rate(rng):
    params, g = np.zeros(9), rng.normal(size=9) * 10.0 ** np.arange(-4, 5)
    adam_step(params, g, np.zeros(9), np.zeros(9), 1, learning_rate=RATE, beta1=0.9, beta2=0.999, epsilon=1e-12)
    np.testing.assert_allclose(params, -RATE * np.sign(g), rtol=1e-6)
