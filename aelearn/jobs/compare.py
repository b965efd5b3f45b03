"""The map of unsupervised learning, walked from end to end: every method on the same images, scored alike.

    feature learning     PCA, sparse coding, an autoencoder: codes, which k-means then clusters
    density estimation   a Gaussian mixture and a kernel density, of the autoencoder's codes
    clustering           k-means and spectral clustering, of the pixels

`aelearn map` runs this. `run` walks, `METHODS` are the places, and each is a few lines: how to read them is how to use
the package.

Shapes: N images, D pixels, C numbers in a code, K clusters.
"""

import csv
import time
import warnings
from dataclasses import dataclass

import numpy as np

from aelearn import plotting
from aelearn.autoencoder import Autoencoder
from aelearn.core.files import replacing
from aelearn.core.output_containers import only_arrays
from aelearn.core.validation import check_integer, load_backend
from aelearn.data import load_mnist
from aelearn.density.estimator import KernelDensity
from aelearn.density.peaks import density_peaks
from aelearn.jobs.main_job import N_STARTS, Interrupted, scores, writable_folder
from aelearn.kmeans import KMeans
from aelearn.mixture.estimator import GaussianMixture
from aelearn.pca import PCA
from aelearn.sparse_coding import SparseCoding
from aelearn.spectral import SpectralClustering

FILES = ("map.csv", "map.png")
N_ATOMS = 64  # of the sparse codes


@dataclass(frozen=True)
class Settings:
    """What is mapped: data, digits, backend, seed and out as in pipeline.Settings; epochs and code_size, too."""

    data: str | None = None
    digits: tuple = (0, 1)
    code_size: int = 3
    epochs: int = 40
    backend: str = "auto"
    seed: int = 0
    out: str = "map"


@dataclass(frozen=True)
class Place:
    """A method on the map, and what it made of the images: codes (N, C), labels (N,), its scores and its seconds."""

    topic: str
    method: str
    codes: np.ndarray
    labels: np.ndarray
    scores: dict
    seconds: float


def pixels(images, codes, k, settings):
    """The images as they are, clustered by k-means."""
    return images, _kmeans(images, k, settings)


def principal_components(images, codes, k, settings):
    """As many principal components as a code of the autoencoder has numbers, clustered by k-means."""
    components = PCA(min(settings.code_size, *images.shape)).fit_transform(images)  # (N, C)
    return components, _kmeans(components, k, settings)


def sparse_codes(images, codes, k, settings):
    """Codes on 64 atoms, most of them 0, clustered by k-means."""
    model = SparseCoding(N_ATOMS, random_state=settings.seed).fit(images)
    found = model.transform(images)  # (N, 64)
    return found, _kmeans(found, k, settings)


def autoencoder(images, codes, k, settings):
    """The main job with fewer epochs: the autoencoder's codes, clustered by k-means."""
    model = Autoencoder((128, settings.code_size), epochs=settings.epochs, backend=settings.backend,
                        random_state=settings.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")  # said below
        model.fit(images)
    if model.interrupted_:
        raise Interrupted("interrupted; nothing is written")
    found = model.transform(images)  # (N, C)
    return found, _kmeans(found, k, settings)


def mixture(images, codes, k, settings):
    """A Gaussian for each cluster of the autoencoder's codes, of any width and slant."""
    return codes, GaussianMixture(k, n_init=N_STARTS, random_state=settings.seed).fit_predict(codes)


def kernel_density(images, codes, k, settings):
    """The peaks of a kernel density of the autoencoder's codes, and what flows to each."""
    log_density = KernelDensity().fit(codes).score_samples(codes)  # (N,)
    return codes, density_peaks(codes, log_density, k)


def spectral(images, codes, k, settings):
    """The images as a graph of nearest neighbours, cut where that hurts least."""
    model = SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=min(10, len(images)),
                               random_state=settings.seed).fit(images)
    return model.embedding_, model.labels_


METHODS = (  # topic, name, function; those below the autoencoder may take its codes
    ("clustering", "k-means on pixels", pixels),
    ("feature learning", "PCA, k-means", principal_components),
    ("feature learning", "sparse coding, k-means", sparse_codes),
    ("feature learning", "autoencoder, k-means", autoencoder),
    ("density estimation", "autoencoder, Gaussian mixture", mixture),
    ("density estimation", "autoencoder, kernel density", kernel_density),
    ("clustering", "spectral, on pixels", spectral),
)


def _kmeans(X, k, settings):
    """Labels (N,) by the k-means that all codes get."""
    return KMeans(k, n_init=N_STARTS, algorithm="auto", backend=settings.backend,
                  random_state=settings.seed).fit_predict(X)


@only_arrays()
def run(settings, *, say=print):
    """Walk the map and write FILES into `settings.out`. Returns a list of Place.

    say  a function that is told each place in a line

    A method that cannot work on these images (too few of them, or too many) is left out; a UserWarning says why. Raises
    as pipeline.run does, before anything is computed; MemoryError if the network is too large; Interrupted if Ctrl-C
    ended its training.
    """
    for name in ("code_size", "epochs"):
        check_integer("--" + name.replace("_", "-"), getattr(settings, name), 1)
    check_integer("--seed", settings.seed, 0)
    load_backend(settings.backend)
    images, labels = load_mnist("train", digits=settings.digits, directory=settings.data)  # (N, D), (N,)
    k, out = len(settings.digits), writable_folder(settings.out)
    say(f"{len(images):,} images, {k} clusters; scores compare the clusters with the digits\n{HEADER}")
    places, codes = [], None
    for topic, method, function in METHODS:
        begun = time.perf_counter()
        try:
            found, clusters = function(images, codes, k, settings)  # (N, C), (N,)
        except (ValueError, MemoryError) as error:
            if function is autoencoder:  # others want its codes
                raise
            warnings.warn(f"{method}: left out. {error or 'Out of memory.'}", UserWarning, stacklevel=2)
            continue
        seconds = time.perf_counter() - begun
        codes = found if function is autoencoder else codes
        places.append(Place(topic, method, found, clusters, scores(labels, clusters), seconds))
        say(line(places[-1]))
    _write(places, labels, out)
    say(f"written: {', '.join(FILES)} in {out}")
    return places


HEADER = f"{'topic':20}{'method':32}{'numbers':>8}{'accuracy':>10}{'NMI':>8}{'ARI':>8}{'seconds':>9}"


def line(place):
    """A place as a line of the table."""
    return (f"{place.topic:20}{place.method:32}{place.codes.shape[1]:8}{place.scores['accuracy']:10.4f}"
            f"{place.scores['nmi']:8.4f}{place.scores['ari']:8.4f}{place.seconds:9.1f}")


def _write(places, labels, out):
    """The table as map.csv, and all codes side by side as map.png."""
    with replacing(out / "map.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("topic", "method", "numbers", "accuracy", "nmi", "ari", "seconds"))
        for place in places:
            table.writerow((place.topic, place.method, place.codes.shape[1], *place.scores.values(), place.seconds))
    panels = []
    for place in places:
        n_shown = min(2, *place.codes.shape)
        shown = PCA(n_shown).fit_transform(place.codes)  # (N, 2), or (N, 1)
        title = f"{place.method} ({place.codes.shape[1]} numbers): accuracy {place.scores['accuracy']:.4f}"
        panels.append((title, shown, place.labels))
    plotting.save(plotting.side_by_side(panels, labels), out / "map.png")
