"""Every score against values worked out by hand and against its properties; tests/peers compares with libraries."""

from itertools import permutations

import numpy as np
import pytest

from aelearn import metrics

CLASSES = ["a", "a", "a", "b", "b", "c"]
CLUSTERS = [7, 7, 9, 9, 9, 7]
SCORES = (metrics.accuracy, metrics.purity, metrics.normalized_mutual_information, metrics.adjusted_rand_index)


def test_by_hand():
    assert metrics.confusion_matrix(CLASSES, CLUSTERS).tolist() == [[2, 1], [0, 2], [1, 0]]
    assert metrics.best_matching(CLASSES, CLUSTERS) == {7: "a", 9: "b"}
    assert metrics.accuracy(CLASSES, CLUSTERS) == 4 / 6
    assert metrics.purity(CLASSES, CLUSTERS) == 4 / 6
    # pairs together in both: 1 + 1; in classes: 3 + 1; in clusters: 3 + 3; of 15
    assert metrics.adjusted_rand_index(CLASSES, CLUSTERS) == pytest.approx((2 - 24 / 15) / (5 - 24 / 15))
    p = np.array([[2, 1], [0, 2], [1, 0]]) / 6
    information = sum(v * np.log(v / (p[c].sum() * p[:, k].sum())) for (c, k), v in np.ndenumerate(p) if v)
    entropies = -sum(q * np.log(q) for q in (3 / 6, 2 / 6, 1 / 6)) - 2 * 0.5 * np.log(0.5)
    assert metrics.normalized_mutual_information(CLASSES, CLUSTERS) == pytest.approx(2 * information / entropies)


@pytest.mark.parametrize("score", SCORES)
def test_names_do_not_matter_and_the_same_grouping_scores_1(rng, score):
    classes, clusters = rng.integers(0, 4, 50), rng.integers(0, 6, 50)
    renamed = np.array([3, 5, 0, 1, 4, 2])[clusters]
    assert score(classes, clusters) == pytest.approx(score(classes, renamed), abs=1e-12)
    assert score(classes, classes * 10 - 7) == pytest.approx(1)


def test_chance_scores_0(rng):
    scores = [[f(rng.integers(0, 3, 300), rng.integers(0, 3, 300)) for f in SCORES[2:]] for _ in range(50)]
    assert np.abs(np.mean(scores, axis=0)).max() < 0.02


@pytest.mark.parametrize("classes, clusters", [([0], [3]), ([1, 1, 1], [0, 0, 0]), ([0, 1, 2], [2, 0, 1])])
def test_trivial_groupings_that_agree(classes, clusters):
    assert all(score(classes, clusters) == 1 for score in SCORES)


def test_one_cluster_for_all_tells_nothing():
    assert metrics.normalized_mutual_information([0, 0, 1, 1], [5, 5, 5, 5]) == 0
    assert metrics.adjusted_rand_index([0, 0, 1, 1], [5, 5, 5, 5]) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5), (5, 2), (4, 6), (6, 4), (1, 4)])
def test_linear_assignment_against_all_permutations(rng, shape):
    for _ in range(20):
        cost = rng.integers(-5, 6, shape).astype(float)
        rows, columns = metrics.linear_assignment(cost)
        assert len(rows) == min(shape) and len(set(columns)) == len(columns) and (np.diff(rows) > 0).all()
        small = cost if shape[0] <= shape[1] else cost.T
        best = min(sum(small[i, j] for i, j in enumerate(p)) for p in permutations(range(small.shape[1]), len(small)))
        assert cost[rows, columns].sum() == best


def test_accuracy_under_a_given_matching():
    assert metrics.accuracy([0, 1, 1], [5, 5, 6], {5: 0, 6: 1}) == pytest.approx(2 / 3)
    assert metrics.accuracy([0, 1, 1], [5, 8, 6], {5: 1}) == 0  # 8 and 6 have no class
    for classes in (["x", "y"], np.array(["x", "y"], object), np.array(["x", "y"])):
        matching = metrics.best_matching(classes, [0, 1])
        assert matching == {0: "x", 1: "y"} and metrics.accuracy(classes, [0, 1], matching) == 1


def test_silhouette_by_hand():
    X, labels = np.array([[0.0], [1.0], [5.0], [9.0]]), [0, 0, 1, 2]
    # points: (5 - 1) / 5, (4 - 1) / 4, and two alone in their clusters
    assert metrics.silhouette(X, labels) == pytest.approx((0.8 + 0.75) / 4)


def test_silhouette_of_tight_groups_far_apart():
    """Exact by symmetry: in each group of two, a = 1; b is the gap, to within its last digits."""
    X = np.array([[0.0], [1.0], [1e12], [1e12 + 1]])
    assert metrics.silhouette(X, [0, 0, 1, 1]) == pytest.approx(1 - 1e-12, abs=1e-13)


def test_silhouette_of_duplicates_is_finite():
    assert metrics.silhouette(np.zeros((6, 2)), [0, 0, 0, 1, 1, 1]) == 0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_silhouette_does_not_depend_on_the_scale(rng, scale):
    X, labels = rng.normal(size=(30, 2)), np.arange(30) % 3
    assert metrics.silhouette(X * scale, labels) == pytest.approx(metrics.silhouette(X, labels), rel=1e-12)


def test_matching_must_be_a_dict():
    with pytest.raises(TypeError, match="dict"):
        metrics.accuracy([0, 1], [0, 1], [0, 1])


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.accuracy(np.array([0, "a"], object), [0, 1]), "sorted"),
    (lambda: metrics.purity(np.array([0, float("nan")], object), [0, 1]), "NaN"),
    (lambda: metrics.linear_assignment([1, 2]), "2D array"), (lambda: metrics.linear_assignment([[np.nan]]), "NaN"),

    (lambda: metrics.accuracy([0, 1], [0]), "one length"), (lambda: metrics.purity([], []), "one or more"),
    (lambda: metrics.accuracy([[0, 1]], [[0, 1]]), "1-D"), (lambda: metrics.accuracy([0, np.nan], [0, 1]), "NaN"),
    (lambda: metrics.silhouette([[0.0], [1.0]], [0, 0]), "2 to n_samples - 1"),
    (lambda: metrics.silhouette([[0.0], [1.0], [2.0]], [0, 1, 2]), "2 to n_samples - 1"),
    (lambda: metrics.silhouette([[0.0], [1.0], [2.0]], [0, 1]), "X has 3 samples, labels has 2"),
    (lambda: metrics.silhouette([[0.0], [np.nan], [2.0]], [0, 1, 1]), "NaN"),
])
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
