"""A verdict is data: its kind, place and factor can be read without reading English."""

import numpy as np
import pytest

from aelearn.gradcheck import Diagnosis
from aelearn.teaching.checks import CheckError, check
from aelearn.teaching.verdict import WORDS, Finding, Verdict
from tests.teaching.test_checks import MISTAKES, RIGHT


def verdict(name, answer, seed=0):
    """What check finds wrong with an answer to the exercise of this name."""
    getattr(answer, "py_func", answer).__name__ = name
    with pytest.raises(CheckError) as caught:
        check(answer, seed=seed)
    return caught.value.verdict


def test_every_kind_of_finding_is_met_in_a_lesson():
    kinds = {finding.kind for name, answer, _ in MISTAKES for seed in range(3)
             for finding in verdict(name, answer, seed).findings}
    assert kinds == set(WORDS)


def test_numbers_say_the_worst_place_and_the_factor():
    right = RIGHT["dense_backward"]

    def one_entry(dz, x, W):
        dx, dW, db = right(dz, x, W)
        dW[1, 0] += 1
        return dx, dW, db

    dx, dW, db = verdict("dense_backward", one_entry).findings
    assert dx == Finding("right", "dx") and db == Finding("right", "db")
    assert (dW.kind, dW.name, dW.place, dW.n_wrong, dW.diagnosis) == ("numbers", "dW", (1, 0), 1, Diagnosis())
    assert dW.yours - dW.expected == pytest.approx(1) and dW.source == "finite difference" and dW.size > 1

    factors = lambda dz, x, W: (right(dz, x, W)[0], x.T @ dz / len(x), -dz.sum(axis=0))  # noqa: E731
    dx, dW, db = verdict("dense_backward", factors).findings
    assert dW.diagnosis.kind == "factor" and db.diagnosis.kind == "sign" and db.n_wrong == db.size
    finding, = verdict("mse_gradient", lambda a, x: 2 * (a - x) / len(a)).findings
    assert finding.factor_name == "a.shape[1]" and finding.diagnosis.factor > 2


def test_the_factor_of_a_single_number_is_said_only_if_it_is_a_usual_slip():
    for factor, kind in ((2, "factor"), (0.5, "factor"), (-1, "sign"), (0, "zero"), (1.7, "")):
        finding, = verdict("fetched", lambda k, side, factor=factor: factor * RIGHT["fetched"](k, side)).findings
        assert (finding.kind, finding.diagnosis.kind) == ("number", kind)
        assert finding.given.keys() == {"k", "side"}


def test_labels_say_the_first_place():
    finding, = verdict("can_stay", lambda *bounds: ~RIGHT["can_stay"](*bounds)).findings
    assert (finding.kind, finding.place, finding.n_wrong, finding.diagnosis) == ("labels", (0,), 40, Diagnosis())


def test_words_are_made_from_the_data():
    wrong = Finding("numbers", "dW", 1.0, 2.0, place=(1, 0), n_wrong=1, size=6, diagnosis=Diagnosis("factor", 0.5),
                    factor_name="1 / N", remark="Why?")
    assert str(wrong) == ("dW: 1 of 6 entries is wrong, worst at [1, 0]: yours 1, expected 2; "
                          "every entry is off by the factor 0.5, which is 1 / N here; Why?")
    assert str(Verdict((Finding("right", "dx"), wrong, Finding("right", "db")))) == f"{wrong}; dx and db: right"
    assert str(Finding("number", "c", 0.12345, 0.12346, given={"x": (3, 4), "h": 0.1})) == (
        "c: yours 0.12345, expected 0.12346 (for x of shape (3, 4), h = 0.1)")
    assert Verdict((Finding("right", "dx"),)).right and not Verdict((Finding("unsolved"),)).right


def test_what_is_no_array_at_all_is_a_finding():
    ragged = [[1.0], [1.0, 2.0]]
    params, velocity = verdict("roll", lambda *step: (ragged, RIGHT["roll"](*step)[1])).findings
    assert (params.kind, params.yours, velocity.kind) == ("not numbers", "list", "right")


def test_arguments_that_the_answer_does_not_get_are_not_told():
    answer = RIGHT["neuron_backward"]
    finding = verdict("neuron_backward", lambda *a: (*answer(*a)[:2], answer(*a)[2] + 1)).findings[-1]
    assert finding.kind == "number" and finding.given.keys() == {"da", "x", "w", "a"}
    assert np.isfinite(finding.yours)
