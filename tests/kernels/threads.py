"""Run a piece of Python in processes of their own, with as many threads as wanted."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run(code, cwd=ROOT, **environment):
    """What the code prints, in a fresh process with these environment variables. Errors are raised with their text."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd,
                          env={**os.environ, "NUMBA_DISABLE_JIT": "0", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def outputs(code, numbers_of_threads):
    """What the code prints on each of these numbers of threads."""
    return [run(code, NUMBA_NUM_THREADS=str(n)) for n in numbers_of_threads]
