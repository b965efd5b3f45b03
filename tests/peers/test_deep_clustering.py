"""The losses of deep clustering in PyTorch, which differentiates them itself. Skipped where it is not installed."""

import numpy as np
import pytest

from aelearn import DeepClustering
from aelearn.deep_clustering.soft_assignment import divergence, divergence_gradients, soft_assignment, target

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra: peers)")


def torch_soft_assignment(z, m, v):
    """As published: (1 + |z - m|^2 / v)^(-(v + 1) / 2), normalised."""
    t = (1 + torch.cdist(z, m).square() / v).pow(-(v + 1) / 2)
    return t / t.sum(dim=1, keepdim=True)


def torch_target(q):
    weight = q**2 / q.sum(dim=0)
    return weight / weight.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("v", [1.0, 4.0])
def test_assignments_targets_and_gradients(rng, v):
    z, m = rng.normal(size=(60, 4)), rng.normal(size=(7, 4))
    codes, centers = torch.tensor(z, requires_grad=True), torch.tensor(m, requires_grad=True)
    q = torch_soft_assignment(codes, centers, v)
    p = torch_target(torch_soft_assignment(torch.tensor(rng.normal(size=(60, 4))), torch.tensor(m), v))
    loss = torch.nn.functional.kl_div(q.log(), p, reduction="batchmean")
    loss.backward()
    np.testing.assert_allclose(soft_assignment(z, m, v), q.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(target(q.detach().numpy()), torch_target(q).detach().numpy(), rtol=1e-12)
    assert divergence(p.numpy(), soft_assignment(z, m, v)) == pytest.approx(loss.item(), rel=1e-12)
    dz, dm = divergence_gradients(p.numpy(), z, m, v)
    np.testing.assert_allclose(dz, codes.grad.numpy(), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(dm, centers.grad.numpy(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("reconstruction", [True, False])
def test_an_epoch_of_joint_training(few_digits, reconstruction):
    """The same start, batches, targets and Adam: the same network and centres after an epoch."""
    X, seen = few_digits[0].astype(np.float64), []
    model = DeepClustering(2, hidden_layer_sizes=(32, 5), pretraining_epochs=3, epochs=1, update_interval=12,
                           batch_size=64, start="k-means", gamma=0.3, reconstruction=reconstruction, dtype=np.float64,
                           callbacks=(lambda m, row: seen.append(
                               ({name: array.copy() for name, array in m.autoencoder_.params_.items()},
                                m.cluster_centers_.copy())),), random_state=0).fit(X)
    start, centers = seen[0]
    params = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    centers = torch.tensor(centers, requires_grad=True)
    images = torch.tensor(X)

    def encode(x):
        return torch.relu(x @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]

    with torch.no_grad():
        p = torch_target(torch_soft_assignment(encode(images), centers, 1.0))
    peer = torch.optim.Adam([*params.values(), centers], lr=3e-4)
    for rows in torch.tensor(model._order(1, len(X), 12 * 64)).split(64):
        peer.zero_grad()
        z = encode(images[rows])
        loss = 0.3 * torch.nn.functional.kl_div(torch_soft_assignment(z, centers, 1.0).log(), p[rows],
                                                reduction="batchmean")
        if reconstruction:
            outputs = torch.relu(z @ params["W3"] + params["b3"]) @ params["W4"] + params["b4"]
            loss = loss + torch.nn.functional.mse_loss(outputs, images[rows])
        loss.backward()
        peer.step()
    np.testing.assert_allclose(model.cluster_centers_, centers.detach().numpy(), atol=1e-8)
    for name, array in model.autoencoder_.params_.items():
        np.testing.assert_allclose(array, params[name].detach().numpy(), atol=1e-7)
    assert not np.array_equal(model.autoencoder_.params_["W2"], start["W2"])


def test_frames_everywhere_in_scikit_learn_change_nothing_inside(rng):
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra: peers)")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    model, X = DeepClustering(2, hidden_layer_sizes=(4, 2), pretraining_epochs=1, epochs=1, update_interval=1,
                              start="k-means", backend="numpy", random_state=0), rng.normal(size=(40, 3))
    labels = model.fit_predict(X)
    with sklearn.config_context(transform_output="pandas"):
        assert np.array_equal(model.fit_predict(X), labels) and np.array_equal(model.predict(X), labels)
        codes = model.transform(pandas.DataFrame(X, index=np.arange(40) + 7))
        assert list(codes.columns) == ["deepclustering0", "deepclustering1"] and codes.index[0] == 7
