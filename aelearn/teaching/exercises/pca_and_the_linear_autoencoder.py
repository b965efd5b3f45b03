"""The exercises of lesson 10. Shapes: N samples, D features, C components, M = min(N, D)."""

import numpy as np

from aelearn.pca import svd
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _directions(rng, c, d):
    """Random orthonormal directions, (C, D)."""
    return np.linalg.qr(rng.normal(size=(d, c)))[0].T


def _samples(rng):
    """More samples than features; the features are correlated, with means far from 0."""
    n, d = sizes(rng, 2, low=3, high=7)
    return {"X": rng.normal(size=(n + d, d)) @ rng.normal(size=(d, d)) + rng.uniform(2, 5, d)}


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


def _variance_shares(X):
    s = svd.full(X)[1]  # (M,)
    return s**2 / (len(X) - 1), s**2 / np.sum(s**2)


def _two_spaces(rng):
    """Two random spaces; two whose angles are 20 and 30 degrees, with bases in another order: each direction of one
    is orthogonal to that of the same index in the other; and one space twice, up to a rounding error."""
    c = int(rng.integers(2, 5))
    d = 2 * c + int(rng.integers(1, 4))  # large enough for the two to have no direction in common
    axes, (far, near) = np.eye(4), np.radians([30, 20])
    return [{"A": _directions(rng, c, d), "B": _directions(rng, c, d)},
            {"A": axes[:2], "B": np.array([np.cos(far) * axes[1] + np.sin(far) * axes[3],
                                           np.cos(near) * axes[0] + np.sin(near) * axes[2]])},
            {"A": axes[:2] * (1 + np.finfo(float).eps), "B": axes[:2]}]


def _angles(A, B):
    cosines = np.linalg.svd(A @ B.T, compute_uv=False)  # (C,)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


EXERCISES = {
    "mean_and_covariance": Exercise(_samples, ("mean", "covariance"), answer=_mean_and_covariance),
    "project_and_rebuild": Exercise(_samples_and_components, ("codes", "rebuilt"), answer=_project_and_reconstruct),
    "variance_shares": Exercise(_samples, ("variances", "shares"), answer=_variance_shares),
    "principal_angles": Exercise(_two_spaces, ("angles",), answer=_angles,
                                 blank="the cosine of an angle is never above 1, is it?"),
}
