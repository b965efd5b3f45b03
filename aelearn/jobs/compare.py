"""Every method of the package on the same images, with the same scores: `aelearn map`.

    feature learning     PCA, sparse coding, an autoencoder: codes, which k-means then clusters
    density estimation   a Gaussian mixture and a kernel density, of the autoencoder's codes
    clustering           k-means and spectral clustering, of the pixels

`run` runs them one after another, each in a few lines, so it also shows how to use each of them.

Shapes: N images, D pixels, C numbers in a code, K clusters.
"""

import csv
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from aelearn import metrics, plotting
from aelearn.autoencoder import Autoencoder
from aelearn.core.files import replacing, writable_folder
from aelearn.core.output_containers import only_arrays
from aelearn.core.validation import check_integer, load_backend
from aelearn.data import load_mnist
from aelearn.density import KernelDensity, density_peaks
from aelearn.jobs.main_job import N_STARTS, Interrupted
from aelearn.kmeans import KMeans
from aelearn.mixture import GaussianMixture
from aelearn.pca import PCA
from aelearn.sparse_coding import SparseCoding
from aelearn.spectral import SpectralClustering

FILES = ("map.csv", "map.png")
N_ATOMS = 64  # of the sparse codes
HEADER = f"{'topic':20}{'method':32}{'numbers':>8}{'accuracy':>10}{'NMI':>8}{'ARI':>8}{'seconds':>9}"


@dataclass(frozen=True)
class Settings:
    """What is compared: data, digits, backend, seed and out as in main_job.Settings; epochs and code_size as well."""

    data: str | None = None
    digits: tuple = (0, 1)
    code_size: int = 3
    epochs: int = 40
    backend: str = "auto"
    seed: int = 0
    out: str = "map"


@dataclass
class Row:
    """A method and its result, a row of the table: codes (N, C), labels (N,), the scores of the labels, and seconds."""

    topic: str
    method: str
    codes: np.ndarray = None
    labels: np.ndarray = None
    scores: dict = None
    seconds: float = None

    def __str__(self):
        return (f"{self.topic:20}{self.method:32}{self.codes.shape[1]:8}{self.scores['accuracy']:10.4f}"
                f"{self.scores['nmi']:8.4f}{self.scores['ari']:8.4f}{self.seconds:9.1f}")


@only_arrays()
def run(settings, *, say=print, verbose=0):
    """Run every method and write FILES into `settings.out`. Returns the rows of the table, a list of Row.

    say      a function that gets each row as a line of text
    verbose  of each method: if not 0, those that take long show a progress bar

    A method that cannot work on these images (too few of them, or too many) is left out; a UserWarning says why. Raises
    as main_job.run does, before anything is computed; MemoryError if the autoencoder is too large; Interrupted if
    Ctrl-C ended its training.
    """
    for name in ("code_size", "epochs"):
        check_integer("--" + name.replace("_", "-"), getattr(settings, name), 1)
    check_integer("--seed", settings.seed, 0)
    load_backend(settings.backend)
    images, digits = load_mnist("train", digits=settings.digits, directory=settings.data)  # (N, D), (N,)
    k, seed, out = len(settings.digits), settings.seed, writable_folder(settings.out)
    say(f"{len(images):,} images, {k} clusters; scores compare the clusters with the digits\n{HEADER}")
    kmeans = KMeans(k, n_init=N_STARTS, backend=settings.backend, random_state=seed,
                    verbose=verbose)
    rows = []

    @contextmanager
    def method(topic, name, *, needed=False):
        """A Row for the block to put codes and labels into; it is timed, scored, and added to `rows`."""
        row, started = Row(topic, name), time.perf_counter()
        try:
            yield row
        except (ValueError, MemoryError) as error:
            if needed:
                raise
            warnings.warn(f"{name}: left out. {str(error) or 'Out of memory.'}", UserWarning, stacklevel=3)
            return
        row.seconds = time.perf_counter() - started
        row.scores = metrics.scores(digits, row.labels)
        rows.append(row)
        say(str(row))

    with method("clustering", "k-means on pixels") as row:
        row.codes, row.labels = images, kmeans.fit_predict(images)

    with method("feature learning", "PCA, k-means") as row:
        row.codes = PCA(min(settings.code_size, *images.shape), verbose=verbose).fit_transform(images)  # (N, C)
        row.labels = kmeans.fit_predict(row.codes)

    with method("feature learning", "sparse coding, k-means") as row:
        row.codes = SparseCoding(N_ATOMS, random_state=seed, verbose=verbose).fit_transform(images)  # (N, 64)
        row.labels = kmeans.fit_predict(row.codes)

    with method("feature learning", "autoencoder, k-means", needed=True) as row:  # the densities need its codes
        row.codes = codes = _trained_autoencoder(settings, images, verbose).transform(images)  # (N, C)
        row.labels = kmeans.fit_predict(codes)

    with method("density estimation", "autoencoder, Gaussian mixture") as row:
        mixture = GaussianMixture(k, n_init=N_STARTS, random_state=seed, verbose=verbose)
        row.codes, row.labels = codes, mixture.fit_predict(codes)

    with method("density estimation", "autoencoder, kernel density") as row:
        log_density = KernelDensity(verbose=verbose).fit(codes).score_samples(codes)  # (N,)
        row.codes, row.labels = codes, density_peaks(codes, log_density, k)

    with method("clustering", "spectral, on pixels") as row:
        model = SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=min(10, len(images)),
                                   random_state=seed, verbose=verbose).fit(images)
        row.codes, row.labels = model.embedding_, model.labels_

    _write(rows, digits, out)
    say(f"written: {', '.join(FILES)} in {out}")
    return rows


def _trained_autoencoder(settings, images, verbose):
    """That of the main job, with fewer epochs. Raises Interrupted if Ctrl-C ended its training."""
    model = Autoencoder((128, settings.code_size), epochs=settings.epochs, backend=settings.backend,
                        random_state=settings.seed, verbose=verbose)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")  # the exception says it
        model.fit(images)
    if model.interrupted_:
        raise Interrupted("interrupted; nothing is written")
    return model


def _write(rows, digits, out):
    """The table as map.csv, and all codes side by side as map.png."""
    with replacing(out / "map.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("topic", "method", "numbers", "accuracy", "nmi", "ari", "seconds"))
        for row in rows:
            table.writerow((row.topic, row.method, row.codes.shape[1], *row.scores.values(), row.seconds))
    panels = []
    for row in rows:
        points = PCA(min(2, *row.codes.shape)).fit_transform(row.codes)  # (N, 2), or (N, 1)
        title = f"{row.method} ({row.codes.shape[1]} numbers): accuracy {row.scores['accuracy']:.4f}"
        panels.append((title, points, row.labels))
    plotting.save(plotting.side_by_side(panels, digits), out / "map.png")
