"""What a graph's eigenvectors tell: codes of its points, found without learning, and how many groups there are.

Shapes: N points, C code size, P eigenvalues.

S = D^-1/2 W D^-1/2 is the graph's matrix, D its degrees (graphs.py), V its largest eigenvectors (eigenvectors.py). The
rows of D^-1/2 V without the first column are codes in which neighbours are close: Laplacian eigenmaps.

Source: Belkin and Niyogi, "Laplacian eigenmaps for dimensionality reduction and data representation" (2003).
"""

import numpy as np

from aelearn.core.validation import as_float64, check_finite, check_integer, generator, warn
from aelearn.spectral.eigenvectors import largest_eigenpairs
from aelearn.spectral.graphs import Edges, check_affinity, degree_roots, normalized_affinity

ROUNDING = 1e-9  # equal eigenvalues may come out N eps apart, of a matrix (N, N), and N can be some 10,000


def eigengap(eigenvalues):
    """How many clusters eigenvalues (P,), descending, suggest: the k after which they fall most.

    It is the k with the largest eigenvalues[k - 1] - eigenvalues[k]. P eigenvalues can suggest 1 to P - 1 clusters: fit
    with a large n_clusters and hand its `eigenvalues_` in.

    Raises ValueError unless there are two or more of them, in one row, the largest first; one may be above the one
    before it by ROUNDING of the largest.
    Source: von Luxburg, "A tutorial on spectral clustering" (2007), section 8.3.
    """
    eigenvalues = as_float64(eigenvalues, "eigenvalues")  # (P,)
    check_finite(eigenvalues, "eigenvalues")
    if eigenvalues.ndim != 1 or len(eigenvalues) < 2 or (
            np.diff(eigenvalues) > ROUNDING * np.abs(eigenvalues).max()).any():
        raise ValueError(f"eigengap wants two or more eigenvalues, largest first; got {eigenvalues}")
    return int(np.argmax(eigenvalues[:-1] - eigenvalues[1:])) + 1


def laplacian_eigenmaps(W, n_components=2, *, random_state=None):
    """Codes (N, C) of the points of a graph W, an array (N, N) or Edges: neighbours get codes close to each other.

    Of all codes y with sum_i d_i y_i^2 = 1, each column orthogonal to those before and to the constant, it makes

        sum_ij W[i, j] (y_i - y_j)^2 / 2

    smallest. With v = D^1/2 y that is 1 - v^T S v, so v is an eigenvector of S, the largest after the first, whose y is
    constant. In a graph of several parts the first columns tell the parts apart, and no more; a UserWarning says so.

    Raises ValueError for a W that is no affinity, and for n_components beyond N - 1.
    Source: Belkin and Niyogi (2003), section 2, steps 1 to 3.
    """
    W = check_affinity(W)
    n_components = check_integer("n_components", n_components, 1, len(W) - 1)
    S = normalized_affinity(W)[0]  # (N, N)
    _, V, n_parts = largest_eigenpairs(S, n_components + 1, generator(random_state))  # (N, C + 1)
    warn_of_parts(n_parts)
    if not isinstance(W, Edges):
        np.fill_diagonal(W, 0)
    root, half = degree_roots(W)  # (N,), (N,)
    return np.ldexp(V[:, 1:] / root[:, None], -half[:, None])  # (N, C)


def warn_of_parts(n_parts):
    """Warn if a graph is not in one piece."""
    if n_parts > 1:
        warn(f"The graph falls into {n_parts} parts with no edge between them, so as many eigenvalues are 1 "
             "and their eigenvectors only tell the parts apart.")
