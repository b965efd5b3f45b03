"""The arithmetic of the network on every back end, beyond its gradients (for those: test_selfcheck.py)."""

import numpy as np
import pytest

from aelearn import check_gradients
from aelearn.autoencoder.evaluation import mean_loss, network_functions
from aelearn.autoencoder.network import Architecture, autoencoder_widths

pytestmark = pytest.mark.linear_algebra


@pytest.fixture(params=["numpy", "numba"])
def functions(request):
    """forward, backward and the rest, of one back end after the other."""
    return network_functions(request.param)


def random_network(rng, widths, dtype=np.float64, **settings):
    architecture = Architecture(widths, **settings)
    vector = rng.normal(size=architecture.n_parameters).astype(dtype)
    return architecture, architecture.parameters(vector), vector


def test_widths_and_the_number_of_parameters():
    widths = autoencoder_widths(784, (128, 3))
    assert widths == (784, 128, 3, 128, 784)
    assert Architecture(widths).n_parameters == 202_515
    assert autoencoder_widths(6, (2,)) == (6, 2, 6)


def test_views_cover_the_vector_once(rng):
    _, params, vector = random_network(rng, (4, 3, 2, 3, 4))
    assert [(name, view.shape) for name, view in params.items()][:3] == [("W1", (4, 3)), ("b1", (3,)), ("W2", (3, 2))]
    before = vector.copy()
    for view in params.values():
        view += 1
    np.testing.assert_allclose(vector, before + 1)


def test_forward_by_hand(functions, rng):
    architecture, params, _ = random_network(rng, (3, 2, 3), activation="tanh", output_activation="identity")
    x = rng.normal(size=(5, 3))
    work = functions.Workspace(architecture, 5, np.float64)
    code = np.tanh(x @ params["W1"] + params["b1"])
    np.testing.assert_allclose(functions.forward(params, x, architecture, work), code @ params["W2"] + params["b2"])
    np.testing.assert_allclose(functions.forward(params, x, architecture, work, last=1), code)
    np.testing.assert_allclose(functions.forward(params, code.copy(), architecture, work, first=2),
                               code @ params["W2"] + params["b2"])


def test_the_code_may_have_an_activation_of_its_own(functions, rng):
    architecture, params, _ = random_network(rng, (3, 4, 2, 4, 3), activation="relu", output_activation="identity",
                                             code_activation="tanh")
    assert [architecture.activation_of(layer) for layer in (1, 2, 3, 4)] == ["relu", "tanh", "relu", "identity"]
    x = rng.normal(size=(5, 3))
    work = functions.Workspace(architecture, 5, np.float64)
    hidden = np.maximum(x @ params["W1"] + params["b1"], 0)
    code = np.tanh(hidden @ params["W2"] + params["b2"])
    np.testing.assert_allclose(functions.forward(params, x, architecture, work, last=2), code)
    outputs = np.maximum(code @ params["W3"] + params["b3"], 0) @ params["W4"] + params["b4"]
    np.testing.assert_allclose(functions.forward(params, x, architecture, work), outputs)


@pytest.mark.parametrize("code_activation", ["identity", "tanh"])
@pytest.mark.parametrize("reconstruction", [True, False])
@pytest.mark.parametrize("widths", [(3, 2, 3), (4, 5, 2, 5, 4)])
def test_another_loss_of_the_codes(functions, rng, widths, reconstruction, code_activation):
    """The mean squared error, or nothing, plus sum(U * codes): the derivative of the latter by the codes is U."""
    architecture, params, _ = random_network(rng, widths, activation="sigmoid", output_activation="identity",
                                             code_activation=code_activation)
    x, U, code = rng.random((6, widths[0])), rng.normal(size=(6, 2)), len(widths) // 2
    work, other = (functions.Workspace(architecture, 8, np.float64) for _ in range(2))
    work.gradient[...] = 7.0  # of an earlier step
    functions.forward(params, x, architecture, work, last=None if reconstruction else code)
    functions.backward(params, x, architecture, work, code_gradient=U, reconstruction=reconstruction)

    def loss(changed):
        functions.forward(changed, x, architecture, other)
        others = np.sum(U * other.a[code][:6])
        return others + functions.output_loss(x, architecture, other) if reconstruction else others

    assert check_gradients(loss, params, work.grads).relative_error < 1e-6


@pytest.mark.parametrize("loss", ["mse", "bce"])
@pytest.mark.parametrize("dtype, rtol", [(np.float32, 1e-4), (np.float64, 1e-12)])
def test_a_batch_is_the_mean_of_its_rows(functions, rng, loss, dtype, rtol):
    architecture, params, _ = random_network(rng, (6, 4, 2, 4, 6), dtype, loss=loss)
    x = rng.random((7, 6)).astype(dtype)
    value, grads = functions.loss_and_gradients(params, x, architecture)
    rows = [functions.loss_and_gradients(params, x[i:i + 1], architecture) for i in range(7)]
    assert value == pytest.approx(np.mean([row[0] for row in rows]), rel=rtol)
    for name, gradient in grads.items():
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, np.mean([row[1][name] for row in rows], axis=0), rtol=rtol, atol=rtol / 10)


def test_nothing_but_the_workspace_is_changed_and_a_small_batch_fits(functions, rng):
    architecture, params, vector = random_network(rng, (6, 4, 2, 4, 6))
    x = rng.random((3, 6))
    vector.flags.writeable = x.flags.writeable = False
    work = functions.Workspace(architecture, 8, np.float64)
    value, grads = functions.loss_and_gradients(params, x, architecture, work)
    expected_value, expected = functions.loss_and_gradients(params, x, architecture)
    assert value == expected_value and np.shares_memory(grads["W1"], work.gradient)
    assert all(np.array_equal(grads[name], expected[name]) for name in expected)
    assert mean_loss(functions, params, x, architecture) == pytest.approx(value)


def test_a_step_allocates_next_to_nothing(functions, rng):
    import tracemalloc

    import numba

    from aelearn.kernels.cpu.matmul import BLOCK_DEPTH, TILE_ROWS
    from aelearn.kernels.cpu.vectors import REGISTER_BYTES

    architecture, params, _ = random_network(rng, (784, 128, 3, 128, 784), np.float32)
    work, x = functions.Workspace(architecture, 480, np.float32), rng.random((480, 784)).astype(np.float32)
    functions.forward(params, x, architecture, work), functions.backward(params, x, architecture, work)
    tracemalloc.start()
    functions.forward(params, x, architecture, work), functions.backward(params, x, architecture, work)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # NumPy's own buffer of 8,192 numbers; or, of each thread, a panel of b, and the rows and sums of a tile at an edge
    panel = BLOCK_DEPTH * 2 * REGISTER_BYTES
    edge = TILE_ROWS * (4 * BLOCK_DEPTH + 2 * REGISTER_BYTES)
    n_threads = numba.get_num_threads()
    compiled = n_threads * (panel + edge + 2_000)
    assert peak < (40_000 if functions.__name__ == "aelearn.autoencoder.network" else compiled)


def test_mean_loss_weights_the_last_block_by_its_rows(functions, rng):
    architecture, params, _ = random_network(rng, (5, 2, 5))
    x = rng.random((300, 5))  # a block of 256 and one of 44
    whole, _ = functions.loss_and_gradients(params, x, architecture)
    assert mean_loss(functions, params, x, architecture) == pytest.approx(whole)
