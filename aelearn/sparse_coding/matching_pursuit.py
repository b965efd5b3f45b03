"""Orthogonal matching pursuit: sparse codes with a given number of atoms, taken one by one.

Shapes: N samples, D features, K atoms, B rows of a block, S atoms taken.

The code z of a sample x is to make |x - z @ dictionary| small with at most n_nonzero entries that are not 0. To find
the best would mean to try all choices of atoms. This takes at each step the atom that has the largest product with the
residual, what is left of the sample, and then fits all atoms taken so far anew, by least squares.

Of x only its products with the atoms are needed, and of the atoms those with each other, the Gram matrix: so many
samples share most of the work ("Batch-OMP").

Sources: Pati, Rezaiifar and Krishnaprasad, "Orthogonal matching pursuit" (1993); Rubinstein, Zibulevsky and Elad,
"Efficient implementation of the K-SVD algorithm using batch orthogonal matching pursuit" (2008).
"""

import numpy as np

from aelearn.core.arrays import blocks
from aelearn.core.validation import check_integer
from aelearn.sparse_coding.ista import check_pair, size_exponents, unscaled, value_and_gap

ROOM = 1000  # times the rounding of products and steps, (D + S) eps: what is no more than that is not worth a code


def omp(X, dictionary, n_nonzero):
    """Codes (N, K) of X (N, D) by orthogonal matching pursuit, with at most n_nonzero entries that are not 0.

    Again and again it takes the atom that has the largest product with what is left of the sample, and then fits
    all atoms taken so far anew, by least squares. It stops early where nothing is left.

    Raises ValueError or TypeError unless the atoms have length 1 and n_nonzero is from 1 to K.
    """
    X, dictionary = check_pair(X, dictionary)
    n_nonzero = check_integer("n_nonzero", n_nonzero, 1, len(dictionary))
    exponents, codes = size_exponents(X)[:, None], np.zeros((len(X), len(dictionary)), X.dtype)  # (N, 1), (N, K)
    pursue(np.ldexp(X, -exponents) if exponents.any() else X, dictionary, n_nonzero, codes)
    return unscaled(codes, exponents)


def pursue(X, dictionary, n_nonzero, codes):
    """Put the codes that OMP finds into codes (N, K), in place, where they leave less of a sample than those there.

    All samples of a block take their next atom at once. From the atoms taken come orthonormal directions e_1 .. e_S,
    one by one (Gram and Schmidt): of the atom, what the directions before it do not explain, at length 1. They are
    never made; their products with all atoms d_k, e_s . d_k, are all that is wanted. A pursuit is over where nothing is
    left of the sample, or where the atom is a sum of those taken: to ROOM (D + S) eps, as a share of the sample's
    length or of the atom's square. (Atoms closer to each other would get codes of which few digits are true.)
    """
    nothing = ROOM * (dictionary.shape[1] + n_nonzero) * np.finfo(np.float64).eps
    dictionary = dictionary.astype(np.float64)  # (K, D)
    gram = dictionary @ dictionary.T  # (K, K)
    for rows in blocks(len(X), len(gram) * n_nonzero):
        x = X[rows].astype(np.float64)  # (B, D)
        products, squares = x @ dictionary.T, np.einsum("bd,bd->b", x, x)  # (B, K), (B,)
        q = products.copy()  # the residual's products with all atoms: (B, K)
        reach = np.zeros((len(x), n_nonzero, len(gram)))  # e_s . d_k: (B, S, K)
        along, taken = np.zeros((len(x), n_nonzero)), np.zeros((len(x), n_nonzero), int)  # e_s . x, k: (B, S), (B, S)
        every, going = np.arange(len(x)), np.ones(len(x), bool)  # (B,), (B,)
        for s in range(n_nonzero):
            k = np.abs(q).argmax(axis=1)  # (B,)
            direction = gram[k] - (reach[every, None, :s, k] @ reach[:, :s])[:, 0]  # times its length: (B, K)
            square = direction[every, k]  # of that length: (B,)
            going &= (np.abs(q[every, k]) > nothing * np.sqrt(squares)) & (square > nothing)
            length = np.sqrt(np.where(going, square, 1))  # (B,)
            reach[:, s] = going[:, None] * direction / length[:, None]  # (B, K); 0 where the pursuit is over
            taken[:, s], along[:, s] = k, going * q[every, k] / length  # (B,), (B,)
            q -= along[:, s, None] * reach[:, s]  # (B, K)
        # The z_t are to make sum_t z_t d_taken(t) = sum_s along_s e_s; times e_s: sum_t triangle[s, t] z_t = along_s.
        triangle = np.triu(np.take_along_axis(reach, taken[:, None, :], axis=2))  # (B, S, S)
        over = np.einsum("bss->bs", triangle) == 0  # (B, S): steps after the pursuit's end
        triangle += over[:, :, None] * np.eye(n_nonzero)  # their z is 0
        z = np.linalg.solve(triangle, along[:, :, None])[:, :, 0]  # (B, S)
        before = value_and_gap(codes[rows].astype(np.float64), products, squares, gram, 0.0)[0]  # (B,)
        better = squares - np.einsum("bs,bs->b", along, along) < 2 * before  # (B,)
        found = np.zeros_like(q)  # (B, K)
        np.add.at(found, (every[:, None], taken), z)  # a step after the end may name an atom again, and adds 0
        codes[rows][better] = found[better]
