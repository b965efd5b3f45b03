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


def principal_angles(A, B):
    squares = np.linalg.eigvalsh(A @ B.T @ B @ A.T)[::-1]
    return np.degrees(np.arccos(np.sqrt(np.clip(squares, 0, 1))))


def of_singular_values(X, variances, shares):
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    return variances(s, len(X)), shares(s)


RIGHT = (mean_and_covariance, project_and_rebuild, variance_shares, principal_angles)
MISTAKES = [  # exercise, answer, what the line says
    ("mean_and_covariance", lambda X: (X.mean(axis=0), X.T @ X / (len(X) - 1)),
     r"covariance: \d+ of \d+ .*wrong.*; mean: right$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), np.cov(X, rowvar=False, bias=True)),
     r"covariance: .*every entry is off by the factor 0\.\d+, which is \(X.shape\[0\] - 1\) / X.shape\[0\] here"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), np.cov(X)), "its shape is .*; mean: right$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=1), np.cov(X, rowvar=False)), "its shape is"),
    ("mean_and_covariance", lambda X: np.cov(X, rowvar=False),
     "it should return mean, covariance; it returns one ndarray$"),
    ("mean_and_covariance", lambda X: (X.mean(axis=0), (X - X.mean(axis=0)).T @ (X - X.mean(axis=0))),
     "covariance: .*every entry is off by the factor"),
    ("project_and_rebuild", lambda X, mean, components: (X @ components.T, X @ components.T @ components),
     "codes: .* wrong.*; rebuilt is wrong too"),
    ("project_and_rebuild", lambda X, mean, components: (
        (X - mean) @ components.T, (X - mean) @ components.T @ components), "rebuilt: .* wrong.*; codes: right$"),
    ("project_and_rebuild", lambda X, mean, components: (X @ components, X), "inner sizes .* must one factor be"),
    ("project_and_rebuild", lambda X, mean, components: project_and_rebuild(X, mean, components)[::-1],
     "your codes is what rebuilt should be"),
    ("project_and_rebuild", lambda X, mean, components: (
        project_and_rebuild(X, mean, components)[0],
        project_and_rebuild(X, mean, components)[0] @ (components.T if len(components) == len(mean) else components)
        + mean), "rebuilt: .* wrong"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s / (n - 1), lambda s: s / s.sum()),
     "variances: .* wrong.*; shares is wrong too"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s**2 / n, lambda s: s**2 / np.sum(s**2)),
     r"variances: .*off by the factor 0.*, which is \(X.shape\[0\] - 1\) / X.shape\[0\] here; shares: right"),
    ("variance_shares", lambda X: of_singular_values(X, lambda s, n: s**2 / (n - 1),
                                                     lambda s: np.cumsum(s**2) / np.sum(s**2)),
     "shares: .* wrong.*; variances: right$"),
    ("variance_shares", lambda X: tuple(np.linalg.svd(X, compute_uv=False)**2 / n for n in (
        len(X) - 1, np.sum(X**2))), "variances: .* wrong.*; shares is wrong too"),
    ("variance_shares", lambda X: tuple(values[::-1] for values in variance_shares(X)), "variances: .* wrong"),
    ("principal_angles", lambda A, B: np.radians(principal_angles(A, B)),
     r"angles: .*every entry is off by the factor 0\.01745329"),
    ("principal_angles", lambda A, B: principal_angles(A, B)[::-1], "angles: .* wrong"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(np.sum(A * B, axis=1))), "angles: .* wrong"),
    ("principal_angles", lambda A, B: np.linalg.svd(A @ B.T, compute_uv=False), "angles: .* wrong"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(A @ B.T)), "its shape is"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(2 * np.linalg.svd(A @ B.T, compute_uv=False))),
     r"not finite, .*; the cosine of an angle is never above 1, is it\?$"),
    ("principal_angles", lambda A, B: np.degrees(np.arccos(np.linalg.svd(A @ B.T, compute_uv=False))),
     r"not finite, .*; the cosine of an angle is never above 1, is it\?$"),
]
