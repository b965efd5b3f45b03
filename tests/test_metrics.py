"""Every score against values computed by hand and against its properties; tests/peers compares with libraries."""

import subprocess
import sys
from fractions import Fraction
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


@pytest.mark.parametrize("score", SCORES)
def test_the_same_grouping_scores_exactly_1_and_nothing_more(rng, score):
    for _ in range(100):
        n = int(rng.integers(1, 200))
        classes = rng.integers(0, rng.integers(1, n + 1), n)
        assert score(classes, 5 - 2 * classes) == 1
        assert 0 <= score(classes, rng.integers(0, 5, n)) <= 1 or score is metrics.adjusted_rand_index


def test_nmi_of_independent_groupings_is_exactly_0():
    for n_classes, n_clusters in ((2, 3), (7, 5), (13, 11)):  # each pair of labels once: p = p_c p_k
        classes, clusters = np.divmod(np.arange(n_classes * n_clusters), n_clusters)
        assert metrics.normalized_mutual_information(classes, clusters) == 0


def test_ari_is_rounded_once(rng):
    """Nearly independent: index and expected index share most of their digits. Compared with exact fractions."""
    for n in (50, 1000, 100_000):
        classes, clusters = rng.integers(0, 3, n), rng.integers(0, 4, n)
        counts = metrics.confusion_matrix(classes, clusters)
        index, a, b, every = (sum(int(m) * (int(m) - 1) // 2 for m in np.ravel(part))
                              for part in (counts, counts.sum(axis=1), counts.sum(axis=0), counts.sum()))
        expected = Fraction(a * b, every)
        exact = (index - expected) / (Fraction(a + b, 2) - expected)
        assert metrics.adjusted_rand_index(classes, clusters) == float(exact)


@pytest.mark.parametrize("n_classes, n_clusters", [(100_000, 100_000), (100_000, 10), (10, 100_000)])
def test_memory_and_time_do_not_grow_with_the_table(n_classes, n_clusters):
    """The table would have 10^10 cells, 75 GB, or 10^6. All scores run in one process that may use at most 600 MB."""
    pytest.importorskip("resource", reason="memory can be limited on POSIX systems only")
    code = f"""
import resource
import numpy as np
from aelearn import metrics
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + 300 * 2**20,) * 2)
rng = np.random.default_rng(0)
n = 100_000
classes, clusters = rng.permutation(n) % {n_classes}, rng.permutation(n) % {n_clusters}
small = min({n_classes}, {n_clusters})
assert metrics.accuracy(classes, clusters) == small / n
matching = metrics.best_matching(classes, clusters)
assert len(matching) == small and metrics.accuracy(classes, clusters, matching) == small / n
assert metrics.purity(classes, clusters) == (1 if {n_clusters} == n else small / n)
same = float({n_classes} == {n_clusters})
assert metrics.adjusted_rand_index(classes, clusters) == same
assert abs(metrics.normalized_mutual_information(classes, clusters) - 2 * np.log(small) / np.log(n * small)) < 1e-12
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_best_matching_pairs_what_is_left_in_order():
    assert metrics.best_matching(["a", "b", "c"], [1, 1, 1]) in ({1: "a"}, {1: "b"}, {1: "c"})
    # b has 3 samples in cluster 0; a and cluster 1 share none, but are the only ones left; 2 gets no class
    assert metrics.best_matching(list("abbbb"), [0, 0, 0, 0, 1]) == {0: "b", 1: "a"}
    assert metrics.best_matching(list("abbbbb"), [0, 0, 0, 0, 1, 2]) == {0: "b", 1: "a"}


LABELS = {
    "byte-swapped": np.array([0, 0, 7, 7], ">i4"), "read-only": np.broadcast_to(np.repeat([3, 1], 2), 4),
    "bytes": np.array([-128, -128, 127, 127], np.int8),
    "largest": np.array([2**64 - 1] * 2 + [2**64 - 2] * 2, np.uint64),
    "extremes": np.array([2**63 - 1] * 2 + [-2**63] * 2), "beyond NumPy": [2**64, 2**64, 2**64 + 1, 2**64 + 1],
    "beside a float": [2**53, 2**53, 2**53 + 1, 2**53 + 1, 0.5], "signed beside unsigned": [2**63, 2**63 + 1, -1, -1],
    "a NUL": ["a", "a", "a\0", "a\0"], "booleans": [True, True, False, False], "infinity": [np.inf, np.inf, 1, -np.inf],
    "not masked": np.ma.array([1, 1, 2, 2], mask=[0, 0, 0, 0]), "objects": np.array([1, 1.0, "b", "b"], object)[2:],
    "strings": list("aabb"), "floats": np.array([0.5, 0.5, -1, -1], np.float16),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_taken_as_what_they_are(kind):
    labels = LABELS[kind]
    names = labels if isinstance(labels, list) else labels.tolist()
    numbers = [sorted(set(names)).index(name) for name in names]  # Python's own comparisons are exact
    table = metrics.confusion_matrix(labels, numbers)
    assert np.array_equal(table, np.diag(np.bincount(numbers)))
    assert metrics.best_matching(labels, numbers) == {number: name for number, name in zip(numbers, names)}
    assert metrics.accuracy(numbers, labels, metrics.best_matching(numbers, labels)) == 1


def test_labels_of_data_frames():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (extra: peers)")
    for labels in (pandas.Series(list("aabb")), pandas.Categorical(list("aabb")), pandas.array([5, 5, 6, 6], "Int64")):
        assert metrics.adjusted_rand_index([0, 0, 1, 1], labels) == 1
    for labels in (pandas.Series(["a", None, "b", "b"]), pandas.Categorical(["a", None, "b", "b"]),
                   pandas.array([5, None, 6, 6], "Int64"), pandas.array(["a", None, "b", "b"], "string")):
        with pytest.raises(ValueError, match="missing label|masked"):
            metrics.adjusted_rand_index([0, 0, 1, 1], labels)


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
    assert metrics.accuracy([0, 1, 1], [5, 8, 6], {5: 1}) == 0  # 8 and 6 are matched with no class
    for classes in (["x", "y"], np.array(["x", "y"], object), np.array(["x", "y"])):
        matching = metrics.best_matching(classes, [0, 1])
        assert matching == {0: "x", 1: "y"} and metrics.accuracy(classes, [0, 1], matching) == 1


def test_silhouette_by_hand():
    X, labels = np.array([[0.0], [1.0], [5.0], [9.0]]), [0, 0, 1, 2]
    # points: (5 - 1) / 5, (4 - 1) / 4, and two that are alone in their clusters
    assert metrics.silhouette(X, labels) == pytest.approx((0.8 + 0.75) / 4)


def test_silhouette_of_tight_groups_far_apart():
    """Exact by symmetry: in each group of two, a = 1; b is the gap, up to its last digits."""
    X = np.array([[0.0], [1.0], [1e12], [1e12 + 1]])
    assert metrics.silhouette(X, [0, 0, 1, 1]) == pytest.approx(1 - 1e-12, abs=1e-13)


def test_silhouette_of_duplicates_is_finite():
    assert metrics.silhouette(np.zeros((6, 2)), [0, 0, 0, 1, 1, 1]) == 0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_silhouette_does_not_depend_on_the_scale(rng, scale):
    X, labels = rng.normal(size=(30, 2)), np.arange(30) % 3
    assert metrics.silhouette(X * scale, labels) == pytest.approx(metrics.silhouette(X, labels), rel=1e-12)


def test_bad_types():
    with pytest.raises(TypeError, match="dict"):
        metrics.accuracy([0, 1], [0, 1], [0, 1])
    with pytest.raises(TypeError, match="classes must be an array; got an iterator"):
        metrics.purity(iter([0, 1]), [0, 1])


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.accuracy(np.array([0, "a"], object), [0, 1]), "sorted"),
    (lambda: metrics.purity(np.array([0, float("nan")], object), [0, 1]), "NaN"),
    (lambda: metrics.accuracy([0, "0"], [0, 1]), "sorted"), (lambda: metrics.purity([0, 1], [None, None]), "None"),
    (lambda: metrics.purity({0, 1}, [0, 1]), "a list of .*; got set"),
    (lambda: metrics.accuracy([0, 1], np.ma.array([0, 1], mask=[0, 1])), "clusters has masked entries"),
    (lambda: metrics.accuracy(np.array(["2020", "NaT"], "M8[D]"), [0, 1]), "classes contains NaN"),
    (lambda: metrics.silhouette([[0.0], [1.0], [2.0]], np.ma.array([0, 1, 1], mask=[0, 0, 1])), "masked"),
    (lambda: metrics.linear_assignment([1, 2]), "2D array"), (lambda: metrics.linear_assignment([[np.nan]]), "NaN"),

    (lambda: metrics.accuracy([0, 1], [0]), "the same length"), (lambda: metrics.purity([], []), "one or more"),
    (lambda: metrics.accuracy([[0, 1]], [[0, 1]]), "1-D"), (lambda: metrics.accuracy([0, np.nan], [0, 1]), "NaN"),
    (lambda: metrics.silhouette([[0.0], [1.0]], [0, 0]), "2 to n_samples - 1"),
    (lambda: metrics.silhouette([[0.0], [1.0], [2.0]], [0, 1, 2]), "2 to n_samples - 1"),
    (lambda: metrics.silhouette([[0.0], [1.0], [2.0]], [0, 1]), "X has 3 samples, labels has 2"),
    (lambda: metrics.silhouette([[0.0], [np.nan], [2.0]], [0, 1, 1]), "NaN"),
])
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_labels_of_which_neither_is_less_are_refused():
    one, other = frozenset([1]), frozenset([2])
    with pytest.raises(ValueError, match="can be sorted"):
        metrics.accuracy([one, other, one], [0, 1, 0])
