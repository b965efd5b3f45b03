"""Nearest neighbours by definition on both back ends, whatever rounding does to the table of distances."""

import numpy as np
import pytest

from aelearn import kernels
from aelearn.spectral import neighbors
from aelearn.spectral.neighbors import nearest_neighbors, smallest

pytestmark = pytest.mark.linear_algebra

LINE = np.array([[0.0], [1.0], [3.0]])


def test_neighbours_by_hand():
    assert nearest_neighbors(LINE, 2).tolist() == [[0, 1], [1, 0], [2, 1]]


def far_apart(rng, offset, n_features, dtype):
    """Three groups of 40 points with the spread 1, `offset` apart."""
    return (rng.normal(size=(120, n_features)) + offset * (np.arange(120) % 3)[:, None]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 3, 60])
@pytest.mark.parametrize("offset", [0, 1e3, 1e8, 1e12, 1e15, 1e30])
def test_neighbours_in_groups_far_apart(rng, offset, n_features, dtype, monkeypatch):
    X = far_apart(rng, offset, n_features, dtype)
    squares = ((X[:, None].astype(float) - X) ** 2).sum(axis=2)  # (N, N)
    np.fill_diagonal(squares, -1)
    wanted = squares.argsort(axis=1, kind="stable")
    for backend in ("numba", "numpy"):
        monkeypatch.setattr(neighbors, "load_backend", lambda name, backend=backend: backend)
        for k in (1, 7, 40):  # all of a group
            assert np.array_equal(nearest_neighbors(X, k), wanted[:, :k])
        # Sums of D squares, in another order of summation: the other groups' points may be as far to rounding.
        found = np.take_along_axis(squares, nearest_neighbors(X, 120), axis=1)
        np.testing.assert_allclose(found, np.sort(squares, axis=1), rtol=n_features * np.finfo(float).eps)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_neighbours_of_any_size(rng, scale):
    X = rng.normal(size=(20, 2)) * scale
    assert np.array_equal(nearest_neighbors(X, 4), nearest_neighbors(X / scale, 4))


def test_one_point_at_the_end_of_float64_changes_nothing_for_the_others(rng):
    X = np.concatenate([rng.normal(size=(50, 2)), [[1e300, -1e300]]])
    assert np.array_equal(nearest_neighbors(X, 9)[:50], nearest_neighbors(X[:50], 9))


@pytest.mark.parametrize("offset", [0, 1e8, 1e15])
def test_ties_go_to_the_lower_number(rng, offset):
    X = rng.integers(0, 4, size=(100, 2)) + offset * (np.arange(100) % 2)[:, None]  # exact, and full of ties
    squares = ((X[:, None] - X) ** 2).sum(axis=2)
    np.fill_diagonal(squares, -1)
    assert np.array_equal(nearest_neighbors(X, 20), squares.argsort(axis=1, kind="stable")[:, :20])


@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (40, 2, 40), (300, 3, 7), (513, 30, 10)])
def test_neighbours_by_definition_on_both_back_ends(rng, n, d, k, monkeypatch):
    X = rng.normal(size=(n, d))
    wanted = ((X[:, None] - X[None]) ** 2).sum(axis=2).argsort(axis=1)[:, :k]
    for backend in ("numba", "numpy"):
        monkeypatch.setattr(neighbors, "load_backend", lambda name, backend=backend: backend)
        assert np.array_equal(nearest_neighbors(X, k), wanted)


@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (17, 2, 17), (513, 5, 10), (1025, 10, 3), (300, 47, 70)])
def test_differences_on_all_cores_find_the_same(rng, n, d, k, monkeypatch):
    """What many points of few features take, here with few points: whole and partial tiles, ties, any size."""
    for X in (rng.normal(size=(n, d)), rng.integers(0, 3, (n, d)).astype(np.float32), rng.normal(size=(n, d)) * 1e-200):
        wanted = nearest_neighbors(X, k)
        monkeypatch.setattr(neighbors, "MANY", 1)
        assert np.array_equal(nearest_neighbors(X, k), wanted)
        monkeypatch.undo()
    with pytest.raises(ValueError, match=f"k must be from 1 to {n}"):
        kernels.get("numba").nearest(X, n + 1)


@pytest.mark.parametrize("many", [1, 10_000])
def test_a_point_comes_before_its_duplicates(many, monkeypatch):
    monkeypatch.setattr(neighbors, "MANY", many)
    found = nearest_neighbors(np.zeros((6, 2)), 3)
    assert (found[:, 0] == np.arange(6)).all() and all(len(set(row)) == 3 for row in found.tolist())


def test_smallest_keeps_the_order_of_ties():
    assert smallest(np.array([[2.0, 1, 1, 0, 1]]), 4).tolist() == [[3, 1, 2, 4]]
    assert kernels.get("numba").smallest(np.array([[2.0, 1, 1, 0, 1]]), 4).tolist() == [[3, 1, 2, 4]]


@pytest.mark.parametrize("call, error, words", [
    (lambda: nearest_neighbors(LINE, 4), ValueError, "n_neighbors .* from 1 to 3"),
    (lambda: nearest_neighbors(LINE, 1.5), TypeError, "n_neighbors"),
    (lambda: nearest_neighbors([1, 2], 1), ValueError, "2D array"),
])
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
