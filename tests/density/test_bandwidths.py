"""The bandwidth that leave-one-out finds is the best, by its definition; rules of thumb: test_estimator.py."""

import math

import numpy as np
import pytest

from aelearn import KernelDensity

pytestmark = pytest.mark.linear_algebra

KERNELS = ("gaussian", "epanechnikov")


def leave_one_out(X, h, kernel):
    """The sum over all samples of their log density under the kernels of the others."""
    return sum(KernelDensity(h, kernel=kernel).fit(np.delete(X, i, axis=0)).score(X[i:i + 1]) for i in range(len(X)))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_features", [1, 3])
def test_leave_one_out_finds_the_best_bandwidth(rng, kernel, n_features):
    X = np.concatenate([rng.normal(size=(25, n_features)), rng.normal(size=(15, n_features)) * 0.2 + 3])
    found = KernelDensity("leave-one-out", kernel=kernel).fit(X).bandwidth_
    tried = np.geomspace(0.05, 20, 150)
    values = [leave_one_out(X, h, kernel) for h in tried]
    best = int(np.argmax(values))
    assert tried[best - 2] < found < tried[best + 2]
    assert leave_one_out(X, found, kernel) >= values[best] - 0.05


def test_leave_one_out_of_two_points_by_hand():
    X = [[0.0, 0.0], [3.0, 4.0]]  # log p = -25 / (2 h^2) - 2 log h, or log(1 - 25 / h^2) - 2 log h
    assert KernelDensity("leave-one-out").fit(X).bandwidth_ == pytest.approx(5 / math.sqrt(2))
    assert KernelDensity("leave-one-out", kernel="epanechnikov").fit(X).bandwidth_ == pytest.approx(5 * math.sqrt(2))


@pytest.mark.parametrize("kernel", KERNELS)
def test_leave_one_out_does_not_fall_for_duplicates(rng, kernel):
    X = rng.normal(size=(40, 2))
    once, thrice = (KernelDensity("leave-one-out", kernel=kernel).fit(np.repeat(X, k, axis=0)) for k in (1, 3))
    assert thrice.bandwidth_ == pytest.approx(once.bandwidth_) and once.bandwidth_ > 0.1
