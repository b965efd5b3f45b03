"""The exercises of lesson 10. Shapes: N samples, D features, C components, M = min(N, D), B samples of a block."""

import numpy as np

from aelearn.pca import svd
from aelearn.teaching.costs import Memory
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _directions(rng, c, d):
    """Random orthonormal directions, (C, D)."""
    return np.linalg.qr(rng.normal(size=(d, c)))[0].T


def _correlated(rng, n, d):
    """Samples (N, D) whose features are correlated, with means far from 0 and variances along the components that are
    clearly different."""
    m = min(n - 1, d)
    random = rng.normal(size=(n, m))  # (N, M)
    codes = np.linalg.qr(random - random.mean(axis=0))[0] * np.geomspace(8, 1, m)  # (N, M), uncorrelated
    return codes @ _directions(rng, m, d) + rng.uniform(2, 5, d)


def _samples(rng):
    """More samples than features, and fewer; two features always have a negative covariance."""
    n, d = sizes(rng, 2, low=3, high=7)
    inputs = [{"X": _correlated(rng, n + d, d)}, {"X": _correlated(rng, d, n + d)}]
    for X in (arguments["X"] for arguments in inputs):
        if np.cov(X[:, 0], X[:, 1])[0, 1] > 0:
            X[:, 1] = 8 - X[:, 1]
    return inputs


def _tall_samples(rng):
    return _samples(rng)[0]


def _mean_and_covariance(X):
    mean, scatter = svd.mean_and_scatter(X)  # (D,), (D, D)
    return mean, scatter / (len(X) - 1)


def _samples_and_components(rng):
    """Fewer components than features; and as many, where a transposed product has the right shape as well."""
    n, d = sizes(rng, 2, low=4, high=9)
    return [{"X": rng.normal(size=(n, d)), "mean": rng.uniform(2, 5, d), "components": _directions(rng, c, d)}
            for c in (2, d)]


def _project_and_reconstruct(X, mean, components):
    codes = np.einsum("nd,cd->nc", X - mean, components)  # (N, C)
    return codes, mean + np.einsum("nc,cd->nd", codes, components)


def _samples_with_variances(rng):
    """Tall samples; and some whose covariance is diagonal, with the largest last: np.linalg.eig leaves it there."""
    signs = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])  # (N, D): orthogonal columns
    return [_tall_samples(rng), {"X": signs * np.sort(rng.uniform(1, 3, 3)) * [1, 4, 16]}]


def _variance_shares(X):
    s = svd.full(X)[1]  # (M,)
    return s**2 / (len(X) - 1), s**2 / np.sum(s**2)


def _blocks_from(X, lengths):
    """A function that returns an iterator over X (N, D) in blocks of these lengths, which can be read only once."""
    ends = np.cumsum(lengths)
    return lambda: (X[end - length:end].copy() for length, end in zip(lengths, ends))


def _blocks(rng):
    """Blocks of different lengths, one of a single sample, with different means; near 0, and ten million from it.

    All covariances are about 1, so that none of them is lost in the rounding of the data.
    """
    d, lengths = int(rng.integers(3, 6)), (7, 1, *rng.permutation([4, 6]))
    common = rng.normal(size=(sum(lengths), 1)) + np.repeat([0, 2, -1, 3], lengths)[:, None]  # (N, 1)
    X = common + 0.5 * rng.normal(size=(sum(lengths), d))  # (N, D)
    return [{"blocks": _blocks_from(X + far * rng.uniform(1, 2, d), lengths)} for far in (1, 1e7)]


def _many_blocks(rng):
    """40 blocks, made one by one: one takes 32 kB, all of them 1.3 MB."""
    return {"blocks": (rng.normal(size=(100, 40)) for _ in range(40))}


def _whole_covariance(blocks):
    X = np.concatenate(list(blocks()))  # (N, D)
    A = X - X.mean(axis=0)  # (N, D)
    return X.mean(axis=0), A.T @ A / (len(X) - 1)


def _lost_digits(mean, covariance):
    """A remark on a covariance that is wrong although the mean is far from 0."""
    return "first subtract a point near the data" if np.max(np.abs(mean)) > 1e6 else ""


def _second_loop(blocks):
    mean = _mean_of(blocks)  # (D,)
    return mean, np.zeros((len(mean), len(mean)))


def _mean_of(blocks):
    total, n = 0, 0
    for x in blocks:
        total, n = total + x.sum(axis=0), n + len(x)
    return total / n


def _sums_within(blocks, center):
    """The mean, and the sum over the blocks of (x - center(x)).T (x - center(x)), divided by N - 1."""
    blocks = list(blocks)
    A = np.concatenate([x - center(x) for x in blocks])  # (N, D)
    return _mean_of(blocks), A.T @ A / (len(A) - 1)


def _moving_mean(blocks):
    total, n = 0, 0

    def center(x):
        nonlocal total, n
        total, n = total + x.sum(axis=0), n + len(x)
        return total / n

    return _sums_within(blocks, center)


def _mean_of_means(blocks):
    blocks = list(blocks)
    return np.mean([x.mean(axis=0) for x in blocks], axis=0), _whole_covariance(lambda: blocks)[1]


def _divided_by_n(blocks):
    X = np.concatenate(list(blocks))  # (N, D)
    return X.mean(axis=0), _mean_and_covariance(X)[1] * (len(X) - 1) / len(X)


def _two_spaces(rng):
    """Two random spaces; two whose angles are 20 and 30 degrees, with bases in another order: each direction of one
    is orthogonal to that of the same index in the other; and two that have a direction in common, whose cosine is
    slightly above 1."""
    c = int(rng.integers(2, 5))
    d = 2 * c + int(rng.integers(1, 4))  # large enough for the two to have no direction in common
    axes, (far, near) = np.eye(4), np.radians([30, 20])
    return [{"A": _directions(rng, c, d), "B": _directions(rng, c, d)},
            {"A": axes[:2], "B": np.array([np.cos(far) * axes[1] + np.sin(far) * axes[3],
                                           np.cos(near) * axes[0] + np.sin(near) * axes[2]])},
            {"A": axes[:2] * (1 + 8 * np.finfo(float).eps),
             "B": np.array([axes[0], np.cos(far) * axes[1] + np.sin(far) * axes[3]])}]


def _angles(A, B):
    cosines = np.linalg.svd(A @ B.T, compute_uv=False)  # (C,)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def _cosines(A, B):
    return np.linalg.svd(A @ B.T, compute_uv=False)


def _squared_singular_values(A):
    return np.linalg.svd(A, compute_uv=False) ** 2


def _shares_of(values):
    return values / values.sum()


EXERCISES = {
    "mean_and_covariance": Exercise(_samples, ("mean", "covariance"), answer=_mean_and_covariance, mistakes={
        "subtract the mean from X before you multiply": lambda X: (X.mean(axis=0), X.T @ X / (len(X) - 1)),
        "each feature has a mean of its own, axis=0": lambda X: (
            X.mean(axis=0), (X - X.mean()).T @ (X - X.mean()) / (len(X) - 1)),
        "divide by N - 1, not by N": lambda X: (X.mean(axis=0), np.cov(X, rowvar=False, bias=True)),
        "you have the sums of products; divide them by N - 1": lambda X: (
            X.mean(axis=0), np.cov(X, rowvar=False) * (len(X) - 1)),
        "N is the number of samples, len(X), not of features": lambda X: (
            X.mean(axis=0), np.cov(X, rowvar=False) * (len(X) - 1) / (X.shape[1] - 1)),
        "these are correlations; do not divide by standard deviations": lambda X: (
            X.mean(axis=0), np.corrcoef(X, rowvar=False)),
    }),
    "project_and_rebuild": Exercise(
        _samples_and_components, ("codes", "rebuilt"), answer=_project_and_reconstruct, mistakes={
            "subtract the mean before you project": lambda X, mean, components: (
                X @ components.T, X @ components.T @ components + mean),
            "subtract the mean that is passed, not that of X": lambda X, mean, components: _project_and_reconstruct(
                X, X.mean(axis=0), components),
            "add the mean again at the end": lambda X, mean, components: (
                (X - mean) @ components.T, (X - mean) @ components.T @ components),
            "the mean is subtracted at the start, so at the end it is added": lambda X, mean, components: (
                (X - mean) @ components.T, (X - mean) @ components.T @ components - mean),
            "this is what is lost, the difference between X and what is rebuilt": lambda X, mean, components: (
                (X - mean) @ components.T, X - _project_and_reconstruct(X, mean, components)[1]),
        }),
    "variance_shares": Exercise(_samples_with_variances, ("variances", "shares"), answer=_variance_shares, mistakes={
        "did you subtract the mean of each feature?": lambda X: (
            _squared_singular_values(X) / (len(X) - 1),
            _squared_singular_values(X) / _squared_singular_values(X).sum()),
        "singular values are not variances yet: which power of s is in the formula?": lambda X: (
            np.sqrt(_variance_shares(X)[0] / (len(X) - 1)), _shares_of(np.sqrt(_variance_shares(X)[0]))),
        "these are standard deviations, the square roots of the variances": lambda X: (
            np.sqrt(_variance_shares(X)[0]), _variance_shares(X)[1]),
        "divide by N - 1, not by N": lambda X: (np.var(X @ svd.full(X)[2].T, axis=0), _variance_shares(X)[1]),
        "these are the variances of the features, not along the components": lambda X: (
            np.sort(X.var(axis=0, ddof=1))[::-1], _shares_of(np.sort(X.var(axis=0))[::-1])),
        "the share of each component alone, not of all up to it": lambda X: (
            _variance_shares(X)[0], np.cumsum(_variance_shares(X)[1])),
    }),
    "blockwise_covariance": Exercise(
        _blocks, ("mean", "covariance"), answer=_whole_covariance, look=_lost_digits,
        call=lambda answer, blocks: answer(blocks()),
        costs=(Memory(_many_blocks, lambda blocks: 0.4e6),), mistakes={
            "the blocks can be read only once: a second loop gets none of them": _second_loop,
            "blocks have different lengths: the mean of their means is not the mean": _mean_of_means,
            "this leaves out how the means of the blocks differ": lambda blocks: _sums_within(
                blocks, lambda x: x.mean(axis=0)),
            "the mean changes with each block, but the earlier deviations are from an older one": _moving_mean,
            "divide by N - 1, not by N": _divided_by_n,
        }),
    "principal_angles": Exercise(
        _two_spaces, ("angles",), answer=_angles, blank="the cosine of an angle is never above 1, is it?", mistakes={
            "in degrees, not radians": lambda A, B: np.radians(_angles(A, B)),
            "the smallest angle first": lambda A, B: _angles(A, B)[::-1],
            "compare the spaces, not row with row: singular values of A @ B.T": lambda A, B: np.degrees(
                np.arccos(np.clip((A * B).sum(axis=1), -1, 1))),
            "these are the cosines: which angles have them?": _cosines,
            "do not square the singular values: they are the cosines": lambda A, B: np.degrees(
                np.arccos(np.clip(_cosines(A, B) ** 2, -1, 1))),
            "rounding made a cosine larger than 1, which no angle has: use np.clip": lambda A, B: np.degrees(
                np.arccos(_cosines(A, B))),
        }),
}
