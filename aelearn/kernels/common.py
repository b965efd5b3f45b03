"""What the compiled back ends have in common: the door of `matmul`, names of activations, the frame that points are
seen in, the draws of k-means++.

Nothing in here is hot, and nothing is compiled.
"""

import math

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


def as_numbers(values, name, n_dims):
    """`values` as an array of float32 or float64, with `n_dims` dimensions: other floats and integers become float64.

    Arrays in another byte order are turned round; lists are arrays. Raises TypeError for what holds no real numbers,
    ValueError for another number of dimensions and for masked entries.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries, which are no numbers: fill them first, or leave their rows out")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers; got {type(values).__name__} of dtype {array.dtype}")
    if array.ndim != n_dims:
        raise ValueError(f"{name} must have {n_dims} dimensions; got shape {array.shape}")
    is_known = array.dtype in (np.float32, np.float64)  # == also holds for the other byte order
    return array.astype(array.dtype.newbyteorder("=") if is_known else np.float64, copy=False)


def check_points(X, sample_weight=None):
    """X (N, D), of float32 or float64, and weights (N,) float64: for None, a single 1 that is read N times over.

    Raises TypeError and ValueError as `aelearn.lloyd.lloyd_step` tells. It does not look at each entry of X.
    """
    X = as_numbers(X, "X", 2)
    if 0 in X.shape:
        raise ValueError(f"X must have at least one row and one column; got shape {X.shape}")
    if sample_weight is None:
        return X, np.broadcast_to(np.float64(1), len(X))  # (N, D), (N,)
    weight = as_numbers(sample_weight, "sample_weight", 1)
    if len(weight) != len(X):
        raise ValueError(f"sample_weight must have an entry for each of the {len(X)} rows of X; got {len(weight)}")
    if not weight[:1 if weight.strides == (0,) else None].min() >= 0:
        raise ValueError("sample_weight must hold no negative number and no NaN")
    return X, weight.astype(np.float64, copy=False)


def check_centers(centers, n_features):
    """Centres (K, D) as a float64 array of their own, in rows. Raises TypeError and ValueError."""
    centers = np.array(as_numbers(centers, "centers", 2), np.float64, order="C")  # (K, D)
    if len(centers) == 0 or centers.shape[1] != n_features:
        raise ValueError(f"centers must have the shape (K, {n_features}), with K at least 1 and as many columns as X; "
                         f"got {centers.shape}")
    return centers


def check_kmeans(X, centers, sample_weight, labels=None):
    """The arguments of a function of k-means, as `check_points` and `check_centers` return them.

    labels: if given, must be integers (N,) from 0 to K - 1.
    """
    X, weight = check_points(X, sample_weight)
    centers = check_centers(centers, X.shape[1])
    if labels is not None and (np.shape(labels) != (len(X),) or labels.dtype.kind not in "iu"
                               or labels.min() < 0 or labels.max() >= len(centers)):
        raise ValueError(f"labels must be {len(X)} integers from 0 to {len(centers) - 1}, one for each row of X")
    return X, centers, weight


def check_squares(inertia):
    """The inertia, a float. Raises ValueError if it is not finite: then some entry is not, or its square."""
    if not math.isfinite(inertia):
        raise ValueError("X, centers and sample_weight must be finite, and small enough to be squared and added: "
                         f"their inertia is {inertia}")
    return inertia


def compact(sample_weight):
    """Weights as kernels take them: contiguous (N,) float64, or (1,) where all are one number at one place."""
    if sample_weight.strides == (0,):
        return sample_weight[:1].copy()
    return np.ascontiguousarray(sample_weight, np.float64)


def origin_of(X):
    """Where the points X (N, D) are seen from when they are summed: (D,) of X's dtype.

    It is 0 or, where the points lie far from 0, the first of them: differences and their sums then keep digits that
    they would lose. All back ends take this one, so that sums of numbers with few digits, such as integers, come out
    the same to the last bit on all of them: nothing in such sums is ever rounded.
    """
    sample = X[::max(1, len(X) // 256)].astype(np.float64)  # (about 256, D), with the first point
    mean = sample.mean(axis=0)  # (D,)
    spread = np.abs(sample - mean).max()
    return X[0].copy() if np.abs(mean).max() > 16 * spread else np.zeros(X.shape[1], X.dtype)


def scale_of(X, origin):
    """A power of two that points like those of X (N, D), as seen from the origin (D,), are multiplied with: a float.

    Where they are of ordinary size, which is nearly always, it is 1. A few hundred of them tell.
    """
    size = np.abs(X[::max(1, len(X) // 256)].astype(np.float64) - origin).max()
    return 1.0 if size == 0 or 2.0**-20 < size < 2.0**20 else float(2.0 ** -np.clip(np.frexp(size)[1], -120, 120))


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
