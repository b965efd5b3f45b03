"""The same work while other programs are running: what it costs, depending on how OpenMP's threads wait.

    python -m tests.benchmarks.busy [--json FILE] [--picture FILE]

Between two kernels, idle OpenMP threads busy-wait, unless they are told otherwise. On an otherwise idle machine that is
fastest. If other processes need the cores, waiting threads take them from the very threads that they wait for. aelearn
lets them sleep earlier (kernels/cpu/compiling.py), and runs small calls on one thread, and large ones as well while
other programs need the cores (kernels/cpu/contention.py). This benchmark compares that default with all settings of the
environment that a user could choose instead: for an epoch of the main job's training, for ten small k-means fits and
for one of a million points; alone, next to one and three processes that count, and next to another training.
"""

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

from aelearn import plotting
from tests.benchmarks.harness import Table, main
from tests.benchmarks.main_job import seconds_of

WORK = """
import time
import numpy as np
from aelearn import Autoencoder, KMeans, load_mnist

def seconds(work):
    work()  # compiles, or reads from the cache
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun

X, rng = load_mnist("train", digits=(0, 1))[0], np.random.default_rng(0)
few, many = rng.normal(size=(300, 8)), rng.random((1_000_000, 3), np.float32)
print(seconds(lambda: Autoencoder(epochs=1, random_state=0).fit(X)),
      seconds(lambda: [KMeans(8, n_init=10, random_state=seed).fit(few) for seed in range(10)]),
      seconds(lambda: KMeans(8, init=many[:8], tol=0, max_iter=50).fit(many)))
"""
JOBS = ("an epoch of training", "10 x KMeans(8, n_init=10), 300 x 8", "KMeans(8), 1,000,000 x 3")
COUNTING = "while True: pass"
TRAINING = """
from aelearn import Autoencoder, load_mnist
Autoencoder(epochs=10**9, random_state=0).fit(load_mnist("train", digits=(0, 1))[0])
"""
COMPANY = {"nobody": [], "1 process that counts": [COUNTING], "3 that count": [COUNTING] * 3,
           "another training": [TRAINING]}
REMEDIES = {"default": {}, "busy-wait": {"OMP_WAIT_POLICY": "active", "GOMP_SPINCOUNT": "300000"},
            "passive": {"OMP_WAIT_POLICY": "passive"}, "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
            "one thread": {"NUMBA_NUM_THREADS": "1"}}
ROUNDS = 3


@contextmanager
def beside(codes):
    """Python processes that run these codes meanwhile."""
    with ExitStack() as stack:
        for code in codes:
            process = subprocess.Popen([sys.executable, "-c", code])
            stack.callback(process.wait)
            stack.callback(process.kill)
        time.sleep(4 if codes else 0)  # until they are at work
        yield


def run():
    """Work beside other processes, by how threads wait."""
    table = Table("Seconds, by company and by how threads wait", ["work", "beside", *REMEDIES, "default / best other"])
    rows = {}
    for name, codes in COMPANY.items():
        with beside(codes):
            samples = [[seconds_of([sys.executable, "-c", WORK], **told)[1].split() for told in REMEDIES.values()]
                       for _ in range(ROUNDS)]  # ROUNDS x remedies x jobs
        for j, job in enumerate(JOBS):
            medians = [statistics.median(float(one[r][j]) for one in samples) for r in range(len(REMEDIES))]
            rows[job, name] = [job, name, *(f"{seconds:.2f}" for seconds in medians),
                               f"{medians[0] / min(medians[1:]):.2f}"]
            table.numbers[f"{job}, beside {name}"] = medians[0] / min(medians[1:])
    table.rows = [rows[job, name] for job in JOBS for name in COMPANY]
    table.notes.append(f"medians of {ROUNDS} processes each, taken in turn; another training waits as the default does")
    return table


def draw(table, path):
    """A bar for each row: how many times as long the default takes as the best of the others."""
    plotting.save(plotting.bars(list(table.numbers), list(table.numbers.values()), line=1,
                                xlabel="seconds by default / seconds with the best of the other remedies",
                                title="Work beside other processes"), path)


if __name__ == "__main__":
    main(run, draw)
