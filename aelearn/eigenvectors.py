"""The largest eigenvalues of a graph's matrix S and their eigenvectors, without the N - K that nobody asked for.

Shapes: N points, P eigenpairs wanted, Q columns at a time, w points of a group.

A block of vectors that is multiplied by a matrix again and again turns towards its largest eigenvectors, the faster
the larger they stand out. Those of S = D^-1/2 W D^-1/2 hardly do: 1, 0.9999, 0.9997 is quite usual. So the matrix is
taken by which they do,

    R = ((1 + shift) I - S)^-1      S v = lambda v   <=>   R v = v / (1 + shift - lambda)

where the same three, with shift = 1e-5, become 100000, 9091 and 3226. Two steps:

    reach     V, R V, R^2 V, ... span more than the last of them does (Krylov's space): keep all, as an orthonormal Q
    choose    of all vectors Q y those with the largest y^T (Q^T S Q) y: a small eigenproblem (Rayleigh and Ritz)

and again from the chosen ones, until S v = lambda v to ten digits. A block of Q vectors finds eigenvalues that are
there up to Q times, which one vector alone would not.

R is never made where the graph is sparse. In breadth-first order, level by level from some point, an edge leads to the
same level or to the next: with levels as groups, (1 + shift) I - S has blocks on its diagonal and next to it, else 0,
and Gauss's elimination goes from group to group. Where every point is everybody's neighbour, that is one inverse.

Sources: Golub and Underwood, "The block Lanczos method" (1977); Golub and Van Loan, "Matrix computations", 4.5.1;
the order: Cuthill and McKee, "Reducing the bandwidth of sparse symmetric matrices" (1969).
"""

import warnings

import numpy as np

from aelearn.graphs import Edges
from aelearn.validation import ConvergenceWarning, peer_class

SHIFT = 1e-5
TOLERANCE = 1e-10  # of S v - lambda v
N_STEPS = 5  # V, R V, ..., R^4 V
MAX_ROUNDS = 100
SMALL = 64  # groups are no smaller: below, a call costs more than its arithmetic
MAX_ENTRIES = 150_000_000  # of the blocks and of what inverting the largest takes: 1.2 GB


def largest_eigenpairs(S, n_pairs, rng):
    """The n_pairs largest eigenvalues of S, (P,) descending, their eigenvectors (N, P), and how many parts S has.

    S is a symmetric array (N, N) or Edges with eigenvalues from -1 to 1, as `normalized_affinity` makes it. Each
    eigenvector has length 1, and its entry of largest absolute value is positive.

    Raises ValueError if the graph is too entangled for its blocks to fit into memory.
    """
    groups, n_parts = level_groups(S)
    n_columns = min(n_pairs + 2, len(S))  # two more than wanted: the last ones come slowest
    if n_columns * N_STEPS >= len(S) or len(S) <= 2 * SMALL:
        check_size([np.arange(len(S))])
        values, vectors = np.linalg.eigh(S.toarray() if isinstance(S, Edges) else S)  # (N,), (N, N)
        values, vectors = values[::-1], vectors[:, ::-1]
    else:
        values, vectors = _iterate(S, Elimination(S, groups), rng.standard_normal((len(S), n_columns)), n_pairs)
    return values[:n_pairs].copy(), with_signs(vectors[:, :n_pairs]), n_parts  # (P,), (N, P)


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
    warnings.warn(f"after {MAX_ROUNDS} rounds the eigenvectors are still wrong by {wrong[:n_pairs].max():.1e}",
                  peer_class("sklearn.exceptions", ConvergenceWarning), stacklevel=4)
    return values, V


def level_groups(S):
    """The points in groups such that edges lead only within a group or to the next; and how many parts the graph has.

    Groups are whole levels, or some levels together where those are small. Each part is searched twice, the second
    time from a point at its far end, which makes more and smaller levels.
    """
    seen, groups, n_parts = np.zeros(len(S), bool), [], 0
    while not seen.all():
        far_end = _levels(S, seen.argmin(), seen.copy())[-1][0]
        for level in _levels(S, far_end, seen):
            if groups and len(groups[-1]) < SMALL:
                groups[-1] = np.concatenate([groups[-1], level])
            else:
                groups.append(level)
        n_parts += 1
    return groups, n_parts


def _levels(S, start, seen):
    """The points at 0, 1, 2, ... edges from `start`, an array each, but for those that are seen already."""
    level, levels = np.array([start]), []
    seen[start] = True
    while len(level):
        levels.append(level)
        if seen.all():
            break
        if isinstance(S, Edges):
            edges = S.of(level)[0]
            reached = S.columns[edges[S.weights[edges] > 0]]
        else:
            reached = np.flatnonzero((S[level] > 0).any(axis=0))
        level = np.unique(reached[~seen[reached]])
        seen[level] = True
    return levels


def check_size(groups):
    """Refuse groups whose blocks would not fit into memory."""
    sizes = [len(group) for group in groups]
    n_entries = sum(size * (size + after) for size, after in zip(sizes, [*sizes[1:], 0])) + 3 * max(sizes) ** 2
    if n_entries > MAX_ENTRIES:
        raise ValueError(f"the graph of {sum(sizes)} points is too entangled for exact eigenvectors, which would take "
                         f"{n_entries * 8e-9:.1f} GB: use affinity='rbf' with n_landmarks=1000, or fewer n_neighbors")


class Elimination:
    """Solves ((1 + shift) I - S) x = b by Gauss's elimination, group by group.

    With A_g the block of group g and B_g that of its edges to the group before, elimination leaves

        P_0 = A_0^-1,    P_g = (A_g - B_g P_{g-1} B_g^T)^-1
    """

    def __init__(self, S, groups):
        check_size(groups)
        self.groups, self.P, self.B = groups, [], []
        for g, group in enumerate(groups):
            A = -block(S, group, group)  # (w, w)
            A[np.diag_indices(len(group))] += 1 + SHIFT
            self.B.append(-block(S, group, groups[g - 1]) if g else None)  # (w, w of the group before)
            if g:
                A -= self.B[g] @ self.P[g - 1] @ self.B[g].T
            self.P.append(np.linalg.inv(A))  # (w, w)

    def solve(self, b):
        """x (N, Q) for b (N, Q), down and up again:

            y_g = b_g - B_g P_{g-1} y_{g-1},    x_g = P_g (y_g - B_{g+1}^T x_{g+1})
        """
        x = b.copy()  # (N, Q)
        for g in range(1, len(self.groups)):
            x[self.groups[g]] -= self.B[g] @ (self.P[g - 1] @ x[self.groups[g - 1]])
        for g in reversed(range(len(self.groups))):
            after = self.B[g + 1].T @ x[self.groups[g + 1]] if g + 1 < len(self.groups) else 0  # (w, Q)
            x[self.groups[g]] = self.P[g] @ (x[self.groups[g]] - after)
        return x


def block(S, rows, columns):
    """The entries of S in these rows and columns, an array (rows, columns)."""
    if not isinstance(S, Edges):
        return S[np.ix_(rows, columns)]
    place = np.full(len(S), -1)  # of each point among the columns: (N,)
    place[columns] = np.arange(len(columns))
    edges, owner = S.of(rows)
    inside = place[S.columns[edges]] >= 0
    entries = np.zeros((len(rows), len(columns)))  # (rows, columns)
    entries[owner[inside], place[S.columns[edges[inside]]]] = S.weights[edges[inside]]
    return entries
