"""The derivative of a loss by finite differences, and how precisely it can be known.

The finite difference of an entry p is the five-point one, whose own error is proportional to the fourth power of h:

    numerical = (8 (L(p + h) - L(p - h)) - (L(p + 2h) - L(p - 2h))) / (12 h),    h = eps * max(1, |p|)

Rounding adds an error of its own. A loss L is only known to about 10 * machine epsilon * |L|. The nudged entry is
rounded as well, to machine epsilon * max(1, |p|), which is machine epsilon * h / eps; that changes the loss by its
slope times as much. The four nudged points are used for this: at a perfect fit the loss is 0 and so is its slope, but
not next to it. With the largest |L| of the four, and their slope = (max L - min L) / 4h,

    uncertainty = 10 * machine epsilon * (max |L| / h + slope / eps)

gradcheck.py compares a gradient with it. Where the slope is larger than the derivative, an error is measured relative
to the slope: at a minimum, an error of 0.000001 * slope is what moving p by about 0.000001 * h would cause.

Source of the five-point formula: Abramowitz and Stegun, "Handbook of mathematical functions", table 25.2.
"""

import numpy as np

from aelearn.core.validation import as_array, check_finite, check_number

MACHINE_EPSILON = np.finfo(np.float64).eps
CHANGED = "loss changed parameter {} in place: it must compute from its parameters and leave them as they are"


def numerical_gradient(loss, params, name, *, eps=1e-4):
    """The derivative of `loss` with respect to every entry of params[name], by five-point finite differences.

    `loss` gets a dict with a float64 copy of params[name], one entry of it nudged; `params` itself is not changed.
    Returns the derivative, of its shape, and the step h of each entry. Raises TypeError or ValueError if `loss`
    returns anything but one number in float64, or changes the parameter.
    """
    if name not in params:
        raise ValueError(f"params has no {name!r}; it has {', '.join(map(repr, params))}")
    return finite_differences(loss, params, name, check_number("eps", eps, MACHINE_EPSILON, 1))[:2]


def finite_differences(loss, params, name, eps):
    """The derivative for each entry of params[name], the steps h, the slopes and the uncertainties; see above."""
    given = float64_copy(name, params[name])
    parameter = given.copy()
    params = {**params, name: parameter}
    steps = eps * np.maximum(1, np.abs(parameter))  # of the parameter's shape, like the next three
    numerical, slope, size = (np.empty(parameter.shape) for _ in range(3))
    is_coarse, varies = True, False  # all losses are float32 numbers; they differ
    for index in np.ndindex(parameter.shape):
        old, h = float(parameter[index]), float(steps[index])
        values, where = [], f" when entry {list(index)} of {name} is nudged"
        with np.errstate(invalid="ignore", divide="ignore"):  # the caller checks the results
            for step in (-2 * h, -h, h, 2 * h):
                parameter[index] = old + step
                values.append(loss_value(loss, params, where))
                if parameter[index] != old + step:
                    raise ValueError(CHANGED.format(name))
            parameter[index] = old
            numerical[index] = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * h)
            slope[index], size[index] = (max(values) - min(values)) / (4 * h), max(map(abs, values))
            is_coarse = is_coarse and (len(set(values)) < 3 or _has_float32_digits(values))
            varies = varies or len(set(values)) >= 3
    if is_coarse and varies and not _has_float32_digits((given + steps).ravel()):
        raise TypeError("loss returned numbers with no more digits than float32 has, too few for finite differences: "
                        "compute it in float64")
    check_unchanged({name: parameter}, {name: given})
    uncertainty = 10 * MACHINE_EPSILON * (size / steps + slope / eps)  # of the parameter's shape
    return numerical, steps, slope, np.maximum(uncertainty, np.finfo(np.float64).tiny)


def _has_float32_digits(values):
    """True if float32 holds every one of these numbers."""
    values = np.asarray(values)
    with np.errstate(over="ignore"):
        return bool((values == values.astype(np.float32)).all())


def loss_value(loss, params, where=""):
    """The loss as a Python float, NaN and infinity included. Raises TypeError or ValueError if it is not a number."""
    value = loss(dict(params))
    if isinstance(value, float):  # Python's, and np.float64
        return float(value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # such as a PyTorch tensor that requires a gradient
        array = np.asarray(None)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "iuf" or (kind == "f" and size < 8):
        what = array.dtype.name if kind in "bcf" else type(value).__name__
        raise TypeError(f"loss returned {what}{where}, which finite differences cannot use: compute it in float64 "
                        "and return one real number")
    if array.ndim or np.ma.is_masked(value):
        what = f"an array of shape {array.shape}" if array.ndim else "a masked value"
        raise ValueError(f"loss must return one finite number; got {what}{where}")
    return float(array)


def check_unchanged(params, given):
    """Raise ValueError if the loss has changed a parameter."""
    for name, value in given.items():
        if not np.array_equal(params[name], value):
            raise ValueError(CHANGED.format(name))


def float64_copy(name, value):
    """A float64 copy of one parameter."""
    value = as_array(value, f"parameter {name}")
    if value.dtype.kind not in "biuf":
        raise TypeError(f"parameter {name} must hold real numbers; got dtype {value.dtype}")
    with np.errstate(over="ignore"):  # what float64 cannot hold becomes infinity, which is rejected next
        value = value.astype(np.float64)
    check_finite(value, f"parameter {name}")
    return value
