"""What an exercise consists of: the inputs of the learner's function, and its correct outputs."""

import inspect
from dataclasses import dataclass, field

import numpy as np

from aelearn import gradcheck

RTOL = 1e-6  # relative error that counts as right in float64
FLOAT32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Exercise:
    """A function that a learner writes.

    inputs    inputs(rng) makes the arguments, in order: {name: array or number}, or a list of such dicts, all of which
              are tried. Arguments with a leading underscore are for `forward` only
    outputs   the names of what it returns. Outputs that the correct answer returns as integers or booleans must be that
    answer    answer(*arguments) returns the correct outputs; None if the outputs are gradients
    forward   for gradients: the function to differentiate, of the arguments other than `upstream`. An output "dW" is
              the derivative of sum(upstream * forward) with respect to the argument "W"
    upstream  the argument that holds the derivative of the loss with respect to the function's output; None if that
              output is the loss itself, a number
    mistakes  typical wrong answers, {what a learner reads: wrong answer}. An output that is what the wrong answer
              returns gets these words: what is wrong, or a question that leads to it, in at most MISTAKE characters
    call      call(answer, **arguments), if calling the answer itself is not enough: a kernel for a GPU
    seconds   how long one call may take
    blank     a remark for outputs that are not finite
    look      look(*outputs) returns a remark on wrong numbers, or ""; or what is wrong with a word, or ""
    costs     what a right answer may cost on a large input: a tuple of Costs (costs.py)
    """

    inputs: object
    outputs: tuple
    answer: object = None
    forward: object = None
    upstream: str | None = None
    mistakes: dict = field(default_factory=dict)
    call: object = None
    seconds: float = 2.0
    blank: str = ""
    look: object = None
    costs: tuple = ()

    def expected(self, arguments):
        """The right outputs, {name: array}, and the absolute error of each, {name: number}."""
        if self.answer is not None:
            return self.named(self.answer(*arguments.values())), dict.fromkeys(self.outputs, 1e-12)
        upstream = 1.0 if self.upstream is None else arguments[self.upstream]
        names = list(inspect.signature(self.forward).parameters)
        params = {name: np.array(arguments.get(name, arguments.get("_" + name)), np.float64) for name in names}

        def loss(params):
            return float(np.sum(upstream * self.forward(**params)))

        values = {"d" + name: gradcheck.numerical_gradient(loss, params, name)[0] for name in names}
        exact = 1e-10 * max(1.0, abs(loss(params))) / RTOL
        return {name: values[name] for name in self.outputs}, dict.fromkeys(self.outputs, exact)

    def named(self, returned):
        """What an answer returns, one value or a tuple of several, as {name: value}."""
        return dict(zip(self.outputs, returned if len(self.outputs) > 1 else (returned,)))

    def float32_error(self, arguments, expected):
        """How far a computation in float32 may be from each output, {name: array}.

        Rounding the inputs to float32 changes the outputs by as much as a good algorithm's own rounding does (backward
        stability: Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 1.5). So change all numbers by
        relative errors of up to float32's epsilon, at random, and see. A hundred times that is allowed, or a hundred
        epsilons of the output's largest entry.
        """
        rng = np.random.default_rng(0)
        expected = {name: np.asarray(value, np.float64) for name, value in expected.items()}
        spread = {name: FLOAT32 * np.max(np.abs(value), initial=0.0) for name, value in expected.items()}
        for _ in range(4):
            moved = {name: value * (1 + FLOAT32 * rng.uniform(-1, 1, np.shape(value))) if _is_real(value) else value
                     for name, value in arguments.items()}
            for name, value in self.expected(moved)[0].items():
                spread[name] = np.maximum(spread[name], np.abs(value - expected[name]))
        return {name: 100 * value for name, value in spread.items()}


def _is_real(value):
    return isinstance(value, float) or getattr(value, "dtype", None) == np.float64


def given(arguments):
    """The arguments that the learner's function gets."""
    return {name: value for name, value in arguments.items() if not name.startswith("_")}


def numbers(rng, **shapes):
    """Random arrays of these shapes; () is a number."""
    return {name: rng.normal(size=shape) if shape else float(rng.normal()) for name, shape in shapes.items()}


def sizes(rng, n, low=2, high=7):
    """n different sizes, so that no wrong product of arrays has the right shape by accident."""
    return [int(size) for size in rng.permutation(np.arange(low, high))[:n]]
