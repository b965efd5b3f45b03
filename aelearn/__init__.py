"""aelearn: unsupervised learning from scratch, in plain NumPy and in compiled versions of the same functions.

    from aelearn import Autoencoder, KMeans, load_mnist

The public names below are loaded on first use, so `import aelearn` takes almost no time, and importing one module loads
only that module.
"""

import sys
from importlib import import_module

from aelearn.moved import OldNames

__version__ = "0.1.0"

_HOME = {  # public name -> the module or subpackage that defines it
    "Autoencoder": "autoencoder",
    "KMeans": "kmeans",
    "DeepClustering": "deep_clustering",
    "PCA": "pca",
    "SparseCoding": "sparse_coding",
    "KernelDensity": "density",
    "histogram_density": "density",
    "GaussianMixture": "mixture",
    "SpectralClustering": "spectral",
    "eigengap": "spectral",
    "laplacian_eigenmaps": "spectral",
    "EarlyStopping": "autoencoder",
    "Checkpoint": "autoencoder",
    "load_mnist": "data",
    "make_blobs": "data",
    "make_moons": "data",
    "make_circles": "data",
    "check_gradients": "gradcheck",
    "GradientError": "gradcheck",
}

__all__ = ["__version__", *_HOME]

sys.meta_path.insert(0, OldNames())  # first: modules inside an old package must not be found a second time


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'aelearn' has no attribute {name!r}")
    value = getattr(import_module(f"aelearn.{_HOME[name]}"), name)
    globals()[name] = value  # later look-ups find it there and do not call this function
    return value


def __dir__():
    return sorted([*globals(), *_HOME])
