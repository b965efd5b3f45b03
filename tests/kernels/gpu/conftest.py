"""Tests marked `gpu` run where aelearn's "cuda" back end does: on a GPU, or without one where test_without_a_gpu.py has
started them. Elsewhere they are skipped, and the reason is the sentence that users get.
"""

import os

import numba
import numpy as np
import pytest
from numba import types

from aelearn import kernels
from aelearn.kernels.gpu import device
from tests.kernels.gpu import pretend_driver
from tests.kernels.gpu.compiled import SPECS

SIMULATED, PRETENDED = device.SIMULATED, os.environ.get("AELEARN_PRETEND") == "1"
if PRETENDED:
    pretend_driver.install()


def why_not():
    """Why no kernel can run on a GPU here; None if one can."""
    try:
        kernels.get("cuda")
    except kernels.UnavailableError as error:
        return str(error)
    return None


launched = set()


@pytest.fixture(autouse=SIMULATED or PRETENDED)
def launches_are_as_compiled(monkeypatch):
    """Without a GPU: every launch has the types and the number of threads that test_compiler.py compiles it for."""
    launch = device.launch

    def checked(kernel, grid, block, *arguments):
        spec, = (spec for spec in SPECS if spec.kernel is kernel)
        numbers = types.float32, types.float64
        got = tuple(argument._numba_type_ if hasattr(argument, "gpu_data") else
                    numba.typeof(getattr(argument, "_ary", argument)) for argument in arguments)
        assert got in [spec.signature(number) for number in numbers], f"{spec.name} is launched with {got}"
        assert np.prod(block) == spec.threads, f"{spec.name} is launched with blocks of {block}"
        launched.add(spec.name)
        launch(kernel, grid, block, *arguments)

    monkeypatch.setattr(device, "launch", checked)


def pytest_terminal_summary(terminalreporter):
    if launched:
        terminalreporter.write_line(f"launched: {' '.join(sorted(launched))}")


def pytest_collection_modifyitems(items):
    reason = None
    for item in items:
        if item.get_closest_marker("gpu"):
            reason = reason or why_not() or "runs"
            if reason != "runs":
                item.add_marker(pytest.mark.skip(reason=reason))
            elif (SIMULATED or PRETENDED) and item.get_closest_marker("real_gpu"):
                item.add_marker(pytest.mark.skip(reason="this would take the simulator hours"))
