"""Hamerly's bounds: the labels of Lloyd's algorithm, from fewer distances.

Shapes: N samples, D features, K clusters, B rows of a block, A of them asked again.

Late in a run hardly any point changes its cluster, and yet Lloyd's algorithm computes all N K distances again. The
triangle inequality says beforehand which of them cannot matter. Of each point two numbers are kept:

    upper   at least its distance to its own centre
    lower   at most its distance to any other centre

A centre that moves by m is nearer or farther than before by at most m. So when the centres have moved, upper grows by
what its own centre moved, lower shrinks by what the fastest of the others moved, and both are true again. While
upper < lower no other centre can be nearer. Otherwise the distance to the own centre makes upper exact; where that
does not settle it, all K distances are computed and both bounds start afresh.

Source: Hamerly, "Making k-means even faster" (2010).
"""

import numpy as np

from aelearn.core.arrays import blocks, squared_distances
from aelearn.kernels.arguments import check_centers
from aelearn.kmeans import lloyd
from aelearn.kmeans.lloyd import assign, distance_table, kmeans_plusplus, nearest_center  # noqa: F401 (a back end)

STEPS = 1_000_000  # iterations whose rounding the bounds leave room for, far more than any run takes


class Descent(lloyd.Descent):
    """Lloyd's iterations over one X (N, D) with bounds; see lloyd.Descent."""

    def __init__(self, X, sample_weight=None, algorithm="hamerly"):
        super().__init__(X, sample_weight)
        self.upper, self.lower = np.full(len(self.X), np.inf), np.zeros(len(self.X))  # (N,), (N,)
        # A computed distance is within (D + 3) eps of the true one, and each step rounds a bound once more: bounds give
        # way by that share of what they bound, and by as much again.
        self.up = 1 + 2 * (self.X.shape[1] + 3 + STEPS) * np.finfo(np.float64).eps
        self.centers = None

    def step(self, centers):
        """One iteration. Returns means, weights, inertia and how many labels changed."""
        centers = check_centers(centers, self.X.shape[1])  # (K, D)
        old = self.labels.copy()  # (N,)
        if self.centers is not None:
            self._loosen(np.sqrt(squared_distances(centers, self.centers)))
        self.centers = centers
        for rows in blocks(len(self.X), max(self.X.shape[1], len(centers))):
            self._assign_block(rows)
        means, weights = lloyd.update(self.X, centers, self.weight, self.labels)  # (K, D), (K,)
        inertia = lloyd.inertia_of(self.X, centers, self.weight, self.labels)
        return means, weights, inertia, np.count_nonzero(self.weight[old != self.labels])

    def _loosen(self, moved):
        """Make the bounds true for centres that moved by `moved` (K,)."""
        others = np.full(len(moved), moved.max())  # how far the fastest of the others moved: (K,)
        fastest = moved.argmax()
        others[fastest] = np.delete(moved, fastest).max(initial=0)
        self.upper += moved[self.labels]
        self.lower -= others[self.labels]

    def _assign_block(self, rows):
        """Label the rows of a block whose bounds do not already say that nothing changes."""
        upper, lower, labels = self.upper[rows], self.lower[rows], self.labels[rows]  # views: (B,), (B,), (B,)
        x = self.X[rows].astype(np.float64)  # (B, D)
        if labels[0] >= 0:
            loose = upper >= lower  # (B,)
            upper[loose] = np.sqrt(squared_distances(x[loose], self.centers[labels[loose]])) * self.up
        ask = upper >= lower  # (B,)
        distances = distance_table(x[ask], self.centers)  # (K, A)
        labels[ask], nearest = nearest_center(x[ask], self.centers, distances)  # (A,), (A,)
        if len(self.centers) == 1:
            upper[:], lower[:] = 0, np.inf  # a single cluster keeps its points, however far it moves
        else:
            second = np.partition(distances, 1, axis=0)[1]  # (A,)
            upper[ask], lower[ask] = np.sqrt(nearest) * self.up, np.sqrt(second) / self.up
