"""The exercises of the lessons: random, uneven inputs for the learner's function, and a verdict in one line.

    from aelearn.checks import check
    check(dense_backward)            # dense_backward: right, on 3 random inputs

An exercise is known by the name of its function. What comes back is compared entry by entry, gradients with finite
differences. The line says what is wrong and where: a missing answer, an exception, a changed input, a shape, NaN, a
sign, a factor, a transposed product; no traceback. `check` raises CheckError, which Jupyter shows as that line. The
exercises themselves are in exercises.py.
"""

import re
import traceback
import warnings

import numpy as np

from aelearn import gradcheck
from aelearn.exercises import EXERCISES, RTOL

TRIALS = 3  # random inputs that an answer must get right


class CheckError(AssertionError):
    """An answer that is not right (yet). In a notebook it shows as one line."""

    def _render_traceback_(self):
        """What Jupyter prints in the place of a traceback."""
        return [str(self)]


def check(answer, *, seed=None):
    """Try a learner's function and print a line if it is right. Raises CheckError, of one line, if it is not.

    seed  of the random inputs; None: new ones each time
    """
    name = getattr(answer, "__name__", None)
    if name not in EXERCISES:
        raise CheckError(f"check wants the function of an exercise, such as {next(iter(EXERCISES))}; got {answer!r}")
    exercise, rng = EXERCISES[name], np.random.default_rng(seed)
    for _ in range(TRIALS):
        inputs = exercise.inputs(rng)
        for arguments in inputs if isinstance(inputs, list) else [inputs]:
            problem = verdict(exercise, answer, arguments)
            if problem:
                raise CheckError(f"{name}: {problem}")
    print(f"{name}: right, on {TRIALS} random inputs")


def verdict(exercise, answer, arguments):
    """What is wrong with an answer on these arguments, in a line; "" if nothing is."""
    given = {name: np.copy(value) if isinstance(value, np.ndarray) else value
             for name, value in arguments.items() if not name.startswith("_")}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the verdict says what came of it
            returned = answer(*given.values())
    except NotImplementedError:
        return "not solved yet"
    except Exception as error:
        return _exception(error)
    for name, value in given.items():
        if isinstance(value, np.ndarray) and not np.array_equal(value, arguments[name]):
            return f"it changes its input {name}: work on a copy, or make a new array"
    if returned is None or returned is Ellipsis:
        return "it returns nothing for some input" if _has_a_body(answer) else "not solved yet"
    outputs = exercise.outputs
    returned = returned if len(outputs) > 1 else (returned,)
    if not isinstance(returned, (tuple, list)) or len(returned) != len(outputs):
        got = f"{len(returned)} values" if isinstance(returned, (tuple, list)) else f"one {type(returned).__name__}"
        return f"it should return {', '.join(outputs)}; it returns {got}"
    wanted, exact = exercise.wanted(arguments)
    if isinstance(wanted[outputs[0]], str):
        right, said = wanted[outputs[0]], returned[0]
        if not isinstance(said, str):
            return f"it should return one word; it returns {type(said).__name__}"
        if said == right:
            return ""
        return (f"it says {said!r}, but {right!r} is wrong in this one, and nothing else: is your limit too tight, "
                "or your loss another?")
    source = "wanted" if exercise.answer is not None else "finite difference"
    problems = [_difference(name, value, np.asarray(wanted[name], np.float64), exact[name], source)
                for name, value in zip(outputs, returned)]
    return "; ".join(filter(None, problems))


def _has_a_body(answer):
    """True if a function does more than return None."""
    return len(answer.__code__.co_code) > len((lambda: None).__code__.co_code) if hasattr(answer, "__code__") else True


def _exception(error):
    """An exception in the learner's code, in a line that says where."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is the call in `verdict`
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    where = f" in the line `{own[-1].line}`" if own and own[-1].line else ""
    words = " ".join(str(error).split())
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", words)
    if sizes:
        words = f"in a product the inner sizes are {sizes[2]} and {sizes[1]}: is a factor to be transposed?"
    elif "broadcast" in words:
        words += ": which of the shapes is not what you think?"
    return f"it raised {type(error).__name__}{where}: {words}"


def _difference(name, value, wanted, exact, source):
    """What is wrong with one output, or ""."""
    if value is None or value is Ellipsis:
        return f"{name} is {value!r}: not solved yet"
    try:
        value = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return f"{name} should be an array of numbers; it is {type(value).__name__}"
    if value.shape != wanted.shape:
        hint = ": it is transposed" if value.ndim > 1 and value.shape == wanted.shape[::-1] else ""
        return f"{name} has the shape {value.shape}, wanted is {wanted.shape}{hint}"
    bad = ~np.isfinite(value)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        return f"{name}: {bad.sum()} of {value.size} entries are no finite numbers, the first at {list(where)}"
    floor = np.full(wanted.shape, exact)
    errors = gradcheck.relative_error(value, wanted, floor)
    wrong = errors > RTOL
    if not wrong.any():
        return ""
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    factor, problem = gradcheck.diagnose(value, wanted, floor, RTOL, wrong)
    if value.size == 1 and factor is not None and min(abs(factor - plain) for plain in (2, 0.5, -1, 0)) > 1e-4:
        problem = ""  # one number is always off by some factor
    at = f", worst at {[int(i) for i in worst]}" if value.ndim else ""
    return (f"{name}: {wrong.sum()} of {value.size} {'entry is' if value.size == 1 else 'entries are'} wrong{at}: "
            f"yours {_digits(value[worst], wanted[worst])}, {source} {_digits(wanted[worst], value[worst])}"
            + (f"; {problem}" if problem else ""))


def _digits(number, other):
    """A number with as many digits as tell it from the other one, three at least."""
    return next((f"{number:.{n}g}" for n in range(3, 17) if f"{number:.{n}g}" != f"{other:.{n}g}"), repr(number))
