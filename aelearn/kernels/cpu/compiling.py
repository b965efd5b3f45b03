"""How the kernels of this folder are compiled: once, into Numba's cache on disk, and for all cores.

Numba turns a Python function into machine code at its first call with arguments of new types; the cache spares the
next process that time. Six things need care:

- The cache lies beside the source, or in the user's cache folder where the package is not writable. Where neither can
  be written, kernels are compiled afresh in each process.
- Numba throws a cached kernel away when its own file has changed. Kernels here call functions of other files, so the
  stamp covers all files of the folder.
- Not every threading layer that Numba may have chosen can serve two Python threads at once: one parallel kernel runs
  at a time.
- A process that forks after its OpenMP threads were started leaves a child that must not start them again: GNU's
  OpenMP ends such a child. There the same kernels run on one core; they give the same results.
- To wake a thread takes some microseconds, and far more where its core is taken: a kernel that says how much `work` a
  call is runs small calls on the thread that made them.
- Between two kernels OpenMP's threads busy-wait for up to 10 milliseconds: where other programs want the cores, those
  threads take them from the very ones that they wait for. Here they are told to sleep sooner (`load_openmp`); and while
  other programs keep preempting this one, its kernels run on one core (contention.py).

With NUMBA_DISABLE_JIT=1 the decorators leave the functions plain Python, to be stepped through in a debugger.
"""

import functools
import hashlib
import importlib
import os
import threading
from pathlib import Path

import numba
import numpy as np
from numba.np.ufunc import parallel as numba_threads

from aelearn.kernels.cpu.contention import Contention

# What the compiler may do to vectorise a sum: reorder its terms, and fuse a product into it. It may not assume that NaN
# and infinity do not occur.
SUMS_IN_ANY_ORDER = {"reassoc", "contract", "nsz"}

# Multiply-adds, 20 to 50 microseconds on one core: several times what it takes to wake another.
SMALL = 1 << 19
# How long waiting threads of GNU's and LLVM's OpenMP busy-wait: long enough for what Python does between two kernels,
# 0.1 to 0.4 ms by the processor, and 1 ms. Under each of these names a user may have said something else.
PATIENCE = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
WAITING = ("OMP_WAIT_POLICY", *PATIENCE)

_openmp_is_lost = False  # in a forked child of a process that used OpenMP
_one_at_a_time = threading.Lock()


def load_openmp():
    """Load OpenMP's library so that its waiting threads soon sleep; True unless the environment has a word about it.

    The library reads its environment once, while it is loaded. So PATIENCE is set for that moment only: nothing that is
    loaded or started later sees it. If Numba's threads were started before, their setting stays.
    """
    if any(name in os.environ for name in WAITING):
        return False
    os.environ.update(PATIENCE)
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:
        pass  # Numba takes another threading layer, then
    finally:
        for name in PATIENCE:
            del os.environ[name]
    return True


_contention = Contention() if load_openmp() else None  # what the environment says holds, whatever else runs


def compiled(function=None, *, parallel=False, work=None, fastmath=False, inside=False):
    """Decorate a function of arrays: compile it for the types of its arguments, when it is first called.

    parallel  share the iterations of its `prange` loops out to all cores
    work      a function of the same arguments: about how many multiply-adds a call takes. Below SMALL, a parallel
              kernel stays on one core
    fastmath  False, or SUMS_IN_ANY_ORDER
    inside    the function is called by compiled functions alone, so that it needs no door to Python and none to C:
              that makes it faster to compile
    """
    if function is None:
        return functools.partial(compiled, parallel=parallel, work=work, fastmath=fastmath, inside=inside)
    options = {"fastmath": fastmath, "error_model": "numpy", "no_cpython_wrapper": inside,
               "no_cfunc_wrapper": inside}
    if numba.config.DISABLE_JIT:
        return function
    try:
        kernel = numba.njit(parallel=parallel, cache=True, **options)(function)
        _stamp_whole_folder(kernel)
    except RuntimeError:  # no folder to be found that a cache could be written to
        kernel = numba.njit(parallel=parallel, **options)(function)
    return _guarded(kernel, options, work) if parallel else kernel


def _stamp_whole_folder(kernel):
    """Make Numba look at every file of this folder, not only the kernel's own, before it trusts its cache."""
    kernel._cache._cache_file._source_stamp = folder_stamp()  # Numba has no public name for it; a test holds it to work


@functools.cache
def folder_stamp():
    """A digest of the sources in this folder."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _guarded(kernel, options, work=None):
    """The parallel kernel, one call at a time; after a fork that lost OpenMP, the same function on one core.

    It returns nothing: kernels write into their arguments.
    """
    on_one_core = functools.cache(lambda: numba.njit(**options)(kernel.py_func))

    @functools.wraps(kernel.py_func)
    def launch(*args):
        if _openmp_is_lost:
            on_one_core()(*args)
            return
        try:
            with _one_at_a_time:
                is_small = work is not None and work(*args) < SMALL
                if not is_small and not (_contention and _contention.on_one_core()):
                    kernel(*args)
                    return
                n_threads = numba.get_num_threads()
                try:  # by Numba's own function in C: Ctrl-C within numba.set_num_threads would leave the one thread
                    numba_threads._set_num_threads(1)
                    kernel(*args)
                finally:
                    numba_threads._set_num_threads(n_threads)
        except SystemError as error:  # Ctrl-C while the kernel ran: Python calls it an error of the kernel's
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise

    return launch


def _after_fork_in_child():
    global _openmp_is_lost, _one_at_a_time
    _one_at_a_time = threading.Lock()  # the parent's may have been taken by a thread that is not here
    try:
        _openmp_is_lost = numba.threading_layer() == "omp"
    except ValueError:  # no threads were started yet
        pass


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@compiled
def room(n, like):
    """An empty array (n,) of the dtype of `like` that begins where a line of the cache begins.

    Otherwise each vector of eight or sixteen numbers could lie across two lines, and be loaded and stored in two parts.
    """
    more = np.empty(n + 64 // like.itemsize, like.dtype)
    start = -more.ctypes.data % 64 // like.itemsize
    return more[start:start + n]
