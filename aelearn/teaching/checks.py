"""The exercises of the lessons: random inputs of different sizes for the learner's function, and a verdict in one line.

    from aelearn.teaching.checks import check
    check(dense_backward)            # dense_backward: right, on 3 random inputs

`check` finds an exercise by the name of the function. It compares the result of the function entry by entry, gradients
with finite differences. The line says what is wrong and where: a missing answer, an exception, a changed input, a
shape, NaN, a sign, a factor, a transposed product; no traceback. `check` raises CheckError, which Jupyter shows as that
line. This module calls the function; comparing.py compares, verdict.py has the words, exercises/ the exercises.
"""

import re
import traceback
import warnings

import numpy as np

from aelearn.teaching.comparing import compare
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.exercises.exercise import given
from aelearn.teaching.verdict import Finding, Verdict

TRIALS = 3  # random inputs that an answer must get right


class CheckError(AssertionError):
    """An answer that is not right (yet), as one line. `verdict` is the Verdict, None if no exercise has that name."""

    def __init__(self, line, verdict=None):
        super().__init__(line)
        self.verdict = verdict

    def _render_traceback_(self):
        """What Jupyter prints instead of a traceback."""
        return [str(self)]


def check(answer, *, seed=None):
    """Try a learner's function and print a line if it is right. Raises CheckError, of one line, if it is not.

    seed  of the random inputs; None: new ones each time
    """
    name = getattr(_plain(answer), "__name__", None)
    if name not in EXERCISES:
        raise CheckError(f"check needs the function of an exercise, such as {next(iter(EXERCISES))}; got {answer!r}")
    exercise, rng = EXERCISES[name], np.random.default_rng(seed)
    for _ in range(TRIALS):
        inputs = exercise.inputs(rng)
        for arguments in inputs if isinstance(inputs, list) else [inputs]:
            verdict = Verdict(tuple(_findings(exercise, answer, arguments)))
            if not verdict.right:
                raise CheckError(f"{name}: {verdict}", verdict)
    print(f"{name}: right, on {TRIALS} random inputs")


def _findings(exercise, answer, arguments):
    """Call an answer with these arguments; returns a list of Findings."""
    if _is_empty(_plain(answer)):
        return [Finding("unsolved")]
    copies = {name: np.copy(value) if isinstance(value, np.ndarray) else value
              for name, value in given(arguments).items()}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the verdict says what is wrong with the numbers
            returned = exercise.call(answer, **copies) if exercise.call else answer(*copies.values())
    except NotImplementedError:
        return [Finding("unsolved")]
    except Exception as error:
        return [_exception(error, _plain(answer))]
    for name, value in copies.items():
        if isinstance(value, np.ndarray) and not np.array_equal(value, arguments[name]):
            return [Finding("changed input", name)]
    return compare(exercise, returned, arguments)


def _plain(answer):
    """The Python function behind one that Numba compiles."""
    return getattr(answer, "py_func", answer)


def _is_empty(function):
    """True if a function does nothing, as a stub does."""
    code = getattr(function, "__code__", None)
    nothing = (None, ..., function.__doc__)
    return code is not None and len(code.co_code) == len((lambda: None).__code__.co_code) and all(
        constant in nothing for constant in code.co_consts)


def _exception(error, function):
    """The Finding about an exception in the learner's code."""
    file = function.__code__.co_filename if hasattr(function, "__code__") else None
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line = own[-1].line or "" if own else ""
    kind, message = "raised", " ".join(str(error).split())
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", message)
    if type(error).__module__.startswith("numba"):  # many lines, of which the second says what is wrong
        message = ([*filter(None, str(error).splitlines()), ""])[1] or message
    elif sizes:
        kind, message = "raised by inner sizes", (sizes[2], sizes[1])
    elif "broadcast" in message:
        kind = "raised by shapes"
    elif "values to unpack" in message:
        kind = "raised by unpacking"
    return Finding(kind, type(error).__name__, message, line=line)
