"""The modularity by hand and by definition; and how many eigenvectors it chooses."""

import numpy as np
import pytest

from aelearn import SpectralClustering, make_moons, metrics
from aelearn.spectral import estimator
from aelearn.spectral.graphs import neighbor_graph
from aelearn.spectral.modularity import best_of, modularity
from aelearn.spectral.neighbors import nearest_neighbors

pytestmark = pytest.mark.linear_algebra


def test_by_hand():
    """A path 0 - 1 - 2 - 3 with weights 2, 1, 4, cut in its middle: (4 + 8) / 14 of the weights, counted from both
    ends, are inside; the degrees are 5 and 9 of 14. The diagonal does not count."""
    W = np.diag([2.0, 1, 4], 1)
    W += W.T + np.diag([7.0, 0, 0, 3])
    assert modularity(W, np.array([0, 0, 1, 1])) == pytest.approx(12 / 14 - (5**2 + 9**2) / 14**2)
    assert modularity(W, np.zeros(4, int)) == 0 == modularity(np.eye(3), np.arange(3))
    assert modularity(W, np.arange(4)) == pytest.approx(-(2**2 + 3**2 + 5**2 + 4**2) / 14**2)


def test_sparse_is_dense(rng):
    W = neighbor_graph(nearest_neighbors(rng.normal(size=(80, 3)), 6))
    labels = rng.integers(0, 5, 80)
    dense = W.toarray()
    np.fill_diagonal(dense, 0)
    wanted = sum(dense[labels == k][:, labels == k].sum() / dense.sum()
                 - (dense[labels == k].sum() / dense.sum()) ** 2 for k in range(5))
    assert modularity(W, labels) == pytest.approx(wanted)
    assert modularity(W.toarray(), labels) == pytest.approx(wanted)


def test_stable_clusterings_go_first(rng):
    """The starts of 2 differ; of the stable ones, 4 has the largest modularity."""
    W = neighbor_graph(nearest_neighbors(np.repeat(np.arange(4.0), 10)[:, None] * 9 + rng.normal(size=(40, 1)), 15))
    groups = np.repeat(np.arange(4), 10) // 2

    def cluster(n):
        return {2: rng.permutation(groups), 3: np.arange(40) % 2, 4: groups, 5: np.arange(40) // 3 % 2}[n]

    n, labels, value = best_of(W, [2, 3, 4, 5], cluster)
    assert n == 4 and labels is groups and value == modularity(W, groups)
    only_unstable = best_of(W, [2], cluster)
    assert only_unstable[0] == 2


@pytest.mark.parametrize("sample", [10_000, 300])
def test_more_eigenvectors_where_a_lone_group_takes_one(rng, sample, monkeypatch):
    """Two moons, and a few points far away, which are one of the two groups that two eigenvectors see."""
    monkeypatch.setattr(estimator, "SAMPLE", sample)
    X, labels = make_moons(600, noise=0.05, random_state=0)
    settings = {"affinity": "nearest_neighbors", "random_state": 0}
    with pytest.warns(UserWarning, match="falls into"):
        auto = SpectralClustering(2, n_components="auto", **settings).fit(np.concatenate([X, [[9.0, 9]] * 12]))
    assert metrics.accuracy(labels, auto.labels_[:600]) == 1
    assert auto.embedding_.shape == (612, len(auto.eigenvalues_)) and 2 <= len(auto.eigenvalues_) <= 4
    assert auto.labels_.dtype == np.int32


def test_components_as_in_scikit_learn():
    X, labels = make_moons(300, noise=0.05, random_state=0)
    model = SpectralClustering(2, n_components=4, gamma=50.0, random_state=0).fit(X)
    assert model.embedding_.shape == (300, 4) and model.eigenvalues_.shape == (4,)
    assert np.array_equal(SpectralClustering(2, n_components=2, gamma=50.0, random_state=0).fit_predict(X),
                          SpectralClustering(2, gamma=50.0, random_state=0).fit_predict(X))


@pytest.mark.parametrize("settings, error, words", [
    ({"n_components": 0}, ValueError, "n_components must be .* from 1 to 40"),
    ({"n_components": "some"}, ValueError, "'auto'"), ({"n_components": 2.0}, TypeError, "integer"),
    ({"n_components": 41}, ValueError, "from 1 to 40"),
    ({"n_components": "auto", "n_landmarks": 9}, ValueError, "needs all edges: use n_landmarks=None"),
])
def test_impossible_settings(settings, error, words, rng):
    with pytest.raises(error, match=words):
        SpectralClustering(2, **settings).fit(rng.normal(size=(40, 2)))


def test_a_large_group_is_not_joined_to_cut_a_small_one():
    """Three groups: two of 40 points with some edges between them, and a path of 10. The normalised cut is smaller if
    the path is cut in two and the others are one; the modularity is not larger."""
    W = np.zeros((90, 90))
    W[:40, :40] = W[40:80, 40:80] = 1
    W[0:40:2, 40:80:2] = W[40:80:2, 0:40:2] = 0.6
    path = np.arange(80, 89)
    W[path, path + 1] = W[path + 1, path] = 1
    np.fill_diagonal(W, 0)
    right, joined = np.repeat([0, 1, 2], [40, 40, 10]), np.repeat([0, 1, 2], [80, 5, 5])

    def cut(labels):
        return sum(W[labels == k][:, labels != k].sum() / W[labels == k].sum() for k in range(3))

    assert cut(joined) < cut(right) and modularity(W, joined) < modularity(W, right)


def test_landmarks_have_no_modularity(rng, monkeypatch):
    monkeypatch.setattr(estimator, "MAX_EXACT", 30)
    with pytest.raises(ValueError, match="use affinity='nearest_neighbors', or a number"):
        SpectralClustering(2, n_components="auto").fit(rng.normal(size=(40, 2)))
