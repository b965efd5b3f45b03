"""How the kernels of this folder are compiled: once, into Numba's cache on disk, and for all cores.

Plumbing: to read a kernel it is enough to know that `@compiled` makes machine code of it.

Numba compiles a Python function at its first call with arguments of new types; the cache saves the next process that
time. Six things need care:

- The cache is next to the source, or in the user's cache folder if the package is not writable. If neither can be
  written, each process compiles the kernels anew.
- Numba discards a cached kernel when the kernel's own file has changed. Kernels here call functions of other files, so
  the stamp covers all files of the folder.
- Not every threading layer that Numba may have chosen supports two Python threads at once: only one parallel kernel
  runs at a time.
- When a process forks after its OpenMP threads were started, the child must not start them again: GNU's OpenMP would
  terminate it. In such a child the same kernels run on one core, with the same results.
- To wake a thread takes some microseconds, and far more if its core is busy. So a kernel that says how much `work` a
  call is runs small calls on the calling thread alone.
- Between two kernels, idle OpenMP threads busy-wait for up to 10 milliseconds: when other programs need the cores, they
  take them from the very threads that they wait for. Here they are set to sleep sooner (`load_openmp`); and while other
  programs keep preempting this one, its kernels run on one core (contention.py).

With NUMBA_DISABLE_JIT=1 the decorator returns the plain Python function, which a debugger can step through.
"""

import functools
import hashlib
import importlib
import os
import threading
from pathlib import Path

import numba
import numpy as np
from numba.core import event
from numba.np.ufunc import parallel as numba_threads

from aelearn.kernels.cpu.contention import Contention

# What the compiler may do to vectorise a sum: reorder its terms, and fuse products with additions. It may not assume
# that NaN and infinity do not occur. This freedom is the compiler's, not the machine's: it chooses one order while it
# compiles, and the machine code adds in this order in every run and on any number of threads. That is why comments
# elsewhere can say "in a fixed order" of sums that are compiled with it. Only another processor or compiler may get
# another order.
SUMS_IN_ANY_ORDER = {"reassoc", "contract", "nsz"}

# Multiply-adds that take 20 to 50 microseconds on one core: several times what it takes to wake another thread.
SMALL = 1 << 19
# How long idle threads of GNU's (in turns: 0.1 to 0.4 ms, depending on the processor) and LLVM's OpenMP (1 ms)
# busy-wait: long enough for what Python does between two kernels. A user may have set these variables to something
# else.
PATIENCE = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
WAITING = ("OMP_WAIT_POLICY", *PATIENCE)

_openmp_is_lost = False  # in a forked child of a process that used OpenMP
_one_at_a_time = threading.Lock()


def load_openmp():
    """Load OpenMP's library so that its idle threads soon sleep; False if the environment already has such a setting.

    The library reads its environment once, while it is loaded. So PATIENCE is set for that moment only: nothing that is
    loaded or started later sees it. If Numba's threads were started before, their setting remains.
    """
    if any(name in os.environ for name in WAITING):
        return False
    os.environ.update(PATIENCE)
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:
        pass  # then Numba uses another threading layer
    finally:
        for name in PATIENCE:
            del os.environ[name]
    return True


_contention = Contention() if load_openmp() else None  # a setting in the environment takes precedence


class Compilations(event.Listener):
    """How many compilations are running: one may start others. Numba runs those of several threads one by one."""

    n_running = 0

    def on_start(self, event):
        self.n_running += 1

    def on_end(self, event):
        self.n_running -= 1


compilations = Compilations()
event.register("numba:compile", compilations)


def compiled(function=None, *, parallel=False, work=None, fastmath=False, inside=False):
    """Decorate a function of arrays: compile it for the types of its arguments, when it is first called.

    parallel  distribute the iterations of its `prange` loops over all cores
    work      a function of the same arguments: about how many multiply-adds a call takes. Below SMALL, a parallel
              kernel uses one core
    fastmath  False, or SUMS_IN_ANY_ORDER
    inside    the function is only called by compiled functions. It needs no wrappers for Python and C, and no place in
              the cache, where those functions contain it: it compiles faster
    """
    if function is None:
        return functools.partial(compiled, parallel=parallel, work=work, fastmath=fastmath, inside=inside)
    options = {"fastmath": fastmath, "error_model": "numpy", "no_cpython_wrapper": inside,
               "no_cfunc_wrapper": inside}
    if numba.config.DISABLE_JIT:
        return function
    try:
        kernel = numba.njit(parallel=parallel, cache=not inside, **options)(function)
        if not inside:
            _stamp_whole_folder(kernel)
    except RuntimeError:  # there is no folder in which a cache could be written
        kernel = numba.njit(parallel=parallel, **options)(function)
    return _guarded(kernel, options, work) if parallel else kernel


def _stamp_whole_folder(kernel):
    """Make Numba check every file of this folder, not only the kernel's own, before it uses its cache."""
    kernel._cache._cache_file._source_stamp = folder_stamp()  # Numba has no public name for it; a test checks it


@functools.cache
def folder_stamp():
    """A digest of the sources in this folder."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _guarded(kernel, options, work=None):
    """The parallel kernel, one call at a time; after a fork that lost OpenMP, the same function on one core.

    It returns nothing, because kernels write into their arguments.
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
        except SystemError as error:  # Python reports Ctrl-C during a kernel as an error of the kernel
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise

    return launch


def _after_fork_in_child():
    global _openmp_is_lost, _one_at_a_time
    _one_at_a_time = threading.Lock()  # the parent's may be held by a thread that does not exist here
    try:
        _openmp_is_lost = numba.threading_layer() == "omp"
    except ValueError:  # no threads have been started yet
        pass


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@compiled
def room(n, like):
    """An empty array (n,) of the dtype of `like` that starts at the start of a cache line.

    Otherwise each vector of eight or sixteen numbers could be spread over two lines, and loaded and stored in two
    parts.
    """
    more = np.empty(n + 64 // like.itemsize, like.dtype)
    start = -more.ctypes.data % 64 // like.itemsize
    return more[start:start + n]
