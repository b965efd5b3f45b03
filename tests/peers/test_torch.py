"""The same network in PyTorch, whose gradients it differentiates itself. Skipped where PyTorch is not installed."""

import numpy as np
import pytest

from aelearn import Autoencoder
from aelearn.autoencoder.optim import OPTIMIZERS

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra: peers)")

FUNCTIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "identity": lambda z: z}


def torch_loss(params, x, activation, output_activation, loss, code_activation=None):
    """The same loss, in PyTorch's words."""
    a, last = x, len(params) // 2
    names = {last: output_activation, last // 2: code_activation or activation}
    for layer in range(1, last + 1):
        z = a @ params[f"W{layer}"] + params[f"b{layer}"]
        a = FUNCTIONS[names.get(layer, activation)](z)
    if loss == "bce":
        return torch.nn.functional.binary_cross_entropy_with_logits(z, x)
    return torch.nn.functional.mse_loss(a, x)


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("output_activation, loss", [*((name, "mse") for name in FUNCTIONS), ("sigmoid", "bce")])
@pytest.mark.parametrize("code_activation", [None, "identity"])
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_loss_and_gradients(few_digits, activation, output_activation, loss, code_activation, dtype, tolerance):
    x = few_digits[0][:48].astype(dtype)
    model = Autoencoder((32, 3), activation=activation, code_activation=code_activation,
                        output_activation=output_activation, loss=loss, dtype=dtype, epochs=0, random_state=0).fit(x)
    params = {name: torch.tensor(value, requires_grad=True) for name, value in model.params_.items()}
    theirs = torch_loss(params, torch.tensor(x), activation, output_activation, loss, code_activation)
    theirs.backward()
    value, grads = model.loss_and_gradients(x)
    assert value == pytest.approx(theirs.item(), rel=tolerance)
    for name, gradient in grads.items():
        size = max(float(params[name].grad.abs().max()), 1e-12)
        np.testing.assert_allclose(gradient / size, params[name].grad.numpy() / size, atol=tolerance)


@pytest.mark.parametrize("name, theirs, settings", [("sgd", torch.optim.SGD, {}), ("adam", torch.optim.Adam, {}),
                                                    ("momentum", torch.optim.SGD, {"momentum": 0.9})])
def test_optimisers(name, theirs, settings):
    rng = np.random.default_rng(0)
    ours, tensor = rng.normal(size=50), None
    tensor = torch.tensor(ours.copy(), requires_grad=True)
    walker, peer = OPTIMIZERS[name](ours, 0.01), theirs([tensor], lr=0.01, **settings)
    for _ in range(100):
        g = rng.normal(size=50)
        tensor.grad = torch.tensor(g)
        peer.step()
        walker.update(ours, g)
    np.testing.assert_allclose(ours, tensor.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_a_training_of_three_epochs(few_digits):
    """Same start, same batches, Adam at the same rate: the same losses, epoch by epoch."""
    images = few_digits[0].astype(np.float64)
    model = Autoencoder((32, 3), epochs=3, dtype=np.float64, random_state=0).fit(images)
    start = Autoencoder((32, 3), epochs=0, dtype=np.float64, random_state=0).fit(images)
    params = {name: torch.tensor(value.copy(), requires_grad=True) for name, value in start.params_.items()}
    peer = torch.optim.Adam(params.values(), lr=3e-3)
    X = torch.tensor(images)
    for epoch, row in enumerate(model.history_, 1):
        order = np.random.default_rng((model._training.seed, epoch)).permutation(len(images))
        for rows in torch.tensor(order).split(48):
            peer.zero_grad()
            torch_loss(params, X[rows], "sigmoid", "sigmoid", "mse").backward()
            peer.step()
        with torch.no_grad():
            assert row["loss"] == pytest.approx(torch_loss(params, X, "sigmoid", "sigmoid", "mse").item(), rel=1e-8)
