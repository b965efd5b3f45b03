"""A time limit for a function, within this process and without another thread.

    within(2.0, function, *arguments)     what the function returns; raises TimeUpError after two seconds

The operating system sends a signal when time is up, and its handler raises TimeUpError in whatever line is running. A
bare `except:` may catch it; then each line that is run afterwards raises it again, so that even
`while True: try: ... except: ...` ends. Where there are no such signals (on Windows, or outside the main thread), each
line of Python looks at the clock instead; there a bare `except:` can go on.

A compiled function is interrupted only when it returns to Python.
"""

import signal
import sys
import threading
import time

AGAIN = 0.001  # seconds from one signal to the next, if the function goes on


class TimeUpError(BaseException):
    """Time is up. It is no Exception, so `except Exception` does not catch it."""


def within(seconds, function, *arguments):
    """function(*arguments). Raises TimeUpError if it has not returned after so many seconds, or caught that error."""
    has_signals = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    return (_with_signals if has_signals else _with_a_tracer)(seconds, function, arguments)


def _with_signals(seconds, function, arguments):
    here, tracer, n_signals = sys._getframe(), sys.gettrace(), 0

    def time_is_up(number, frame):
        nonlocal n_signals
        n_signals += 1
        if frame is here:  # not in the function yet, or not any more
            return
        if n_signals > 1:  # it was caught: raise it again in the next line of each function that is running
            sys.settrace(raise_it)
            while frame is not here:
                frame.f_trace = raise_it
                frame = frame.f_back
        raise TimeUpError

    def raise_it(frame, event, argument):
        if event == "line":  # and not at "exception", which is this very error on its way to an `except:`
            raise TimeUpError
        return raise_it

    handler = signal.signal(signal.SIGALRM, time_is_up)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        returned = function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        sys.settrace(tracer)  # before signal.signal, which is written in Python
        signal.signal(signal.SIGALRM, handler)
        here = None  # this frame holds time_is_up, which holds `here`: a cycle that would keep the arguments in memory
    if n_signals:
        raise TimeUpError
    return returned


def _with_a_tracer(seconds, function, arguments):
    end, tracer, ran_out = time.monotonic() + seconds, sys.gettrace(), False

    def look_at_the_clock(frame, event, argument):
        nonlocal ran_out
        if time.monotonic() > end:
            ran_out = True
            raise TimeUpError
        return look_at_the_clock

    sys.settrace(look_at_the_clock)
    try:
        returned = function(*arguments)
    finally:
        sys.settrace(tracer)
    if ran_out or time.monotonic() > end:
        raise TimeUpError
    return returned
