"""Spectral clustering and Laplacian eigenmaps, from the eigenvectors of a graph of similar points.

Read in this order:

    neighbors     matrices of distances, nearest neighbours
    sparse        a sparse matrix in CSR form
    graphs        pairwise similarity: Gaussian affinity, graphs of neighbours, normalisation by degrees
    elimination   Gaussian elimination in blocks, for sparse graphs
    filtering     the same for large graphs: Chebyshev polynomials, nothing but products
    eigenvectors  the largest eigenvectors of a graph, dense or sparse: block Krylov spaces
    modularity    how good a clustering is, without labels; how many eigenvectors to use
    nystrom       the same for many points, from a few landmarks
    eigenmaps     codes without training: Laplacian eigenmaps; the eigengap
    estimator     SpectralClustering, what users call

Taught in lesson 13. Tested against scikit-learn's SpectralClustering (tests/peers/test_spectral.py).
"""

from aelearn.spectral.eigenmaps import eigengap, laplacian_eigenmaps
from aelearn.spectral.estimator import SpectralClustering

__all__ = ["SpectralClustering", "eigengap", "laplacian_eigenmaps"]
