"""The limits of this machine: how many operations per second it can do, and how many bytes per second it can load.

Worth reading, with lesson 7: the kernels that measure these limits.

Two numbers limit the speed of every kernel. The first is the peak: multiply-adds on numbers that are already in
registers. The second is the bandwidth: numbers that are loaded and used once. Together they give the roofline: with i
operations per loaded byte, no program does more than min(peak, i * bandwidth).

Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model" (2009).
"""

import time

import numba
import numpy as np
from numba import prange

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.vectors import fma, full, lanes_of, load_part, store_part

STEPS, CHAINS = 32, 8  # of `multiply_adds`
TRIALS = 5  # the best one counts: any disturbance makes a trial slower
PAUSE = 0.25  # seconds before a trial: another library's threads, which wait by turning in circles, go to sleep


@compiled(parallel=True)
def multiply_adds(x, out):
    """out[task, i] = the sum of 8 chains y <- y x[i] + 1 of 32 steps, which start at x[i], x[i] + 1, ..., x[i] + 7.

    There are eight chains because the result of a multiply-add is available only after some cycles: a single chain
    would wait. Each chain is a vector register, which works on as many numbers of x at once as it has lanes.
    """
    for task in prange(out.shape[0]):
        for i in range(0, x.shape[0], lanes_of(x)):
            left = x.shape[0] - i
            v, one = load_part(x, i, left), full(1, x)
            y0 = v
            y1 = y0 + one
            y2 = y1 + one
            y3 = y2 + one
            y4 = y3 + one
            y5 = y4 + one
            y6 = y5 + one
            y7 = y6 + one
            for _ in range(STEPS):
                y0 = fma(y0, v, one)
                y1 = fma(y1, v, one)
                y2 = fma(y2, v, one)
                y3 = fma(y3, v, one)
                y4 = fma(y4, v, one)
                y5 = fma(y5, v, one)
                y6 = fma(y6, v, one)
                y7 = fma(y7, v, one)
            store_part(out, (task, i), left, (y0 + y1 + y2 + y3) + (y4 + y5 + y6 + y7))


@compiled(parallel=True, fastmath=SUMS_IN_ANY_ORDER)
def add_up(x, times, out):
    """out[task] = times * x[task].sum(): each row is read `times` times."""
    for task in prange(x.shape[0]):
        row, total = x[task], x.dtype.type(0)
        for _ in range(times):
            part = x.dtype.type(0)
            for i in range(row.shape[0]):
                part += row[i]
            total += part
        out[task] = total


def peak():
    """Operations per second in float32, on all cores together; a multiply-add counts as two."""
    x, out = np.linspace(0, 1, 1024, dtype=np.float32), np.empty((1024, 1024), np.float32)
    return 2 * CHAINS * STEPS * out.size / _seconds(lambda: multiply_adds(x, out))


def bandwidth(n_bytes, total=1 << 28):
    """Bytes per second that all cores together can read, each from its own `n_bytes`, again and again."""
    x = np.ones((numba.get_num_threads(), n_bytes // 4), np.float32)  # (threads, numbers)
    times = max(1, total // x.nbytes)
    out = np.empty(len(x), np.float32)
    return x.nbytes * times / _seconds(lambda: add_up(x, times, out))


def _seconds(function):
    """The time of the fastest of several calls, after one that compiles."""
    function()
    found = []
    for _ in range(TRIALS):
        time.sleep(PAUSE)
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    return min(found)
