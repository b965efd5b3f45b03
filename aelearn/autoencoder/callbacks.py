"""Callbacks: what to do after each epoch of training.

A callback is any function `callback(autoencoder, row)`. It is called after each epoch with the estimator, whose
parameters and `history_` are those of that epoch, and the newest row of `history_`. If it returns True, training stops.

A callback may also have two methods: `begin(autoencoder)` is called before the first epoch of a `fit` or a `resume`;
`history_` is empty only in a `fit`. If it raises an exception, there is no training. `finish(autoencoder)` is called
when the training is over, whatever has ended it: the last epoch, a callback, Ctrl-C or any other exception. (Then, too,
parameters and `history_` are those of the last whole epoch.)

EarlyStopping and Checkpoint are here. They keep no state of their own: all they need is in `history_`. So a run that
was killed and resumed does the same as an uninterrupted one. LivePlot and TensorBoard, which show a training, are in
watching.py.
"""

from pathlib import Path

from aelearn.autoencoder.watching import LivePlot as LivePlot, TensorBoard as TensorBoard
from aelearn.core.validation import check_choice, check_integer, check_number


class EarlyStopping:
    """Stop when `monitor` ("validation_loss" or "loss") has not decreased for `patience` epochs.

    An epoch counts as an improvement if it is lower than the best before it by more than `min_delta`. The parameters
    remain those of the last epoch. Raises ValueError if there is no validation loss to monitor.
    """

    def __init__(self, patience=10, *, monitor="validation_loss", min_delta=0.0):
        self.patience = check_integer("patience", patience, 1)
        self.monitor = check_choice("monitor", monitor, ("validation_loss", "loss"))
        self.min_delta = check_number("min_delta", min_delta, 0)

    def __call__(self, autoencoder, row):
        """True if training should stop after the epoch of `row`."""
        if row[self.monitor] is None:
            raise ValueError("EarlyStopping monitors the validation loss: call fit(X, validation=...) "
                             "or EarlyStopping(monitor='loss')")
        best, best_epoch = float("inf"), 0
        for past in autoencoder.history_:
            if past[self.monitor] < best - self.min_delta:
                best, best_epoch = past[self.monitor], past["epoch"]
        return row["epoch"] - best_epoch >= self.patience


class Checkpoint:
    """Save the autoencoder to `path` every `every` epochs, completely or not at all.

    Autoencoder.load(path).resume(X) continues from there, with the same bits as an uninterrupted run.
    """

    def __init__(self, path, *, every=5):
        self.path = Path(path)
        self.every = check_integer("every", every, 1)

    def __call__(self, autoencoder, row):
        """Save if the number of the epoch is a multiple of `every`."""
        if row["epoch"] % self.every == 0:
            autoencoder.save(self.path)
