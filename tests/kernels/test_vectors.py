"""Each operation on vector registers does what NumPy does to arrays, whatever the width of the registers."""

import numba
import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features

from aelearn.kernels.cpu import vectors
from aelearn.kernels.cpu.compiling import compiled
from aelearn.kernels.cpu.vectors import (
    fma,
    full,
    lanes_of,
    less,
    load,
    load_part,
    power_of_two,
    register_bytes,
    select,
    splat,
    store,
    store_part,
    transpose,
)
from tests.kernels.threads import run

both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def lanes(dtype):
    return vectors.REGISTER_BYTES // np.dtype(dtype).itemsize


@compiled
def copy_whole(source, i, j, target, line):
    store(target, (1, 2), load(source, (i, j)))
    store(line, 3, load(source[i], j))
    return lanes_of(source)


@both
def test_whole_vectors_are_loaded_and_stored(rng, dtype):
    n = lanes(dtype)
    source, target, line = rng.random((3, n + 4)).astype(dtype), np.zeros((3, n + 4), dtype), np.zeros(n + 4, dtype)
    assert copy_whole(source, 2, 1, target, line) == n
    expected, expected_line = np.zeros_like(target), np.zeros_like(line)
    expected[1, 2:2 + n] = expected_line[3:3 + n] = source[2, 1:1 + n]
    np.testing.assert_array_equal(target, expected)
    np.testing.assert_array_equal(line, expected_line)


@compiled
def copy_part(source, i, n_read, n_written, target):
    store_part(target, (i, 1), n_written, load_part(source, (i, 2), n_read))


@both
def test_parts_of_vectors_leave_the_rest_alone(rng, dtype):
    """For every number of lanes, below 0 and above all of them as well."""
    most = lanes(dtype)
    source = rng.random((2, most + 4)).astype(dtype)
    for n_read in range(-2, most + 3):
        for n_written in range(-2, most + 3):
            target, expected = np.full((2, most + 4), np.nan, dtype), np.full((2, most + 4), np.nan, dtype)
            copy_part(source, 1, n_read, n_written, target)
            vector = np.zeros(most, dtype)
            vector[:max(n_read, 0)] = source[1, 2:2 + min(max(n_read, 0), most)]
            written = min(max(n_written, 0), most)
            expected[1, 1:1 + written] = vector[:written]
            np.testing.assert_array_equal(target, expected)


@compiled
def arithmetic(x, y, z, out):
    a, b, c = load(x, 0), load(y, 0), load(z, 0)
    store(out, (0, 0), a + b)
    store(out, (1, 0), a - b)
    store(out, (2, 0), a * b)
    store(out, (3, 0), a / b)
    store(out, (4, 0), fma(a, b, c))
    store(out, (5, 0), select(less(a, b), a, c))
    store(out, (6, 0), full(0.1, x))
    store(out, (7, 0), full(2, a))


@both
def test_arithmetic(rng, dtype):
    n = lanes(dtype)
    x, y, z = rng.normal(size=(3, n)).astype(dtype)
    x[1] = np.nan
    out = np.zeros((8, n), dtype)
    arithmetic(x, y, z, out)
    exact = [x + y, x - y, x * y, x / y, out[4], np.where(x < y, x, z), np.full(n, 0.1, dtype), np.full(n, 2, dtype)]
    np.testing.assert_array_equal(out, exact)
    np.testing.assert_allclose(out[4], x.astype(float) * y + z, rtol=0, atol=8 * np.finfo(dtype).eps * (
        np.abs(x * y) + np.abs(z))[np.arange(n) != 1].max())


@compiled
def spread(source, i, j, out):
    store(out, 0, splat(source, (i, j)))


@both
def test_splat_reads_from_any_layout(rng, dtype):
    wide = rng.random((8, 9)).astype(dtype)
    for source in (wide, wide.T, wide[::2, ::3], wide[::-1]):
        out = np.zeros(lanes(dtype), dtype)
        spread(source, 3, 2, out)
        np.testing.assert_array_equal(out, source[3, 2])


@compiled
def powers(x, power, whole):
    for i in range(0, len(x), lanes_of(x)):
        left = len(x) - i
        p, n = power_of_two(load_part(x, i, left))
        store_part(power, i, left, p)
        store_part(whole, i, left, n)


@both
def test_powers_of_two_are_exact(dtype):
    most = np.finfo(dtype).maxexp
    numbers = np.arange(2 - most, most)
    for offset in (0, 0.25, -0.4):
        power, whole = np.zeros(len(numbers), dtype), np.zeros(len(numbers), dtype)
        powers((numbers + offset).astype(dtype), power, whole)
        np.testing.assert_array_equal(whole, numbers)
        np.testing.assert_array_equal(power, np.ldexp(dtype(1), numbers))


@compiled
def turn(source, i, j, target, k, m):
    transpose(source, (i, j), target, (k, m))


@both
def test_a_block_is_transposed_and_nothing_else_changes(rng, dtype):
    n = lanes(dtype)
    source, target = rng.random((n + 3, n + 5)).astype(dtype), np.zeros((n + 4, n + 2), dtype)
    turn(source, 2, 4, target, 3, 1)
    expected = np.zeros_like(target)
    expected[3:3 + n, 1:1 + n] = source[2:2 + n, 4:4 + n].T
    np.testing.assert_array_equal(target, expected)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="NumPy's arrays may be of any dtype")
def test_other_numbers_are_refused():
    with pytest.raises(numba.TypingError, match="a vector register holds float32 or float64 here; got int64"):
        spread(np.ones((2, 2), int), 0, 0, np.zeros(16))


def test_the_width_follows_from_the_features():
    assert register_bytes("+sse2,+avx,+avx2,+avx512f") == 64
    assert register_bytes("+sse2,+avx,+avx2,-avx512f") == register_bytes("+avx") == 32
    assert register_bytes("+sse2,-avx") == register_bytes("+neon") == register_bytes("") == 16


PRODUCTS = """
import numpy as np
from aelearn.kernels.cpu import vectors
from aelearn.kernels.cpu.compiling import room
from aelearn.kernels.cpu.matmul import matmul
rng = np.random.default_rng(0)
for n, k, m in ((7, 300, 70), (33, 31, 9)):
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    for right in (b, np.asfortranarray(b)):
        assert np.abs(matmul(a, right) - a @ b).max() < 100 * k * np.finfo(np.float32).eps
room(8, a)
print(vectors.REGISTER_BYTES, *room.stats.cache_hits.values())
"""


def test_each_processor_has_kernels_of_its_own(tmp_path):
    """Numba's cache tells them apart: the second run finds those of the first, a run for another processor none."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(PRODUCTS, **cache) == f"{vectors.REGISTER_BYTES}\n"
    assert run(PRODUCTS, **cache) == f"{vectors.REGISTER_BYTES} 1\n"
    others = {16: {"NUMBA_CPU_NAME": "generic"}}
    if "+avx512f" in get_host_cpu_features():
        others[32] = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi2,+popcnt,+sse4.2"}
    for width, environment in others.items():
        assert run(PRODUCTS, **cache, **environment) == f"{width}\n"
