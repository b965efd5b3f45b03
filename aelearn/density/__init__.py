"""Densities without a model of their shape: kernels and histograms, and clusters as peaks of a density.

Read in this order:

    histogram    densities from counting
    kernel_sums  sums of kernels over tiles of a matrix of distances
    bandwidths   how wide a kernel should be: rules of thumb, and leave-one-out
    estimator    KernelDensity, what users call
    peaks        clusters: all points from which steps to denser points end at the same peak

Taught in lesson 12. Tested against SciPy's gaussian_kde and scikit-learn's KernelDensity
(tests/peers/test_kernel_density.py).
"""

from aelearn.density.estimator import KernelDensity
from aelearn.density.histogram import histogram_density
from aelearn.density.peaks import density_peaks

__all__ = ["KernelDensity", "density_peaks", "histogram_density"]
