"""What rounding may do to the sums of k-means, against rational arithmetic: offsets, weights of any size, long runs."""

from fractions import Fraction

import numpy as np
import pytest

from aelearn.kernels import cpu
from aelearn.kernels.cpu.assignment import DRIFT
from aelearn.kmeans import hamerly, lloyd

WEIGHTS = {
    "equal": lambda rng, n: np.ones(n), "sixteen decades": lambda rng, n: 10 ** rng.uniform(-16, 0, n),
    "tiny beside 1": lambda rng, n: rng.choice([1e-300, 1.0], n), "any": lambda rng, n: 10 ** rng.uniform(-300, 20, n),
}


def true_means(X, labels, weight, k):
    """The weighted means (K, D) by rational arithmetic, NaN where nothing weighs anything."""
    means = np.full((k, X.shape[1]), np.nan)  # (K, D)
    for label in range(k):
        own = (labels == label) & (weight > 0)
        shares = [Fraction(w) for w in weight[own].tolist()]
        for d in range(X.shape[1] if shares else 0):
            total = sum(w * Fraction(x) for w, x in zip(shares, X[own, d].astype(float).tolist()))
            means[label, d] = float(total / sum(shares))
    return means


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("offset, dtype", [(0, np.float32), (0, np.float64), (1e4, np.float32), (1e8, np.float64),
                                           (1e12, np.float64)])
def test_means_keep_their_digits_over_a_run(rng, name, offset, dtype):
    """Centres jump, so clusters grow and shrink. The bound: N additions a sum, DRIFT times what fresh sums have."""
    n, d, k = 150, 2, 4
    X = (rng.normal(size=(n, d)) + offset).astype(dtype)
    weight = WEIGHTS[name](rng, n)
    runs = [lloyd.Descent(X, weight), hamerly.Descent(X, weight), cpu.Descent(X, weight, "lloyd"),
            cpu.Descent(X, weight, "hamerly")]
    reach = np.abs(X.astype(float) - (X[0] if offset else 0)).max()  # of the points from the origin
    centers = X[:k].astype(float)
    for _ in range(12):
        found = [run.step(centers)[0] for run in runs]
        true = true_means(X, runs[0].labels, weight, k)
        bound = np.finfo(float).eps * (np.abs(true) + DRIFT * n * reach)
        for run, means in zip(runs, found):
            assert np.array_equal(run.labels, runs[0].labels)
            assert not (np.abs(means - true) > bound).any()  # NaN, of an empty cluster, is no difference
        centers = found[0] + rng.normal(size=(k, d)) * rng.choice([0, 0.3, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_of_points_with_thousands_of_features(rng, dtype):
    X = (rng.normal(size=(300, 5000)) + 3).astype(dtype)
    centers = X[:3] + 1e-6 * rng.normal(size=(3, 5000))
    centers = np.concatenate([centers, centers + 1e-9 * rng.normal(size=(3, 5000))])  # hard to tell apart
    assert np.array_equal(cpu.assign(X, centers)[0], lloyd.assign(X, centers)[0])


def test_the_last_point_of_weight_takes_no_rounding_with_it():
    """A cluster of 1 and of 3e-16: without its heavy point its mean is the light one, which 1 + 3e-16 - 1 is not."""
    X, weight = np.array([[0.0], [7.0], [50.0]]), np.array([3e-16, 1.0, 1.0])
    centers = np.array([[0.5], [50.0], [1e3]])
    labels, means, weights, _ = lloyd.lloyd_step(X, centers, weight)
    lloyd.fill_empty_clusters(X, centers, weight, labels, means, weights)
    assert means.tolist() == [[0.0], [50.0], [7.0]] and weights.tolist() == [3e-16, 1, 1]
