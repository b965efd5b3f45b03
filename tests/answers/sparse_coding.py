"""Right answers to the exercises of lesson 11, and typical mistakes."""

import numpy as np


def sparse_cost(x, z, dictionary, alpha):
    residual = x - sum(amount * atom for amount, atom in zip(z, dictionary))
    return 0.5 * residual @ residual + alpha * np.linalg.norm(z, 1)


def shrink(z, threshold):
    return np.maximum(z - threshold, 0) - np.maximum(-z - threshold, 0)


def shrink_step(x, z, dictionary, alpha, step):
    W, R = step * dictionary.T, np.eye(len(dictionary)) - step * dictionary @ dictionary.T
    return shrink(x @ W + z @ R, step * alpha)


def first_atom(x, dictionary):
    products = [float(atom @ x) for atom in dictionary]
    best = max(range(len(products)), key=lambda k: abs(products[k]))
    return best, products[best]


RIGHT = (sparse_cost, shrink, shrink_step, first_atom)
MISTAKES = [  # exercise, answer, what the line says
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() + alpha * np.abs(z).sum(),
     "cost: yours"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() / 2 + alpha * z.sum(),
     "cost: yours"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() / 2 + alpha * (z**2).sum(),
     "cost: yours"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() / 2 + np.abs(z).sum(),
     "cost: yours"),
    ("sparse_cost", lambda x, z, dictionary, alpha: 2 * sparse_cost(x, z, dictionary, alpha),
     "cost: yours.*; every entry is off by the factor 2"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - dictionary @ z) ** 2).sum() / 2 + alpha * np.abs(z).sum(),
     r"it raised ValueError.*in a product the inner sizes are \d and \d: must one factor be transposed\?"),
    ("sparse_cost", lambda x, z, dictionary, alpha: (x - z @ dictionary) ** 2 / 2 + alpha * np.abs(z).sum(),
     "its shape is"),
    ("shrink", lambda z, threshold: np.maximum(z - threshold, 0), "shrunk: .* wrong"),
    ("shrink", lambda z, threshold: z - threshold * np.sign(z), "shrunk: .* wrong"),
    ("shrink", lambda z, threshold: np.where(np.abs(z) > threshold, z, 0), "shrunk: .* wrong"),
    ("shrink", lambda z, threshold: z / (1 + threshold), "shrunk: .* wrong"),
    ("shrink", lambda z, threshold: np.maximum(np.abs(z) - threshold, 0), "shrunk: .* wrong"),
    ("shrink", lambda z, threshold: -shrink(z, threshold), "shrunk: .*every entry has the wrong sign"),
    ("shrink", lambda z, threshold: z / np.abs(z) * np.maximum(np.abs(z) - threshold, 0),
     r"shrunk: .* not finite.*; did you divide by 0\?"),
    ("shrink", lambda z, threshold: z.__imul__(np.abs(z) > threshold), "it changes its input z: work on a copy"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(
        z + step * (x - z @ dictionary) @ dictionary.T, alpha), r"codes: \d+ of \d+ .*wrong"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(
        z - step * (x - z @ dictionary) @ dictionary.T, step * alpha), r"codes: \d+ of \d+ .*wrong"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: z + step * (x - z @ dictionary) @ dictionary.T,
     r"codes: \d+ of \d+ .*wrong"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(step * x @ dictionary.T, step * alpha),
     r"codes: \d+ of \d+ .*wrong"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(
        z + step * (x - z @ dictionary) @ dictionary, step * alpha),
     "it raised ValueError.*must one factor be transposed"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink_step(x, z, dictionary, alpha, step).T,
     "its shape is .*: it is transposed"),
    ("first_atom", lambda x, dictionary: (np.argmax(dictionary @ x), (dictionary @ x).max()), "atom: yours"),
    ("first_atom", lambda x, dictionary: (((x - dictionary) ** 2).sum(axis=1).argmin(), first_atom(x, dictionary)[1]),
     "atom: yours .*; amount: right"),
    ("first_atom", lambda x, dictionary: (first_atom(x, dictionary)[0], np.abs(dictionary @ x).max()),
     "amount: yours .*; atom: right"),
    ("first_atom", lambda x, dictionary: first_atom(x, dictionary)[0], "it should return atom, amount; it returns one"),
    ("first_atom", lambda x, dictionary: first_atom(x, dictionary)[::-1], "your atom is what amount should be"),
    ("first_atom", lambda x, dictionary: (first_atom(x, dictionary)[0], dictionary @ x), "its shape is"),
]
