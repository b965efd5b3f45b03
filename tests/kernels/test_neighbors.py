"""The compiled choice of the nearest against its NumPy twin: the same places, ties included."""

import numpy as np
import pytest

from aelearn.kernels import cpu
from aelearn.spectral import neighbors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 33), (31, 2), (5, 784), (256, 48)])
def test_it_is_its_twin(rng, shape, dtype):
    for table in (rng.normal(size=shape), rng.integers(0, 4, shape), -np.sort(rng.normal(size=shape)), np.ones(shape)):
        table = table.astype(dtype)
        for k in {1, min(2, shape[1]), shape[1] // 2 + 1, shape[1]}:
            got, wanted = cpu.smallest(table, k), neighbors.smallest(table, k)
            assert np.array_equal(got, wanted) and got.dtype == wanted.dtype
            assert np.array_equal(cpu.smallest(np.asfortranarray(table), k), wanted)
