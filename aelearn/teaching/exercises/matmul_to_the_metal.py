"""The exercises of lesson 7. Shapes: a (N, K), b (K, M)."""

import numpy as np

from aelearn.teaching.costs import Faster, Memory, NoLoop
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def _factors(rng):
    """Random ones; a single row; a sum of a single term."""
    n, k, m = sizes(rng, 3, low=3, high=8)
    return [_product(rng, n, k, m), _product(rng, 1, k, m), _product(rng, n, 1, m)]


def _product(rng, n, k, m):
    """Numbers large enough that not all of them are cut off to zero by an array of integers."""
    factors = {"a": 4 * rng.normal(size=(n, k)), "b": 4 * rng.normal(size=(k, m))}
    np.full((n, m), np.nan)  # what np.empty((N, M)) finds in memory should not happen to be zeros
    return factors


def _loops(a, b, start=0.0, terms=slice(None), shared=False, dtype=float):
    """The product by its definition, with the mistakes that its arguments stand for.

    start   of each sum
    terms   a slice of the terms that are added
    shared  True: the sums are never set back to `start`
    """
    c, total = np.zeros((len(a), b.shape[1]), dtype), start
    for i in range(len(a)):
        for j in range(b.shape[1]):
            total = total if shared else start
            for p in range(a.shape[1])[terms]:
                total += a[i, p] * b[p, j]
            c[i, j] = total
    return c


def _without_a_fraction(a, b):
    c = np.zeros((len(a), b.shape[1]), int)
    for i, p, j in np.ndindex(*a.shape, b.shape[1]):
        c[i, j] += a[i, p] * b[p, j]
    return c


EMPTY = "does c start from np.zeros? np.empty leaves whatever was in memory"
LOOPS_MISTAKES = {
    "only the last term is left: does each term replace the one before?":
        lambda a, b: _loops(a, b, terms=slice(-1, None)),
    "the last term is missing: where does the loop over p end?": lambda a, b: _loops(a, b, terms=slice(-1)),
    "the first term is missing: where does the loop over p start?": lambda a, b: _loops(a, b, terms=slice(1, None)),
    "each sum goes on from the one before: where is it set to 0?": lambda a, b: _loops(a, b, shared=True),
    "an array of integers cuts off all fractions: what is the dtype of c?": _without_a_fraction,
}


def _tall(rng):
    """A product whose rows, and whose sums, are so short that no NumPy call on one of them saves much."""
    return numbers(rng, a=(4000, 4), b=(4, 4))


def _long_rows(rng):
    return numbers(rng, a=(10, 10), b=(10, 1000))


def _last_row_of_b_only(a, b):
    return np.outer(a[:, -1], b[-1])


def _tile(rng):
    """In the first one, each typical mistake leads to a number of its own."""
    rows, columns = sizes(rng, 2, high=9)
    return [{"rows": 3, "columns": 5}, {"rows": rows, "columns": columns}, {"rows": 1, "columns": 1},
            {"rows": 6, "columns": 32}]


def _operations(rows, columns):
    return 2 * rows * columns / (rows + columns)


def _factors_and_size(rng):
    """Blocks that divide the sum and blocks that do not: several, one, and one that is larger than all of it."""
    n, k, m = sizes(rng, 3, low=3)
    return [{**_product(rng, n, 3 * k + 1, m), "size": size} for size in (k, 1, 3, 3 * k + 1, 40)]


def _blocks(a, b, size):
    return ((a[:, p:p + size], b[p:p + size]) for p in range(0, len(b), size))


def _one_at_a_time(answer, a, b, size):
    """Call an answer with an iterator of the blocks."""
    return answer(_blocks(a, b, size))


def _many_blocks(rng):
    """Two hundred blocks, each made when its turn comes: 1.3 MB in all."""
    return {"blocks": ((rng.normal(size=(8, 50)), rng.normal(size=(50, 8))) for _ in range(200))}


def _sum(blocks):
    return sum(a @ b for a, b in blocks)


def _without_the_rest(a, b, size):
    whole = len(b) // size * size
    return a[:, :whole] @ b[:whole]


def _without_the_first(blocks):
    next(blocks)
    return _sum(blocks)


EXERCISES = {
    "multiply": Exercise(_factors, ("c",), answer=lambda a, b: a @ b, mistakes=LOOPS_MISTAKES, blank=EMPTY),
    "multiply_compiled": Exercise(_factors, ("c",), answer=lambda a, b: a @ b, mistakes=LOOPS_MISTAKES, blank=EMPTY,
                                  costs=(Faster(_tall, _loops, "three loops in Python", 50),)),
    "multiply_by_rows": Exercise(
        _factors, ("c",), answer=lambda a, b: a @ b, blank=EMPTY, mistakes={
            "only the last row of b is left: does each row replace the one before?": _last_row_of_b_only,
            "the last row of b is missing: where does the loop over p end?": lambda a, b: a[:, :-1] @ b[:-1],
            "row i of c is a sum of rows of b, each times its own a[i, p]":
                lambda a, b: a.sum(axis=1, keepdims=True) * b.sum(axis=0),
            "an array of integers cuts off all fractions: what is the dtype of c?": _without_a_fraction},
        costs=(NoLoop(_long_rows, lines=2000),)),
    "operations_per_number": Exercise(_tile, ("operations",), answer=_operations, mistakes={
        "a multiply-add is two operations": lambda rows, columns: _operations(rows, columns) / 2,
        "each number is loaded once and used for the whole tile, not loaded for each multiply-add":
            lambda rows, columns: 2 * rows * columns / (2 * rows * columns),
        "the sums stay in registers until the end: they are not moved":
            lambda rows, columns: 2 * rows * columns / (rows + columns + rows * columns),
        "the numbers of a are loaded, too": lambda rows, columns: 2 * rows,
        "per number, not per byte": lambda rows, columns: _operations(rows, columns) / 4,
        "// cuts off the fraction": lambda rows, columns: 2 * rows * columns // (rows + columns)}),
    "multiply_in_blocks": Exercise(_factors_and_size, ("c",), answer=lambda a, b, size: a @ b, blank=EMPTY, mistakes={
        "the terms after the last whole block are missing": _without_the_rest,
        "only the first block is in it: where are the others?": lambda a, b, size: a[:, :size] @ b[:size],
        "only the last block is left: does each block replace the one before?":
            lambda a, b, size: list(_blocks(a, b, size))[-1][0] @ list(_blocks(a, b, size))[-1][1],
        "a[:, ::size] takes every size-th column: a block is a[:, p:p + size]":
            lambda a, b, size: a[:, ::size] @ b[::size]}),
    "product_in_one_pass": Exercise(
        _factors_and_size, ("c",), answer=lambda a, b, size: a @ b, call=_one_at_a_time, mistakes={
            "only the first block is in it: does the loop end too early?": lambda blocks: np.matmul(*next(blocks)),
            "only the last block is left: does each block replace the one before?":
                lambda blocks: np.matmul(*list(blocks)[-1]),
            "the first block is missing: does next() take it away?": _without_the_first},
        costs=(Memory(_many_blocks, lambda blocks: 100_000),)),
}
