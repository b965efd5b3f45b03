"""Principal axes as arithmetic: the directions in which data vary most, by singular values or by the scatter. No state.

Shapes: N samples, D features, M = min(N, D) directions, B rows of a block.

The directions are the right singular vectors of the centred data A = X - m (N, D), m the mean:

    A = U diag(s) V.T              the columns of V have length 1 and are at right angles; s_1 >= s_2 >= ... >= 0
    scatter = A.T @ A = V diag(s^2) V.T

so the columns of V are the eigenvectors of the scatter, too, and of the covariance, scatter / (N - 1). `full`
decomposes A; `covariance_eigh`, its fast twin, the scatter. pca.py makes an estimator of them.

Source: Hotelling, "Analysis of a complex of statistical variables into principal components" (1933).
"""

import numpy as np

from aelearn.lloyd import blocks, safe_exponent


def full(X):
    """Mean (D,), singular values (M,) and directions V.T (M, D) of X (N, D), the largest first, all float64.

    Nobody asks for U, which is as large as A. So first A = Q R, where the columns of Q (N, M) have length 1 and are at
    right angles, and R is (M, D). With R = U' diag(s) V.T this makes A = (Q U') diag(s) V.T, and the columns of Q U'
    again have length 1 and are at right angles: this is A's own decomposition, with the same s and the same V.
    Source: Chan, "An improved algorithm for computing the singular value decomposition" (1982).
    """
    if exponent := safe_exponent(X, limit=1e30 if X.dtype == np.float32 else 1e100):
        return _scaled(full, X, exponent)
    origin = _origin(X).astype(np.float64)  # (D,)
    A = X - origin  # (N, D)
    shift = A.mean(axis=0)  # (D,)
    A -= shift
    varies = A.any(axis=0)  # (D,)
    R = np.linalg.qr(np.compress(varies, A, axis=1), mode="r")  # (M', D'): D' columns vary, M' = min(N, D')
    _, s, directions = np.linalg.svd(R, full_matrices=False)  # (M',), (M', D')
    s[s <= np.finfo(np.float64).eps * max(X.shape) * s.max(initial=0)] = 0  # what rounding makes of 0
    return origin + shift, *_with_constant_columns(s, directions, varies, min(X.shape))


def covariance_eigh(X):
    """What `full` returns, from the eigenvectors of the scatter (D, D): several times as fast where N is large.

    What is lost: the eigenvalues are squares, s^2 (the condition number is squared, too), and rounding blurs all of
    them by about epsilon times their sum. So singular values below sqrt(epsilon) times the largest are lost, and their
    directions with them: with the epsilon of X's dtype, below 1.5e-8 times the largest for float64, 3e-4 for float32.
    """
    mean, scatter = mean_and_scatter(X)  # (D,), (D, D)
    if not 1e-20 < scatter.trace() < 1e30:  # float32 ends at 1e-38 and 3e38, and its sums must stay away from both
        if exponent := safe_exponent(X, limit=1e8):
            return _scaled(covariance_eigh, X, exponent)
    varies = scatter.diagonal() > 0  # (D,)
    squares, vectors = np.linalg.eigh(scatter[np.ix_(varies, varies)])  # (D',), (D', D'): a column each, ascending
    squares[squares <= np.finfo(X.dtype).eps * squares.sum()] = 0  # what rounding makes of 0
    return mean, *_with_constant_columns(np.sqrt(squares[::-1]), vectors.T[::-1], varies, min(X.shape))


def mean_and_scatter(X):
    """The mean m (D,) of X (N, D) and its scatter A.T @ A (D, D), both float64, in one pass over X.

    Seen from an origin o near the data, so that no digits are lost where the data lie far from 0:

        shift d = sum_n (x_n - o) / N,   m = o + d,   A.T @ A = sum_n (x_n - o).T (x_n - o) - N d.T d

    Within a block this is computed in X's dtype; blocks are added up in float64.
    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).
    """
    n_samples, n_features = X.shape
    origin, total = _origin(X), np.zeros(n_features)  # (D,), (D,)
    scatter = np.zeros((n_features, n_features))  # (D, D)
    for rows in blocks(n_samples, n_features, at_least=4 * n_features):  # in shorter ones, adding up would take longest
        x = X[rows] - origin  # (B, D)
        total += np.ones(len(x), x.dtype) @ x
        scatter += x.T @ x
    shift = total / n_samples  # (D,)
    return origin + shift, scatter - n_samples * np.outer(shift, shift)


def _origin(X):
    """The mean of about a thousand samples, (D,): a point amid the data. In a constant column it is that constant."""
    some = X[::1 + len(X) // 1000]  # (B, D)
    return X[0] + (some - X[0]).mean(axis=0)


def _with_constant_columns(s, directions, varies, n_directions):
    """The first M singular values and directions, from those of the columns that vary, varies (D,) bool, alone.

    A constant column is a direction of its own, without variance. Of digits that is a fifth of the pixels, and the time
    of a decomposition grows with the cube of the others.
    """
    s = s[:n_directions]  # (M',)
    constant = np.flatnonzero(~varies)[:n_directions - len(s)]  # (M - M',)
    every_s, every_direction = np.zeros(n_directions), np.zeros((n_directions, len(varies)))  # (M,), (M, D)
    every_s[:len(s)], every_direction[:len(s), varies] = s, directions[:len(s)]
    every_direction[np.arange(len(s), n_directions), constant] = 1
    return every_s, every_direction


def _scaled(solver, X, exponent):
    """What `solver` returns, for data whose squares are too large or too small. A power of two changes no digit."""
    mean, s, directions = solver(np.ldexp(X, -exponent))
    return np.ldexp(mean, exponent), np.minimum(np.ldexp(s, exponent), np.finfo(np.float64).max), directions


def signed(directions):
    """The same directions (C, D), each with the sign that makes its entry of largest absolute value positive."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)  # (C, 1)
    return directions * np.sign(largest)  # (C, D)
