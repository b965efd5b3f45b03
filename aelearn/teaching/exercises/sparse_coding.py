"""The exercises of lesson 11. Shapes: N samples, B samples of a batch, D features, K atoms."""

import numpy as np

from aelearn.sparse_coding import dictionary_learning, ista
from aelearn.teaching.costs import Memory, NoLoop
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


def _left(x, z, dictionary):
    return ((x - z @ dictionary) ** 2).sum()


def _to_shrink(rng):
    """A vector, a matrix and more axes; entries on either side of 0, below and above the threshold, and the threshold
    itself."""
    threshold = float(rng.uniform(0.3, 1.5))
    near = threshold * np.array([0.0, 0.4, -0.7, 1.0, -1.3, 1.6, 2.5, -3.2])
    rows, columns = sizes(rng, 2, low=3)
    return [{"z": rng.permutation(near), "threshold": threshold},
            {"z": rng.permutation(np.resize(near, rows * columns)).reshape(rows, columns), "threshold": threshold},
            {"z": rng.permutation(near).reshape(2, 2, 2), "threshold": threshold}]


def _batch_and_codes(rng):
    """Codes that a gradient step moves to either side of the threshold, and of alpha; then random ones."""
    b, k = sizes(rng, 2, low=3)
    d = k + 1 if k + 1 != b else k + 2
    step, alpha = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.3, 0.8))
    z, dictionary = rng.normal(size=(b, k)), dictionary_learning.unit(np.eye(k, d) + 0.3 * rng.normal(size=(k, d)))
    moved = rng.permuted(np.resize([0.5, -0.7, 1.2, -1.5, 4, -6], b * k)).reshape(b, k) * step * alpha  # (B, K)
    left = (moved - z) / step @ np.linalg.pinv(dictionary.T)  # (B, D): left @ dictionary.T is (moved - z) / step
    return [{"x": left + z @ dictionary, "z": z, "dictionary": dictionary, "alpha": alpha, "step": step},
            {"x": 2 * rng.normal(size=(b, d)), "z": rng.normal(size=(b, k)), "dictionary": _atoms(rng, k, d),
             "alpha": alpha, "step": step}]


def _shrink_step(x, z, dictionary, alpha, step):
    return ista.soft_threshold(z + step * (x - z @ dictionary) @ dictionary.T, step * alpha)


def _batch_and_steps(rng, n_steps=(1, 2, 5)):
    """One step, two and five, too few for the codes to settle."""
    b, d, k = sizes(rng, 3, low=3)
    dictionary = _atoms(rng, k, d)
    step = float(rng.uniform(0.2, 0.5) / np.linalg.norm(dictionary, 2) ** 2)
    return [{"x": 3 * rng.normal(size=(b, d)), "dictionary": dictionary, "alpha": float(rng.uniform(0.1, 0.3)),
             "step": step, "n_steps": n} for n in n_steps]


def _large_batch(rng):
    """x takes 480 kB; the dictionary and an array (B, K) take 10 kB or less."""
    return {"x": 3 * rng.normal(size=(200, 300)), "dictionary": _atoms(rng, 4, 300), "alpha": 0.2, "step": 0.3,
            "n_steps": 3}


def _shrink_steps(x, dictionary, alpha, step, n_steps):
    """By the definition: n_steps steps, each with all products."""
    z = np.zeros((len(x), len(dictionary)))  # (B, K)
    for _ in range(n_steps):
        z = _shrink_step(x, z, dictionary, alpha, step)
    return z


def _layers(x, dictionary, alpha, step, n_steps, *, W=lambda A, step: step * A.T, R=lambda A, step: step * A @ A.T,
            threshold=None, start=0.0):
    """_shrink_steps as layers: shrink(x @ W + z - z @ R, threshold)."""
    z, every_W, every_R = np.full((len(x), len(dictionary)), start), W(dictionary, step), R(dictionary, step)
    for _ in range(n_steps):
        z = ista.soft_threshold(x @ every_W + z - z @ every_R, step * alpha if threshold is None else threshold)
    return z


def _fed_once(x, dictionary, alpha, step, n_steps):
    z = ista.soft_threshold(step * x @ dictionary.T, step * alpha)
    for _ in range(n_steps - 1):
        z = ista.soft_threshold(z - step * z @ dictionary @ dictionary.T, step * alpha)
    return z


def _shrunk_at_the_end(x, dictionary, alpha, step, n_steps):
    z = _layers(x, dictionary, alpha, step, n_steps, threshold=0)
    return ista.soft_threshold(z, step * alpha)


AXES = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 1]])
PLANE = np.array([[0, 1.0], [1, 0], [-1, 0]])
SAMPLES = (  # a sample and its atoms
    (np.array([-3.0, 0]), np.array([[-0.8, 0.6], [1.0, 0], [0.6, 0.8]])),  # the best product is negative
    (np.array([2.5, 0.5]), PLANE),  # two atoms are equally good
    (AXES[0] + 0.9 * AXES[1] + 1.2 * AXES[2], AXES),  # fitted together, the last one has the largest coefficient
    (np.array([4.0, 3]), np.array([[0.6, 0.8], [0.8, -0.6], [1, 0]])),  # signs of entries matter within a product
)


def _sample_and_atoms(rng):
    """Samples for which another measure than the absolute product finds another atom; and random ones."""
    k, d = sizes(rng, 2, low=3)
    dictionary = _atoms(rng, k, d)
    return [*({"x": x, "dictionary": atoms} for x, atoms in SAMPLES),
            {"x": 0.1 * dictionary[0] + 0.01 * rng.normal(size=d), "dictionary": dictionary},
            {"x": 3 * rng.normal(size=d), "dictionary": dictionary},
            {"x": -4 * dictionary[-1] + 0.01 * rng.normal(size=d), "dictionary": dictionary}]


def _first_atom(x, dictionary):
    products = dictionary @ x  # (K,)
    atom = np.abs(products).argmax()
    return atom, products[atom]


def _samples_and_atoms(rng):
    """Batches with samples of each of those kinds."""
    n, k, d = sizes(rng, 3, low=5, high=9)
    dictionary = _atoms(rng, k, d)
    X = np.concatenate([3 * rng.normal(size=(n - 3, d)), -4 * dictionary[-1:], 5 * dictionary[:2]])  # (N, D)
    ties = np.array([[2.5, 0.5], [0.5, -3], [-1, 0.25], [3, 0], [0, 4.5]])
    return [{"X": X, "dictionary": dictionary}, {"X": ties, "dictionary": PLANE}]


def _thousands_of_samples(rng):
    return {"X": rng.normal(size=(4000, 9)), "dictionary": _atoms(rng, 5, 9)}


def _best_atoms(X, dictionary):
    products = X @ dictionary.T  # (N, K)
    atoms = np.abs(products).argmax(axis=1)  # (N,)
    return atoms, products[np.arange(len(X)), atoms]


def _chosen(choose):
    """An answer to best_atoms: the atoms (N,) that `choose` finds in the products (N, K), and their products."""
    def answer(X, dictionary):
        products = X @ dictionary.T  # (N, K)
        atoms = choose(products)  # (N,)
        return atoms, products[np.arange(len(X)), atoms]
    return answer


def _last_of_the_best(values):
    """The index of the largest value, (K,) -> () or (N, K) -> (N,); of equal ones the last."""
    return values.shape[-1] - 1 - values[..., ::-1].argmax(axis=-1)


def _with_product(choose):
    """An answer to first_atom: the atom that choose(x, dictionary) finds, and its product with x."""
    def answer(x, dictionary):
        atom = choose(x, dictionary)
        return atom, dictionary[atom] @ x
    return answer


def _largest(codes):
    """The index of the code's entry (K,) of largest absolute value, and that entry."""
    atom = np.abs(codes).argmax()
    return atom, codes[atom]


EXERCISES = {
    "sparse_cost": Exercise(_sample_and_code, ("cost",), answer=_cost, mistakes={
        "the square has a factor of one half": lambda x, z, dictionary, alpha: (
            _left(x, z, dictionary) + alpha * np.abs(z).sum()),
        "each entry costs its absolute value: add those up": lambda x, z, dictionary, alpha: (
            _left(x, z, dictionary) / 2 + alpha * z.sum()),
        "the penalty is |z|, not its square": lambda x, z, dictionary, alpha: (
            _left(x, z, dictionary) / 2 + alpha * (z**2).sum()),
        "multiply the penalty by alpha": lambda x, z, dictionary, alpha: (
            _left(x, z, dictionary) / 2 + np.abs(z).sum()),
        "the residual counts with its square": lambda x, z, dictionary, alpha: (
            np.sqrt(_left(x, z, dictionary)) / 2 + alpha * np.abs(z).sum()),
        "the squares are added up: a sum, not a mean": lambda x, z, dictionary, alpha: (
            _left(x, z, dictionary) / len(x) / 2 + alpha * np.abs(z).sum()),
    }),
    "shrink": Exercise(_to_shrink, ("shrunk",), answer=ista.soft_threshold, blank="did you divide by 0?", mistakes={
        "entries below 0 move up, towards 0; yours all become 0": lambda z, threshold: np.maximum(z - threshold, 0),
        "an entry that is closer to 0 than the threshold stops at 0": lambda z, threshold: z - threshold * np.sign(z),
        "the large entries move by the threshold as well": lambda z, threshold: np.where(np.abs(z) > threshold, z, 0),
        "restore the sign: an entry below 0 does not end above it": lambda z, threshold: np.maximum(
            np.abs(z) - threshold, 0),
        "small entries become 0; they do not stay": lambda z, threshold: np.where(
            np.abs(z) > threshold, z - threshold * np.sign(z), z),
        "this is what is taken away; what is left?": lambda z, threshold: np.clip(z, -threshold, threshold),
    }),
    "shrink_step": Exercise(_batch_and_codes, ("codes",), answer=_shrink_step, mistakes={
        "a short step has a small threshold: step * alpha": lambda x, z, dictionary, alpha, step: ista.soft_threshold(
            z + step * (x - z @ dictionary) @ dictionary.T, alpha),
        "the residual is added: plus, not minus": lambda x, z, dictionary, alpha, step: ista.soft_threshold(
            z - step * (x - z @ dictionary) @ dictionary.T, step * alpha),
        "this is the gradient step alone: now shrink": lambda x, z, dictionary, alpha, step: (
            z + step * (x - z @ dictionary) @ dictionary.T),
        "start from z: add it before you shrink": lambda x, z, dictionary, alpha, step: ista.soft_threshold(
            step * (x - z @ dictionary) @ dictionary.T, step * alpha),
        "the residual is what z has not explained yet: x - z @ dictionary": lambda x, z, dictionary, alpha, step:
            ista.soft_threshold(z + step * x @ dictionary.T, step * alpha),
        "multiply the residual's products by the step": lambda x, z, dictionary, alpha, step: ista.soft_threshold(
            z + (x - z @ dictionary) @ dictionary.T, step * alpha),
    }),
    "shrink_steps": Exercise(
        _batch_and_steps, ("codes",), answer=_shrink_steps,
        costs=(Memory(_large_batch, lambda x, **others: 0.7 * x.nbytes),), mistakes={
            "that is one step too many": lambda x, dictionary, alpha, step, n_steps: _shrink_steps(
                x, dictionary, alpha, step, n_steps + 1),
            "that is one step too few": lambda x, dictionary, alpha, step, n_steps: _shrink_steps(
                x, dictionary, alpha, step, n_steps - 1),
            "x @ W is added in every step, not only in the first": _fed_once,
            "shrink in every step, not only after the last": _shrunk_at_the_end,
            "the threshold of each step is step * alpha": lambda x, dictionary, alpha, step, n_steps: _layers(
                x, dictionary, alpha, step, n_steps, threshold=alpha),
            "start from codes of zeros": lambda x, dictionary, alpha, step, n_steps: _layers(
                x, dictionary, alpha, step, n_steps, start=1.0),
        }),
    "first_atom": Exercise(_sample_and_atoms, ("index", "coefficient"), answer=_first_atom, mistakes={
        "a product of -5 explains more than one of 4: compare absolute values": _with_product(
            lambda x, dictionary: (dictionary @ x).argmax()),
        "the coefficient keeps its sign": lambda x, dictionary: (
            _first_atom(x, dictionary)[0], np.abs(dictionary @ x).max()),
        "if two atoms are equally good, take the lower index": _with_product(
            lambda x, dictionary: _last_of_the_best(np.abs(dictionary @ x))),
        "only one atom is used, so do not fit all of them together": lambda x, dictionary: _largest(
            np.linalg.lstsq(dictionary.T, x, rcond=None)[0]),
    }),
    "best_atoms": Exercise(
        _samples_and_atoms, ("indices", "coefficients"), answer=_best_atoms,
        costs=(NoLoop(_thousands_of_samples),), mistakes={
            "a product of -5 explains more than one of 4: compare absolute values": _chosen(
                lambda products: products.argmax(axis=1)),
            "the coefficients keep their signs": lambda X, dictionary: (
                _best_atoms(X, dictionary)[0], np.abs(X @ dictionary.T).max(axis=1)),
            "if two atoms are equally good, take the lower index": _chosen(
                lambda products: _last_of_the_best(np.abs(products))),
            "each sample has an atom of its own; yours all have the same": _chosen(
                lambda products: np.full(len(products), (products**2).sum(axis=0).argmax())),
        }),
}
