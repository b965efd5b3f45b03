"""The ladder of matrix products on the GPU against NumPy."""

import itertools

import numpy as np
import pytest

from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.matmul import RUNGS, climb, matmul

pytestmark = pytest.mark.gpu
SIZES = (1, 15, 16, 17, 33)
SHAPES = list(itertools.product(SIZES, repeat=3))


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_rung(rng, rung, dtype):
    for n, k, m in SHAPES if dtype == np.float32 else SHAPES[::7]:
        a, b = rng.normal(size=(n, k)).astype(dtype), rng.normal(size=(k, m)).astype(dtype)
        c = device.upload(np.full((n, m), np.nan, dtype))
        climb(rung, device.upload(a), device.upload(b), c)
        np.testing.assert_allclose(device.download(c), a @ b, rtol=0, atol=4 * k * np.finfo(dtype).eps,
                                   err_msg=f"{n} x {k} x {m}")


@pytest.mark.parametrize("n, k, m", SHAPES[::12])
@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: np.hstack([x, x])[:, ::2], lambda x: x[::-1]],
                         ids=["Fortran", "columns", "backwards"])
def test_any_layout(rng, n, k, m, layout):
    a, b = rng.normal(size=(n, k)), rng.normal(size=(k, m))
    for x, y in ((layout(a), b), (a, layout(b)), (layout(a), layout(b))):
        n_rows = min(x.shape[1], y.shape[0])
        x, y = x[:, :n_rows], y[:n_rows]
        np.testing.assert_allclose(matmul(x, y), x @ y, rtol=0, atol=1e-12)


def test_out_and_empty_products(rng):
    a, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
    out = np.full((3, 5), np.nan).T
    assert matmul(a, b, out) is out
    np.testing.assert_allclose(out, a @ b)
    assert matmul(a[:0], b).shape == (0, 3) and np.array_equal(matmul(a[:, :0], b[:0]), np.zeros((5, 3)))


def test_bad_arguments(rng):
    a = rng.normal(size=(5, 5))
    for arguments, error, words in (((a, a[:4]), ValueError, "needs shapes"), ((a, a, a), ValueError, "shares memory"),
                                    ((a, a.astype("f")), TypeError, "float32"), ((a, a, a[:2]), ValueError, "shape")):
        with pytest.raises(error, match=words):
            matmul(*arguments)
