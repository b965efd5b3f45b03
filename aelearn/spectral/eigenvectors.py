"""The largest eigenvalues of a graph's matrix S and their eigenvectors, without computing the others.

Shapes: N points, P eigenpairs to find, Q columns at a time.

Multiply a block of vectors by a matrix again and again, and it converges to the eigenvectors of the largest
eigenvalues, the faster the more these stand out. Those of S = D^-1/2 W D^-1/2 hardly do: 1, 0.9999, 0.9997 are typical.
So the matrix is shifted and inverted,

    R = ((1 + shift) I - S)^-1      S v = lambda v   <=>   R v = v / (1 + shift - lambda)

With shift = 1e-5 the same three become 100000, 9091 and 3226. Two steps alternate, until S v = lambda v to ten digits:

    expand    V, R V, R^2 V, ... span more than the last of them alone (a Krylov space): take an orthonormal basis of it
    project   in the basis, find the vectors with the largest v^T S v: a small eigenproblem (Rayleigh-Ritz)

A block of Q vectors finds eigenvalues that occur up to Q times, which a single vector would not.

If the graph is sparse, R is never computed: elimination.py solves (1 + shift) x - S x = b instead. And if that would
take too much memory, R is a polynomial of S that brings out the same eigenvectors: filtering.py.

Source: Golub and Underwood, "The block Lanczos method" (1977).
"""

import numpy as np

from aelearn.core.validation import ConvergenceWarning, warn
from aelearn.spectral.elimination import SMALL, Elimination, check_size, is_small, level_groups
from aelearn.spectral.filtering import ChebyshevFilter
from aelearn.spectral.sparse import CSRMatrix

TOLERANCE = 1e-10  # of |S v - lambda v|; its rounding is N eps for arrays (1e-12 for N = 5,000), less if S is sparse
LARGE = 0.1  # an eigenvalue large enough for S v / lambda to have errors no larger than v's; see `largest_eigenpairs`
N_STEPS = 5  # V, R V, ..., R^4 V
MAX_ROUNDS = 100
TALL = 5_000  # rows from which on CholeskyQR2 is tried
ORTHOGONAL = 1e-13  # products of different columns that are 0 to rounding


def largest_eigenpairs(S, n_pairs, rng):
    """The n_pairs largest eigenvalues of S, (P,) descending, their eigenvectors (N, P), and the number of S's parts.

    S is a symmetric array (N, N) or a CSRMatrix with eigenvalues from -1 to 1, from graphs.normalized_affinity; its
    parts are its connected components. Each eigenvector has length 1, and its entry of largest absolute value is
    positive.

    All entries of v have errors of about 1e-16. The entries of points that are linked to the others only by light edges
    are smaller than that. One more product, v = S v / lambda, computes these entries from those of their neighbours,
    and gives them correct digits.

    Raises ValueError if S is an array that is too large for elimination in memory.
    """
    S = S if isinstance(S, CSRMatrix) else np.asarray(S, np.float64)  # (N, N)
    groups, n_parts = level_groups(S)
    n_columns = min(n_pairs + 2, len(S))  # two more than needed, because the last ones converge slowest
    if n_columns * N_STEPS >= len(S) or len(S) <= 2 * SMALL:
        check_size([np.arange(len(S))])
        values, vectors = np.linalg.eigh(S.toarray() if isinstance(S, CSRMatrix) else S)  # (N,), (N, N)
        values, vectors = values[::-1], vectors[:, ::-1]
    else:
        filtered = isinstance(S, CSRMatrix) and not is_small(groups)
        R = ChebyshevFilter(S) if filtered else Elimination(S, groups)
        values, vectors = _iterate(S, R, rng.standard_normal((len(S), n_columns)), n_pairs)
    values, vectors = values[:n_pairs].copy(), vectors[:, :n_pairs].copy()  # (P,), (N, P)
    large = values > LARGE
    vectors[:, large] = S @ vectors[:, large] / values[large]
    return values, with_signs(vectors), n_parts


def with_signs(vectors):
    """The columns of vectors (N, P) with the sign that makes the entry of largest absolute value positive."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]  # (P,)
    return vectors * np.where(largest < 0, -1, 1)  # (N, P)


def orthonormal(V):
    """An orthonormal basis (N, Q) of the columns of V (N, Q).

    For tall V three products and a small triangle are far faster than a QR decomposition: with the Gram matrix
    V^T V = L L^T, the columns of V L^-T are orthonormal up to rounding times the square of V's condition number; once
    more, and they are to rounding (CholeskyQR2). If not, because V's columns nearly depend on each other, QR does it.
    Source: Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, "Roundoff error analysis of the CholeskyQR2 algorithm",
    Electronic Transactions on Numerical Analysis 44 (2015).
    """
    lengths = np.linalg.norm(V, axis=0)  # (Q,)
    if len(V) < TALL or not lengths.all():
        return np.linalg.qr(V)[0]
    Q = V / lengths  # (N, Q)
    try:
        for _ in range(2):
            Q = Q @ np.linalg.inv(np.linalg.cholesky(Q.T @ Q)).T  # (N, Q)
    except np.linalg.LinAlgError:
        return np.linalg.qr(V)[0]
    off = np.abs(Q.T @ Q - np.eye(Q.shape[1])).max()
    return Q if off < ORTHOGONAL else np.linalg.qr(V)[0]


def _iterate(S, R, V, n_pairs):
    """Expand and project, from V (N, Q), until the first n_pairs columns are eigenvectors."""
    for _ in range(MAX_ROUNDS):
        powers = [orthonormal(V)]  # arrays (N, Q) that span V, R V, ..., R^4 V
        while len(powers) < N_STEPS:
            powers.append(orthonormal(R.solve(powers[-1])))
        basis = orthonormal(np.hstack(powers))  # (N, Q N_STEPS)
        S_basis = S @ basis  # (N, Q N_STEPS)
        values, y = np.linalg.eigh(basis.T @ S_basis)
        values, y = values[::-1][:V.shape[1]], y[:, ::-1][:, :V.shape[1]]  # (Q,), (Q N_STEPS, Q)
        V = basis @ y  # (N, Q)
        residuals = np.linalg.norm(S_basis @ y - V * values, axis=0)  # |S v - lambda v|: (Q,)
        if residuals[:n_pairs].max() < TOLERANCE:
            return values, V
        R.adapt(values)
    warn(f"after {MAX_ROUNDS} rounds the eigenvectors are still wrong by {residuals[:n_pairs].max():.1e}",
         ConvergenceWarning)
    return values, V
