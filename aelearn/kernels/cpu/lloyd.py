"""K-means on all cores: labels, sums and inertia in one pass over X, and bounds that spare most of the distances.

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
chunks: the same bits on one core and on many.
"""

import numba
import numpy as np

from aelearn.kernels.cpu.assignment import Centers, Points, Sums, pass_over
from aelearn.kernels.cpu.distances import frame_of, in_frame

MAX_CHUNKS = 256
CHUNK_POINTS = 1024  # a chunk's least size, where there are as many points
SUMS_ENTRIES = 1 << 17  # of all chunks' sums; more only to have 32 chunks, and never more than 32 times that
BOUNDS_BYTES = 48 << 20  # "auto" keeps no bounds that take more
PIECE_ENTRIES = 1 << 20  # of a copy of a part of X
CANCELLATION = 1e-3  # an inertia smaller than that share of Q is summed from the points


class Descent:
    """Lloyd's iterations over one X, which remember from step to step what the next can use.

    X (N, D); sample_weight (N,) or None for all ones. algorithm: "lloyd" looks at every distance, "hamerly" keeps
    bounds, "auto" takes the one that is faster for the shape. `labels` (N,) int32 are those of the last step.
    """

    def __init__(self, X, sample_weight=None, algorithm="lloyd"):
        self.X, self.weight = X, compact(sample_weight)
        self.labels = np.full(len(X), -1, np.int32)  # (N,)
        self.algorithm = algorithm
        self.origin, self.scale = frame_of(X)  # (D,)
        self.centers = None

    def step(self, centers):
        """One iteration from `centers` (K, D): label the points, then take the means.

        Returns means (K, D) float64, weights (K,), the inertia of the labels against `centers`, and how many labels
        changed.
        """
        first = self.centers is None
        if first:
            self._begin(centers)
        sums, mass, (inertia, q, n_moved) = self._pass(centers, search=True, afresh=first)
        if not first:
            self.sums, self.mass = self.sums + sums, self.mass + mass  # (K, D), (K, 2)
            self.peak = np.maximum(self.peak, self.mass[:, 0])  # (K,)
        if first or (self.mass[:, 0] < 1e-4 * self.peak)[self.mass[:, 1] > 0].any():
            if not first:  # little is left of a heavy cluster: the digits of its sums left with the others
                sums, mass, (inertia, q, _) = self._pass(centers, search=False, afresh=True)
            self.sums, self.mass, self.q, self.peak = sums, mass, q, mass[:, 0].copy()
        else:
            inertia = self._inertia(centers)
        empty = self.mass[:, 1] == 0
        self.sums[empty], self.mass[empty] = 0, 0
        weights = self.mass[:, 0].copy()  # (K,)
        shifts = self.sums / np.where(empty, 1, weights)[:, None]  # (K, D)
        means = np.where(empty[:, None], centers, self.origin + shifts)  # (K, D)
        return means, weights, float(inertia), int(n_moved)

    def settle(self, centers):
        """Label the points for `centers` (K, D) as they are. Returns the labels (N,) and their inertia."""
        if self.centers is None:
            self._begin(centers)
        _, _, (inertia, _, _) = self._pass(centers, search=True, afresh=True)
        return self.labels, float(inertia)

    def _begin(self, centers):
        """Choose the algorithm and the size of the chunks, and make room."""
        n_samples, n_features = self.X.shape
        n_clusters = len(centers)
        room = 2 * n_samples * self.X.itemsize
        if self.algorithm == "auto":
            self.algorithm = "hamerly" if n_clusters * n_features >= 512 and room <= BOUNDS_BYTES else "lloyd"
        self.bounded = self.algorithm == "hamerly"
        self.upper, self.lower = np.zeros((2, n_samples if self.bounded else 1), self.X.dtype)  # (N,), (N,)
        most = SUMS_ENTRIES // centers.size
        most = min(MAX_CHUNKS, max(1, most, min(32, 32 * SUMS_ENTRIES // centers.size)))
        self.chunk = max(CHUNK_POINTS, -(-n_samples // most))
        n_chunks = -(-n_samples // self.chunk)
        self.out = Sums(np.zeros((n_chunks, *centers.shape)), np.zeros((n_chunks, n_clusters, 2)),
                        np.zeros((n_chunks, 3)))  # (M, K, D), (M, K, 2), (M, 3)

    def _pass(self, centers, search, afresh):
        """Run the kernel over X, in pieces if X does not lie in rows, and add the chunks up in their order."""
        exact = np.ascontiguousarray(centers, np.float64)  # (K, D)
        near, frame = in_frame(exact, self.origin, self.scale, self.X.dtype)
        moved = np.zeros(len(exact)) if self.centers is None else _distance_moved(exact, self.centers) * self.scale
        tables = Centers(exact, near, moved, _of_others(moved))
        for chunks, rows, X in pieces(self.X, self.chunk, len(self.out.totals)):
            part = slice(None) if len(self.weight) == 1 else rows
            bounds = rows if self.bounded else slice(None)
            points = Points(X, self.weight[part], self.labels[rows], self.upper[bounds], self.lower[bounds])
            pass_over(points, tables, frame, Sums(*(array[chunks] for array in self.out)), self.chunk,
                      numba.get_num_threads(), search, self.bounded, afresh)
        if search:
            self.centers = exact
        return [array.sum(axis=0) for array in self.out]

    def _inertia(self, centers):
        """The inertia from the sums, or from the points where its digits would cancel."""
        seen = centers - self.origin  # (K, D)
        change = self.mass[:, 0] @ np.square(seen).sum(axis=1) - 2 * np.vdot(seen, self.sums)
        inertia = self.q + change
        if inertia > CANCELLATION * self.q:
            return inertia
        return self._pass(centers, search=False, afresh=True)[2][0]


def lloyd_step(X, centers, sample_weight=None):
    """One iteration; see aelearn.lloyd.lloyd_step. Returns labels, means, weights and the inertia."""
    descent = Descent(X, sample_weight)
    means, weights, inertia, _ = descent.step(centers)
    return descent.labels, means, weights, inertia


def assign(X, centers, sample_weight):
    """The nearest centre of each point: labels (N,) int32 and the inertia, a float."""
    return Descent(X, sample_weight).settle(centers)


def compact(sample_weight):
    """Weights as kernels take them: contiguous (N,) float64, or (1,) where all are one number at one place."""
    if sample_weight is None:
        return np.ones(1)
    if sample_weight.strides == (0,):
        return sample_weight[:1].copy()
    return np.array(sample_weight, np.float64, order="C", copy=None)


def pieces(X, chunk, n_chunks):
    """X as kernels take it, contiguous and read-only: whole, or copied in pieces of whole chunks if it is not in rows.

    Yields the slice of the chunks, the slice of the rows, and the rows.
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


def _distance_moved(centers, old):
    """How far each centre moved (K,), rounded up."""
    return np.sqrt(np.square(centers - old).sum(axis=1)) * (1 + 1e-12)


def _of_others(moved):
    """The largest entry of `moved` (K,) other than the own."""
    others = np.full(len(moved), moved.max())  # (K,)
    fastest = moved.argmax()
    others[fastest] = np.delete(moved, fastest).max(initial=0)
    return others
