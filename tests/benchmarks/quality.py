"""How good are the results of the main job? `python -m tests.benchmarks.quality` prints a table over several seeds."""

import argparse
import os
import platform
import tempfile

import numpy as np

from aelearn.jobs.main_job import Settings, run


def main():
    """Run the whole job with each seed and print its figures, a row a seed, as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="S")
    parser.add_argument("--epochs", type=int, default=Settings.epochs, metavar="E")
    arguments = parser.parse_args()
    columns = ("mse", "test_mse", "accuracy", "nmi", "ari", "test_accuracy", "raw accuracy", "pca accuracy",
               "seconds")
    print(f"| seed | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}", flush=True)
    table = []
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as out:
            report = run(Settings(seed=seed, epochs=arguments.epochs, out=out), say=lambda line: None)
        baselines = report["baselines"]
        table.append([*(report[name] for name in columns[:6]), baselines["raw"]["accuracy"],
                      baselines["pca"]["accuracy"], report["seconds"]["total"]])
        print(_row(seed, table[-1]), flush=True)
    print(_row("mean", np.mean(table, axis=0)))
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"NumPy {np.__version__}, {arguments.epochs} epochs")


def _row(name, values):
    digits = (5, 5, 4, 4, 4, 4, 4, 4, 0)
    return f"| {name} | {' | '.join(f'{value:.{n}f}' for value, n in zip(values, digits))} |"


if __name__ == "__main__":
    main()
