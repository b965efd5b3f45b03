"""How well do clusters fit the true classes? And how well separated are they, if there are no classes?

Shapes: N samples, C classes, K clusters, M cells that are not empty. All scores except the silhouette are computed from
one table: how many samples of class c are in cluster k; nothing else about the labels matters. `confusion_matrix`
returns the whole table. The scores need only its cells that are not empty, at most one for each sample: memory grows
with N, not with C times K.

Scoring without cheating: clusters have no names, so to call one right it must be matched to a class, and choosing the
matching uses labels. `accuracy` may choose the best one on the data in which the clusters were found; new data must be
scored with that same matching. NMI and ARI need no matching, and ARI is 0 on average for random groupings.

Labels may be integers, strings or anything else that can be sorted. Classes come first in every call. Every score
raises ValueError unless both are 1-D, of the same length, not empty and free of NaN, None and masked entries, and
TypeError for iterators.
"""

from dataclasses import dataclass

import numpy as np

from aelearn.assignment import linear_assignment, maximum_weight_matching
from aelearn.core.arrays import squared_distances, unit_of
from aelearn.core.validation import as_array, check_array

__all__ = ["accuracy", "adjusted_rand_index", "best_matching", "confusion_matrix", "linear_assignment",
           "normalized_mutual_information", "purity", "scores", "silhouette"]


@dataclass(frozen=True)
class _Cells:
    """The cells of the table that are not empty, row by row. All numbers are int64."""

    classes: np.ndarray  # (C,) the sorted distinct classes: row c of the table is classes[c]
    clusters: np.ndarray  # (K,) the sorted distinct clusters
    rows: np.ndarray  # (M,)
    columns: np.ndarray  # (M,)
    counts: np.ndarray  # (M,) 1 or more
    class_sizes: np.ndarray  # (C,) the sums over rows
    cluster_sizes: np.ndarray  # (K,) the sums over columns

    @property
    def n_samples(self):
        return int(self.counts.sum())

    @property
    def same_grouping(self):
        """True if classes and clusters differ only in their names: one cell in each row and each column."""
        return len(self.counts) == len(self.classes) == len(self.clusters)


def _count(classes, clusters):
    """The _Cells of two labelings (N,): each sample is in a cell, and samples in the same cell are counted."""
    (classes, class_index), (clusters, cluster_index) = _numbered(classes, "classes"), _numbered(clusters, "clusters")
    if len(class_index) != len(cluster_index):
        raise ValueError(f"classes has {len(class_index)} labels, clusters has {len(cluster_index)}: "
                         "they must have the same length")
    cells, counts = np.unique(class_index * len(clusters) + cluster_index, return_counts=True)  # (M,), (M,)
    rows, columns = np.divmod(cells, len(clusters))  # (M,), (M,)
    return _Cells(classes, clusters, rows, columns, counts, np.bincount(class_index), np.bincount(cluster_index))


def _numbered(labels, name):
    """The sorted distinct labels, and for each sample the index of its own among them, (N,)."""
    labels = _check_labels(labels, name)  # (N,)
    if labels.dtype.kind in "iu" and int(labels.max()) - int(labels.min()) <= 2 * len(labels):  # counting beats sorting
        offset = np.subtract(labels, labels.min(), dtype=np.int64, casting="unsafe")  # (N,)
        index = (np.cumsum(np.bincount(offset) > 0) - 1)[offset]  # (N,)
        values = np.empty(index.max() + 1, labels.dtype)  # (distinct labels,)
        values[index] = labels
        return values, index
    if labels.dtype != object:
        return np.unique(labels, return_inverse=True)
    try:
        values = sorted(set(labels.tolist()))  # (distinct labels,)
        if not all(one < other for one, other in zip(values, values[1:])):  # such as sets, {1} and {2}
            raise TypeError("of some of them neither is less than the other")
    except TypeError as error:  # such as numbers among strings
        raise ValueError(f"{name} must hold labels that can be sorted: {error}") from None
    number = {value: k for k, value in enumerate(values)}
    distinct = np.empty(len(values), object)  # (distinct labels,)
    distinct[:] = values
    return distinct, np.array([number[label] for label in labels.tolist()])


def _check_labels(labels, name):
    """The labels as an array (N,), none of them converted."""
    array = as_array(labels, name)
    if array.ndim != 1 or len(array) == 0:
        what = f"shape {array.shape}" if array.ndim else type(labels).__name__
        raise ValueError(f"{name} must be a 1-D array or a list of one or more labels; got {what}")
    if not hasattr(labels, "__array__") and array.tolist() != list(labels):
        array = np.array(labels, object)  # NumPy had converted them to one type, such as 1 and "a" to "1" and "a"
    if any(map(_is_missing, array)) if array.dtype == object else (array != array).any():
        raise ValueError(f"{name} contains NaN, None or another missing label")
    return array


def _is_missing(label):
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):  # pandas' NA is neither equal to itself nor unequal
        return True


def confusion_matrix(classes, clusters):
    """Counts (C, K) int64: row c, column k holds the number of samples of class c in cluster k.

    Rows are the sorted distinct classes, columns the sorted distinct clusters.
    """
    cells = _count(classes, clusters)
    table = np.zeros((len(cells.classes), len(cells.clusters)), np.int64)  # (C, K)
    table[cells.rows, cells.columns] = cells.counts
    return table


def best_matching(classes, clusters):
    """The one-to-one matching of clusters to classes under which most samples agree: {cluster: class}.

    With more clusters than classes some clusters are left without a class, and vice versa. Classes and clusters that
    have no sample in common, but no other partner either, are paired in order.
    """
    cells = _count(classes, clusters)
    chosen = maximum_weight_matching(cells.rows, cells.columns, cells.counts)  # (M,)
    rows, columns = cells.rows[chosen], cells.columns[chosen]
    other_rows = np.setdiff1d(np.arange(len(cells.classes)), rows)
    other_columns = np.setdiff1d(np.arange(len(cells.clusters)), columns)
    pairs = [*zip(rows, columns), *zip(other_rows, other_columns)]  # zip stops where the shorter one ends
    classes, clusters = cells.classes.tolist(), cells.clusters.tolist()  # plain Python values
    return {clusters[k]: classes[c] for c, k in sorted(pairs)}


def accuracy(classes, clusters, matching=None):
    """The fraction of samples whose cluster is matched to their own class, from 0 to 1.

    matching  {cluster: class}; None takes the best matching for these same labels. To score new data honestly, pass
              the matching found on the training data. A cluster that is not in it counts as wrong.
    """
    cells = _count(classes, clusters)
    if matching is None:
        right = maximum_weight_matching(cells.rows, cells.columns, cells.counts)  # (M,)
    elif isinstance(matching, dict):
        classes, clusters = cells.classes.tolist(), cells.clusters.tolist()  # plain Python values
        right = np.array([clusters[k] in matching and bool(matching[clusters[k]] == classes[c])
                          for c, k in zip(cells.rows, cells.columns)])  # (M,)
    else:
        raise TypeError(f"matching must be a dict from clusters to classes; got {type(matching).__name__}")
    return int(cells.counts[right].sum()) / cells.n_samples


def purity(classes, clusters):
    """The fraction of samples that belong to the largest class of their cluster, from 0 to 1.

    Several clusters may have the same class, so many small clusters are pure: one for each sample has purity 1.
    """
    cells = _count(classes, clusters)
    largest = np.zeros(len(cells.clusters), np.int64)  # (K,)
    np.maximum.at(largest, cells.columns, cells.counts)
    return int(largest.sum()) / cells.n_samples


def normalized_mutual_information(classes, clusters):
    """NMI = I / ((H_classes + H_clusters) / 2), from 0 (independent) to 1 (the same grouping).

    With p = counts / N and its margins p_c and p_k:  I = sum p log(p / (p_c p_k)),  H = -sum p log p.
    1 when both have a single group. Source: Strehl and Ghosh, "Cluster ensembles" (2002), with the arithmetic mean.
    """
    cells = _count(classes, clusters)
    if cells.same_grouping:
        return 1.0
    n, n_c, n_k = cells.n_samples, cells.class_sizes[cells.rows], cells.cluster_sizes[cells.columns]  # (), (M,), (M,)
    ratio = cells.counts * n / (n_c * n_k)  # p / (p_c p_k), from integers: exactly 1 for independent labels: (M,)
    information = np.sum(cells.counts / n * np.log(ratio))
    score = information / ((_entropy(cells.class_sizes / n) + _entropy(cells.cluster_sizes / n)) / 2)
    return min(max(float(score), 0.0), 1.0)  # rounding may move it outside


def _entropy(p):
    return -np.sum(p * np.log(p))


def adjusted_rand_index(classes, clusters):
    """ARI: the number of pairs of samples that are together in both groupings, adjusted so that chance gives 0.

    With pairs(n) = n (n - 1) / 2:  index = sum over cells pairs(count),  a = sum pairs(row sums),
    b = sum pairs(column sums),  expected = a b / pairs(N),

        ARI = (index - expected) / ((a + b) / 2 - expected)

    Numerator and denominator are multiplied by 2 pairs(N): then they are integers, which Python computes exactly, and
    only the division rounds. So the score of nearly independent groupings keeps all its digits.
    1 when both groupings are trivial in the same way. Source: Hubert and Arabie, "Comparing partitions" (1985).
    """
    cells = _count(classes, clusters)
    if cells.same_grouping:
        return 1.0
    index, a, b = (_pairs(n) for n in (cells.counts, cells.class_sizes, cells.cluster_sizes))
    n_pairs = _pairs(np.array(cells.n_samples))
    return 2 * (index * n_pairs - a * b) / ((a + b) * n_pairs - 2 * a * b)


def _pairs(n):
    """The sum of n (n - 1) / 2 as a Python integer."""
    return int(np.sum(n * (n - 1) // 2))


def scores(classes, clusters):
    """Accuracy (under the best matching), NMI and ARI of clusters (N,) for the true classes (N,): a dict."""
    return {"accuracy": accuracy(classes, clusters), "nmi": normalized_mutual_information(classes, clusters),
            "ari": adjusted_rand_index(classes, clusters)}


def silhouette(X, labels):
    """The mean over all samples of (b - a) / max(a, b), from -1 to 1: high if clusters are dense and far apart.

    a is the mean distance of a sample to the others of its cluster, b the mean distance to the samples of the nearest
    other cluster; a sample that is alone in its cluster counts 0. X (N, D), labels (N,). Memory grows with N, time with
    N * N * D.
    Raises ValueError unless there are 2 to N - 1 clusters.

    Source: Rousseeuw, "Silhouettes" (1987).
    """
    X = check_array(X).astype(np.float64, copy=False)  # (N, D)
    values, index = _numbered(labels, "labels")
    n_clusters = len(values)
    if len(index) != len(X):
        raise ValueError(f"X has {len(X)} samples, labels has {len(index)}")
    if not 2 <= n_clusters <= len(X) - 1:
        raise ValueError(f"the silhouette needs 2 to n_samples - 1 = {len(X) - 1} clusters; got {n_clusters}")
    X = unit_of(X).scale(X)  # (N, D); the score does not depend on the unit
    sizes = np.bincount(index)  # (K,)
    total = 0.0
    for x, own in zip(X, index):  # x (D,), the index of its cluster
        distances = np.sqrt(squared_distances(X, x))  # (N,)
        sums = np.bincount(index, weights=distances, minlength=n_clusters)  # (K,)
        if sizes[own] > 1:
            a = sums[own] / (sizes[own] - 1)  # its distance to itself is 0 and does not count
            sums[own] = np.inf
            b = (sums / sizes).min()
            total += (b - a) / max(a, b) if max(a, b) > 0 else 0
    return float(total / len(X))
