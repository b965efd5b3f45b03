"""What the compiled back ends have in common: activations, the numbers of Adam, weights and origin of the points, the
draws of k-means++.

Plumbing. Nothing here takes much time, and nothing is compiled.
"""

import math
from typing import NamedTuple

import numpy as np

from aelearn.kernels.arguments import check_squares

SIGMOID, TANH, RELU, IDENTITY = range(4)  # kernels do not know strings


def activation_code(name, codes):
    """The number of an activation in `codes`, {name: number}, which lists those that the kernels of a back end have.

    Raises NotImplementedError for any other.
    """
    if name not in codes:
        raise NotImplementedError(f"these kernels have no activation {name!r}, only {', '.join(map(repr, codes))}: "
                                  "add it there, or use backend='numpy'")
    return codes[name]


class AdamNumbers(NamedTuple):
    """The numbers in a step of Adam, in the dtype of its vectors."""

    beta1: float
    one_minus_beta1: float
    beta2: float
    one_minus_beta2: float
    epsilon: float
    to_v_hat: float  # sqrt(v_hat) = sqrt(v) * to_v_hat
    step: float  # learning_rate * m_hat = step * m


def adam_numbers(dtype, t, learning_rate, beta1, beta2, epsilon):
    """The numbers of update t (from 1). (As Python's floats they would turn float32 arithmetic into float64.)"""
    return AdamNumbers(*map(dtype.type, (beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 1 / math.sqrt(1 - beta2**t),
                                         learning_rate / (1 - beta1**t))))


def compact(sample_weight):
    """Weights as kernels take them: contiguous (N,) float64, or (1,) if all are views of the same number."""
    if sample_weight.strides == (0,):
        return sample_weight[:1].copy()
    return np.ascontiguousarray(sample_weight, np.float64)


def origin_of(X):
    """The origin, (D,) of X's dtype, that is subtracted from the points X (N, D) when they are summed.

    It is 0 or, if the points are far from 0, the first of them: differences and their sums then keep digits that would
    otherwise be lost. All back ends use this one, so that sums of numbers with few digits, such as integers, are the
    same to the last bit on all of them: nothing in such sums is ever rounded.
    """
    sample = _sample(X)  # (about 256, D), with the first point
    mean = sample.sum(axis=0) / len(sample)  # (D,)
    spread = np.abs(sample - mean).max()
    return X[0].copy() if np.abs(mean).max() > 16 * spread else np.zeros(X.shape[1], X.dtype)


def scale_of(X, origin):
    """A power of two by which points like those of X (N, D), relative to the origin (D,), are multiplied: a float.

    For points of ordinary size, which is nearly always the case, it is 1. It is determined from a few hundred of them.
    """
    exponent = exponent_of(np.abs(_sample(X) - origin).max(), 2.0**-20, 2.0**20)
    return float(2.0 ** -np.clip(exponent, -120, 120)) if exponent else 1.0


def exponent_of(largest, lowest, highest):
    """The e by whose power 2^e numbers are divided so that `largest`, the largest of them, is about 1; an int.

    It is 0, which changes nothing, if that number is 0 or between `lowest` and `highest`.
    """
    return 0 if largest == 0 or lowest < largest < highest else int(np.frexp(largest)[1])


def _sample(X):
    """A few hundred of the points X (N, D), from which their place and size can be told; float64."""
    return X[::max(1, len(X) // 256)].astype(np.float64)


def choose_points(n_clusters, chunks, weight, nearest, attempt, rng):
    """The indices of the K points that greedy k-means++ draws; see aelearn.kmeans.seeding.kmeans_plusplus.

    chunks   slices that cover the N points
    weight   (N,)
    nearest  nearest(rows) gives the squared distances of a chunk's points to their nearest centre so far
    attempt  attempt(points, keep) gives, for M chunks and T points, the inertias (M, T) if each of the points alone
             were the next centre; with keep there is one, and from then on `nearest` takes it into account

    Each draw has two stages, first a chunk, by the chunks' masses, then a point in it: so no running sum of all N
    masses is needed.
    """
    def mass(rows):
        return weight[rows] * nearest(rows)  # (chunk,)

    chosen = [_draw(rng, chunks, [weight[rows].sum() for rows in chunks], lambda rows: weight[rows])]
    masses = attempt(chosen, keep=True)[:, 0]  # (M,)
    check_squares(float(masses.sum()))
    n_trials = 2 + int(np.log(n_clusters))
    while len(chosen) < n_clusters:
        candidates = [_draw(rng, chunks, masses, mass) for _ in range(n_trials)]
        best = candidates[attempt(candidates, keep=False).sum(axis=0).argmin()]
        masses = attempt([best], keep=True)[:, 0]  # (M,)
        chosen.append(best)
    return chosen


def _draw(rng, chunks, masses, mass):
    """The index of a point, drawn in proportion to its mass. masses (M,): of chunks; mass(rows): of points."""
    cumulative = np.cumsum(masses)  # (M,)
    if cumulative[-1] == 0:
        return int(rng.integers(chunks[-1].stop))
    target = rng.random() * cumulative[-1]
    m = min(np.searchsorted(cumulative, target, side="right"), np.flatnonzero(masses)[-1])
    inside = mass(chunks[m])  # (chunk,)
    before = cumulative[m - 1] if m else 0.0
    index = np.searchsorted(np.cumsum(inside), target - before, side="right")
    return chunks[m].start + int(min(index, np.flatnonzero(inside)[-1]))
