"""A matrix in CSR form against the same matrix as an array, and against SciPy's where that is installed."""

import numpy as np
import pytest

from aelearn.spectral.sparse import CSRMatrix
from tests.small import rounding


def csr(W):
    """An array (N, N) as a CSRMatrix."""
    rows, columns = np.nonzero(W)
    return CSRMatrix(W[rows, columns], columns, np.searchsorted(rows, np.arange(len(W) + 1)))


@pytest.fixture
def dense(rng):
    """A symmetric array (50, 50), most of it 0, with two rows of zeros."""
    W = np.where(rng.random((50, 50)) < 0.1, rng.random((50, 50)), 0)
    W[[3, 49]] = W[:, [3, 49]] = 0
    return W + W.T


def test_the_example_of_its_module():
    W = csr(np.array([[1, 1, 0], [1, 1, 0.5], [0, 0.5, 1]]))
    assert W.data.tolist() == [1, 1, 1, 1, 0.5, 0.5, 1] and W.indices.tolist() == [0, 1, 0, 1, 2, 1, 2]
    assert W.indptr.tolist() == [0, 2, 5, 7] and W.rows.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_it_is_its_array(dense, rng):
    W, x = csr(dense), rng.normal(size=(50, 3))
    assert len(W) == 50 and np.array_equal(W.toarray(), dense)
    np.testing.assert_allclose(W @ x, dense @ x, atol=rounding(50, dense @ np.abs(x)))
    for axis in (0, 1):
        np.testing.assert_allclose(W.sum(axis=axis), dense.sum(axis=axis), rtol=rounding(50))
    assert np.array_equal((W * 0.5).toarray(), dense * 0.5)
    assert np.array_equal(W.with_data(-W.data).toarray(), -dense)


def test_entries_of_rows_and_blocks(dense):
    W, rows, columns = csr(dense), np.array([7, 0, 3, 49, 20]), np.array([20, 3, 8, 1])
    entries, owner = W.entries_of(rows)
    assert np.array_equal(W.rows[entries], rows[owner])
    assert np.bincount(owner, minlength=5).tolist() == [np.count_nonzero(dense[row]) for row in rows]
    assert np.array_equal(W.block(rows, columns), dense[np.ix_(rows, columns)])


def test_scipy_names_the_same_arrays(dense):
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed (extra: peers)")
    W, theirs = csr(dense), sparse.csr_matrix(dense)
    for name in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(W, name), getattr(theirs, name))


def test_its_name_in_version_1():
    from aelearn.graphs import Edges

    assert Edges is CSRMatrix
