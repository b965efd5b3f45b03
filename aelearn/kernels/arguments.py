"""Input validation for the functions of all back ends.

Plumbing.

Compiled code does not check whether an index is inside an array: an array of the wrong shape would be read, or written,
past its end. So every public function passes its arguments through one of the checks here, once. Lists, integers, other
floats and other byte orders are converted; anything else raises an error with one sentence. To search all of X for NaN
would take as long as some of the functions themselves: it is found in the result.

Shapes: N samples, D features, K clusters.
"""

import math
import numbers

import numpy as np


def check_product(a, b, out):
    """The arguments of `matmul`: factors as arrays, and an array (N, M) for the product, new if `out` is None.

    Raises TypeError and ValueError as described in `matmul`.
    """
    if np.ma.is_masked(a) or np.ma.is_masked(b):
        raise ValueError("a factor has masked entries, which are not numbers: fill them first")
    a, b = np.asarray(a), np.asarray(b)
    a, b = (array.astype(array.dtype.newbyteorder("="), copy=False) for array in (a, b))
    if a.dtype != b.dtype or a.dtype not in (np.float32, np.float64):
        raise TypeError(f"matmul needs two float32 or two float64 matrices; got {a.dtype} and {b.dtype}")
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul needs shapes (N, K) and (K, M); got {a.shape} and {b.shape}")
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

    Arrays in another byte order are converted, and so are lists. Raises TypeError for entries that are not real
    numbers, ValueError for another number of dimensions and for masked entries.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries, which are not numbers: fill them first, or leave their rows out")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers; got {type(values).__name__} of dtype {array.dtype}")
    if array.ndim != n_dims:
        raise ValueError(f"{name} must have {n_dims} dimensions; got shape {array.shape}")
    is_known = array.dtype in (np.float32, np.float64)  # == also holds for the other byte order
    return array.astype(array.dtype.newbyteorder("=") if is_known else np.float64, copy=False)


def check_points(X, sample_weight=None):
    """X (N, D), of float32 or float64, and weights (N,) float64: for None, a single 1 that is read N times.

    Raises TypeError and ValueError as described in `aelearn.kmeans.lloyd.lloyd_step`. It does not read all of X.
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
        raise ValueError("sample_weight must not contain negative numbers or NaN")
    return X, weight.astype(np.float64, copy=False)


def check_centers(centers, n_features):
    """Centres (K, D) as a new, C-ordered float64 array. Raises TypeError and ValueError."""
    centers = np.array(as_numbers(centers, "centers", 2), np.float64, order="C")  # (K, D)
    if len(centers) == 0 or centers.shape[1] != n_features:
        raise ValueError(f"centers must have the shape (K, {n_features}), with K at least 1 and as many columns as X; "
                         f"got {centers.shape}")
    if not np.isfinite(centers).all():
        raise ValueError("centers must be finite; got NaN or infinity")
    return centers


def check_kmeans(X, centers, sample_weight, labels=None):
    """The arguments of a function of k-means, as `check_points` and `check_centers` return them.

    labels: if given, must be integers (N,) from 0 to K - 1.
    """
    X, weight = check_points(X, sample_weight)
    centers = check_centers(centers, X.shape[1])
    if labels is not None and (getattr(labels, "shape", None) != (len(X),) or labels.dtype.kind not in "iu"
                               or labels.min() < 0 or labels.max() >= len(centers)):
        raise ValueError(f"labels must be {len(X)} integers from 0 to {len(centers) - 1}, one for each row of X")
    return X, centers, weight


def check_algorithm(algorithm):
    """Raise ValueError for an algorithm that does not exist."""
    if algorithm not in ("lloyd", "hamerly", "auto"):
        raise ValueError(f"algorithm must be one of 'lloyd', 'hamerly', 'auto'; got {algorithm!r}")


def check_number_of_clusters(n_clusters):
    """Raise TypeError or ValueError for a number of centres that is not an integer, or below 1."""
    if isinstance(n_clusters, bool) or not isinstance(n_clusters, numbers.Integral):
        raise TypeError(f"n_clusters must be an integer; got {n_clusters!r}")
    if n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1; got {n_clusters}")


def check_squares(inertia):
    """The inertia, a float. Raises ValueError if it is not finite: then some entry or its square is not."""
    if not math.isfinite(inertia):
        raise ValueError("X, centers and sample_weight must be finite, and small enough to be squared and added: "
                         f"their inertia is {inertia}")
    return inertia


def check_table(table, k):
    """The arguments of `smallest`: a C-ordered table (B, M), and k from 1 to M. Raises TypeError and ValueError."""
    exact = np.asarray(table)
    if exact.dtype.kind in "iu" and exact.size and (exact.max() >= 2**53 or exact.min() <= -2**53):
        raise ValueError("table must hold numbers that float64 can distinguish; got integers of 2^53 or more")
    table = np.ascontiguousarray(as_numbers(table, "table", 2))  # (B, M)
    if isinstance(k, bool) or not isinstance(k, numbers.Integral):
        raise TypeError(f"k must be an integer; got {k!r}")
    if not 1 <= k <= table.shape[1]:
        raise ValueError(f"k must be from 1 to {table.shape[1]}, the number of columns of table; got {k}")
    return table, int(k)


def check_step(params, x, architecture, work=None):
    """The images of `loss_and_gradients` as an array (N, D). Raises TypeError and ValueError for others.

    `forward`, `backward` and `output_loss`, which training calls for every batch, check nothing: call them with arrays
    that this function has accepted.
    """
    x, dtype, widths = as_numbers(x, "x", 2), params["W1"].dtype, architecture.widths
    if x.dtype != dtype:
        raise TypeError(f"x and the parameters must have the same dtype; got {x.dtype} and {dtype}")
    if len(x) == 0 or x.shape[1] != widths[0]:
        raise ValueError(f"x must have the shape (N, {widths[0]}), with N at least 1; got {x.shape}")
    for layer, shape in enumerate(zip(widths, widths[1:]), 1):
        W, b = params[f"W{layer}"], params[f"b{layer}"]
        if W.shape != shape or b.shape != shape[1:] or W.dtype != dtype or b.dtype != dtype:
            raise ValueError(f"W{layer} and b{layer} must have the shapes {shape} and {shape[1:]}, and the dtype "
                             f"{dtype}; got {W.shape} of {W.dtype} and {b.shape} of {b.dtype}")
    if work is not None and (len(work.a[-1]) < len(x) or work.a[-1].dtype != dtype
                             or [a.shape[1] for a in work.a] != list(widths)):
        raise ValueError(f"work was made for {len(work.a[-1])} rows of {work.a[-1].dtype} and widths "
                         f"{[a.shape[1] for a in work.a]}; got {len(x)} rows of {dtype} and widths {list(widths)}")
    return x


def check_vectors(changed, grads):
    """Raise TypeError or ValueError for vectors that an optimiser cannot update; it writes to those in `changed`."""
    for vector in (grads, *changed):
        if not isinstance(vector, np.ndarray):
            raise TypeError(f"an optimiser updates NumPy arrays in place; got {type(vector).__name__}")
        if vector.ndim != 1 or vector.shape != grads.shape or vector.dtype != grads.dtype:
            raise ValueError("parameters, gradients and the optimiser's memory must be vectors of the same length and "
                             f"dtype; got {[(v.shape, str(v.dtype)) for v in (*changed, grads)]}")
    if grads.dtype not in (np.float32, np.float64):
        raise TypeError(f"an optimiser needs float32 or float64; got {grads.dtype}")
    for n, vector in enumerate(changed):
        if not vector.flags.writeable:
            raise ValueError("parameters and the optimiser's memory are updated in place; one of them is read-only")
        if any(np.may_share_memory(vector, other) for other in (*changed[n + 1:], grads)):
            raise ValueError("parameters, gradients and the optimiser's memory must not share memory")
