"""Deep clustering: what it finds, what it records, and that it can be stopped, saved and resumed to the same bits."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest

from aelearn import Checkpoint, DeepClustering, EarlyStopping, make_blobs, metrics
from aelearn.autoencoder import LivePlot
from aelearn.core.validation import ConvergenceWarning, NotFittedError
from aelearn.deep_clustering import estimator as module
from aelearn.deep_clustering.estimator import means
from aelearn.deep_clustering.soft_assignment import divergence, soft_assignment, target

pytestmark = pytest.mark.linear_algebra


def small(**settings):
    """A small model that trains quickly, without compiling anything."""
    return DeepClustering(**{"n_clusters": 3, "hidden_layer_sizes": (8, 2), "pretraining_epochs": 4, "epochs": 3,
                             "update_interval": 4, "batch_size": 16, "backend": "numpy", "start": "k-means",
                             "random_state": 0, **settings})


@pytest.fixture(scope="module")
def blobs():
    X, labels = make_blobs(90, centers=3, n_features=5, cluster_std=0.7, random_state=3)
    X = X / 10
    X.flags.writeable = False
    return X, labels


def mirrored(X, rng):
    return X * rng.choice([0.9, 1.1])


def same(a, b):
    return np.array_equal(a.cluster_centers_, b.cluster_centers_) and np.array_equal(a.labels_, b.labels_) and all(
        np.array_equal(a.autoencoder_.params_[name], b.autoencoder_.params_[name]) for name in a.autoencoder_.params_)


@pytest.mark.parametrize("settings", [{}, {"start": "graph"}, {"reconstruction": False, "gamma": 1.0},
                                      {"augment": mirrored}, {"dtype": np.float64, "degrees_of_freedom": 5.0}])
def test_blobs(blobs, settings):
    X, labels = blobs
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The graph falls into")
        model = small(pretraining_epochs=20, **settings)
        assert model.fit(X) is model
    assert metrics.accuracy(labels, model.labels_) == 1
    assert model.labels_.dtype == np.int32 and model.cluster_centers_.shape == (3, 2)
    assert np.array_equal(model.predict(X), model.labels_)
    q, codes = model.predict_proba(X), model.transform(X)
    assert codes.shape == (90, 2) and codes.dtype == model.dtype
    np.testing.assert_allclose(q.sum(axis=1), 1)
    np.testing.assert_allclose(q, soft_assignment(codes.astype(float), model.cluster_centers_,
                                                  model.degrees_of_freedom))
    assert model.inverse_transform(model.cluster_centers_).shape == (3, 5)
    assert list(model.get_feature_names_out()) == ["deepclustering0", "deepclustering1"]
    assert np.array_equal(small(pretraining_epochs=20, **settings).set_params(start=model.labels_).fit_predict(X),
                          model.labels_)


def test_the_history_says_what_happened(blobs):
    X, _ = blobs
    seen = []
    model = small(callbacks=(lambda model, row: seen.append((row, model.labels_, model.predict_proba(X))),),
                  tol=0.0, learning_rate=0.01, joint_learning_rate=0.01).fit(X)
    assert [row["epoch"] for row in model.history_] == [0, 1, 2, 3] == [row["epoch"] for row, _, _ in seen]
    assert [row["steps"] for row in model.history_] == [0, 4, 8, 12]
    assert model.history_[0]["reconstruction"] == model.autoencoder_.history_[-1]["loss"]
    for n, (row, labels, q) in enumerate(seen):
        p = target(seen[n - 1][2]) if n else target(q)  # the targets of all rows, from before the epoch
        assert row["clustering"] == pytest.approx(divergence(p, q))
        assert row["loss"] == pytest.approx(row["reconstruction"] + 0.1 * row["clustering"])
        assert row["sizes"] == np.bincount(labels, minlength=3).tolist() and row["seconds"] > 0
        assert row["changed"] == (np.mean(labels != seen[n - 1][1]) if n else 1)
    assert np.mean(seen[-1][2].max(axis=1)) > np.mean(seen[0][2].max(axis=1))  # surer than at the start


def test_every_step_is_the_gradients_of_both_losses(blobs, monkeypatch):
    """One epoch of two steps of plain loops, from the same start: pre-trained network, order, p, Adam."""
    from aelearn.autoencoder.optim import Adam

    X, seen = blobs[0], []
    model = small(epochs=1, update_interval=2, dtype=np.float64, callbacks=(lambda m, row: seen.append(
        (copy.deepcopy(m.autoencoder_), m.cluster_centers_.copy())),)).fit(X)
    ae, centers = seen[0]
    p = target(soft_assignment(ae.transform(X), centers))
    optimizers = [Adam(ae._training.vector, 3e-4), Adam(centers.ravel(), 3e-4)]
    for rows in model._order(1, len(X), 32).reshape(2, 16):
        z = ae.transform(X[rows])
        _, grads = ae.loss_and_gradients(X[rows])
        _, dm = module.divergence_gradients(p[rows], z, centers)
        eps, more = 1e-6, {}
        for name, array in ae.params_.items():  # the clustering loss by finite differences, through the encoder
            more[name] = np.zeros_like(array)
            for index in np.ndindex(array.shape) if name in ("W1", "b1", "W2", "b2") else ():
                kept, values = array[index], []
                for step in (eps, -eps):
                    array[index] = kept + step
                    values.append(divergence(p[rows], soft_assignment(ae.transform(X[rows]), centers)))
                array[index] = kept
                more[name][index] = (values[0] - values[1]) / (2 * eps)
        vector = np.concatenate([(grads[name] + 0.1 * more[name]).ravel() for name in grads])
        optimizers[0].update(ae._training.vector, vector)
        optimizers[1].update(centers.ravel(), 0.1 * dm.ravel())
    np.testing.assert_allclose(model.cluster_centers_, centers, atol=1e-7)
    for name, array in ae.params_.items():
        np.testing.assert_allclose(model.autoencoder_.params_[name], array, atol=2e-6)


def test_dec_leaves_the_decoder(blobs):
    seen = []
    model = small(reconstruction=False, callbacks=(lambda m, row: seen.append(copy.deepcopy(m.autoencoder_)),),
                  epochs=1).fit(blobs[0])
    for name in ("W1", "W2", "W3", "W4"):
        assert np.array_equal(seen[0].params_[name], model.autoencoder_.params_[name]) == (name in ("W3", "W4"))
    assert model.history_[-1]["reconstruction"] is None


@pytest.mark.parametrize("settings", [{}, {"augment": mirrored, "start": "graph"}, {"start": np.arange(90) % 3},
                                      {"start": np.array([[0.0, 0], [1, 1], [2, 2]]), "dtype": np.float64}])
@pytest.mark.filterwarnings("ignore:The graph falls into", "ignore:. of 3 clusters have no rows left")
def test_saved_and_resumed_it_ends_with_the_same_bits(tmp_path, blobs, settings):
    X, path = blobs[0], tmp_path / "model.npz"
    through = small(tol=0.0, **settings).fit(X)
    with pytest.raises(ZeroDivisionError):
        small(tol=0.0, **settings, callbacks=(lambda m, row: (m.save(path), row["epoch"] < 2 or 1 / 0),)).fit(X)
    loaded = DeepClustering.load(path)
    assert len(loaded.history_) == 3 and loaded.augment is None
    assert np.array_equal(loaded.predict(X), loaded.labels_)
    loaded.set_params(augment=settings.get("augment")).resume(X)
    assert same(loaded, through)
    for row, wanted in zip(loaded.history_, through.history_, strict=True):
        assert {**row, "seconds": 0} == {**wanted, "seconds": 0}
    again = pickle.loads(pickle.dumps(copy.deepcopy(through)))
    assert same(again.resume(X), through) and len(again.history_) == 4
    assert same(again.set_params(epochs=5).resume(X), small(tol=0.0, epochs=5, **settings).fit(X))


def test_everything_a_model_knows_is_in_its_file(tmp_path, blobs):
    model = small().set_output(transform="default").fit(blobs[0])
    model.save(tmp_path / "model.npz")
    loaded = DeepClustering.load(tmp_path / "model.npz")
    assert set(vars(loaded)) == set(vars(model)) and loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_ and same(loaded, model)
    assert all(np.array_equal(a, b) for a, b in zip(loaded._center_optimizer.state().values(),
                                                    model._center_optimizer.state().values()))


@pytest.mark.parametrize("at", ["pretraining", "start", "joint"])
def test_ctrl_c_keeps_what_is_whole(blobs, monkeypatch, at):
    X, calls = blobs[0], []
    through = small(tol=0.0).fit(X)

    def interrupt_at(n, function):
        def interrupted(*arguments, **more):
            calls.append(1)
            if len(calls) == n:
                raise KeyboardInterrupt
            return function(*arguments, **more)
        return interrupted

    if at == "pretraining":
        model = small(tol=0.0, augment=interrupt_at(15, lambda X, rng: X))  # six steps an epoch
    else:
        name, n = {"start": ("means", 1), "joint": ("divergence_gradients", 7)}[at]
        model = small(tol=0.0, start=through.labels_ if at == "start" else "k-means")
        monkeypatch.setattr(module, name, interrupt_at(n, getattr(module, name)))
    with pytest.warns(ConvergenceWarning, match={"pretraining": "interrupted after 2 of 4 epochs",
                                                 "start": "interrupted before its start",
                                                 "joint": "interrupted after 1 of 3 epochs"}[at]):
        model.fit(X)
    assert model.interrupted_ and len(model.history_) == {"pretraining": 0, "start": 0, "joint": 2}[at]
    if at != "joint":
        with pytest.raises(NotFittedError):
            model.predict(X)
    resumed = model.resume(X)
    assert not resumed.interrupted_
    if at != "start":
        assert same(resumed, through)


def test_callbacks_and_tol_end_it_for_good(tmp_path, blobs):
    X = blobs[0]
    model = small(epochs=9, tol=0.0, callbacks=(lambda m, row: row["epoch"] == 2,)).fit(X)
    assert len(model.history_) == 3 and len(model.resume(X).history_) == 3
    model = small(epochs=50, tol=1.1, callbacks=(Checkpoint(tmp_path / "model.npz", every=1),)).fit(X)
    assert len(model.history_) == 2
    loaded = DeepClustering.load(tmp_path / "model.npz")
    assert same(loaded, model) and len(loaded.resume(X).history_) == 2
    assert len(small(epochs=50, tol=0.0, joint_learning_rate=1e-30,
                     callbacks=(EarlyStopping(2, monitor="loss", min_delta=1),)).fit(X).history_) <= 4


def test_an_empty_cluster_is_told(blobs):
    far = np.array([[0.0, 0], [0.1, 0], [1e4, 1e4]])
    with pytest.warns(ConvergenceWarning, match="1 of 3 clusters have no rows left after epoch 1"):
        model = small(start=far, tol=0.0).fit(blobs[0])
    assert model.history_[-1]["sizes"][2] == 0 and np.isfinite(model.cluster_centers_).all()


def test_means_by_hand():
    codes = np.array([[0.0], [2.0], [10.0], [11.0]])
    assert means(codes, np.array([0, 0, 1, 1]), 2).tolist() == [[1], [10.5]]
    assert means(codes, np.array([0, 0, 0, 0]), 2).tolist() == [[5.75], [0]]


@pytest.mark.parametrize("settings, error, words", [
    ({"n_clusters": 0}, ValueError, "n_clusters must be"), ({"n_clusters": 91}, ValueError, "n_samples=90 should be"),
    ({"epochs": -1}, ValueError, "epochs must be"), ({"pretraining_epochs": 1.0}, TypeError, "pretraining_epochs"),
    ({"start": "random"}, ValueError, "'graph', 'k-means'"), ({"start": np.arange(90)}, ValueError, "from 0 to 2"),
    ({"start": np.zeros((3, 3))}, ValueError, r"centres of shape \(3, 2\); got float64 of shape \(3, 3\)"),
    ({"start": np.full((3, 2), np.nan)}, ValueError, "start contains NaN"), ({"start": None}, ValueError, "start must"),
    ({"gamma": -1}, ValueError, "gamma must"), ({"degrees_of_freedom": 0}, ValueError, "degrees_of_freedom must"),
    ({"reconstruction": 1}, TypeError, "reconstruction must"), ({"batch_size": 0}, ValueError, "batch_size must"),
    ({"augment": 3}, TypeError, "augment must"), ({"callbacks": 3}, TypeError, "callbacks must"),
    ({"callbacks": (LivePlot(),)}, TypeError, "LivePlot shows the training of an Autoencoder, not that of"),
    ({"joint_learning_rate": 0}, ValueError, "joint_learning_rate must"), ({"verbose": -1}, ValueError, "verbose must"),
])
def test_impossible_settings(blobs, settings, error, words):
    with pytest.raises(error, match=words) as caught:
        small(**settings).fit(blobs[0])
    assert "\n" not in str(caught.value)


def test_what_cannot_be_resumed(blobs, tmp_path):
    X = blobs[0]
    model = small(augment=mirrored, tol=0.0).fit(X)
    with pytest.raises(ValueError, match="not the data"):
        model.resume(X[::-1])
    with pytest.raises(ValueError, match="fitted with n_clusters=3, not 4"):
        copy.deepcopy(model).set_params(n_clusters=4).resume(X)
    model.save(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="fitted with augment, which no file contains"):
        DeepClustering.load(tmp_path / "model.npz").set_params(epochs=9).resume(X)
    with pytest.raises(NotFittedError):
        small().resume(X)


@pytest.mark.parametrize("change", [
    lambda arrays, about: arrays.pop("centers"), lambda arrays, about: about.update(format="another"),
    lambda arrays, about: arrays.update(centers=arrays["centers"][:, :1]),
    lambda arrays, about: arrays.update({"memory/m": arrays["memory/m"] * np.nan}),
    lambda arrays, about: arrays.update(labels=arrays["labels"].astype(float)),
    lambda arrays, about: about.update(n_features=7), lambda arrays, about: arrays.pop("autoencoder/params/W1"),
])
def test_damaged_files(tmp_path, blobs, change):
    path = tmp_path / "model.npz"
    small(epochs=1, pretraining_epochs=1).fit(blobs[0]).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    change(arrays, about)
    np.savez(path, **{**arrays, "about": json.dumps(about)})
    with pytest.raises(ValueError, match="model.npz is not a complete model file"):
        DeepClustering.load(path)


def test_rows_that_have_no_codes(blobs, rng):
    model = small(dtype=np.float64, activation="relu").fit(blobs[0])
    with pytest.raises(ValueError, match="whose codes are not finite: scale X"):
        model.predict(1.7e308 * rng.choice([-1, 1], (50, 5)))
    assert np.isfinite(model.predict_proba(np.full((2, 5), 1e200))).all()
