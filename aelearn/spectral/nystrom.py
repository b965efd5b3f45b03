"""Nystrom's method: the eigenvectors of a graph of all points, from their similarity to a few landmarks.

Shapes: N samples, D features, M landmarks, R of their directions, B rows of a block, P eigenpairs to find.

Of the affinity W (N, N) only the columns C (N, M) of the landmarks are computed. A (M, M) are the landmarks' rows of C:
their weights among themselves. From these two the rest of W is approximated,

    W' = C A^-1 C^T

which equals W in the rows and columns of the landmarks. W' is never computed: with A = U diag(a) U^T and
F = C U diag(a)^-1/2 (N, R), it is F F^T, and its degrees are d = F (F^T 1). Then, with G = D^-1/2 F,

    S = D^-1/2 W' D^-1/2 = G G^T      G^T G u = lambda u   =>   S v = lambda v  for  v = G u / sqrt(lambda)

and G^T G is only (R, R). Two things differ from exact eigenvectors: W' replaces W, and its diagonal is kept, which is
near 1 for a point near a landmark, while W's own diagonal counts as 0.

Source: Fowlkes, Belongie, Chung and Malik, "Spectral grouping using the Nystrom method" (2004), section 3; this is a
shorter way to its orthogonal eigenvectors.
"""

import numpy as np

from aelearn.core.validation import check_array
from aelearn.spectral.eigenvectors import with_signs
from aelearn.spectral.graphs import gaussian
from aelearn.spectral.neighbors import Points, row_blocks

EPS = np.finfo(np.float64).eps
CUT = 1e-10  # eigenvalues of A below this share of the largest are dropped: their root in a denominator costs digits


def landmark_affinity(X, chosen, gamma=1.0):
    """C[i, m] = exp(-gamma |x_i - x_chosen[m]|^2): the columns `chosen` (M,) of graphs.rbf_affinity, (N, M)."""
    points = Points(check_array(X).astype(np.float64, copy=False))
    C = np.empty((len(points.X), len(chosen)))  # (N, M)
    for rows in row_blocks(points.X):
        C[rows] = gaussian(points, rows, chosen, gamma)
    C[chosen, np.arange(len(chosen))] = 1
    return C


def nystrom_eigenpairs(C, chosen, n_pairs):
    """The n_pairs largest eigenvalues (P,) and eigenvectors (N, P) of a graph of which only some columns are known.

    C (N, M) are the columns `chosen` (M,) of W. A point that is similar to no landmark is a part of its own, with
    S[i, i] = 1, like an isolated point of the whole graph. P of these eigenvectors are enough; they are combined at
    random.

    If G has fewer than n_pairs columns, the other eigenvalues of S are 0, and so are their columns of V.
    """
    G, isolated = normalized_factor(C, chosen)  # (N, R), (N,)
    if isolated.any():
        n_isolated = np.count_nonzero(isolated)
        own = np.zeros((len(C), min(n_isolated, n_pairs)))  # (N, P) at most
        own[isolated] = np.linalg.qr(np.random.default_rng(0).standard_normal((n_isolated, own.shape[1])))[0]
        G = np.hstack([G, own])  # (N, R + P) at most
    values, u = np.linalg.eigh(G.T @ G)  # (R,), (R, R)
    values, u = np.maximum(values[::-1][:n_pairs], 0), u[:, ::-1][:, :n_pairs]  # (P,), (R, P)
    V = np.zeros((len(C), n_pairs))  # (N, P)
    V[:, :len(values)] = G @ (u / np.sqrt(np.maximum(values, CUT)))
    return np.pad(values, (0, n_pairs - len(values))), with_signs(V)


def normalized_factor(C, chosen):
    """G (N, R) with S = G G^T, for the columns C (N, M) of the landmarks `chosen`; and which points are isolated (N,).

    Three decisions allow for rounding:

    landmarks        one whose weights to others add up to less than N eps is dropped: relative to its own weight of 1
                     these are only rounding errors, and it would look like a part of its own
    directions of A  those with eigenvalues below 1e-10 of the largest, or below 100 M eps of it, are dropped; M eps is
                     rounding
    degrees          W' may have weights below 0. A degree that is only rounding, at most (M + R) eps / 1e-5 of
                     |f_i| |F^T 1|, is replaced by |f_i| |F^T 1|, the largest that it could be
    """
    linked = C.sum(axis=0) - 1 > len(C) * EPS  # (M,)
    if not linked.all():
        C, chosen = C[:, linked], chosen[linked]  # M is fewer now
    values, U = np.linalg.eigh(C[chosen])  # of A: (M,), (M, M)
    keep = values > max(CUT, 100 * len(values) * EPS) * values.max(initial=0)  # R of M
    F = C @ (U[:, keep] / np.sqrt(values[keep]))  # (N, R)
    total = F.sum(axis=0)  # F^T 1: (R,)
    degrees, largest = F @ total, np.sqrt(np.einsum("nr,nr->n", F, F)) * np.linalg.norm(total)  # (N,), (N,)
    rounding = (len(chosen) + F.shape[1]) * EPS / np.sqrt(CUT)
    degrees = np.where(degrees > rounding * largest, degrees, largest)  # (N,)
    isolated = degrees == 0  # (N,)
    return F / np.sqrt(degrees + isolated)[:, None], isolated  # (N, R), (N,)


def count_parts(C):
    """The number of connected components of a graph of which only columns C (N, M), weights to landmarks, are known.

    Each point without a weight above 0 is one. The others are found by going from a landmark to all its points, to all
    their landmarks, and so on.
    """
    linked = C > 0  # (N, M)
    isolated, seen = ~linked.any(axis=1), np.zeros(C.shape[1], bool)  # (N,), (M,)
    n_parts = np.count_nonzero(isolated)
    while not seen.all():
        n_parts += 1
        reached = np.arange(len(seen)) == seen.argmin()  # landmarks: (M,)
        while reached.any() and not seen.all():
            seen |= reached
            reached = linked[linked[:, reached].any(axis=1)].any(axis=0) & ~seen  # (M,)
    return n_parts
