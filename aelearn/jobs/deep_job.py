"""All digits, without a label: `aelearn deep`.

    cluster  DeepClustering on the training images, which are shifted and turned a little anew in each epoch
    score    the clusters against the labels, on training and on test images; nothing before sees a label
    write    the report, tables, the model and pictures

Shapes: N training images, M test images, D pixels, K clusters.
"""

import csv
import functools
import json
import platform
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import aelearn
from aelearn import metrics, plotting
from aelearn.autoencoder import Checkpoint
from aelearn.core.files import replacing, writable_folder
from aelearn.core.output_containers import only_arrays
from aelearn.core.progress import progress
from aelearn.core.validation import check_integer, load_backend
from aelearn.data import image_shape, load_mnist, moved_images
from aelearn.deep_clustering import DeepClustering
from aelearn.jobs.main_job import Interrupted

FILES = ("report.json", "history.csv", "clusters.csv", "model.npz", "training.png", "confusion.png", "centers.png")
N_SHOWN = 8  # typical and doubtful images of each cluster
MAY_DIFFER = ("epochs", "pretraining_epochs", "callbacks", "augment", "verbose", "backend")  # in a run that is resumed


@dataclass(frozen=True)
class Settings:
    """What is clustered, and how.

    data                folder of IDX files; None: the MNIST that comes with aelearn
    digits              the labels whose images are used; None: all
    clusters            K; None: one for each of them
    pretraining_epochs  passes over the images before there are clusters
    epochs              most epochs of joint training
    start               "graph" or "k-means"
    out                 folder for the results
    resume              continue from the checkpoint in `out`, or the finished run there for more epochs

    The others are those of DeepClustering; `seed` is its random_state.
    """

    data: str | None = None
    digits: tuple | None = None
    clusters: int | None = None
    pretraining_epochs: int = 24
    epochs: int = 20
    start: str = "graph"
    backend: str = "auto"
    seed: int = 0
    out: str = "deep"
    resume: bool = False


@only_arrays()
def run(settings, *, say=print, verbose=0):
    """Do the whole job and write FILES into `settings.out`. Returns the report, a dict.

    say      a function that gets a line of text for each stage
    verbose  if not 0, stages that take long show a progress bar

    Raises ValueError, TypeError, OSError or UnavailableError, before any training, for settings, data, a folder or a
    back end that cannot be used; Interrupted if Ctrl-C ended the training.
    """
    started = time.perf_counter()
    _check(settings)
    backend = load_backend(settings.backend)
    with progress(verbose, "loading"):
        (images, labels), (test_images, test_labels) = (
            load_mnist(split, digits=settings.digits, directory=settings.data) for split in ("train60k", "test"))
    if images.shape[1] != test_images.shape[1]:
        raise ValueError(f"training images have {images.shape[1]} pixels, test images {test_images.shape[1]}")
    shape, classes = image_shape(settings.data), np.unique(labels).tolist()
    n_clusters = len(classes) if settings.clusters is None else settings.clusters
    if n_clusters > len(images):
        raise ValueError(f"--clusters {n_clusters} is more than the {len(images)} training images")
    model = make_model(settings, n_clusters, shape)
    if settings.resume:
        model = _from_checkpoint(settings, model)
        if not model.autoencoder_.was_fitted_to(images):
            raise ValueError("--resume: the checkpoint was made with other images, from another --data or --digits")
    out = writable_folder(settings.out)
    if not settings.resume and (out / "checkpoint.npz").exists():
        raise ValueError(f"{out / 'checkpoint.npz'} is left from a run that did not finish: "
                         "continue with --resume, remove it, or choose another --out")
    say(f"images    {len(images):,} for training, {len(test_images):,} for testing; "
        f"labels {' '.join(map(str, classes))}; {backend}")
    _train(model.set_params(verbose=verbose), settings, images, labels, out, say)
    say(f"trained   {len(model.autoencoder_.history_)} epochs, and {len(model.history_) - 1} with clusters")
    with progress(verbose, "scores, pictures and tables"):
        q, test_q = model.predict_proba(images), model.predict_proba(test_images)  # (N, K), (M, K)
        names = cluster_names(labels, model.labels_, n_clusters)
        report = _score(settings, model, labels, test_labels, test_q, names)
        _draw(model, images, labels, q, names, shape, out)
        _write_tables(model, (("train60k", labels, q), ("test", test_labels, test_q)), out)
        model.set_params(callbacks=()).save(out / "model.npz")
    report["seconds"] = time.perf_counter() - started
    with replacing(out / "report.json", "w") as file:
        file.write(json.dumps(report, indent=2, allow_nan=False) + "\n")
    (out / "checkpoint.npz").unlink(missing_ok=True)
    say(f"written   {', '.join(FILES)} in {out}")
    return report


def _check(settings):
    """Raise for invalid settings before anything is read or written."""
    check_integer("--seed", settings.seed, 0)
    check_integer("--epochs", settings.epochs, 0)
    check_integer("--pretraining-epochs", settings.pretraining_epochs, 0)
    if settings.clusters is not None:
        check_integer("--clusters", settings.clusters, 1)
    make_model(settings, 2, None).check_settings()


def make_model(settings, n_clusters, shape):
    """The DeepClustering for these settings and images of `shape`, not trained yet."""
    return DeepClustering(n_clusters, pretraining_epochs=settings.pretraining_epochs, epochs=settings.epochs,
                          start=settings.start, augment=functools.partial(moved_images, shape=shape),
                          backend=settings.backend, random_state=settings.seed)


def _from_checkpoint(settings, wanted):
    """The model of an unfinished run (checkpoint.npz), or of a finished one (model.npz), to continue.

    Raises ValueError unless its settings are the same, except for the numbers of epochs.
    """
    path = Path(settings.out) / "checkpoint.npz"
    if not path.is_file():
        path = Path(settings.out) / "model.npz"
    if not path.is_file():
        raise ValueError(f"--resume: {settings.out} holds no checkpoint.npz or model.npz; run without --resume")
    model = DeepClustering.load(path)
    for name, value in model.get_params().items():
        if name not in MAY_DIFFER and value != getattr(wanted, name):
            flag = {"n_clusters": "--clusters or --digits", "random_state": "--seed"}.get(name, f"--{name}")
            raise ValueError(f"--resume: {path} was made with {name} {value}, not {getattr(wanted, name)}: "
                             f"pass {flag} as before")
    return model.set_params(**{name: getattr(wanted, name) for name in MAY_DIFFER})


def _train(model, settings, images, labels, out, say):
    """Fit the model, or go on with it; a line and a checkpoint after the start and after each epoch."""
    checkpoint = out / "checkpoint.npz"

    def note(model, row):
        row["accuracy"] = metrics.accuracy(labels, model.labels_)
        say(f"epoch {row['epoch']:3}  loss {row['loss']:.5f}, {100 * row['changed']:.2f} % of the labels changed, "
            f"{row['seconds']:.0f} s")

    model.set_params(callbacks=(note, Checkpoint(checkpoint, every=1)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Joint t|T)raining interrupted")  # the exception below says it
        model.resume(images) if settings.resume else model.fit(images)
    if model.interrupted_:
        model.save(checkpoint)
        done = f"epoch {len(model.history_) - 1} of joint training" if model.history_ else \
            f"epoch {len(model.autoencoder_.history_)} of pre-training"
        raise Interrupted(f"interrupted after {done}; what was learnt is in {checkpoint}, "
                          "--resume continues from there")


def cluster_names(labels, clusters, n_clusters):
    """A text for each cluster: its largest class and that one's share, such as "mostly 7: 96 %"."""
    names = []
    for k in range(n_clusters):
        classes, counts = np.unique(labels[clusters == k], return_counts=True)
        names.append(f"mostly {classes[counts.argmax()]}: {100 * counts.max() / counts.sum():.0f} %" if len(classes)
                     else "empty")
    return names


def _score(settings, model, labels, test_labels, test_q, names):
    """The report, a dict for JSON. The clusters of the test images are matched as those of the training images."""
    matching = metrics.best_matching(labels, model.labels_)
    return {
        "n_images": len(labels), "n_test_images": len(test_labels), "n_clusters": len(names),
        **metrics.scores(labels, model.labels_),
        "accuracy_at_start": model.history_[0]["accuracy"],
        "test_accuracy": metrics.accuracy(test_labels, test_q.argmax(axis=1), matching),
        "clusters": names,
        "confusion": {str(label): [int(np.count_nonzero(model.labels_[labels == label] == k))
                                   for k in range(len(names))] for label in np.unique(labels).tolist()},
        "pretraining_loss": model.autoencoder_.history_[-1]["loss"] if model.autoencoder_.history_ else None,
        "epochs": len(model.history_) - 1,
        "settings": {name: list(value) if isinstance(value, tuple) else value
                     for name, value in asdict(settings).items()},
        "versions": {"aelearn": aelearn.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }


def _draw(model, images, labels, q, names, shape, out):
    """Save the three pictures."""
    plotting.save(plotting.joint_training(model.history_, n_pretraining=len(model.autoencoder_.history_)),
                  out / "training.png")
    classes = np.unique(labels)
    table = np.stack([np.bincount(model.labels_[labels == label], minlength=len(names)) for label in classes])  # (C, K)
    order = sorted(range(len(names)), key=lambda k: (table[:, k].argmax(), k))  # so that the diagonal is dark
    plotting.save(plotting.confusion(table[:, order], classes.tolist(), order, names), out / "confusion.png")
    sure, second = q.max(axis=1), np.partition(q, -2, axis=1)[:, -2] if q.shape[1] > 1 else np.zeros(len(q))
    typical, doubtful = [], []
    for k in order:
        rows = np.flatnonzero(model.labels_ == k)
        typical.append(images[rows[np.argsort(-sure[rows], kind="stable")[:N_SHOWN]]])
        doubtful.append(images[rows[np.argsort((sure - second)[rows], kind="stable")[:N_SHOWN]]])
    centers = model.inverse_transform(model.cluster_centers_)[order]  # (K, D)
    texts = [f"cluster {k}, {names[k]}" for k in order]
    plotting.save(plotting.clusters_in_images(centers, typical, doubtful, texts, shape), out / "centers.png")


def _write_tables(model, parts, out):
    """Write history.csv, a row per epoch, and clusters.csv, a row per image: its split, row, label, cluster, and q."""
    with replacing(out / "history.csv", "w", newline="") as file:
        table = csv.writer(file)
        columns = [name for name in model.history_[0] if name != "sizes"]
        table.writerow(columns)
        table.writerows([row[name] for name in columns] for row in model.history_)
    with replacing(out / "clusters.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("split", "row", "label", "cluster", "probability"))
        for split, labels, q in parts:
            table.writerows((split, row, label, k, f"{p:.4f}") for row, (label, k, p) in enumerate(
                zip(labels.tolist(), q.argmax(axis=1).tolist(), q.max(axis=1).tolist())))
