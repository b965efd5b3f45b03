"""numba-cuda's arrays and copies, on a machine without a GPU: device memory is memory of this machine.

The simulator has arrays of its own, which are NumPy's in disguise. What aelearn does with the real ones (slices,
shapes, copies to and fro, the types that kernels are launched with) would never be tried without a GPU. Here numba-cuda
is as it is, but for the calls into the driver: memory comes from this machine, a copy is a copy, and a launch goes to
aelearn's simulator. What remains untried is the driver, the launch itself, and the GPU.
"""

import ctypes
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np

from aelearn.kernels.gpu import device, simulator

BUFFERS = {}  # {address: memory that plays the device's}
POINTERS = {}  # {address: what numba-cuda knows of it}


class _Context:
    """What numba-cuda asks a context for."""

    device = SimpleNamespace(name="a pretended GPU", compute_capability=(7, 5))

    def memalloc(self, size):
        """Memory of the device, which is freed when it is not used any more."""
        from cuda.bindings import driver as binding
        from numba.cuda.cudadrv.driver import AutoFreePointer

        buffer = np.full(size, 0xFF, np.uint8)  # NaN, if it is read as float32 or float64 before it is written
        address = buffer.ctypes.data
        BUFFERS[address] = buffer
        POINTERS[address] = AutoFreePointer(self, binding.CUdeviceptr(address), size,
                                            finalizer=lambda: (BUFFERS.pop(address), POINTERS.pop(address)))
        return POINTERS[address].own()

    def get_memory_info(self):
        """Free and total memory."""
        return SimpleNamespace(free=10**9, total=10**9)


def _check(address, size):
    """Refuse a copy that leaves the arrays of the device, as a GPU would."""
    if not any(start <= address and address + size <= start + len(buffer) for start, buffer in BUFFERS.items()):
        raise RuntimeError(f"a copy of {size} bytes leaves its array")


def _to_device(there, here, size):
    _check(there, size)
    ctypes.memmove(there, here, size)


def _to_host(here, there, size):
    _check(there, size)
    ctypes.memmove(here, there, size)


def _on_device(there, here, size):
    _check(here, size)
    _to_device(there, here, size)


def view(array):
    """An array of the pretended device as NumPy's, with the same shape and strides."""
    if not array.size:
        return np.empty(array.shape, array.dtype)
    address = array.device_ctypes_pointer.value
    _check(address, array.alloc_size)
    memory = (ctypes.c_char * array.alloc_size).from_address(address)
    return np.ndarray(array.shape, array.dtype, memory, strides=array.strides)


def install():
    """Put this machine in the place of a GPU, in this process."""
    from numba import cuda
    from numba.cuda.cudadrv import devices, driver

    context = _Context()
    devices._runtime.ensure_context = nullcontext
    devices._runtime.get_or_create_context = lambda number=None: context
    driver.driver.cuMemcpyHtoD, driver.driver.cuMemcpyDtoH = _to_device, _to_host
    driver.driver.cuMemcpyDtoD = _on_device
    driver.driver.get_version = lambda: (13, 0)
    cuda.get_current_device, cuda.current_context = lambda: context.device, lambda: context
    device._why_not = device._prove = lambda: None
    device.launch = lambda kernel, grid, block, *arguments: simulator.run(
        kernel, grid, block, [view(argument) if hasattr(argument, "gpu_data") else argument for argument in arguments])
