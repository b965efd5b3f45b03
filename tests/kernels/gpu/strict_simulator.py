"""Numba's CUDA simulator, made strict: what would be a race on a GPU is an error here, every time.

Numba's own simulator lets the threads of a block run as they like, so that a forgotten barrier nearly always goes
unnoticed; and shared memory happens to hold zeros. Here

- one thread runs at a time, from barrier to barrier, in the order of their numbers: whoever reads what another thread
  of the block should have written, without a barrier in between, reads it too early;
- shared and local memory begin as NaN, or as the lowest integer;
- all threads of a block must reach the same barriers.

An index past the end of an array is an IndexError, as in Numba's own.
"""

import os
import sys
import threading

import numba
import numpy as np


class _Aborted(BaseException):
    """Ends the threads of a block in which another one has failed."""


class _Thread(threading.Thread):
    """One CUDA thread, which runs when told to and gives back control at each barrier and at its end."""

    def __init__(self, function, block, index, back):
        super().__init__(daemon=True)
        self.function, self.blockIdx, self.threadIdx = function, block, index
        self.go, self.back = threading.Lock(), back  # closed doors; who releases one lets somebody through
        self.go.acquire()
        self.barrier = self.error = None
        self.done = self.abort = False
        self.start()

    def run(self):
        self.go.acquire()
        try:
            if not self.abort:
                self.function()
        except _Aborted:
            pass
        except Exception as error:
            self.error = error
        self.done = True
        if not self.abort:
            self.back.release()

    def proceed(self):
        """Run up to the next barrier or the end."""
        self.barrier = None
        self.go.release()
        self.back.acquire()
        if self.error:
            raise self.error

    def syncthreads(self):
        frame = sys._getframe(2)  # the kernel's, behind that of cuda.syncthreads
        self.barrier = frame.f_code.co_filename, frame.f_lineno
        self.back.release()
        self.go.acquire()
        if self.abort:
            raise _Aborted


class _BlockManager:
    """Runs the threads of one block."""

    def __init__(self, function, grid, block, debug):
        self.function, self.size = function, block

    def run(self, grid_point, *arguments):
        """All threads from barrier to barrier; at each, all of them must have come to the same."""
        from numba.cuda.simulator import kernel, kernelapi

        kernel._get_kernel_context().shared._allocations.clear()
        back, block = threading.Lock(), kernelapi.Dim3(*grid_point)
        back.acquire()
        indices = [kernelapi.Dim3(x, y, z) for z in range(self.size[2]) for y in range(self.size[1])
                   for x in range(self.size[0])]
        threads = [_Thread(lambda: self.function(*arguments), block, indices[0], back)]
        try:
            threads[0].proceed()
            if threads[0].done:
                self._run_without_barriers(block, indices[1:], arguments)
                return
            for index in indices[1:]:
                threads.append(_Thread(threads[0].function, block, index, back))
                threads[-1].proceed()
            while True:
                places = {(thread.done, thread.barrier) for thread in threads}
                if len(places) > 1:
                    raise RuntimeError(f"threads of a block wait at different places: {places}")
                if threads[0].done:
                    return
                for thread in threads:
                    thread.proceed()
        finally:
            for thread in threads:
                thread.abort = True
                if not thread.done:
                    thread.go.release()
            for thread in threads:
                thread.join()

    def _run_without_barriers(self, block, indices, arguments):
        """The first thread has met no barrier, so no other may: all of them can run in this thread, which is faster."""
        here = threading.current_thread()

        def no_barrier():
            raise RuntimeError("threads of a block wait at different places: the first one has met no barrier")

        here.blockIdx, here.syncthreads = block, no_barrier
        try:
            for index in indices:
                here.threadIdx = index
                self.function(*arguments)
        finally:
            del here.blockIdx, here.syncthreads
            if indices:
                del here.threadIdx


def _poisoned(shape, dtype):
    """Memory that nobody has written to yet."""
    if not isinstance(dtype, np.dtype):
        from numba.np import numpy_support
        dtype = numpy_support.as_dtype(dtype) if isinstance(dtype, numba.types.Type) else np.dtype(dtype)
    return np.full(shape, np.nan if dtype.kind == "f" else np.iinfo(dtype).min, dtype)


def _shared_array(self, shape, dtype):
    """One array for each line of source that asks for it, in each block."""
    frame = sys._getframe(1)
    place = frame.f_code.co_filename, frame.f_lineno
    if place not in self._allocations:
        self._allocations[place] = _poisoned(shape, dtype)
    return self._allocations[place]


def install():
    """Make Numba's simulator strict, in this process, which gets one core: there threads take turns twice as fast."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from numba.cuda.simulator import kernel, kernelapi

    kernel.BlockManager = _BlockManager
    kernel.FakeWithinKernelCUDAArray = lambda array: array._ary  # NumPy's own indexing is strict enough, and faster
    kernelapi.FakeCUDAShared.array = _shared_array
    kernelapi.FakeCUDALocal.array = lambda self, shape, dtype: _poisoned(shape, dtype)
