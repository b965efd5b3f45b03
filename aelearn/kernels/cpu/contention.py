"""Do other programs need the cores? We can tell from how often this process is preempted.

Plumbing: it changes when kernels run on one core, and never what they compute.

Threads that share a task must all finish before the next task can start. If other programs compute at the same time,
one of the threads is preempted while it works, for some milliseconds, and all others wait for it: two threads on two
cores that are shared with a third program may take several times as long as a single thread.

The system counts how often it has taken a core from a thread of this process that could have continued. On an idle
machine that happens a few times per second; next to a program that computes, every few milliseconds. So the count is
checked every 20 ms; after too many preemptions, kernels use one core for a while; then they use all cores again, to see
whether these are free. Each such period is twice as long as the last, up to a second: when other programs keep the
cores busy, 2 % of the time is spent on checking.
"""

import time

try:
    import resource
except ImportError:  # Windows has no such count
    resource = None

LOOK = 0.02  # seconds between two checks
OFTEN = 100  # preemptions per second
SHORTEST, LONGEST = 0.05, 1.0  # seconds on one core


def preemptions():
    """How often a thread of this process lost its core while it could have continued; 0 if the system has no count."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource else 0


class Contention:
    """Decides, before each parallel kernel, whether it should use only one core. clock, count: for tests."""

    def __init__(self, clock=time.perf_counter, count=preemptions):
        self.clock, self.count = clock, count
        self.is_on_one_core, self.rest = False, SHORTEST / 2
        self.begun, self.until, self.counted = clock(), clock() + LOOK, count()

    def on_one_core(self):
        """True while other programs need the cores."""
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
