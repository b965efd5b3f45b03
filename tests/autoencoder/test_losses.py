"""Both losses against their definitions, their gradients against finite differences."""

import numpy as np
import pytest

from aelearn import check_gradients
from aelearn.autoencoder.layers import sigmoid, sigmoid_backward
from aelearn.autoencoder.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    mean_squared_error,
    mean_squared_error_gradient,
)


def test_mean_squared_error_by_hand():
    assert mean_squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]])) == 2.5


def test_binary_cross_entropy_by_definition(rng):
    z, x = rng.normal(size=(5, 4)), rng.random((5, 4))
    a = sigmoid(z)
    assert binary_cross_entropy(z, x) == pytest.approx(np.mean(-x * np.log(a) - (1 - x) * np.log(1 - a)), rel=1e-14)


@pytest.mark.parametrize("loss, gradient", [(mean_squared_error, mean_squared_error_gradient),
                                            (binary_cross_entropy, binary_cross_entropy_gradient)])
@pytest.mark.parametrize("shape", [(1, 1), (4, 3), (2, 9)])
def test_gradients(rng, loss, gradient, shape):
    y, x = rng.normal(size=shape), rng.random(shape)
    assert check_gradients(lambda p: loss(p["y"], x), {"y": y}, {"y": gradient(y, x)}).relative_error < 1e-6
    out = np.empty(shape)
    assert gradient(y, x, out=out) is out
    assert gradient(y.astype(np.float32), x.astype(np.float32)).dtype == np.float32


def test_binary_cross_entropy_is_stable_where_the_textbook_is_not():
    z, x = np.array([[-1000.0, 1000.0, -1000.0, 1000.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    with np.errstate(all="raise", under="ignore"):
        assert binary_cross_entropy(z, x) == 500
        np.testing.assert_allclose(binary_cross_entropy_gradient(z, x), [[0, 0, -0.25, 0.25]])


def test_delta_is_the_plain_difference(rng):
    """Through the sigmoid's own backward, from the derivative by a, comes the same delta."""
    z, x = rng.normal(size=(3, 2)), rng.random((3, 2))
    a = sigmoid(z)
    da = (a - x) / (a * (1 - a)) / x.size
    np.testing.assert_allclose(sigmoid_backward(da, a), binary_cross_entropy_gradient(z, x), rtol=1e-12)


def test_sums_are_carried_in_float64():
    """Ten million float32 errors of 0.1: a float32 sum would drift in the third digit."""
    a = np.full((10_000, 1_000), 0.1, np.float32)
    assert mean_squared_error(a, np.zeros_like(a)) == pytest.approx(float(np.float32(0.1)) ** 2, rel=1e-12)
