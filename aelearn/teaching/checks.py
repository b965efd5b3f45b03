"""The exercises of the lessons: random, uneven inputs for the learner's function, and a verdict in one line.

    from aelearn.teaching.checks import check
    check(dense_backward)            # dense_backward: right, on 3 random inputs

An exercise is known by the name of its function. What comes back is compared entry by entry, gradients with finite
differences. The line says what is wrong and where: a missing answer, an exception, a changed input, a shape, NaN, a
sign, a factor, a transposed product; no traceback. `check` raises CheckError, which Jupyter shows as that line. The
exercises themselves are in exercises/.
"""

import re
import traceback
import warnings

import numpy as np

from aelearn import gradcheck
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.exercises.exercise import RTOL

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
    name = getattr(_plain(answer), "__name__", None)
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
    if _is_empty(_plain(answer)):
        return "not solved yet"
    given = {name: np.copy(value) if isinstance(value, np.ndarray) else value
             for name, value in arguments.items() if not name.startswith("_")}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the verdict says what came of it
            returned = exercise.call(answer, **given) if exercise.call else answer(*given.values())
    except NotImplementedError:
        return "not solved yet"
    except Exception as error:
        return _exception(error, _plain(answer))
    for name, value in given.items():
        if isinstance(value, np.ndarray) and not np.array_equal(value, arguments[name]):
            return f"it changes its input {name}: work on a copy, or make a new array"
    if returned is None or returned is Ellipsis:
        return "it returns nothing, for some input at least"
    outputs = exercise.outputs
    returned = returned if len(outputs) > 1 else (returned,)
    if not isinstance(returned, (tuple, list)) or len(returned) != len(outputs):
        got = f"{len(returned)} values" if isinstance(returned, (tuple, list)) else f"one {type(returned).__name__}"
        return f"it should return {', '.join(outputs)}; it returns {got}"
    wanted, exact = exercise.wanted(arguments)
    if isinstance(wanted[outputs[0]], str):
        return _word(returned[0], wanted[outputs[0]])
    return _numbers(exercise, dict(zip(outputs, returned)), wanted, exact, arguments)


def _word(said, right):
    """What is wrong with the name of a bug, or ""."""
    if not isinstance(said, str):
        return f"it should return one word; it returns {type(said).__name__}"
    return "" if said == right else (f"it says {said!r}, but {right!r} is wrong in this one, and nothing else: "
                                     "is your limit too tight, or your loss another?")


def _numbers(exercise, returned, wanted, exact, arguments):
    """What is wrong with the outputs, {name: array}, or ""; then also which of them are right."""
    source = "wanted" if exercise.answer is not None else "finite difference"
    wanted = {name: np.asarray(value) for name, value in wanted.items()}
    floors = {name: np.full(value.shape, exact[name]) for name, value in wanted.items()}
    problems = {name: _difference(name, value, wanted[name], floors[name], source) for name, value in returned.items()}
    wrong = [name for name in problems if problems[name]]
    if not wrong:
        return ""
    for name in wrong:
        for other in problems:
            if name != other and _is_right(returned[name], wanted[other], floors[other]):
                return f"your {name} is what {other} should be: look at the order in which you return them"
    if len(wrong) == 1 and wanted[wrong[0]].ndim:
        problems[wrong[0]] = _named_factor(problems[wrong[0]], arguments)
    for name in wrong:
        if np.ndim(wanted[name]) == 0:  # a number alone says little: what was it computed from?
            problems[name] += _told(arguments)
    if exercise.look and all("wrong" in problems[name] for name in wrong):  # numbers of the right shape, but others
        problems[wrong[-1]] += exercise.look(*returned.values())
    if exercise.blank and any("no finite number" in problem for problem in problems.values()):
        problems[wrong[-1]] += f": {exercise.blank}"
    right = [name for name in problems if name not in wrong]
    return "; ".join(problems[name] for name in wrong) + (f"; {' and '.join(right)}: right" if right else "")


def _told(arguments):
    """Arguments of which some are numbers, in a few words: these as they are, arrays by their shapes."""
    if any(map(callable, arguments.values())) or all(map(np.ndim, arguments.values())):
        return ""
    told = (f"of shape {np.shape(value)}" if np.ndim(value) else f"= {value:.5g}" for value in arguments.values())
    return f" (for {', '.join(map(' '.join, zip(arguments, told)))})"


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
    """An exception in the learner's code, in a line that says where."""
    file = function.__code__.co_filename if hasattr(function, "__code__") else None
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" in the line `{own[-1].line}`" if own and own[-1].line else ""
    words = " ".join(str(error).split())
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", words)
    if type(error).__module__.startswith("numba"):  # many lines, of which the second one says what is wrong
        words = ([*filter(None, str(error).splitlines()), ""])[1] or words
    elif sizes:
        words = f"in a product the inner sizes are {sizes[2]} and {sizes[1]}: is a factor to be transposed?"
    elif "broadcast" in words:
        words += ": which of the shapes is not what you think?"
    elif "values to unpack" in words:
        words += ": how many things does the function on the right return?"
    return f"it raised {type(error).__name__}{where}: {words}"


def _named_factor(problem, arguments):
    """A problem whose factor is an argument or a size of one, one by it, or the like, with that named."""
    found = re.search(r"off by the factor (\S+)$", problem)
    for name, value in arguments.items() if found else ():
        sizes = {f"{name}.shape[{axis}]": size for axis, size in enumerate(np.shape(value))}
        sizes = {what: size for what, size in {**sizes, f"{name}.size": np.size(value)}.items() if size > 2}
        numbers = {}
        if np.ndim(value) == 0 and not callable(value):
            numbers = {name: value, f"1 / {name}": 1 / value if value else 0}
        for what, size in sizes.items():
            numbers |= {what: size, f"1 / {what}": 1 / size, f"({what} - 1) / {what}": (size - 1) / size}
        for words, number in numbers.items():
            if number and abs(float(found[1]) / number - 1) < 1e-5:
                return f"{problem}, which is {words} here"
    return problem


def _is_right(value, wanted, floor):
    """True if one output is what is wanted."""
    return np.shape(value) == wanted.shape and not _difference("", value, wanted, floor, "")


def _difference(name, value, wanted, floor, source):
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
        if value.ndim == 0:
            return f"{name} is no finite number"
        where = [int(i) for i in np.argwhere(bad)[0]]
        return f"{name}: {bad.sum()} of {value.size} entries are no finite numbers, the first at {where}"
    counted, wanted = wanted.dtype.kind in "iub", wanted.astype(np.float64)
    errors = gradcheck.relative_error(value, wanted, floor)
    wrong = errors > RTOL
    if not wrong.any():
        return ""
    if counted:  # labels and the like: no entry is worse than another, and no factor means a thing
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = f" {wrong.sum()} of {value.size} are wrong, the first at {list(first)}:" if value.ndim else ""
        return f"{name}:{where} yours {value[first]:g}, {source} {wanted[first]:g}"
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
