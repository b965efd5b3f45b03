"""Gauss's elimination on a graph: ((1 + shift) I - S) x = b, without an array of N by N where there are few edges.

Shapes: N points, Q columns at a time, w points of a group.

In breadth-first order, level by level from some point, an edge leads to the same level or to the next. So with levels
as groups, the matrix has blocks on its diagonal and next to it and is 0 elsewhere, and elimination goes from group to
group. Where every point is everybody's neighbour, there is one group, and this is one inverse.

Sources: Golub and Van Loan, "Matrix computations" (2013), section 4.5.1; the order: Cuthill and McKee, "Reducing the
bandwidth of sparse symmetric matrices" (1969).
"""

import numpy as np

from aelearn.spectral.graphs import Edges

SHIFT = 1e-5  # large enough that the inverse exists (eigenvalues come out as 1 + N eps at most, 2e-11 for N = 100,000)
              # and small enough for the largest eigenvalues to stand out in it
SMALL = 64  # groups are no smaller: below, a call costs more than its arithmetic
MAX_ENTRIES = 150_000_000  # of the blocks and of what inverting the largest takes: 1.2 GB


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
