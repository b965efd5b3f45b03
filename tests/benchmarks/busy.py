"""An epoch of the main job on a machine that has other work, too: why waiting threads should sleep soon.

    python -m tests.benchmarks.busy [--json FILE] [--picture FILE]

Beside the training run 0, 1 or 2 processes that do nothing but count. Threads that turn in circles while they wait (as
long as GNU's OpenMP lets them if it is not told: 300,000 turns) take the cores from those that they wait for.
"""

import statistics
import subprocess
import sys

from aelearn import plotting
from tests.benchmarks.harness import Table, main
from tests.benchmarks.main_job import seconds_of

EPOCH = """
import time
from aelearn import Autoencoder, load_mnist
X = load_mnist("train", digits=(0, 1))[0]
Autoencoder(epochs=1, random_state=0).fit(X[:480])  # compiles
begun = time.perf_counter()
Autoencoder(epochs=2, random_state=0).fit(X)
print((time.perf_counter() - begun) / 2)
"""
ROUNDS = 3


def run():
    """An epoch beside other processes, with aelearn's patience and with OpenMP's own."""
    table = Table("An epoch of the main job beside busy processes", ["busy processes", "as aelearn starts its threads",
                                                                     "with GOMP_SPINCOUNT=300000", "ratio"])
    for n_busy in (0, 1, 2):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
        try:
            rounds = [[float(seconds_of([sys.executable, "-c", EPOCH], **told)[1])
                       for told in ({}, {"GOMP_SPINCOUNT": "300000"})] for _ in range(ROUNDS)]
        finally:
            for process in busy:
                process.kill()
                process.wait()
        ours, theirs = map(statistics.median, zip(*rounds))
        table.numbers |= {f"{n_busy} busy, as started here": ours, f"{n_busy} busy, 300,000 turns": theirs}
        table.rows.append([n_busy, f"{ours:.2f} s", f"{theirs:.2f} s", f"{theirs / ours:.1f}"])
    table.notes.append(f"medians of {ROUNDS} processes each, in turn")
    return table


def draw(table, path):
    """A bar for each way to wait, beside 0, 1 and 2 busy processes."""
    plotting.save(plotting.bars(list(table.numbers), list(table.numbers.values()), xlabel="seconds an epoch",
                                title="An epoch of the main job beside busy processes"), path)


if __name__ == "__main__":
    main(run, draw)
