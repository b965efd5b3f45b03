"""What is said where there is no GPU, no driver, no memory: each a sentence that says what to do."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from aelearn import Autoencoder, KMeans, kernels
from aelearn.kernels import UnavailableError
from aelearn.kernels.gpu import device
from tests.kernels.threads import run

DRIVER = "\nCUDA driver library cannot be found.\nEnsure that a compatible NVIDIA driver is installed\n"


class CudaAPIError(Exception):
    """As numba-cuda's own."""


CudaAPIError.__module__ = "numba.cuda.cudadrv.driver"


def failing(words):
    def fail(*arguments, **settings):
        raise CudaAPIError(words)

    return fail


@pytest.fixture
def a_machine(monkeypatch):
    """A machine with the extra installed, whose driver says `trouble` (None: nothing)."""
    def pretend(trouble):
        monkeypatch.setattr(device, "SIMULATED", False)
        monkeypatch.setattr(device.sys, "platform", "linux")
        monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: "somewhere")
        monkeypatch.setattr(device, "_driver_trouble", lambda: trouble)

    return pretend


@pytest.mark.parametrize("trouble, words", [
    (DRIVER, "no NVIDIA driver was found: install one"),
    ("\nCUDA is disabled due to setting NUMBA_DISABLE_CUDA=1 in the", "NUMBA_DISABLE_CUDA is set: unset it"),
    ("CUDA_ERROR_NO_DEVICE (100)", "the NVIDIA driver finds no GPU: .*CUDA_VISIBLE_DEVICES"),
    ("DRIVER_MISMATCH\n (803)", r"the NVIDIA driver does not start \(DRIVER_MISMATCH \(803\)\)"),
])
def test_no_driver_and_no_gpu(a_machine, trouble, words):
    a_machine(trouble)
    sentence = f"^backend 'cuda' cannot run here: {words}.*use the back end 'numba'$"
    with pytest.raises(UnavailableError, match=sentence):
        kernels.get("cuda")
    status = kernels.status()[2]
    assert not status.runs and str(status).startswith("cuda: cannot run here: ")
    for model in (Autoencoder(backend="cuda"), KMeans(backend="cuda")):
        with pytest.raises(UnavailableError, match="cannot run here"):
            model.fit(np.eye(9))


def test_the_extra_is_not_installed(a_machine, monkeypatch):
    a_machine(None)
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"numba-cuda is not installed: .*pip install '\.\[cuda\]'"):
        device.require()
    monkeypatch.setattr(device.sys, "platform", "darwin")
    with pytest.raises(UnavailableError, match="there is no CUDA for macOS: use the back end 'numba'"):
        device.require()


def test_the_simulator_is_not_taken_for_a_gpu():
    code = "from aelearn import kernels; print(kernels.status()[2])"
    said = run(code, NUMBA_ENABLE_CUDASIM="1", AELEARN_SIMULATE="")
    assert said.startswith("cuda: cannot run here: NUMBA_ENABLE_CUDASIM is set") and "AELEARN_SIMULATE=1" in said


@pytest.mark.parametrize("trouble, words", [
    ("[222] UNSUPPORTED_PTX_VERSION", r"the first kernel failed \(.*_VERSION; is the driver too old for CUDA 13, or"),
    ("[2] CUDA_ERROR_OUT_OF_MEMORY", "the GPU's memory is full: see in nvidia-smi what uses it, or use the back end"),
    ("[46] DEVICE_UNAVAILABLE", r"the first kernel failed \(\[46\] DEVICE_UNAVAILABLE\): see what nvidia-smi says, or"),
])
def test_a_first_kernel_that_fails(a_machine, monkeypatch, trouble, words):
    """Driver and GPU are there, but do not go with the compiler, or are not to be had."""
    a_machine(None)
    device._prove.cache_clear()
    monkeypatch.setattr(device.cuda, "to_device", failing(trouble))
    with pytest.raises(UnavailableError, match=f"^{words}"):
        device.require()


def test_a_gpu_that_counts_wrongly(a_machine, monkeypatch):
    a_machine(None)
    device._prove.cache_clear()
    monkeypatch.setattr(device.cuda, "to_device", lambda array: SimpleNamespace(copy_to_host=lambda: [2]))
    monkeypatch.setattr(device, "_configured", lambda *arguments: lambda numbers: None)
    with pytest.raises(UnavailableError, match="the GPU gave a wrong answer to 0 . 1: use the back end 'numba'"):
        device.require()


def test_a_gpu_that_runs_is_described(a_machine, monkeypatch):
    """With the names that numba-cuda has for these things; a real one is described by the tests on a GPU."""
    driver = SimpleNamespace(driver=SimpleNamespace(get_version=lambda: (13, 0)))
    gpu = SimpleNamespace(name=b"Tesla T4", compute_capability=(7, 5))
    memory = SimpleNamespace(free=15e9, total=15.8e9)
    a_machine(None)
    monkeypatch.setattr(device, "_prove", lambda: None)
    monkeypatch.setitem(sys.modules, "numba.cuda.cudadrv.driver", driver)
    monkeypatch.setattr(device.cuda, "get_current_device", lambda: gpu, raising=False)
    monkeypatch.setattr(device.cuda, "current_context", lambda: SimpleNamespace(get_memory_info=lambda: memory),
                        raising=False)
    status = kernels.status()[2]
    assert status.runs and "on Tesla T4 (compute capability 7.5, 15.80 GB), with a driver for CUDA 13.0" in str(status)
    monkeypatch.setattr(device.cuda, "current_context", failing("[999] CUDA_ERROR_UNKNOWN"), raising=False)
    status = kernels.status()[2]
    assert not status.runs and str(status) == ("cuda: the GPU or its driver failed ([999] CUDA_ERROR_UNKNOWN); "
                                               "use the back end 'numba'")


def test_too_little_memory_is_a_memory_error(monkeypatch):
    monkeypatch.setattr(device.cuda, "device_array", failing("[2] cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY"))
    memory = SimpleNamespace(free=1e9, total=4e9)
    monkeypatch.setattr(device.cuda, "current_context", lambda: SimpleNamespace(get_memory_info=lambda: memory),
                        raising=False)
    with pytest.raises(MemoryError, match="2.40 GB more are needed, 1.00 GB of 4.00 GB are free. Use fewer samples"):
        device.empty((1000, 600_000), np.float32)
    monkeypatch.setattr(device.cuda, "current_context", failing("no context"), raising=False)
    with pytest.raises(MemoryError, match="0.08 MB more are needed, it does not say how much is free"):
        device.empty(10_000, np.float64)
    monkeypatch.setattr(device, "_configured", lambda *arguments: failing("CUDA_ERROR_OUT_OF_MEMORY"))
    with pytest.raises(MemoryError, match="too little memory: it does not say"):
        device.launch(None, 1, 1)


def test_other_failures_of_the_gpu_are_a_sentence(monkeypatch):
    monkeypatch.setattr(device, "_why_not", lambda: None)
    monkeypatch.setattr(device, "_configured", lambda *arguments: failing("[700] ILLEGAL_ADDRESS\nin line 7"))
    with pytest.raises(UnavailableError, match=r"^the GPU or its driver failed \(\[700\] ILLEGAL_ADDRESS in line 7\);"):
        device.launch(None, 1, 1)
    with pytest.raises(ZeroDivisionError):  # a mistake of ours stays what it is
        monkeypatch.setattr(device, "_configured", lambda *arguments: 1 / 0)
        device.launch(None, 1, 1)


@pytest.mark.gpu
def test_arrays_come_back_as_they_went(rng):
    for array in (rng.normal(size=(3, 4)), np.arange(6).reshape(2, 3).T, np.zeros((0, 3), np.float32), np.ones(1)):
        there = device.upload(array)
        twin = device.copy(there)
        device.fill(there, np.zeros_like(array))
        assert np.array_equal(device.download(twin), array) and device.download(twin).dtype == array.dtype
        assert not device.is_host(there) and device.on_device(there) is there


@pytest.mark.real_gpu
@pytest.mark.gpu
def test_this_gpu():
    from numba import cuda

    print(kernels.status()[2])
    free = cuda.current_context().get_memory_info().free
    with pytest.raises(MemoryError, match="the GPU has too little memory: .* are needed, .* are free"):
        device.empty(2 * free, np.uint8)
