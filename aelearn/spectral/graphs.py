"""Who resembles whom: points as the nodes of a graph, whose edges weigh more the more alike two points are.

Shapes: N samples, D features, M other points, B rows of a block, E edges, Q columns.

Clusters are then groups with heavy edges inside and light ones between. Two graphs are in use:

    rbf                W[i, j] = exp(-gamma |x_i - x_j|^2)                      all pairs, N x N numbers
    nearest neighbours W[i, j] = (i is near j) / 2 + (j is near i) / 2          few pairs, kept as a list of edges

A point's degree is the sum of its edges to others, d_i = sum_j W[i, j]. Divided by the roots of both degrees,

    S[i, j] = W[i, j] / sqrt(d_i d_j)      S = D^-1/2 W D^-1/2

has its eigenvalues from -1 to 1, and the eigenvalue 1 as many times as the graph has parts with no edge between them.

Sources: Ng, Jordan and Weiss, "On spectral clustering" (2002), section 2, whose W has zeros on its diagonal;
von Luxburg, "A tutorial on spectral clustering" (2007), sections 2.2 and 3.2.
"""

from dataclasses import dataclass

import numpy as np

from aelearn import kernels
from aelearn.core.arrays import in_safe_units
from aelearn.core.validation import check_array, check_integer, check_number, load_backend
from aelearn.spectral.neighbors import TINY, Points, by_differences, gaussian, row_blocks

SYMMETRY = 1e-6  # an affinity computed in float32, with eps = 1.2e-7, may be off by a few of its roundings


@dataclass(frozen=True, eq=False)
class Edges:
    """A symmetric (N, N) matrix that is 0 but at E places: entry [rows[e], columns[e]] is weights[e], rows ascending.

    starts (N + 1,): the edges of row i are those from starts[i] to starts[i + 1] - 1.
    """

    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    starts: np.ndarray

    def __len__(self):
        return len(self.starts) - 1

    def __matmul__(self, x):
        """The product with x (N, Q): each edge carries weight times x from its column to its row."""
        return np.stack([np.bincount(self.rows, self.weights * column[self.columns], minlength=len(self))
                         for column in x.T], axis=1)  # (N, Q)

    def of(self, points):
        """The numbers of all edges of `points`, and for each edge which of the points it belongs to."""
        counts = self.starts[points + 1] - self.starts[points]  # (points,)
        owner = np.repeat(np.arange(len(points)), counts)  # (edges,)
        first = np.cumsum(counts) - counts  # (points,)
        return (self.starts[points] - first)[owner] + np.arange(len(owner)), owner  # (edges,), (edges,)

    def toarray(self):
        """The whole matrix (N, N)."""
        matrix = np.zeros((len(self), len(self)))  # (N, N)
        matrix[self.rows, self.columns] = self.weights
        return matrix


def rbf_affinity(X, gamma=1.0):
    """W[i, j] = exp(-gamma |x_i - x_j|^2) for X (N, D): (N, N) float64, symmetric, with ones on the diagonal.

    Raises ValueError or TypeError for an X that is no array of numbers, and for a gamma below 0.
    """
    gamma = check_number("gamma", gamma, 0)
    points = Points(check_array(X).astype(np.float64, copy=False))
    W = np.empty((len(points.X), len(points.X)))  # (N, N)
    for rows in row_blocks(points.X):
        W[rows, rows.start:] = gaussian(points, rows, slice(rows.start, None), gamma)
        W[rows, rows] = np.maximum(W[rows, rows], W[rows, rows].T)  # rounding may differ on the two sides
        W[rows.start:, rows] = W[rows, rows.start:].T
    np.fill_diagonal(W, 1)
    return W


def smallest(table, k):
    """The places of the k smallest entries of each row of table (B, M), smallest first: (B, k) int64.

    Of equal entries the one on the left comes first. The fast twin is in kernels/cpu/neighbors.py.
    """
    return np.argsort(table, axis=1, kind="stable")[:, :k]


def nearest_neighbors(X, n_neighbors):
    """The numbers of the points nearest to each row of X (N, D), nearest first: (N, n_neighbors) int64.

    A point is its own nearest neighbour, as in scikit-learn's graph: n_neighbors = 10 finds nine others. Of points as
    near as each other, the one with the lower number comes first.

    Raises ValueError or TypeError for an X that is no array of numbers, and for n_neighbors beyond N.
    """
    X = check_array(X)
    k = check_integer("n_neighbors", n_neighbors, 1, len(X))
    points = Points(in_safe_units(X))
    neighbors = np.empty((len(X), k), np.int64)  # (N, k)
    select = smallest if load_backend("auto") == "numpy" else kernels.get("numba").smallest
    for rows in row_blocks(X):
        table = points.table(rows)  # (B, N)
        own = np.arange(len(table))  # (B,)
        table[own, rows.start + own] = -1  # nearer than any duplicate
        found = select(table, min(k + 1, len(X)))  # (B, k + 1)
        neighbors[rows] = found[:, :k]
        t = np.take_along_axis(table, found, axis=1)  # (B, k + 1)
        # |y|^2 <= 2 |z|^2 + 2 t, so that all entries up to t are right within this:
        error = points.rounding * (3 * points.squares[rows, None] + 2 * np.maximum(t, 0)) + TINY  # (B, k + 1)
        doubtful = (np.diff(t, axis=1) <= 2 * error[:, 1:]).any(axis=1)  # (B,): their order is in doubt
        if doubtful.any():
            limit = (t + 4 * error)[doubtful, k - 1:k]  # nobody beyond can be among the k
            i, j = (table[doubtful] <= limit).nonzero()  # pairs
            i = own[doubtful][i]
            squared = by_differences(points.X[rows], points.X, i, j)  # of each pair
            squared[j == rows.start + i] = -1
            sorted_pairs = np.lexsort((squared, i))  # by i, then by distance, then as they stand: by j
            first = np.searchsorted(i, own[doubtful])  # of each row's pairs
            neighbors[rows][doubtful] = j[sorted_pairs[first[:, None] + np.arange(k)]]
    return neighbors


def neighbor_graph(neighbors):
    """The Edges of W[i, j] = (j is in neighbors[i]) / 2 + (i is in neighbors[j]) / 2, for neighbors (N, k)."""
    n_points, k = neighbors.shape
    i, j = np.repeat(np.arange(n_points), k), neighbors.ravel()  # (N k,), (N k,)
    places, counts = np.unique(np.concatenate([i * n_points + j, j * n_points + i]), return_counts=True)  # (E,), (E,)
    rows, columns = np.divmod(places, n_points)  # (E,), (E,)
    return Edges(rows, columns, counts / 2, np.searchsorted(rows, np.arange(n_points + 1)))


def check_affinity(W):
    """W (N, N) in float64, symmetric to the last bit; Edges as they are.

    Raises ValueError unless W is square, not negative, and symmetric to within SYMMETRY times the largest weights of
    the two points, in the geometric mean.
    """
    if isinstance(W, Edges):
        if not np.isfinite(W.weights).all() or (W.weights < 0).any():
            raise ValueError("the weights of edges must be finite and not negative")
        return W
    W = check_array(W, name="the affinity", estimator="a graph")
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"an affinity must be a square matrix; got shape {W.shape}")
    W = W.astype(np.float64, copy=False)  # (N, N)
    root = np.sqrt(np.maximum(W.max(axis=0), W.max(axis=1)).clip(0))  # of the largest weight of each point: (N,)
    for rows in row_blocks(W):
        difference = np.abs(W[rows] - W.T[rows])  # (B, N)
        if W[rows].min() < 0 or (difference > SYMMETRY * root[rows, None] * root).any():
            raise ValueError("an affinity must be a symmetric matrix without negative entries; got entries from "
                             f"{W.min()} to {W.max()}, and W - W.T up to {difference.max()}")
    return np.maximum(W, W.T)  # (N, N)


def degree_roots(W):
    """The roots of the degrees of W, an array (N, N) with 0 on its diagonal or Edges, as r 2^h: r (N,) and h (N,) int.

    A point without edges has r = 1. h is 0 but where a degree is so large or small that products of roots might leave
    float64; there the weights are added in units of 2^2h.
    """
    if isinstance(W, Edges):
        weights = np.where(W.rows == W.columns, 0, W.weights)  # (E,)
        sums = lambda h: np.bincount(W.rows, np.ldexp(weights, -2 * h[W.rows]), minlength=len(W))
    else:
        sums = lambda h: (np.ldexp(W, -2 * h[:, None]) if h.any() else W).sum(axis=1)
    with np.errstate(over="ignore"):
        degrees = sums(np.zeros(len(W), int))  # (N,)
    half = np.where(np.isinf(degrees), 512, np.frexp(degrees)[1] // 2)  # (N,)
    half[(degrees == 0) | ((degrees > 1e-100) & (degrees < 1e100))] = 0
    degrees = sums(half) if half.any() else degrees  # (N,)
    return np.sqrt(degrees) + (degrees == 0), half  # (N,), (N,)


def normalized_affinity(W):
    """S = D^-1/2 W D^-1/2 and the degrees d (N,), for an array W (N, N) or Edges; S is of the same kind.

    W's diagonal counts as 0: how much a point resembles itself tells nothing about groups. A point without any edge
    is a part of its own, and gets S[i, i] = 1. An edge is any weight above 0, be it 1e-300: of the weights
    exp(-gamma t), those with gamma t up to 745.
    """
    if isinstance(W, Edges):
        own = W.rows == W.columns  # (E,)
        root, half = degree_roots(W)  # (N,), (N,)
        weights = np.ldexp(W.weights, -half[W.rows] - half[W.columns]) / (root[W.rows] * root[W.columns])  # (E,)
        degrees = np.bincount(W.rows, np.where(own, 0, W.weights), minlength=len(W))  # (N,)
        weights[own] = (degrees == 0)[W.rows[own]]
        return Edges(W.rows, W.columns, weights, W.starts), degrees
    S = W.astype(np.float64)  # (N, N)
    np.fill_diagonal(S, 0)
    root, half = degree_roots(S)  # (N,), (N,)
    with np.errstate(over="ignore"):  # a degree may be inf where weights are near float64's end
        degrees = S.sum(axis=1)  # (N,)
    for part in (np.minimum(half, 0), np.maximum(half, 0)) if half.any() else ():  # small ones are made larger first
        S = np.ldexp(np.ldexp(S, -part[:, None]), -part)  # (N, N)
    for rows in row_blocks(S):
        S[rows] /= root[rows, None] * root
    np.fill_diagonal(S, degrees == 0)
    return S, degrees
