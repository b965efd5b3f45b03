"""Gaussian mixtures: k-means with soft labels, and with clusters of any size and orientation.

Read in this order:

    covariances  four kinds of covariance; the scatter of weighted points
    gaussians    normal distributions: log densities, triangular factors
    em           the E step, the M step, and the iteration that alternates between them
    estimator    GaussianMixture, what users call

Taught in lesson 12. Tested against scikit-learn's GaussianMixture (tests/peers/test_gaussian_mixture.py).
"""

from aelearn.mixture.estimator import GaussianMixture

__all__ = ["GaussianMixture"]
