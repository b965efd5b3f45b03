"""Blocks, distances, and the one policy for size: units keep every digit, at the ends of a dtype as well."""

import doctest
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from aelearn.core import arrays
from aelearn.core.arrays import (
    BLOCK_ENTRIES,
    NEAR_1,
    SAFE,
    SAFE_FLOAT32,
    Unit,
    blocks,
    in_safe_units,
    squared_distances,
    unit_of,
    units_of_columns,
    units_of_rows,
    with_room,
)

ENDS = {np.float32: [3e38, 1e20, 1.0, 1e-20, 1e-38, 1e-45], np.float64: [1.7e308, 1e160, 1.0, 1e-160, 1e-308, 5e-324]}
SIZES = [(dtype, size) for dtype, sizes in ENDS.items() for size in sizes]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def of_size(rng, size, dtype, shape=(9, 4)):
    """Random numbers of both signs whose largest has this size."""
    X = rng.uniform(-1, 1, shape)
    return (X / np.abs(X).max() * size).astype(dtype)


def test_the_example():
    assert doctest.testmod(arrays).attempted > 2 and doctest.testmod(arrays).failed == 0


@pytest.mark.parametrize("n_samples, n_columns, at_least", [(0, 3, 1), (1, 1, 1), (10, 10 * BLOCK_ENTRIES, 1),
                                                            (1000, 3000, 1), (1000, 3000, 77)])
def test_blocks_cover_each_row_once(n_samples, n_columns, at_least):
    found = blocks(n_samples, n_columns, at_least)
    assert [n for rows in found for n in range(rows.start, rows.stop)] == list(range(n_samples))
    assert all(rows.stop - rows.start == max(at_least, BLOCK_ENTRIES // n_columns) for rows in found[:-1])


def test_squared_distances_by_hand():
    assert squared_distances(np.array([[0.0, 3], [4, 0]]), np.array([0.0, 0])).tolist() == [9, 16]
    assert squared_distances(np.array([[0.0, 3], [4, 0]]), np.array([[1.0, 3], [0, 1]])).tolist() == [1, 17]


@pytest.mark.parametrize("dtype, size", SIZES)
@pytest.mark.parametrize("make", [lambda X: unit_of(X, limit=1), units_of_rows, units_of_columns], ids=["all", "rows",
                                                                                                  "columns"])
def test_a_unit_keeps_every_digit(rng, dtype, size, make):
    X = of_size(rng, size, dtype)
    unit = make(X)
    scaled = unit.scale(X)
    assert scaled.dtype == dtype and np.array_equal(unit.unscale(scaled), X)
    assert scaled.shape == X.shape and np.array_equal(np.sign(scaled), np.sign(X))


@pytest.mark.parametrize("dtype, size", SIZES)
def test_how_large_numbers_are_in_their_unit(rng, dtype, size):
    X = of_size(rng, size, dtype)
    assert 0.5 <= np.abs(unit_of(X, limit=1).scale(X)).max() < 1
    assert 0.5 <= np.abs(unit_of(X / 8, X, limit=1).scale(X)).max() < 1
    columns = np.abs(units_of_columns(X).scale(X)).max(axis=0)
    assert ((columns >= 0.5) & (columns < 1) | ~X.any(axis=0)).all()
    for limit in (SAFE, SAFE_FLOAT32):
        sizes = np.abs(units_of_rows(X, limit).scale(X).astype(np.float64)).max(axis=1)
        assert ((1 / limit < sizes) & (sizes < limit) | ~X.any(axis=1)).all()


def test_ordinary_numbers_have_the_unit_1(rng):
    X = of_size(rng, 1.0, np.float64)
    for limit in (NEAR_1, SAFE_FLOAT32, SAFE):
        for size in (1.1 / limit, 1.0, 0.9 * limit):
            assert not unit_of(X * size, limit=limit) and unit_of(X, limit=limit).scale(X) is X
        for size in (0.9 / limit, 1.1 * limit):
            assert unit_of(X * size, limit=limit) and unit_of(X, X * 1.1 * limit, limit=limit)
    assert not unit_of(np.zeros(3)) and not unit_of(np.zeros(3), limit=1)
    assert not units_of_rows(np.zeros((3, 2))) and not units_of_columns(np.zeros((3, 2)))


def test_squares_have_the_square_of_the_unit():
    unit = unit_of(np.array([3e200, 2e200]))
    scaled = unit.scale(np.array([3e200, 2e200]))
    assert unit.unscale(scaled @ scaled, power=2) == np.inf  # 1.3e401
    assert unit.unscale(unit.scale(7e300, power=2), power=2) == 7e300
    small = unit_of(np.array([3e-100]))
    assert small.unscale(small.scale(np.array([3e-100])) ** 2, power=2) == np.array([3e-100]) ** 2


def test_floats_stay_floats_and_arrays_their_dtype():
    for unit in (Unit(0), Unit(900), Unit(-900)):
        assert type(unit.scale(2.5)) is float and unit.unscale(unit.scale(2.5)) == 2.5
        assert unit.scale(np.ones(2, np.float32)).dtype == np.float32


def test_what_leaves_the_dtype_is_infinite_or_0():
    assert Unit(-2000).scale(np.array([1.0, -1.0, 0.0])).tolist() == [np.inf, -np.inf, 0]
    assert Unit(2000).scale(1.0) == 0 and Unit(2000).unscale(1.0) == np.inf


def test_equal_units():
    assert Unit(3) == Unit(3) != Unit(4) and Unit(np.array([[1], [2]])) == Unit(np.array([[1], [2]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_has_its_unit_whatever_the_others_are(rng, dtype):
    X = np.concatenate([of_size(rng, size, dtype, (3, 4)) for size in ENDS[dtype]])
    X[4] = 0
    units = units_of_rows(X, SAFE_FLOAT32)
    for n, x in enumerate(X):
        assert np.array_equal(units_of_rows(x[None], SAFE_FLOAT32).exponent, units.exponent[n:n + 1])
    groups = units.groups()
    assert 1 < len(groups) <= len(ENDS[dtype]) + 2
    counted, together = np.zeros(len(X), int), np.empty_like(X)
    for rows, unit in groups:
        counted[rows] += 1
        together[rows] = unit.scale(X[rows])
    assert (counted == 1).all() and np.array_equal(together, units.scale(X))


def test_one_group_is_no_copy(rng):
    X = rng.normal(size=(5, 2))
    (rows, unit), = units_of_rows(X).groups()
    assert not unit and X[rows].base is X


@pytest.mark.parametrize("dtype, size", SIZES)
def test_safe_units_square_far_and_near(rng, dtype, size):
    X = of_size(rng, size, dtype, (6, 3))
    X[0] = X[1]
    safe = in_safe_units(X)
    assert safe.dtype == np.float64
    squared = squared_distances(safe, safe[0])
    assert np.isfinite(squared).all() and np.array_equal(squared > 0, (X != X[0]).any(axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_have_room(dtype):
    top = np.finfo(dtype).max
    X = np.array([[1, 2, 3], [top, top, -top], [top, top, top], [1, -1, 1]], dtype)
    asked = []

    def compute(x, unit):
        asked.append(len(x))
        return unit.unscale(unit.scale(x).sum(axis=1, keepdims=True))

    assert with_room(compute, X, 3).tolist() == [[6], [top], [np.inf], [1]]
    assert asked == [4, 2]  # again for those two rows alone


def test_one_file_deals_with_exponents():
    package = Path(arrays.__file__).parent.parent
    topics = ("kmeans", "pca", "sparse_coding", "density", "mixture")
    folders = [path for name in topics for path in (package / name).glob("*.py")]
    for path in [*folders, *(package / f"{name}.py" for name in ("metrics", "assignment", "core/validation"))]:
        assert not re.search(r"ldexp|frexp|exponents?\b", path.read_text()), path
