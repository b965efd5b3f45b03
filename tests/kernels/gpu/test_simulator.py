"""The simulator itself: kernels with races, which it must catch, and without."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda

from aelearn.kernels.gpu import simulator

THREADS = 8


def run(function, *arguments, blocks=2):
    simulator.run(SimpleNamespace(py_func=function), blocks, THREADS, arguments)


def left(out):
    """Each thread reads what the one before it has written."""
    t = cuda.threadIdx.x
    s = cuda.shared.array(THREADS, np.float32)
    s[t] = t
    cuda.syncthreads()
    out[cuda.blockIdx.x, t] = s[t - 1 if t > 0 else THREADS - 1]


def left_without_a_barrier(out):
    t = cuda.threadIdx.x
    s = cuda.shared.array(THREADS, np.float32)
    s[t] = t
    out[cuda.blockIdx.x, t] = s[t - 1 if t > 0 else 0]


def right_in_place(out):
    t, last = cuda.threadIdx.x, THREADS - 1
    out[cuda.blockIdx.x, t] = out[cuda.blockIdx.x, t + 1 if t < last else 0] + 1


def between_blocks(out):
    out[cuda.blockIdx.x, cuda.threadIdx.x] = out[0, cuda.threadIdx.x] + 1


def a_barrier_for_some(out):
    if cuda.threadIdx.x < 4:
        cuda.syncthreads()


def past_the_end(out):
    out[cuda.blockIdx.x, cuda.threadIdx.x + 1] = 0


def two_on_a_line(out):
    t = cuda.threadIdx.x
    a, b = cuda.shared.array(THREADS, np.float32), cuda.shared.array(THREADS, np.float32)
    a[t], b[t] = t, 10 * t
    out[cuda.blockIdx.x, t] = a[t] + b[t]


def an_unknown_name(out):
    out[0, 0] = cuda.laneid


def two_grids(out):
    """Each thread writes its own entry; in `out` (2, THREADS), x counts columns and y rows."""
    x, y = cuda.grid(2)
    width, height = cuda.gridsize(2)
    out[y, x] = 100 * (cuda.grid(1) == x) + 10 * width + height


def striding(out):
    for i in range(cuda.grid(1), out.shape[0], cuda.gridsize(1)):
        out[i] = i


def four_axes(out):
    cuda.grid(4)


def test_a_kernel_without_races():
    out = np.zeros((2, THREADS), np.float32)
    run(left, out)
    assert out.tolist() == [[7, 0, 1, 2, 3, 4, 5, 6]] * 2
    run(two_on_a_line, out)
    assert out.tolist() == [[0, 11, 22, 33, 44, 55, 66, 77]] * 2


def test_what_the_simulator_does_not_know():
    with pytest.raises(AttributeError, match="this simulator has no cuda.laneid: it knows threadIdx, blockIdx"):
        run(an_unknown_name, np.zeros((2, THREADS)))


def test_a_thread_knows_its_position_in_the_grid():
    out = np.zeros((2, THREADS))
    simulator.run(SimpleNamespace(py_func=two_grids), (4, 1), (2, 2), [out])
    assert (out == 100 + 10 * THREADS + 2).all()
    long = np.zeros(5 * THREADS + 3)
    run(striding, long)
    assert long.tolist() == list(range(5 * THREADS + 3))
    with pytest.raises(ValueError, match="the number of axes is 1, 2 or 3; got 4"):
        run(four_axes, long)


@pytest.mark.parametrize("kernel", [left_without_a_barrier, right_in_place, between_blocks])
def test_races(kernel):
    for _ in range(2):  # it is reported every time
        with pytest.raises(RuntimeError, match=f"{kernel.__name__}: the outcome depends on the order of threads"):
            run(kernel, np.arange(2.0 * THREADS, dtype=np.float32).reshape(2, THREADS))


def test_barriers_and_bounds():
    with pytest.raises(RuntimeError, match="wait at different places"):
        run(a_barrier_for_some, np.zeros((2, THREADS)))
    with pytest.raises(IndexError):
        run(past_the_end, np.zeros((2, THREADS)))
