"""The logs for TensorBoard, read back with its event reader; what happens if they cannot be written.

tests/test_tensorboard.py looks at the same through TensorBoard's server.
"""

import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard", reason="TensorBoard is not installed (extra: tensorboard)")
pytest.importorskip("tensorboardX", reason="tensorboardX is not installed (extra: tensorboard)")

from aelearn import Autoencoder, KMeans, metrics
from aelearn.autoencoder import event_log
from aelearn.autoencoder.callbacks import TensorBoard
from aelearn.autoencoder.network import Architecture
from tests.small import quick


def read(folder):
    """The events in a folder, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def curve(folder, name):
    """The steps and the values of a scalar."""
    events = read(folder).Scalars(name)
    return [event.step for event in events], [event.value for event in events]


def test_a_training_is_logged(tmp_path, few_digits):
    images, labels = few_digits
    model = quick(callbacks=(TensorBoard(tmp_path, images[:50], labels[:50]),)).fit(images, validation=images[:50])
    for name in ("loss", "validation_loss"):
        steps, values = curve(tmp_path, name)
        assert steps == [1, 2, 3, 4]
        np.testing.assert_allclose(values, [row[name] for row in model.history_], rtol=1e-6)
    for name, array in model.params_.items():
        assert curve(tmp_path, f"norm_of_weights/{name}")[1][-1] == pytest.approx(np.linalg.norm(array), rel=1e-5)
    clusters = KMeans(2, random_state=0).fit_predict(model.transform(images[:50]))
    for name, value in metrics.scores(labels[:50], clusters).items():
        assert curve(tmp_path, f"clusters/{name}")[1][-1] == pytest.approx(value, rel=1e-6)
    assert read(tmp_path).Tags()["histograms"] == []


def test_the_norms_of_the_gradients_are_those_of_the_last_batch(tmp_path, few_digits):
    images = few_digits[0][:60]  # a single batch, whose gradient is that of all images, at the parameters before it
    settings = {"optimizer": "sgd", "learning_rate": 0.5, "batch_size": 60, "dtype": np.float64,
                "backend": "numpy"}
    before = quick(epochs=1, **settings).fit(images)
    quick(epochs=2, callbacks=(TensorBoard(tmp_path),), **settings).fit(images)
    for name, gradient in before.loss_and_gradients(images)[1].items():
        assert curve(tmp_path, f"norm_of_gradients/{name}")[1][1] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


def test_only_every_few_epochs_and_with_histograms(tmp_path, few_digits):
    model = quick(epochs=7, callbacks=(TensorBoard(tmp_path, every=3, histograms=True),)).fit(few_digits[0])
    assert curve(tmp_path, "loss")[0] == [3, 6]
    log = read(tmp_path)
    assert {f"values_of/{name}" for name in model.params_} == set(log.Tags()["histograms"])
    assert log.Histograms("values_of/W1")[-1].histogram_value.num == 784 * 16
    assert log.Tags()["images"] == []


def test_data_frames_and_smallest_codes(tmp_path, rng, recwarn):
    """What the callback computes depends neither on column names nor on set_output, and warns of neither."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    frame = pandas.DataFrame(rng.random((30, 4)), columns=list("abcd"))
    watch = TensorBoard(tmp_path, frame[:5], ["a", "b\tc", "a", "ä", "a"], histograms=True)
    model = Autoencoder((3, 1), epochs=2, random_state=0, callbacks=(watch,)).set_output(transform="pandas")
    codes = model.fit(frame).transform(frame[:5])
    np.testing.assert_allclose(np.loadtxt(tmp_path / "projector" / "codes.tsv"), codes.to_numpy()[:, 0], rtol=1e-5)
    labels = (tmp_path / "projector" / "labels.tsv").read_text(encoding="utf-8")
    assert labels.splitlines() == ["a", "b c", "a", "ä", "a"]
    assert curve(tmp_path, "clusters/accuracy")[0] == [1, 2] and len(recwarn) == 0


def test_a_new_fit_hides_the_last_one_and_a_resumed_one_goes_on(tmp_path, few_digits):
    images = few_digits[0]
    quick(epochs=9, random_state=1, callbacks=(TensorBoard(tmp_path),)).fit(images)
    model = quick(epochs=3, callbacks=(TensorBoard(tmp_path),)).fit(images)
    assert curve(tmp_path, "loss")[0] == [1, 2, 3]
    model.set_params(epochs=5).resume(images)
    steps, values = curve(tmp_path, "loss")
    assert steps == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(values, [row["loss"] for row in model.history_], rtol=1e-6)


def test_epochs_after_the_checkpoint_are_logged_anew(tmp_path, few_digits):
    images = few_digits[0]
    quick(epochs=3).fit(images).save(tmp_path / "checkpoint.npz")
    quick(epochs=6, callbacks=(TensorBoard(tmp_path),)).fit(images)  # as if it was killed after this epoch
    again = Autoencoder.load(tmp_path / "checkpoint.npz").set_params(epochs=5, callbacks=(TensorBoard(tmp_path),))
    again.resume(images)
    assert curve(tmp_path, "loss")[0] == curve(tmp_path, "norm_of_gradients/W1")[0] == [1, 2, 3, 4, 5]


def test_a_training_that_was_not_logged_before_has_its_losses_in_the_log(tmp_path, few_digits):
    model = quick(epochs=3).fit(few_digits[0])
    model.set_params(epochs=5, callbacks=(TensorBoard(tmp_path),)).resume(few_digits[0])
    assert curve(tmp_path, "loss")[0] == [1, 2, 3, 4, 5] and curve(tmp_path, "learning_rate")[0] == [4, 5]


def test_the_graph_has_every_layer_with_its_shapes():
    graph = event_log.graph_of(Architecture((784, 128, 3, 128, 784), "tanh", "sigmoid", "bce"))
    nodes = {node.name: node for node in graph.node}
    assert len(nodes) == len(graph.node) == 1 + 4 * 5 + 1
    assert all(source in nodes for node in graph.node for source in node.input)

    def shape(name):
        return tuple(size.size for size in nodes[name].attr["_output_shapes"].list.shape[0].dim)

    assert shape("encoder/layer_1/W1") == (784, 128) and shape("encoder/layer_2/tanh") == (-1, 3)
    assert shape("decoder/layer_4/b4") == (784,) and shape("decoder/layer_4/sigmoid") == shape("images") == (-1, 784)
    assert list(nodes["loss/bce"].input) == ["decoder/layer_4/sigmoid", "images"] and shape("loss/bce") == ()
    assert list(nodes["decoder/layer_3/matmul"].input) == ["encoder/layer_2/tanh", "decoder/layer_3/W3"]


def test_images_of_any_shape(tmp_path, rng):
    images = rng.random((5, 12))
    model = Autoencoder((3, 2), epochs=1, random_state=0)
    model.set_params(callbacks=(TensorBoard(tmp_path / "a", images, shape=(4, 3)),)).fit(images)
    with Image.open(tmp_path / "a" / "projector" / "images.png") as image:
        picture = np.asarray(image)
    assert picture.shape == (12, 12)  # three rows and columns of squares of 4 pixels
    np.testing.assert_array_equal(picture[4:8, 4:7].ravel(), event_log.as_pixels(images)[4])
    assert not picture[:, 3::4].any() and not picture[8:].any()
    model.set_params(callbacks=(TensorBoard(tmp_path / "b", images),)).fit(images)  # a row of 12 pixels
    assert not (tmp_path / "b" / "projector" / "labels.tsv").exists()
    assert event_log.as_pixels(np.full(3, 7.0)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("arguments, words", [
    ({"every": 0}, "every"), ({"labels": [0, 1]}, "one label for each of images"),
    ({"images": np.zeros((3, 4)), "labels": [0, 1]}, "one label for each of images"),
    ({"images": np.zeros((3, 4)), "shape": (3, 2)}, r"shape must be \(rows, columns\) of an image of 4 pixels"),
    ({"images": np.zeros((3, 4)), "shape": 4}, "shape must be"),
    ({"images": np.zeros((3, 9000))}, "at most 0 images of this shape"), ({"images": np.zeros(4)}, "images has shape"),
])
def test_bad_arguments(tmp_path, arguments, words):
    with pytest.raises(ValueError, match=words):
        TensorBoard(tmp_path, **arguments)


def test_what_cannot_work_is_told_before_the_training(tmp_path, few_digits, monkeypatch):
    images = few_digits[0]
    model = quick(callbacks=(TensorBoard(tmp_path, np.zeros((2, 9))),))
    with pytest.raises(ValueError, match="images for TensorBoard have 9 pixels, those of the training 784"):
        model.fit(images)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="the folder for TensorBoard .*file cannot be written"):
        quick(callbacks=(TensorBoard(tmp_path / "file"),)).fit(images)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'aelearn\[tensorboard\]' installs them"):
        TensorBoard(tmp_path)


def test_a_full_disk(tmp_path, few_digits):
    """Simulated: files of this process may not grow beyond a size."""
    resource = pytest.importorskip("resource", reason="the size of files can be limited on POSIX systems only")
    images, before = few_digits[0], resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(model, row):
        if row["epoch"] == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))

    log = TensorBoard(tmp_path / "a", images[:9])
    model = quick(epochs=5, backend="numpy", callbacks=(log, fill_the_disk))
    try:
        with pytest.warns(UserWarning, match="a cannot be written any more, .* no longer logged .*: File too large"):
            model.fit(images)
        with pytest.raises(OSError, match="the folder for TensorBoard .*b cannot be written: File too large"):
            quick(callbacks=(TensorBoard(tmp_path / "b"),)).fit(images)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(model.history_) == 5 and curve(tmp_path / "a", "loss")[0] == [1, 2]
    assert list((tmp_path / "b").iterdir()) == []
