"""Tests marked `gpu` run where aelearn's "cuda" back end does: on a GPU, or in the strict simulator (test_simulator.py).

Elsewhere they are skipped, and the reason is the sentence that users get.
"""

import numba
import pytest

from aelearn import kernels
from tests.kernels.gpu import strict_simulator

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
if SIMULATED:
    strict_simulator.install()


def why_not():
    """Why no kernel can run on a GPU here; None if one can."""
    try:
        kernels.get("cuda")
    except kernels.UnavailableError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items):
    reason = None
    for item in items:
        if item.get_closest_marker("gpu"):
            reason = reason or why_not() or "runs"
            if reason != "runs":
                item.add_marker(pytest.mark.skip(reason=reason))
            elif SIMULATED and item.get_closest_marker("real_gpu"):
                item.add_marker(pytest.mark.skip(reason="this would take the simulator hours"))
