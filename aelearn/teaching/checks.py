"""The exercises of the lessons: inputs of different sizes for the learner's function, and a verdict in one line.

    from aelearn.teaching.checks import check
    check(dense_backward)            # dense_backward: right, on 3 inputs

`check` finds an exercise by the name of the function, or by the name of the variable that holds it. It compares the
result of the function entry by entry, gradients with finite differences. The line says what is wrong and where: a
missing answer, an exception, a changed input, a shape, NaN, a sign, a factor, a typical mistake. The inputs are random
numbers, the same ones each time, so that the same answer always gets the same verdict.

In a notebook the line is green, red, or neutral as long as the exercise is open, and the next cells run in any case.
Elsewhere a line that is not "right" is raised as a CheckError. A solved exercise is noted in a file beside the
notebooks (progress.py).

`yours` lets a lesson go on with what the learner wrote. This module calls the function; comparing.py compares,
verdict.py has the words, exercises/ the exercises, time_limit.py ends what never ends.
"""

import builtins
import dis
import inspect
import re
import sys
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from aelearn.teaching import progress
from aelearn.teaching.comparing import call, compare, copies
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.exercises.exercise import given
from aelearn.teaching.time_limit import TimeUpError, within
from aelearn.teaching.verdict import Finding, Verdict, listed

TRIALS = 3  # times that inputs are made, each of which an answer must get right
COMPILES = 60.0  # seconds that a call may take which compiles the answer, or which has a large input


class CheckError(AssertionError):
    """An answer that is not right (yet), as one line. `verdict` is the Verdict, None if no exercise has that name."""

    def __init__(self, line, verdict=None):
        super().__init__(line)
        self.verdict = verdict

    def _render_traceback_(self):
        """What Jupyter prints instead of a traceback."""
        return [str(self)]


def check(answer, *, seed=0):
    """Try a learner's function and say in a line whether it is right.

    seed  of the random inputs

    Outside notebooks, raises CheckError if it is not right; everywhere, if there is no exercise of its name.
    """
    name = _name_of(answer, sys._getframe(1))
    if name is None:
        raise CheckError(f"check needs the function of an exercise, such as {next(iter(EXERCISES))}; got "
                         f"{repr(answer)[:60]}")
    verdict = judge(name, answer, seed=seed)
    if verdict.right:
        progress.record_solved(name)
    if _ipython() is not None:
        from IPython.display import display

        display(_Line(verdict))
    elif verdict.right:
        print(verdict)
    else:
        raise CheckError(str(verdict), verdict)


def judge(name, answer, *, seed=0):
    """The Verdict on an answer to the exercise of this name."""
    exercise, rng, n_inputs, digits = EXERCISES[name], np.random.default_rng(seed), 0, {}
    for _ in range(TRIALS):
        inputs = exercise.inputs(rng)
        inputs = inputs if isinstance(inputs, list) else [inputs]
        for arguments in inputs:
            verdict = Verdict(tuple(_findings(exercise, answer, arguments)), name, n_inputs)
            if not verdict.right:
                return replace(verdict, findings=tuple(_without_coincidences(
                    verdict.findings, exercise, answer, inputs)))
            n_inputs += 1
            digits |= {finding.name: finding.digits for finding in verdict.findings if finding.digits}
    for cost in exercise.costs:
        finding = _call(lambda cost=cost: cost.excess(answer, cost.inputs(rng)), answer, COMPILES)
        if finding is not None:
            return Verdict((finding,), name, n_inputs)
    findings = tuple(replace(finding, digits=digits.get(finding.name, "")) for finding in verdict.findings)
    return Verdict(findings, name, n_inputs)


def _without_coincidences(findings, exercise, answer, inputs):
    """The findings, where the words of a mistake that returns integers are those of one that does so on all inputs:
    on a single one, integers may be the same by chance."""
    def numbers(function, name, arguments):
        return [(finding.kind, finding.yours) for finding in _findings(exercise, function, arguments)
                if finding.name == name]

    def is_the_same(words, name):
        return all(numbers(answer, name, arguments) == numbers(exercise.mistakes[words], name, arguments)
                   for arguments in inputs)

    for finding in findings:
        if finding.mistake and finding.kind in ("number", "labels") and float(finding.yours).is_integer() and \
                float(finding.expected).is_integer():
            finding = replace(finding, mistake=next((
                words for words in (finding.mistake, *exercise.mistakes) if is_the_same(words, finding.name)), ""))
        yield finding


def yours(answer, library, *, seconds=60.0):
    """The learner's function if it is right, otherwise the library's; says in a line which of them.

    answer   the function of an exercise, or a tuple of several that are only used together
    library  what to use instead, of the same kind
    seconds  how long one call may take

    If a call of the learner's function raises or takes too long, the library's is used from then on; a line says so.
    """
    answers = answer if isinstance(answer, tuple) else (answer,)
    names = [_name_of(one, sys._getframe(1)) for one in answers]
    verdicts = {str(name): None if name is None else judge(name, one) for name, one in zip(names, answers)}
    open_ones = [name for name, verdict in verdicts.items() if verdict is None or not verdict.right]
    if open_ones:
        wrong = any(verdicts[name] is not None and not verdicts[name].open for name in open_ones)
        how = "not right yet" if wrong else "not solved yet"
        print(f"{listed(open_ones)}: {how}, so the library's is used here")
        return library
    print(f"{listed(names)}: yours {'is' if len(names) == 1 else 'are'} used here")
    libraries = library if isinstance(library, tuple) else (library,)
    chosen = _YoursOrTheLibrarys(answers, libraries, names, seconds).functions()
    return chosen if isinstance(answer, tuple) else chosen[0]


class _YoursOrTheLibrarys:
    """Calls the learner's functions as long as they work, and the library's from the first failure on."""

    def __init__(self, answers, libraries, names, seconds):
        self.pairs, self.names, self.seconds, self.failed = list(zip(answers, libraries)), names, seconds, False

    def functions(self):
        """One function for each pair."""
        return tuple(lambda *arguments, number=number: self._call(number, arguments) for number in
                     range(len(self.pairs)))

    def _call(self, number, arguments):
        own, library = self.pairs[number]
        if not self.failed:
            try:
                return within(self.seconds, own, *arguments)
            except TimeUpError:
                what = f"takes more than {self.seconds:g} seconds"
            except Exception as error:
                what = f"raised {type(error).__name__} here"
            self.failed = True
            print(f"{self.names[number]}: yours {what}, so the library's is used from now on")
        return library(*arguments)


def _ipython():
    """IPython's shell if this is a notebook, or another place where IPython runs; None elsewhere."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


class _Line:
    """A verdict as Jupyter shows it: a tick, a cross, or an open circle."""

    def __init__(self, verdict):
        self.mark, self.color = (("✓", "#2e8b57") if verdict.right else ("○", "#8a8a8a") if verdict.open else
                                 ("✗", "#d1495b"))
        self.text = str(verdict)

    def __repr__(self):
        return f"{self.mark} {self.text}"

    def _repr_html_(self):
        from html import escape

        return (f'<div style="border-left: 4px solid {self.color}; padding: 2px 10px">'
                f'<b style="color: {self.color}">{self.mark}</b> {escape(self.text)}</div>')


def _name_of(answer, frame):
    """The name of the exercise that an answer is for, or None.

    A function has a name. A lambda, a functools.partial or another object that can be called has the name of the
    variable of the calling frame that holds it.
    """
    name = getattr(_plain(answer), "__name__", None)
    if name in EXERCISES:
        return name
    variables = {**frame.f_globals, **frame.f_locals} if callable(answer) else {}
    return next((name for name, value in variables.items() if value is answer and name in EXERCISES), None)


def _findings(exercise, answer, arguments):
    """Call an answer with these arguments; returns a list of Findings."""
    if _is_empty(_plain(answer)):
        return [Finding("unsolved")]
    wrong = None if exercise.call else _parameters(answer, given(arguments))
    if wrong:
        return [wrong]
    ways = [(answer, exercise.seconds)]  # how long each may take
    if _plain(answer) is not answer and not exercise.call:  # compiled code cannot be stopped, but its source can
        ways = [(_plain(answer), exercise.seconds), (answer, COMPILES)]
    for way, seconds in ways:
        inputs = copies(given(arguments))
        returned = _call(lambda way=way, inputs=inputs: call(exercise, way, inputs), answer, seconds)
        if isinstance(returned, Finding):
            return [returned]
        for name, value in inputs.items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, arguments[name]):
                kind = "changed by rounding" if _by_rounding(value, arguments[name]) else "changed input"
                return [Finding(kind, name)]
    findings = compare(exercise, returned, arguments)
    if findings[0].kind == "nothing" and "print" in getattr(getattr(_plain(answer), "__code__", None), "co_names", ()):
        return [Finding("prints")]
    return findings


def _by_rounding(value, before):
    """True if an input has changed by no more than p += h; p -= 2 * h; p += h can do: each of the three additions
    rounds a number of at most |p| + |h| by half an epsilon of it. Twice that is allowed, for an |h| of up to 1."""
    error = 3 * np.finfo(np.float64).eps * (np.abs(before) + 1)
    return before.dtype == np.float64 and value.shape == before.shape and bool(np.all(np.abs(value - before) <= error))


def _call(function, answer, seconds):
    """What `function()`, which calls the answer, returns; or a Finding, if it raises or takes too long."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(), _no_way_out():
            warnings.simplefilter("ignore")  # the verdict says what is wrong with the numbers
            return within(seconds, function)
    except NotImplementedError:
        return Finding("unsolved")
    except TimeUpError:
        return Finding("endless", expected=seconds)
    except _Asks:
        return Finding("asks")
    except SystemExit:
        return Finding("exits")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _exception(error, _plain(answer))


class _Asks(BaseException):
    """The answer called input()."""


@contextmanager
def _no_way_out():
    """Meanwhile input() raises _Asks, because a notebook would wait for ever, and IPython's exit() raises SystemExit,
    because it would end the kernel."""
    def refuse(*prompt):
        raise _Asks

    saved, builtins.input, ipython = builtins.input, refuse, _ipython()
    if ipython is not None:
        ipython.ask_exit = sys.exit
    try:
        yield
    finally:
        builtins.input = saved
        if ipython is not None:
            del ipython.ask_exit  # that of its class again


def _plain(answer):
    """The Python function behind one that Numba compiles."""
    return getattr(answer, "py_func", answer)


def _is_empty(function):
    """True if a function does nothing, as a stub does."""
    code = getattr(function, "__code__", None)
    nothing = (None, ..., function.__doc__)
    return code is not None and len(code.co_code) == len((lambda: None).__code__.co_code) and all(
        constant in nothing for constant in code.co_consts) and not any(
        instruction.opname.startswith("LOAD_FAST") for instruction in dis.get_instructions(code))  # `return x`


def _parameters(answer, arguments):
    """The Finding about a function that does not take the arguments of the exercise, or None."""
    try:
        inspect.signature(_plain(answer)).bind(*arguments)
    except TypeError as error:
        return Finding("parameters", yours=str(error), expected=tuple(arguments), n_wrong=len(arguments))
    except ValueError:  # some functions written in C have no signature
        pass
    return None


def _exception(error, function):
    """The Finding about an exception in the learner's code."""
    file = function.__code__.co_filename if hasattr(function, "__code__") else None
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    line = own[-1].line or "" if own else ""
    kind, message = "raised", " ".join(str(error).split())
    message = message.removeprefix(f"{getattr(function, '__name__', '')}: ")  # the line begins with the name already
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", message)
    shapes = re.search(r"broadcast together with (?:remapped )?shapes (.*?)(?: and requested|$)", message)
    if type(error).__module__.startswith("numba"):  # many lines, of which the second says what is wrong
        message = ([*filter(None, str(error).splitlines()), ""])[1] or message
    if "scipy" in message and "required" in message:
        kind = "needs SciPy"
    elif sizes:
        its_own = own and own[-1] is frames[-1]
        kind, message = "raised by inner sizes" if its_own else "raised in a product inside", (sizes[2], sizes[1])
    elif shapes:
        kind, message = "raised by shapes", " and ".join(dict.fromkeys(shapes[1].split()))
    elif "values to unpack" in message:
        kind = "raised by unpacking"
    return Finding(kind, type(error).__name__, message, line=line)
