"""Stopping early and checkpoints; what a callback sees, and that it keeps no state of its own."""

import numpy as np
import pytest

from aelearn import Autoencoder, Checkpoint, EarlyStopping
from aelearn.autoencoder.callbacks import LivePlot
from aelearn.core.validation import ConvergenceWarning
from tests.small import quick, same_parameters


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


def test_a_training_that_was_stopped_early_stays_stopped(tmp_path, few_digits):
    images = few_digits[0]
    rule = EarlyStopping(2, monitor="loss", min_delta=10)
    model = quick(epochs=50, callbacks=(rule, Checkpoint(tmp_path / "c.npz", every=1))).fit(images)
    again = Autoencoder.load(tmp_path / "c.npz").set_params(callbacks=(rule,)).resume(images)
    assert len(model.history_) == len(again.history_) == 3 and same_parameters(model, again)


def test_checkpoint_only_every_few_epochs(tmp_path, few_digits):
    path = tmp_path / "c.npz"
    quick(epochs=5, callbacks=(Checkpoint(path, every=3),)).fit(few_digits[0])
    assert len(Autoencoder.load(path).history_) == 3
    with pytest.raises(ValueError, match="every"):
        Checkpoint(path, every=0)


class Recorder:
    """A callback that notes what it is called for, and can fail."""

    def __init__(self, fails_at=None, error=RuntimeError):
        self.calls, self.fails_at, self.error = [], fails_at, error

    def begin(self, model):
        self._note("begin", len(model.history_))

    def __call__(self, model, row):
        self._note(row["epoch"], len(model.history_))

    def finish(self, model):
        self.calls.append(("finish", len(model.history_)))

    def _note(self, what, n_epochs):
        self.calls.append((what, n_epochs))
        if what == self.fails_at:
            raise self.error("as it was asked to")


def test_begin_and_finish(few_digits):
    images, recorder = few_digits[0], Recorder()
    model = quick(epochs=2, callbacks=(recorder, lambda model, row: False)).fit(images)
    assert recorder.calls == [("begin", 0), (1, 1), (2, 2), ("finish", 2)]
    recorder.calls.clear()
    model.set_params(epochs=3).resume(images)
    assert recorder.calls == [("begin", 2), (2, 2), (3, 3), ("finish", 3)]
    recorder.calls.clear()
    model.set_params(epochs=5, callbacks=(recorder, lambda model, row: True)).resume(images)
    assert recorder.calls == [("begin", 3), (3, 3), ("finish", 3)]


def test_finish_is_called_however_the_training_ends(few_digits):
    stopped, failed, at_once = Recorder(2, KeyboardInterrupt), Recorder(2), Recorder("begin")
    with pytest.warns(ConvergenceWarning, match="interrupted after 2"):
        quick(callbacks=(stopped,)).fit(few_digits[0])
    with pytest.raises(RuntimeError, match="as it was asked to"):
        quick(callbacks=(failed,)).fit(few_digits[0])
    assert stopped.calls == failed.calls == [("begin", 0), (1, 1), (2, 2), ("finish", 2)]
    with pytest.raises(RuntimeError, match="as it was asked to"):
        quick(callbacks=(at_once,)).fit(few_digits[0])
    assert at_once.calls == [("begin", 0), ("finish", 0)]


LIVE_PLOT = """
from aelearn import Autoencoder, load_mnist
from aelearn.autoencoder.callbacks import LivePlot

class Counted(LivePlot):
    INTERVAL, n_drawn = 0.0, 0

    def _draw(self, model):
        self.n_drawn += 1
        super()._draw(model)

plot = Counted(reference={2: 0.05}, alt="a falling loss")
images = load_mnist("train", digits=(0, 1))[0][:500]
model = Autoencoder((16, 3), epochs=3, backend="numpy", callbacks=(plot,), random_state=0).fit(images)
print(plot.n_drawn > 1, len(model.history_))"""


def test_live_plot_is_one_picture_in_a_notebook():
    nbclient, nbformat = (pytest.importorskip(name, reason="the extra 'lessons' is not installed")
                          for name in ("nbclient", "nbformat"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LIVE_PLOT)])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3",
                            extra_arguments=["--log-level=ERROR"]).execute()
    picture, printed = book.cells[0].outputs
    assert printed.text == "True 3\n" and picture.data["text/plain"] == "a falling loss"
    assert 'alt="a falling loss"' in picture.data["text/html"]


def test_live_plot_does_nothing_outside_of_a_notebook(few_digits, capsys):
    plot = LivePlot()
    quick(epochs=2, callbacks=(plot,)).fit(few_digits[0])
    assert plot._shown is None and capsys.readouterr() == ("", "")
