"""How the kernels of this folder are compiled: once, into Numba's cache on disk, and for all cores.

Numba turns a Python function into machine code at its first call with arguments of new types; the cache spares the
next process that time. Four things need care:

- The cache lies beside the source, or in the user's cache folder where the package is not writable. Where neither can
  be written, kernels are compiled afresh in each process.
- Numba throws a cached kernel away when its own file has changed. Kernels here call functions of other files, so the
  stamp covers all files of the folder.
- Not every threading layer that Numba may have chosen can serve two Python threads at once: one parallel kernel runs
  at a time.
- A process that forks after its OpenMP threads were started leaves a child that must not start them again: GNU's
  OpenMP ends such a child. There the same kernels run on one core; they give the same results.

With NUMBA_DISABLE_JIT=1 the decorators leave the functions plain Python, to be stepped through in a debugger.
"""

import functools
import hashlib
import os
import threading
from pathlib import Path

import numba
import numpy as np

# What the compiler may do to vectorise a sum: reorder its terms, and fuse a product into it. It may not assume that NaN
# and infinity do not occur.
SUMS_IN_ANY_ORDER = {"reassoc", "contract", "nsz"}

_openmp_is_lost = False  # in a forked child of a process that used OpenMP
_one_at_a_time = threading.Lock()


def compiled(function=None, *, parallel=False, fastmath=False, inside=False):
    """Decorate a function of arrays: compile it for the types of its arguments, when it is first called.

    parallel  share the iterations of its `prange` loops out to all cores
    fastmath  False, or SUMS_IN_ANY_ORDER
    inside    the function is called by compiled functions alone, so that it needs no door to Python and none to C:
              that makes it faster to compile
    """
    if function is None:
        return functools.partial(compiled, parallel=parallel, fastmath=fastmath, inside=inside)
    options = {"fastmath": fastmath, "error_model": "numpy", "no_cpython_wrapper": inside,
               "no_cfunc_wrapper": inside}
    if numba.config.DISABLE_JIT:
        return function
    try:
        kernel = numba.njit(parallel=parallel, cache=True, **options)(function)
        _stamp_whole_folder(kernel)
    except RuntimeError:  # no folder to be found that a cache could be written to
        kernel = numba.njit(parallel=parallel, **options)(function)
    return _guarded(kernel, options) if parallel else kernel


def _stamp_whole_folder(kernel):
    """Make Numba look at every file of this folder, not only the kernel's own, before it trusts its cache."""
    kernel._cache._cache_file._source_stamp = folder_stamp()  # Numba has no public name for it; a test holds it to work


@functools.cache
def folder_stamp():
    """A digest of the sources in this folder."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _guarded(kernel, options):
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
                kernel(*args)
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
