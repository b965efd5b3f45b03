"""What a right answer may cost: lines of Python, memory, time."""

import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from aelearn.teaching.checks import judge
from aelearn.teaching.costs import Faster, Memory, NoLoop
from aelearn.teaching.exercises import EXERCISES


def points(rng):
    return {"x": rng.normal(size=(4000, 3)), "W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}


def whole(x, W, b):
    return x @ W + b


def in_a_loop(x, W, b):
    return np.array([row @ W + b for row in x])


def hidden_in_map(x, W, b):
    return np.array(list(map(lambda row: row @ W + b, x)))


def hidden_in_numpy(x, W, b):
    return np.apply_along_axis(lambda row: row @ W + b, 1, x)


def with_a_table(x, W, b):
    return (x[:, :, None] * W * 1.0).sum(axis=1) + b


def verdict(monkeypatch, answer, cost):
    """What is said about an answer to the exercise `dense`, if it has this cost."""
    monkeypatch.setitem(EXERCISES, "dense", replace(EXERCISES["dense"], costs=(cost,)))
    return judge("dense", answer)


@pytest.mark.parametrize("answer", [in_a_loop, hidden_in_map, hidden_in_numpy])
def test_a_loop_is_seen_wherever_it_is(monkeypatch, answer):
    tracer, cost = sys.gettrace(), NoLoop(points)
    found = verdict(monkeypatch, answer, cost)
    assert found.findings[0].kind == "loop" and found.findings[0].yours >= 4000
    assert "lines of Python for it: where is the loop?" in str(found)
    assert verdict(monkeypatch, whole, cost).right and sys.gettrace() is tracer


def test_memory_is_counted_in_bytes(monkeypatch):
    cost = Memory(points, lambda x, W, b: 3.5 * x.shape[0] * W.shape[1] * 8)  # x @ W, + b, and some room
    assert verdict(monkeypatch, whole, cost).right
    found = verdict(monkeypatch, with_a_table, cost)
    assert found.findings[0].kind == "memory" and found.findings[0].yours > found.findings[0].expected == 0.224
    assert str(found).startswith("dense: it returns the right result, but needs 0.") and not tracemalloc.is_tracing()


def test_faster_is_measured_against_another_function(monkeypatch):
    cost = Faster(points, in_a_loop, "a loop", 10)  # a loop takes hundreds of times as long
    assert verdict(monkeypatch, whole, cost).right
    found = verdict(monkeypatch, hidden_in_map, cost)
    assert found.findings[0].kind == "slow" and found.findings[0].yours < 10
    assert "times as fast as a loop; aim at 10 times" in str(found)


def test_a_cost_that_raises_or_never_ends_is_a_finding(monkeypatch):
    def only_small(x, W, b):
        return x @ W + b if len(x) < 100 else 1 / 0

    found = verdict(monkeypatch, only_small, NoLoop(points))
    assert found.findings[0].kind == "raised" and sys.gettrace() is None
