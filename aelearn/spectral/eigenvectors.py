"""The largest eigenvalues of a graph's matrix S and their eigenvectors, without the N - K that nobody asked for.

Shapes: N points, P eigenpairs wanted, Q columns at a time.

A block of vectors that is multiplied by a matrix again and again turns towards its largest eigenvectors, the faster
the larger they stand out. Those of S = D^-1/2 W D^-1/2 hardly do: 1, 0.9999, 0.9997 is quite usual. So the matrix is
taken by which they do,

    R = ((1 + shift) I - S)^-1      S v = lambda v   <=>   R v = v / (1 + shift - lambda)

where the same three, with shift = 1e-5, become 100000, 9091 and 3226. Two steps:

    reach     V, R V, R^2 V, ... span more than the last of them does (Krylov's space): keep all, as an orthonormal Q
    choose    of all vectors Q y those with the largest y^T (Q^T S Q) y: a small eigenproblem (Rayleigh and Ritz)

and again from the chosen ones, until S v = lambda v to ten digits. A block of Q vectors finds eigenvalues that are
there up to Q times, which one vector alone would not.

R is never made where the graph is sparse: elimination.py solves (1 + shift) x - S x = b instead.

Source: Golub and Underwood, "The block Lanczos method" (1977).
"""

import numpy as np

from aelearn.core.validation import ConvergenceWarning, warn
from aelearn.spectral.elimination import SMALL, Elimination, check_size, level_groups
from aelearn.spectral.graphs import Edges

TOLERANCE = 1e-10  # of S v - lambda v; its rounding is N eps for arrays, less for Edges, and 1e-12 for N = 5,000
LARGE = 0.1  # from this eigenvalue on S v / lambda is v again, its errors no larger; see `largest_eigenpairs`
N_STEPS = 5  # V, R V, ..., R^4 V
MAX_ROUNDS = 100


def largest_eigenpairs(S, n_pairs, rng):
    """The n_pairs largest eigenvalues of S, (P,) descending, their eigenvectors (N, P), and how many parts S has.

    S is a symmetric array (N, N) or Edges with eigenvalues from -1 to 1, as graphs.normalized_affinity makes it. Each
    eigenvector has length 1, and its entry of largest absolute value is positive.

    All entries of v are wrong by some 1e-16. Those of points that hang on the others by light edges only are smaller
    than that. One more product, v = S v / lambda, gives these entries digits of their own, as it takes them from those
    of their neighbours.

    Raises ValueError if the graph is too entangled for its blocks to fit into memory.
    """
    S = S if isinstance(S, Edges) else np.asarray(S, np.float64)  # (N, N)
    groups, n_parts = level_groups(S)
    n_columns = min(n_pairs + 2, len(S))  # two more than wanted: the last ones come slowest
    if n_columns * N_STEPS >= len(S) or len(S) <= 2 * SMALL:
        check_size([np.arange(len(S))])
        values, vectors = np.linalg.eigh(S.toarray() if isinstance(S, Edges) else S)  # (N,), (N, N)
        values, vectors = values[::-1], vectors[:, ::-1]
    else:
        values, vectors = _iterate(S, Elimination(S, groups), rng.standard_normal((len(S), n_columns)), n_pairs)
    values, vectors = values[:n_pairs].copy(), vectors[:, :n_pairs].copy()  # (P,), (N, P)
    large = values > LARGE
    vectors[:, large] = S @ vectors[:, large] / values[large]
    return values, with_signs(vectors), n_parts


def with_signs(vectors):
    """The columns of vectors (N, P) with the sign that makes the entry of largest absolute value positive."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]  # (P,)
    return vectors * np.where(largest < 0, -1, 1)  # (N, P)


def _iterate(S, R, V, n_pairs):
    """Reach and choose, from V (N, Q), until the first n_pairs columns are eigenvectors."""
    for _ in range(MAX_ROUNDS):
        reached = [np.linalg.qr(V)[0]]  # arrays (N, Q)
        while len(reached) < N_STEPS:
            reached.append(np.linalg.qr(R.solve(reached[-1]))[0])
        basis = np.linalg.qr(np.hstack(reached))[0]  # (N, Q N_STEPS)
        S_basis = S @ basis  # (N, Q N_STEPS)
        values, y = np.linalg.eigh(basis.T @ S_basis)
        values, y = values[::-1][:V.shape[1]], y[:, ::-1][:, :V.shape[1]]  # (Q,), (Q N_STEPS, Q)
        V = basis @ y  # (N, Q)
        wrong = np.linalg.norm(S_basis @ y - V * values, axis=0)  # (Q,)
        if wrong[:n_pairs].max() < TOLERANCE:
            return values, V
    warn(f"after {MAX_ROUNDS} rounds the eigenvectors are still wrong by {wrong[:n_pairs].max():.1e}",
         ConvergenceWarning)
    return values, V
