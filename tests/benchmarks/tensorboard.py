"""What logs for TensorBoard cost: the main job's training, with an entry after every epoch.

    python -m tests.benchmarks.tensorboard [--json FILE] [--picture FILE]

The callback is timed within the training, so both are measured in the same minute, whatever else the machine does.
"""

import tempfile
import time

from aelearn import load_mnist
from aelearn.autoencoder.callbacks import TensorBoard
from aelearn.jobs.main_job import N_WATCHED, Settings, make_autoencoder
from tests.benchmarks.harness import Table, main, peers, summary

ROUNDS, N_EPOCHS = 3, 40


class Timed(TensorBoard):
    """TensorBoard that adds up the seconds it takes."""

    seconds = 0.0

    def _timed(self, function, *arguments):
        begun = time.perf_counter()
        function(*arguments)
        self.seconds += time.perf_counter() - begun

    def begin(self, model):
        self._timed(super().begin, model)

    def __call__(self, model, row):
        self._timed(super().__call__, model, row)

    def finish(self, model):
        self._timed(super().finish, model)


def share(images, validation, shown, labels, **settings):
    """The seconds of the logs, and those of a training without them."""
    with tempfile.TemporaryDirectory() as folder:
        log = Timed(folder, shown, labels, **settings)
        model = make_autoencoder(Settings(epochs=N_EPOCHS)).set_params(callbacks=(log,))
        begun = time.perf_counter()
        model.fit(images, validation=validation)
        return log.seconds, time.perf_counter() - begun - log.seconds


def run():
    """The main job's training with logs for TensorBoard, with and without histograms."""
    table = Table(f"Logs for TensorBoard, {N_EPOCHS} epochs of the main job's training",
                  ["", "logs, an epoch", "training, an epoch", "share"])
    if len(peers("tensorboard", "tensorboardX")) < 2:
        table.notes.append("TensorBoard is not installed (extra: tensorboard): not run")
        return table
    images, validation = (load_mnist(split, digits=(0, 1))[0] for split in ("train", "validation"))
    shown, labels = (part[:N_WATCHED] for part in load_mnist("test", digits=(0, 1)))
    for name, settings in (("without histograms", {}), ("with histograms", {"histograms": True})):
        share(images, validation, shown, labels, **settings)  # the kernels compile
        logs, training = zip(*(share(images, validation, shown, labels, **settings) for _ in range(ROUNDS)))
        ratio = summary([a / b for a, b in zip(logs, training)]).median
        table.rows.append([name, *(summary([s / N_EPOCHS for s in seconds]) for seconds in (logs, training)),
                           f"{ratio:.1%}"])
        table.numbers[name] = ratio
    return table


if __name__ == "__main__":
    main(run)
