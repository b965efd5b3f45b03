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


def shrink_steps(x, dictionary, alpha, step, n_steps):
    first = step * (x @ dictionary.T)
    z = np.zeros_like(first)
    for _ in range(n_steps):
        z = shrink(first + z - step * (z @ (dictionary @ dictionary.T)), step * alpha)
    return z


def step_by_step(x, dictionary, alpha, step, n_steps):
    z = np.zeros((len(x), len(dictionary)))
    for _ in range(n_steps):
        z = shrink(z + step * (x - z @ dictionary) @ dictionary.T, step * alpha)
    return z


def first_atom(x, dictionary):
    products = [float(atom @ x) for atom in dictionary]
    best = max(range(len(products)), key=lambda k: abs(products[k]))
    return best, products[best]


def best_atoms(X, dictionary):
    products = dictionary @ X.T
    atoms = (products**2).argmax(axis=0)
    return atoms, np.einsum("nd,nd->n", X, dictionary[atoms])


def sample_by_sample(X, dictionary):
    return tuple(map(np.array, zip(*(first_atom(x, dictionary) for x in X))))


RIGHT = (sparse_cost, shrink, shrink_step, shrink_steps, first_atom, best_atoms)
WRONG = r"\d+ of \d+ (is|are) wrong"
MISTAKES = [  # exercise, answer, what the line says
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() / 2 + alpha * (z != 0).sum(),
     r"cost: yours [-\d.]+, expected [\d.]+; for x of shape"),
    ("sparse_cost", lambda x, z, dictionary, alpha: 2 * sparse_cost(x, z, dictionary, alpha),
     "cost: yours.*; it is off by the factor 2"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - dictionary @ z) ** 2).sum() / 2 + alpha * np.abs(z).sum(),
     r"it raised ValueError.*in a product the inner sizes are \d and \d: must one factor be transposed\?"),
    ("sparse_cost", lambda x, z, dictionary, alpha: (x - z @ dictionary) ** 2 / 2 + alpha * np.abs(z).sum(),
     "it should be a single number"),
    ("sparse_cost", lambda x, z, dictionary, alpha: ((x - z @ dictionary) ** 2).sum() / 2 + alpha * np.abs(z),
     "it should be a single number"),
    ("shrink", lambda z, threshold: z / (1 + threshold), f"shrunk: {WRONG}"),
    ("shrink", lambda z, threshold: np.where(z > threshold, z - threshold, z + threshold), f"shrunk: {WRONG}"),
    ("shrink", lambda z, threshold: -shrink(z, threshold), "shrunk: .*every entry has the wrong sign"),
    ("shrink", lambda z, threshold: z / np.abs(z) * np.maximum(np.abs(z) - threshold, 0),
     r"shrunk: 1 of 8 is not finite.*; did you divide by 0\?"),
    ("shrink", lambda z, threshold: z.__imul__(np.abs(z) > threshold), "it changes its input z: work on a copy"),
    ("shrink", lambda z, threshold: np.array([shrink(entry, threshold).sum() for entry in z]), "its shape is"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(z, step * alpha) + step * (
        x - z @ dictionary) @ dictionary.T, f"codes: {WRONG}"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(
        z + step * (x - z @ dictionary) @ dictionary.T, step), f"codes: {WRONG}"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: np.maximum(
        z + step * (x - z @ dictionary) @ dictionary.T - step * alpha, 0), f"codes: {WRONG}"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(step * x @ dictionary.T, step * alpha),
     f"codes: {WRONG}"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink(
        z + step * (x - z @ dictionary) @ dictionary, step * alpha),
     "it raised ValueError.*must one factor be transposed"),
    ("shrink_step", lambda x, z, dictionary, alpha, step: shrink_step(x, z, dictionary, alpha, step).T,
     "its shape is .*: it is transposed"),
    ("shrink_steps", step_by_step, r"it returns the right result, but needs \d\S* MB for it; 0.336 are enough"),
    ("shrink_steps", lambda x, dictionary, alpha, step, n_steps: shrink_steps(x, dictionary, alpha, step, 10),
     f"codes: {WRONG}"),
    ("shrink_steps", lambda x, dictionary, alpha, step, n_steps: shrink_steps(x, dictionary, 0.0, step, n_steps),
     f"codes: {WRONG}"),
    ("shrink_steps", lambda x, dictionary, alpha, step, n_steps: shrink_steps(x, dictionary, alpha, step / 2, n_steps),
     f"codes: ({WRONG}|every entry is off by the factor)"),
    ("shrink_steps", lambda x, dictionary, alpha, step, n_steps: shrink_steps(x, dictionary, alpha, step, n_steps).T,
     "its shape is .*: it is transposed"),
    ("first_atom", lambda x, dictionary: (((x - dictionary) ** 2).sum(axis=1).argmin(), first_atom(x, dictionary)[1]),
     "index: a product of -5 explains more than one of 4: compare absolute values; right: coefficient"),
    ("first_atom", lambda x, dictionary: (np.abs(dictionary @ x).argmin(), 0.0),
     "index: yours .*; also wrong: coefficient"),
    ("first_atom", lambda x, dictionary: (float(first_atom(x, dictionary)[0]), first_atom(x, dictionary)[1]),
     r"index: it should be an integer; yours is a floating-point number \(float64\); right: coefficient"),
    ("first_atom", lambda x, dictionary: first_atom(x, dictionary)[0],
     "it should return index, coefficient; it returns one"),
    ("first_atom", lambda x, dictionary: first_atom(x, dictionary)[::-1], "your index is what coefficient should be"),
    ("first_atom", lambda x, dictionary: (first_atom(x, dictionary)[0], dictionary @ x),
     "coefficient: it should be a single number; yours has the shape"),
    ("best_atoms", sample_by_sample, r"it returns the right result, but runs [\d,]+ lines of Python for it: where is"),
    ("best_atoms", lambda X, dictionary: (np.abs(X @ dictionary.T).argmax(axis=0), X @ dictionary.T), "its shape is"),
    ("best_atoms", lambda X, dictionary: (best_atoms(X, dictionary)[0], (X @ dictionary.T).max(axis=1)),
     "coefficients: a product of -5 explains more than one of 4: compare absolute values; right: indices"),
    ("best_atoms", lambda X, dictionary: (best_atoms(X, dictionary)[0],
                                          (X @ dictionary.T)[:, best_atoms(X, dictionary)[0]]),
     r"coefficients: its shape is \((\d), \1\) instead of \(\1,\); right: indices"),
    ("best_atoms", lambda X, dictionary: best_atoms(X, dictionary)[::-1],
     "your indices is what coefficients should be"),
]
