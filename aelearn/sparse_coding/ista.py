"""Sparse codes by shrinkage: each sample as a linear combination of a few atoms of a given dictionary.

Shapes: N samples, D features, K atoms, B rows of a block, A of them that are not finished.

An atom is a row of length 1 of the dictionary (K, D); with strokes as atoms, a digit takes a handful of them. The code
z (K,) of a sample x (D,) contains their coefficients: x is about z @ dictionary. A penalty gives codes many zeros:

    f(z) = 1/2 |x - z @ dictionary|^2 + alpha |z|_1      with |z|_1 = sum_k |z_k|

ISTA minimises f. A step is gradient descent on the square, and then moves all entries towards 0, small ones to 0:

    z <- soft_threshold(z + step (x - z @ dictionary) @ dictionary.T, step alpha)
       = soft_threshold(x @ W + z @ R, step alpha)    W = step dictionary.T,  R = I - step dictionary @ dictionary.T

This is a layer of a network: weights W, a bias z @ R that feeds the last output back, and an activation. `ista_step` is
that layer. As x @ W is the same in every step, it is computed once, and a step takes K^2 products instead of 2 D K. The
step 1 / (largest eigenvalue of dictionary @ dictionary.T) is short enough never to raise f. FISTA adds momentum.

Sources: Daubechies, Defrise and De Mol, "An iterative thresholding algorithm for linear inverse problems with a
sparsity constraint" (2004): ISTA; Gregor and LeCun, "Learning fast approximations of sparse coding" (2010), section 2:
the layer; Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm" (2009), eq. 4.1 to 4.3: FISTA.
"""

import math

import numpy as np

from aelearn.core.arrays import SAFE, SAFE_FLOAT32, blocks, units_of_rows
from aelearn.core.validation import check_array, check_integer, check_number

CHECK_EVERY = 10  # steps between two checks of which codes are finished
MOST_ALPHA = 2.0**60  # it makes every code of samples of an ordinary size 0, and float32 holds its products


def soft_threshold(z, threshold):
    """Each entry of z moved towards 0 by `threshold`, or to 0 if it is nearer: sign(z) max(|z| - threshold, 0)."""
    return z - np.clip(z, -threshold, threshold)  # the shape of z


def ista_step(x_W, z, R, threshold):
    """One step of ISTA from codes z (B, K), as a layer of a network. Returns codes (B, K).

    x_W        (B, K) = x @ W, of the samples x (B, D) with W (D, K) = step dictionary.T
    R          (K, K) = I - step dictionary @ dictionary.T
    threshold  step alpha
    """
    return soft_threshold(x_W + z @ R, threshold)  # (B, K)


def ista(X, dictionary, alpha, *, max_iter=1000, tol=1e-4):
    """Codes (N, K) of X (N, D) by ISTA, from codes of zeros.

    dictionary  (K, D), atoms of length 1
    alpha       the weight of the penalty: the larger, the more zeros. 0 or more
    max_iter    the largest number of steps
    tol         a code is finished when its f(z) is sure to be within tol f(z) of the lowest, or within the rounding of
                that bound: sqrt(D + K) eps |x|^2, with eps that of X's dtype. With alpha = 0 the bound is f itself, so
                all steps are taken unless a sample is explained up to rounding

    The code of a row of X does not depend on the other rows, however large they are. (Rounding depends slightly on the
    other rows of a block, so the iteration may end a few steps sooner; up to tol f, or the rounding above, the code is
    the same.)

    Raises ValueError or TypeError unless the atoms have length 1 and all settings are valid.
    """
    return _lasso(X, dictionary, alpha, max_iter, tol, False)


def fista(X, dictionary, alpha, *, max_iter=1000, tol=1e-4):
    """The codes of `ista` in far fewer steps: each starts somewhat further on in the direction of the last one.

        z_new <- ista_step from y      t_new <- (1 + sqrt(1 + 4 t t)) / 2      y <- z_new + (t - 1) / t_new (z_new - z)

    If that has raised f, a code's t starts from 1 again: O'Donoghue and Candes, "Adaptive restart for
    accelerated gradient schemes" (2015), section 3.2.
    """
    return _lasso(X, dictionary, alpha, max_iter, tol, True)


def _lasso(X, dictionary, alpha, max_iter, tol, accelerated):
    """What `ista` and `fista` have in common: input validation, and rows in units in which their squares are safe."""
    X, dictionary = check_pair(X, dictionary)
    alpha, max_iter = check_number("alpha", alpha, 0), check_integer("max_iter", max_iter, 1)
    tol, codes = check_number("tol", tol, 0), np.zeros((len(X), len(dictionary)), X.dtype)  # (N, K)
    for rows, unit in units_of_rows(X, SAFE_FLOAT32).groups():  # rows of about one size
        z = codes[rows]  # zeros
        descend(unit.scale(X[rows]), dictionary, alpha_in(unit, alpha), z, max_iter=max_iter, tol=tol,
                accelerated=accelerated)
        codes[rows] = unit.unscale(z)
    return codes


def alpha_in(unit, alpha):
    """alpha for samples in this unit: it is compared with products of atoms and samples, and scales as these do."""
    return min(unit.scale(float(alpha)), MOST_ALPHA)


def descend(X, dictionary, alpha, codes, *, max_iter, tol, accelerated):
    """Improve codes (N, K) in place by at most max_iter steps of ISTA or (accelerated) FISTA; f never rises."""
    gram = dictionary.astype(np.float64) @ dictionary.T.astype(np.float64)  # (K, K)
    step = float(1 / np.linalg.eigvalsh(gram)[-1])
    R = (np.eye(len(gram)) - step * gram).astype(X.dtype)  # (K, K)
    gram = gram.astype(X.dtype)  # (K, K)
    rounding = math.sqrt(sum(dictionary.shape)) * float(np.finfo(X.dtype).eps)  # of a gap, relative to |x|^2
    for rows in blocks(len(X), len(gram)):
        x, best = X[rows], codes[rows]  # (B, D), (B, K): a view, written to below
        products, squares = x @ dictionary.T, np.einsum("bd,bd->b", x, x)  # (B, K), (B,)
        lowest, gap = value_and_gap(best, products, squares, gram, alpha)  # (B,), (B,)
        # The codes that are not finished: (A,), A of B.
        active = np.flatnonzero(gap > np.maximum(tol * lowest, rounding * squares))
        products, squares = products[active], squares[active]  # (A, K), (A,)
        x_W, z = step * products, best[active]  # (A, K), (A, K)
        y, t = z, np.ones((len(active), 1), X.dtype)  # (A, K), (A, 1)
        n_steps = 0
        while len(active) and n_steps < max_iter:
            for _ in range(min(CHECK_EVERY, max_iter - n_steps)):
                z_new = ista_step(x_W, y, R, step * alpha)  # (A, K)
                y, t = _momentum(z_new, z, y, t) if accelerated else (z_new, t)  # (A, K), (A, 1)
                z = z_new
                n_steps += 1
            value, gap = value_and_gap(z, products, squares, gram, alpha)  # (A,), (A,)
            lower = value < lowest[active]  # (A,)
            best[active[lower]], lowest[active[lower]] = z[lower], value[lower]
            on = gap > np.maximum(tol * value, rounding * squares)  # (A,)
            active, z, y, t = active[on], z[on], y[on], t[on]
            products, squares, x_W = products[on], squares[on], x_W[on]


def _momentum(z_new, z, y, t):
    """The start of FISTA's next step, y (A, K), and its next t (A, 1), after a step from y to z_new; see `fista`."""
    restart = np.einsum("bk,bk->b", y - z_new, z_new - z) > 0  # (A,)
    t = np.where(restart[:, None], 1, t)  # (A, 1)
    t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2  # (A, 1)
    return z_new + (t - 1) / t_new * (z_new - z), t_new  # (A, K), (A, 1)


def value_and_gap(z, products, squares, gram, alpha):
    """f(z) of codes z (B, K), and a bound on how far it is above the lowest f: (B,), (B,).

    products (B, K) = x @ dictionary.T, squares (B,) = |x|^2, gram (K, K) = dictionary @ dictionary.T.

    With the residual r = x - z @ dictionary and q = r @ dictionary.T, no code has a lower f than
    1/2 |x|^2 - 1/2 |x - s r|^2, as long as s |q_k| <= alpha for all k (duality: Kim, Koh, Lustig, Boyd and Gorinevsky,
    "An interior-point method for large-scale l1-regularized least squares" (2007), section III). The largest such s up
    to 1 leaves

        gap = 1/2 (1 - s)^2 |r|^2 + sum_k (alpha |z_k| - s z_k q_k)
    """
    q = products - z @ gram  # (B, K)
    z_q = np.einsum("bk,bk->b", z, q)  # (B,)
    r_r = np.maximum(squares - np.einsum("bk,bk->b", z, products) - z_q, 0)  # |r|^2 = x.x - z.products - z.q: (B,)
    penalty, largest = alpha * np.abs(z).sum(axis=1), np.abs(q).max(axis=1)  # (B,), (B,)
    s = np.divide(alpha, largest, out=np.ones_like(largest), where=largest > alpha)  # (B,)
    return r_r / 2 + penalty, (1 - s) ** 2 * r_r / 2 + penalty - s * z_q


def check_pair(X, dictionary):
    """X and the dictionary as float arrays of one dtype, X's. Raises ValueError unless all atoms have length 1."""
    X, dictionary = check_array(X), check_array(dictionary, name="dictionary")
    if dictionary.shape[1] != X.shape[1]:
        raise ValueError(f"X has {X.shape[1]} features, but the atoms of the dictionary have {dictionary.shape[1]}")
    lengths = np.linalg.norm(np.clip(dictionary.astype(np.float64), -SAFE, SAFE), axis=1)  # (K,)
    worst = int(np.abs(lengths - 1).argmax())
    if abs(lengths[worst] - 1) > 1e-3:  # float16 rounds an entry by 5e-4 of itself at most, and so a length
        raise ValueError(f"the atoms of a dictionary must have length 1, but that of atom {worst} is "
                         f"{lengths[worst]:.3g}: divide each by its length")
    return X, dictionary.astype(X.dtype)
