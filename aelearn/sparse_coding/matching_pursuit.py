"""Orthogonal matching pursuit: sparse codes with a given number of atoms, taken one by one.

Shapes: N samples, D features, K atoms, B rows of a block, S atoms taken.

The code z of a sample x should make |x - z @ dictionary| small with at most n_nonzero entries that are not 0. Finding
the best one would mean trying all choices of atoms. Each step of this method takes the atom that has the scalar product
of largest size with the residual, and then fits all atoms taken so far again, by least squares.

Only the scalar products of x with the atoms, and of the atoms with each other (the Gram matrix), are needed: so many
samples share most of the work ("Batch-OMP").

Sources: Pati, Rezaiifar and Krishnaprasad, "Orthogonal matching pursuit" (1993); Rubinstein, Zibulevsky and Elad,
"Efficient implementation of the K-SVD algorithm using batch orthogonal matching pursuit" (2008).
"""

import numpy as np

from aelearn.core.arrays import SAFE_FLOAT32, blocks, units_of_rows
from aelearn.core.validation import check_integer
from aelearn.sparse_coding.ista import check_pair, value_and_gap

MARGIN = 1000  # times the rounding of products and steps, (D + S) eps: anything up to that is negligible


def omp(X, dictionary, n_nonzero):
    """Codes (N, K) of X (N, D) by orthogonal matching pursuit, with at most n_nonzero entries that are not 0.

    dictionary  (K, D), atoms of length 1
    n_nonzero   from 1 to K. A pursuit stops earlier if the residual is 0

    Raises ValueError or TypeError unless the atoms have length 1 and n_nonzero is from 1 to K.
    """
    X, dictionary = check_pair(X, dictionary)
    n_nonzero = check_integer("n_nonzero", n_nonzero, 1, len(dictionary))
    units, codes = units_of_rows(X, SAFE_FLOAT32), np.zeros((len(X), len(dictionary)), X.dtype)  # (N, K)
    pursue(units.scale(X), dictionary, n_nonzero, codes)
    return units.unscale(codes)


def pursue(X, dictionary, n_nonzero, codes):
    """Put the codes that OMP finds into codes (N, K), in place, where they have a smaller residual than those there."""
    negligible = MARGIN * (dictionary.shape[1] + n_nonzero) * np.finfo(np.float64).eps
    dictionary = dictionary.astype(np.float64)  # (K, D)
    gram = dictionary @ dictionary.T  # (K, K)
    for rows in blocks(len(X), len(gram) * n_nonzero):
        x = X[rows].astype(np.float64)  # (B, D)
        products, squares = x @ dictionary.T, np.einsum("bd,bd->b", x, x)  # (B, K), (B,)
        taken, e_x, e_d = _take_atoms(products, squares, gram, n_nonzero, negligible)  # (B, S), (B, S), (B, S, K)
        left = squares - np.einsum("bs,bs->b", e_x, e_x)  # |residual|^2: (B,)
        left_before = 2 * value_and_gap(codes[rows].astype(np.float64), products, squares, gram, 0.0)[0]  # (B,)
        found, better = np.zeros_like(products), left < left_before  # (B, K), (B,)
        # After its end a pursuit may take an atom again, with a coefficient of 0: hence `add.at`.
        np.add.at(found, (np.arange(len(x))[:, None], taken), _coefficients(taken, e_x, e_d))
        codes[rows][better] = found[better]


def _take_atoms(products, squares, gram, n_nonzero, negligible):
    """The atoms that OMP takes for each sample of a block; all samples take their next atom at once.

    products (B, K) = x @ dictionary.T, squares (B,) = |x|^2, gram (K, K) = dictionary @ dictionary.T.

    The atoms taken define orthonormal directions e_1 .. e_S, one by one (Gram and Schmidt): the part of the atom taken
    that is orthogonal to the directions before it, scaled to length 1. They are never computed. Only their products
    with the sample and with all atoms are needed, which are returned with the indices of the atoms taken:

        taken (B, S)      e_x[b, s] = e_s . x  (B, S)      e_d[b, s, k] = e_s . d_k  (B, S, K)

    A pursuit is over if the residual is 0, or if the atom is a linear combination of those taken: when its product with
    the residual is negligible relative to the sample's length, or its new part relative to the atom's. From there on
    e_x and e_d are 0. (Atoms closer to each other would get codes with few correct digits.)
    """
    (n_samples, n_atoms), every = products.shape, np.arange(len(products))  # B, K, (B,)
    taken, e_x = np.zeros((n_samples, n_nonzero), int), np.zeros((n_samples, n_nonzero))  # (B, S), (B, S)
    e_d = np.zeros((n_samples, n_nonzero, n_atoms))  # (B, S, K)
    q, going = products.copy(), np.ones(n_samples, bool)  # residual @ dictionary.T (B, K), (B,)
    for s in range(n_nonzero):
        k = np.abs(q).argmax(axis=1)  # (B,)
        known = e_d[every, :s, k][:, None] @ e_d[:, :s]  # the part of atom k in e_1 .. e_(s-1), times d: (B, 1, K)
        new = gram[k] - known[:, 0]  # its new part, times d: (B, K)
        square = new[every, k]  # |its new part|^2: (B,)
        going &= (np.abs(q[every, k]) > negligible * np.sqrt(squares)) & (square > negligible)
        length = np.sqrt(np.where(going, square, 1))  # (B,)
        taken[:, s], e_x[:, s] = k, going * q[every, k] / length  # (B,), (B,)
        e_d[:, s] = going[:, None] * new / length[:, None]  # (B, K)
        q -= e_x[:, s, None] * e_d[:, s]  # (B, K)
    return taken, e_x, e_d


def _coefficients(taken, e_x, e_d):
    """The coefficient of each atom taken, z (B, S), by least squares; 0 after the end of a pursuit.

    The sample's part that the atoms explain is sum_s (e_s . x) e_s = sum_t z_t d_taken(t). Its product with e_s says

        sum_t triangle[s, t] z_t = e_s . x      triangle[s, t] = e_s . d_taken(t), which is 0 where t < s
    """
    triangle = np.triu(np.take_along_axis(e_d, taken[:, None, :], axis=2))  # (B, S, S)
    over = np.einsum("bss->bs", triangle) == 0  # (B, S)
    triangle += over[:, :, None] * np.eye(taken.shape[1])  # (B, S, S)
    return np.linalg.solve(triangle, e_x[:, :, None])[:, :, 0]  # (B, S)
