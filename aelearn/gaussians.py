"""Normal distributions in many dimensions: their log densities, and the triangular factors behind them.

Shapes: D features, K components, B points. The kinds of covariance are those of covariances.py.

A density needs (x - mean).T @ inverse(covariance) @ (x - mean) and a determinant. With an upper triangular matrix U
such that U @ U.T = inverse(covariance), both are simple, and the first cannot turn negative by rounding:

    z = (x - mean) @ U        |z|^2 = (x - mean).T @ U @ U.T @ (x - mean)        det(U) = det(covariance)^(-1/2)

U is called the precision factor here: the inverse of a covariance is its precision. Where the covariance is diagonal, U
is, too, and only its diagonal is kept: 1 / standard deviation.

Sources: Bishop, "Pattern Recognition and Machine Learning" (2006), section 2.3; Golub and Van Loan, "Matrix
Computations" (2013), section 4.2, for Cholesky's factor.
"""

import numpy as np

from aelearn.covariances import LARGE, MATRICES, spread

STRIP = 128  # columns of a triangular matrix that are multiplied together
SINGULAR = ("The covariance of a component is not positive definite: its points are too few, or duplicates, "
            "or a column is constant or follows from others; raise reg_covar, take fewer n_components, or bring the "
            "columns of X to similar scales")


def squared_length(difference, U):
    """|difference[b] @ U|^2 for each row of `difference` (B, D), with U (D, D) or its diagonal (D,). Returns (B,).

    A strip of U's columns that ends before column e has nothing but zeros from row e on. Where D is large, leaving them
    out saves almost half of the work.
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

    For diagonals the square is multiplied out: two products for all components together are far faster than a
    difference for each.

        sum_d U[k, d]^2 (x[d] - means[k, d])^2 = x^2 @ (U^2).T - x @ (2 means U^2).T + sum_d (means U)^2

    But a small sum of large terms loses its digits. So components with a term above LARGE are taken as they stand.
    """
    squares, by_definition = np.empty((len(x), len(means)), order="F"), range(len(means))  # (B, K), components
    if factors.ndim == 2:
        precisions = np.square(factors)  # (K, D)
        from_x, from_mean = np.square(x) @ precisions.T, np.square(means * factors).sum(axis=1)  # (B, K), (K,)
        squares[...] = from_x - x @ (2 * means * precisions).T + from_mean  # (B, K)
        by_definition = np.flatnonzero(~(from_x.max(axis=0) + from_mean <= LARGE))  # "not <=" takes NaN in, too
    for k in by_definition:
        squares[:, k] = squared_length(x - means[k], factors[k])
    return squares


def log_normal(x, means, factors):
    """log Normal(x[b] | means[k], covariances[k]) = log det(U) - (D log(2 pi) + |z|^2) / 2,  z = (x - mean) @ U.

    x (B, D), means (K, D), factors U (K, D, D) or, diagonals, (K, D). Returns (B, K). (Bishop, 2.43)
    """
    diagonals = factors if factors.ndim == 2 else np.diagonal(factors, axis1=1, axis2=2)  # (K, D)
    log_det = np.log(diagonals).sum(axis=1)  # of a triangular matrix: (K,)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = squared_lengths(x, means, factors)  # (B, K)
    squares = np.minimum(squares, 1e290)  # (B, K); what is farther, up to infinity, is as far
    return log_det - (x.shape[1] * np.log(2 * np.pi) + squares) / 2


def from_standard(z, mean, U):
    """x = mean + z @ inverse(U): standard normal z (B, D) become points of this distribution, (B, D)."""
    return mean + (z / U if U.ndim == 1 else np.linalg.solve(U.T, z.T).T)


def precision_factor(covariances, kind, means, least):
    """U with U @ U.T = inverse(covariance), upper triangular and of the shape of `covariances`; diagonals: 1 / sqrt.

    Cholesky's factor gives covariance = L @ L.T. So inverse(covariance) = inverse(L).T @ inverse(L), U = inverse(L).T.

    Raises ValueError where a covariance is not positive definite: a variance is at most `least`, or no more than the
    rounding of the mean (K, D) leaves, or a column follows from those before it, to rounding. (L[d, d]^2 is the
    variance of column d that they do not explain.)
    """
    eps = np.finfo(np.float64).eps
    variances = np.diagonal(covariances, axis1=-2, axis2=-1) if kind in MATRICES else covariances  # (..., D) or (K,)
    each = spread(variances, "spherical" if kind == "spherical" else "diag", *means.shape)  # (K, D)
    if (each <= np.maximum(np.square(2 * eps * means), least)).any():
        raise ValueError(SINGULAR)
    if kind not in MATRICES:
        return 1 / np.sqrt(covariances)
    L = _cholesky(covariances, SINGULAR)  # (K, D, D) or (D, D)
    unexplained = np.square(np.diagonal(L, axis1=-2, axis2=-1))  # (K, D) or (D,)
    if (unexplained <= means.shape[1] * eps * variances).any():
        raise ValueError(SINGULAR)
    return inverse_of_lower(L).swapaxes(-1, -2)


def factor_of_precision(precisions, kind):
    """U with U @ U.T = precision, upper triangular. Raises ValueError unless symmetric and positive definite.

    Cholesky gives lower triangles. With rows and columns in reverse order, a lower triangle is an upper one.
    """
    if kind not in MATRICES:
        if (precisions <= 0).any():
            raise ValueError(f"precisions_init must hold numbers above 0; the smallest is {precisions.min()}")
        return np.sqrt(precisions)
    wanted = "precisions_init must hold symmetric, positive definite matrices"
    if not np.allclose(precisions, precisions.swapaxes(-1, -2)):
        raise ValueError(f"{wanted}; got one that is not symmetric")
    return _cholesky(precisions[..., ::-1, ::-1], f"{wanted}; got one that is not")[..., ::-1, ::-1]


def _cholesky(matrices, complaint):
    """The lower factors L of matrices (..., D, D) = L @ L.T. Raises ValueError where there is none."""
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        raise ValueError(complaint) from None


def inverse_of_lower(L):
    """The inverse of lower triangular matrices (..., D, D), from the inverses of their two halves:

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
