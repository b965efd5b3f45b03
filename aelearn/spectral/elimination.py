"""Gaussian elimination on a graph: ((1 + shift) I - S) x = b, without an (N, N) array if there are few edges.

Shapes: N points, Q columns at a time, w points of a group.

Take the points in breadth-first order from some point, in levels: those at 0, 1, 2, ... edges from it. An edge then
leads to the same level or to the next. So with the levels as groups the matrix is block tridiagonal (it has blocks on
the diagonal and next to it, and is 0 elsewhere), and elimination proceeds from group to group. If every point is a
neighbour of every other, there is one group, and this is one inverse.

Sources: Golub and Van Loan, "Matrix computations" (2013), section 4.5.1; the order: Cuthill and McKee, "Reducing the
bandwidth of sparse symmetric matrices" (1969).
"""

import numpy as np

from aelearn.spectral.sparse import CSRMatrix

SHIFT = 1e-5  # large enough for the inverse to exist (eigenvalues are up to 1 + N eps, 2e-11 for N = 100,000), and
              # small enough for the largest eigenvalues to stand out in it
SMALL = 64  # the least size of a group: with fewer points a call costs more than its arithmetic
MAX_ENTRIES = 150_000_000  # of the blocks and of the arrays for inverting the largest: 1.2 GB
FEW_ENTRIES = 30_000_000  # up to so many, a sparse graph is eliminated; beyond, filtering.py is faster and smaller


def level_groups(S):
    """The points in groups such that edges lead only within a group or to the next; and the number of parts.

    S is an array (N, N) or a CSRMatrix; its parts are its connected components. Groups are whole levels, or several
    levels if these are small. Each part is searched twice: the second search starts from a point at the far end of the
    first, which makes more and smaller levels.
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
    """The unseen points at 0, 1, 2, ... edges from `start`, an array for each level; they are marked in seen (N,)."""
    level, levels = np.array([start]), []
    seen[start] = True
    while len(level):
        levels.append(level)
        if seen.all():
            break
        reached = _neighbors(S, level)
        level = np.unique(reached[~seen[reached]])
        seen[level] = True
    return levels


def _neighbors(S, points):
    """The points that edges lead to from `points`, maybe several times."""
    if not isinstance(S, CSRMatrix):
        return np.flatnonzero((S[points] > 0).any(axis=0))
    entries, _ = S.entries_of(points)
    return S.indices[entries[S.data[entries] > 0]]


def _n_entries(groups):
    """How many entries the blocks of groups have, and the arrays for inverting the largest."""
    sizes = [len(group) for group in groups]
    return sum(size * (size + after) for size, after in zip(sizes, [*sizes[1:], 0])) + 3 * max(sizes) ** 2


def is_small(groups):
    """True if elimination is fast: if the blocks of groups have FEW_ENTRIES."""
    return _n_entries(groups) <= FEW_ENTRIES


def check_size(groups):
    """Raise ValueError for groups whose blocks would not fit into memory."""
    n_entries = _n_entries(groups)
    if n_entries > MAX_ENTRIES:
        n_points = sum(map(len, groups))
        raise ValueError(f"the graph of {n_points} points has too many edges for exact eigenvectors, which would "
                         f"take {n_entries * 8e-9:.1f} GB: use affinity='rbf' with n_landmarks=1000, "
                         "or fewer n_neighbors")


class Elimination:
    """Solves ((1 + shift) I - S) x = b by Gaussian elimination, group by group.

    With A_g the diagonal block of group g, and B_g the block of its edges to the group before, elimination leaves

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

    def adapt(self, values):
        """Nothing to do: what is known of the eigenvalues makes no difference here."""

    def solve(self, b):
        """x (N, Q) for b (N, Q): forward elimination, then back substitution,

            y_g = b_g - B_g P_{g-1} y_{g-1},    x_g = P_g (y_g - B_{g+1}^T x_{g+1})
        """
        x = b.copy()  # (N, Q): b, then y, then x
        for g in range(1, len(self.groups)):
            x[self.groups[g]] -= self.B[g] @ (self.P[g - 1] @ x[self.groups[g - 1]])
        for g in reversed(range(len(self.groups))):
            after = self.B[g + 1].T @ x[self.groups[g + 1]] if g + 1 < len(self.groups) else 0  # (w, Q)
            x[self.groups[g]] = self.P[g] @ (x[self.groups[g]] - after)
        return x


def block(S, rows, columns):
    """The entries of S in these rows and columns, an array (rows, columns)."""
    return S.block(rows, columns) if isinstance(S, CSRMatrix) else S[np.ix_(rows, columns)]
