"""The training step on the GPU against its NumPy twin."""

import numpy as np
import pytest

from aelearn.autoencoder import network, optim
from aelearn.autoencoder.network import Architecture
from aelearn.kernels import gpu
from aelearn.kernels.gpu import device, network as kernels
from aelearn.kernels.gpu.losses import total_loss
from aelearn.kernels.gpu.matmul import SIDE, n_tiles
from aelearn.kernels.gpu.network import row_losses, take
from aelearn.kernels.gpu.sums import THREADS, n_blocks
from aelearn.kernels.gpu.workspace import Workspace

pytestmark = pytest.mark.gpu
CASES = [  # activation, output activation, loss, and the code's activation if it has its own
    ("sigmoid", "sigmoid", "mse"), ("tanh", "sigmoid", "bce"), ("relu", "identity", "mse"), ("identity", "tanh", "mse"),
    ("sigmoid", "relu", "mse"), ("relu", "sigmoid", "bce"),
    ("relu", "identity", "mse", "identity"), ("sigmoid", "sigmoid", "bce", "tanh"),
]
SHAPES = [(1, (1, 1, 1)), (15, (17, 33, 1, 33, 17)), (33, (16, 2, 16)), (17, (33, 15, 33))]  # rows, widths


def a_network(rng, n, widths, case, dtype):
    architecture = Architecture(widths, *case)
    params = architecture.parameters(rng.normal(size=architecture.n_parameters).astype(dtype) / 2)
    return architecture, params, rng.random((n, widths[0])).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("n, widths", SHAPES[1:2] + SHAPES[:1])
def test_loss_and_gradients_are_the_twins(rng, n, widths, case, dtype):
    compare(*a_network(rng, n, widths, case, dtype), dtype)


@pytest.mark.parametrize("reconstruction", [True, False])
def test_another_loss_of_the_codes(rng, reconstruction):
    architecture, params, x = a_network(rng, 15, (9, 7, 3, 7, 9), ("relu", "identity", "mse", "tanh"), np.float64)
    U, grads = rng.normal(size=(15, 3)), []
    for functions in (kernels, network):
        work = (Workspace if functions is kernels else network.Workspace)(architecture, 15, np.float64)
        functions.forward(params, x, architecture, work, last=None if reconstruction else 2)
        functions.backward(params, x, architecture, work, code_gradient=U, reconstruction=reconstruction)
        grads.append(device.download(work.gradient) if functions is kernels else work.gradient)
    np.testing.assert_allclose(grads[0], grads[1], atol=1e-13)


@pytest.mark.parametrize("n, widths", SHAPES[2:])
def test_other_shapes(rng, n, widths):
    compare(*a_network(rng, n, widths, CASES[0], np.float64), np.float64)


def compare(architecture, params, x, dtype):
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    loss, grads = gpu.loss_and_gradients(params, x, architecture)
    wanted_loss, wanted = network.loss_and_gradients(params, x, architecture)
    assert loss == pytest.approx(wanted_loss, rel=10 * tolerance)
    size = max(np.abs(array).max() for array in wanted.values())
    for name, array in wanted.items():
        assert grads[name].dtype == dtype
        np.testing.assert_allclose(grads[name], array, rtol=0, atol=tolerance * size, err_msg=name)


def test_parts_of_the_network(rng):
    architecture, params, x = a_network(rng, 17, (15, 4, 2, 4, 15), CASES[0], np.float32)
    ours, twin = gpu.Workspace(architecture, 20, np.float32), network.Workspace(architecture, 20, np.float32)
    codes = gpu.forward(params, x, architecture, ours, last=2)
    wanted = network.forward(params, x, architecture, twin, last=2)
    np.testing.assert_allclose(codes, wanted, atol=1e-6)
    np.testing.assert_allclose(gpu.forward(params, codes, architecture, ours, first=3),
                               network.forward(params, wanted, architecture, twin, first=3), atol=1e-6)


def test_large_sums_of_losses_keep_their_digits(rng):
    """A million equal terms: one float32 sum would be off in its third digit, pairs are right to float32's last."""
    architecture, x = Architecture((300, 1, 300)), np.full((9, 300), 0.1, np.float32)
    work = Workspace(architecture, 9, np.float32)
    device.fill(work.a[-1], np.zeros((9, 300), np.float32))
    pairs = device.download(row_losses(x, architecture, work))
    np.testing.assert_allclose(pairs.sum(axis=1, dtype=np.float64), 300 * float(np.float32(0.1))**2, rtol=1e-7)
    many = np.zeros((3000, 2), np.float32)
    many[:, 0] = 0.1
    many[0, 0] = 1e6
    assert total_loss(device.upload(many)) == pytest.approx(1e6 + 2999 * float(np.float32(0.1)), rel=1e-12)


def test_activations_do_not_overflow():
    architecture = Architecture((2, 2, 2))
    params = architecture.parameters(np.zeros(architecture.n_parameters, np.float32))
    for loss in ("mse", "bce"):
        architecture = Architecture((2, 2, 2), loss=loss)
        params["b2"][...] = -1000, 1000
        x = np.array([[0, 1]], np.float32)
        loss_value, grads = gpu.loss_and_gradients(params, x, architecture)
        assert loss_value == 0 and np.isfinite(grads.vector).all()


def test_an_activation_that_the_kernels_do_not_have_is_refused(rng):
    for case in (("nonsense", "sigmoid", "mse"), ("sigmoid", "nonsense", "mse")):
        architecture, params, x = a_network(rng, 3, (4, 2, 4), case, np.float32)
        with pytest.raises(NotImplementedError, match="these kernels have no activation 'nonsense', only 'sigmoid'"):
            gpu.loss_and_gradients(params, x, architecture)
        with pytest.raises(NotImplementedError, match="nonsense"):
            gpu.backward(params, x, architecture, Workspace(architecture, 3, np.float32))


def test_a_number_that_stands_for_no_activation_gives_no_numbers(rng):
    """Not the identity: neither forward nor backward."""
    z, bias, out = (device.upload(rng.normal(size=shape).astype(np.float32)) for shape in ((5, 5), 5, (5, 5)))
    for kernel, grid, block, arguments in (
            (kernels._dense, n_tiles(z), (SIDE, SIDE), (z, z, bias, 99, z[:0], out)),
            (kernels._delta_below, n_tiles(z), (SIDE, SIDE), (z, z, z, 99, out)),
            (kernels._output_delta, n_blocks(25), THREADS, (z, z, 99, np.float32(1), out))):
        device.fill(out, np.zeros((5, 5), np.float32))
        device.launch(kernel, grid, block, *arguments)
        assert np.isnan(device.download(out)).all()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_is_not_hidden(rng):
    for case in (("relu", "identity", "mse"), CASES[0]):
        architecture, params, x = a_network(rng, 5, (6, 3, 6), case, np.float32)
        params["W1"][2, 1] = np.nan
        value, grads = gpu.loss_and_gradients(params, x, architecture)
        assert np.isnan(grads["W2"]).any() and not np.isfinite(value)
    pairs = device.upload(np.ones((3, 2), np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        vector = np.ones(300, np.float32)
        vector[200] = bad
        assert np.isnan(total_loss(pairs, device.upload(vector)))
    assert total_loss(pairs, device.upload(np.ones(300, np.float32))) == 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, n_memories, settings", [
    ("sgd_step", 0, {}), ("momentum_step", 1, {"momentum": 0.9}),
    ("adam_step", 2, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8})])
def test_optimizers_are_their_twins(rng, name, n_memories, settings, dtype):
    own = [np.abs(rng.normal(size=301)).astype(dtype) for _ in range(1 + n_memories)]
    twin = [array.copy() for array in own]
    there = [device.upload(array) for array in own]
    for t in range(1, 3):
        grads, more = rng.normal(size=301).astype(dtype), (t,) if name == "adam_step" else ()
        for step, (params, *memory), g in ((getattr(gpu, name), own, grads), (getattr(optim, name), twin, grads),
                                           (getattr(gpu, name), there, device.upload(grads))):
            step(params, g, *memory, *more, learning_rate=3e-3, **settings)
    for ours, theirs, on_device in zip(own, twin, there):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-7)
        assert ours.dtype == dtype and np.array_equal(ours, device.download(on_device))


def test_take(rng):
    X, order, x = rng.random((40, 7)), rng.permutation(40), device.empty((9, 7), np.float64)
    take(device.upload(X), device.upload(order), 4, x)
    assert np.array_equal(device.download(x), X[order[4:13]])
