"""When kernels leave the other cores to other programs, by a clock and a count that the test turns."""

import pytest

from aelearn.kernels.cpu.contention import LONGEST, LOOK, OFTEN, SHORTEST, Contention, preemptions


class World:
    """A clock, and a count of preemptions that goes up by `rate` a second while kernels run on all cores."""

    def __init__(self):
        self.now, self.counted, self.rate = 0.0, 0.0, 0.0
        self.contention = Contention(lambda: self.now, lambda: self.counted)

    def run(self, seconds):
        """Kernels of a millisecond each. Returns the share of them that stayed on one core."""
        answers = []
        for _ in range(round(seconds * 1000)):
            answers.append(self.contention.on_one_core())
            self.now += 0.001
            self.counted += 0 if answers[-1] else self.rate / 1000
        return sum(answers) / len(answers)


def test_a_machine_of_ones_own_gives_all_cores():
    world = World()
    world.rate = OFTEN / 10
    assert world.run(5) == 0


def test_company_takes_effect_at_once_and_looking_costs_little():
    world = World()
    world.rate = 3 * OFTEN
    assert world.run(2 * LOOK + 0.002) > 0
    world.run(4)
    assert world.run(20) > 1 - 1.1 * LOOK / LONGEST - 0.01


def test_when_company_has_left_all_cores_are_back_within_a_second():
    world = World()
    world.rate = 3 * OFTEN
    world.run(10)
    world.rate = 0
    world.run(LONGEST + LOOK + 0.002)
    assert world.run(5) == 0
    world.rate = 3 * OFTEN  # and the first rest is a short one again
    world.run(2 * LOOK + 0.002)
    assert world.run(SHORTEST / 2) == 1 > world.run(2 * SHORTEST)


def test_the_system_counts():
    pytest.importorskip("resource", reason="this system does not count preemptions")
    assert preemptions() >= 0 and isinstance(preemptions(), int)
