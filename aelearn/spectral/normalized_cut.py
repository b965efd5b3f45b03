"""The normalised cut of a clustering, and how it tells, without a label, how many eigenvectors to use.

Shapes: N points, K clusters, C eigenvectors used.

Spectral clustering is an approximation. What is to be small is the share of its edges that each cluster loses,

    cut = sum_k (weight of the edges that lead out of cluster k) / (sum of the degrees of its points)

over all ways to group the points, which nobody can try. Eigenvectors solve the same problem for clusters with fuzzy
borders, and k-means makes sharp ones of them. K eigenvectors suffice if there are exactly K clusters. Real data have
smaller groups inside of clusters, and lone groups far away; these have eigenvectors of their own, which are among the
first K and push others back. So more than K may be needed, and the cut tells how many: of the numbers of eigenvectors
whose clusters are the same from several starts of k-means, `best_of` takes that with the smallest cut.

Sources: Shi and Malik, "Normalized cuts and image segmentation" (2000), equations 2 and 3; for K clusters: Yu and Shi,
"Multiclass spectral clustering" (2003). More eigenvectors than clusters: Rebagliati and Verri, "Spectral clustering
with more than K eigenvectors" (2011).
"""

import numpy as np

from aelearn.metrics import adjusted_rand_index
from aelearn.spectral.sparse import CSRMatrix

N_STARTS = 3
SAME = 0.99  # adjusted Rand index of two clusterings that count as the same


def normalized_cut(W, labels):
    """sum_k cut_k / volume_k, a float from 0 to K, for a graph W, (N, N) or a CSRMatrix, and labels (N,) from 0 on.

    W's diagonal does not count. A cluster without edges adds 0.
    """
    n_clusters = int(labels.max()) + 1
    if isinstance(W, CSRMatrix):
        others = W.rows != W.indices  # (E,)
        left, right, data = labels[W.rows[others]], labels[W.indices[others]], W.data[others]  # (edges,)
        volumes = np.bincount(left, data, n_clusters)  # (K,)
        inside = np.bincount(left[left == right], data[left == right], n_clusters)  # (K,)
    else:
        members = np.eye(n_clusters)[labels]  # (N, K)
        between = members.T @ (W - np.diag(np.diag(W))) @ members  # (K, K)
        volumes, inside = between.sum(axis=1), np.diag(between)  # (K,), (K,)
    return float(((volumes - inside) / (volumes + (volumes == 0))).sum())


def best_of(W, n_columns, cluster):
    """The number of eigenvectors, of those in n_columns, with the smallest cut among stable clusterings; its labels.

    cluster  a function of that number that returns labels (N,), from another random start each time

    A clustering is stable if N_STARTS starts agree. If none is, those count whose starts agree best.
    Returns the number, labels (N,), and the cut, a float.
    """
    found = []  # a row for each number: whether its starts agree, the cut, the number, labels
    for n in n_columns:
        starts = [cluster(n) for _ in range(N_STARTS)]
        agreement = min(adjusted_rand_index(starts[0], other) for other in starts[1:])
        cuts = [normalized_cut(W, labels) for labels in starts]
        at = int(np.argmin(cuts))
        found.append((min(agreement, SAME), cuts[at], n, starts[at]))
    most = max(row[0] for row in found)
    _, cut, n, labels = min((row for row in found if row[0] == most), key=lambda row: row[1:3])
    return n, labels, cut
