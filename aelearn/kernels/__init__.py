"""The compiled counterparts of the NumPy functions, one folder for each back end.

Plumbing: this file only finds a back end. Every expensive step of aelearn is in plain NumPy, in the module that teaches
it, and again here, compiled. The functions of a back end have the same names, arguments and, up to rounding, results as
their NumPy originals:

    matmul              np.matmul
    lloyd_step          aelearn.kmeans.lloyd.lloyd_step
    loss_and_gradients  aelearn.autoencoder.network.loss_and_gradients
    adam_step           aelearn.autoencoder.optim.adam_step
    smallest            aelearn.spectral.neighbors.smallest (Numba only)
    nearest             aelearn.spectral.neighbors.nearest_neighbors (Numba only)
    csr_product         aelearn.spectral.sparse.CSRMatrix.__matmul__ (Numba only)
    chebyshev_step      aelearn.spectral.filtering.chebyshev_step (Numba only)

What the compiled back ends share is in common.py. Nothing is loaded before it is needed, and nothing here imports from
outside this folder.
"""

import importlib
import sys
from dataclasses import dataclass

FOLDERS = {"numba": "cpu", "cuda": "gpu"}


class UnavailableError(RuntimeError):
    """A back end exists but cannot run here; the message says why."""


@dataclass(frozen=True)
class Status:
    """Whether a back end runs here, and a sentence that says on which hardware, or why not."""

    name: str
    runs: bool
    detail: str

    def __str__(self):
        return f"{self.name}: {self.detail}"


def get(name):
    """The functions of a back end, as a module: "numba" (on all cores) or "cuda" (on an NVIDIA GPU).

    Raises ValueError if there is no such back end, UnavailableError (a RuntimeError) if it cannot run here.
    """
    if name not in FOLDERS:
        raise ValueError(f"there are no kernels named {name!r}; there are {', '.join(map(repr, FOLDERS))}")
    try:
        module = importlib.import_module(f"{__name__}.{FOLDERS[name]}")
        module.require()
    except (ImportError, UnavailableError) as error:
        raise UnavailableError(f"backend {name!r} cannot run here: {error}") from error
    return module


def is_compiling():
    """True while Numba is compiling something for the CPU, in any thread. Loads nothing."""
    compilations = getattr(sys.modules.get(f"{__name__}.cpu.compiling"), "compilations", None)
    return compilations is not None and compilations.n_running > 0


def status():
    """Which back ends run here: a list with a Status for each."""
    found = [Status("numpy", True, "runs here")]
    for name in FOLDERS:
        try:
            found.append(Status(name, True, get(name).describe()))
        except UnavailableError as error:
            found.append(Status(name, False, str(error).removeprefix(f"backend {name!r} ")))
    return found
