"""Right answers to the exercises of lesson 10, and typical mistakes."""

import numpy as np


def mean_and_covariance(X):
    return X.sum(axis=0) / len(X), np.cov(X, rowvar=False)


def project_and_rebuild(X, mean, components):
    codes = np.array([components @ (x - mean) for x in X])
    return codes, sum(np.outer(code, direction) for code, direction in zip(codes.T, components)) + mean


def variance_shares(X):
    variances = np.linalg.eigvalsh(np.cov(X, rowvar=False))[::-1]
    return variances, variances / variances.sum()


def blockwise_covariance(blocks):
    """Welford's update, a sample at a time."""
    n, mean, scatter = 0, 0.0, 0.0
    for block in blocks:
        for x in block:
            n += 1
            before = x - mean
            mean = mean + before / n
            scatter = scatter + np.outer(before, x - mean)
    return mean, scatter / (n - 1)


def from_plain_sums(blocks, wanted=lambda sums, products, n: (products - np.outer(sums, sums) / n) / (n - 1)):
    """From sums and sums of products, which lose digits far from 0."""
    n, sums, products = 0, 0.0, 0.0
    for x in blocks:
        n, sums, products = n + len(x), sums + x.sum(axis=0), products + x.T @ x
    return sums / n, wanted(sums, products, n)


def from_all_at_once(blocks):
    X = np.concatenate(list(blocks))
    return X.mean(axis=0), np.cov(X, rowvar=False)


def mean_of_covariances(blocks):
    blocks = [block for block in blocks if len(block) > 1]
    return np.concatenate(blocks).mean(axis=0), np.mean([np.cov(x, rowvar=False) for x in blocks], axis=0)


def of_the_last_block(blocks):
    for block in blocks:
        mean, covariance = mean_and_covariance(np.vstack([block, block]))
    return mean, covariance


def principal_angles(A, B):
    squares = np.linalg.eigvalsh(A @ B.T @ B @ A.T)[::-1]
    return np.degrees(np.arccos(np.sqrt(np.clip(squares, 0, 1))))


def of_singular_values(X, variances, shares):
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    return variances(s, len(X)), shares(s)


def in_any_order(X):
    variances = np.linalg.eig(np.cov(X, rowvar=False))[0]
    return variances, variances / variances.sum()


RIGHT = (mean_and_covariance, project_and_rebuild, variance_shares, blockwise_covariance, principal_angles)
MISTAKES = [  # exercise, answer, what the line says
    ("variance_shares", in_any_order, "variances: . of . are wrong, .*; also wrong: shares"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), np.cov(X)), "its shape is .*; right: mean$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=1), np.cov(X, rowvar=False)), "its shape is"),
    ("mean_and_covariance", lambda X: np.cov(X, rowvar=False),
     "it should return mean, covariance; it returns one ndarray$"),
    ("mean_and_covariance", lambda X: mean_and_covariance(X)[::-1], "your mean is what covariance should be"),
    ("mean_and_covariance", lambda X: (np.median(X, axis=0), np.cov(X, rowvar=False)),
     r"mean: \d of \d (is|are) wrong.*; right: covariance$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), np.diag(X.var(axis=0, ddof=1))),
     r"covariance: \d+ of \d+ (is|are) wrong.*; right: mean$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), np.abs(np.cov(X, rowvar=False))),
     r"covariance: \d+ of \d+ (is|are) wrong.*; right: mean$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), (X - X[0]).T @ (X - X[0]) / (len(X) - 1)),
     r"covariance: \d+ of \d+ (is|are) wrong.*; right: mean$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), X.__isub__(X.mean(axis=0)).T @ X / (len(X) - 1)),
     "it changes its input X: work on a copy"),
    ("project_and_rebuild", lambda X, mean, components: (X @ components, X), "inner sizes .* must one factor be"),
    ("project_and_rebuild", lambda X, mean, components: project_and_rebuild(X, mean, components)[::-1],
     "your codes is what rebuilt should be"),
    ("project_and_rebuild", lambda X, mean, components: (project_and_rebuild(X, mean, components)[0], X),
     r"rebuilt: \d+ of \d+ (is|are) wrong.*; right: codes"),
    ("project_and_rebuild", lambda X, mean, components: (
        project_and_rebuild(X, mean, components)[0],
        project_and_rebuild(X, mean, components)[0] @ (components.T if len(components) == len(mean) else components)
        + mean), r"rebuilt: \d+ of \d+ (is|are) wrong"),
    ("project_and_rebuild", lambda X, mean, components: (
        np.abs((X - mean) @ components.T), project_and_rebuild(X, mean, components)[1]),
     r"codes: (\d+ of \d+ (is|are) wrong|every entry has the wrong sign).*; right: rebuilt"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s**2 / n, lambda s: s**2 / s[0] ** 2),
     "variances: divide by N - 1, not by N; also wrong: shares"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s**2 / (n - 1), lambda s: 100 * s**2 / (s @ s)),
     "shares: every entry is off by the factor 100; .*right: variances"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s**2 / (n - 1), lambda s: s / s.sum()),
     "shares: singular values are not variances yet.*; right: variances"),
    ("variance_shares", lambda X: tuple(values[::-1] for values in variance_shares(X)),
     r"variances: \d of \d (is|are) wrong"),
    ("variance_shares", lambda X: variance_shares(X / X.std(axis=0)), r"variances: \d of \d (is|are) wrong"),
    ("variance_shares", lambda X: variance_shares(X)[0], "it should return variances, shares; it returns one ndarray"),
    ("blockwise_covariance", from_plain_sums,
     "covariance: .*; right: mean; first subtract a point near the data$"),
    ("blockwise_covariance", lambda blocks: from_plain_sums(blocks, lambda sums, products, n: products / (n - 1)),
     r"covariance: \d+ of \d+ (is|are) wrong.*; right: mean$"),
    ("blockwise_covariance", from_all_at_once,
     r"it returns the right result, but needs \d+.?\d* MB for it; 0.4 are enough"),
    ("blockwise_covariance", mean_of_covariances, r"mean: \d of \d (is|are) wrong.*; also wrong: covariance"),
    ("blockwise_covariance", of_the_last_block, r"mean: \d of \d (is|are) wrong.*; also wrong: covariance"),
    ("blockwise_covariance", lambda blocks: mean_and_covariance(next(blocks)), "also wrong: covariance"),
    ("blockwise_covariance", lambda blocks: mean_and_covariance(blocks[0]), "it raised TypeError"),
    ("principal_angles", lambda A, B: np.roll(principal_angles(A, B), 1),
     r"\d of \d (is|are) wrong|the smallest angle first"),
    ("principal_angles", lambda A, B: 90 - principal_angles(A, B), r"\d of \d (is|are) wrong"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(np.sort(np.linalg.norm(A @ B.T, axis=1))[::-1])),
     r"\d of \d (is|are) wrong"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(np.sort(np.abs(A @ B.T).max(axis=1))[::-1])),
     r"\d of \d (is|are) wrong|compare the spaces"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(A @ B.T)), "its shape is"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(9 + np.linalg.svd(A @ B.T, compute_uv=False))),
     r"not finite, .*; the cosine of an angle is never above 1, is it\?$"),
]
