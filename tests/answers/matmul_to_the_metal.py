"""Right answers to the exercises of lesson 7, and typical mistakes."""

import numpy as np


def multiply(a, b):
    return np.array([[np.dot(row, column) for column in b.T] for row in a])


def multiply_by_rows(a, b):
    return np.array([sum(x * row for x, row in zip(weights, b)) for weights in a])


def operations_per_number(rows, terms):
    return 2 / (1 / rows + 2 / terms)


def multiply_in_blocks(a, b, size):
    return sum(a[:, p:p + size] @ b[p:p + size] for p in range(0, len(b), size))


def forgets_to_add(a, b):
    c = np.zeros((len(a), b.shape[1]))
    for i, j, p in np.ndindex(*c.shape, len(b)):
        c[i, j] = a[i, p] * b[p, j]
    return c


RIGHT = (multiply, multiply_by_rows, operations_per_number, multiply_in_blocks)
MISTAKES = [  # exercise, answer, what the line says
    ("multiply", forgets_to_add, r"c: \d+ of \d+ .*wrong"),
    ("multiply", lambda a, b: (a @ b).T, r"its shape is .*: it is transposed"),
    ("multiply", lambda a, b: a.T @ b, "in a product the inner sizes are"),
    ("multiply", lambda a, b: a @ b + 1, r"c: \d+ of \d+ .*wrong"),
    ("multiply_by_rows", forgets_to_add, r"c: \d+ of \d+ .*wrong"),
    ("multiply_by_rows", lambda a, b: np.zeros((len(a), b.shape[1])), "c: .*it is 0 everywhere"),
    ("multiply_by_rows", lambda a, b: a * b, "it raised ValueError.*the shapes .* do not fit"),
    ("operations_per_number", lambda rows, terms: rows * terms / (terms + 2 * rows), "off by the factor 0.5"),
    ("operations_per_number", lambda rows, terms: 2 * rows * terms / (terms + rows), "operations: yours"),
    ("operations_per_number", lambda rows, terms: 2 * rows * terms, "operations: yours"),
    ("multiply_in_blocks", lambda a, b, size: a[:, :size] @ b[:size], r"c: \d+ of \d+ .*wrong"),
    ("multiply_in_blocks", lambda a, b, size: multiply_in_blocks(a[:, :len(b) // size * size],
                                                                  b[:len(b) // size * size], size),
     "c: .* wrong|its shape is"),
    ("multiply_in_blocks", lambda a, b, size: a[:, ::size] @ b[::size], r"c: \d+ of \d+ .*wrong"),
]
