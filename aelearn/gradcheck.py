"""Is this gradient right? Ask the loss itself, by finite differences.

A derivative is the slope of the loss. So nudge one entry of one parameter up and down, see how the loss changes, and
compare this with the hand-derived gradient. Do it for every entry, in float64: a mistake may be in the one entry that
was not checked.

    report = check_gradients(loss, params, grads)     # raises GradientError, which says what is wrong and where

autoencoder/selfcheck.py checks aelearn's own network with it, with every activation and loss.
"""

from dataclasses import dataclass

import numpy as np

from aelearn.core.validation import as_array, check_number
from aelearn.finite_differences import (
    MACHINE_EPSILON,
    check_unchanged,
    finite_differences,
    float64_copy,
    loss_value,
    numerical_gradient,
)

__all__ = ["Diagnosis", "GradientError", "GradientReport", "ParameterReport", "check_gradients", "diagnose",
           "numerical_gradient", "relative_error"]

DIAGNOSES = {  # kind of a Diagnosis -> words
    "": "",  # no single thing explains it
    "missing": "there is no gradient",
    "masked": "some entries are masked, which are not finite numbers",
    "shape": "its shape is {shape} instead of {expected_shape}",
    "transposed shape": "its shape is {shape} instead of {expected_shape}: it is transposed",
    "not finite": "some entries are not finite numbers",
    "unused": "its finite difference is 0 everywhere: does the loss use this parameter?",
    "transposed": "it is right when transposed",
    "zero": "it is 0 everywhere",
    "sign": "every entry has the wrong sign",
    "factor": "every entry is off by the factor {factor:.7g}",
}


@dataclass(frozen=True)
class Diagnosis:
    """The one thing that is wrong with a whole gradient.

    kind    a key of DIAGNOSES, which has the words for it; "" if no single thing explains what is wrong
    factor  the gradient divided by its correct value, if that is the same for every entry; None if it is not
    shape, expected_shape  of the gradient and of its parameter, if they differ
    """

    kind: str = ""
    factor: float | None = None
    shape: tuple | None = None
    expected_shape: tuple | None = None

    def __str__(self):
        return DIAGNOSES[self.kind].format(**vars(self))


class GradientError(AssertionError):
    """At least one gradient is wrong. `report` is the GradientReport with all of them."""

    def __init__(self, report):
        super().__init__("; ".join(str(row) for row in report.rows if not row.right))
        self.report = report


@dataclass(frozen=True)
class ParameterReport:
    """What the check found for one parameter.

    n_wrong of n_entries disagree; the worst one is at `index`, where the given gradient is `gradient` and the finite
    difference is `numerical`. `diagnosis` says what is wrong with the whole gradient, if one thing is; `problem` says
    it in words. `index` is None if the entries could not be compared.
    n_unclear entries are so small, compared with the loss or with its slope around them, that rounding hides them: they
    are not called wrong, but nothing more is known about them.
    """

    name: str
    n_entries: int
    n_wrong: int
    n_unclear: int = 0
    index: tuple | None = None
    gradient: float = 0.0
    numerical: float = 0.0
    relative_error: float = 0.0
    diagnosis: Diagnosis = Diagnosis()

    @property
    def factor(self):
        """The gradient divided by the finite difference, where that is the same for every entry; otherwise None."""
        return self.diagnosis.factor

    @property
    def problem(self):
        """What is wrong with the whole gradient, in words; "" if no single thing is."""
        return str(self.diagnosis)

    @property
    def right(self):
        """True if every entry agrees."""
        return self.n_wrong == 0

    def __str__(self):
        unclear = f"; {self.n_unclear} are too small, compared with the loss, to judge" if self.n_unclear else ""
        if self.right:
            return (f"d{self.name}: all {self.n_entries} entries are right, "
                    f"relative error {self.relative_error:.1e}{unclear}")
        if self.index is None:
            return f"d{self.name}: {self.problem}"
        text = (f"d{self.name}: {self.n_wrong} of {self.n_entries} entries {'is' if self.n_wrong == 1 else 'are'} "
                f"wrong, worst at {list(self.index)}: yours {self.gradient:.3g}, "
                f"finite difference {self.numerical:.3g}, relative error {self.relative_error:.1e}")
        return text + (f"; {self.problem}" if self.problem else "") + unclear


@dataclass(frozen=True)
class GradientReport:
    """One ParameterReport for each parameter, in the order of `params`."""

    rows: tuple

    @property
    def right(self):
        """True if every entry of every gradient agrees."""
        return all(row.right for row in self.rows)

    @property
    def relative_error(self):
        """The worst relative error of all entries."""
        return max((row.relative_error for row in self.rows), default=0.0)

    def __str__(self):
        return "\n".join(str(row) for row in self.rows)


def check_gradients(loss, params, grads, *, eps=1e-4, rtol=1e-6):
    """Compare `grads` with finite differences of `loss`, entry by entry.

    loss    a function of a dict like `params` that returns the loss, a number computed in float64. To check one
            layer, let it be np.sum(U * layer(...)) with a random U of the layer's output shape: then U is the
            derivative that the layer's backward gets
    params  dict of arrays: name -> parameter. They are not changed; `loss` gets float64 copies
    grads   dict of arrays: name -> the gradient to check
    eps     how far to nudge an entry p: h = eps * max(1, |p|); at least 100 * machine epsilon
    rtol    largest relative error of an entry that counts as right

    The finite difference of an entry is the five-point one, whose own error is proportional to the fourth power of h.

    Relative error: |gradient - numerical| / max(|gradient|, |numerical|, floor). The floor is the slope between the
    nudged points, and at least uncertainty / rtol, so that no entry is called wrong because the loss is rounded;
    finite_differences.py defines both. If an entry disagrees, it is measured once more with h / 100; if the two differ
    by more than rounding explains, h was too large for the curvature of the loss, and the finer answer is used. At a
    kink, such as ReLU at exactly 0, there is no derivative to compare with: keep inputs away from it.

    Returns a GradientReport. Raises GradientError if an entry is wrong, or if a gradient is missing, has another shape
    than its parameter or is not finite; TypeError or ValueError if the check itself is impossible: if `loss` returns
    anything but one finite number with the digits of float64, is random, or changes the parameters it is given.
    """
    eps = check_number("eps", eps, 100 * MACHINE_EPSILON, 1)
    rtol = check_number("rtol", rtol, 0, 1, exclusive_low=True)
    if not callable(loss):
        raise TypeError(f"loss must be a function of params; got {type(loss).__name__}")
    given = {name: float64_copy(name, value) for name, value in _dict_of_arrays("params", params).items()}
    params = {name: value.copy() for name, value in given.items()}
    grads = _dict_of_arrays("grads", grads)
    unknown = [name for name in grads if name not in params]
    if unknown:
        raise ValueError(f"grads names {', '.join(map(repr, unknown))}, which params does not have")
    value = loss_value(loss, params)
    if not np.isfinite(value):
        raise ValueError(f"loss must return one finite number; got {value!r}")
    check_unchanged(params, given)
    report = GradientReport(tuple(_check_parameter(loss, params, name, grads.get(name), eps, rtol) for name in params))
    check_unchanged(params, given)
    again = loss_value(loss, params)
    if not abs(again - value) <= 10 * MACHINE_EPSILON * abs(value):
        raise ValueError(f"loss returned {value!r} and later {again!r} for the same parameters: it must not be "
                         "random or depend on earlier calls")
    if not report.right:
        raise GradientError(report)
    return report


def _dict_of_arrays(name, value):
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be a dict from names to arrays; got {type(value).__name__}")
    return value


def _check_parameter(loss, params, name, gradient, eps, rtol):
    parameter = params[name]
    size = parameter.size
    if gradient is None:
        return ParameterReport(name, size, size, diagnosis=Diagnosis("missing"))
    if np.ma.is_masked(gradient):
        return ParameterReport(name, size, size, diagnosis=Diagnosis("masked"))
    gradient = as_array(gradient, f"the gradient of {name}")
    if gradient.shape != parameter.shape:
        kind = "transposed shape" if gradient.shape == parameter.shape[::-1] else "shape"
        return ParameterReport(name, size, size, diagnosis=Diagnosis(kind, None, gradient.shape, parameter.shape))
    if gradient.dtype.kind not in "biuf" or not np.isfinite(gradient).all():
        return ParameterReport(name, size, size, diagnosis=Diagnosis("not finite"))
    if size == 0:
        return ParameterReport(name, 0, 0)
    numerical, _, slope, uncertainty = finite_differences(loss, params, name, eps)  # each of the parameter's shape
    errors = relative_error(gradient, numerical, np.maximum(slope, uncertainty / rtol))
    if not (errors <= rtol).all():
        finer, _, *limits = finite_differences(loss, params, name, eps / 100)
        explained = np.abs(numerical - finer) <= limits[1]  # by rounding; otherwise h was too large
        coarse = ~(errors <= rtol) & ~explained
        numerical = np.where(coarse, finer, numerical)
        slope, uncertainty = np.where(coarse, limits, (slope, uncertainty))
        errors = relative_error(gradient, numerical, np.maximum(slope, uncertainty / rtol))
    if not np.isfinite(numerical).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(numerical))[0])
        raise ValueError(f"the loss is not finite when entry {list(where)} of {name} is nudged: pass a smaller eps")
    wrong = ~(errors <= rtol)
    sizes = np.maximum(np.abs(gradient), np.abs(numerical))
    floor = uncertainty / rtol  # below it, an entry is lost in the rounding of the loss
    is_clear = (sizes >= floor) & (relative_error(gradient, numerical, floor) <= rtol)  # without the help of the slope
    unclear = int(np.count_nonzero(~wrong & (sizes > 0) & ~is_clear))
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    return ParameterReport(name, size, int(wrong.sum()), unclear, tuple(int(i) for i in worst),
                           float(gradient[worst]), float(numerical[worst]), float(errors[worst]),
                           diagnose(gradient, numerical, floor, rtol, wrong))


def relative_error(gradient, numerical, floor):
    """|gradient - numerical| / max(|gradient|, |numerical|, floor), entry by entry."""
    return np.abs(gradient - numerical) / np.maximum(np.maximum(np.abs(gradient), np.abs(numerical)), floor)


def diagnose(gradient, numerical, floor, rtol, wrong):
    """The one thing that is wrong with a whole array, if there is one: a Diagnosis.

    gradient, numerical  the given array and the correct one, of the same shape
    floor                as in relative_error: an entry whose |numerical| is not above it has too few digits to compare
    rtol                 largest relative error of an entry that counts as right
    wrong                boolean array: the entries that count as wrong
    """
    clear = np.abs(numerical) > floor
    if not wrong.any():
        return Diagnosis()
    if not numerical.any():
        return Diagnosis("unused")
    if not clear.any():
        return Diagnosis()
    if gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1]:
        if (relative_error(gradient.T, numerical, floor) <= rtol).all():
            return Diagnosis("transposed")
    if not wrong[clear].all():
        return Diagnosis()
    ratios = gradient[clear] / numerical[clear]
    factor = float(np.median(ratios))
    if np.abs(ratios - factor).max() > min(1e-4 * abs(factor), 0.1 * abs(factor - 1)):
        return Diagnosis()
    if (np.abs(gradient) > 2 * max(1, abs(factor)) * floor)[~clear].any():  # 0 times a factor is 0
        return Diagnosis()
    if factor == 0:
        return Diagnosis("zero", 0.0)
    return Diagnosis("sign" if abs(factor + 1) < 1e-4 else "factor", factor)
