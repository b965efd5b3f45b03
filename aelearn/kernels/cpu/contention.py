"""Do other programs want the cores? Told from how often this process is preempted.

Threads that share a task must all be done before the next can begin. Beside programs that compute, one of them is
preempted while it works, some milliseconds at a time, and all others wait for it: two threads on two cores that a third
program shares may take several times as long as one thread alone.

The system counts how often it has taken a core from a thread of this process that could have gone on. On a machine of
one's own that happens a few times a second, beside a program that computes, every few milliseconds. So: a look at the
count every 20 ms; after too many preemptions, a while on one core; then all cores again, to see whether they are free.
Each while is twice as long as the last, up to a second: in bad company 2 % of the time is spent on looking.
"""

import time

try:
    import resource
except ImportError:  # Windows does not count
    resource = None

LOOK = 0.02  # seconds between two looks
OFTEN = 100  # preemptions a second
SHORTEST, LONGEST = 0.05, 1.0  # seconds on one core


def preemptions():
    """How often a thread of this process has lost its core while it could have gone on; 0 where nobody counts."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource else 0


class Contention:
    """Says, before each parallel kernel, whether it should stay on one core. clock, count: for tests."""

    def __init__(self, clock=time.perf_counter, count=preemptions):
        self.clock, self.count = clock, count
        self.is_on_one_core, self.rest = False, SHORTEST / 2
        self.begun, self.until, self.counted = clock(), clock() + LOOK, count()

    def on_one_core(self):
        """True while other programs want the cores."""
        now = self.clock()
        if now < self.until:
            return self.is_on_one_core
        counted = self.count()
        if self.is_on_one_core:
            self.is_on_one_core = False
        elif counted - self.counted > OFTEN * (now - self.begun):
            self.is_on_one_core, self.rest = True, min(2 * self.rest, LONGEST)
        else:
            self.rest = SHORTEST / 2
        self.begun, self.counted = now, counted
        self.until = now + (self.rest if self.is_on_one_core else LOOK)
        return self.is_on_one_core
