"""A time limit ends whatever a learner may write, and leaves nothing behind."""

import contextlib
import gc
import signal
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from aelearn.teaching import time_limit
from aelearn.teaching.time_limit import TimeUpError, within

SHORT = 0.1  # seconds


def endless():
    while True:
        pass


def with_a_bare_except():
    while True:
        try:
            sum(range(1000))
        except:  # noqa: E722
            pass


def with_a_bare_except_in_another_function():
    def careless():
        try:
            return sum([1] * 1000)
        except:  # noqa: E722
            return careless()

    while True:
        try:
            careless()
        except:  # noqa: E722
            continue


def caught_once():
    try:
        endless()
    except:  # noqa: E722
        return 1


def caught_by_name():
    with contextlib.suppress(Exception):
        endless()


def asleep():
    time.sleep(30)


def in_a_generator():
    return sum(1 for _ in iter(int, 1))


def finally_again():
    try:
        endless()
    finally:
        endless()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timer signals here")
@pytest.mark.parametrize("function", [endless, with_a_bare_except, with_a_bare_except_in_another_function, caught_once,
                                      caught_by_name, asleep, in_a_generator, finally_again])
def test_it_ends_and_leaves_nothing_behind(function):
    before = (signal.getsignal(signal.SIGALRM), sys.gettrace(), threading.active_count())
    with pytest.raises(TimeUpError):
        within(SHORT, function)
    assert before == (signal.getsignal(signal.SIGALRM), sys.gettrace(), threading.active_count())
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("function", [endless, caught_once, caught_by_name, in_a_generator])
def test_without_signals_as_well(function, monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    tracer = sys.gettrace()
    with pytest.raises(TimeUpError):
        within(SHORT, function)
    assert sys.gettrace() is tracer


def test_outside_the_main_thread_as_well():
    ended = []

    def run():
        try:
            within(SHORT, endless)
        except TimeUpError:
            ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert ended


@pytest.mark.parametrize("run", [time_limit._with_signals, time_limit._with_a_tracer])
def test_in_time_nothing_changes(run):
    assert run(30, divmod, (7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        run(30, divmod, (7, 0))
    with pytest.raises(KeyboardInterrupt):
        run(30, lambda: signal.raise_signal(signal.SIGINT), ())


def test_arguments_and_results_are_not_kept_in_memory():
    gc.collect()
    gc.disable()
    try:
        array = np.ones(3)
        doubled = within(SHORT, lambda x: x + x, array)
        kept = weakref.ref(array), weakref.ref(doubled)
        del array, doubled
        assert [reference() for reference in kept] == [None, None]
    finally:
        gc.enable()
