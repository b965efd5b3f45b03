"""Right answers to the exercises of lesson 7, and typical mistakes."""

import numba
import numpy as np


def multiply(a, b):
    return np.array([[np.dot(row, column) for column in b.T] for row in a])


@numba.njit
def multiply_compiled(a, b):
    c = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    return c


def multiply_by_rows(a, b):
    return np.array([sum(x * row for x, row in zip(weights, b)) for weights in a])


def operations_per_number(rows, columns):
    return 2 / (1 / rows + 1 / columns)


def multiply_in_blocks(a, b, size):
    return sum(a[:, p:p + size] @ b[p:p + size] for p in range(0, len(b), size))


def product_in_one_pass(blocks):
    a, b = next(blocks)
    c = a @ b
    for a, b in blocks:
        c += a @ b
    return c


def forgets_to_add(a, b):
    c = np.zeros((len(a), b.shape[1]))
    for i, j, p in np.ndindex(*c.shape, len(b)):
        c[i, j] = a[i, p] * b[p, j]
    return c


def never_zero_at_first(a, b):
    c = np.empty((len(a), b.shape[1]))
    for i, j, p in np.ndindex(*c.shape, len(b)):
        c[i, j] += a[i, p] * b[p, j]
    return c


def of_lists(blocks):
    a, b = zip(*blocks)
    return np.hstack(a) @ np.vstack(b)


RIGHT = (multiply, multiply_compiled, multiply_by_rows, operations_per_number, multiply_in_blocks, product_in_one_pass)
MISTAKES = [  # exercise, answer, what the line says
    ("multiply_in_blocks", lambda a, b, size: sum(a[:, p:p + size - 1] @ b[p:p + size - 1]
                                                  for p in range(0, len(b), size)), r"c: \d+ of \d+ are wrong"),
    ("product_in_one_pass", lambda blocks: product_in_one_pass(blocks) / 4,
     r"c: every entry is off by the factor 0.25; at"),
    ("operations_per_number", lambda rows, columns: [operations_per_number(rows, columns), None],
     "operations: it should be a number; it is a list in which there is None$"),
    ("multiply", forgets_to_add, "only the last term is left"),
    ("multiply", never_zero_at_first, r"not finite.*np.empty|are wrong"),
    ("multiply", lambda a, b: (a @ b).T, r"its shape is .*: it is transposed"),
    ("multiply", lambda a, b: a.T @ b, "in a product the inner sizes are"),
    ("multiply", lambda a, b: a @ b + 1, r"c: \d+ of \d+ .*wrong"),
    ("multiply_compiled", multiply_by_rows, r"only \d.* times as fast as three loops in Python; aim at 50 times"),
    ("multiply_compiled", forgets_to_add, "only the last term is left"),
    ("multiply_compiled", numba.njit(lambda a, b: np.zeros((a.shape[0], b.shape[1]))), "c: it is 0 everywhere"),
    ("multiply_by_rows", multiply, r"runs \d\d+,\d\d\d lines of Python for it: where is the loop"),
    ("multiply_by_rows", lambda a, b: np.zeros((len(a), b.shape[1])), "c: it is 0 everywhere"),
    ("multiply_by_rows", lambda a, b: a * b, "it raised ValueError.*the shapes .* do not fit"),
    ("operations_per_number", lambda rows, columns: 2 * rows * columns, "operations: yours 30, expected 3.75"),
    ("operations_per_number", lambda rows, columns: round(operations_per_number(rows, columns), 2),
     "operations: yours"),
    ("operations_per_number", lambda rows, columns: 1 / operations_per_number(rows, columns), "operations: yours"),
    ("multiply_in_blocks", lambda a, b, size: a[:size] @ b, r"its shape is|yours|wrong|inner sizes"),
    ("multiply_in_blocks", lambda a, b, size: -multiply_in_blocks(a, b, size), "every entry has the wrong sign"),
    ("multiply_in_blocks", lambda a, b, size: a @ b[:size], "in a product the inner sizes are"),
    ("product_in_one_pass", of_lists, r"it returns the right result, but needs \d.* MB for it; 0.1 are enough"),
    ("product_in_one_pass", lambda blocks: len(blocks), "it raised TypeError"),
    ("product_in_one_pass", lambda blocks: [a @ b for a, b in blocks], "its shape is"),
]
