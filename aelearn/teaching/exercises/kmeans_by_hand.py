"""The exercises of lesson 5. Shapes: N points, D features, K clusters.

No verdict may depend on luck. So random inputs are drawn again until each typical mistake shows on them, and until no
point is nearly as close to another centre as to its own: there, rounding would decide (`telling`). Exact ties are
inputs of their own, of small integers, whose squares have no rounding errors.
"""

import numpy as np

from aelearn.kmeans import lloyd
from aelearn.teaching.costs import Memory, NoLoop
from aelearn.teaching.exercises.exercise import Exercise, sizes

CLEAR = 1e-3  # a difference of squared distances, relative to the largest, that no rounding of float32 changes


def table(X, centers):
    """All squared distances (N, K)."""
    return ((X[:, None] - centers) ** 2).sum(axis=2)


def _is_clear(X, centers):
    """True if every point has one centre that is clearly its nearest."""
    distances = np.sort(table(X, centers), axis=1)  # (N, K)
    return np.all(distances[:, 1] - distances[:, 0] > CLEAR * distances.max())


def telling(rng, make, right, mistakes):
    """Inputs of make(rng) on which the mistakes lead to different outputs, all of them wrong."""
    while True:
        inputs = make(rng)
        outputs = [np.asarray(answer(*inputs.values())) for answer in (right, *mistakes)]
        if _is_clear(inputs["X"], inputs["centers"]) and not any(
                one.shape == other.shape and np.allclose(one, other)
                for n, one in enumerate(outputs) for other in outputs[:n]):
            return inputs


def points_and_centers(rng):
    """More points than features or centres, so that no wrong product has the right shape; one lies on a centre."""
    n, d, k = sizes(rng, 3, low=3)
    X = rng.normal(size=(10 + n, d)) + 2 * rng.integers(-1, 2, (10 + n, 1))
    centers = X[rng.choice(len(X), k, replace=False)] + 0.1 * rng.normal(size=(k, d))
    centers[rng.integers(k)] = X[rng.integers(len(X))]
    return {"X": X, "centers": centers}


# Four centres, and points that are equally near to some: the first two, the last two, all four; and to an equal pair.
TIES = {"X": np.array([[2.0, 0, 1], [-3, 1, 0], [0, 0, 0], [0, 3, 0], [1, 2, 0]]),
        "centers": np.array([[2.0, 1, 0], [2, -1, 0], [-2, 0, 1], [-2, 0, -1]])}
COPIES = {"X": np.array([[4.0, 4], [0, 1], [1, 3]]), "centers": np.array([[9.0, 9], [3, 3], [3, 3], [0, 0], [0, 0]])}


def _labels(X, centers):
    return lloyd.assign(X, centers)[0]


def last_of_equals(X, centers):
    """The label of each point (N,), but of equally near centres the one with the highest index: a mistake."""
    return len(centers) - 1 - table(X, centers)[:, ::-1].argmin(axis=1)


WRONG_LABELS = {
    "is that the farthest centre? Each point goes to its nearest":
        lambda X, centers: table(X, centers).argmax(axis=1),
    "square the differences before you add them up: positive and negative ones cancel":
        lambda X, centers: (X[:, None] - centers).sum(axis=2).argmin(axis=1),
    "is that the sum of absolute differences? It has another nearest centre than the squares":
        lambda X, centers: np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1),
    "the largest product x @ c need not belong to the nearest centre: it prefers long ones":
        lambda X, centers: (X @ centers.T).argmax(axis=1),
    "labels are indices of centres, and indices start at 0": lambda X, centers: table(X, centers).argmin(axis=1) + 1,
    "of centres that are equally near, take the one with the lowest index": last_of_equals,
}


def _to_assign(rng):
    others = [lambda X, centers: np.zeros(len(X), int),
              lambda X, centers: np.abs(X[:, None] - centers).max(axis=2).argmin(axis=1),
              lambda X, centers: (X @ centers.T / np.linalg.norm(centers, axis=1)).argmax(axis=1)]
    mistakes = [wrong for wrong in WRONG_LABELS.values() if wrong is not last_of_equals]
    return [telling(rng, points_and_centers, _labels, [*mistakes, *others]), TIES, COPIES]


def _means(X, labels, centers):
    return lloyd.update(X, centers, None, labels)[0]


def _sums(X, labels, centers):
    return np.array([X[labels == k].sum(axis=0) for k in range(len(centers))])  # (K, D)


def _sizes(labels, centers):
    return np.bincount(labels, minlength=len(centers))[:, None]  # (K, 1)


def _filled(labels, centers, values):
    """`values` (K, D), and the old centres of clusters without points."""
    return np.where(_sizes(labels, centers) > 0, values, centers)


WRONG_MEANS = {
    "that is the sum of each cluster's points: divide it by their number":
        lambda X, labels, centers: _filled(labels, centers, _sums(X, labels, centers)),
    "divide by the number of points in the cluster, not by that of all points":
        lambda X, labels, centers: _filled(labels, centers, _sums(X, labels, centers) / len(X)),
    "a centre without points stays where it is; yours moves to 0":
        lambda X, labels, centers: _sums(X, labels, centers) / np.maximum(_sizes(labels, centers), 1),
    "the mean of the points alone: the old centre is not one of them":
        lambda X, labels, centers: (_sums(X, labels, centers) + centers) / (_sizes(labels, centers) + 1),
    "take the mean over the points (axis=0), not over their features as well":
        lambda X, labels, centers: _filled(labels, centers,
                                           _means(X, labels, centers).mean(axis=1, keepdims=True) + 0 * centers),
    "that is the median of each cluster; the mean is wanted":
        lambda X, labels, centers: np.array([np.median(X[labels == k], axis=0) if (labels == k).any() else center
                                             for k, center in enumerate(centers)]),
}


def _points_and_labels(rng, empty=()):
    """Labels that are not those of the nearest centres; the clusters `empty` have no points, another has only one."""
    n, d, k = sizes(rng, 3, low=4, high=9)
    X, centers = rng.normal(size=(5 * n, d)) + 1, rng.normal(size=(k, d)) + 1
    used = np.setdiff1d(np.arange(k), np.asarray(empty, int) % k)
    labels = np.concatenate([used[:1], rng.permutation(np.resize(used[1:], len(X) - 1))])
    return {"X": X, "labels": labels, "centers": centers}


def _to_update(rng):
    """The first cluster has no points; the last one; and some between, in another order of the points."""
    inputs = [_points_and_labels(rng, empty) for empty in ((0,), (-1,), (1, 2))]
    order = rng.permutation(len(inputs[2]["X"]))
    return [*inputs[:2], {**inputs[2], "X": inputs[2]["X"][order], "labels": inputs[2]["labels"][order]}]


def _inertia(X, labels, centers):
    return lloyd.inertia_of(X, centers, None, labels)


WRONG_INERTIAS = {
    "add up the squared distances: the inertia is a sum, not a mean":
        lambda X, labels, centers: ((X - centers[labels]) ** 2).sum(axis=1).mean(),
    "add up all squares: the inertia is a sum, not the mean of all entries":
        lambda X, labels, centers: ((X - centers[labels]) ** 2).mean(),
    "square the distances before you add them up":
        lambda X, labels, centers: np.sqrt(((X - centers[labels]) ** 2).sum(axis=1)).sum(),
    "squares, not absolute values, of the differences": lambda X, labels, centers: np.abs(X - centers[labels]).sum(),
    "take no square root of the sum": lambda X, labels, centers: np.sqrt(((X - centers[labels]) ** 2).sum()),
    "each point's own centre is the one that its label names; it need not be the nearest":
        lambda X, labels, centers: table(X, centers).min(axis=1).sum(),
}


def _settled(X, centers, n_rounds=None, labels=None):
    """Labels and centres when the labels no longer change, or after so many rounds; `labels` are those of before."""
    while n_rounds != 0:
        new = _labels(X, centers)
        if labels is not None and np.array_equal(new, labels):
            break
        labels, centers = new, _means(X, new, centers)
        n_rounds = None if n_rounds is None else n_rounds - 1
    return labels, centers


def _settled_by_counts(X, centers):
    labels = _labels(X, centers)
    while True:
        centers, before = _means(X, labels, centers), labels
        labels = _labels(X, centers)
        if np.array_equal(np.bincount(labels, minlength=len(centers)), np.bincount(before, minlength=len(centers))):
            return labels, centers


def _settled_with_zeros(X, centers):
    labels = _labels(X, centers)
    while True:
        means = _sums(X, labels, centers) / np.maximum(_sizes(labels, centers), 1)
        if np.array_equal(means, centers):
            return labels, means
        centers, labels = means, _labels(X, means)


def _points_to_settle(rng):
    """Random points for which one round is not enough, and of which each has a clear nearest centre in every round."""
    while True:
        inputs = points_and_centers(rng)
        X, centers = inputs.values()
        rounds, clear = 0, True
        while clear and not np.array_equal(_means(X, _labels(X, centers), centers), centers):
            clear, rounds = _is_clear(X, centers), rounds + 1
            centers = _means(X, _labels(X, centers), centers)
        if clear and _is_clear(X, centers) and rounds > 1 and _labels(*inputs.values()).any():
            return inputs


def _slow(rng, n=370, n_rounds=320):
    """Points (n + 10, D) on a line, of which one in each round goes from the right cluster to the left one.

    A third cluster, far away and wide, never changes; next to its part, the inertia hardly seems to fall. If the left
    cluster has i points of the sum s, and these two together have the sum n, then the border between them is
    b(i) = (s / i + (n - s) / (n - i)) / 2. So a next point between b(i - 1) and b(i) is the only one to change.
    """
    def border(i, s):
        return (s / i + (n - s) / (n - i)) / 2

    line = [0.0, border(1, 0.0) / 2]
    while len(line) < n_rounds:
        line.append((border(len(line) - 1, sum(line[:-1])) + border(len(line), sum(line))) / 2)
    rest = (n - sum(line)) / (n - len(line))  # all others are in one place, which makes the sum right
    line = np.array([*line, *[rest] * (n - len(line)), *np.linspace(200, 400, 10)])  # (n + 10,)
    d, = sizes(rng, 1)
    direction = rng.normal(size=d)
    X = 1 + 0.01 * line[:, None] * direction / np.linalg.norm(direction)  # centres never move far in a round
    return {"X": X, "centers": np.array([X[0], X[1:n].mean(axis=0), X[n:].mean(axis=0)])}


# In the second round two points change places: the clusters have as many points as before, and the sum of the labels is
# the same, but the centres still move.
EXCHANGE = {"X": np.array([[3.0, 9], [4, 5], [3, 3], [9, 0], [9, 3], [3, 5]]),
            "centers": np.array([[3.0, 9], [4, 5], [3, 3]])}


def _all_in(rng, cluster):
    """Points which are all nearest to the same centre, before and after it moves."""
    n, d = sizes(rng, 2, low=3)
    centers = np.full((3, d), 50.0) * np.array([[1], [-1], [2]])
    centers[cluster] = 1 + rng.uniform(size=d)
    return {"X": rng.normal(size=(3 * n, d)), "centers": centers}


def _to_settle(rng):
    return [_points_to_settle(rng), _all_in(rng, 0), _all_in(rng, 1), EXCHANGE, _slow(rng)]


def _probabilities(distances):
    return distances / distances.sum()


def _next_center(X, centers):
    return _probabilities(lloyd.nearest_center(X, centers)[1])


WRONG_PROBABILITIES = {
    "square the distances": lambda X, centers: _probabilities(np.sqrt(table(X, centers)).min(axis=1)),
    "they must add up to 1: what do you divide by?": lambda X, centers: table(X, centers).min(axis=1),
    "only the nearest centre counts, not the sum over all": lambda X, centers: _probabilities(
        table(X, centers).sum(axis=1)),
    "take the distance to the nearest centre, not to the farthest": lambda X, centers: _probabilities(
        table(X, centers).max(axis=1)),
    "the nearest of all centres so far, not only the last one": lambda X, centers: _probabilities(
        table(X, centers)[:, -1]),
    "the farthest point is not chosen for certain: each gets a probability": lambda X, centers: (
        table(X, centers).min(axis=1) == table(X, centers).min(axis=1).max()).astype(float),
}


def _to_choose(rng):
    return telling(rng, points_and_centers, _next_center, WRONG_PROBABILITIES.values())


def _one_round(X, centers):
    labels = _labels(X, centers)
    return labels, _means(X, labels, centers)


def _round_by_products(X, centers, *, squares=1.0, products=2.0):
    labels = (squares * (centers**2).sum(axis=1) - products * X @ centers.T).argmin(axis=1)
    return labels, _means(X, labels, centers)


def _round_with_zeros(X, centers):
    labels = _labels(X, centers)
    return labels, _sums(X, labels, centers) / np.maximum(_sizes(labels, centers), 1)


def _to_go_round(rng):
    """Points and centres; the same with a centre that is nearest to no point, the first or the last; exact ties."""
    wrong = [lambda X, centers: _round_by_products(X, centers, squares=0.0)[0],
             lambda X, centers: _round_by_products(X, centers, products=1.0)[0],
             lambda X, centers: _round_by_products(X, centers, products=-2.0)[0],
             lambda X, centers: _labels(X, _one_round(X, centers)[1])]
    inputs = telling(rng, points_and_centers, _labels, wrong)
    X, centers = inputs.values()
    far = np.full((1, X.shape[1]), 60.0)
    return [inputs, {"X": X, "centers": np.concatenate([far, centers])},
            {"X": X, "centers": np.concatenate([centers, -far])}, TIES, COPIES]


def _many(n, d, k):
    return lambda rng: {"X": rng.normal(size=(n, d)), "centers": rng.normal(size=(k, d))}


def _several_tables(X, centers):
    """Bytes of six copies of X, and as many arrays of one number for each point and centre."""
    return 6 * 8 * (X.size + len(X) * len(centers))


EXERCISES = {
    "assign": Exercise(_to_assign, ("labels",), answer=_labels, mistakes=WRONG_LABELS),
    "update": Exercise(_to_update, ("centers",), answer=_means, blank="does a cluster have no points?",
                       mistakes=WRONG_MEANS),
    "inertia": Exercise(_points_and_labels, ("inertia",), answer=_inertia, mistakes=WRONG_INERTIAS),
    "kmeans": Exercise(_to_settle, ("labels", "centers"), answer=_settled, blank="does a cluster have no points?",
                       seconds=10.0, mistakes={
        "it stops too early: do the very first labels count as the old ones?":
            lambda X, centers: _settled(X, centers, labels=np.zeros(len(X), int)),
        "the centres have to move to the means": lambda X, centers: (_labels(X, centers), centers),
        "one round is not enough: go on until no label changes": lambda X, centers: _settled(X, centers, 1),
        "it stops too early: go on until no label changes, however many rounds it takes":
            lambda X, centers: _settled(X, centers, 10),
        "clusters may keep their sizes while points still change places: compare all labels": _settled_by_counts,
        "a centre without points stays where it is; yours moves to 0": _settled_with_zeros}),
    "next_center": Exercise(_to_choose, ("probabilities",), answer=_next_center, mistakes=WRONG_PROBABILITIES),
    "lean_step": Exercise(_to_go_round, ("labels", "centers"), answer=_one_round, mistakes={
        "the squares |c|^2 differ from centre to centre: do not leave them out":
            lambda X, centers: _round_by_products(X, centers, squares=0.0),
        "in |c|^2 - 2 x @ c, is the 2 missing?": lambda X, centers: _round_by_products(X, centers, products=1.0),
        "in |c|^2 - 2 x @ c, the product is subtracted":
            lambda X, centers: _round_by_products(X, centers, products=-2.0),
        "return the labels from which the means were computed, not those after the move":
            lambda X, centers: (_labels(X, _one_round(X, centers)[1]), _one_round(X, centers)[1]),
        "of centres that are equally near, take the one with the lowest index":
            lambda X, centers: (last_of_equals(X, centers), _means(X, last_of_equals(X, centers), centers)),
        "a centre without points stays where it is; yours moves to 0": _round_with_zeros},
        blank="does a cluster have no points?",
        costs=(Memory(_many(1000, 40, 30), _several_tables), NoLoop(_many(2000, 10, 5), 800))),
}
