"""Principal axes: the directions in which data vary most, by singular values or from the scatter matrix. No state.

Shapes: N samples, D features, C directions to find, D' columns that vary, M = min(N, D'), B rows of a block.

The directions are the right singular vectors of the centred data A = X - m (N, D), where m is the mean:

    A = U diag(s) V.T              the columns of V are orthonormal; s_1 >= s_2 >= ... >= 0
    scatter = A.T @ A = V diag(s^2) V.T

So the columns of V are also the eigenvectors of the scatter, and of the covariance, scatter / (N - 1). `full`
decomposes A; `covariance_eigh`, which is faster, the scatter. estimator.py makes an estimator of them, which passes
them data of a size near 1, so that no square overflows float32.

Both return the mean (D,), C singular values, largest first, their directions (C, D), rows of V.T, and the share of all
squares s_1^2 + s_2^2 + ... that each of them has (C,), all in float64. A singular value that rounding alone explains is
0. Both solvers use the same bound for that, `rounding_of`; the fast one adds its own loss of precision, `_blur`.

Sources: Hotelling, "Analysis of a complex of statistical variables into principal components" (1933); for the sizes of
rounding errors, Higham, "Accuracy and stability of numerical algorithms" (2002), and Higham and Mary, "A new approach
to probabilistic rounding error analysis" (2019).
"""

import numpy as np

from aelearn.core.arrays import blocks

SHARP = 100  # an eigenvalue this many times as large as its error has at least two correct digits


def full(X, n_components=None):
    """C principal axes of X (N, D), by default min(N, D), exact to rounding; see the top of this module.

    U is as large as A, and is not needed. So first A = Q R, where Q (N, M) has orthonormal columns and R is (M, D).
    With R = U' diag(s) V.T this makes A = (Q U') diag(s) V.T, and the columns of Q U' are orthonormal as well: this is
    the singular value decomposition of A, with the same s and the same V.
    Source: Chan, "An improved algorithm for computing the singular value decomposition" (1982).
    """
    origin = _origin(X).astype(np.float64)  # (D,)
    A = X - origin  # (N, D)
    shift = A.mean(axis=0)  # (D,)
    A -= shift
    varies, mean = A.any(axis=0), origin + shift  # (D,), (D,)
    R = np.linalg.qr(np.compress(varies, A, axis=1), mode="r")  # (M, D')
    _, s, V_T = np.linalg.svd(R, full_matrices=False)  # (M,), (M, D')
    scatter_diagonal = np.einsum("md,md->d", R, R)  # of A.T @ A = R.T @ R: (D',)
    s[s <= rounding_of(s, V_T, scatter_diagonal, mean[varies], X)] = 0
    return mean, *_largest_first(s, V_T, varies, n_components or min(X.shape), scatter_diagonal.sum())


def covariance_eigh(X, n_components=None):
    """The result of `full`, from the eigenvectors of the scatter (D, D): several times as fast if N is large.

    It is less precise: eigenvalues are squares, s^2, and rounding changes all of them by up to the same `_blur`. In
    float64 no digit is left of a singular value below about 1e-7 of the largest; it is 0 here.
    """
    return _by_scatter(X, n_components or min(X.shape))[:4]


def auto(X, n_components):
    """`covariance_eigh` where that is faster, for up to 1000 features and 10 times as many samples, else `full`.

    Also `full` if one of the C eigenvalues is not sharp (not well above its error), because `full` is more precise.
    """
    if X.shape[1] <= 1000 and len(X) >= 10 * X.shape[1]:
        *axes, sharp = _by_scatter(X, n_components)
        if sharp:
            return axes
    return full(X, n_components)


def _by_scatter(X, n_components):
    """The result of `covariance_eigh`, and whether all of it is sharp: well above its error.

    For float32 data the scatter is first computed in float32, which suffices if the C largest eigenvalues are sharp.
    """
    for dtype in (np.float32, np.float64) if X.dtype == np.float32 else (np.float64,):
        mean, scatter = mean_and_scatter(X, dtype)  # (D,), (D, D)
        varies = scatter.diagonal() > 0  # (D,)
        squares, V = np.linalg.eigh(scatter[np.ix_(varies, varies)])  # (D',), (D', D'): the smallest first
        squares, V_T, blur = squares[::-1], V.T[::-1], _blur(scatter, X, dtype)  # (D',), (D', D')
        sharp = bool((squares[:n_components] > SHARP * blur).all())
        if sharp:
            break
    s = np.sqrt(np.where(squares > blur, squares, 0))  # (D',)
    s[s <= rounding_of(s, V_T, scatter.diagonal()[varies], mean[varies], X)] = 0
    return mean, *_largest_first(s, V_T, varies, n_components, scatter.trace()), sharp and s[:n_components].all()


def _blur(scatter, X, dtype):
    """How much rounding can change the eigenvalues of the scatter (D, D), whose products were computed in `dtype`:

        (sqrt(B) eps + (D + N / B) eps64) times their sum

    Products of B rows add B terms, whose rounding errors grow like sqrt(B) (Higham and Mary). All else is done in
    float64: N / B of them are added, and D is the usual factor of a backward stable eigensolver (Higham, section 1.5).
    """
    n_rows = _row_blocks(X)[0].stop  # B
    in_float64 = (len(scatter) + len(X) / n_rows) * np.finfo(np.float64).eps
    return (np.sqrt(n_rows) * np.finfo(dtype).eps + in_float64) * scatter.trace()


def rounding_of(s, directions, scatter_diagonal, mean, X):
    """The singular value (M,) that each of the directions (M, D) could have by rounding alone.

    scatter_diagonal (D,) and mean (D,): of X's columns, whose lengths are |a_d| after and |x_d| before centring.

    Entries of X are known to half an epsilon of X's dtype: column d to (eps / 2) |x_d|, and along a direction v the
    data to (eps / 2) sum_d |v_d| |x_d|. An orthogonal decomposition in float64 adds to column d at most about
    sqrt(N) epsilon |a_d|, and to all of it sqrt(D) + min(N, D) epsilons of the largest s (Higham, theorem 19.4, with
    sqrt(N) for N as in Higham and Mary). Twice the first and once the others:

        sum_d |v_d| (eps |x_d| + sqrt(N) eps64 |a_d|) + (sqrt(D) + min(N, D)) eps64 s_1

    So a column of 1e9 in float32 counts as constant if it varies by less than 119; a column of 1 next to it does not.
    """
    eps, eps64 = np.finfo(X.dtype).eps, np.finfo(np.float64).eps
    n_samples, n_features = X.shape
    centred = np.sqrt(scatter_diagonal)  # |a_d|: (D,)
    whole = np.sqrt(scatter_diagonal + n_samples * np.square(mean))  # |x_d|: (D,)
    columns = np.abs(directions) @ (eps * whole + np.sqrt(n_samples) * eps64 * centred)  # (M,)
    return columns + (np.sqrt(n_features) + min(X.shape)) * eps64 * s.max(initial=0)


def mean_and_scatter(X, dtype=None):
    """The mean m (D,) of X (N, D) and its scatter A.T @ A (D, D), both float64, in one pass over X.

    Relative to an origin o near the data, so that no digits are lost if the data are far from 0:

        shift d = sum_n (x_n - o) / N,   m = o + d,   A.T @ A = sum_n (x_n - o).T (x_n - o) - N d.T d

    Within a block this is computed in `dtype`, by default X's; blocks are added up in float64.
    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).
    """
    n_samples, n_features = X.shape
    origin, total = _origin(X).astype(dtype or X.dtype), np.zeros(n_features)  # (D,), (D,)
    scatter = np.zeros((n_features, n_features))  # (D, D)
    for rows in _row_blocks(X):
        x = X[rows] - origin  # (B, D)
        total += np.ones(len(x), x.dtype) @ x
        scatter += x.T @ x
    shift = total / n_samples  # (D,)
    return origin + shift, scatter - n_samples * np.outer(shift, shift)


def _row_blocks(X):
    """Slices over the rows of X (N, D): at least 4 D rows, so that adding up the scatters does not dominate."""
    return blocks(*X.shape, at_least=4 * X.shape[1])


def _origin(X):
    """The mean of about a thousand samples, (D,): a point amid the data. In a constant column it is that constant."""
    some = X[::1 + len(X) // 1000]  # (B, D)
    return X[0] + (some - X[0]).mean(axis=0)


def _largest_first(s, directions, varies, n_components, total):
    """C singular values (C,), directions (C, D) and shares of `total`, the sum of all squares (C,).

    s, directions  (M,) and (M, D'), of the columns that vary, (D,), alone. A constant column is a direction of its own,
                   without variance. A fifth of the pixels of digits are constant, and the time of a decomposition grows
                   with the cube of the others.
    """
    order = np.argsort(-s, kind="stable")[:n_components]  # zeros may be anywhere
    constant = np.flatnonzero(~varies)[:n_components - len(order)]
    every_s, every_direction = np.zeros(n_components), np.zeros((n_components, len(varies)))  # (C,), (C, D)
    every_s[:len(order)], every_direction[:len(order), varies] = s[order], directions[order]
    every_direction[np.arange(len(order), n_components), constant] = 1
    return every_s, every_direction, np.square(every_s) / max(total, np.finfo(np.float64).tiny)


def signed(directions):
    """The same directions (C, D), each with the sign that makes its entry of largest absolute value positive."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)  # (C, 1)
    return directions * np.sign(largest)  # (C, D)
