"""All benchmarks, one after the other, each in a process of its own.

    python -m tests.benchmarks [NAME ...] [--json FOLDER] [--pictures FOLDER]

The peers come from the `peers` extra; one that is missing is named. It takes about half an hour on two cores.
"""

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = {"matmul": True, "kmeans": True, "autoencoder": False, "main_job": False, "scaling": True}  # draws a picture?


def main():
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all if none is given")
    parser.add_argument("--json", metavar="FOLDER", help="write a NAME.json for each")
    parser.add_argument("--pictures", metavar="FOLDER", help="write a NAME.png for those that draw one")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for folder in (arguments.json, arguments.pictures):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
    failed = []
    for name in arguments.names or NAMES:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
        if arguments.json:
            command += ["--json", f"{arguments.json}/{name}.json"]
        if arguments.pictures and NAMES[name]:
            command += ["--picture", f"{arguments.pictures}/{name}.png"]
        if subprocess.run(command).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        sys.exit(f"these did not run to their end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
