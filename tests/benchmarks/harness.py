"""What the benchmarks share: competitors are timed alternately in one process, and the table names the machine.

A single time on one machine says little about another; the ratio of two alternating measurements says more. So every
benchmark times the competitors in rounds: each runs once per round, so that any disturbance affects all of them.
"""

import argparse
import importlib
import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from aelearn import plotting
from aelearn.teaching.notebooks import machine

# Threads of a library wait for their next task by turning in circles, up to 0.2 s long, before they go to sleep.
# Without a pause, one rival's waiting threads would take the cores away from the next one's working threads.
PAUSE = 0.25  # seconds


@dataclass
class Table:
    """The outcome of a benchmark: rows of cells under a header, notes below, and what it was measured on."""

    title: str
    header: list
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    numbers: dict = field(default_factory=dict)  # what pictures are made from
    speedups: dict = field(default_factory=dict)  # {what: how many times as fast as the fastest peer}

    def __str__(self):
        lines = [f"## {self.title}", "", "| " + " | ".join(self.header) + " |", "|" + "---|" * len(self.header)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes), f"- {machine()}"])


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median over the rounds, and the spread, half of what lies between the quartiles."""

    median: float
    spread: float

    def __str__(self):
        unit, factor = next((pair for pair in (("s", 1), ("ms", 1e3)) if self.median * pair[1] >= 1), ("us", 1e6))
        return f"{self.median * factor:.3g} {unit} ± {100 * self.spread / self.median:.0f} %"


def race(rivals, *, rounds=11, turn=0.03, budget=60.0):
    """Time functions without arguments, {name: function}, in turn. Returns {name: Timing}.

    rounds  how often each has its turn: PAUSE, then calls for a quarter of `turn` seconds (one at least) that are not
            timed, then calls for `turn` seconds (one at least) that are
    budget  seconds after which no further round begins, once there were three
    """
    samples, started = {name: [] for name in rivals}, time.perf_counter()
    for done in range(rounds):
        for name, function in rivals.items():
            time.sleep(PAUSE)
            _seconds_a_call(function, turn / 4)
            samples[name].append(_seconds_a_call(function, turn))
        if done >= 2 and time.perf_counter() - started > budget:
            break
    return {name: summary(values) for name, values in samples.items()}


def _seconds_a_call(function, seconds):
    """Call the function until `seconds` are over, once at least; the mean time of a call."""
    calls, begun = 0, time.perf_counter()
    while not calls or time.perf_counter() - begun < seconds:
        function()
        calls += 1
    return (time.perf_counter() - begun) / calls


def summary(values):
    """The Timing of a list of seconds."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return Timing(float(middle), float(high - low) / 2)


def geometric_mean(ratios):
    """The mean of ratios: 2 and 0.5 make 1."""
    return statistics.geometric_mean(ratios)


def peers(*names):
    """{name: module} of those libraries that are installed. The others are named on the screen."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(name)
        except ImportError as error:
            print(f"peer missing: {name} ({error}); pip install '.[peers]' brings it", flush=True)
    return found


def draw_speedups(table, path):
    """A PNG file with a bar for each comparison of the table."""
    plotting.save(plotting.bars(list(table.speedups), list(table.speedups.values()), line=1,
                                title="How many times as fast aelearn is as the fastest peer",
                                xlabel="seconds of the fastest peer / seconds of aelearn (dashed: as fast)"), path)


def main(run, draw=draw_speedups):
    """The command line of one benchmark: `run()` gives its Table, `draw(table, path)` a picture of it."""
    parser = argparse.ArgumentParser(description=run.__doc__)
    parser.add_argument("--json", metavar="FILE", help="write the table and its numbers to this file, too")
    parser.add_argument("--picture", metavar="FILE", help="draw them into this PNG file")
    arguments = parser.parse_args()
    table = run()
    print(table, flush=True)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({**asdict(table), "machine": machine()}, indent=1) + "\n")
    if arguments.picture and (table.speedups or draw is not draw_speedups):
        draw(table, arguments.picture)
