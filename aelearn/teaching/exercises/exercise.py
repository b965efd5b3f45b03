"""What an exercise consists of: the inputs of the learner's function, and its correct outputs."""

import inspect
from dataclasses import dataclass

import numpy as np

from aelearn import gradcheck

RTOL = 1e-6  # relative error that counts as right; answers are computed in float64


@dataclass(frozen=True)
class Exercise:
    """A function that a learner writes.

    inputs    inputs(rng) makes the arguments, in order: {name: array or number}, or a list of such dicts, all of which
              are tried. Arguments with a leading underscore are for `forward` only
    outputs   the names of what it returns
    answer    answer(*arguments) returns the correct outputs; None if the outputs are gradients
    forward   for gradients: the function to differentiate, of the arguments other than `upstream`. An output "dW" is
              the derivative of sum(upstream * forward) with respect to the argument "W"
    upstream  the argument that holds the derivative of the loss with respect to the function's output; None if that
              output is the loss itself, a number
    call      call(answer, **arguments), if calling the answer itself is not enough: a kernel for a GPU
    blank     a remark for outputs that are not finite
    look      look(*outputs) returns a remark on wrong numbers, or ""
    """

    inputs: object
    outputs: tuple
    answer: object = None
    forward: object = None
    upstream: str | None = None
    call: object = None
    blank: str = ""
    look: object = None

    def expected(self, arguments):
        """The right outputs, {name: array}, and the absolute error of each, {name: number}."""
        if self.answer is not None:
            values = self.answer(*arguments.values())
            values = values if len(self.outputs) > 1 else (values,)
            return dict(zip(self.outputs, values)), dict.fromkeys(self.outputs, 1e-12)
        upstream = 1.0 if self.upstream is None else arguments[self.upstream]
        names = list(inspect.signature(self.forward).parameters)
        params = {name: np.array(arguments.get(name, arguments.get("_" + name)), np.float64) for name in names}

        def loss(params):
            return float(np.sum(upstream * self.forward(**params)))

        values = {"d" + name: gradcheck.numerical_gradient(loss, params, name)[0] for name in names}
        exact = 1e-10 * max(1.0, abs(loss(params))) / RTOL
        return {name: values[name] for name in self.outputs}, dict.fromkeys(self.outputs, exact)


def given(arguments):
    """The arguments that the learner's function gets."""
    return {name: value for name, value in arguments.items() if not name.startswith("_")}


def numbers(rng, **shapes):
    """Random arrays of these shapes; () is a number."""
    return {name: rng.normal(size=shape) if shape else float(rng.normal()) for name, shape in shapes.items()}


def sizes(rng, n, low=2, high=7):
    """n different sizes, so that no wrong product of arrays has the right shape by accident."""
    return [int(size) for size in rng.permutation(np.arange(low, high))[:n]]
