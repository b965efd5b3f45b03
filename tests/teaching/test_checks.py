"""The exercises' checks: a right answer passes, and each typical mistake gets a line that says what it is."""

import re
from importlib import import_module

import numpy as np
import pytest

from aelearn.teaching.checks import CheckError, check
from aelearn.teaching.exercises import EXERCISES, LESSONS, merged

ANSWERS = [import_module(f"tests.answers.{lesson}") for lesson in LESSONS]
RIGHT = {getattr(answer, "py_func", answer).__name__: answer for module in ANSWERS for answer in module.RIGHT}
MISTAKES = [mistake for module in ANSWERS for mistake in module.MISTAKES]


def test_every_exercise_has_a_right_answer(capsys):
    assert set(RIGHT) == set(EXERCISES)
    for name, answer in RIGHT.items():
        for seed in range(5):
            check(answer, seed=seed)
        assert capsys.readouterr().out == f"{name}: right, on 3 random inputs\n" * 5


@pytest.mark.parametrize("name, answer, words", MISTAKES)
def test_a_mistake_gets_its_line(name, answer, words):
    getattr(answer, "py_func", answer).__name__ = name
    for seed in range(3):
        with pytest.raises(CheckError, match=f"^{name}: ") as caught:
            check(answer, seed=seed)
        line = str(caught.value)
        assert re.search(words, line) and "\n" not in line, line
        assert line == f"{name}: {caught.value.verdict}" and not caught.value.verdict.right
        assert caught.value._render_traceback_() == [line]


def test_at_least_three_mistakes_for_each_exercise():
    assert all(sum(mistake[0] == name for mistake in MISTAKES) >= 3 for name in EXERCISES)


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


def test_ctrl_c_in_an_answer_is_a_ctrl_c():
    def neuron(x, w, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(neuron)
