"""Every layer's backward against finite differences, with a random upstream gradient U; and what `out` promises."""

import numpy as np
import pytest

from aelearn import check_gradients
from aelearn.autoencoder.layers import ACTIVATIONS, INITIALIZERS, dense, dense_backward, sigmoid

pytestmark = pytest.mark.linear_algebra


@pytest.mark.parametrize("n, d, h", [(1, 1, 1), (5, 4, 3), (7, 3, 8), (1, 6, 2), (33, 2, 5)])
def test_dense_backward(rng, n, d, h):
    params = {"x": rng.normal(size=(n, d)), "W": rng.normal(size=(d, h)), "b": rng.normal(size=h)}
    U = rng.normal(size=(n, h))
    dx, dW, db = dense_backward(U, params["x"], params["W"])
    report = check_gradients(lambda p: np.sum(U * dense(p["x"], p["W"], p["b"])), params,
                             {"x": dx, "W": dW, "b": db})
    assert report.relative_error < 1e-6


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_backward(rng, name):
    forward, backward = ACTIVATIONS[name]
    z = rng.normal(size=(6, 5)) * 2
    z += np.copysign(0.01, z)  # away from the kink of ReLU
    U = rng.normal(size=z.shape)
    report = check_gradients(lambda p: np.sum(U * forward(p["z"])), {"z": z}, {"z": backward(U, forward(z))})
    assert report.relative_error < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backward_changes_nothing_and_out_is_used(rng, name, dtype):
    forward, backward = ACTIVATIONS[name]
    z, da = rng.normal(size=(4, 3)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    a, dz = forward(z), backward(da, forward(z))
    z.flags.writeable = da.flags.writeable = a.flags.writeable = False
    assert a.dtype == dz.dtype == dtype
    out = np.empty_like(z)
    assert forward(z, out=out) is out and np.array_equal(out, a)
    assert backward(da, a, out=out) is out and np.array_equal(out, dz)


def test_dense_writes_into_what_it_is_given(rng):
    x, W, b, dz = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(5, 3))
    for array in (x, W, b, dz):
        array.flags.writeable = False
    z, dx, dW, db = np.empty((5, 3)), np.empty((5, 4)), np.empty((4, 3)), np.empty(3)
    assert dense(x, W, b, out=z) is z
    np.testing.assert_allclose(z, x @ W + b)
    got = dense_backward(dz, x, W, dx=dx, dW=dW, db=db)
    assert got[0] is dx and got[1] is dW and got[2] is db
    assert dense_backward(dz, x, W, input_gradient=False)[0] is None


def test_sigmoid_neither_overflows_nor_loses_its_meaning():
    z = np.array([-1e30, -800.0, -20.0, -1.0, 0.0, 1.0, 20.0, 800.0, 1e30])
    for dtype in (np.float32, np.float64):
        with np.errstate(all="raise"):
            a = sigmoid(z.astype(dtype))
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(a, 1 / (1 + np.exp(-z)), atol=2e-7 if dtype == np.float32 else 2e-16)


def test_truncated_normal_and_glorot(rng):
    W, b = np.empty((300, 200)), np.empty(200)
    INITIALIZERS["truncated_normal"](rng, W, b)
    deviation = np.sqrt(2 / 300)
    assert np.abs(W).max() <= 2 * deviation and (b == 0.1).all()
    assert W.std() == pytest.approx(0.8796 * deviation, rel=0.02)  # of a normal cut off at two deviations
    INITIALIZERS["glorot"](rng, W, b)
    assert np.abs(W).max() <= np.sqrt(6 / 500) and (b == 0).all()
    assert W.std() == pytest.approx(np.sqrt(2 / 500), rel=0.02)
