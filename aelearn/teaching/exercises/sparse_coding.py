"""The exercises of lesson 11. Shapes: B samples, D features, K atoms."""

import numpy as np

from aelearn.sparse_coding import dictionary_learning, ista
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _atoms(rng, n_atoms, n_features):
    return dictionary_learning.unit(rng.normal(size=(n_atoms, n_features)))


def _sample_and_code(rng):
    """The code has entries of both signs, one of them large, and a 0."""
    k, d = sizes(rng, 2, low=3)
    z = rng.normal(size=k)
    z[:3] = 0, -rng.uniform(2, 3), rng.uniform(0.5, 1)
    return {"x": rng.normal(size=d), "z": z, "dictionary": _atoms(rng, k, d), "alpha": float(rng.uniform(0.3, 0.9))}


def _cost(x, z, dictionary, alpha):
    return dictionary_learning.objective(x[None], dictionary, z[None], alpha)


def _to_shrink(rng):
    """A vector and a matrix; entries on either side of 0, below and above the threshold, and the threshold itself."""
    threshold = float(rng.uniform(0.3, 1.5))
    near = threshold * np.array([0.0, 0.4, -0.7, 1.0, -1.3, 1.6, 2.5, -3.2])
    return [{"z": rng.permutation(near), "threshold": threshold},
            {"z": rng.normal(size=sizes(rng, 2)), "threshold": threshold}]


def _batch_and_codes(rng):
    """Codes that one step changes a lot: some entries become 0, some do not."""
    b, d, k = sizes(rng, 3, low=3)
    step = float(rng.uniform(0.2, 0.6))
    return {"x": 2 * rng.normal(size=(b, d)), "z": rng.normal(size=(b, k)), "dictionary": _atoms(rng, k, d),
            "alpha": float(rng.uniform(0.3, 0.8)), "step": step}


def _shrink_step(x, z, dictionary, alpha, step):
    return ista.soft_threshold(z + step * (x - z @ dictionary) @ dictionary.T, step * alpha)


def _sample_and_atoms(rng):
    """Random ones; and samples that point away from the best atom, or are nearer to another."""
    k, d = sizes(rng, 2, low=3)
    dictionary = _atoms(rng, k, d)
    corner = np.array([[1.0, 0], [0.6, 0.8], [0, -1.0]])
    return [{"x": 3 * rng.normal(size=d), "dictionary": dictionary},
            {"x": np.array([0.1, 2.5]), "dictionary": corner},
            {"x": -4 * dictionary[-1] + 0.01 * rng.normal(size=d), "dictionary": dictionary}]


def _first_atom(x, dictionary):
    products = dictionary @ x
    atom = np.abs(products).argmax()
    return atom, products[atom]


EXERCISES = {
    "sparse_cost": Exercise(_sample_and_code, ("cost",), answer=_cost),
    "shrink": Exercise(_to_shrink, ("shrunk",), answer=ista.soft_threshold, blank="did you divide by 0?"),
    "shrink_step": Exercise(_batch_and_codes, ("codes",), answer=_shrink_step),
    "first_atom": Exercise(_sample_and_atoms, ("atom", "amount"), answer=_first_atom),
}
