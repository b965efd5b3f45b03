"""The kernels that measure the machine do the work that is counted."""

import numpy as np

from aelearn.kernels.cpu import ceiling


def test_multiply_adds_are_all_done():
    x, out = np.linspace(0, 1, 37, dtype=np.float32), np.full((3, 37), np.nan, np.float32)
    ceiling.multiply_adds(x, out)
    wanted = np.zeros(37)
    for begin in range(ceiling.CHAINS):
        y = x + np.float64(begin)
        for _ in range(ceiling.STEPS):
            y = y * x + 1
        wanted += y
    assert np.allclose(out, wanted, rtol=1e-5)


def test_every_number_is_read_every_time():
    x, out = np.random.default_rng(0).random((2, 1000)), np.empty(2)
    ceiling.add_up(x, 5, out)
    assert np.allclose(out, 5 * x.sum(axis=1), rtol=1e-12)


def test_a_nearer_memory_is_not_slower_and_nothing_is_infinite():
    peak, near = ceiling.peak(), ceiling.bandwidth(1 << 14, total=1 << 22)
    assert 1e6 < near < 1e14 and 1e6 < peak < 1e15
