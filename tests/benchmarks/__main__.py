"""All benchmarks, one after the other, each in its own process.

    python -m tests.benchmarks [NAME ...] [--json FOLDER] [--pictures FOLDER]

The competitors come from the `peers` extra; missing ones are named. It takes about half an hour on two cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.harness import Table, draw_speedups

NAMES = ("matmul", "kmeans", "autoencoder", "main_job", "scaling", "pca", "sparse_coding", "gaussian_mixture",
         "kernel_density", "spectral", "metrics", "busy", "tensorboard")


def main(scratch):
    """Run the benchmarks named on the command line, or all; `scratch` is a folder for what is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all if none is given")
    parser.add_argument("--json", metavar="FOLDER", help="write a NAME.json for each")
    parser.add_argument("--pictures", metavar="FOLDER",
                        help="write a NAME.png for each, and speedups.png for all together")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for folder in (arguments.json, arguments.pictures):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
    failed, speedups = [], {}
    for name in arguments.names or NAMES:
        outcome = Path(arguments.json or scratch) / f"{name}.json"
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--json", str(outcome)]
        if arguments.pictures:
            command += ["--picture", f"{arguments.pictures}/{name}.png"]
        if subprocess.run(command).returncode:
            failed.append(name)
        else:
            speedups.update(json.loads(outcome.read_text())["speedups"])
        print(flush=True)
    if arguments.pictures and speedups:
        draw_speedups(Table("", [], speedups=speedups), Path(arguments.pictures) / "speedups.png")
    if failed:
        sys.exit(f"these did not run to their end: {', '.join(failed)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
