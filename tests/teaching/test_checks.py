"""The exercises' checks: a right answer passes, however it is written, and each typical mistake gets a line that says
what it is. Every verdict is the same on many random inputs."""

import functools
import os
import re
import time
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest

from aelearn.teaching import checks
from aelearn.teaching.checks import CheckError, check, judge, yours
from aelearn.teaching.exercises import EXERCISES, LESSONS, merged
from aelearn.teaching.exercises.exercise import Exercise
from aelearn.teaching.verdict import LONGEST

ANSWERS = [import_module(f"tests.answers.{lesson}") for lesson in LESSONS]
RIGHT = {getattr(answer, "py_func", answer).__name__: answer for module in ANSWERS for answer in module.RIGHT}
MISTAKES = [mistake for module in ANSWERS for mistake in module.MISTAKES]
RECOGNIZED = [(name, words, wrong) for name, exercise in EXERCISES.items()
              for words, wrong in exercise.mistakes.items()]
NEEDS_FLOAT64 = ("central_difference", "gradient_by_nudging", "slope_along")  # small differences vanish in float32
STRICT = os.environ.get("AELEARN_STRICT") == "1"
SEEDS = range(200 if STRICT else 1)  # 0 is that of every `check`
each_exercise = pytest.mark.parametrize("name", EXERCISES)


def test_every_exercise_has_a_right_answer():
    assert set(RIGHT) == set(EXERCISES)


def seeds(name):
    """On which random inputs a verdict is tried; fewer if a call may take long, or if its cost is measured too."""
    return SEEDS[:20] if EXERCISES[name].seconds > 2 or EXERCISES[name].costs else SEEDS


@each_exercise
def test_a_right_answer_is_right_on_every_input(name):
    for seed in seeds(name):
        verdict = judge(name, RIGHT[name], seed=seed)
        assert verdict.right and str(verdict) == f"{name}: right, on {verdict.n_inputs} inputs", str(verdict)


@pytest.mark.parametrize("name, answer, words", MISTAKES)
def test_a_mistake_gets_its_line_on_every_input(name, answer, words):
    for seed in seeds(name):
        verdict = judge(name, answer, seed=seed)
        line = str(verdict)
        assert not verdict.right and re.search(words, line), line
        assert line.startswith(f"{name}: ") and "\n" not in line and len(line) <= LONGEST
        assert f"{name}: {name}" not in line


@pytest.mark.parametrize("name, words, wrong", RECOGNIZED, ids=[f"{name}-{words}" for name, words, _ in RECOGNIZED])
def test_a_typical_mistake_is_recognized_on_every_input(name, words, wrong):
    for seed in seeds(name):
        verdict = judge(name, wrong, seed=seed)
        assert words in [finding.mistake for finding in verdict.findings], str(verdict)
        assert words in str(verdict) and len(str(verdict)) <= LONGEST, str(verdict)


def test_the_mistake_that_explains_most_outputs_is_named(monkeypatch):
    """An output may be what several mistakes lead to: then the other outputs decide."""
    right = lambda x: (x, 2 * x, 3 * x)
    exercise = Exercise(lambda rng: {"x": rng.uniform(1, 2, 3)}, ("a", "b", "c"), answer=right, mistakes={
        "one": lambda x: (x, -x, -x), "two": lambda x: (-x, -x, 3 * x), "three": lambda x: (x, -x, 3 * x)})
    monkeypatch.setitem(EXERCISES, "dense", exercise)
    for answer, words in ((lambda x: (x, -x, -x), ["", "one", "one"]), (lambda x: (-x, -x, 3 * x), ["two", "two", ""]),
                          (lambda x: (x, -x, 3 * x), ["", "three", ""]),
                          (lambda x: (-x, -x, -x), ["two", "one", "one"])):
        assert [finding.mistake for finding in judge("dense", answer).findings] == words


@each_exercise
def test_a_right_answer_in_float32_is_right(name):
    """Every array becomes float32 on its way in, and so do results that are no integers."""
    def single(value):
        is_double = getattr(value, "dtype", None) == np.float64
        return np.asarray(value).astype(np.float32) if is_double or isinstance(value, float) else value

    def in_float32(*arguments):
        returned = RIGHT[name](*(single(value) if isinstance(value, np.ndarray) else value for value in arguments))
        return tuple(map(single, returned)) if isinstance(returned, tuple) else single(returned)

    arrays = [value for value in one_input(name).values() if isinstance(value, np.ndarray)]
    if EXERCISES[name].call or name in NEEDS_FLOAT64 or not arrays:
        pytest.skip("no array comes in, or float32 has too few digits")
    for seed in seeds(name):
        verdict = judge(name, in_float32, seed=seed)
        assert verdict.right, str(verdict)


def one_input(name):
    inputs = EXERCISES[name].inputs(np.random.default_rng(0))
    return inputs[0] if isinstance(inputs, list) else inputs


@each_exercise
def test_at_least_three_mistakes(name):
    assert sum(mistake[0] == name for mistake in MISTAKES) >= 3 and 3 <= len(EXERCISES[name].mistakes) <= 6


def test_a_line_is_printed_or_raised(capsys):
    def neuron(x, w, b):
        return w @ x + b

    check(RIGHT["neuron"])
    assert capsys.readouterr().out == "neuron: right, on 6 inputs\n"
    with pytest.raises(CheckError, match="^neuron: ") as caught:
        check(neuron)
    line = str(caught.value)
    assert line == str(caught.value.verdict) and not caught.value.verdict.right
    assert caught.value._render_traceback_() == [line]


def test_an_answer_may_be_anything_that_can_be_called(capsys):
    inertia = lambda X, labels, centers: ((X - centers[labels]) ** 2).sum()
    check(inertia)

    class Dense:
        def __call__(self, x, W, b):
            return x @ W + b

    dense = Dense()
    check(dense)
    mse_gradient = functools.partial(lambda factor, a, x: factor * (a - x) / a.size, 2)
    check(mse_gradient)
    assert capsys.readouterr().out.count(": right, on ") == 3
    mse_gradient = functools.partial(lambda factor, a, x: factor * (a - x) / a.size, 1)
    with pytest.raises(CheckError, match="^mse_gradient: .*the factor 0.5"):
        check(mse_gradient)


def test_a_compiled_answer(capsys):
    numba = pytest.importorskip("numba")

    @numba.njit
    def inertia(X, labels, centers):
        total = 0.0
        for n in range(len(X)):
            for d in range(X.shape[1]):
                total += (X[n, d] - centers[labels[n], d]) ** 2
        return total

    check(inertia)
    assert capsys.readouterr().out == "inertia: right, on 3 inputs\n"

    @numba.njit
    def neuron(x, w, b):
        while True:
            b += 1

    started = time.perf_counter()
    assert judge("neuron", neuron).findings[0].kind == "endless"  # its Python source never ends either
    assert time.perf_counter() - started < checks.COMPILES + 30

    @numba.njit
    def dense(x, W, b):
        return x @ W + b

    try:
        import scipy  # noqa: F401
        assert judge("dense", dense).right
    except ImportError:
        assert str(judge("dense", dense)) == ("dense: Numba needs SciPy for products of arrays: pip install scipy, and "
                                              "restart the kernel")


def forever(x, w, b):
    while True:
        b += 1


def caught_forever(x, w, b):
    while True:
        try:
            b += 1
        except:  # noqa: E722
            pass


def slow(x, w, b):
    time.sleep(3)
    return RIGHT["neuron"](x, w, b)


def asks(x, w, b):
    return float(input("b?"))


def leaves(x, w, b):
    raise SystemExit


def leaves_or_not(x, w, b):
    try:
        input()
    except Exception:
        return 0


@pytest.mark.parametrize("answer, words", [
    (forever, "it had not returned after 2 seconds"), (caught_forever, "it had not returned after 2 seconds"),
    (slow, "it had not returned after 2 seconds"), (asks, r"it calls input\(\)"), (leaves, r"it calls exit\(\)"),
    (leaves_or_not, r"it calls input\(\)")])
def test_what_never_returns_gets_its_line(answer, words):
    assert re.match(f"neuron: {words}", str(judge("neuron", answer)))


@pytest.mark.parametrize("name, answer, words", [
    ("assign", lambda X, centers: RIGHT["assign"](X, centers).astype(float),
     r"assign: labels: it should be integers; yours are floating-point numbers \(float64\)"),
    ("assign", lambda X, centers: RIGHT["assign"](X, centers) == 1, r"it should be integers; yours are True or False"),
    ("assign", lambda X, centers: RIGHT["assign"](X, centers).astype(str), "it should be numbers; it is text"),
    ("inertia", lambda X, labels, centers: f"{RIGHT['inertia'](X, labels, centers)}",
     "inertia: it should be a number; it is a str"),
    ("inertia", lambda X, labels, centers: RIGHT["inertia"](X, labels, centers) + 0j,
     r"it should be a number; yours is a complex number \(complex128\)"),
    ("update", lambda *a: RIGHT["update"](*a).astype(object), "it should be numbers; it is Python objects"),
    ("update", lambda *a: RIGHT["update"](*a).astype(np.float16), r"yours are numbers of half precision \(float16\)"),
    ("update", lambda *a: np.ma.masked_less(RIGHT["update"](*a), 0), "it should be numbers; it is masked numbers"),
    ("update", lambda *a: (row for row in RIGHT["update"](*a)), "it should be numbers; it is a generator"),
    ("update", lambda *a: RIGHT["update"](*a).astype(str).tolist(), "it should be numbers; it is a list of text"),
    ("update", lambda *a: [*RIGHT["update"](*a)[:-1], [0.0]], "it should be numbers; it is a list whose parts differ"),
    ("assign", lambda *a: [None, *RIGHT["assign"](*a)[1:]],
     "it should be numbers; it is a list in which there is None"),
    ("nearest", lambda *a: float(RIGHT["nearest"](*a)),
     r"index: it should be an integer; yours is a floating-point number \(float64\)$"),
    ("update", lambda *a: RIGHT["update"](*a) > 0, r"it should be numbers; yours are True or False \(bool\)"),
    ("can_stay", lambda *a: RIGHT["can_stay"](*a) * 1, "it should be True or False; yours are integers"),
    ("can_stay", lambda *a: RIGHT["can_stay"](*a) * 1.0,
     "it should be True or False; yours are floating-point numbers"),
    ("assign", lambda X: 0, "it is called with X, centers, but does not take these 2: too many positional arguments"),
])
def test_other_types_are_told(name, answer, words):
    for seed in seeds(name):
        assert re.search(words, str(judge(name, answer, seed=seed)))


def test_fractions_and_decimals_are_numbers():
    for name, exact in (("operations_per_number", lambda rows, columns: Fraction(2 * rows * columns, rows + columns)),
                        ("operations_per_number", lambda rows, columns: Decimal(2 * rows * columns) / (rows + columns)),
                        ("update", lambda *a: [list(map(Fraction, row)) for row in RIGHT["update"](*a)])):
        assert judge(name, exact).right
    assert "wrong" in str(judge("update", lambda *a: [[Fraction(1, 3)] * a[0].shape[1]] * len(a[2])))


def test_lists_and_integers_that_are_numbers_are_right():
    assert judge("update", lambda *a: RIGHT["update"](*a).tolist()).right
    assert judge("assign", lambda *a: RIGHT["assign"](*a).astype(np.uint8)).right


def test_a_mistake_may_be_made_in_integers_or_in_floats(monkeypatch):
    def zeros(dtype):
        return lambda x, W, b: np.zeros((len(x), len(b)), dtype)

    monkeypatch.setitem(EXERCISES, "dense", replace(EXERCISES["dense"], mistakes={"add up": zeros(int)}))
    assert {str(judge("dense", zeros(dtype))) for dtype in (int, np.uint8, float, np.float32)} == {"dense: z: add up"}
    monkeypatch.setitem(EXERCISES, "dense", replace(EXERCISES["dense"], mistakes={"add up": zeros(float)}))
    assert str(judge("dense", zeros(int))) == "dense: z: add up"
    assert "yours are True or False" in str(judge("dense", zeros(bool)))


def test_no_other_index_is_accepted_for_float32s_sake(monkeypatch):
    """Rounding decides which of two equal numbers is the smaller one; the exercise does."""
    ties = Exercise(lambda rng: {"x": np.array([2.0, 1, 1])}, ("number",), answer=lambda x: int(x.argmin()))
    monkeypatch.setitem(EXERCISES, "dense", ties)
    assert judge("dense", lambda x: np.argmin(x.astype(np.float32))).right
    assert str(judge("dense", lambda x: 2)) == "dense: number: yours 2, expected 1"


def test_a_result_that_should_be_0_everywhere(monkeypatch):
    monkeypatch.setitem(EXERCISES, "dense", Exercise(lambda rng: {"x": rng.normal(size=3)}, ("y",), np.zeros_like))
    line = str(judge("dense", lambda x: np.array([0, 1.0, 2])))
    assert line == "dense: y: 2 of 3 are wrong, worst at [1]: yours 1, expected 0"


def test_an_input_that_is_put_back_by_rounding():
    def gradient_by_nudging(loss, W, eps):
        grad = np.zeros_like(W)
        for i in np.ndindex(*W.shape):
            W[i] += eps
            up = loss(W)
            W[i] -= 2 * eps
            grad[i] = (up - loss(W)) / (2 * eps)
            W[i] += eps
        return grad

    for seed in SEEDS:
        assert "save the old value and put it back" in str(judge("gradient_by_nudging", gradient_by_nudging, seed=seed))


def test_check_needs_the_function_of_an_exercise():
    for answer in (3, None, np.sin, lambda: 0):
        with pytest.raises(CheckError, match="check needs the function of an exercise, such as nearest; got") as caught:
            check(answer)
        assert caught.value.verdict is None


def test_two_lessons_cannot_have_an_exercise_of_the_same_name():
    assert EXERCISES == merged({lesson: import_module(f"aelearn.teaching.exercises.{lesson}").EXERCISES
                                for lesson in LESSONS})
    assert merged({"one": {"a": 1, "b": 2}, "two": {"c": 3}}) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(ValueError, match="two lessons have an exercise a: one and two; check finds an exercise by its"):
        merged({"one": {"a": 1, "b": 2}, "two": {"c": 3, "a": 1}})


def test_integers_are_right_or_wrong_and_a_coincidence_is_no_mistake(monkeypatch):
    """Of two equal numbers the first is asked for; rounded to float32, the other one may be the largest."""
    inputs = [{"x": np.array([0.25, 0.5, 0.75, 0.0])}, {"x": np.array([0.25, 0.75, 0.75, 0.5])}]
    mistakes = {"this is the smallest": np.argmin, "count from 0": lambda x: np.argmax(x) + 1}
    monkeypatch.setitem(EXERCISES, "largest", Exercise(lambda rng: inputs, ("index",), answer=np.argmax,
                                                       mistakes=mistakes))
    assert judge("largest", lambda x: 3 - np.argmax(x[::-1])).findings[0].mistake == ""
    assert str(judge("largest", lambda x: 3 - np.argmax(x[::-1]))).startswith("largest: index: yours 2, expected 1")
    assert str(judge("largest", lambda x: np.argmax(x) + 1)) == "largest: index: count from 0"
    assert judge("largest", lambda x: 3).findings[0].mistake == ""  # on the first input it is what both mistakes return


def test_ctrl_c_in_an_answer_is_a_ctrl_c():
    def neuron(x, w, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(neuron)


def test_a_lesson_goes_on_with_yours_or_the_librarys(capsys):
    def dense(x, W, b):
        return x @ W + b if len(x) < 50 else 1 / 0

    library = lambda x, W, b: "the library's"
    small, large = np.ones((2, 3)), np.ones((60, 3))
    W, b = np.ones((3, 4)), np.ones(4)
    chosen = yours(dense, library)
    assert np.array_equal(chosen(small, W, b), small @ W + b)
    assert capsys.readouterr().out == "dense: yours is used here\n"
    assert chosen(large, W, b) == "the library's" == chosen(small, W, b)
    assert capsys.readouterr().out == ("dense: yours raised ZeroDivisionError here, so the library's is used from now "
                                       "on\n")

    def dense(x, W, b):
        ...

    assert yours(dense, library) is library
    assert capsys.readouterr().out == "dense: not solved yet, so the library's is used here\n"

    def dense(x, W, b):
        return x @ W - b

    assert yours(dense, library) is library
    assert capsys.readouterr().out == "dense: not right yet, so the library's is used here\n"


def test_functions_that_go_together_are_all_yours_or_none(capsys):
    def update(X, labels, centers):
        ...

    library = (lambda *a: 1, lambda *a: 2)
    assert yours((RIGHT["assign"], update), library) is library
    assign, update = yours((RIGHT["assign"], RIGHT["update"]), library)
    points = np.array([[0.0], [1.0], [5.0]])
    assert assign(points, points[1:]).tolist() == [0, 0, 1]
    assert capsys.readouterr().out == ("update: not solved yet, so the library's is used here\n"
                                       "assign and update: yours are used here\n")


def test_what_takes_too_long_on_more_data_falls_back(capsys):
    def dense(x, W, b):
        while len(x) > 50:
            pass
        return x @ W + b

    chosen = yours(dense, lambda x, W, b: "the library's", seconds=0.1)
    assert chosen(np.ones((60, 3)), np.ones((3, 4)), np.ones(4)) == "the library's"
    assert "takes more than 0.1 seconds, so the library's is used from now on" in capsys.readouterr().out


def test_a_function_that_returns_its_argument_is_wrong_not_empty():
    verdict = judge("fetched", lambda k, side: k)
    assert not verdict.open and str(verdict).startswith("fetched: numbers: yours")
    assert judge("fetched", lambda k, side: None).open


def test_the_message_of_an_exception_does_not_say_the_name_again():
    def dense(x, W, b):
        raise ValueError("dense: no")

    assert str(judge("dense", dense)) == "dense: it raised ValueError in `raise ValueError(\"dense: no\")`: no"
