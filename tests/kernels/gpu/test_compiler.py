"""Every kernel goes through CUDA's compiler and assembler, for four generations of GPUs. No GPU is needed.

Without the extras `cuda` and `cuda-test` these tests are skipped; with AELEARN_STRICT=1 they fail instead.
"""

import os

import pytest
from numba import types

from tests.kernels.gpu.compiled import MODULES, SPECS, assemble, assembler, capabilities, table


def assembler_or_skip():
    """Skip a test where there is no compiler or no assembler, or fail if that is asked for."""
    try:
        assembler()
    except ImportError as error:
        if os.environ.get("AELEARN_STRICT") == "1":
            raise
        pytest.skip(f"CUDA's compiler is not available ({error})")


@pytest.fixture(scope="module", autouse=True)
def compiler():
    assembler_or_skip()


@pytest.fixture(scope="module")
def outcomes(compiler):
    return [assemble(spec, capability) for spec in SPECS for capability in capabilities()]


def test_every_kernel_is_listed(compiler):
    from numba.cuda.dispatcher import CUDADispatcher

    kernels = {value for module in MODULES for value in vars(module).values()
               if isinstance(value, CUDADispatcher) and not value.targetoptions["device"]}
    assert kernels == {spec.kernel for spec in SPECS}


def test_nothing_is_wrong_with_any_kernel(outcomes, capsys):
    """No float64 in kernels for float32, no spills, the right number of barriers, within a GPU's limits."""
    with capsys.disabled():
        print("", table(outcomes), sep="\n")
    assert [fault for outcome in outcomes for fault in outcome.faults()] == []
    assert len(outcomes) == len(SPECS) * len(capabilities()) and min(capabilities()) == (7, 5)


def test_float64_fits_as_well():
    faults = [fault for spec in SPECS for fault in assemble(spec, (8, 0), types.float64).faults(double=True)]
    assert faults == []
