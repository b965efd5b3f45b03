"""Access to the GPU: whether there is one, arrays in its memory, kernel launches.

Plumbing, but read the next paragraph before any kernel: it explains the terms.

A GPU runs one function, the kernel, in thousands of threads at once. Threads are grouped into blocks; the blocks form
the grid; both may be laid out in x, or in x and y. A thread knows its position (cuda.threadIdx, cuda.blockIdx) and
computes from it which numbers are its own: with blocks of 128, thread 5 of block 2 handles entry 2 * 128 + 5 of a
vector. The threads of a block share a small, fast memory and can wait for each other (cuda.syncthreads); blocks cannot,
so if one block needs a result of another, that takes another launch. Launches run one after the other, in the order in
which Python issues them, while Python itself continues: it waits only when it downloads a result.

All access to the device is in this module, so that any failure is reported in one clear sentence. The kernels next to
it have been simulated and compiled, but not yet run on a GPU.
"""

import functools
import importlib.util
import os
import sys
import warnings

import numba
import numpy as np
from numba import cuda

from aelearn.kernels import UnavailableError
from aelearn.kernels.gpu import simulator

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
ALLOWED = "AELEARN_SIMULATE"  # environment variable; if it is 1, backend="cuda" may run in the simulator
INSTEAD = "use the back end 'numba'"  # what to do without a GPU


def require():
    """Raise UnavailableError, with the reason and what to do, unless kernels run here. Tested by running one."""
    reason = _why_not()
    if reason:
        raise UnavailableError(reason)
    if not SIMULATED:
        _prove()


def _why_not():
    """Why no kernel can run here, as a sentence that says what to do; None if there is no known obstacle."""
    if SIMULATED:
        if os.environ.get(ALLOWED) == "1":
            return None
        return ("NUMBA_ENABLE_CUDASIM is set, so a GPU would be simulated, far more slowly than NumPy computes: "
                f"unset it, or set {ALLOWED}=1 as well to watch kernels work on small arrays")
    if sys.platform == "darwin":
        return f"there is no CUDA for macOS: {INSTEAD}"
    if importlib.util.find_spec("numba_cuda") is None:
        return ("the package numba-cuda is not installed: the extra 'cuda' brings it "
                f"(pip install '.[cuda]' in the folder of the README), or {INSTEAD}")
    trouble = _driver_trouble()
    if not trouble:
        return None
    if "NUMBA_DISABLE_CUDA" in trouble:
        return f"NUMBA_DISABLE_CUDA is set: unset it, or {INSTEAD}"
    if "cannot be found" in trouble:
        return f"no NVIDIA driver was found: install one if this machine has an NVIDIA GPU, or {INSTEAD}"
    if "NO_DEVICE" in trouble:
        return ("the NVIDIA driver finds no GPU: if there is one, see whether CUDA_VISIBLE_DEVICES hides it "
                f"and what nvidia-smi says; if not, {INSTEAD}")
    return f"the NVIDIA driver does not start ({_one_line(trouble)}): see what nvidia-smi says, or {INSTEAD}"


def _driver_trouble():
    """The driver's error at initialisation, or None if it has started."""
    from numba.cuda.cudadrv.driver import driver

    try:
        return None if driver.is_available else driver.initialization_error
    except ImportError as error:  # Numba's class for "no support"
        return str(error)


@functools.cache
def _prove():
    """Run a kernel: no version number guarantees that compiler, driver and GPU work together."""
    try:
        numbers = cuda.to_device(np.zeros(1, np.float32))
        _configured(_count, 1, 1)(numbers)
        right = numbers.copy_to_host()[0] == 1
    except Exception as error:
        reason, words = _one_line(error), str(error).upper()
        if "OUT_OF_MEMORY" in words:
            raise UnavailableError(f"the GPU's memory is full: see in nvidia-smi what uses it, or {INSTEAD}") from error
        if any(word in words for word in ("PTX", "IMAGE", "VERSION", "ARCH", "CAPABILITY")):
            reason += "; is the driver too old for CUDA 13, or the GPU?"
        raise UnavailableError(f"the first kernel failed ({reason}): see what nvidia-smi says, or {INSTEAD}") from error
    if not right:
        raise UnavailableError(f"the GPU gave a wrong answer to 0 + 1: {INSTEAD}")


@cuda.jit
def _count(numbers):
    numbers[cuda.threadIdx.x] += numbers.dtype.type(1)


def describe():
    """What this back end runs on, as a sentence."""
    if SIMULATED:
        return "runs here, in a simulator, without a GPU"
    from numba.cuda.cudadrv.driver import driver

    try:
        device, version = cuda.get_current_device(), ".".join(map(str, driver.get_version()))
        total = cuda.current_context().get_memory_info().total
    except Exception as error:
        raise _explained(error) from error
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    cc = ".".join(map(str, device.compute_capability))
    return (f"runs here, on {name} (compute capability {cc}, {_size(total)}), "
            f"with a driver for CUDA {version} and Numba {numba.__version__}")


def launch(kernel, grid, block, *arguments):
    """Run a kernel on `grid` blocks of `block` threads, each a number or a tuple (x, y).

    Arrays must be on the device. Floats must be of a NumPy dtype: Python's would be passed as float64.
    """
    if SIMULATED:
        simulator.run(kernel, grid, block, arguments)
        return
    try:
        _configured(kernel, grid, block)(*arguments)
    except Exception as error:
        raise _explained(error) from error


@functools.lru_cache(maxsize=1024)
def _configured(kernel, grid, block):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about grids too small to fill a GPU: small problems have small grids
        return kernel[grid, block]


def upload(array):
    """A copy of a NumPy array in the device's memory, in C order."""
    array = np.ascontiguousarray(array)
    there = empty(array.shape, array.dtype)
    fill(there, array)
    return there


def fill(there, array):
    """Copy an array, on the host or the device, into one of the same shape and dtype on the device."""
    try:
        if array.size:
            there.copy_to_device(np.ascontiguousarray(array) if is_host(array) else array)
    except Exception as error:
        raise _explained(error) from error


def empty(shape, dtype):
    """An uninitialised array on the device. Raises MemoryError if the GPU's memory is too small."""
    try:
        there = cuda.device_array(shape, dtype)
        if SIMULATED:
            simulator.poison(there)
        return there
    except Exception as error:
        raise _explained(error, n_bytes=int(np.prod(shape)) * np.dtype(dtype).itemsize) from error


def copy(there):
    """A copy, on the device, of a device array."""
    duplicate = empty(there.shape, there.dtype)
    fill(duplicate, there)
    return duplicate


def download(there):
    """A device array as a NumPy array. Waits until all earlier kernels have finished."""
    try:
        return there.copy_to_host()
    except Exception as error:
        raise _explained(error) from error


def is_host(array):
    """True for NumPy arrays, False for arrays on the device."""
    return isinstance(array, np.ndarray)


def on_device(array):
    """The array itself if it is on the device, else a copy of it there."""
    return upload(array) if is_host(array) else array


def _explained(error, n_bytes=0):
    """The exception to raise for an error: with a clear message if it came from GPU or driver, else unchanged."""
    if "OUT_OF_MEMORY" in str(error):
        needed = f"{_size(n_bytes)} more are needed, " if n_bytes else ""
        return MemoryError(f"the GPU has too little memory: {needed}{_free()}. "
                           f"Use fewer samples, a smaller batch_size or network, or {INSTEAD}")
    if not type(error).__module__.startswith(("numba.cuda.cudadrv", "numba_cuda", "cuda.")):
        return error
    return UnavailableError(_why_not() or f"the GPU or its driver failed ({_one_line(error)}); {INSTEAD}")


def _free():
    """How much of the GPU's memory is free, in words."""
    try:
        memory = cuda.current_context().get_memory_info()
    except Exception:  # any error of the driver or memory manager; the message works without
        return "it does not say how much is free"
    return f"{_size(memory.free)} of {_size(memory.total)} are free"


def _size(n_bytes):
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e7 else f"{n_bytes / 1e6:.2f} MB"


def _one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
