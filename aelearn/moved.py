"""Where the modules of version 1 are now, so that code written for them still works.

They used to be in one folder: `from aelearn.callbacks import EarlyStopping`, `python -m aelearn.selfcheck`. An old name
is an alias of the module that is now in a subpackage, not a copy of it. (Names that are now subpackages, such as
aelearn.kmeans, offer what the module of that name offered.)
"""

from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.util import find_spec, spec_from_loader

MOVED = {  # old name -> new name, both relative to aelearn
    "atlas": "jobs.compare",
    "autoencoder_settings": "autoencoder.settings",
    "bandwidths": "density.bandwidths",
    "callbacks": "autoencoder.callbacks",
    "checks": "teaching.checks",
    "covariances": "mixture.covariances",
    "density_peaks": "density.peaks",
    "dictionary": "sparse_coding.dictionary_learning",
    "distances": "spectral.neighbors",
    "eigenmaps": "spectral.eigenmaps",
    "eigenvectors": "spectral.eigenvectors",
    "elimination": "spectral.elimination",
    "em": "mixture.em",
    "estimator": "core.base",
    "evaluation": "autoencoder.evaluation",
    "exercises": "teaching.exercises",
    "files": "core.files",
    "gaussian_mixture": "mixture.estimator",
    "gaussians": "mixture.gaussians",
    "graphs": "spectral.graphs",
    "hamerly": "kmeans.hamerly",
    "histogram": "density.histogram",
    "kernel_density": "density.estimator",
    "layers": "autoencoder.layers",
    "lloyd": "kmeans.lloyd",
    "losses": "autoencoder.losses",
    "matching_pursuit": "sparse_coding.matching_pursuit",
    "metadata_routing": "core.metadata_routing",
    "model_file": "autoencoder.model_file",
    "network": "autoencoder.network",
    "notebooks": "teaching.notebooks",
    "nystrom": "spectral.nystrom",
    "optim": "autoencoder.optim",
    "output_containers": "core.output_containers",
    "parzen": "density.kernel_sums",
    "pipeline": "jobs.main_job",
    "principal_axes": "pca.svd",
    "results": "jobs.results",
    "selfcheck": "autoencoder.selfcheck",
    "shrinkage": "sparse_coding.ista",
    "starts": "kmeans.seeding",
    "training": "autoencoder.training",
    "validation": "core.validation",
}


class OldNames(MetaPathFinder, Loader):
    """Finds aelearn.OLD as the module aelearn.NEW."""

    def find_spec(self, name, path=None, target=None):
        return spec_from_loader(name, self) if _new(name) else None

    def create_module(self, spec):
        module = import_module(_new(spec.name))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = module.__spec__.loader_state  # the import has replaced it by the spec of the old name

    def get_code(self, name):
        """What `python -m` runs."""
        spec = find_spec(_new(name))
        return spec.loader.get_code(spec.name)


def _new(name):
    """The new name of a module, or of a module inside it; None if it is not an old one."""
    package, _, module = name.partition(".")
    old, dot, inside = module.partition(".")
    return f"aelearn.{MOVED[old]}{dot}{inside}" if package == "aelearn" and old in MOVED else None
