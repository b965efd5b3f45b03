"""K-means on the GPU: labels, sums and inertia in one launch, over an X that stays on the device.

Worth reading. Counterparts: kmeans/lloyd.py (NumPy, with the equations), kernels/cpu/lloyd.py.

Shapes: N samples, D features, K clusters, M chunks of points, E = 3 + K (D + 1) numbers that a chunk adds up.

Each iteration sends the centres to the device and gets back E numbers: the inertia, how many labels changed, how many
are in doubt, and for each cluster the sum of its points, seen from an origin, and their weight. All of them are sums
over points, carried as pairs of numbers (sums.py), first over a chunk and then over the chunks, both in a fixed order.
So a run repeats bit for bit. Empty clusters are not filled here: aelearn.kmeans.lloyd.fill_empty_clusters does it for
all back ends.

What float32 cannot hold is kept out of it: a centre is split into two numbers, so that x - c is as exact as its own
size allows; points much larger or smaller than 1 are scaled by a power of two, and so are weights; and where sample
weights have more digits than float32, X goes to the device as float64.

There are no bounds here: a GPU is good at looking at all distances. Which centre is nearest is decided in X's dtype,
with centres rounded to it. Where that cannot tell which of two is nearer, the label is in doubt: the host fetches the
labels, decides those few with the CPU's kernel, which is exact, and sends them back; only if one of them changes are
the sums computed again. So labels are those of the other back ends, ties included.
"""

import numpy as np

from aelearn.kernels import cpu
from aelearn.kernels.arguments import check_centers, check_points, check_squares
from aelearn.kernels.common import compact, exponent_of, origin_of
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.assignment import DOUBTFUL, INERTIA, MOVED, SUMS, pass_over
from aelearn.kernels.gpu.sums import THREADS, add_rows

MAX_CHUNKS = 512
SUMS_ENTRIES = 1 << 24  # of all chunks' sums; more only to have 32 chunks
PIECE_ENTRIES = 1 << 22  # of a part of X that is converted on its way to the device
FAR = {4: 2.0**60, 8: 2.0**500}  # by bytes of a number: how far from 0 a centre may be, in units of the points' size


class Points:
    """X (N, D) and its sample weights on the device, for any number of descents and starts.

    X             the same points, on the host
    weight        (N,) float64, or (1,) where all are one number, on the host
    there         X on the device, divided by 2^exponent
    weight_there  the weights on the device, divided by `unit`
    origin        (D,) float64, 0 or a point of X: where distances and sums are seen from, see common.origin_of
    """

    def __init__(self, X, sample_weight=None):
        self.X, weight = check_points(X, sample_weight)  # (N, D), (N,)
        X, self.weight = self.X, compact(weight)  # ..., (N,) or (1,)
        weight, self.unit = _scaled(self.weight)
        exact = (weight == weight.astype(np.float32)).all() and weight[weight > 0].min() > 2.0**-60
        self.dtype = X.dtype if exact else np.dtype(np.float64)
        self.exponent = exponent_of(float(max(X.max(), -X.min())), 2.0**-4, 2.0**20)
        self.origin = origin_of(X).astype(np.float64)  # (D,)
        self.there = device.empty(X.shape, self.dtype)
        step = max(1, PIECE_ENTRIES // X.shape[1])
        for start in range(0, len(X), step):
            piece = np.asarray(X[start:start + step])
            if self.exponent:
                piece = np.ldexp(piece, -self.exponent)
            device.fill(self.there[start:start + step], piece.astype(self.dtype, copy=False))
        self.weight_there = device.upload(weight.astype(self.dtype))

    def chunks(self, n_numbers):
        """The size of a chunk that adds up `n_numbers`, a multiple of a block's threads; and M, how many there are."""
        most = min(MAX_CHUNKS, max(32, SUMS_ENTRIES // n_numbers))
        size = -(-len(self.X) // (most * THREADS)) * THREADS
        return size, -(-len(self.X) // size)


class Descent:
    """Lloyd's iterations over one X, one after the other; see aelearn.kmeans.lloyd.Descent.

    X (N, D), or Points if it is on the device already. algorithm is ignored: the other back ends have a choice.
    """

    def __init__(self, X, sample_weight=None, algorithm="lloyd"):
        self.points = X if isinstance(X, Points) else Points(X, sample_weight)
        none = np.full(len(self.points.X), -1, np.int32)  # (N,)
        self._before, self._labels = device.upload(none), device.upload(none)  # of the last step but one, and the last

    @property
    def labels(self):
        """The labels (N,) int32 of the last step, fetched from the device."""
        return device.download(self._labels)

    def step(self, centers):
        """One iteration from `centers` (K, D): label the points, then take the means.

        Returns means (K, D) float64, weights (K,), the inertia of the labels against `centers`, and how many labels of
        points that weigh anything changed.
        """
        centers = check_centers(centers, self.points.X.shape[1])  # (K, D)
        total, n_clusters = self._pass(centers), len(centers)
        sums = total[SUMS:].reshape(n_clusters, -1)  # (K, D + 1)
        sums, weights = np.ldexp(sums[:, :-1], self.points.exponent), sums[:, -1:]  # (K, D), (K, 1)
        means = np.where(weights > 0, self.points.origin + sums / np.where(weights > 0, weights, 1), centers)  # (K, D)
        weights = weights[:, 0]  # (K,)
        return means, weights * self.points.unit, self._inertia(total), int(total[MOVED])

    def settle(self, centers):
        """Label the points for `centers` (K, D) as they are. Returns the labels (N,) and their inertia."""
        inertia = self._inertia(self._pass(check_centers(centers, self.points.X.shape[1])))
        return self.labels, inertia

    def _inertia(self, total):
        return float(np.ldexp(total[INERTIA], 2 * self.points.exponent)) * self.points.unit

    def _pass(self, centers):
        """Run the kernel over X. Returns its E numbers, float64."""
        points, (n_clusters, n_features) = self.points, centers.shape
        scaled = np.ldexp(centers, -points.exponent)  # (K, D)
        far = FAR[points.dtype.itemsize]
        if np.abs(scaled).max() > far:
            raise ValueError(f"centres lie more than {far:.0e} times as far from 0 as the points, too far for squares "
                             f"of {points.dtype} on backend 'cuda': use X of float64, or another back end")
        high = scaled.astype(points.dtype)  # (K, D)
        origin = np.ldexp(points.origin, -points.exponent)  # (D,)
        packed = np.concatenate([[origin], scaled - origin, high, scaled - high])  # (3 K + 1, D): one copy, not four
        eps, tiny = np.finfo(points.dtype).eps, np.finfo(points.dtype).tiny
        rounding = np.array([1.5 * eps / 2 * (n_features + 5), 1.5 * eps / 2 * 4, n_features * tiny])  # (3,)
        self._before, self._labels = self._labels, self._before
        n_numbers = SUMS + n_clusters * (n_features + 1)
        size, n_chunks = points.chunks(n_numbers)
        n_teams = max(1, THREADS // (n_numbers - SUMS))
        partial = device.empty((n_chunks * n_teams, n_numbers, 2), points.dtype)  # (M n_teams, E, 2)
        total = device.empty((n_numbers, 2), points.dtype)  # (E, 2)
        packed, rounding = device.upload(packed.astype(points.dtype)), device.upload(rounding.astype(points.dtype))

        def add_up(search):
            device.launch(pass_over, n_chunks, THREADS, points.there, points.weight_there, packed, rounding,
                          self._before, self._labels, search, size, n_teams, partial)
            device.launch(add_rows, n_numbers, THREADS, partial, total)
            return device.download(total).sum(axis=1, dtype=np.float64)  # (E,)

        sums = add_up(search=True)  # (E,)
        return add_up(search=False) if sums[DOUBTFUL] and self._decide(centers) else sums

    def _decide(self, centers):
        """Correct the labels that are in doubt. Returns whether any of them changes."""
        labels, X = self.labels, self.points.X  # (N,), (N, D)
        doubtful, changed = np.flatnonzero(labels < 0), False  # (A,)
        labels[doubtful] = -1 - labels[doubtful]
        step = max(1, PIECE_ENTRIES // X.shape[1])
        for start in range(0, len(doubtful), step):
            rows = doubtful[start:start + step]
            right, _ = cpu.Descent(X[rows]).settle(centers)
            changed = changed or not np.array_equal(labels[rows], right)
            labels[rows] = right
        device.fill(self._labels, labels)
        return changed


def _scaled(weight):
    """Weights (N,) or (1,) divided by a unit, so that the largest is about 1, and the unit.

    It is the weight itself if all are the same, else a power of two.
    """
    if (weight == weight[0]).all():
        return np.ones(1), float(weight[0])
    unit = float(2.0 ** np.frexp(weight.max())[1])
    return weight / unit, unit


def lloyd_step(X, centers, sample_weight=None):
    """One iteration; see aelearn.kmeans.lloyd.lloyd_step. Returns labels, means, weights and the inertia."""
    descent = Descent(X, sample_weight)
    means, weights, inertia, _ = descent.step(centers)
    return descent.labels, means, weights, check_squares(inertia)


def assign(X, centers, sample_weight=None):
    """The nearest centre of each point, see aelearn.kmeans.lloyd.assign: labels (N,) int32 and the inertia, a float."""
    labels, inertia = Descent(X, sample_weight).settle(centers)
    return labels, check_squares(inertia)
