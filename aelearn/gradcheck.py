"""Is this gradient right? Ask the loss itself, by finite differences.

A derivative is the slope of the loss. So nudge one entry of one parameter up and down, look how the loss answers, and
compare with what the hand-derived backward says. Do it for every entry, in float64: a mistake hides in the one entry
that nobody looked at.

    report = check_gradients(loss, params, grads)     # raises GradientError, which says what is wrong and where

selfcheck.py holds aelearn's own network against it, with every activation and loss.
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

__all__ = ["GradientError", "GradientReport", "ParameterReport", "check_gradients", "diagnose", "numerical_gradient",
           "relative_error"]


class GradientError(AssertionError):
    """At least one gradient is wrong. `report` is the GradientReport with all of them."""

    def __init__(self, report):
        super().__init__("; ".join(str(row) for row in report.rows if not row.right))
        self.report = report


@dataclass(frozen=True)
class ParameterReport:
    """What the check found for one parameter.

    n_wrong of n_entries disagree; the worst one is at `index`, where the backward says `gradient` and the finite
    difference is `numerical`. `problem` says in words what is wrong with the whole of it, where that can be told.
    n_unclear entries are so small beside the loss, or beside its slope around them, that rounding hides them: they are
    not called wrong, but nothing more is known of them.
    """

    name: str
    n_entries: int
    n_wrong: int
    n_unclear: int = 0
    index: tuple | None = None
    gradient: float = 0.0
    numerical: float = 0.0
    relative_error: float = 0.0
    factor: float | None = None
    problem: str = ""

    @property
    def right(self):
        """True if every entry agrees."""
        return self.n_wrong == 0

    def __str__(self):
        unclear = f"; {self.n_unclear} too small beside the loss to be told" if self.n_unclear else ""
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
    """Hold `grads` against finite differences of `loss`, entry by entry.

    loss    a function of a dict like `params` that returns the loss, a number computed in float64. To check one
            layer, let it be np.sum(U * layer(...)) with a random U of the layer's output shape: then U is the
            derivative that the layer's backward is given
    params  dict of arrays: name -> parameter. They are not changed; `loss` gets float64 copies
    grads   dict of arrays: name -> what the backward says
    eps     how far to nudge an entry p: h = eps * max(1, |p|); at least 100 * machine epsilon
    rtol    largest relative error of an entry that counts as right

    The finite difference of an entry is the five-point one, whose own error falls with the fourth power of h.

    Relative error: |gradient - numerical| / max(|gradient|, |numerical|, floor). The floor is the slope between the
    nudged points, and at least uncertainty / rtol, so that no entry is called wrong for the rounding of the loss;
    finite_differences.py defines both. Where an entry disagrees, it is measured once more with h / 100; if that gives
    another answer than rounding explains, the loss bends too much within h, and the finer answer is used. At a kink,
    such as ReLU at exactly 0, there is no derivative to compare with: keep inputs away.

    Returns a GradientReport. Raises GradientError if an entry is wrong, a gradient is missing, has another shape than
    its parameter or is no finite number; TypeError or ValueError if the check itself cannot be made: where `loss`
    returns anything but one finite number with the digits of float64, is random, or changes the parameters it is given.
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
        raise ValueError(f"loss returned {value!r} and later {again!r} for the same parameters: it must be no random "
                         "number and not depend on earlier calls")
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
        return ParameterReport(name, size, size, problem="there is no gradient")
    if np.ma.is_masked(gradient):
        return ParameterReport(name, size, size, problem="it holds masked entries, which are no finite numbers")
    gradient = as_array(gradient, f"the gradient of {name}")
    if gradient.shape != parameter.shape:
        hint = ": it is transposed" if gradient.shape == parameter.shape[::-1] else ""
        return ParameterReport(name, size, size, problem=f"its shape is {gradient.shape}, "
                                                         f"that of {name} is {parameter.shape}{hint}")
    if gradient.dtype.kind not in "biuf" or not np.isfinite(gradient).all():
        return ParameterReport(name, size, size, problem="it holds entries that are no finite numbers")
    if size == 0:
        return ParameterReport(name, 0, 0)
    numerical, _, slope, uncertainty = finite_differences(loss, params, name, eps)  # each of the parameter's shape
    errors = relative_error(gradient, numerical, np.maximum(slope, uncertainty / rtol))
    if not (errors <= rtol).all():
        finer, _, *limits = finite_differences(loss, params, name, eps / 100)
        explained = np.abs(numerical - finer) <= limits[1]  # by rounding; otherwise h was too wide
        bends = ~(errors <= rtol) & ~explained
        numerical = np.where(bends, finer, numerical)
        slope, uncertainty = np.where(bends, limits, (slope, uncertainty))
        errors = relative_error(gradient, numerical, np.maximum(slope, uncertainty / rtol))
    if not np.isfinite(numerical).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(numerical))[0])
        raise ValueError(f"the loss is not finite when entry {list(where)} of {name} is nudged: pass a smaller eps")
    wrong = ~(errors <= rtol)
    sizes = np.maximum(np.abs(gradient), np.abs(numerical))
    floor = uncertainty / rtol  # below it, an entry drowns in the rounding of the loss
    told = (sizes >= floor) & (relative_error(gradient, numerical, floor) <= rtol)  # without the help of the slope
    unclear = int(np.count_nonzero(~wrong & (sizes > 0) & ~told))
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    factor, problem = diagnose(gradient, numerical, floor, rtol, wrong)
    return ParameterReport(name, size, int(wrong.sum()), unclear, tuple(int(i) for i in worst),
                           float(gradient[worst]), float(numerical[worst]), float(errors[worst]), factor, problem)


def relative_error(gradient, numerical, floor):
    """|gradient - numerical| / max(|gradient|, |numerical|, floor), entry by entry."""
    return np.abs(gradient - numerical) / np.maximum(np.maximum(np.abs(gradient), np.abs(numerical)), floor)


def diagnose(gradient, numerical, floor, rtol, wrong):
    """What is wrong with the whole array, if one thing is: (common factor or None, words)."""
    clear = np.abs(numerical) > floor  # entries whose finite difference has digits enough to compare
    if not wrong.any():
        return None, ""
    if not numerical.any():
        return None, "its finite difference is 0 everywhere: does the loss use this parameter?"
    if not clear.any():
        return None, ""
    if gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1]:
        if (relative_error(gradient.T, numerical, floor) <= rtol).all():
            return None, "it is right when transposed"
    if not wrong[clear].all():
        return None, ""
    ratios = gradient[clear] / numerical[clear]
    factor = float(np.median(ratios))
    if np.abs(ratios - factor).max() > min(1e-4 * max(1, abs(factor)), 0.1 * abs(factor - 1)):
        return None, ""
    if factor == 0:
        return 0.0, "it is 0 everywhere"
    if abs(factor + 1) < 1e-4:
        return factor, "every entry has the wrong sign"
    return factor, f"every entry is off by the factor {factor:.7g}"
