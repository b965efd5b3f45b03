"""The exercises of lesson 7. Shapes: a (N, K), b (K, M)."""

from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def _factors(rng):
    n, k, m = sizes(rng, 3)
    return numbers(rng, a=(n, k), b=(k, m))


def _factors_and_size(rng):
    n, k, m = sizes(rng, 3)
    return [{**numbers(rng, a=(n, 3 * k + 1), b=(3 * k + 1, m)), "size": size} for size in (1, 3, k, 3 * k + 1, 40)]


def _tile(rng):
    rows, terms = sizes(rng, 2, high=9)
    return {"rows": rows, "terms": terms}


EXERCISES = {
    "multiply": Exercise(_factors, ("c",), answer=lambda a, b: a @ b),
    "multiply_by_rows": Exercise(_factors, ("c",), answer=lambda a, b: a @ b),
    "operations_per_number": Exercise(_tile, ("operations",),
                                      answer=lambda rows, terms: 2 * rows * terms / (terms + 2 * rows)),
    "multiply_in_blocks": Exercise(_factors_and_size, ("c",), answer=lambda a, b, size: a @ b),
}
