"""Callbacks that show a training while it runs: a loss curve in a notebook, logs for TensorBoard.

They are offered by callbacks.py, which says what a callback is. The files of a log are written by event_log.py.

Shapes: M images to be shown, D pixels, C numbers in a code.
"""

import math
import numbers
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from aelearn import metrics
from aelearn.autoencoder import event_log
from aelearn.autoencoder.settings import as_dtype
from aelearn.core.files import writable_folder
from aelearn.core.validation import ConvergenceWarning, as_array, check_array, check_integer, warn
from aelearn.kmeans import KMeans

SCORES = ("clusters/accuracy", "clusters/nmi", "clusters/ari")  # what TensorBoard calls those of metrics.scores


class LivePlot:
    """Draw the loss curve below a cell of a Jupyter notebook, and draw it anew while the network is trained.

    reference  {epoch: loss} of another system, drawn as markers
    alt        what the picture shows, in words, for people who cannot see it

    After the first epoch it is drawn at most once every INTERVAL seconds, and less often if this would take more than a
    tenth of the time; and once more when the training is over. Outside of Jupyter nothing happens.
    """

    INTERVAL = 1.0

    def __init__(self, *, reference=None, alt="The loss after each epoch of the training"):
        self.reference, self.alt = reference, alt
        self._shown = None  # during a training: the picture below the cell

    def begin(self, autoencoder):
        """The first picture is due at once."""
        self._due = 0.0

    def __call__(self, autoencoder, row):
        """Draw the curve, if it is time to."""
        if _in_jupyter() and time.monotonic() >= self._due:
            begun = time.monotonic()
            self._draw(autoencoder)
            now = time.monotonic()
            self._due = now + max(self.INTERVAL, 9 * (now - begun))

    def finish(self, autoencoder):
        """Draw the whole curve."""
        if self._shown is not None:
            self._draw(autoencoder)
            self._shown = None

    def _draw(self, autoencoder):
        from IPython.display import display

        from aelearn import plotting
        from aelearn.plotting.picture import Picture

        picture = Picture(plotting.loss_curve(autoencoder.history_, loss=autoencoder.loss, reference=self.reference),
                          self.alt)
        if self._shown is None:
            self._shown = display(picture, display_id=True)
        else:
            self._shown.update(picture)


def _in_jupyter():
    """Whether this runs in a kernel, so that pictures can be shown."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


class TensorBoard:
    """Write logs into `folder`, to be watched, also during the training, with `tensorboard --logdir folder`.

    images      (M, D), a few hundred, not necessarily those of the training: the first SHOWN of them are shown beside
                their reconstructions; all of them are in the Embedding Projector, with their codes
    labels      (M,), the classes of the images: the clusters that k-means finds among their codes are scored against
                them. The training does not see them
    shape       (rows, columns) of an image; None: square, or a single row if D is no square
    every       epochs from one entry to the next
    histograms  whether to log histograms of weights and biases as well, which takes much longer than everything else

    What is logged: loss, validation loss, seconds, learning rate, the norms of the parameters and of their gradients
    (those of an epoch's last batch), reconstructions, accuracy, NMI and ARI; before the training the graph of the
    network and the settings (in TensorBoard: HParams); after it, however it ended, the codes for the Embedding
    Projector.

    One run has one folder. After `resume` the curves in it go on; a new `fit` hides those of the last one, but HParams
    still shows the settings of the first.

    Needs the extra `tensorboard`: raises ModuleNotFoundError if it is not installed. `begin`, before any training,
    raises OSError if the folder cannot be written or the disk is full, ValueError for images that do not fit. If the
    folder can no longer be written later, there is a warning, and the training goes on without logs.
    """

    SHOWN = 6
    ROOM = 2**20  # bytes that must be free in the beginning, in addition to those of the images

    def __init__(self, folder, images=None, labels=None, *, shape=None, every=1, histograms=False):
        event_log.require()
        self.folder, self.every, self.histograms = Path(folder), check_integer("every", every, 1), histograms
        self.images = None if images is None else check_array(images, name="images", estimator="TensorBoard")
        self.labels = None if labels is None else as_array(labels, "labels")
        if labels is not None and (images is None or self.labels.shape != (len(self.images),)):
            raise ValueError(f"labels has the shape {self.labels.shape}, but needs one label for each of images, "
                             f"of which there are {0 if images is None else len(self.images)}")
        self.shape = None if images is None else self._shape(shape)
        self._log = None  # open during a training

    def _shape(self, shape):
        """(rows, columns) of an image, checked."""
        (n, n_pixels), side = self.images.shape, math.isqrt(self.images.shape[1])
        if shape is None:
            shape = (side, side) if side**2 == n_pixels else (1, n_pixels)
        if not isinstance(shape, (tuple, list)) or len(shape) != 2 or math.prod(shape) != n_pixels:
            raise ValueError(f"shape must be (rows, columns) of an image of {n_pixels} pixels; got {shape!r}")
        most = (event_log.LARGEST_SPRITE // max(shape))**2
        if n > most:
            raise ValueError(f"the Embedding Projector shows at most {most:,} images of this shape; got {n:,}: "
                             f"pass fewer, such as images[:1000]")
        return tuple(shape)

    def begin(self, autoencoder):
        """Open the log, and write what is known before the training."""
        room = self.ROOM
        if self.images is not None:
            if self.images.shape[1] != autoencoder.n_features_in_:
                raise ValueError(f"the images for TensorBoard have {self.images.shape[1]} pixels, "
                                 f"those of the training {autoencoder.n_features_in_}")
            self._X = as_dtype(self.images, autoencoder._training.vector.dtype, autoencoder.loss)  # (M, D)
            room += self.images.size
        writable_folder(self.folder, "the folder for TensorBoard", n_bytes=room)
        self._n_before = len(autoencoder.history_)
        goes_on = self._n_before > 0 and event_log.has_events(self.folder)
        self._log = event_log.EventLog(self.folder, purge_step=self._n_before + 1 if goes_on else 0)
        self._log.add_graph(autoencoder._architecture)
        self._log.add_settings(_settings_of(autoencoder), ("loss", *SCORES) if self.labels is not None else ("loss",))
        for row in [] if goes_on else autoencoder.history_:
            self._log.add(row["epoch"], scalars=_figures_of(row))
        self._log.flush()

    def __call__(self, autoencoder, row):
        """Log the epoch of `row`, if its number is a multiple of `every` and it is not in the log already."""
        if self._log is not None and row["epoch"] > self._n_before and row["epoch"] % self.every == 0:
            self._try(self._add_epoch, autoencoder, row)

    def finish(self, autoencoder):
        """Write the codes for the Embedding Projector, and close the log."""
        if self._log is not None and self.images is not None and autoencoder.history_:
            self._try(event_log.write_projector, self.folder, self._codes(autoencoder), self.labels, self.images,
                      self.shape)
        self._close()

    def _add_epoch(self, autoencoder, row):
        params, gradient = autoencoder.params_, autoencoder._training.gradient
        scalars = {**_figures_of(row), "learning_rate": autoencoder.learning_rate}
        for group, arrays in (("weights", params), ("gradients", autoencoder._architecture.parameters(gradient))):
            scalars |= {f"norm_of_{group}/{name}": np.linalg.norm(array) for name, array in arrays.items()}
        pictures = {}
        if self.images is not None:
            shown = self._X[:self.SHOWN]  # (6, D)
            pictures["reconstructions"] = event_log.pairs(shown, autoencoder._evaluate(shown), self.shape)
        if self.labels is not None:
            scalars |= self._scores_of(autoencoder)
        histograms = {f"values_of/{name}": array for name, array in params.items()} if self.histograms else {}
        self._log.add(row["epoch"], scalars=scalars, pictures=pictures, histograms=histograms)
        self._log.flush()

    def _codes(self, autoencoder):
        """The codes of the images, (M, C)."""
        return autoencoder._evaluate(self._X, last=autoencoder._n_encoder_layers)

    def _scores_of(self, autoencoder):
        """Accuracy, NMI and ARI of clusters of the codes, as many as there are classes."""
        kmeans = KMeans(len(np.unique(self.labels)), backend=autoencoder.backend, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # early codes may be all alike
            clusters = kmeans.fit_predict(self._codes(autoencoder))  # (M,)
        return dict(zip(SCORES, metrics.scores(self.labels, clusters).values()))

    def _try(self, write, *arguments):
        """Call write(*arguments). An OSError becomes a warning, and the log is closed."""
        try:
            write(*arguments)
        except OSError as error:
            warn(f"{self.folder} cannot be written any more, so the training is no longer logged for TensorBoard: "
                 f"{error.strerror}", UserWarning)
            self._close()

    def _close(self):
        if self._log is not None:
            self._log.close()
            self._log = None


def _figures_of(row):
    """The numbers of a row of `history_`, without those that are None."""
    return {name: value for name, value in row.items() if name != "epoch" and value is not None}


def _settings_of(autoencoder):
    """The settings of an Autoencoder that are of interest beside its results, as numbers and strings."""
    settings = {name: value for name, value in autoencoder.get_params().items() if name not in ("callbacks", "verbose")}
    settings["loss_function"] = settings.pop("loss")  # "loss" is a result
    settings |= {"dtype": np.dtype(autoencoder.dtype).name, "widths": "-".join(map(str, autoencoder.widths_))}
    return {name: float(value) if isinstance(value, numbers.Real) else str(value) for name, value in settings.items()}
