"""The whole main job from a cold start, as a command: aelearn compared with a script of PyTorch and scikit-learn.

    python -m tests.benchmarks.main_job [--json FILE] [--picture FILE]

Each is a process of its own, from the start of Python to the last figure. aelearn runs once before, so that its
compiled kernels are in the cache; the compilation time of that first run is measured separately, with an empty cache.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.harness import Table, main, peers, summary

ROUNDS = 3
COMPILE = """
import time, numpy as np
from aelearn import Autoencoder, KMeans
X = np.random.default_rng(0).random((3000, 784), np.float32)
for run in range(2):  # the difference between the two is the time of the compiler, or of reading its cache
    begun = time.perf_counter()
    model = Autoencoder(epochs=1, random_state=0).fit(X)
    for features in (model.transform(X), X):
        KMeans(2, n_init=4, random_state=0).fit(features).predict(features)
    print(time.perf_counter() - begun)
"""


def seconds_of(command, **environment):
    """How long the command runs, in a process of its own, and what it printed."""
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - begun, done.stdout


def seconds_to_compile(cache):
    """What a process with this folder for its kernels spends on getting them."""
    first, second = map(float, seconds_of([sys.executable, "-c", COMPILE], NUMBA_CACHE_DIR=cache)[1].split())
    return first - second


def run():
    """The main job, 150 epochs: one command against one script."""
    table = Table("The whole main job, a process each", ["", "seconds", "mse", "accuracy", "test accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = seconds_to_compile(folder), seconds_to_compile(folder)
    found = peers("torch", "sklearn", "scipy")
    with tempfile.TemporaryDirectory() as folder:
        commands = {"aelearn": [sys.executable, "-m", "aelearn", "--quiet", "--out", f"{folder}/aelearn"]}
        seconds_of([*commands["aelearn"], "--epochs", "1"])
        if len(found) == 3:
            commands["PyTorch and scikit-learn"] = [sys.executable, "-m", "tests.benchmarks.torch_sklearn_job",
                                                    f"{folder}/PyTorch and scikit-learn"]
        else:
            table.notes.append("the rival script needs PyTorch, scikit-learn and SciPy: not run")
        times = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds_of(command)[0])
        for name in commands:
            report = json.loads((Path(folder) / name / "report.json").read_text())
            assert report["mse"] < 0.02 and report["accuracy"] > 0.98, (name, report)
            table.rows.append([name, summary(times[name]), f"{report['mse']:.5f}", f"{report['accuracy']:.4f}",
                               f"{report['test_accuracy']:.4f}"])
    table.numbers = {"seconds": times, "compile": cold, "from_cache": warm}
    if len(commands) == 2:
        ratio = summary(times["PyTorch and scikit-learn"]).median / summary(times["aelearn"]).median
        table.speedups["the whole main job"] = ratio
        table.notes.append(f"aelearn is {ratio:.2f} times as fast")
    table.notes.append(f"compiling all kernels of the job takes {cold:.1f} s the first time, "
                       f"and {warm:.1f} s with the cache")
    return table


if __name__ == "__main__":
    main(run)
