"""Spectral clustering and Laplacian eigenmaps: what the eigenvectors of a graph of neighbours tell.

Read in this order:

    neighbors     tables of distances, accurate where that matters
    graphs        pairwise similarity: Gaussian affinity, nearest neighbours, normalisation by degrees
    elimination   Gaussian elimination, one group of a graph after the other
    eigenvectors  the largest eigenvectors of a graph, dense or sparse: Krylov spaces
    nystrom       the same for many points, from a few landmarks
    eigenmaps     codes without learning: Laplacian eigenmaps; the eigengap
    estimator     SpectralClustering, what users call

Taught in lesson 13. Tested against scikit-learn's SpectralClustering (tests/peers/test_spectral.py).
"""

from aelearn.spectral.eigenmaps import eigengap, laplacian_eigenmaps
from aelearn.spectral.estimator import SpectralClustering

__all__ = ["SpectralClustering", "eigengap", "laplacian_eigenmaps"]
