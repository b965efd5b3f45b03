"""Training on the GPU: the same steps as on the CPU, while everything lives on the device."""

import copy
import pickle

import numpy as np
import pytest

from aelearn import Autoencoder, DeepClustering, KMeans, load_mnist
from aelearn.autoencoder.selfcheck import check_network
from aelearn.kernels import UnavailableError
from aelearn.kernels.gpu import device, training

pytestmark = pytest.mark.gpu
SETTINGS = {"hidden_layer_sizes": (4, 2), "epochs": 2, "batch_size": 5, "random_state": 0}


@pytest.fixture
def X(rng):
    return rng.random((12, 7)).astype(np.float32)


def fit(X, backend, validation=None, **more):
    return Autoencoder(**{**SETTINGS, **more}, backend=backend).fit(X, validation=validation)


def mirrored(images, rng):
    """The pixels in another order, a little lighter."""
    return images[:, ::-1] * np.float32(rng.uniform(0.5, 1))


@pytest.mark.parametrize("more", [{}, {"augment": mirrored},
                                  {"optimizer": "momentum", "loss": "bce", "activation": "tanh"},
                                  {"optimizer": "sgd", "dtype": np.float64}],
                         ids=["adam", "augmented", "momentum", "sgd"])
def test_a_whole_fit_is_the_cpus(X, more, monkeypatch):
    monkeypatch.setattr(training, "EVALUATION_ROWS", 8)  # two blocks, the second one smaller
    ours, again, twin = (fit(X, backend, X[:3], **more) for backend in ("cuda", "cuda", "numpy"))
    for row, wanted in zip(ours.history_, twin.history_, strict=True):
        assert row["loss"] == pytest.approx(wanted["loss"], rel=1e-6)
        assert row["validation_loss"] == pytest.approx(wanted["validation_loss"], rel=1e-6)
    for name, array in twin.params_.items():
        assert ours.params_[name].dtype == array.dtype and np.array_equal(ours.params_[name], again.params_[name])
        np.testing.assert_allclose(ours.params_[name], array, atol=1e-6)
    np.testing.assert_allclose(ours.transform(X), twin.transform(X), atol=1e-6)
    assert ours.score(X) == pytest.approx(twin.score(X), rel=1e-6)


@pytest.mark.parametrize("reconstruction", [True, False])
def test_joint_training_is_the_cpus(X, reconstruction):
    def cluster(backend):
        return DeepClustering(2, hidden_layer_sizes=(4, 2), pretraining_epochs=1, epochs=2, update_interval=2,
                              gamma=1.0, batch_size=5, start=np.arange(12) % 2, reconstruction=reconstruction,
                              augment=mirrored, tol=0.0, backend=backend, random_state=0).fit(X)

    ours, twin = cluster("cuda"), cluster("numpy")
    np.testing.assert_allclose(ours.cluster_centers_, twin.cluster_centers_, atol=1e-6)
    for name, array in twin.autoencoder_.params_.items():
        np.testing.assert_allclose(ours.autoencoder_.params_[name], array, atol=1e-6)
    for row, wanted in zip(ours.history_, twin.history_, strict=True):
        assert row["loss"] == pytest.approx(wanted["loss"], rel=1e-5)


def test_only_losses_come_back(X, monkeypatch):
    fetched, download = [], device.download
    monkeypatch.setattr(device, "download", lambda there: (fetched.append(there.size), download(there))[1])
    model = fit(X, "cuda", epochs=3)
    n_parameters = model._architecture.n_parameters
    assert fetched == [2, 2, 2, n_parameters, n_parameters, n_parameters]  # a pair each epoch; then all three vectors


def test_callbacks_see_the_gradient_of_the_last_batch(X):
    seen = {"cuda": [], "numpy": []}
    for backend, gradients in seen.items():
        def look(model, row, gradients=gradients):
            gradients.append(model._training.gradient.copy())

        fit(X, backend, dtype=np.float64, callbacks=(look,))
    np.testing.assert_allclose(seen["cuda"], seen["numpy"], atol=1e-12)
    assert np.abs(seen["numpy"]).max(axis=1).min() > 1e-6


def test_callbacks_see_the_state_of_their_epoch(X):
    seen = []

    def look(model, row):
        seen.append((copy.deepcopy(model.set_params(callbacks=())), pickle.loads(pickle.dumps(model)), model.score(X)))

    fit(X, "cuda", callbacks=(look,), epochs=2)
    for epochs, (copied, pickled, score) in enumerate(seen, 1):
        alone = fit(X, "cuda", epochs=epochs)
        for model in (copied, pickled):
            assert np.array_equal(model._training.vector, alone._training.vector)
            assert len(model.history_) == epochs
        assert score == alone.score(X)


def test_stopped_and_resumed_ends_with_the_same_bits(X, tmp_path):
    def interrupt(model, row):
        if row["epoch"] == 1:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 1 of 2"):
        stopped = fit(X, "cuda", callbacks=(interrupt,))
    stopped.save(tmp_path / "model.npz")
    whole, stopped = fit(X, "cuda"), Autoencoder.load(tmp_path / "model.npz")
    assert stopped.backend == "cuda"
    assert np.array_equal(stopped.resume(X)._training.vector, whole._training.vector)


def test_an_interruption_goes_back_to_the_last_whole_epoch(X, monkeypatch):
    """Ctrl-C in the middle of the second epoch."""
    take, calls = training.network.take, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 5:  # three batches an epoch
            raise KeyboardInterrupt
        return take(*arguments)

    one = fit(X, "cuda", epochs=1)
    monkeypatch.setattr(training.network, "take", interrupted)
    with pytest.warns(UserWarning, match="interrupted after 1 of 2"):
        model = fit(X, "cuda")
    assert np.array_equal(model._training.vector, one._training.vector)
    assert np.array_equal(model._training.optimizer.m, one._training.optimizer.m)


def test_a_gpu_that_dies_leaves_what_was_fetched_last(X, monkeypatch):
    download = device.download

    def fetch_in_the_first_epoch(model, row):
        if row["epoch"] == 1:
            assert model.params_["W1"].any()
        else:
            monkeypatch.setattr(device, "download", dead)

    def dead(there):
        raise UnavailableError("the GPU or its driver failed")

    model = Autoencoder(**{**SETTINGS, "epochs": 3}, backend="cuda", callbacks=(fetch_in_the_first_epoch,))
    with pytest.raises(UnavailableError):
        model.fit(X)
    monkeypatch.setattr(device, "download", download)
    one = fit(X, "cuda", epochs=1)
    assert len(model.history_) == 1 and np.array_equal(model._training.vector, one._training.vector)


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow", "ignore:divide")
def test_a_training_that_diverges_ends_with_a_sentence(X):
    with pytest.raises(ValueError, match="the training diverged in epoch [12]"):
        fit(1e4 * X, "cuda", optimizer="sgd", activation="identity", output_activation="identity", learning_rate=1e9)


def test_gradients_by_finite_differences():
    report = check_network((2,), "tanh", "sigmoid", "mse", n_features=3, n_samples=2, backend="cuda")
    assert report.relative_error < 1e-6


@pytest.mark.real_gpu
def test_the_main_job_on_real_digits():
    images, _ = load_mnist("train", digits=(0, 1))
    ours, twin = (Autoencoder(epochs=10, random_state=0, backend=name).fit(images) for name in ("cuda", "numba"))
    assert ours.history_[0]["loss"] == pytest.approx(twin.history_[0]["loss"], rel=1e-3)
    assert ours.history_[-1]["loss"] == pytest.approx(twin.history_[-1]["loss"], rel=0.1)
    codes = ours.transform(images)
    one, other = (KMeans(2, random_state=0, backend=name).fit(codes) for name in ("cuda", "numba"))
    assert np.mean(one.labels_ == other.labels_) > 0.9999 and one.inertia_ == pytest.approx(other.inertia_, rel=1e-6)
    pixels = [KMeans(10, random_state=0, max_iter=20, backend=name).fit(images) for name in ("cuda", "numba")]
    assert pixels[0].inertia_ == pytest.approx(pixels[1].inertia_, rel=1e-3)
