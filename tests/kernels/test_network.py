"""The compiled training step against its NumPy twin (tests/autoencoder/test_network.py: properties of both)."""

import numpy as np
import pytest

from aelearn.autoencoder import network, optim
from aelearn.autoencoder.network import Architecture
from aelearn.kernels import get
from aelearn.kernels.cpu import network as compiled
from tests.kernels.threads import outputs, run
from tests.small import affordable

functions = get("numba")
NETWORKS = [(1, 1, 1), (5, 1, 5), (33, 9, 33), (31, 17, 2, 17, 31), (784, 128, 3, 128, 784), (300, 260, 300)]


def tolerance(dtype):
    return 2e-5 if dtype == np.float32 else 1e-11


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, widths", affordable([(n, widths) for n in (1, 7, 48) for widths in NETWORKS],
                                                 lambda n, widths: n * sum(widths) ** 2 // 4))
@pytest.mark.parametrize("activation, output, loss, code", [
    ("sigmoid", "sigmoid", "mse", None), ("tanh", "identity", "mse", None), ("relu", "sigmoid", "bce", None),
    ("identity", "tanh", "mse", None), ("relu", "identity", "mse", "identity")])
def test_loss_and_gradients_equal_the_twins(rng, n, widths, dtype, activation, output, loss, code):
    architecture = Architecture(widths, activation, output, loss, code)
    params = architecture.parameters(rng.normal(0, 0.3, architecture.n_parameters).astype(dtype))
    x = rng.random((n, widths[0])).astype(dtype)
    value, grads = functions.loss_and_gradients(params, x, architecture)
    expected, expected_grads = network.loss_and_gradients(params, x, architecture)
    assert value == pytest.approx(expected, rel=tolerance(dtype))
    for name, gradient in expected_grads.items():
        scale = np.abs(gradient).max() + 1e-12
        np.testing.assert_allclose(grads[name] / scale, gradient / scale, rtol=0, atol=5 * tolerance(dtype))


def test_any_input_that_holds_the_numbers_will_do(rng):
    """Read-only, strided and Fortran-ordered images, and parameters that are pieces of no vector."""
    architecture = Architecture((12, 5, 12))
    params = architecture.parameters(rng.normal(size=architecture.n_parameters))
    wide = rng.random((20, 24))
    x = wide[::2, ::2]
    value, grads = functions.loss_and_gradients(params, x.copy(), architecture)
    read_only = x.copy()
    read_only.flags.writeable = False
    apart = {name: np.asfortranarray(array) for name, array in params.items()}
    for images, parameters in ((x, params), (np.asfortranarray(x), params), (read_only, params), (x, apart)):
        other, other_grads = functions.loss_and_gradients(parameters, images, architecture)
        assert other == value and all(np.array_equal(grads[name], other_grads[name]) for name in grads)


@pytest.mark.parametrize("z", [-1e30, -200.0, -41.0, 0.0, 41.0, 200.0, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_saturates_without_overflow(z, dtype):
    architecture = Architecture((1, 1, 1))
    params = architecture.parameters(np.array([1, 0, 1, 0], dtype))
    work = functions.Workspace(architecture, 1, dtype)
    a = functions.forward(params, np.array([[z]], dtype), architecture, work, last=1)
    assert a[0, 0] == pytest.approx((np.sign(z) + 1) / 2, abs=1e-12)


def test_the_fast_sigmoid_is_as_exact_as_its_docstring_says():
    architecture = Architecture((1, 1, 1))
    params = architecture.parameters(np.array([1, 0, 1, 0], np.float32))
    z = np.linspace(-40, 40, 20_001, dtype=np.float32)[:, None]
    a = functions.forward(params, z, architecture, functions.Workspace(architecture, len(z), np.float32), last=1)
    exact = 1 / (1 + np.exp(-z.astype(np.float64)))
    assert np.abs(a / exact - 1).max() < 1.7e-7  # 1.1e-7 of the series and 0.6e-7 of rounding to float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_equals_its_twin(rng, dtype):
    settings = {"learning_rate": 3e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    params, m, v = rng.normal(size=(3, 10_001)).astype(dtype)
    own = [params.copy(), m.copy(), np.abs(v)]
    twin = [params.copy(), m.copy(), np.abs(v)]
    for t in range(1, 4):
        grads = rng.normal(size=10_001).astype(dtype)
        functions.adam_step(own[0], grads, *own[1:], t, **settings)
        optim.adam_step(twin[0], grads, *twin[1:], t, **settings)
    for ours, theirs in zip(own, twin):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-6)


def test_nan_is_not_hidden(rng):
    """Training looks for it after each epoch."""
    architecture = Architecture((6, 3, 6))
    params = architecture.parameters(rng.normal(size=architecture.n_parameters).astype(np.float32))
    params["W1"][2, 1] = np.nan
    value, grads = functions.loss_and_gradients(params, rng.random((5, 6)).astype(np.float32), architecture)
    assert np.isnan(grads["W2"]).any() and not np.isfinite(value)


@pytest.mark.parametrize("settings", [{"activation": "nonsense"}, {"output_activation": "nonsense"}])
def test_an_activation_that_the_kernels_do_not_have_is_refused(rng, settings):
    architecture = Architecture((6, 3, 6), **settings)
    params = architecture.parameters(rng.normal(size=architecture.n_parameters))
    with pytest.raises(NotImplementedError, match="these kernels have no activation 'nonsense', only 'sigmoid'"):
        functions.loss_and_gradients(params, rng.random((5, 6)), architecture)
    work = functions.Workspace(architecture, 5, np.float64)
    for a in work.a:
        a.fill(0.5)  # whatever was in memory may overflow
    with pytest.raises(NotImplementedError, match="nonsense"):
        functions.backward(params, rng.random((5, 6)), architecture, work)


def test_a_number_that_stands_for_no_activation_gives_no_numbers(rng):
    """Not the identity: neither forward nor backward."""
    z, a = rng.normal(size=(2, 5, 5))
    compiled._dense(z, np.eye(5), np.zeros(5), 99, z[:0], a)
    assert np.isnan(a).all()
    for kernel, arguments in ((compiled._output_delta, (z, z, 99, 1.0)), (compiled._delta_below, (z, z, z, 99))):
        dz = np.zeros((5, 5))
        kernel(*arguments, dz)
        assert np.isnan(dz).all()


TRAINING = """
import hashlib
from aelearn import Autoencoder, load_mnist
images = load_mnist("test", digits=(0, 1))[0][:500]
model = Autoencoder(epochs=2, random_state=0, backend="numba").fit(images)
print(hashlib.sha256(model._training.vector).hexdigest(), model.history_[-1]["loss"], model.score(images))
"""


def test_training_gives_the_same_bits_on_any_number_of_threads():
    assert len(set(outputs(TRAINING, (1, 2, 4)))) == 1


IN_A_DEBUGGER = """
import numpy as np
from aelearn import Autoencoder
from aelearn.kernels import get
from aelearn.kernels.cpu import network
assert type(network._dense) is type(network.forward)  # plain functions, which a debugger can step through
a, b = np.random.default_rng(0).normal(size=(2, 9, 9))
np.testing.assert_allclose(get("numba").matmul(a, b), a @ b)
np.testing.assert_allclose(get("numba").matmul(a, b.T), a @ b.T)
X = np.random.default_rng(0).random((10, 6))
settings = dict(epochs=2, batch_size=4, dtype=np.float64, random_state=0)
one, other = (Autoencoder((4, 2), backend=name, **settings).fit(X) for name in ("numba", "numpy"))
np.testing.assert_allclose(one.transform(X), other.transform(X), rtol=1e-9)
print("all agree")
"""


def test_kernels_run_as_plain_python():
    assert run(IN_A_DEBUGGER, NUMBA_DISABLE_JIT="1") == "all agree\n"
