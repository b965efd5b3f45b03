"""Normal distributions in many dimensions: their log densities, and the triangular factors that these need.

Shapes: D features, K components, B points. The kinds of covariance are those of covariances.py.

A density needs (x - mean).T @ inverse(covariance) @ (x - mean) and a determinant. With an upper triangular matrix U
such that U @ U.T = inverse(covariance), both are simple, and rounding cannot make the first negative:

    z = (x - mean) @ U        |z|^2 = (x - mean).T @ U @ U.T @ (x - mean)        det(U) = det(covariance)^(-1/2)

U is called the precision factor here, because the inverse of a covariance is called its precision. If the covariance is
diagonal, so is U, and only its diagonal is stored: 1 / standard deviation.

Sources: Bishop, "Pattern Recognition and Machine Learning" (2006), section 2.3; Golub and Van Loan, "Matrix
Computations" (2013), section 4.2, for Cholesky's factor.
"""

import numpy as np

from aelearn.core.arrays import rounding, unit_of, units_of_rows
from aelearn.mixture.covariances import MATRICES, per_component

ERROR = 1e-8  # the error of |z|^2 (and half of it, of a log density) up to which its square may be multiplied out
FARTHEST = 1e290  # the largest |z|^2: the log density, half of it, is still far from the end of float64
SYMMETRY = 1e-5  # times the standard deviations of both columns: a matrix from float32, eps = 1.2e-7, is off by D eps
STRIP = 128  # columns of a triangular matrix that are multiplied at a time
TINY = np.finfo(np.float64).tiny
SINGULAR = ("The covariance of a component is not positive definite: its points are too few, or duplicates, "
            "or a column is constant or a linear combination of others; raise reg_covar, take fewer n_components, or "
            "bring the columns of X to similar scales")


def squared_length(difference, U):
    """|difference[b] @ U|^2 for each row of `difference` (B, D), with U (D, D) or its diagonal (D,). Returns (B,).

    A strip of U's columns that ends before column e has only zeros from row e on. If D is large, skipping them saves
    almost half of the work.
    """
    if U.ndim == 1:
        z = difference * U  # (B, D)
        return np.einsum("bd,bd->b", z, z)
    total = np.zeros(len(difference))  # (B,)
    for start in range(0, len(U), STRIP):
        e = start + STRIP
        z = difference[:, :e] @ U[:e, start:e]  # (B, STRIP)
        total += np.einsum("bs,bs->b", z, z)
    return total


def squared_lengths(x, means, factors):
    """|(x[b] - means[k]) @ U[k]|^2, (B, K), for x (B, D), means (K, D) and factors U (K, D, D) or, diagonals, (K, D).

    For diagonals the square is multiplied out: two matrix products for all components are far faster than a difference
    for each.

        sum_d U[k, d]^2 (x[d] - means[k, d])^2 = x^2 @ (U^2).T - x @ (2 means U^2).T + sum_d (means U)^2

    But a small sum of large terms loses its digits: its error is up to (D + 4) eps times the first and the last term.
    Where that is more than ERROR, the difference itself is squared. This is decided for each row on its own, so that no
    row's result depends on the other rows.
    """
    squares = np.empty((len(x), len(means)), order="F")  # (B, K)
    if factors.ndim == 3:
        for k, mean in enumerate(means):
            squares[:, k] = squared_length(x - mean, factors[k])
        return squares
    precisions = np.square(factors)  # (K, D)
    from_x, from_mean = np.square(x) @ precisions.T, np.square(means * factors).sum(axis=1)  # (B, K), (K,)
    squares[...] = from_x - x @ (2 * means * precisions).T + from_mean  # (B, K)
    from_x += from_mean
    inexact = ~(from_x <= ERROR / ((x.shape[1] + 4) * np.finfo(np.float64).eps))  # (B, K); "not <=" includes NaN
    for k in np.flatnonzero(inexact.any(axis=0)):
        rows = inexact[:, k]
        squares[rows, k] = squared_length(x[rows] - means[k], factors[k])
    return squares


def far_squares(x, means, factors):
    """The result of `squared_lengths` for points x (B, D) so far from all means that |z|^2 overflows: (B, K).

    It is FARTHEST for the component with the smallest |z|, and in proportion for the others, so that these are
    infinitely less likely, except where their |z| is the same. The proportions come from log2 |z|.
    """
    log_lengths = np.empty((len(x), len(means)))  # (B, K)
    for k, (mean, U) in enumerate(zip(means, factors)):
        difference = x - mean  # (B, D)
        # z = difference @ U is measured in the product of their units.
        distance, width = units_of_rows(difference, limit=1), unit_of(U, limit=1)
        squares = squared_length(distance.scale(difference), width.scale(U))  # (B,)
        log_lengths[:, k] = np.log2(np.maximum(squares, TINY)) / 2 + distance.log2[:, 0] + width.log2
    return FARTHEST * 4 ** np.minimum(log_lengths - log_lengths.min(axis=1, keepdims=True), 10)  # (B, K)


def log_normal(x, means, factors):
    """log Normal(x[b] | means[k], covariances[k]) = log det(U) - (D log(2 pi) + |z|^2) / 2,  z = (x - mean) @ U.

    x (B, D), means (K, D), factors U (K, D, D) or, diagonals, (K, D). Returns (B, K). (Bishop, 2.43) No point is too
    far away: where |z|^2 is beyond FARTHEST for all components, see `far_squares`.
    """
    diagonals = factors if factors.ndim == 2 else np.diagonal(factors, axis1=1, axis2=2)  # (K, D)
    log_det = np.log(diagonals).sum(axis=1)  # of a triangular matrix: (K,)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = squared_lengths(x, means, factors)  # (B, K)
    far = ~(squares.min(axis=1) <= FARTHEST)  # (B,); "not <=" includes NaN
    if far.any():
        squares[far] = far_squares(x[far], means, factors)
    squares = np.minimum(squares, FARTHEST * 4**10)  # (B, K)
    return log_det - (x.shape[1] * np.log(2 * np.pi) + squares) / 2


def from_standard(z, mean, U):
    """x = mean + z @ inverse(U): turns standard normal z (B, D) into points of this distribution, (B, D)."""
    return mean + (z / U if U.ndim == 1 else np.linalg.solve(U.T, z.T).T)


def precision_factor(covariances, kind, means, least, n_samples=2):
    """U with U @ U.T = inverse(covariance), upper triangular and of the shape of `covariances`; diagonals: 1 / sqrt.

    Cholesky's factor gives covariance = L @ L.T. So inverse(covariance) = inverse(L).T @ inverse(L), U = inverse(L).T.

    means      (K, D)
    least      the smallest variance that X's dtype can hold
    n_samples  N: means and covariances are sums of N terms

    Raises ValueError if a covariance is not positive definite, which is decided within rounding:

    1. A variance is at most `least`, or at most the square of the mean's rounding error, (N eps mean)^2.
    2. A column is a linear combination of those before it. L[d, d]^2 is the variance of column d that they leave
       unexplained: that of x_d - sum_j w_j x_j. Column d of U holds 1 and the -w_j, divided by L[d, d]. With the
       standard deviations s, the terms of this variance add up to (s_d + sum_j |w_j| s_j)^2, and their rounding error
       is the share core.arrays.rounding of that. So only rounding is left where

        rounding * (sum_j |U[j, d]| s_j)^2 >= 1
    """
    variances = np.diagonal(covariances, axis1=-2, axis2=-1) if kind in MATRICES else covariances  # (..., D) or (K,)
    each = per_component(variances, "spherical" if kind == "spherical" else "diag", *means.shape)  # (K, D)
    floor = np.maximum(np.square(n_samples * np.finfo(np.float64).eps * means), least)  # (K, D)
    if (each <= floor).any():
        raise ValueError(SINGULAR)
    if kind not in MATRICES:
        return 1 / np.sqrt(covariances)
    L = _cholesky(covariances, SINGULAR)  # (K, D, D) or (D, D)
    U = inverse_of_lower(L).swapaxes(-1, -2)  # (K, D, D) or (D, D)
    terms = np.square(np.einsum("...jd,...j->...d", np.abs(U), np.sqrt(variances)))  # (K, D) or (D,)
    unexplained = np.square(np.diagonal(L, axis1=-2, axis2=-1))  # (K, D) or (D,)
    if (rounding(n_samples, means.shape[1]) * terms >= 1).any() or (unexplained <= floor).any():
        raise ValueError(SINGULAR)
    return U


def factor_of_precision(precisions, kind):
    """U with U @ U.T = precision, upper triangular. Raises ValueError unless symmetric and positive definite.

    Cholesky's factors are lower triangular. With rows and columns in reverse order they are upper triangular.
    """
    if kind not in MATRICES:
        if (precisions <= 0).any():
            raise ValueError(f"precisions_init must hold numbers above 0; the smallest is {precisions.min()}")
        return np.sqrt(precisions)
    wanted = "precisions_init must hold symmetric, positive definite matrices"
    root = np.sqrt(np.abs(np.diagonal(precisions, axis1=-2, axis2=-1)))  # (..., D)
    difference = np.abs(precisions - precisions.swapaxes(-1, -2))  # (..., D, D)
    if (difference > SYMMETRY * root[..., None] * root[..., None, :]).any():
        raise ValueError(f"{wanted}; got one that is not symmetric")
    return _cholesky(precisions[..., ::-1, ::-1], f"{wanted}; got one that is not")[..., ::-1, ::-1]


def _cholesky(matrices, complaint):
    """The lower factors L of matrices (..., D, D) = L @ L.T. Raises ValueError if one does not exist."""
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        raise ValueError(complaint) from None


def inverse_of_lower(L):
    """The inverse of lower triangular matrices (..., D, D), from the inverses of both halves of the diagonal:

        [A 0]^-1   [     A^-1         0  ]
        [B C]    = [-C^-1 B A^-1    C^-1 ]
    """
    half = L.shape[-1] // 2
    if half == 0:
        return 1 / L
    inverse = np.zeros(L.shape)  # (..., D, D)
    inverse[..., :half, :half] = A = inverse_of_lower(L[..., :half, :half])
    inverse[..., half:, half:] = C = inverse_of_lower(L[..., half:, half:])
    inverse[..., half:, :half] = -C @ L[..., half:, :half] @ A
    return inverse
