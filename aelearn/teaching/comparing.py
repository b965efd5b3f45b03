"""Compares the result of an answer with the correct one, entry by entry.

All functions return Findings (verdict.py): data, no words.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from numbers import Real

import numpy as np

from aelearn import gradcheck
from aelearn.teaching.exercises.exercise import RTOL, given
from aelearn.teaching.verdict import NOT_FINITE, WRONG_NUMBERS, Finding, with_article


def compare(exercise, returned, arguments):
    """The findings about what an answer returned for these arguments: one for each output, or one for the whole."""
    names, (expected, exact) = exercise.outputs, exercise.expected(arguments)
    if isinstance(expected[names[0]], str):
        return [_compare_word(exercise, returned, expected[names[0]], given(arguments))]
    if returned is None or returned is Ellipsis:
        return [Finding("nothing")]
    if len(names) == 1:
        returned = [returned]
    if not isinstance(returned, (tuple, list)):
        return [Finding("one value", yours=type(returned).__name__, expected=names)]
    if len(returned) != len(names):
        return [Finding("values", yours=len(returned), expected=names)]
    returned = dict(zip(names, map(_with_fractions, returned)))
    findings = _compare_numbers(exercise, returned, expected, exact, arguments)
    if len(findings) == len(names):
        findings = _recognize_mistakes(exercise, returned, findings, expected, exact, given(arguments))
    return findings


def _with_fractions(value):
    """A result as it is; but Python's fractions and decimals, alone or in a list, as floats."""
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.asarray(value)
        exact = array.dtype == object and array.size and all(isinstance(one, (Real, Decimal)) for one in array.flat)
        return array.astype(np.float64) if exact else value
    except (OverflowError, TypeError, ValueError):
        return value


def _compare_numbers(exercise, returned, expected, exact, arguments):
    """The findings about outputs that are arrays or numbers; all but `exercise` are dicts by name."""
    source = "expected" if exercise.answer is not None else "finite difference"
    findings = {name: compare_output(name, yours, expected[name], exact[name], source)
                for name, yours in returned.items()}
    for name, other in permutations(returned, 2):
        if not findings[name].right and compare_output(other, returned[name], expected[other], exact[other]).right:
            return [Finding("swapped", name, expected=other)]
    if any(finding.kind in ("number", "numbers") for finding in findings.values()):
        _accept_float32(exercise, returned, findings, expected, arguments)
    arguments = given(arguments)
    wrong = [name for name, finding in findings.items() if not finding.right]
    for name in wrong:
        finding = findings[name]
        if finding.kind in NOT_FINITE:
            finding = replace(finding, remark=exercise.blank)
        if exercise.call:  # the answer does not get these arguments as they are
            pass
        elif np.ndim(expected[name]) == 0 and finding.kind in (*WRONG_NUMBERS, *NOT_FINITE):
            # a number alone says little: show what it was computed from
            finding = replace(finding, given=_numbers_and_shapes(arguments))
        elif wrong == [name] and finding.diagnosis.kind == "factor":
            finding = replace(finding, factor_name=_factor_name(finding.diagnosis.factor, arguments))
        findings[name] = finding
    if wrong and exercise.look and all(findings[name].kind in WRONG_NUMBERS for name in wrong):
        findings[wrong[-1]] = replace(findings[wrong[-1]], remark=exercise.look(*returned.values()))
    return list(findings.values())


def _accept_float32(exercise, returned, findings, expected, arguments):
    """Outputs that are as near as float32 can be are right, unless they count; `findings` is changed."""
    errors = exercise.float32_error(arguments, expected)
    for name, finding in findings.items():
        real = finding.kind in ("number", "numbers") and np.asarray(expected[name]).dtype.kind == "f"
        if real and np.all(np.abs(returned[name] - expected[name]) <= errors[name]):
            findings[name] = Finding("right", name, digits="float32")


def _recognize_mistakes(exercise, returned, findings, expected, exact, arguments):
    """The findings, with the words of a typical mistake where an output is what that mistake returns.

    Of several such mistakes, the one counts that returns the same as the answer in the most outputs, right ones too.
    """
    found = []  # (in how many outputs they agree, the words, numbers of the findings that they explain)
    for words, wrong_answer in exercise.mistakes.items() if not all(finding.right for finding in findings) else ():
        try:
            with np.errstate(all="ignore"):
                outcomes = exercise.named(call(exercise, wrong_answer, copies(arguments)))
        except (ArithmeticError, LookupError, TypeError, ValueError):  # this mistake cannot be made on this input
            continue
        agree = [number for number, finding in enumerate(findings) if finding.name in outcomes
                 and _same(returned[finding.name], outcomes[finding.name], exact[finding.name])]
        explained = [number for number in agree if not findings[number].right  # on some inputs it changes nothing
                     and not _is_right(outcomes, expected, exact, findings[number].name)]
        found.append((len(agree), words, explained))
    for _, words, explained in sorted(found, key=lambda mistake: -mistake[0]):
        for number in explained:
            if not findings[number].mistake:
                findings[number] = replace(findings[number], mistake=words)
    return findings


def _is_right(outcomes, expected, exact, name):
    """True if this output of a wrong answer is the expected one."""
    return same_kind(outcomes[name], expected[name]) and _same(outcomes[name], expected[name], exact[name])


def _same(one, other, exact):
    """True if two outputs are equal up to rounding, and not finite in the same places; integers may be numbers."""
    try:
        one, other = np.asarray(one), np.asarray(other)
    except ValueError:  # rows of different lengths
        return False
    if one.shape != other.shape or not (same_kind(one, other) or same_kind(other, one)):
        return False
    finite = np.isfinite(one)
    return np.array_equal(finite, np.isfinite(other)) and compare_output(
        "", np.where(finite, one, 0.0), np.where(finite, other, 0.0), exact).right


def copies(arguments):
    """The arguments, with copies of the arrays."""
    return {name: np.copy(value) if isinstance(value, np.ndarray) else value for name, value in arguments.items()}


def call(exercise, answer, arguments):
    """What an answer returns for these arguments, {name: value}."""
    return exercise.call(answer, **arguments) if exercise.call else answer(*arguments.values())


def _compare_word(exercise, yours, expected, arguments):
    """The finding about an answer that names the wrong output of a function; it may find none (None)."""
    if yours is None or yours is Ellipsis:
        finding = Finding("nothing")
    elif not isinstance(yours, str):
        return Finding("not a word", yours=with_article(type(yours).__name__))
    elif exercise.look and exercise.look(yours):
        return Finding("word", yours=yours, expected=expected, mistake=exercise.look(yours))
    else:
        finding = Finding("right" if yours == expected else "word", yours=yours, expected=expected)
    for words, wrong_answer in exercise.mistakes.items() if not finding.right else ():
        if call(exercise, wrong_answer, copies(arguments)) == yours:
            return replace(finding, mistake=words)
    return finding


def same_kind(yours, expected):
    """True if an array or number is of a type that may stand for the expected one: see `kind_of`."""
    return kind_of(np.asarray(yours)) in _ACCEPTED.get(kind_of(np.asarray(expected)), ())


def kind_of(array):
    """What kind of numbers an array has, in words."""
    if np.ma.is_masked(array):
        return "masked numbers"
    return "numbers of half precision" if array.dtype == np.float16 else _KINDS.get(array.dtype.kind, "no numbers")


_KINDS = {"b": "True or False", "i": "integers", "u": "integers", "f": "numbers", "c": "complex numbers",
          "U": "text", "S": "text", "O": "Python objects"}
_ACCEPTED = {"True or False": ("True or False",), "integers": ("integers",), "numbers": ("numbers", "integers")}


def compare_output(name, yours, expected, exact, source="expected"):
    """The Finding about one output.

    yours, expected  arrays or numbers, the result and the correct one
    exact            the absolute error of `expected`
    source           where `expected` is from
    """
    if yours is None or yours is Ellipsis:
        return Finding("missing", name, repr(yours))
    expected = np.asarray(expected)
    try:
        value = yours if np.ma.is_masked(yours) else np.asarray(yours)
    except (TypeError, ValueError):
        value = None
    if value is None or value.dtype.kind not in "biufc" or np.ma.is_masked(value):
        return Finding("not numbers", name, _no_numbers(yours, value), _noun("numbers", expected))
    if value.shape != expected.shape:
        transposed = value.ndim > 1 and value.shape == expected.shape[::-1]
        of_numbers = "no number" if not expected.ndim else "one number" if not value.ndim else "shape"
        return Finding("transposed" if transposed else of_numbers, name, value.shape, expected.shape)
    if not same_kind(value, expected):
        kind = "floating-point numbers" if value.dtype.kind == "f" and value.itemsize > 2 else kind_of(value)
        return Finding("other kind", name, f"{'are' if value.ndim else 'is'} {_noun(kind, value)} ({value.dtype})",
                       _noun(kind_of(expected), expected))
    value = value.astype(np.float64)
    infinite = ~np.isfinite(value)
    if infinite.any():
        return Finding("not finite" if value.ndim else "number not finite", name, place=_first(infinite),
                       n_wrong=int(infinite.sum()), size=value.size)
    counted, one = expected.dtype.kind in "iub", bool if expected.dtype == bool else float
    expected = expected.astype(np.float64)
    errors = gradcheck.relative_error(value, expected, exact)
    wrong = errors > RTOL
    if not wrong.any():
        return Finding("right", name)
    kind = "number" if value.size == 1 else "labels" if counted else "numbers"
    if counted:  # such as labels: no entry is worse than another, and a factor means nothing
        place, diagnosis = _first(wrong), gradcheck.Diagnosis()
    else:
        place, diagnosis = _first(errors == errors.max()), gradcheck.diagnose(value, expected, exact, RTOL, wrong)
    if diagnosis.kind == "unused" and source == "expected":  # a result that should be 0 everywhere is no derivative
        diagnosis = gradcheck.Diagnosis()
    if kind == "number" and diagnosis.kind == "factor" and not np.isclose(diagnosis.factor, (2, 0.5), rtol=1e-4).any():
        diagnosis = gradcheck.Diagnosis()  # a single number is always off by some factor
    return Finding(kind, name, one(value[place]), one(expected[place]), source, place, n_wrong=int(wrong.sum()),
                   size=value.size, diagnosis=diagnosis)


def _noun(plural, array):
    """What kind of numbers an array has, or what kind of number it is if it is only one."""
    one = {"numbers of half precision": "number of half precision"}.get(plural, plural.removesuffix("s"))
    return plural if np.ndim(array) or plural == "True or False" else with_article(one)


def _no_numbers(yours, value):
    """What `yours`, which holds no numbers, is instead; `value` is its array, or None."""
    if isinstance(yours, np.ndarray):
        return kind_of(value)
    what = with_article(type(yours).__name__)
    if not isinstance(yours, (list, tuple)):
        return what
    if value is None:
        return f"{what} whose parts differ in length"
    if value.dtype.kind in "US":
        return f"{what} of text"
    other = next((type(one).__name__.removesuffix("Type") for one in value.flat if not isinstance(one, Real)), "object")
    return f"{what} in which there is {with_article(other)}"


def _first(where):
    """The index of the first True."""
    return tuple(int(i) for i in np.argwhere(where)[0])


def _numbers_and_shapes(arguments):
    """The arguments, with arrays by their shapes; {} if all are arrays or some are functions."""
    if any(map(callable, arguments.values())) or all(map(np.ndim, arguments.values())):
        return {}
    return {name: np.shape(value) if np.ndim(value) else value for name, value in arguments.items()}


def _factor_name(factor, arguments):
    """A factor in terms of an argument or its sizes: "h", "1 / X.shape[0]", "(X.size - 1) / X.size"; "" if none."""
    for name, value in arguments.items():
        names = {}
        if np.ndim(value) == 0 and not callable(value) and value:
            names = {name: value, f"1 / {name}": 1 / value}
        sizes = {f"{name}.shape[{axis}]": size for axis, size in enumerate(np.shape(value))}
        for words, size in {**sizes, f"{name}.size": np.size(value)}.items():
            if size > 2:
                names |= {words: size, f"1 / {words}": 1 / size, f"({words} - 1) / {words}": (size - 1) / size}
        for words, number in names.items():
            if abs(factor / number - 1) < 1e-5:
                return words
    return ""
