"""The exercises of lesson 6. Shapes: N samples, C code size, K clusters."""

import numpy as np

from aelearn import metrics
from aelearn.core.arrays import squared_distances
from aelearn.teaching.costs import Memory, NoLoop
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _codes_and_centers(rng):
    """Random ones, a few codes on centres or halfway between them, and two centres on a line."""
    n, c, k = sizes(rng, 3, low=3, high=8)
    corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 6, 0], [0, 0, 10]])
    some = np.array([[0.0, 6, 0], [2, 0, 0], [1, 0, 0], [0, 5, 5], [0, 0, 8], [4, 1, 0]])
    return [{"codes": rng.random((2 * n, c)), "centers": rng.random((k, c))},
            {"codes": some, "centers": corners},
            {"codes": np.array([[1.0], [5], [2]]), "centers": np.array([[4.0], [0]])}]


def _distances(codes, centers):
    return np.sqrt(np.stack([squared_distances(codes, center) for center in centers], axis=1))  # (N, K)


def _doubt(codes, centers, power=1.0):
    nearest = np.sort(_distances(codes, centers) ** power, axis=1)  # (N, K)
    return nearest[:, 0] / nearest[:, 1]


def _ratio(first, second):
    """A wrong answer: the ratio of two columns of the distances, sorted by `first` and `second`."""
    def ratio(codes, centers):
        distances = _distances(codes, centers)  # (N, K)
        return first(distances) / second(distances)

    return ratio


def _of_absolute_differences(codes, centers):
    nearest = np.sort(np.stack([np.abs(codes - center).sum(axis=1) for center in centers], axis=1), axis=1)  # (N, K)
    return nearest[:, 0] / nearest[:, 1]


DOUBT_MISTAKES = {
    "divide distances, not their squares": lambda codes, centers: _doubt(codes, centers, power=2),
    "the other way round: the nearest is divided by the second nearest":
        lambda codes, centers: 1 / _doubt(codes, centers),
    "columns 0 and 1 are not yet the nearest and the second nearest centre of each code":
        _ratio(lambda d: d[:, 0], lambda d: d[:, 1]),
    "that is the nearest divided by the farthest, not by the second nearest":
        _ratio(lambda d: d.min(axis=1), lambda d: d.max(axis=1)),
    "axis 0 sorts the codes: which axis has the centres?":
        _ratio(lambda d: np.sort(d, axis=0)[:, 0], lambda d: np.sort(d, axis=0)[:, 1]),
    "absolute differences are another distance: the root of the sum of their squares is meant":
        _of_absolute_differences,
}


def _many_codes(rng):
    return {"codes": rng.random((20_000, 3)), "centers": rng.random((100, 3))}


def _thirty_numbers_each(codes, centers):
    """Room for a few copies of the codes and a few distances of each; a table has a hundred, one for each centre."""
    return 30 * 8 * len(codes)


def _digits_and_clusters(rng):
    """Some numbers do not occur: in the first one, one in the middle and the last ones."""
    n_digits, n_clusters = sizes(rng, 2, low=4, high=8)
    some = {"digits": rng.permutation(np.resize([k for k in range(n_digits - 1) if k != 1], 23)),
            "clusters": rng.permutation(np.resize([k for k in range(n_clusters - 1) if k != 2], 23)),
            "n_digits": n_digits, "n_clusters": n_clusters}
    some["digits"][:2], some["clusters"][:2] = some["digits"][2], some["clusters"][2]  # three in one cell
    return [some, {**some, "digits": rng.integers(0, n_digits, 23), "clusters": rng.integers(0, n_clusters, 23)},
            {"digits": np.array([0, 0, 2, 2, 2]), "clusters": np.array([1, 2, 0, 0, 0]), "n_digits": 3,
             "n_clusters": 3},
            {"digits": np.array([0]), "clusters": np.array([1]), "n_digits": 1, "n_clusters": 3}]


def _table(digits, clusters, n_digits, n_clusters):
    """Counts as floats, so that the learner's may be integers or floats."""
    cells = np.bincount(digits * n_clusters + clusters, minlength=n_digits * n_clusters)  # (n_digits * n_clusters,)
    return cells.reshape(n_digits, n_clusters).astype(float)


def _each_cell_once(digits, clusters, n_digits, n_clusters):
    table = np.zeros((n_digits, n_clusters))
    table[digits, clusters] += 1
    return table


def _one_row(digits, clusters, n_digits, n_clusters):
    return np.tile(np.bincount(clusters, minlength=n_clusters), (n_digits, 1))


def _only_occupied(digits, clusters, n_digits, n_clusters):
    digits, clusters = (np.unique(labels, return_inverse=True)[1] for labels in (digits, clusters))
    return _table(digits, clusters, max(digits) + 1, max(clusters) + 1)


TABLE_MISTAKES = {
    "`table[digits, clusters] += 1` adds only 1 to a cell, however often it occurs": _each_cell_once,
    "the last digits or clusters may not occur: the shape is (n_digits, n_clusters) even so":
        lambda digits, clusters, n_digits, n_clusters: _table(digits, clusters, max(digits) + 1, max(clusters) + 1),
    "a digit or cluster that does not occur has a row or column of zeros": _only_occupied,
    "counts are asked for, not fractions": lambda *a: _table(*a) / len(a[0]),
}


def _many_digits_and_clusters(rng):
    return {"digits": rng.integers(0, 3, 5000), "clusters": rng.integers(0, 4, 5000), "n_digits": 3, "n_clusters": 4}


def _bins_without_a_range(digits, clusters, n_digits, n_clusters):
    return np.histogram2d(digits, clusters, bins=(n_digits, n_clusters))[0]


def _cells_by_columns(digits, clusters, n_digits, n_clusters):
    return _table(digits, clusters, n_digits, n_clusters).T.reshape(n_digits, n_clusters)


def _counts(rng):
    """In the first one, each typical mistake leads to a number of its own."""
    return [{"table": np.array([[9, 8], [1, 2], [0, 7]])}, {"table": rng.integers(0, 50, sizes(rng, 2))},
            {"table": np.array([[5, 0, 1, 4], [2, 0, 3, 4]])}, {"table": np.array([[3], [4]])}]


def _purity(table):
    return table.max(axis=0).sum() / table.sum()


EXERCISES = {
    "doubt": Exercise(_codes_and_centers, ("doubt",), answer=_doubt, mistakes=DOUBT_MISTAKES),
    "doubt_in_little_memory": Exercise(_codes_and_centers, ("doubt",), answer=_doubt, mistakes=DOUBT_MISTAKES,
                                       costs=(Memory(_many_codes, _thirty_numbers_each),)),
    "count_table": Exercise(_digits_and_clusters, ("table",), answer=_table, mistakes={
        **TABLE_MISTAKES, "all rows are the same: `[[0] * n] * m` makes only one row": _one_row}),
    "table_without_a_loop": Exercise(
        _digits_and_clusters, ("table",), answer=_table, mistakes={
            **TABLE_MISTAKES,
            "without `range`, the bins of np.histogram2d end at the largest number that occurs": _bins_without_a_range,
            "row by row, the number of a cell is digit * n_clusters + cluster": _cells_by_columns},
        costs=(NoLoop(_many_digits_and_clusters, lines=2000),)),
    "purity_of": Exercise(_counts, ("purity",), answer=_purity, mistakes={
        "rows are digits: the most frequent digit of a cluster is the largest number in its column":
            lambda table: table.max(axis=1).sum() / table.sum(),
        "that is a number of images: which fraction of all of them is it?": lambda table: table.max(axis=0).sum(),
        "that is the mean over clusters, but larger clusters count more: add up before you divide":
            lambda table: (table.max(axis=0) / table.sum(axis=0)).mean(),
        "each cluster has a largest count of its own": lambda table: table.max() / table.sum(),
        "that is the accuracy: here two clusters may have the same digit":
            lambda table: table[metrics.linear_assignment(-table)].sum() / table.sum()}),
}
