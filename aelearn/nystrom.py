"""Nystrom's method: the eigenvectors of a graph of all points, from what they are to a few landmarks.

Shapes: N samples, D features, M landmarks, R of their directions, B rows of a block, P eigenpairs wanted.

Of the matrix W (N, N) only the columns C (N, M) of the landmarks are computed; A (M, M), their rows in C, is what they
are to one another. From these two the rest is filled in,

    W' = C A^-1 C^T

which is W itself in the rows and columns of the landmarks. It is never made: with A = U diag(a) U^T and
F = C U diag(a)^-1/2 (N, R), it is F F^T, and its degrees are d = F (F^T 1). Then, with G = D^-1/2 F,

    S = D^-1/2 W' D^-1/2 = G G^T      G^T G u = lambda u   =>   S v = lambda v  for  v = G u / sqrt(lambda)

and G^T G is R by R. Two things differ from exact eigenvectors: W' stands for W, and its diagonal is
kept, which is near 1 for a point near a landmark, where W's own counts as 0.

Source: Fowlkes, Belongie, Chung and Malik, "Spectral grouping using the Nystrom method" (2004), section 3; these are
its orthogonal eigenvectors, by a shorter way.
"""

import numpy as np

from aelearn.eigenvectors import with_signs
from aelearn.graphs import centered, distance_table, gaussian, row_blocks


def landmark_affinity(X, chosen, gamma=1.0):
    """C[i, m] = exp(-gamma |x_i - x_chosen[m]|^2): the columns `chosen` (M,) of graphs.rbf_affinity, (N, M)."""
    X, exponent = centered(X)
    C = np.empty((len(X), len(chosen)))  # (N, M)
    for rows in row_blocks(X):
        C[rows] = gaussian(distance_table(X[rows], X[chosen]), gamma, exponent)
    C[chosen, np.arange(len(chosen))] = 1
    return C


def nystrom_eigenpairs(C, chosen, n_pairs):
    """The n_pairs largest eigenvalues (P,) and eigenvectors (N, P) of a graph of which only some columns are known.

    C (N, M) are the columns `chosen` (M,) of W. Directions of A with less than 1e-10 of its largest eigenvalue are left
    out: they are rounding. Raises ValueError if a point resembles no landmark at all, or the landmarks are too alike.
    """
    values, U = np.linalg.eigh(C[chosen])  # (M,), (M, M)
    keep = values > 1e-10 * values[-1]  # R of M
    F = C @ (U[:, keep] / np.sqrt(values[keep]))  # (N, R)
    degrees = F @ F.sum(axis=0)  # (N,)
    if degrees.min() <= 0:
        raise ValueError(f"{np.count_nonzero(degrees <= 0)} of {len(C)} points are out of reach of all "
                         f"{len(chosen)} landmarks: use a smaller gamma or a larger n_landmarks")
    if F.shape[1] < n_pairs:
        raise ValueError(f"the landmarks are so alike that they span {F.shape[1]} dimensions, and {n_pairs} clusters "
                         "want as many: use a larger gamma or a larger n_landmarks")
    F /= np.sqrt(degrees)[:, None]
    values, u = np.linalg.eigh(F.T @ F)  # (R,), (R, R)
    values, u = values[::-1][:n_pairs], u[:, ::-1][:, :n_pairs]  # (P,), (R, P)
    V = F @ (u / np.sqrt(np.maximum(values, np.finfo(float).tiny)))  # (N, P)
    return values, with_signs(V)
