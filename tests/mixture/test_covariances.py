"""Scatter by its definition, for any blocks and far from 0, and what can be chosen freely."""

import numpy as np
import pytest

from aelearn.mixture.covariances import (
    KINDS,
    SCATTER_ERROR,
    n_free,
    row_blocks,
    scatter_diagonals,
    scatter_matrices,
    weighted_sums,
)
from tests.small import rounding

pytestmark = pytest.mark.linear_algebra

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scatter_by_its_definition_whatever_the_blocks(rng, dtype, monkeypatch):
    X, r = rng.normal(size=(50, 3)).astype(dtype), rng.random((50, 2))
    r[::3, 0] = 0
    means = r.T @ X.astype(np.float64) / r.sum(axis=0)[:, None]
    wanted = np.zeros((2, 3, 3))
    for n in range(50):
        for k in range(2):
            wanted[k] += r[n, k] * np.outer(X[n] - means[k], X[n] - means[k])
    for entries in (1 << 17, 20, 1):
        monkeypatch.setattr("aelearn.core.arrays.BLOCK_ENTRIES", entries)
        error = rounding(50, r.sum(axis=0) * 4 * np.square(X).max())
        np.testing.assert_allclose(scatter_matrices(X, r, means), wanted, atol=error)
        sums, squares = weighted_sums(X, r, squares=True)
        np.testing.assert_allclose(sums / r.sum(axis=0)[:, None], means, atol=rounding(50, np.abs(X)))
        np.testing.assert_allclose(scatter_diagonals(X, r, means, squares), np.diagonal(wanted, axis1=1, axis2=2),
                                   rtol=len(X) * EPS / SCATTER_ERROR + rounding(50))
        assert weighted_sums(X, r, squares=False)[1] is None
    assert len(row_blocks(X)) == 50


def test_free_numbers():
    assert [n_free(kind, 2, 3) for kind in KINDS] == [12, 6, 6, 2]
