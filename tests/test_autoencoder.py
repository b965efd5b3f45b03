"""The estimator: it learns, it can be stopped, saved and resumed to the same bits, and it refuses what it cannot do."""

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
import zipfile

import numpy as np
import pytest

from aelearn import Autoencoder, Checkpoint, EarlyStopping
from aelearn.validation import ConvergenceWarning, NotFittedError


def quick(**settings):
    return Autoencoder(**{"hidden_layer_sizes": (16, 3), "epochs": 4, "random_state": 0, **settings})


def same_parameters(a, b):
    return all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)


@pytest.fixture(scope="module")
def fitted(few_digits):
    return quick().fit(few_digits[0])


def test_it_learns(few_digits):
    model = quick(epochs=30).fit(few_digits[0])
    losses = [row["loss"] for row in model.history_]
    assert losses[-1] < 0.5 * losses[0]
    assert [row["epoch"] for row in model.history_] == list(range(1, 31))
    assert all(row["seconds"] > 0 and row["validation_loss"] is None for row in model.history_)


def test_shapes_and_what_belongs_together(few_digits, fitted):
    images = few_digits[0]
    codes = fitted.transform(images)
    assert codes.shape == (500, 3) and codes.dtype == np.float32
    assert fitted.params_["W1"].shape == (784, 16) and fitted.params_["b4"].shape == (784,)
    outputs = fitted.reconstruct(images)
    np.testing.assert_allclose(fitted.inverse_transform(codes), outputs, atol=1e-6)
    loss, grads = fitted.loss_and_gradients(images)
    assert loss == pytest.approx(np.mean((outputs - images) ** 2), rel=1e-5)
    assert loss == pytest.approx(fitted.history_[-1]["loss"], rel=1e-6)
    assert fitted.score(images) == pytest.approx(-loss, rel=1e-6)
    assert {name: g.shape for name, g in grads.items()} == {name: p.shape for name, p in fitted.params_.items()}


def test_the_same_seed_gives_the_same_bits(few_digits):
    images = few_digits[0]
    assert same_parameters(quick().fit(images), quick().fit(images))
    assert not same_parameters(quick().fit(images), quick(random_state=1).fit(images))
    assert not same_parameters(quick(random_state=None).fit(images), quick(random_state=None).fit(images))
    assert same_parameters(quick(random_state=np.random.default_rng(3)).fit(images),
                           quick(random_state=np.random.default_rng(3)).fit(images))


def test_the_last_smaller_batch_is_used(rng):
    """With one epoch and plain SGD, dropping the last row of 5 would leave the parameters of 2 steps, not 3."""
    X = rng.random((5, 4))
    model = Autoencoder((2,), optimizer="sgd", epochs=1, batch_size=2, dtype=np.float64, random_state=0).fit(X)
    start = Autoencoder((2,), optimizer="sgd", epochs=0, dtype=np.float64, random_state=0).fit(X)
    order = np.random.default_rng((model._training.seed, 1)).permutation(5)
    for rows in (order[:2], order[2:4], order[4:]):
        for name, gradient in start.loss_and_gradients(X[rows])[1].items():
            start.params_[name] -= 3e-3 * gradient
    for name in model.params_:
        np.testing.assert_allclose(model.params_[name], start.params_[name], rtol=1e-12)


@pytest.mark.parametrize("settings", [
    {"hidden_layer_sizes": (2,)}, {"hidden_layer_sizes": [12, 8, 4, 2]}, {"activation": "tanh", "weight_init": "glorot"},
    {"activation": "relu"}, {"activation": "identity", "output_activation": "identity"}, {"loss": "bce"},
    {"optimizer": "sgd", "learning_rate": 1.0}, {"optimizer": "momentum", "learning_rate": 0.5},
    {"dtype": np.float64}, {"batch_size": 10_000}, {"batch_size": 1, "epochs": 1},
])
def test_every_setting_learns(few_digits, settings):
    images = few_digits[0][:100]
    model = quick(**{"epochs": 8, **settings})
    assert model.fit(images) is model
    at_start = quick(**{**settings, "epochs": 0}).fit(images).score(images)
    assert model.score(images) > at_start
    assert model.transform(images).dtype == model.dtype


def test_validation_loss(few_digits):
    images = few_digits[0]
    model = quick().fit(images[:300], validation=images[300:])
    assert model.history_[-1]["validation_loss"] == pytest.approx(-model.score(images[300:]), rel=1e-6)
    assert same_parameters(model, quick().fit(images[:300])), "the validation images were learnt from"


def test_early_stopping(few_digits):
    images = few_digits[0]
    model = quick(epochs=200, learning_rate=0.05, callbacks=(EarlyStopping(patience=3),))
    model.fit(images[:100], validation=images[300:])
    losses = [row["validation_loss"] for row in model.history_]
    assert len(losses) < 200 and len(losses) - 1 - int(np.argmin(losses)) == 3
    with pytest.raises(ValueError, match="validation"):
        quick(callbacks=(EarlyStopping(),)).fit(images)
    training = quick(epochs=50, callbacks=(EarlyStopping(2, monitor="loss", min_delta=10),)).fit(images)
    assert len(training.history_) == 3  # the first epoch is the best: nothing falls by 10


def test_callbacks_see_each_epoch_and_can_stop(few_digits):
    seen = []

    def callback(model, row):
        seen.append((row["epoch"], len(model.history_), model.history_[-1] is row))
        return row["epoch"] == 3

    assert len(quick(epochs=10, callbacks=[callback]).fit(few_digits[0]).history_) == 3
    assert seen == [(1, 1, True), (2, 2, True), (3, 3, True)]


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_save_load_resume_gives_the_same_bits(tmp_path, few_digits, optimizer):
    images = few_digits[0]
    through = quick(optimizer=optimizer, epochs=5).fit(images, validation=images[:50])
    quick(optimizer=optimizer, epochs=2).fit(images, validation=images[:50]).save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.transform(images), quick(optimizer=optimizer, epochs=2).fit(images).transform(images))
    loaded.set_params(epochs=5).resume(images, validation=images[:50])
    assert same_parameters(loaded, through)
    for key in ("epoch", "loss", "validation_loss"):
        assert [row[key] for row in loaded.history_] == [row[key] for row in through.history_]
    assert loaded.resume(images) is loaded and len(loaded.history_) == 5  # nothing is left to do


def test_settings_survive_the_file(tmp_path):
    settings = {"hidden_layer_sizes": (5, 2), "activation": "tanh", "loss": "bce", "optimizer": "momentum",
                "learning_rate": 0.01, "epochs": 1, "batch_size": 7, "dtype": np.float64, "weight_init": "glorot",
                "random_state": 9}
    model = Autoencoder(**settings).fit(np.random.default_rng(0).random((20, 6)))
    model.save(tmp_path / "m.npz")
    params = Autoencoder.load(tmp_path / "m.npz").get_params()
    assert {name: params[name] for name in settings} == settings


def test_ctrl_c_keeps_what_was_learnt_and_resume_goes_on(few_digits, monkeypatch):
    """The interrupt comes in the middle of an epoch, between two halves of Adam's update."""
    images, interruptions = few_digits[0], iter([False] * 25 + [True] + [False] * 1000)
    through = quick().fit(images)
    model = quick()
    from aelearn import optim

    def torn(*arguments, **settings):
        arguments[2][...] = 7  # m is torn
        if next(interruptions):
            raise KeyboardInterrupt
        arguments[2][...] = kept
        step(*arguments, **settings)
        kept[...] = arguments[2]

    step, kept = optim.adam_step, np.zeros(sum(p.size for p in through.params_.values()), np.float32)
    monkeypatch.setattr(optim, "adam_step", torn)
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 of 4 epochs"):
        assert model.fit(images) is model
    monkeypatch.undo()
    assert model.interrupted_ and len(model.history_) == 2
    assert same_parameters(model, quick(epochs=2).fit(images))
    model.resume(images)
    assert not model.interrupted_ and same_parameters(model, through)


def test_an_exception_in_a_callback_leaves_the_last_whole_epoch(few_digits):
    def fails(model, row):
        if row["epoch"] == 3:
            raise RuntimeError("no space left")

    model = quick(callbacks=(fails,))
    with pytest.raises(RuntimeError, match="no space left"):
        model.fit(few_digits[0])
    assert len(model.history_) == 3 and same_parameters(model, quick(epochs=3).fit(few_digits[0]))


RUN = """
import sys
from aelearn import Autoencoder, Checkpoint, load_mnist
images = load_mnist("test", digits=(0, 1))[0]
print("started", flush=True)
Autoencoder((16, 3), epochs=int(sys.argv[2]), random_state=0, callbacks=(Checkpoint(sys.argv[1], every=2),)).fit(images)
"""


def test_killed_and_resumed_ends_with_the_same_bits(tmp_path):
    from aelearn import load_mnist

    path = tmp_path / "checkpoint.npz"
    process = subprocess.Popen([sys.executable, "-c", RUN, str(path), "100000"], stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    images = load_mnist("test", digits=(0, 1))[0]
    resumed = Autoencoder.load(path)
    done = len(resumed.history_)
    assert done >= 2 and done % 2 == 0
    resumed.set_params(epochs=done + 3).resume(images)
    assert same_parameters(resumed, Autoencoder((16, 3), epochs=done + 3, random_state=0).fit(images))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, fitted, monkeypatch):
    path = tmp_path / "model.npz"
    fitted.save(path)
    before = path.read_bytes()

    def breaks(file, **arrays):
        file.write(b"half a file")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", breaks)
    with pytest.raises(OSError, match="no space"):
        fitted.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.npz"]


def flipped_bytes(content):
    """Every 97th byte inverted."""
    return bytes(byte ^ 255 if i % 97 == 5 else byte for i, byte in enumerate(content))


def unknown_compression(content):
    """The first entry of the zip's directory claims a method of compression that nobody knows."""
    at = content.index(b"PK\x01\x02") + 10
    return content[:at] + b"\x63" + content[at + 1:]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:1000], lambda b: b"not a zip file", lambda b: b[:-50],
                                    flipped_bytes, unknown_compression])
def test_damaged_model_files(tmp_path, fitted, damage):
    path = tmp_path / "model.npz"
    fitted.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="model.npz is not a whole model file"):
        Autoencoder.load(path)


def test_other_files_are_no_models(tmp_path, fitted):
    with pytest.raises(FileNotFoundError, match="no model file"):
        Autoencoder.load(tmp_path / "nowhere.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.savez(tmp_path / "pickled.npz", about=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "format.npz", about=json.dumps({"format": "something else"}))
    fitted.save(tmp_path / "shapes.npz")
    with np.load(tmp_path / "shapes.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "shapes.npz", **{**arrays, "params/W1": np.ones((2, 2))})
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "nan.npz", **{**arrays, "params/W1": arrays["params/W1"] * np.nan})
    np.savez(tmp_path / "dtype.npz", **{**arrays, "params/W1": arrays["params/W1"].astype(np.float64)})
    about = json.loads(str(arrays["about"]))
    np.savez(tmp_path / "huge.npz", **{**arrays, "about": json.dumps({**about, "n_features": 10**12})})
    np.savez(tmp_path / "history.npz", **{**arrays, "about": json.dumps({**about, "history": None})})
    for name in ("nan.npz", "dtype.npz", "huge.npz", "history.npz", "other.npz", "pickled.npz", "format.npz", "shapes.npz", "empty.npz", "array.npy"):
        with pytest.raises(ValueError, match=f"{name} is not a whole model file"):
            Autoencoder.load(tmp_path / name)


@pytest.mark.parametrize("settings, error, words", [
    ({"hidden_layer_sizes": ()}, ValueError, "one or more"), ({"hidden_layer_sizes": 3}, ValueError, "layer sizes"),
    ({"hidden_layer_sizes": {3, 2}}, ValueError, "layer sizes"), ({"learning_rate": -1.0}, ValueError, "above 0"),
    ({"backend": np.array(["numpy", "auto"])}, ValueError, "does not exist"),
    ({"hidden_layer_sizes": (3, 0)}, ValueError, "at least 1"), ({"hidden_layer_sizes": (3.0,)}, TypeError, "integer"),
    ({"activation": "softmax"}, ValueError, "'relu'"), ({"output_activation": None}, ValueError, "output_activation"),
    ({"loss": "mae"}, ValueError, "'mse', 'bce'"), ({"optimizer": "lbfgs"}, ValueError, "'adam'"),
    ({"loss": "bce", "output_activation": "identity"}, ValueError, "needs output_activation='sigmoid'"),
    ({"learning_rate": 0}, ValueError, "above 0"), ({"learning_rate": np.nan}, ValueError, "finite"),
    ({"learning_rate": "fast"}, TypeError, "number"), ({"epochs": -1}, ValueError, "at least 0"),
    ({"epochs": 1.5}, TypeError, "integer"), ({"batch_size": 0}, ValueError, "at least 1"),
    ({"backend": "numba"}, ValueError, "does not exist"), ({"backend": "abacus"}, ValueError, "does not exist"),
    ({"dtype": np.float16}, TypeError, "float32"), ({"callbacks": (3,)}, TypeError, "functions"),
    ({"weight_init": "zeros"}, ValueError, "'glorot'"), ({"random_state": -1}, ValueError, "random_state"),
    ({"random_state": "lucky"}, TypeError, "random_state"),
])
def test_impossible_settings(few_digits, settings, error, words):
    model = quick(**settings)  # the constructor only stores
    with pytest.raises(error, match=words):
        model.fit(few_digits[0])


def test_unfitted_use(few_digits, tmp_path):
    for use in (lambda m: m.transform(few_digits[0]), lambda m: m.inverse_transform(np.ones((2, 3))),
                lambda m: m.reconstruct(few_digits[0]), lambda m: m.score(few_digits[0]),
                lambda m: m.loss_and_gradients(few_digits[0]), lambda m: m.resume(few_digits[0]),
                lambda m: m.save(tmp_path / "m.npz"), lambda m: m.get_feature_names_out()):
        with pytest.raises((NotFittedError, ValueError), match="not fitted yet"):
            use(quick())


def test_wrong_numbers_of_columns(few_digits, fitted):
    for use in (fitted.transform, fitted.reconstruct, fitted.score, fitted.loss_and_gradients, fitted.resume):
        with pytest.raises(ValueError, match="X has 783 features, but Autoencoder is expecting 784"):
            use(few_digits[0][:, 1:])
    with pytest.raises(ValueError, match="codes of 3"):
        fitted.inverse_transform(np.ones((2, 4)))
    with pytest.raises(ValueError, match="validation has 783 columns, X has 784"):
        quick().fit(few_digits[0], validation=few_digits[0][:, 1:])


@pytest.mark.parametrize("changes", [{"hidden_layer_sizes": (16, 2)}, {"activation": "relu"}, {"optimizer": "sgd"},
                                     {"dtype": np.float64}, {"output_activation": "identity"}, {"loss": "bce"}])
def test_settings_changed_after_fit_neither_change_the_network_nor_are_resumed(tmp_path, few_digits, changes):
    images = few_digits[0]
    model = quick(epochs=1).fit(images)
    codes, outputs = model.transform(images), model.reconstruct(images)
    model.set_params(**changes)
    assert np.array_equal(model.transform(images), codes) and np.array_equal(model.reconstruct(images), outputs)
    model.save(tmp_path / "m.npz")
    assert np.array_equal(Autoencoder.load(tmp_path / "m.npz").transform(images), codes)
    with pytest.raises(ValueError, match=f"was fitted with {next(iter(changes))}="):
        model.resume(images)


def test_resume_wants_the_same_data(few_digits):
    model = quick(epochs=1).fit(few_digits[0]).set_params(epochs=2)
    for other in (few_digits[0][:-1], few_digits[0][::-1], 1 - few_digits[0]):
        with pytest.raises(ValueError, match="not the data"):
            model.resume(other)


def test_copies_and_pickles_train_on_to_the_same_bits(few_digits):
    through = quick(epochs=4).fit(few_digits[0])
    half = quick(epochs=2).fit(few_digits[0])
    for copied in (copy.deepcopy(half), pickle.loads(pickle.dumps(half))):
        assert same_parameters(copied.set_params(epochs=4).resume(few_digits[0]), through)
    assert len(half.history_) == 2


def test_a_training_that_was_stopped_early_stays_stopped(tmp_path, few_digits):
    images = few_digits[0]
    rule = EarlyStopping(2, monitor="loss", min_delta=10)
    model = quick(epochs=50, callbacks=(rule, Checkpoint(tmp_path / "c.npz", every=1))).fit(images)
    again = Autoencoder.load(tmp_path / "c.npz").set_params(callbacks=(rule,)).resume(images)
    assert len(model.history_) == len(again.history_) == 3 and same_parameters(model, again)


def test_numpy_integers_are_saved(tmp_path, few_digits):
    quick(batch_size=np.int64(7), random_state=np.int64(3), epochs=np.int32(1)).fit(few_digits[0]).save(tmp_path / "m")
    assert Autoencoder.load(tmp_path / "m").batch_size == 7


def test_bce_wants_probabilities(rng):
    with pytest.raises(ValueError, match="from 0 to 1"):
        quick(loss="bce").fit(rng.normal(size=(10, 5)))


def test_divergence_is_told_and_the_last_good_epoch_kept(rng):
    X = rng.normal(size=(64, 5)) * 10
    model = Autoencoder((4,), activation="identity", output_activation="identity", optimizer="sgd", learning_rate=100.0,
                        epochs=500, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="diverged in epoch .*lower learning_rate"):
            model.fit(X)
    assert all(np.isfinite(p).all() for p in model.params_.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e15, -1e15, 1e-30])
def test_extreme_values_give_finite_answers(dtype, value):
    X = np.full((20, 6), value, dtype)
    X[::2, 0] *= 0.5
    model = Autoencoder((4, 2), epochs=3, dtype=dtype, random_state=0).fit(X)
    for answer in (model.transform(X), model.reconstruct(X), model.score(X), model.history_[-1]["loss"]):
        assert np.isfinite(answer).all()


def test_what_float32_cannot_hold_is_told():
    with pytest.raises(ValueError, match="use dtype=np.float64"):
        quick().fit(np.full((4, 3), 1e300))


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda X: np.repeat(X, 2, axis=1)[:, ::2], lambda X: X[::-1][::-1], np.ndarray.tolist,
    lambda X: X.astype(np.float64),
])
def test_any_layout_gives_the_same_bits(few_digits, change):
    images = few_digits[0][:60]
    assert same_parameters(quick(epochs=2).fit(change(images)), quick(epochs=2).fit(images))


def test_integers_and_booleans(few_digits):
    bits = few_digits[0][:60] > 0.5
    assert same_parameters(quick(epochs=2).fit(bits), quick(epochs=2).fit(bits.astype(np.int64)))


def test_checkpoint_only_every_few_epochs(tmp_path, few_digits):
    path = tmp_path / "c.npz"
    quick(epochs=5, callbacks=(Checkpoint(path, every=3),)).fit(few_digits[0])
    assert len(Autoencoder.load(path).history_) == 3
    with pytest.raises(ValueError, match="every"):
        Checkpoint(path, every=0)
