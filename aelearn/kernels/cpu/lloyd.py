"""K-means on all cores: labels, sums and inertia in one pass over X, and bounds that make most distances unnecessary.

Worth reading for its ideas, below; its code is plumbing around the kernels, which are in assignment.py. Counterparts:
kmeans/lloyd.py (NumPy, with the equations; read it first), kernels/gpu/lloyd.py.

Shapes: N samples, D features, K clusters, M chunks.

Three ideas make an iteration cheaper than its definition, and none of them changes its result:

- Points that keep their label need not be summed again: the sums of the last iteration, minus those that left a
  cluster, plus those that came, are the sums of this one.
- The inertia follows from these sums. With Q = sum w |x|^2, and S and W a cluster's weighted sum and weight,
      sum w |x - c|^2 = Q - 2 sum_k c_k . S_k + sum_k W_k |c_k|^2
  without a look at X. Where that is a small difference of large numbers, it is summed anew from the points.
- Hamerly's bounds ("Making k-means even faster", 2010): a point is at most `upper` from its own centre and at least
  `lower` from all others. When centres move, upper grows by as much as its own did and lower shrinks by as much as
  the fastest of the others did. While upper < lower the point stays where it is, and X is not even read for it.

Sums are float64. They are kept for chunks of a size that depends on the data alone, and added in the order of the
chunks: the same bits on one core and on many. Empty clusters are not filled here: aelearn.kmeans.lloyd's
fill_empty_clusters does it for all back ends.
"""

import numba
import numpy as np

from aelearn.kernels.arguments import check_algorithm, check_centers, check_points, check_squares
from aelearn.kernels.common import compact, origin_of, scale_of
from aelearn.kernels.cpu.assignment import (
    CHANGES,
    EVERYTHING,
    INERTIA,
    NOTHING,
    WEIGHT,
    ChunkSums,
    Kept,
    Points,
    add_up,
    pass_over,
)
from aelearn.kernels.cpu.distances import WORST, Centers

MAX_CHUNKS = 256
CHUNK_POINTS = 1024  # a chunk's least size, where there are as many points
SUMS_ENTRIES = 1 << 17  # of all chunks' sums; more only to have 32 chunks, and never more than 32 times that
BOUNDS_BYTES = 48 << 20  # "auto" keeps no bounds that take more
PIECE_ENTRIES = 1 << 20  # of a copy of a part of X


class Descent:
    """Lloyd's iterations over one X, which remember from step to step what the next can use.

    X (N, D); sample_weight (N,) or None for all ones. algorithm: "lloyd" looks at every distance, "hamerly" keeps
    bounds, "auto" takes the one that is faster for the shape. `labels` (N,) int32 are those of the last step.
    """

    def __init__(self, X, sample_weight=None, algorithm="lloyd"):
        check_algorithm(algorithm)
        self.X, weight = check_points(X, sample_weight)  # (N, D), (N,)
        self.weight = compact(weight)  # (N,) or (1,)
        self.labels = np.full(len(self.X), -1, np.int32)  # (N,)
        self.algorithm = algorithm
        self.origin = origin_of(self.X)  # (D,)
        self.scale = self.X.dtype.type(scale_of(self.X, self.origin))
        self.centers = None  # those of the last pass
        self.age = None  # passes since all points were summed; None: they have not been

    def step(self, centers):
        """One iteration from `centers` (K, D): label the points, then take the means.

        Returns means (K, D) float64, weights (K,), the inertia of the labels against `centers`, and how many labels of
        points that weigh anything changed.
        """
        centers = self._checked(centers)  # (K, D)
        inertia, n_moved, accurate = self._sum(centers, True, EVERYTHING if self.age is None else CHANGES)
        if not accurate:
            inertia, _, _ = self._sum(centers, False, EVERYTHING)
        return self.kept.means.copy(), self.kept.mass[:, WEIGHT].copy(), inertia, n_moved

    def settle(self, centers):
        """Label the points for `centers` (K, D) as they are. Returns the labels (N,) and their inertia."""
        self._pass(self._checked(centers), True, NOTHING)
        self.age = None
        return self.labels, float(self.chunk_sums.totals[:, INERTIA].sum())

    def _checked(self, centers):
        """Centres (K, D) as a new array; K may not change from step to step."""
        centers = check_centers(centers, self.X.shape[1])  # (K, D)
        if self.centers and len(centers) != len(self.centers.exact):
            raise ValueError(f"this run began with {len(self.centers.exact)} centres; got {len(centers)}")
        return centers

    def _begin(self, centers):
        """Choose the algorithm and the size of the chunks, and make room."""
        (n_samples, n_features), n_clusters, dtype = self.X.shape, len(centers), self.X.dtype
        size = n_clusters * n_features
        bounds_fit = 2 * n_samples * self.X.itemsize <= BOUNDS_BYTES
        if self.algorithm == "auto":
            self.algorithm = "hamerly" if size >= 512 and bounds_fit else "lloyd"
        n_bounds = n_samples if self.algorithm == "hamerly" else 0
        self.upper, self.lower = np.zeros((2, n_bounds), dtype)  # (N,), (N,), or (0,), (0,)
        most = SUMS_ENTRIES // size
        most = min(MAX_CHUNKS, max(1, most, min(32, 32 * SUMS_ENTRIES // size)))
        self.chunk = max(CHUNK_POINTS, -(-n_samples // most))
        n_chunks = -(-n_samples // self.chunk)
        self.chunk_sums = ChunkSums(np.zeros((n_chunks, n_clusters, n_features)), np.zeros((n_chunks, n_clusters, 2)),
                                    np.zeros((n_chunks, 3)))  # (M, K, D), (M, K, 2), (M, 3)
        padded = (n_clusters + 3) // 4 * 4, (n_features + 3) // 4 * 4
        self.centers = Centers(centers, centers.copy(), np.zeros(padded, dtype), np.full(padded[0], WORST, dtype),
                               np.zeros(n_clusters), np.zeros(n_clusters))
        self.kept = Kept(np.zeros((n_clusters, n_features)), np.zeros((n_clusters, 2)), np.zeros(n_clusters),
                         np.zeros((n_clusters, n_features)))  # (K, D), (K, 2), (K,), (K, D)
        self.parts = list(self._parts()) if _in_rows(self.X) else None

    def _parts(self):
        """Points and their ChunkSums, as plain tuples: all at once, or piece by piece if X does not lie in rows."""
        for chunks, rows, X in pieces(self.X, self.chunk, len(self.chunk_sums.totals)):
            weight = self.weight[rows] if len(self.weight) > 1 else self.weight  # (n,) or (1,)
            points = Points(X, weight, self.labels[rows], self.upper[rows], self.lower[rows])
            yield tuple(points), tuple(array[chunks] for array in self.chunk_sums)

    def _pass(self, centers, search, summed):
        """Run the kernel over X; see `pass_over`."""
        if not self.centers:
            self._begin(centers)
        self.centers.old[:], self.centers.exact[:] = self.centers.exact, centers
        n_lanes = min(numba.get_num_threads(), len(self.chunk_sums.totals))
        for points, chunk_sums in self.parts or self._parts():
            pass_over(points, tuple(self.centers), (self.origin, self.scale), chunk_sums, self.chunk, n_lanes, search,
                      summed)

    def _sum(self, centers, search, summed):
        """Run the kernel over X and add the chunks up; returns what `add_up` returns."""
        self._pass(centers, search, summed)
        self.age = 0 if summed == EVERYTHING else self.age + 1
        return add_up(tuple(self.chunk_sums), centers, self.origin, self.age, tuple(self.kept))


def lloyd_step(X, centers, sample_weight=None):
    """One iteration; see aelearn.kmeans.lloyd.lloyd_step. Returns labels, means, weights and the inertia."""
    descent = Descent(X, sample_weight)
    means, weights, inertia, _ = descent.step(centers)
    return descent.labels, means, weights, check_squares(inertia)


def assign(X, centers, sample_weight=None):
    """The nearest centre of each point, see aelearn.kmeans.lloyd.assign: labels (N,) int32 and the inertia, a float."""
    labels, inertia = Descent(X, sample_weight).settle(centers)
    return labels, check_squares(inertia)


def pieces(X, chunk, n_chunks):
    """X as kernels take it, contiguous and read-only: whole, or copied in pieces of whole chunks if it is not in rows.

    Yields the slice of the chunks, the slice of the rows, and the rows themselves.
    """
    step = n_chunks if _in_rows(X) else max(1, PIECE_ENTRIES // (chunk * X.shape[1]))
    for start in range(0, n_chunks, step):
        chunks = slice(start, min(start + step, n_chunks))
        rows = slice(chunks.start * chunk, min(chunks.stop * chunk, len(X)))
        piece = np.asarray(X)[rows]
        piece = piece.view() if _in_rows(piece) else np.array(piece, order="C")
        piece.flags.writeable = False
        yield chunks, rows, piece


def _in_rows(X):
    return X.flags.c_contiguous and X.flags.aligned
