"""The whole network passes the gradient check, with every depth, activation and loss."""

import subprocess
import sys

import pytest

from aelearn.autoencoder.selfcheck import check_network, network_cases


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("hidden, activation, output_activation, loss, code_activation", list(network_cases()))
def test_whole_network(hidden, activation, output_activation, loss, code_activation, backend):
    report = check_network(hidden, activation, output_activation, loss, code_activation, backend=backend)
    assert report.right and report.relative_error < 1e-6
    assert len(report.rows) == 4 * len(hidden)


def test_the_report_from_the_command_line():
    lines = subprocess.run([sys.executable, "-m", "aelearn.selfcheck"], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    assert len(lines) == 2 + len(list(network_cases()))
    assert all(float(error) < 1e-6 for line in lines[1:-1] for error in line.split()[-2:])  # NumPy's and Numba's
    assert lines[-1].startswith(f"all {len(lines) - 2} networks are right")
