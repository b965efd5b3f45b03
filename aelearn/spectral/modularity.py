"""The modularity of a clustering, and how it tells, without a label, how many eigenvectors to use.

Shapes: N points, K clusters, E stored entries.

K eigenvectors suffice if there are exactly K clusters. Real data have smaller groups inside of clusters, and lone
groups far away. Some of these have eigenvectors among the first K, and push others back, so that more than K are
needed. How many, can be seen from the clusters: many edges should stay inside of them, more than if the same points
had been linked at random. With e[k, l], the share of all weights that is between clusters k and l, and
a[k] = sum_l e[k, l], the share of the degrees that is in cluster k,

    modularity = sum_k (e[k, k] - a[k]^2)

Of the numbers of eigenvectors whose clusters are the same from several starts of k-means, `best_of` takes that with
the largest modularity. The normalised cut, which eigenvectors minimise over fuzzy clusters, may be smaller where two
large groups are taken for one and a compact one is cut in two instead. The sum of a[k]^2 sees that. Its price:
of two clusterings with about as many edges inside, modularity prefers the one whose clusters are of similar sizes.

Sources: Newman and Girvan, "Finding and evaluating community structure in networks" (2004), equation 5; more
eigenvectors than clusters: Rebagliati and Verri, "Spectral clustering with more than K eigenvectors" (2011).
"""

import numpy as np

from aelearn.metrics import adjusted_rand_index
from aelearn.spectral.sparse import CSRMatrix

N_STARTS = 3
SAME = 0.99  # adjusted Rand index of two clusterings that count as the same


def modularity(W, labels):
    """sum_k (e[k, k] - a[k]^2), a float below 1, for a graph W, (N, N) or a CSRMatrix, and labels (N,) from 0 on.

    W's diagonal does not count. Without edges it is 0.
    """
    n_clusters = int(labels.max()) + 1
    if isinstance(W, CSRMatrix):
        others = W.rows != W.indices  # (E,)
        pairs = labels[W.rows[others]].astype(np.int64) * n_clusters + labels[W.indices[others]]  # (edges,)
        e = np.bincount(pairs, W.data[others], n_clusters**2).reshape(n_clusters, n_clusters)  # (K, K)
    else:
        members = np.eye(n_clusters)[labels]  # (N, K)
        e = members.T @ (W - np.diag(np.diag(W))) @ members  # (K, K)
    total = e.sum()
    e = e / (total + (total == 0))
    return float(np.trace(e) - (e.sum(axis=1) ** 2).sum())


def best_of(W, n_columns, cluster):
    """The number of eigenvectors, of those in n_columns, whose clusters have the largest modularity; their labels.

    cluster  a function of that number that returns labels (N,), from another random start each time

    Only stable clusterings count, those on which N_STARTS starts agree; if none is, those whose starts agree best.
    Returns the number, labels (N,), and the modularity, a float.
    """
    found = []  # a row for each number: whether its starts agree, the modularity, minus the number, labels
    for n in n_columns:
        starts = [cluster(n) for _ in range(N_STARTS)]
        agreement = min(adjusted_rand_index(starts[0], other) for other in starts[1:])
        values = [modularity(W, labels) for labels in starts]
        at = int(np.argmax(values))
        found.append((min(agreement, SAME), values[at], -n, starts[at]))
    _, value, minus_n, labels = max(found, key=lambda row: row[:3])
    return -minus_n, labels, value
