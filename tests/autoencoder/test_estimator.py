"""The estimator: it learns, it can be stopped, saved and resumed to the same bits, and it refuses what it cannot do."""

import copy
import pickle
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from aelearn import Autoencoder, kernels
from aelearn.autoencoder import optim
from aelearn.core.validation import ConvergenceWarning, NotFittedError
from aelearn.data import moved_images
from tests.small import quick, same_parameters


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


@pytest.mark.parametrize("settings", [
    {"hidden_layer_sizes": (2,)}, {"hidden_layer_sizes": [12, 8, 4, 2]},
    {"activation": "tanh", "weight_init": "glorot"},
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


@pytest.mark.parametrize("settings", [{}, {"optimizer": "momentum"}, {"optimizer": "sgd"}, {"augment": moved_images},
                                      {"activation": "relu", "code_activation": "identity"}])
def test_save_load_resume_gives_the_same_bits(tmp_path, few_digits, settings):
    images = few_digits[0]
    through = quick(epochs=5, **settings).fit(images, validation=images[:50])
    quick(epochs=2, **settings).fit(images, validation=images[:50]).save(tmp_path / "model.npz")
    loaded = Autoencoder.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.transform(images), quick(epochs=2, **settings).fit(images).transform(images))
    assert loaded.augment is None
    loaded.set_params(epochs=5, augment=settings.get("augment")).resume(images, validation=images[:50])
    assert same_parameters(loaded, through)
    for key in ("epoch", "loss", "validation_loss"):
        assert [row[key] for row in loaded.history_] == [row[key] for row in through.history_]
    assert loaded.resume(images) is loaded and len(loaded.history_) == 5  # nothing is left to do


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_augmented_images_are_what_is_learnt(rng, backend):
    """Each batch of each epoch is changed anew, the last and smaller one as well; losses are those of X itself."""
    X, seen = rng.random((10, 4)).astype(np.float32), []

    def darker(images, generator):
        seen.append((images.copy(), generator.random()))
        return images * np.float32(0.5)

    model = quick(augment=darker, epochs=3, batch_size=4, backend=backend).fit(X)
    assert [len(images) for images, _ in seen] == [4, 4, 2] * 3 and len({draw for _, draw in seen}) == 9
    epochs = [np.concatenate([images for images, _ in seen[at:at + 3]]) for at in (0, 3, 6)]
    for images in epochs:
        assert np.array_equal(images[np.lexsort(images.T)], X[np.lexsort(X.T)])
    assert not np.array_equal(epochs[0], epochs[1])
    assert same_parameters(model, quick(epochs=3, batch_size=4, backend=backend).fit(X * np.float32(0.5)))
    assert model.history_[-1]["loss"] == pytest.approx(-model.score(X))


@pytest.mark.parametrize("augment, words", [
    (lambda images, rng: images[1:], r"shape \(48, 784\); got float32 of shape \(47, 784\)"),
    (lambda images, rng: None, "got object of shape"),
    (lambda images, rng: images + 1, "as probabilities, from 0 to 1"),
])
def test_what_augment_returns_is_checked(few_digits, augment, words):
    with pytest.raises(ValueError, match=words):
        quick(augment=augment, loss="bce").fit(few_digits[0])


def test_a_training_on_augmented_images_is_resumed_as_one(tmp_path, few_digits):
    images = few_digits[0]
    model = quick(augment=moved_images, epochs=1).fit(images)
    model.save(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="fitted with augment, which no file contains"):
        Autoencoder.load(tmp_path / "model.npz").set_params(epochs=2).resume(images)
    with pytest.raises(ValueError, match="fitted without augment"):
        quick(epochs=1).fit(images).set_params(epochs=2, augment=moved_images).resume(images)


def test_settings_survive_the_file(tmp_path):
    settings = {"hidden_layer_sizes": (5, 2), "activation": "tanh", "loss": "bce", "optimizer": "momentum",
                "learning_rate": 0.01, "epochs": 1, "batch_size": 7, "dtype": np.float64, "weight_init": "glorot",
                "random_state": 9}
    model = Autoencoder(**settings).fit(np.random.default_rng(0).random((20, 6)))
    model.save(tmp_path / "m.npz")
    params = Autoencoder.load(tmp_path / "m.npz").get_params()
    assert {name: params[name] for name in settings} == settings


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_ctrl_c_keeps_what_was_learnt_and_resume_goes_on(few_digits, monkeypatch, backend):
    """The interrupt comes in the middle of an epoch, between two halves of Adam's update."""
    images, interruptions = few_digits[0], iter([False] * 25 + [True] + [False] * 1000)
    through = quick(backend=backend).fit(images)
    model = quick(backend=backend)
    functions = optim if backend == "numpy" else kernels.get(backend)

    def torn(*arguments, **settings):
        arguments[2][...] = 7  # m is torn
        if next(interruptions):
            raise KeyboardInterrupt
        arguments[2][...] = kept
        step(*arguments, **settings)
        kept[...] = arguments[2]

    step, kept = functions.adam_step, np.zeros(sum(p.size for p in through.params_.values()), np.float32)
    monkeypatch.setitem(functions.STEPS, "adam", torn)
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 of 4 epochs"):
        assert model.fit(images) is model
    monkeypatch.undo()
    assert model.interrupted_ and len(model.history_) == 2
    assert same_parameters(model, quick(epochs=2, backend=backend).fit(images))
    model.resume(images)
    assert not model.interrupted_ and same_parameters(model, through)


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


@pytest.mark.parametrize("settings, error, words", [
    ({"hidden_layer_sizes": ()}, ValueError, "one or more"), ({"hidden_layer_sizes": 3}, ValueError, "layer sizes"),
    ({"hidden_layer_sizes": {3, 2}}, ValueError, "layer sizes"), ({"learning_rate": -1.0}, ValueError, "above 0"),
    ({"backend": np.array(["numpy", "auto"])}, ValueError, "does not exist"),
    ({"hidden_layer_sizes": (3, 0)}, ValueError, "at least 1"), ({"hidden_layer_sizes": (3.0,)}, TypeError, "integer"),
    ({"activation": "softmax"}, ValueError, "'relu'"), ({"output_activation": None}, ValueError, "output_activation"),
    ({"augment": "moved"}, TypeError, "augment must be a function"),
    ({"code_activation": "linear"}, ValueError, "code_activation must be one of .*'identity'"),
    ({"loss": "mae"}, ValueError, "'mse', 'bce'"), ({"optimizer": "lbfgs"}, ValueError, "'adam'"),
    ({"loss": "bce", "output_activation": "identity"}, ValueError, "needs output_activation='sigmoid'"),
    ({"learning_rate": 0}, ValueError, "above 0"), ({"learning_rate": np.nan}, ValueError, "finite"),
    ({"learning_rate": "fast"}, TypeError, "number"), ({"epochs": -1}, ValueError, "at least 0"),
    ({"epochs": 1.5}, TypeError, "integer"), ({"batch_size": 0}, ValueError, "at least 1"),
    ({"backend": "abacus"}, ValueError, "does not exist"),
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
                                     {"dtype": np.float64}, {"output_activation": "identity"}, {"loss": "bce"},
                                     {"code_activation": "identity"}])
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


def test_numpy_integers_are_saved(tmp_path, few_digits):
    quick(batch_size=np.int64(7), random_state=np.int64(3), epochs=np.int32(1)).fit(few_digits[0]).save(tmp_path / "m")
    assert Autoencoder.load(tmp_path / "m").batch_size == 7


def test_bce_wants_probabilities(rng):
    with pytest.raises(ValueError, match="from 0 to 1"):
        quick(loss="bce").fit(rng.normal(size=(10, 5)))


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


def drawn(rng, dtype=np.float64):
    """Images (40, 6) of which the last two pixels are always 0."""
    return np.column_stack([rng.random((40, 4)) + 0.1, np.zeros((40, 2))]).astype(dtype)


def with_dead_outputs(model, dead):
    """The model with ReLU outputs: biases make those in `dead` 0 for every image, and the others not."""
    def callback(model, row):
        if row["epoch"] == 1:
            biases = model.params_[f"b{len(model.widths_) - 1}"]
            biases[:], biases[dead] = 50, -1000

    return model.set_params(output_activation="relu", callbacks=(callback,))


@pytest.mark.parametrize("settings", [{}, {"backend": "numpy"}, {"dtype": np.float64}, {"optimizer": "sgd"}])
def test_dead_outputs_are_told_once(rng, settings):
    model = with_dead_outputs(quick(hidden_layer_sizes=(5, 3), **settings), [1, 3, 4])
    words = r"^2 of 6 outputs are 0 for each row.*output_activation='sigmoid'.*weight_init.*biases params_\['b4'\]"
    with pytest.warns(ConvergenceWarning, match=words) as caught:
        model.fit(drawn(rng))
    assert len(caught) == 1 and caught[0].filename == __file__
    assert not model.reconstruct(drawn(rng))[:, [1, 3]].any()


def test_dead_outputs_are_told_before_the_training_ends(rng):
    model = with_dead_outputs(quick(epochs=1000), [2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="1 of 6 outputs"):
            model.fit(drawn(rng))
    assert len(model.history_) == 2
    X = drawn(rng)
    model = quick(hidden_layer_sizes=(5, 3), output_activation="relu", epochs=0).fit(X)
    model.params_["b4"][:] = [-1000, 50, 50, 50, 50, 50]
    with pytest.warns(ConvergenceWarning, match="1 of 6 outputs"):  # though there is no second epoch
        model.set_params(epochs=1).resume(X)


def test_dead_outputs_are_told_where_a_callback_ends_the_training_after_one_epoch(rng):
    model = with_dead_outputs(quick(epochs=1000), [2]).set_params(
        callbacks=(*with_dead_outputs(quick(), [2]).callbacks, lambda model, row: True))
    with pytest.warns(ConvergenceWarning, match="1 of 6 outputs"):
        model.fit(drawn(rng))
    assert len(model.history_) == 1


@pytest.mark.parametrize("output", ["relu", "identity", "sigmoid", "tanh"])
@pytest.mark.parametrize("change", [np.positive, np.negative, np.zeros_like])
def test_no_output_is_dead_that_can_learn_or_has_nothing_to_draw(rng, output, change):
    model = with_dead_outputs(quick(hidden_layer_sizes=(5, 3)), []).set_params(output_activation=output)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(change(drawn(rng)))


def test_dead_pixels_of_digits_are_reported(few_digits):
    with pytest.warns(ConvergenceWarning, match="outputs are 0 for each row of X"):
        model = quick(output_activation="relu", weight_init="glorot", epochs=10).fit(few_digits[0])
    black = (model.reconstruct(few_digits[0]).max(axis=0) == 0) & (few_digits[0].max(axis=0) > 0)
    assert np.count_nonzero(black) > 50


def test_ctrl_c_in_the_first_epoch_has_nothing_to_keep(few_digits, monkeypatch):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt

    model, fitted = quick(backend="numpy"), quick(backend="numpy", epochs=1).fit(few_digits[0])
    codes = fitted.transform(few_digits[0])
    monkeypatch.setitem(optim.STEPS, "adam", interrupted)
    for tried in (model, fitted):
        with pytest.raises(KeyboardInterrupt):
            tried.fit(few_digits[0])
    assert not hasattr(model, "history_") and np.array_equal(fitted.transform(few_digits[0]), codes)
