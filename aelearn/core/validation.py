"""Input validation: every array and every setting that a user passes is checked here, once.

Bad input raises an error with one sentence that says what was passed, what is needed and, where that helps, what to do.
The types and the wording of errors follow scikit-learn's, so that code written for its estimators works with these.

Shapes: N samples, D features.
"""

import datetime
import math
import numbers
import os
import sys
import warnings
from collections.abc import Iterator

import numpy as np

from aelearn import kernels
from aelearn.core.arrays import SAFE

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
NOT_NUMBERS = (str, bytes, np.datetime64, np.timedelta64, datetime.date, datetime.timedelta)
BACKENDS = ("auto", "numpy", "numba", "cuda")


def check_array(X, *, name="X", estimator="the estimator"):
    """X as a float array (N, D): float32 and float64 stay what they are, everything else becomes float64.

    Accepted are lists, integers, booleans, data frames, arrays that are strided, Fortran-ordered, byte-swapped or
    read-only, and masked arrays in which nothing is masked. An array that already holds floats is not copied.

    Raises TypeError for sparse matrices, iterators and entries that are not numbers; ValueError for complex numbers,
    strings, dates, masked entries, any other number of dimensions than two, no rows, no columns, NaN and infinity.
    """
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError(f"Sparse data was passed for {name}, but dense data is required. "
                        f"Use '.toarray()' to convert to a dense numpy array.")
    array = as_array(X, name)
    if array.dtype.newbyteorder("=") in FLOATS:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)  # copies only if bytes are swapped
    else:
        array = as_float64(array, name)
    if array.ndim != 2:
        hint = {0: "Reshape your data to (n_samples, n_features).",
                1: "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
                   "array.reshape(1, -1) if it contains a single sample."}
        raise ValueError(f"Expected 2D array, got {_n_dimensional(array)} instead: {name} has shape {array.shape}. "
                         + hint.get(array.ndim, f"{estimator} expected <= 2."))
    for axis, what in enumerate(("sample", "feature")):
        if array.shape[axis] == 0:
            raise ValueError(f"Found array with 0 {what}(s) (shape={array.shape}) "
                             f"while a minimum of 1 is required by {estimator}.")
    check_finite(array, name)
    return array


def as_array(values, name):
    """`values` as an array of any shape and dtype.

    Raises ValueError for rows of different lengths and for masked entries, whose mask NumPy would silently drop;
    TypeError for iterators, which can be read only once.
    """
    if isinstance(values, Iterator):
        raise TypeError(f"{name} must be an array; got an iterator ({type(values).__name__}), which can be read only "
                        f"once: pass list({name})")
    for part in values if isinstance(values, (list, tuple)) else (values,):
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            raise ValueError(f"{name} has masked entries, and there is no way to leave out single entries here: "
                             f"fill them, as {name}.filled(value) does, or drop their rows")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array; got rows of different lengths") from None


def as_float64(values, name):
    """`values` as a float64 array of any shape. Raises ValueError or TypeError if they are not numbers."""
    array = as_array(values, name)
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")
    if array.dtype.kind not in "biufO":
        raise ValueError(f"{name} must hold numbers; got dtype {array.dtype}"
                         + (" (strings)" if array.dtype.kind in "SUT" else ""))
    if array.dtype.kind == "O":
        for kind in set(map(type, array.ravel().tolist())):
            if issubclass(kind, NOT_NUMBERS):  # NumPy would convert some of them
                raise ValueError(f"{name} must hold numbers; got entries of type {kind.__name__}")
    try:
        with np.errstate(over="ignore"):  # what float64 cannot hold becomes infinity, which is rejected next
            return array.astype(np.float64)
    except TypeError as error:  # an entry such as a dictionary; NumPy's own message names its type
        raise TypeError(f"{name} must hold numbers: {error}") from None
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None


def _n_dimensional(array):
    return "scalar array" if array.ndim == 0 else f"{array.ndim}D array"


def check_finite(array, name):
    """Raise ValueError for NaN and infinity. A finite sum, which needs no temporary array, shows there are none."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(array)):
            return
    for part in array.reshape(1) if array.ndim == 0 else np.array_split(array, max(1, array.size >> 20)):
        if np.isnan(part).any():
            raise ValueError(f"Input {name} contains NaN.")
        if np.isinf(part).any():
            raise ValueError(f"Input {name} contains infinity or a value too large for {array.dtype!r}.")


def check_sample_weight(sample_weight, n_samples):
    """Weights (N,) float64. Raises ValueError unless finite, >= 0 and not all zero.

    For None the array is a view of a single 1: ten million equal weights need no memory.
    """
    if sample_weight is None:
        return np.broadcast_to(np.float64(1), n_samples)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n_samples, sample_weight)
    weight = as_float64(sample_weight, "sample_weight")
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar; got shape {weight.shape}")
    if weight.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(n_samples,)}!")
    check_finite(weight, "sample_weight")
    if weight.min() < 0 or weight.max() > SAFE:
        raise ValueError("sample_weight must not be negative, nor above 1e100; "
                         f"its entries go from {weight.min()} to {weight.max()}")
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def check_integer(name, value, low, high=None):
    """`value` as an int from `low` to `high`. Raises TypeError for another type, ValueError for another range."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer; got {value!r} of type {type(value).__name__}")
    return _check_range(name, int(value), low, high, "an integer")


def check_verbose(verbose):
    """Raise TypeError or ValueError unless `verbose` is True, False or an integer of at least 0."""
    check_integer("verbose", int(verbose) if isinstance(verbose, (bool, np.bool_)) else verbose, 0)


def check_number(name, value, low, high=None, *, exclusive_low=False):
    """`value` as a finite float from `low` to `high`. Raises TypeError for another type, ValueError for the rest."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number; got {value!r} of type {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:  # a large int
        number = math.inf
    if not math.isfinite(number) or (exclusive_low and number <= low):
        raise ValueError(f"{name} must be finite and {'above' if exclusive_low else 'at least'} {low}; got {number}")
    return _check_range(name, number, low, high, "a number")


def _check_range(name, value, low, high, kind):
    if value < low or (high is not None and value > high):
        bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {kind} {bounds}; got {value}")
    return value


def check_choice(name, value, choices):
    """`value`, which must be one of the strings in `choices`. Raises ValueError otherwise."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(repr(choice) for choice in choices)}; got {value!r}")
    return value


def check_float_dtype(dtype):
    """np.float32 or np.float64 as a dtype. Raises TypeError for anything else."""
    try:
        known = None if dtype is None else np.dtype(dtype)
    except TypeError:
        known = None
    if known is None or known not in FLOATS:  # for NumPy, None == np.dtype("float64")
        raise TypeError(f"dtype must be np.float32 or np.float64; got {dtype!r}")
    return known


def check_backend(backend):
    """Raise ValueError for a back end that does not exist. Nothing is loaded."""
    if not isinstance(backend, str) or backend not in BACKENDS:
        names = ", ".join(map(repr, BACKENDS[:-1]))
        raise ValueError(f"backend {backend!r} does not exist: use {names} or {BACKENDS[-1]!r}")


def load_backend(backend):
    """The name of the back end to run on, "numpy", "numba" or "cuda", loaded and ready. For `fit` and `predict`.

    "auto" is "numba" if that can run; otherwise it is "numpy", and a RuntimeWarning says why. It is never "cuda".
    Raises ValueError for a name that does not exist, UnavailableError (a RuntimeError) if "numba" or "cuda" was
    requested and cannot run.
    """
    check_backend(backend)
    if backend == "numpy":
        return "numpy"
    if backend != "auto":
        kernels.get(backend)
        return backend
    try:
        kernels.get("numba")
    except kernels.UnavailableError as error:
        warn(f"{error}; backend='auto' falls back to NumPy, which gives the same results to rounding, only more slowly",
             RuntimeWarning)
        return "numpy"
    return "numba"


def generator(random_state):
    """A np.random.Generator from None (fresh entropy), an int, a Generator or a RandomState.

    A Generator or RandomState is used, not copied, so its own state advances. NumPy's global state is never touched.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    if random_state is None or isinstance(random_state, np.random.Generator):
        return np.random.default_rng(random_state)
    if random_state is np.random:
        raise TypeError("random_state must not be the module np.random: NumPy's global state is never used; "
                        "pass None, an integer, a Generator or a RandomState")
    return np.random.default_rng(check_integer("random_state", random_state, 0))


def peer_class(module, own):
    """`own`, an exception or warning class; if scikit-learn is loaded, a subclass of it and of scikit-learn's class.

    Code that catches sklearn.exceptions.NotFittedError then also catches ours, and scikit-learn is not required.
    """
    peer = getattr(sys.modules.get(module), own.__name__, None)
    return own if peer is None else type(own.__name__, (own, peer), {"__doc__": own.__doc__})


def warn(message, category=UserWarning):
    """Warn, at the line outside aelearn that caused it. The class of the warning is that of `peer_class`."""
    package, level, frame = os.path.dirname(os.path.dirname(__file__)) + os.sep, 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, peer_class("sklearn.exceptions", category), stacklevel=level)


class NotFittedError(ValueError, AttributeError):
    """A fitted attribute was needed before `fit`."""


class ConvergenceWarning(UserWarning):
    """The result is usable, but the algorithm did not converge, or did not find all that was requested."""


def not_fitted(estimator):
    """The error to raise if `estimator` is used before it is fitted."""
    error = peer_class("sklearn.exceptions", NotFittedError)
    return error(f"This {type(estimator).__name__} instance is not fitted yet. "
                 f"Call 'fit' with appropriate arguments before using this estimator.")
