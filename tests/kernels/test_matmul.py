"""Every rung of the ladder gives the same product, and the last one takes whatever a user brings."""

import numpy as np
import pytest

from aelearn.kernels import get
from aelearn.kernels.cpu.matmul import RUNGS
from tests.kernels.threads import outputs
from tests.small import affordable

matmul = get("numba").matmul
SHAPES = [(1, 1, 1), (3, 2, 5), (7, 4, 9), (8, 8, 16), (9, 5, 17), (48, 784, 128), (33, 31, 513), (16, 1100, 300),
          (65, 3, 31)]  # (N, K, M): below, at and beyond the edges of tiles and blocks
SHAPES = affordable(SHAPES, lambda n, k, m: n * k * m)


def factors(rng, n, k, m, dtype):
    return rng.normal(size=(n, k)).astype(dtype), rng.normal(size=(k, m)).astype(dtype)


def assert_product(c, a, b):
    exact = a.astype(np.float64) @ b.astype(np.float64)
    worst = np.finfo(c.dtype).eps * a.shape[1] * np.abs(a).max(initial=0) * np.abs(b).max(initial=0)
    assert c.dtype == a.dtype and np.abs(c - exact).max(initial=0) <= 2 * worst


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, k, m", SHAPES)
def test_every_rung_gives_the_same_product(rng, n, k, m, dtype):
    a, b = factors(rng, n, k, m, dtype)
    found = []
    for rung in RUNGS:
        c = np.full((n, m), np.nan, dtype)
        rung(a, b, c)
        assert_product(c, a, b)
        found.append(c)
    for left in (a, np.asfortranarray(a)):
        for right in (b, np.asfortranarray(b)):
            found.append(matmul(left, right))
    for c in found[3:]:  # tiles, blocks and layouts differ, but not the order in which the terms of an entry are added
        np.testing.assert_array_equal(c, found[-1])


def layouts(array):
    """The same matrix, lying in memory in different ways."""
    n, m = array.shape
    wide = np.zeros((2 * n, 3 * m), array.dtype)
    wide[::2, ::3] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    return [array, np.asfortranarray(array), wide[::2, ::3], array[::-1].copy()[::-1], read_only]


def test_any_layout(rng):
    a, b = factors(rng, 13, 21, 18, np.float32)
    expected = matmul(a, b)
    assert_product(expected, a, b)
    for left in layouts(a):
        for right in layouts(b):
            np.testing.assert_allclose(matmul(left, right), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("n, k, m", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)])
def test_nothing_to_multiply(n, k, m):
    np.testing.assert_array_equal(matmul(np.ones((n, k)), np.ones((k, m))), np.zeros((n, m)))


def test_nan_and_infinity_pass_through(rng):
    a, b = factors(rng, 9, 6, 20, np.float32)
    a[2, 3], b[4, 5] = np.nan, np.inf
    c, expected = matmul(a, b), a @ b
    np.testing.assert_array_equal(np.isnan(c), np.isnan(expected))
    np.testing.assert_array_equal(np.isposinf(c), np.isposinf(expected))


def test_out(rng):
    a, b = factors(rng, 9, 6, 20, np.float32)
    out = np.empty((9, 20), np.float32)
    assert matmul(a, b, out) is out and np.array_equal(out, matmul(a, b))
    wide = np.zeros((18, 40), np.float32)
    assert np.array_equal(matmul(a, b, wide[::2, ::2]), out) and np.array_equal(wide[::2, ::2], out)
    assert not wide[1::2].any() and not wide[:, 1::2].any()


def test_bad_input_is_refused(rng):
    a, b = factors(rng, 4, 4, 4, np.float32)
    for bad, error, words in [((a, b.astype(np.float64)), TypeError, "float32 and float64"),
                              ((a.astype(int), b.astype(int)), TypeError, "two float32 or two float64"),
                              ((a, b[:3]), ValueError, r"\(4, 4\) and \(3, 4\)"),
                              ((a, b[0]), ValueError, "shapes"),
                              ((a, b, np.empty((4, 5), np.float32)), ValueError, r"shape \(4, 4\)"),
                              ((a, b, np.empty((4, 4))), ValueError, "dtype float32; got .* float64"),
                              ((a, b, [[0.0] * 4] * 4), ValueError, "list"),
                              ((a, b, a), ValueError, "shares memory"),
                              ((a, b[::-1], b), ValueError, "shares memory")]:
        with pytest.raises(error, match=words):
            matmul(*bad)
    out = np.empty((4, 4), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        matmul(a, b, out)


DIGEST = """
import hashlib, numpy as np
from aelearn.kernels import get
rng, digest = np.random.default_rng(0), hashlib.sha256()
for n, k, m in [(48, 784, 128), (784, 48, 128), (100, 1500, 300)]:
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    for left, right in [(a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))]:
        digest.update(get("numba").matmul(left, right))
print(digest.hexdigest())
"""


def test_the_same_bits_on_any_number_of_threads():
    assert len(set(outputs(DIGEST, (1, 2, 4)))) == 1
