"""An epoch of the main job on a machine that has other work, too: what GOMP_SPINCOUNT is worth there.

    python -m tests.benchmarks.busy [--json FILE] [--picture FILE]

Threads of GNU's OpenMP wait for their next kernel by turning in circles, 300,000 times if they are not told otherwise,
and then sleep. Alone on a machine, that is fastest. Where another process wants the cores, they take them from the very
threads that they wait for. GOMP_SPINCOUNT says how many turns they take; it is measured here alone, beside a process
that does nothing but count, and beside another training with the same setting.

Source: "The GNU OpenMP implementation" (libgomp's manual), GOMP_SPINCOUNT.
"""

import os
import statistics
import subprocess
import sys
import time

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
COMPANY = {"nobody": None, "a process that counts": "while True: pass", "another training": """
from aelearn import Autoencoder, load_mnist
Autoencoder(epochs=10**9, random_state=0).fit(load_mnist("train", digits=(0, 1))[0])
"""}
TURNS, ROUNDS = ("300000", "10000", "1000"), 3


def run():
    """An epoch in company, by how long waiting threads turn."""
    table = Table("Seconds for an epoch of the main job", ["beside", *(f"GOMP_SPINCOUNT={turns}" for turns in TURNS)])
    for name, code in COMPANY.items():
        medians = []
        for turns in TURNS:
            told = {"GOMP_SPINCOUNT": turns}
            company = code and subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **told})
            try:
                time.sleep(4 if code else 0)  # until it is at work
                medians.append(statistics.median(float(seconds_of([sys.executable, "-c", EPOCH], **told)[1])
                                                 for _ in range(ROUNDS)))
            finally:
                if company:
                    company.kill()
                    company.wait()
            table.numbers[f"{name}, {turns}"] = medians[-1]
        table.rows.append([name, *(f"{seconds:.2f}" for seconds in medians)])
    table.notes.append(f"medians of {ROUNDS} processes each")
    return table


def draw(table, path):
    """A bar for each company and each number of turns."""
    plotting.save(plotting.bars(list(table.numbers), list(table.numbers.values()), xlabel="seconds an epoch",
                                title="An epoch of the main job beside other processes"), path)


if __name__ == "__main__":
    main(run, draw)
