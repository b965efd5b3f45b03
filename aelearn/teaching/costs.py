"""What a right answer may cost on a large input: lines of Python, memory, or time compared with another function.

Each has `inputs(rng)`, which makes the large arguments, and `excess(answer, arguments)`, which returns a Finding if it
is too much, and None if it is not.
"""

import sys
import time
import tracemalloc
from dataclasses import dataclass

from aelearn.teaching.verdict import Finding


@dataclass(frozen=True)
class NoLoop:
    """At most `lines` lines of Python may run: far fewer than the N of the large input, so no loop over N."""

    inputs: object
    lines: int = 500

    def excess(self, answer, arguments):
        """A Finding of kind "loop" if more lines ran."""
        n_lines, tracer = 0, sys.gettrace()

        def count(frame, event, argument):
            nonlocal n_lines
            n_lines += event in ("line", "call")
            return count

        sys.settrace(count)
        try:
            answer(*arguments.values())
        finally:
            sys.settrace(tracer)
        return Finding("loop", yours=n_lines, expected=self.lines) if n_lines > self.lines else None


@dataclass(frozen=True)
class Memory:
    """All arrays that exist at one time may have at most `allowed(**arguments)` bytes, the result included."""

    inputs: object
    allowed: object

    def excess(self, answer, arguments):
        """A Finding of kind "memory", in megabytes, if they had more."""
        was_tracing = tracemalloc.is_tracing()
        tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            answer(*arguments.values())
            used = tracemalloc.get_traced_memory()[1] - before
        finally:
            if not was_tracing:
                tracemalloc.stop()
        allowed = self.allowed(**arguments)
        return Finding("memory", yours=used / 1e6, expected=allowed / 1e6) if used > allowed else None


@dataclass(frozen=True)
class Faster:
    """It must be at least `times` as fast as the function `than`, which is called `name`.

    Both are called in turn, and the best time of each counts. Choose `times` far below what a good answer reaches and
    far above what another one does: the verdict must not depend on what else the machine does.
    """

    inputs: object
    than: object
    name: str
    times: float

    def excess(self, answer, arguments):
        """A Finding of kind "slow" if it is not."""
        ratio = self.measured(answer, arguments)
        return Finding("slow", self.name, yours=ratio, expected=self.times) if ratio < self.times else None

    def measured(self, answer, arguments):
        """How many times as fast as the other function the answer is."""
        best = [float("inf"), float("inf")]
        for _ in range(3):
            for n, function in enumerate((answer, self.than)):
                started = time.perf_counter()
                function(*arguments.values())
                best[n] = min(best[n], time.perf_counter() - started)
        return best[1] / best[0]
