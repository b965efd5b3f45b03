"""What the compiled back ends have in common: the door of `matmul`, names of activations, the frame that points are
seen in, the draws of k-means++.

Nothing in here is hot, and nothing is compiled.
"""

import numpy as np

SIGMOID, TANH, RELU, IDENTITY = range(4)
CODES = {"sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "identity": IDENTITY}  # kernels do not know strings


def check_product(a, b, out):
    """The arguments of `matmul`: factors as arrays, and an array (N, M) for the product, new if `out` is None.

    Raises TypeError and ValueError as `matmul` tells.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.dtype not in (np.float32, np.float64):
        raise TypeError(f"matmul wants two float32 or two float64 matrices; got {a.dtype} and {b.dtype}")
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul wants shapes (N, K) and (K, M); got {a.shape} and {b.shape}")
    shape = (a.shape[0], b.shape[1])
    if out is None:
        return a, b, np.empty(shape, a.dtype)
    if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != a.dtype:
        raise ValueError(f"out must be an array of shape {shape} and dtype {a.dtype}; "
                         f"got {getattr(out, 'shape', type(out).__name__)}, {getattr(out, 'dtype', 'no dtype')}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    if np.shares_memory(out, a) or np.shares_memory(out, b):
        raise ValueError("out shares memory with a factor, which would be overwritten while it is still needed")
    return a, b, out


def compact(sample_weight):
    """Weights as kernels take them: contiguous (N,) float64, or (1,) where all are one number at one place."""
    if sample_weight is None:
        return np.ones(1)
    if sample_weight.strides == (0,):
        return sample_weight[:1].copy()
    return np.ascontiguousarray(sample_weight, np.float64)


def frame_of(X):
    """Origin (D,) of X's dtype and scale for points like those of X (N, D), from a few hundred of them.

    Where the points lie about 0 and are of ordinary size, which is nearly always, the frame is plain: X as it is.
    """
    sample = X[::max(1, len(X) // 256)].astype(np.float64)  # (about 256, D)
    mean = sample.mean(axis=0)  # (D,)
    spread = np.abs(sample - mean).max()
    origin = mean.astype(X.dtype) if np.abs(mean).max() > 16 * spread else np.zeros(X.shape[1], X.dtype)
    size = np.abs(sample - origin).max()
    if size == 0 or 2.0**-20 < size < 2.0**20:
        return origin, 1.0
    return origin, float(2.0 ** -np.clip(np.frexp(size)[1], -120, 120))


def choose_points(n_clusters, chunks, weight, nearest, attempt, rng):
    """The numbers of the K points that greedy k-means++ draws; see aelearn.lloyd.kmeans_plusplus.

    chunks   slices that cover the N points
    weight   (N,)
    nearest  nearest(rows) gives the squared distances of a chunk's points to their nearest centre so far
    attempt  attempt(points, keep) gives, for M chunks and T points, the inertias (M, T) if each of the points alone
             were the next centre; with keep there is one, and `nearest` henceforth counts it

    Draws go by two stages, first a chunk by the chunks' masses, then a point in it: so no running sum of all N masses
    is needed.
    """
    def mass(rows):
        return weight[rows] * nearest(rows)  # (chunk,)

    chosen = [_draw(rng, chunks, [weight[rows].sum() for rows in chunks], lambda rows: weight[rows])]
    masses = attempt(chosen, keep=True)[:, 0]  # (M,)
    n_trials = 2 + int(np.log(n_clusters))
    while len(chosen) < n_clusters:
        candidates = [_draw(rng, chunks, masses, mass) for _ in range(n_trials)]
        best = candidates[attempt(candidates, keep=False).sum(axis=0).argmin()]
        masses = attempt([best], keep=True)[:, 0]  # (M,)
        chosen.append(best)
    return chosen


def _draw(rng, chunks, masses, mass):
    """The number of a point, drawn in proportion to its mass; masses: those of the chunks (M,); mass: of a chunk's."""
    cumulative = np.cumsum(masses)  # (M,)
    if cumulative[-1] == 0:
        return int(rng.integers(chunks[-1].stop))
    target = rng.random() * cumulative[-1]
    m = min(np.searchsorted(cumulative, target, side="right"), np.flatnonzero(masses)[-1])
    inside = mass(chunks[m])  # (chunk,)
    before = cumulative[m - 1] if m else 0.0
    index = np.searchsorted(np.cumsum(inside), target - before, side="right")
    return chunks[m].start + int(min(index, np.flatnonzero(inside)[-1]))
