"""Dictionary learning: find atoms of which all samples are linear combinations with sparse codes.

Shapes: N samples, D features, K atoms, U samples that use an atom, B rows of a block.

Codes (N, K) and a dictionary (K, D) of atoms of length 1 should minimise

    F(codes, dictionary) = 1/2 |X - codes @ dictionary|^2 + alpha |codes|_1

(for OMP, the first term alone, with few nonzero entries in each code). Like k-means, this alternates between two steps,
neither of which can raise F: better codes for the dictionary (ista.py, matching_pursuit.py), then a better dictionary
for the codes. There are two ways to do the second: MOD updates all atoms at once, by least squares; K-SVD updates one
after another, each together with its own column of the codes. An atom that no code uses can be changed without changing
F: it is set to the residual of the sample that is explained worst.

Sources: Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code for natural
images" (1996); Engan, Aase and Husoy, "Method of optimal directions for frame design" (1999); Aharon, Elad and
Bruckstein, "K-SVD" (2006), section IV; Rubinstein, Zibulevsky and Elad, "Efficient implementation of the K-SVD
algorithm using batch orthogonal matching pursuit" (2008): the approximate K-SVD.
"""

import numpy as np

from aelearn.core.arrays import SAFE, blocks, rounding
from aelearn.sparse_coding.ista import soft_threshold

SMALLEST = 1 / SAFE  # the length of a row that counts as 0: its square is near the smallest number of float64


def mod(X, codes, dictionary, alpha=0.0):
    """The method of optimal directions: all atoms at once. Returns a dictionary (K, D); rescales codes (N, K) in place.

    With Z and A, the codes and the dictionary so far, the new one is the least-squares dictionary (Engan et al.). Its
    atoms are divided by their lengths and the codes multiplied by them, which leaves the product as it is:

        A_new = (Z.T Z)^-1 Z.T X          A_k <- A_k / |A_k|,  Z_k <- |A_k| Z_k

    With a penalty, longer atoms raise it: alpha sum_k |A_k| c_k, with c_k = sum_n |Z_nk|. The old atoms have length 1,
    and |a| <= (|a|^2 + 1) / 2 for all a, with = at length 1. This gives an upper bound of F that equals F at the old
    atoms. It is again a least-squares problem, and its lowest value cannot be above the old F:

        A_new = (Z.T Z + P)^-1 Z.T X      P = diag(alpha c_1, ..., alpha c_K)

    It is written as a step from A, so that atoms which the codes do not determine are unchanged: only those
    eigenvectors of Z.T Z + P count whose eigenvalues exceed rounding, (K + 10 sqrt(N)) eps of the largest one.
    """
    n_atoms = len(dictionary)
    gram, cross = np.zeros((n_atoms, n_atoms)), np.zeros(dictionary.shape)  # (K, K), (K, D)
    for rows in blocks(len(X), max(dictionary.shape)):
        z = codes[rows].astype(np.float64)  # (B, K)
        gram += z.T @ z + np.diag(alpha * np.abs(z).sum(axis=0))  # Z.T Z + P: (K, K)
        cross += z.T @ X[rows]  # Z.T X: (K, D)
    old = dictionary.astype(np.float64)  # (K, D)
    new = old + np.linalg.lstsq(gram, cross - gram @ old, rcond=rounding(len(X), n_atoms))[0]  # (K, D)
    lengths = np.linalg.norm(new, axis=1)  # (K,)
    codes *= lengths.astype(codes.dtype)
    new[lengths == 0] = old[lengths == 0]  # their codes are 0 now, so any atom of length 1 will do
    return unit(new).astype(dictionary.dtype)


def ksvd(X, codes, dictionary, alpha=0.0, *, n_power=1):
    """K-SVD: one atom after another. Returns a dictionary (K, D); improves codes (N, K) in place.

    E (U, D) are the residuals, without atom k, of the samples that use it. The best atom d (D,) of length 1 and column
    z (U,) make |E - z d^T|^2 smallest: they are the first singular pair of E. The power method finds them:

        d <- E.T z / |E.T z|          z <- soft_threshold(E d, alpha)

    Each of d and z is optimal given the other, so neither step can raise F, with a penalty or without. n_power is how
    often they alternate: with many iterations this is K-SVD, with 1 (and alpha = 0) the approximate K-SVD of Rubinstein
    et al., which avoids singular value decompositions. E is never formed as a whole, as U can be nearly N. An atom is
    unchanged if E is 0 up to rounding: if |E.T z| is at most sqrt(D + K) eps times |z| and the samples' lengths.
    """
    dictionary = dictionary.copy()  # (K, D)
    squares = np.einsum("nd,nd->n", X, X)  # (N,)
    share = np.sqrt(sum(dictionary.shape)) * np.finfo(X.dtype).eps
    for k in range(len(dictionary)):
        users = np.flatnonzero(codes[:, k])  # (U,)
        parts = [users[rows] for rows in blocks(len(users), max(dictionary.shape))]
        for _ in range(n_power):
            direction = np.zeros(dictionary.shape[1])  # (D,)
            for part in parts:
                others, z = _without(codes, part, k)  # (B, K), (B,)
                direction += z @ X[part] - z @ others @ dictionary  # E.T z
            if np.linalg.norm(direction) <= share * np.linalg.norm(codes[users, k]) * np.sqrt(squares[users].sum()):
                break
            dictionary[k] = unit(direction[None])[0]
            for part in parts:
                others, _ = _without(codes, part, k)  # (B, K)
                projection = X[part] @ dictionary[k] - others @ (dictionary @ dictionary[k])  # E d: (B,)
                codes[part, k] = soft_threshold(projection, alpha)
    return dictionary


def _without(codes, part, k):
    """The codes of some samples, (B, K), with atom k left out, and their coefficients of it, (B,)."""
    others = codes[part]  # a copy
    z, others[:, k] = others[:, k].copy(), 0
    return others, z


def replace_unused(X, codes, dictionary):
    """A dictionary (K, D) in which each atom that no code uses becomes the residual of a badly explained sample.

    The worst sample for the first such atom, the next worst for the second, and so on, as long as a residual is longer
    than its rounding, sqrt(D + K) eps |x|, and than SMALLEST.
    """
    unused = np.flatnonzero(~codes.any(axis=0))
    if len(unused) == 0:
        return dictionary
    errors = np.empty(len(X))  # (N,)
    for rows in blocks(len(X), max(dictionary.shape)):
        residual = (X[rows] - codes[rows] @ dictionary).astype(np.float64)  # (B, D)
        errors[rows] = np.einsum("bd,bd->b", residual, residual)
    worst = np.argsort(-errors, kind="stable")[:len(unused)]  # (K,) at most
    residual = (X[worst] - codes[worst] @ dictionary).astype(np.float64)  # (K, D) at most
    lengths = np.linalg.norm(X[worst].astype(np.float64), axis=1)  # (K,) at most
    floor = np.maximum(np.sqrt(sum(dictionary.shape)) * np.finfo(X.dtype).eps * lengths, SMALLEST)  # (K,) at most
    residual = residual[np.linalg.norm(residual, axis=1) > floor]
    dictionary = dictionary.copy()  # (K, D)
    dictionary[unused[:len(residual)]] = unit(residual)
    return dictionary


def unit(atoms):
    """Each row of atoms (K, D) divided by its length, which must not be 0."""
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)  # (K, D)


def random_atoms(X, n_atoms, rng):
    """K different samples of X (N, D), drawn at random, as atoms (K, D); random directions if there are too few."""
    lengths = np.concatenate([np.linalg.norm(X[rows].astype(np.float64), axis=1) for rows in blocks(*X.shape)])  # (N,)
    drawn = rng.permutation(np.flatnonzero(lengths > SMALLEST))[:n_atoms]
    more = rng.standard_normal((n_atoms - len(drawn), X.shape[1]))
    return unit(np.concatenate([X[drawn].astype(np.float64), more])).astype(X.dtype)


def objective(X, dictionary, codes, alpha=0.0):
    """F of the module's docstring, sum_n 1/2 |x_n - z_n @ dictionary|^2 + alpha |z_n|_1, a float."""
    total = 0.0
    for rows in blocks(len(X), max(dictionary.shape)):
        residual = (X[rows] - codes[rows] @ dictionary).astype(np.float64)  # (B, D)
        total += float(np.vdot(residual, residual)) / 2 + alpha * float(np.abs(codes[rows]).sum(dtype=np.float64))
    return total
