"""The tests marked `gpu` in the simulator, and a look at the nets themselves: mutated kernels must be caught.

The simulator must be chosen before Numba is imported, so they run in processes of their own.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.kernels.gpu.compiled import SPECS
from tests.kernels.gpu.test_compiler import assembler_or_skip
from tests.kernels.threads import ROOT, run

SIMULATOR = {"NUMBA_ENABLE_CUDASIM": "1", "AELEARN_SIMULATE": "1"}


def start(*arguments, folder=ROOT, **environment):
    """A Python in a process of its own, in a folder with aelearn and its tests."""
    return subprocess.Popen([sys.executable, "-m", *arguments], cwd=folder, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={**os.environ, **environment})


def simulate(*arguments, folder=ROOT, environment=SIMULATOR):
    """The tests marked `gpu` in the simulator."""
    return start("pytest", "-q", "-rs", "-p", "no:cacheprovider", "-m", "gpu", *arguments, folder=folder, **environment)


@pytest.mark.parametrize("environment", [SIMULATOR, {"AELEARN_PRETEND": "1"}], ids=["simulator", "pretended driver"])
def test_every_kernel_without_a_gpu(environment):
    """All tests marked `gpu`: with the arrays of Numba's simulator, and with numba-cuda's own on a pretended GPU."""
    if environment is not SIMULATOR:
        assembler_or_skip()
    kmeans = "tests/kernels/gpu/test_lloyd.py"  # half of the work: two processes share it
    started = [simulate(kmeans, environment=environment),
               simulate("tests/kernels/gpu", "--ignore", kmeans, environment=environment)]
    launched = set()
    for done in started:
        output = done.communicate()[0]
        assert done.returncode == 0, output
        assert all("take the simulator hours" in line for line in output.splitlines() if line.startswith("SKIPPED"))
        launched |= set(re.search("^launched: (.*)$", output, re.M)[1].split())
    assert launched == {spec.name for spec in SPECS} - {"device._count"}  # which is there to try out a real GPU


def test_the_simulator_is_for_everybody():
    """What people get who set the two variables themselves."""
    code = """
import numpy as np
from aelearn import KMeans, kernels
print(kernels.status()[2])
a, b = np.random.default_rng(0).random((2, 5, 5))
np.testing.assert_allclose(kernels.get("cuda").matmul(a, b.T), a @ b.T)
one, other = (KMeans(2, init=a[:2], backend=name).fit(a) for name in ("cuda", "numpy"))
print(one.labels_.tolist() == other.labels_.tolist())
"""
    assert run(code, **SIMULATOR) == "cuda: runs here, in a simulator, without a GPU\nTrue\n"


TESTS = {  # those that look at each file with kernels, quick ones first
    "assignment.py": ["test_lloyd.py::test_a_step_is_its_twins", "test_lloyd.py::test_blocks_and_chunks"],
    "losses.py": ["test_network.py"],
    "matmul.py": ["test_matmul.py::test_any_layout", "test_matmul.py::test_every_rung"],
    "network.py": ["test_network.py"],
    "optim.py": ["test_network.py::test_optimizers_are_their_twins"],
    "seeding.py": ["test_lloyd.py::test_kmeans_plusplus_makes_the_same_draws"],
    "sums.py": ["test_network.py", "test_lloyd.py::test_blocks_and_chunks"],
}
BARRIER = (r"cuda\.syncthreads\(\)", "pass")
GUARDS = [  # of stores, of loads, of the centres that fill up a panel, of a tree's upper half
    (r"if \w+ < [^:\n]*(?:shape|size|stop)[^:\n]*:", "if True:"), (r"inside = [^\n]*", "inside = True"),
    (r" if [^\n]*<[^\n]* else zero\n", "\n"), (r"if k0 \+ k < n_clusters:", "if True:"),
    (r"if t < half:", "if True:"),
]
# The warning is about NaN, which fills uninitialised memory.
CAUGHT = "ismatch|IndexError|wait at different|depends on the order|^E .*assert|RuntimeWarning: invalid value"
STRICT = os.environ.get("AELEARN_STRICT") == "1"


def mutants():
    """Every kernel file once without each of its barriers, and once without each of its guards."""
    for file in TESTS:
        text = (ROOT / "aelearn" / "kernels" / "gpu" / file).read_text()
        for pattern, new in (BARRIER, *GUARDS):
            for found in re.finditer(pattern, text):
                line = text.count("\n", 0, found.start()) + 1
                yield pytest.param(file, text[:found.start()] + new + text[found.end():],
                                   id=f"{file}, line {line}: {found[0]}")


MUTANTS = list(mutants())


def copy_with(file, text, folder):
    """A copy of aelearn and its tests, with another text for one file of kernels."""
    for name in ("aelearn", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", folder)
    (folder / "aelearn" / "kernels" / "gpu" / file).write_text(text)
    return folder


@pytest.mark.parametrize("file, text", MUTANTS if STRICT else MUTANTS[::9])
def test_a_kernel_without_a_barrier_or_a_guard_is_caught(file, text, tmp_path):
    """All of them with AELEARN_STRICT=1, a few of them otherwise."""
    folder = copy_with(file, text, tmp_path)
    done = simulate("-x", *(f"tests/kernels/gpu/{name}" for name in TESTS[file]), folder=folder)
    output = done.communicate()[0]
    assert done.returncode == 1 and re.search(CAUGHT, output, re.M), output


def test_an_untouched_copy_passes(tmp_path):
    """Or else being a copy would be what catches the mutants."""
    text = (ROOT / "aelearn" / "kernels" / "gpu" / "matmul.py").read_text()
    done = simulate(f"tests/kernels/gpu/{TESTS['matmul.py'][0]}", folder=copy_with("matmul.py", text, tmp_path))
    assert done.communicate()[0] and done.returncode == 0


TYPES = {  # file, what is replaced by what, which tests or kernels look at it, what they say
    "a Python float for a number": ("network.py", "dz[-1].dtype.type(scale)", "float(scale)",
                                    "test_network.py", "is launched with"),
    "a float64 constant": ("matmul.py", "        total = a.dtype.type(0)\n", "        total = 0.0\n",
                           "matmul.coalesced", "float64 instructions"),
    "a barrier less": ("matmul.py", "cuda.syncthreads()  # no thread needs them any more", "pass",
                       "matmul.shared_tiles", "has 1 barriers, not 2"),
    "an index that spills": ("matmul.py", "c[row, column] = sums[EACH * r + s]",
                             "c[row, column] = sums[(EACH * r + s + a.shape[0]) % ENTRIES]",
                             "matmul.register_tiles", "spills"),
}


@pytest.mark.parametrize("name", TYPES)
def test_what_the_simulator_cannot_see_is_caught_as_well(name, tmp_path):
    """By the types of launches, and by the compiler."""
    file, old, new, looks, words = TYPES[name]
    text = (ROOT / "aelearn" / "kernels" / "gpu" / file).read_text()
    assert old in text
    folder = copy_with(file, text.replace(old, new), tmp_path)
    if looks.startswith("test_"):
        done = simulate("-x", f"tests/kernels/gpu/{looks}", folder=folder)
    else:
        assembler_or_skip()
        done = start("tests.kernels.gpu.compiled", looks, folder=folder)
    output = done.communicate()[0]
    assert done.returncode == 1 and re.search(words, output), output
