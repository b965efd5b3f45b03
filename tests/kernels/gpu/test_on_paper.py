"""The page with predicted times of the kernels, and the launches of the benchmark behind it."""

import re

import pytest

from tests.benchmarks.gpu import T4, Case, all_cases, measure
from tests.benchmarks.gpu_page import PAGE, page
from tests.kernels.gpu.compiled import SPECS


def test_the_page_is_what_its_code_says():
    """Registers and shared memory are taken from the page, because another assembler may report others."""
    text = PAGE.read_text()
    versions = re.search(r"Registers and shared memory of the kernels: (.*)\.\n", text)[1]
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \w+\.\w+ \|", line)]
    assert page({cells[0].strip("| "): (int(cells[4]), int(cells[5])) for cells in rows}, versions) == text
    assert "None of this has been measured" in text


def test_every_kernel_is_on_the_page():
    assert {case.kernel for cases in all_cases().values() for case in cases} == {
        spec.name for spec in SPECS} - {"device._count", "network._add_delta"}  # which deep clustering alone needs


def test_residence_on_a_multiprocessor():
    """By hand: 152 registers are 19 x 256 = 4,864 a warp, 9,728 a block of two; six fit into 65,536."""
    assert T4.resident(152, 4224, 64) == 6
    assert T4.resident(40, 0, 256) == 4  # 1,024 threads
    assert T4.resident(16, 0, 32) == 16  # blocks
    assert T4.resident(64, 11264, 128) == 5  # 64 KB of shared memory
    case = Case("a", "b", 20, 40 * 64 * 1.59e9, 320e9, 40 * 1.59e9 * 3, None)
    assert case.bounds(T4) == pytest.approx({"arithmetic": 2, "memory": 2, "on-chip memory": 6})  # half is idle


@pytest.mark.gpu
def test_every_launch_of_the_benchmark():
    for cases in all_cases(17, 9, 5, (7, 3, 2, 3, 7), [(130, 3, 2)]).values():
        for case in cases:
            assert measure(case, lambda: None, repeats=1) > 0
