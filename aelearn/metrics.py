"""How well do clusters fit the true classes? And how well separated are they, when there are no classes?

Shapes: N samples, C classes, K clusters. All scores but the silhouette start from one table: `confusion_matrix` counts
how many samples of class c are in cluster k, and nothing else about the labels matters.

Scoring without cheating: clusters have no names, so to call one right it must be matched to a class, and choosing the
matching takes labels. `accuracy` may choose the best one on the data where the clusters were found; new data must be
scored under that same matching. NMI and ARI need no matching, and ARI is 0 for a grouping by chance.

Labels may be integers, strings or anything else that can be sorted. Classes come first in every call.
"""

import numpy as np

from aelearn.lloyd import safe_exponent, squared_distances
from aelearn.validation import check_array


def confusion_matrix(classes, clusters):
    """Counts (C, K) int64: row c, column k holds the number of samples of class c in cluster k.

    Rows are the sorted distinct classes, columns the sorted distinct clusters. Raises ValueError unless both are 1-D,
    of one length, not empty and free of NaN.
    """
    class_index, n_classes = _numbered(classes, "classes")
    cluster_index, n_clusters = _numbered(clusters, "clusters")
    if len(class_index) != len(cluster_index):
        raise ValueError(f"classes has {len(class_index)} labels, clusters has {len(cluster_index)}: "
                         "they must be of one length")
    cells = class_index * n_clusters + cluster_index  # (N,)
    return np.bincount(cells, minlength=n_classes * n_clusters).reshape(n_classes, n_clusters)


def _numbered(labels, name):
    """Each label as the number of its value among the sorted distinct ones, (N,), and how many there are."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"{name} must be a 1-D array of one or more labels; got shape {labels.shape}")
    if any(label != label for label in labels.tolist()):
        raise ValueError(f"{name} contains NaN")
    try:
        values, index = np.unique(labels, return_inverse=True)
    except TypeError as error:  # such as numbers beside strings
        raise ValueError(f"{name} must hold labels that can be sorted: {error}") from None
    return index, len(values)


def best_matching(classes, clusters):
    """The one-to-one matching of clusters to classes under which most samples agree: {cluster: class}.

    With more clusters than classes some clusters stay without a class, and the other way round.
    """
    counts = confusion_matrix(classes, clusters)  # (C, K)
    class_values, cluster_values = np.unique(classes).tolist(), np.unique(clusters).tolist()  # C and K plain values
    return {cluster_values[k]: class_values[c] for c, k in zip(*linear_assignment(-counts))}


def accuracy(classes, clusters, matching=None):
    """The share of samples whose cluster's class is their own, from 0 to 1.

    matching  {cluster: class}; None takes the best matching for these very labels. To score new data honestly, pass
              the matching found on the training data. A cluster that is not in it counts as wrong.
    """
    if matching is None:
        counts = confusion_matrix(classes, clusters)  # (C, K)
        return float(counts[linear_assignment(-counts)].sum() / counts.sum())
    if not isinstance(matching, dict):
        raise TypeError(f"matching must be a dict from clusters to classes; got {type(matching).__name__}")
    confusion_matrix(classes, clusters)  # for its checks
    right = [cluster in matching and matching[cluster] == label
             for label, cluster in zip(np.asarray(classes).tolist(), np.asarray(clusters).tolist())]
    return float(np.mean(right))


def linear_assignment(cost):
    """Pair rows with columns of cost (C, K), each at most once, min(C, K) pairs, so that the sum is smallest.

    Returns rows and columns, two index arrays, rows ascending.

    The Hungarian algorithm by shortest augmenting paths. Each row i has a price u[i], each column j a price v[j], such
    that cost[i, j] >= u[i] + v[j] everywhere, and equal on the pairs chosen so far: then no choice of as many pairs is
    cheaper. Rows join one by one. The new row looks for the cheapest way to a column that has no partner yet, where
    taking a column that has one means that its old partner must move on; the cost of a step from row i to column j is
    cost[i, j] - u[i] - v[j]. Then everybody on that way moves. The prices of the rows and columns that the search has
    passed change by how much nearer than the end they were, which keeps the two conditions true.

    Source: Jonker and Volgenant, "A shortest augmenting path algorithm" (1987).
    """
    cost = check_array(cost, name="cost", estimator="linear_assignment").astype(np.float64)
    if cost.shape[0] > cost.shape[1]:
        columns, rows = linear_assignment(cost.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    n_rows, n_columns = cost.shape
    u, v = np.zeros(n_rows), np.zeros(n_columns)  # (C,), (K,)
    row_of = np.full(n_columns, -1)  # the row that each column is paired with
    for new_row in range(n_rows):
        distance = np.full(n_columns, np.inf)  # of the cheapest way from the new row to each column: (K,)
        came_from = np.full(n_columns, -1)  # the column before it on that way: (K,)
        done = np.zeros(n_columns, bool)
        row, column, length = new_row, -1, 0.0
        while row >= 0:  # until the way has reached a column without a partner
            step = length + cost[row] - u[row] - v  # (K,)
            nearer = ~done & (step < distance)
            distance[nearer], came_from[nearer] = step[nearer], column
            column = int(np.where(done, np.inf, distance).argmin())
            done[column], length, row = True, distance[column], row_of[column]
        passed = done & (row_of >= 0)  # columns that the search went through: (K,)
        u[new_row] += length
        u[row_of[passed]] += length - distance[passed]
        v[done] -= length - distance[done]
        while column >= 0:  # backwards along the way, everybody moves on to the next column
            before = came_from[column]
            row_of[column] = new_row if before < 0 else row_of[before]
            column = before
    columns = np.flatnonzero(row_of >= 0)
    order = np.argsort(row_of[columns])
    return row_of[columns][order], columns[order]


def purity(classes, clusters):
    """The share of samples that belong to the largest class of their cluster, from 0 to 1.

    Each cluster chooses freely, so many small clusters are pure: one for each sample has purity 1.
    """
    counts = confusion_matrix(classes, clusters)  # (C, K)
    return float(counts.max(axis=0).sum() / counts.sum())


def normalized_mutual_information(classes, clusters):
    """NMI = I / ((H_classes + H_clusters) / 2), from 0 (independent) to 1 (the same grouping).

    With p = counts / N and its margins p_c and p_k:  I = sum p log(p / (p_c p_k)),  H = -sum p log p.
    1 when both have a single group. Source: Strehl and Ghosh, "Cluster ensembles" (2002), with the arithmetic mean.
    """
    counts = confusion_matrix(classes, clusters)  # (C, K)
    if counts.size == 1:
        return 1.0
    p = counts / counts.sum()  # (C, K)
    p_c, p_k = p.sum(axis=1), p.sum(axis=0)  # (C,), (K,)
    there = p > 0
    information = float(np.sum(p[there] * np.log(p[there] / np.outer(p_c, p_k)[there])))
    if information <= np.finfo(np.float64).eps:  # independent, to rounding
        return 0.0
    return information / ((_entropy(p_c) + _entropy(p_k)) / 2)


def _entropy(p):
    return float(-np.sum(p * np.log(p)))


def adjusted_rand_index(classes, clusters):
    """ARI: the pairs of samples that both groupings put together, moved and scaled so that chance gives 0.

    With pairs(n) = n (n - 1) / 2:  index = sum over cells pairs(count),  a = sum pairs(row sums),
    b = sum pairs(column sums),  expected = a b / pairs(N),

        ARI = (index - expected) / ((a + b) / 2 - expected)

    1 when both groupings are trivial in the same way. Source: Hubert and Arabie, "Comparing partitions" (1985).
    """
    counts = confusion_matrix(classes, clusters)  # (C, K)
    index, a, b, all_pairs = (sum(int(n) * (int(n) - 1) // 2 for n in part.ravel())  # Python's integers are exact
                              for part in (counts, counts.sum(axis=1), counts.sum(axis=0), counts.sum()))
    if index == a == b:
        return 1.0
    expected = a * b / all_pairs
    return (index - expected) / ((a + b) / 2 - expected)


def silhouette(X, labels):
    """The mean over all samples of (b - a) / max(a, b), from -1 to 1: high when clusters are dense and far apart.

    a is the mean distance of a sample to the others of its cluster, b that to the nearest other cluster; a sample that
    is alone in its cluster counts 0. X (N, D), labels (N,). Memory grows with N, time with N * N * D.
    Raises ValueError unless there are 2 to N - 1 clusters.

    Source: Rousseeuw, "Silhouettes" (1987).
    """
    X = check_array(X).astype(np.float64)
    index, n_clusters = _numbered(labels, "labels")
    if len(index) != len(X):
        raise ValueError(f"X has {len(X)} samples, labels has {len(index)}")
    if not 2 <= n_clusters <= len(X) - 1:
        raise ValueError(f"the silhouette needs 2 to n_samples - 1 = {len(X) - 1} clusters; got {n_clusters}")
    X = np.ldexp(X, -safe_exponent(X))  # the score does not depend on the scale
    sizes = np.bincount(index)  # (K,)
    total = 0.0
    for x, own in zip(X, index):  # x (D,), the number of its cluster
        distances = np.sqrt(squared_distances(X, x))  # (N,)
        sums = np.bincount(index, weights=distances, minlength=n_clusters)  # (K,)
        if sizes[own] > 1:
            a = sums[own] / (sizes[own] - 1)  # its distance to itself is 0 and does not count
            sums[own] = np.inf
            b = (sums / sizes).min()
            total += (b - a) / max(a, b) if max(a, b) > 0 else 0
    return float(total / len(X))
