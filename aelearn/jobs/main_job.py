"""The main job, the command `aelearn`: images -> codes -> clusters -> report.

    load     the images of some digits, for training, validation and test
    train    an autoencoder that compresses each image into a few numbers, its code
    cluster  the codes by k-means, which never sees a label
    score    the clusters against the labels, on training and on test images, and two baselines
    write    the report, tables and pictures (results.py)

`run` does all of this with the given `Settings`; the functions after it are its steps, in order.

Shapes: N training images, M test images, D pixels, C numbers in a code.
"""

import json
import platform
import time
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import aelearn
from aelearn import kernels, metrics
from aelearn.autoencoder import Autoencoder
from aelearn.autoencoder.callbacks import Checkpoint, TensorBoard
from aelearn.autoencoder.losses import mean_squared_error
from aelearn.core.files import replacing, writable_folder
from aelearn.core.output_containers import only_arrays
from aelearn.core.progress import progress
from aelearn.core.validation import check_integer, load_backend
from aelearn.data import image_shape, load_mnist
from aelearn.jobs import results
from aelearn.kernels import UnavailableError as UnavailableError
from aelearn.kmeans import KMeans
from aelearn.pca import PCA

CHECKPOINT_EVERY = 5  # epochs
N_WATCHED = 400  # test images that TensorBoard shows
N_STARTS = 4  # of k-means, the best is kept: codes, pixels and components alike


@dataclass(frozen=True)
class Settings:
    """The settings of the job; the defaults are the original script's.

    data           folder of IDX files; None: the MNIST that comes with aelearn
    digits         the labels whose images are used
    hidden         units of the encoder's layers before the code
    code_size      numbers in a code
    clusters       K of k-means; None: one for each digit
    out            folder for the results
    resume         continue from the checkpoint in `out`, or train the finished run there for more epochs
    tensorboard    folder for logs of the training, to be watched with TensorBoard; None: no logs

    The others are those of Autoencoder; `seed` is the random_state of Autoencoder and of k-means.
    """

    data: str | None = None
    digits: tuple = (0, 1)
    hidden: tuple = (128,)
    code_size: int = 3
    epochs: int = 150
    batch_size: int = 48
    learning_rate: float = 3e-3
    loss: str = "mse"
    clusters: int | None = None
    backend: str = "auto"
    seed: int = 0
    out: str = "out"
    resume: bool = False
    tensorboard: str | None = None


class Interrupted(Exception):
    """Ctrl-C ended the training; the checkpoint contains what was learnt."""


@dataclass(frozen=True)
class Images:
    """The images of three splits, (N, D), two with labels, (N,); and the shape (rows, columns) of an image."""

    train: np.ndarray
    train_labels: np.ndarray
    validation: np.ndarray | None
    test: np.ndarray
    test_labels: np.ndarray
    shape: tuple


@dataclass(frozen=True)
class Clusters:
    """k-means on the training codes, and the clusters of all images.

    codes (N, C) and labels (N,) of the training images; test_codes (M, C) and test_labels (M,); kmeans, fitted;
    matching {cluster: digit}, the best one for the training images
    """

    codes: np.ndarray
    labels: np.ndarray
    test_codes: np.ndarray
    test_labels: np.ndarray
    kmeans: KMeans
    matching: dict


@only_arrays()
def run(settings, *, say=print, callbacks=(), verbose=0):
    """Do the whole job and write its results into `settings.out`. Returns the report, a dict.

    say        a function that gets a line of text for each stage
    callbacks  called after each epoch of training
    verbose    if not 0, stages that take long show a progress bar

    Raises ValueError, TypeError, OSError or UnavailableError, before any training, for settings, data, a folder or a
    back end that cannot be used; ModuleNotFoundError, also before, if the extra `tensorboard` is needed and missing;
    Interrupted if Ctrl-C ended the training.
    """
    n_clusters, backend, seconds = _check(settings), load_backend(settings.backend), {}
    autoencoder = _from_checkpoint(settings) if settings.resume else make_autoencoder(settings)
    out = _folder_for_results(settings)

    with _timed(seconds, "load"), progress(verbose, "loading"):
        images = load(settings, n_clusters)
    _describe(images, settings, backend, say)
    with _timed(seconds, "train"):
        train(autoencoder.set_params(verbose=verbose), settings, images, out, say, callbacks)
    with _timed(seconds, "cluster"), progress(verbose, "k-means on codes"):
        clusters = cluster(autoencoder, images, n_clusters, settings)
    say(f"clusters  {n_clusters} in {clusters.kmeans.n_iter_} iterations of k-means on the codes")
    say("baselines the same k-means on raw pixels and on principal components")
    with _timed(seconds, "baselines"), progress(verbose, "k-means on pixels and on components"):
        baselines = score_baselines(images, n_clusters, settings)
    with progress(verbose, "scores"):
        report = {**score(settings, images, autoencoder, clusters, baselines), "backend": backend}
    with _timed(seconds, "write"), progress(verbose, "pictures and tables"):
        results.draw(images, autoencoder, clusters, out, compare=_is_the_original_training(settings))
        results.write_tables(images, autoencoder, clusters, out)
        autoencoder.save(out / "model.npz")

    report["seconds"] = {**seconds, "total": sum(seconds.values())}
    with replacing(out / "report.json", "w") as file:
        file.write(json.dumps(report, indent=2, allow_nan=False) + "\n")
    (out / "checkpoint.npz").unlink(missing_ok=True)
    say(f"written   {', '.join(results.FILES)} in {out}")
    return report


def _check(settings):
    """Raise for invalid settings before anything is read or written. Returns the number of clusters."""
    check_integer("--code-size", settings.code_size, 1)
    check_integer("--seed", settings.seed, 0)
    check_integer("--epochs", settings.epochs, 1)
    make_autoencoder(settings).check_settings()
    return check_integer("--clusters", len(settings.digits) if settings.clusters is None else settings.clusters, 1)


def _folder_for_results(settings):
    """The folder `settings.out`, writable. Raises ValueError if it has a checkpoint that would be lost."""
    out = writable_folder(settings.out)
    if not settings.resume and (out / "checkpoint.npz").exists():
        raise ValueError(f"{out / 'checkpoint.npz'} is left from a run that did not finish: "
                         "continue with --resume, remove it, or choose another --out")
    return out


@contextmanager
def _timed(seconds, stage):
    """Write the time that the block takes into seconds[stage]."""
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started


def load(settings, n_clusters):
    """All images of the digits, for training, validation (None if that split lacks a digit) and test.

    Raises ValueError for splits whose images differ in size, and for fewer training images than clusters.
    """
    def split(name):
        return load_mnist(name, digits=settings.digits, directory=settings.data)

    train_images, train_labels = split("train")
    test_images, test_labels = split("test")
    if train_images.shape[1] != test_images.shape[1]:
        raise ValueError(f"training images have {train_images.shape[1]} pixels, test images {test_images.shape[1]}")
    if n_clusters > len(train_images):
        raise ValueError(f"--clusters {n_clusters} is more than the {len(train_images)} training images")
    try:
        validation = split("validation")[0]
    except ValueError:  # its files were read without error above: this split has no image of some digit
        validation = None
    return Images(train_images, train_labels, validation, test_images, test_labels, image_shape(settings.data))


def _describe(images, settings, backend, say):
    """Say how many images there are, and which back end is used."""
    n_validation = "none" if images.validation is None else f"{len(images.validation):,}"
    say(f"images    {len(images.train):,} for training, {n_validation} for validation, "
        f"{len(images.test):,} for testing; digits {' '.join(map(str, settings.digits))}")
    if backend != "numpy":
        often = {"numba": "the first run on a machine", "cuda": "each run"}[backend]
        say(f"{backend:9} {kernels.get(backend).describe()}; {often} compiles for some seconds")


def make_autoencoder(settings):
    """The autoencoder for these settings, not trained yet."""
    return Autoencoder((*settings.hidden, settings.code_size), loss=settings.loss, epochs=settings.epochs,
                       batch_size=settings.batch_size, learning_rate=settings.learning_rate,
                       backend=settings.backend, random_state=settings.seed)


def train(autoencoder, settings, images, out, say, callbacks):
    """Train the autoencoder on the training images, from the beginning or from its checkpoint."""
    checkpoint = out / "checkpoint.npz"
    watchers = () if settings.tensorboard is None else (
        TensorBoard(settings.tensorboard, images.test[:N_WATCHED], images.test_labels[:N_WATCHED], shape=images.shape),)
    autoencoder.set_params(callbacks=(*callbacks, *watchers, Checkpoint(checkpoint, every=CHECKPOINT_EVERY)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")  # the exception below says it
        if settings.resume:
            if not autoencoder.was_fitted_to(images.train):
                raise ValueError("--resume: the checkpoint was made with other images, from another --data or --digits")
            say(f"resuming  after epoch {len(autoencoder.history_)}")
            autoencoder.resume(images.train, validation=images.validation)
        else:
            autoencoder.fit(images.train, validation=images.validation)
    if autoencoder.interrupted_:
        if not autoencoder.history_:
            raise Interrupted("interrupted before the first epoch was done; nothing is saved")
        autoencoder.save(checkpoint)
        raise Interrupted(f"interrupted after epoch {len(autoencoder.history_)} of {settings.epochs}; "
                          f"what was learnt is in {checkpoint}, --resume continues from there")
    widths = "-".join(map(str, autoencoder.widths_))
    say(f"trained   {widths}, {len(autoencoder.history_)} epochs, loss {autoencoder.history_[-1]['loss']:.5f}")


def _from_checkpoint(settings):
    """The autoencoder of an unfinished run (checkpoint.npz), or of a finished one (model.npz), to continue training.

    Raises ValueError unless its settings are the same, except for a larger number of epochs.
    """
    checkpoint = Path(settings.out) / "checkpoint.npz"
    if not checkpoint.is_file():
        checkpoint = Path(settings.out) / "model.npz"
    if not checkpoint.is_file():
        raise ValueError(f"--resume: {settings.out} holds no checkpoint.npz or model.npz; run without --resume")
    autoencoder, wanted = Autoencoder.load(checkpoint), make_autoencoder(settings).get_params()
    for name, value in autoencoder.get_params().items():
        if name not in ("epochs", "callbacks", "backend") and value != wanted[name]:
            flag = {"hidden_layer_sizes": "--hidden and --code-size", "random_state": "--seed"}.get(
                name, "--" + name.replace("_", "-"))
            raise ValueError(f"--resume: {checkpoint} was made with {name} {value}, not {wanted[name]}: "
                             f"pass {flag} as before")
    if len(autoencoder.history_) > settings.epochs:
        raise ValueError(f"--resume: {checkpoint} was trained for {len(autoencoder.history_)} epochs, "
                         f"more than --epochs {settings.epochs}")
    return autoencoder.set_params(epochs=settings.epochs, backend=settings.backend)


def cluster(autoencoder, images, n_clusters, settings):
    """k-means on the codes of all training images. The labels name the clusters; they do not help to find them."""
    codes, test_codes = autoencoder.transform(images.train), autoencoder.transform(images.test)  # (N, C), (M, C)
    kmeans = _kmeans(n_clusters, settings).fit(codes)
    matching = metrics.best_matching(images.train_labels, kmeans.labels_)
    return Clusters(codes, kmeans.labels_, test_codes, kmeans.predict(test_codes), kmeans, matching)


def _kmeans(n_clusters, settings):
    """The same k-means for codes, pixels and components."""
    return KMeans(n_clusters, n_init=N_STARTS, backend=settings.backend, random_state=settings.seed)


def score_baselines(images, n_clusters, settings):
    """The same k-means on raw pixels and on as many principal components as a code has numbers."""
    n_components = min(settings.code_size, *images.train.shape)
    table = {}
    for name, X in (("raw", images.train), ("pca", PCA(n_components).fit_transform(images.train))):
        kmeans = _kmeans(n_clusters, settings).fit(X)
        table[name] = {"n_dimensions": X.shape[1], **metrics.scores(images.train_labels, kmeans.labels_)}
    return table


def score(settings, images, autoencoder, clusters, baselines):
    """The report, a dict for JSON. The clusters of the test images are matched as those of the training images."""
    return {
        "n_images": len(images.train),
        "n_test_images": len(images.test),
        "epochs": len(autoencoder.history_),
        "mse": mean_squared_error(autoencoder.reconstruct(images.train), images.train),
        "test_mse": mean_squared_error(autoencoder.reconstruct(images.test), images.test),
        **metrics.scores(images.train_labels, clusters.labels),
        "test_accuracy": metrics.accuracy(images.test_labels, clusters.test_labels, clusters.matching),
        "inertia": clusters.kmeans.inertia_,
        "digit_of_cluster": {str(cluster): digit for cluster, digit in clusters.matching.items()},
        "baselines": baselines,
        "settings": {name: list(value) if isinstance(value, tuple) else value
                     for name, value in asdict(settings).items()},
        "versions": {"aelearn": aelearn.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }


def _is_the_original_training(settings):
    """True if the loss can be compared with the original script's: same images, same network, same steps."""
    names = ("data", "digits", "hidden", "code_size", "batch_size", "learning_rate", "loss")
    return all(getattr(settings, name) == getattr(Settings(), name) for name in names)
