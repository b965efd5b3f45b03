"""Both algorithms against all permutations, and the bound that proves each result to be optimal."""

from itertools import permutations

import numpy as np
import pytest

from aelearn.assignment import linear_assignment, maximum_weight_matching


def best_sum(table):
    """The largest sum over min(C, K) pairs, by brute force."""
    small = table if table.shape[0] <= table.shape[1] else table.T
    return max(sum(small[i, j] for i, j in enumerate(p)) for p in permutations(range(small.shape[1]), len(small)))


SHAPES = [(1, 1), (3, 3), (2, 5), (5, 2), (4, 6), (6, 4), (1, 4), (5, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("largest", [1, 3, 1000])
def test_sparse_matching_against_all_permutations(rng, shape, largest):
    for _ in range(30):
        table = rng.integers(1, largest + 1, shape) * (rng.random(shape) < rng.random())  # with ties, and empty cells
        table = table[table.any(axis=1)]
        if table.size:
            rows, columns = np.nonzero(table)
            order = rng.permutation(len(rows))  # the order of the cells does not matter
            rows, columns = rows[order], columns[order]
            chosen = maximum_weight_matching(rows, columns, table[rows, columns])
            assert chosen.dtype == bool and chosen.shape == rows.shape
            assert len(set(rows[chosen])) == len(set(columns[chosen])) == np.count_nonzero(chosen)
            assert table[rows, columns][chosen].sum() == best_sum(table)


def test_sparse_matching_changes_nothing(rng):
    table = rng.integers(1, 9, (6, 7))
    rows, columns = np.nonzero(table)
    weights = table[rows, columns]
    for array in (rows, columns, weights):
        array.flags.writeable = False
    maximum_weight_matching(rows, columns, weights)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["floats", "ties", "equal", "huge", "tiny", "below 2^53"])
def test_dense_assignment_against_all_permutations(rng, shape, kind):
    for _ in range(10):
        cost = {"floats": rng.normal(size=shape), "ties": rng.integers(0, 3, shape), "equal": np.full(shape, -7),
                "huge": np.ldexp(rng.integers(-2**40, 2**40, shape).astype(float), 983),
                "tiny": np.ldexp(rng.integers(-99, 99, shape).astype(float), -1074),
                "below 2^53": rng.integers(2**53 - 3, 2**53, shape)}[kind]
        rows, columns = linear_assignment(cost)
        assert len(rows) == min(shape) and len(set(columns)) == len(columns) and (np.diff(rows) > 0).all()
        exact = np.array([[int(c) if c == int(c) else c for c in row] for row in cost.astype(float).tolist()], object) \
            if kind == "huge" else cost  # sums of Python integers do not overflow
        assert exact[rows, columns].sum() == pytest.approx(-best_sum(-exact), rel=1e-15 * 2 * min(shape), abs=0)


@pytest.mark.parametrize("cost, words", [
    ([[2**53 + 1, 2**53], [2**53, 2**53 + 2]], "2\\^53 or more"), ([[2**70, 1]], "2\\^53 or more"),
    (np.array([[-2**63, 0]]), "2\\^53 or more"), ([[np.inf, 1.0]], "infinity"), ([[np.nan, 1.0]], "NaN"),
    (np.empty((0, 3)), r"0 sample"), (np.empty((3, 0)), r"0 feature"), ([["a"]], "numbers"), ([1, 2], "2D array"),
])
def test_costs_that_cannot_be_compared(cost, words):
    with pytest.raises(ValueError, match=words):
        linear_assignment(cost)
