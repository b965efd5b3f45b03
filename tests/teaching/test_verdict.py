"""A verdict is data: its kind, place and factor can be read without reading English."""

from dataclasses import replace

import numpy as np
import pytest

from aelearn.gradcheck import Diagnosis
from aelearn.teaching.checks import judge
from aelearn.teaching.verdict import LONGEST, WORDS, Finding, Verdict
from tests.teaching.test_checks import MISTAKES, RIGHT


def test_every_kind_of_finding_is_met_in_a_test():
    """Most are met in a lesson, the others in test_checks.py or in this file."""
    kinds = {finding.kind for name, answer, _ in MISTAKES for finding in judge(name, answer).findings}
    assert set(WORDS) - kinds <= {"parameters", "exits", "asks", "endless", "changed by rounding", "loop", "memory",
                                  "slow", "needs SciPy"}


def test_numbers_say_the_worst_place_and_the_factor():
    right = RIGHT["dense_backward"]

    def one_entry(dz, x, W):
        dx, dW, db = right(dz, x, W)
        dW[1, 0] += 1
        return dx, dW, db

    dx, dW, db = judge("dense_backward", one_entry).findings
    assert dx == Finding("right", "dx") and db == Finding("right", "db")
    assert (dW.kind, dW.name, dW.place, dW.n_wrong, dW.diagnosis) == ("numbers", "dW", (1, 0), 1, Diagnosis())
    assert dW.yours - dW.expected == pytest.approx(1) and dW.source == "finite difference" and dW.size > 1

    factors = lambda dz, x, W: (right(dz, x, W)[0], x.T @ dz / len(x), -dz.sum(axis=0))  # noqa: E731
    dx, dW, db = judge("dense_backward", factors).findings
    assert dW.diagnosis.kind == "factor" and db.diagnosis.kind == "sign" and db.n_wrong == db.size
    finding, = judge("mse_gradient", lambda a, x: 2 * (a - x) / len(a)).findings
    assert finding.factor_name == "a.shape[1]" and finding.diagnosis.factor > 2


def test_the_factor_of_a_single_number_is_said_only_if_it_is_a_usual_slip():
    for factor, kind in ((2, "factor"), (0.5, "factor"), (-1, "sign"), (0, "zero"), (1.7, "")):
        finding, = judge("fetched", lambda k, side, factor=factor: factor * RIGHT["fetched"](k, side)).findings
        assert (finding.kind, finding.diagnosis.kind) == ("number", kind)
        assert finding.given.keys() == {"k", "side"}


def test_labels_say_the_first_place():
    finding, = judge("can_stay", lambda *bounds: ~RIGHT["can_stay"](*bounds)).findings
    assert (finding.kind, finding.place, finding.diagnosis) == ("labels", (0,), Diagnosis())
    assert finding.n_wrong == finding.size > 1


def test_words_are_made_from_the_data():
    wrong = Finding("numbers", "dW", 1.0, 2.0, place=(1, 0), n_wrong=1, size=6, remark="Why?")
    right = Finding("right", "dx"), Finding("right", "db")
    assert str(wrong) == "dW: 1 of 6 is wrong, worst at [1, 0]: yours 1, expected 2; Why?"
    assert str(Verdict((right[0], wrong, right[1]), "dense_backward")) == (
        "dense_backward: dW: 1 of 6 is wrong, worst at [1, 0]: yours 1, expected 2; right: dx and db; Why?")
    factor = replace(wrong, n_wrong=6, diagnosis=Diagnosis("factor", 0.5), factor_name="1 / N", remark="")
    assert str(factor) == ("dW: every entry is off by the factor 0.5, which is 1 / N here; at [1, 0] yours 1, "
                           "expected 2")
    mistake = replace(factor, mistake="divide by N as well")
    assert str(Verdict((replace(wrong, name="db"), mistake, right[0]))) == (
        "dW: divide by N as well; also wrong: db; right: dx")
    assert str(Finding("number", "c", 0.12345, 0.12346, given={"x": (3, 4), "h": 0.1})) == (
        "c: yours 0.12345, expected 0.12346; for x of shape (3, 4), h = 0.1")
    assert not Verdict((Finding("unsolved"),)).right and Verdict((Finding("unsolved"),)).open
    missing = Finding("missing", "dW")
    assert Verdict((Finding("right", "dx"), missing)).open and not Verdict((replace(wrong, name="dx"), missing)).open


def test_a_right_verdict_says_on_how_many_inputs_and_to_how_many_digits():
    right = Verdict((Finding("right", "dx"), Finding("right", "dW")), "dense", 3)
    assert right.right and not right.open and str(right) == "dense: right, on 3 inputs"
    float32 = Verdict((Finding("right", "dx"), Finding("right", "dW", digits="float32")), "dense", 3)
    assert float32.right and str(float32) == "dense: right, to float32's digits, on 3 inputs"


def test_a_line_has_an_end():
    long = Finding("raised", "ValueError", "why " * 100, line="x = " + "1 + " * 100)
    assert len(str(Verdict((long,), "dense"))) == LONGEST and str(Verdict((long,), "dense")).endswith("...")
    wrong = Finding("numbers", "a", 1.0, 2.0, place=(0,), size=6, remark="long " * 40)
    assert str(Verdict((wrong, replace(wrong, name="b")), "x")) == (
        "x: a: 1 of 6 is wrong, worst at [0]: yours 1, expected 2; also wrong: b")  # what has no room is left out


def test_what_is_no_array_at_all_is_a_finding():
    ragged = [[1.0], [1.0, 2.0]]
    params, velocity = judge("roll", lambda *step: (ragged, RIGHT["roll"](*step)[1])).findings
    assert (params.kind, params.yours, velocity.kind) == ("not numbers", "a list whose parts differ in length", "right")


def test_arguments_that_the_answer_does_not_get_are_not_told():
    answer = RIGHT["neuron_backward"]
    finding = judge("neuron_backward", lambda *a: (*answer(*a)[:2], answer(*a)[2] + 1)).findings[-1]
    assert finding.kind == "number" and finding.given.keys() == {"da", "x", "w", "a"}
    assert np.isfinite(finding.yours)


def test_outputs_are_listed_as_in_a_sentence():
    wrong = [Finding("shape", name, (2,), (3,)) for name in ("W", "b", "c", "d")]
    lines = [str(Verdict(tuple(wrong[:n]))) for n in (2, 3, 4)]
    assert [line.partition("; ")[2] for line in lines] == ["also wrong: b", "also wrong: b and c",
                                                           "also wrong: b, c and d"]
