"""Laplacian eigenmaps, codes of a graph's points without training; and the eigengap, a hint at the number of groups.

Shapes: N points, C code size, P eigenvalues.

S = D^-1/2 W D^-1/2 is the normalised affinity, D has the degrees on its diagonal (graphs.py), and the columns of V are
the largest eigenvectors of S (eigenvectors.py). The rows of D^-1/2 V without the first column are codes in which
neighbours are close: Laplacian eigenmaps.

Source: Belkin and Niyogi, "Laplacian eigenmaps for dimensionality reduction and data representation" (2003).
"""

import numpy as np

from aelearn.core.validation import as_float64, check_finite, check_integer, generator, warn
from aelearn.spectral.eigenvectors import largest_eigenpairs
from aelearn.spectral.graphs import check_affinity, degrees_and_roots, normalized_affinity, without_diagonal

ROUNDING = 1e-9  # equal eigenvalues may come out N eps apart, of a matrix (N, N), and N can be some 10,000


def eigengap(eigenvalues):
    """The number of clusters that eigenvalues (P,), descending, suggest: the k after which they drop most.

    It is the k with the largest eigenvalues[k - 1] - eigenvalues[k]. P eigenvalues can suggest 1 to P - 1 clusters: fit
    SpectralClustering with a large n_clusters and pass its `eigenvalues_`.

    Raises ValueError unless there are two or more, in one dimension, the largest first. An eigenvalue may exceed the
    one before it by ROUNDING times the largest.
    Source: von Luxburg, "A tutorial on spectral clustering" (2007), section 8.3.
    """
    eigenvalues = as_float64(eigenvalues, "eigenvalues")  # (P,)
    check_finite(eigenvalues, "eigenvalues")
    if eigenvalues.ndim != 1 or len(eigenvalues) < 2 or (
            np.diff(eigenvalues) > ROUNDING * np.abs(eigenvalues).max()).any():
        raise ValueError(f"eigengap needs two or more eigenvalues, the largest first; got {eigenvalues}")
    return int(np.argmax(eigenvalues[:-1] - eigenvalues[1:])) + 1


def laplacian_eigenmaps(W, n_components=2, *, random_state=None):
    """Codes (N, C) of the points of a graph W, an array (N, N) or a CSRMatrix: neighbours get similar codes.

    Each column y of the codes minimises

        sum_ij W[i, j] (y_i - y_j)^2 / 2

    under the conditions sum_i d_i y_i^2 = 1 and sum_i d_i y_i z_i = 0 for every earlier column z and for the constant.
    With v = D^1/2 y the sum is 1 - v^T S v. So v is an eigenvector of S: the columns are the largest after the first,
    whose y is constant. If the graph has several parts (connected components), the first columns only separate these,
    and a UserWarning says so.

    Raises ValueError for a W that is not an affinity, and for n_components beyond N - 1.
    Source: Belkin and Niyogi (2003), section 2, steps 1 to 3.
    """
    W = check_affinity(W)
    n_components = check_integer("n_components", n_components, 1, len(W) - 1)
    S = normalized_affinity(W)[0]  # (N, N)
    _, V, n_parts = largest_eigenpairs(S, n_components + 1, generator(random_state))  # (N, C + 1)
    warn_of_parts(n_parts)
    _, roots = degrees_and_roots(without_diagonal(W))  # (N,)
    return V[:, 1:] / roots[:, None]  # (N, C)


def warn_of_parts(n_parts):
    """Warn if a graph is not connected, so that it has several parts."""
    if n_parts > 1:
        warn(f"The graph falls into {n_parts} parts with no edge between them, so as many eigenvalues are 1 "
             "and their eigenvectors only separate the parts.")
