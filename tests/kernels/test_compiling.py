"""Compiled kernels with forks, threads, folders that cannot be written, and edited files."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import event

import aelearn
from aelearn import kernels
from aelearn.kernels.cpu import compiling
from aelearn.kernels.cpu.compiling import _guarded
from aelearn.kernels.cpu.contention import Contention
from tests.kernels.threads import ROOT, run

WORK = """
import numpy as np
from aelearn import Autoencoder, KMeans
def work(seed):
    X = np.random.default_rng(seed).random((600, 8))
    model = Autoencoder((6, 2), epochs=2, random_state=seed, backend="numba").fit(X)
    return model.history_[-1]["loss"], KMeans(3, random_state=seed, backend="numba").fit(model.transform(X)).inertia_
"""

FORK = WORK + """
import multiprocessing
before = [work(seed) for seed in range(4)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    inside = pool.map_async(work, range(4)).get(timeout=300)
np.testing.assert_allclose(inside, before, rtol=1e-6)
assert before == [work(seed) for seed in range(4)]  # and the parent continues
print("all agree")
"""

THREADS = WORK + """
from concurrent.futures import ThreadPoolExecutor
alone = [work(seed) for seed in range(6)]
with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(work, range(6))) == alone
print("all agree")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_child_computes_as_well(layer):
    assert run(FORK, NUMBA_THREADING_LAYER=layer) == "all agree\n"


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_several_threads_at_once(layer):
    assert run(THREADS, NUMBA_THREADING_LAYER=layer) == "all agree\n"


@pytest.mark.parametrize("cause, raised", [(KeyboardInterrupt, KeyboardInterrupt), (ValueError, SystemError)])
def test_ctrl_c_in_a_kernel_is_a_ctrl_c(cause, raised):
    """Python reports an exception that was set while a kernel ran as an error of the kernel's, caused by it."""
    def kernel(*arguments):
        raise SystemError("returned a result with an exception set") from cause()

    kernel.py_func = kernel
    with pytest.raises(raised):
        _guarded(kernel, {})()


@pytest.fixture
def copied_package(tmp_path):
    """The package in a folder of its own, without compiled kernels next to it."""
    shutil.copytree(Path(aelearn.__file__).parent, tmp_path / "aelearn", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


PRODUCT = """
import numpy as np, aelearn
from aelearn.autoencoder.network import Architecture
from aelearn.kernels import get
assert aelearn.__file__.startswith({folder!r}), aelearn.__file__
architecture = Architecture((4, 2, 4))
work = get("numba").Workspace(architecture, 3, np.float32)
params = architecture.parameters(np.ones(architecture.n_parameters, np.float32))
print(get("numba").forward(params, np.ones((3, 4), np.float32), architecture, work, last=1)[0, 0])
"""


SMALLEST = """
import numpy as np, aelearn
from aelearn.kernels import get
assert aelearn.__file__.startswith({folder!r}), aelearn.__file__
print(get("numba").smallest(np.array([[3.0, 1.0, 2.0]]), 1)[0, 0])
"""  # compiled in a second


def output_of(folder, code=PRODUCT, **environment):
    return float(run(code.format(folder=str(folder)), cwd=folder, **environment))


def test_the_cache_is_used_and_an_edited_helper_makes_it_stale(copied_package):
    first = output_of(copied_package)
    assert first == pytest.approx(1 / (1 + np.exp(-5)))
    cached = list(copied_package.rglob("*.nbc"))
    assert cached
    assert output_of(copied_package) == first
    assert sorted(copied_package.rglob("*.nbc")) == sorted(cached)  # the second process compiled nothing
    matmul = copied_package / "aelearn" / "kernels" / "cpu" / "matmul.py"
    text = matmul.read_text()
    right, wrong = "c00, c01 = fma(x, b0, c00), ", "c00, c01 = fma(x + x, b0, c00), "
    assert text.count(right) == 1
    matmul.write_text(text.replace(right, wrong))  # and network.py is left as it was
    assert output_of(copied_package) == pytest.approx(1 / (1 + np.exp(-9)))


def test_without_a_place_for_a_cache_kernels_are_compiled_afresh(copied_package, tmp_path):
    """Files where the cache's folders would have to be: no user, not even root, can make those folders."""
    for folder in (copied_package / "aelearn").rglob("cpu"):
        (folder / "__pycache__").write_text("in the way")
    (tmp_path / "home").write_text("in the way")
    home = str(tmp_path / "home")
    assert output_of(copied_package, SMALLEST, HOME=home, XDG_CACHE_HOME=home, PYTHONDONTWRITEBYTECODE="1") == 1
    assert not list(copied_package.rglob("*.nbc"))


def test_a_package_that_is_not_writable_uses_the_users_cache(copied_package, tmp_path):
    for folder in (copied_package / "aelearn").rglob("cpu"):
        (folder / "__pycache__").write_text("in the way")
    cache = tmp_path / "cache"
    assert output_of(copied_package, SMALLEST, XDG_CACHE_HOME=str(cache), PYTHONDONTWRITEBYTECODE="1") == 1
    assert list(cache.rglob("*.nbc"))


WAITING = """
import os
before = dict(os.environ)
import numpy as np
from aelearn import kernels
kernels.get("numba").matmul(np.ones((300, 300)), np.ones((300, 300)))
assert dict(os.environ) == before
"""


@pytest.mark.parametrize("told, wanted", [
    ({}, "10000"), ({"OMP_WAIT_POLICY": "active"}, "INFINITY|[0-9]{6,}"), ({"GOMP_SPINCOUNT": "4321"}, "4321"),
    ({"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "17"}, "17"),
])
def test_waiting_threads_soon_sleep_unless_the_environment_has_a_setting(told, wanted):
    """GNU's OpenMP prints its settings when it is loaded, and how many turns its threads busy-wait."""
    clean = {name: value for name, value in os.environ.items() if name not in compiling.WAITING}
    done = subprocess.run([sys.executable, "-c", WAITING], capture_output=True, text=True, cwd=ROOT,
                          env={**clean, "NUMBA_THREADING_LAYER": "omp", "NUMBA_DISABLE_JIT": "0",
                               "OMP_DISPLAY_ENV": "verbose", **told})
    assert done.returncode == 0, done.stderr
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("Numba's OpenMP is not GNU's here")
    assert re.search(rf"GOMP_SPINCOUNT = '({wanted})'", done.stderr), done.stderr


def test_one_can_ask_whether_numba_is_compiling():
    seen = []

    class Ask(event.Listener):
        def on_start(self, event):
            seen.append(kernels.is_compiling())

        def on_end(self, event):
            seen.append(kernels.is_compiling())

    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        return inner(x) + 1

    with event.install_listener("numba:compile", Ask()):
        assert not kernels.is_compiling() and outer(1) == 3 and not kernels.is_compiling()
    if not numba.config.DISABLE_JIT:
        assert seen == [True, True, True, False]  # the second compilation begins and ends within the first


def test_small_calls_stay_on_one_thread(monkeypatch):
    """And give the same bits; afterwards the number of threads is unchanged, also after an error."""
    used = []
    monkeypatch.setattr(compiling, "SMALL", 100)

    def kernel(n):
        used.append(numba.get_num_threads())
        if n < 0:
            raise ZeroDivisionError

    kernel.py_func, most = kernel, numba.get_num_threads()
    guarded = _guarded(kernel, {}, work=lambda n: abs(n))
    monkeypatch.setattr(compiling, "_contention", None)
    for n in (99, 100, 5):
        guarded(n)
    with pytest.raises(ZeroDivisionError):
        guarded(-1)
    assert used == [1, most, 1, 1] and numba.get_num_threads() == most


def test_next_to_other_programs_large_calls_also_stay_on_one_thread(monkeypatch):
    used, most = [], numba.get_num_threads()
    answers = iter([False, True, True, False])
    monkeypatch.setattr(compiling, "_contention", Contention())
    monkeypatch.setattr(Contention, "on_one_core", lambda self: next(answers))

    def kernel():
        used.append(numba.get_num_threads())

    kernel.py_func = kernel
    guarded = _guarded(kernel, {})
    for _ in range(4):
        guarded()
    assert used == [most, 1, 1, most]


def test_a_setting_in_the_environment_takes_precedence_over_contention():
    code = "from aelearn.kernels.cpu import compiling; print(compiling._contention is None)"
    clean = {name: "" for name in compiling.WAITING}
    told = "import os; [os.environ.pop(name, None) for name in {}]; {}".format(tuple(clean), code)
    assert run(told) == "False\n" and run(code, OMP_WAIT_POLICY="active") == "True\n"


@pytest.mark.parametrize("size", [1, 7, 80, 300])
def test_large_and_small_calls_give_the_same_bits(rng, monkeypatch, size):
    a, b = rng.normal(size=(size, size)), rng.normal(size=(size, size))
    outcomes = []
    for small in (0, 1 << 62):
        monkeypatch.setattr(compiling, "SMALL", small)
        outcomes.append(kernels.get("numba").matmul(a, b))
    assert np.array_equal(*outcomes)


def test_kernels_by_name():
    assert kernels.get("numba").matmul is kernels.get("numba").matmul
    for bad in ("numpy", "fast", None):
        with pytest.raises(ValueError, match="there are no kernels named .*'numba'"):
            kernels.get(bad)


def test_status_names_every_back_end():
    lines = [str(status) for status in kernels.status()]
    assert lines[0] == "numpy: runs here"
    assert lines[1].startswith("numba: runs here, on ") and "threads with Numba" in lines[1]


def test_a_back_end_that_cannot_run_says_why():
    out = run("import sys; sys.modules['numba'] = None\n"
              "from aelearn import kernels\n"
              "print(*kernels.status(), sep='\\n')\n"
              "kernels_missing = kernels.status()[1]; assert not kernels_missing.runs")
    assert "numba: cannot run here: import of numba halted" in out


INTERRUPTED = """
import signal
import numba, numpy as np
from aelearn import kernels
matmul = kernels.get("numba").matmul
a, b = np.ones((64, 16)), np.ones((16, 16))
matmul(a, b)
most, rng = numba.get_num_threads(), np.random.default_rng(0)
signal.signal(signal.SIGALRM, signal.default_int_handler)  # what Ctrl-C does
for _ in range(500):
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 1e-3))
        while True:
            matmul(a, b)
    except (KeyboardInterrupt, TypeError):  # NumPy makes a TypeError of some
        assert numba.get_num_threads() == most
print("always all threads")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_ctrl_c_in_a_small_call_leaves_all_threads():
    assert run(INTERRUPTED, NUMBA_NUM_THREADS="2") == "always all threads\n"


def test_a_threading_layer_that_is_not_there_is_a_sentence():
    out = run("from aelearn import kernels; print(*kernels.status(), sep='\\n')", NUMBA_THREADING_LAYER="tbb")
    if "numba: runs here" in out:
        pytest.skip("TBB is installed")
    assert "numba: cannot run here: No threading layer could be loaded" in out
