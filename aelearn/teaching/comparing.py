"""Compares the result of an answer with the correct one, entry by entry.

All functions return Findings (verdict.py): data, no words.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np

from aelearn import gradcheck
from aelearn.teaching.exercises.exercise import RTOL, given
from aelearn.teaching.verdict import NOT_FINITE, WRONG_NUMBERS, Finding


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
    returned = dict(zip(names, returned))
    findings = _compare_numbers(exercise, returned, expected, exact, arguments)
    if len(findings) == len(names):
        findings = _recognize_mistakes(exercise, returned, findings, expected, exact, given(arguments))
    return findings


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
        if np.ndim(expected[name]) == 0:  # a number alone says little: show what it was computed from
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
        return Finding("not a word", yours=type(yours).__name__)
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
    try:
        value = yours if np.ma.is_masked(yours) else np.asarray(yours)
    except (TypeError, ValueError):
        return Finding("not numbers", name, type(yours).__name__)
    expected = np.asarray(expected)
    if value.dtype.kind not in "biufc" or np.ma.is_masked(value):
        words = kind_of(value) if isinstance(yours, np.ndarray) else type(yours).__name__
        return Finding("not numbers", name, words)
    if value.shape != expected.shape:
        transposed = value.ndim > 1 and value.shape == expected.shape[::-1]
        return Finding("transposed" if transposed else "shape", name, value.shape, expected.shape)
    if not same_kind(value, expected):
        return Finding("other kind", name, f"{kind_of(value)} ({value.dtype})", kind_of(expected))
    value = value.astype(np.float64)
    infinite = ~np.isfinite(value)
    if infinite.any():
        return Finding("not finite" if value.ndim else "number not finite", name, place=_first(infinite),
                       n_wrong=int(infinite.sum()), size=value.size)
    counted, expected = expected.dtype.kind in "iub", expected.astype(np.float64)
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
    return Finding(kind, name, float(value[place]), float(expected[place]), source, place, n_wrong=int(wrong.sum()),
                   size=value.size, diagnosis=diagnosis)


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
