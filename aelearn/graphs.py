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
from aelearn.lloyd import safe_exponent
from aelearn.validation import check_array, check_integer, check_number, load_backend

MIN_ROWS, MAX_ROWS = 32, 128  # of a block


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


def row_blocks(X):
    """Slices over the rows of X (N, D), for tables of distances to all rows.

    Short ones, so that a table stays in the cache; longer ones where D is large and most of the work is a product.
    """
    n_rows = min(max(MIN_ROWS, X.shape[1]), MAX_ROWS)
    return [slice(start, min(start + n_rows, len(X))) for start in range(0, len(X), n_rows)]


def distance_table(x, Y):
    """Squared distances of the rows of x (B, D) to all rows of Y (M, D): (B, M), not below 0.

    From |x|^2 - 2 x . y + |y|^2, which is one matrix product. It loses the digits of distances that are smaller than
    the millionth part of |x| or so; `centered` sees to it that |x| is no larger than need be.
    """
    table = (-2 * x) @ Y.T  # (B, M)
    table += np.einsum("bd,bd->b", x, x)[:, None]
    table += np.einsum("md,md->m", Y, Y)
    return np.maximum(table, 0, out=table)


def centered(X):
    """X (N, D) in float64, its median moved to 0 and divided by 2^e, and e; e is 0 but for extreme sizes.

    The median, because a single point far away does not draw it along.
    """
    X = check_array(X)
    exponent = safe_exponent(X)
    X = np.ldexp(X, -exponent, dtype=np.float64)  # (N, D)
    return X - np.median(X, axis=0), exponent


def rbf_affinity(X, gamma=1.0):
    """W[i, j] = exp(-gamma |x_i - x_j|^2) for X (N, D): (N, N) float64, symmetric, with ones on the diagonal."""
    check_number("gamma", gamma, 0)
    X, exponent = centered(X)
    W = np.empty((len(X), len(X)))  # (N, N)
    for rows in row_blocks(X):
        W[rows, rows.start:] = gaussian(distance_table(X[rows], X[rows.start:]), gamma, exponent)
        W[rows, rows] = np.maximum(W[rows, rows], W[rows, rows].T)  # rounding may differ on the two sides
        W[rows.start:, rows] = W[rows, rows.start:].T
    np.fill_diagonal(W, 1)
    return W


def gaussian(table, gamma, exponent):
    """exp(-gamma t) for squared distances t (B, M) of points that were divided by 2^exponent."""
    with np.errstate(over="ignore", under="ignore"):  # far apart is far apart: exp(-inf) = 0
        return np.exp(-np.ldexp(gamma * table, 2 * exponent))  # (B, M)


def smallest(table, k):
    """The places of the k smallest entries of each row of table (B, M), smallest first: (B, k) int64.

    Of equal entries the one on the left comes first. The fast twin is in kernels/cpu/neighbors.py.
    """
    return np.argsort(table, axis=1, kind="stable")[:, :k]


def nearest_neighbors(X, n_neighbors):
    """The numbers of the points nearest to each row of X (N, D), nearest first: (N, n_neighbors) int64.

    A point is its own nearest neighbour, as in scikit-learn's graph: n_neighbors = 10 finds nine others.
    """
    X = centered(X)[0]  # (N, D)
    neighbors = np.empty((len(X), check_integer("n_neighbors", n_neighbors, 1, len(X))), np.int64)  # (N, n_neighbors)
    select = smallest if load_backend("auto") == "numpy" else kernels.get("numba").smallest
    for rows in row_blocks(X):
        table = distance_table(X[rows], X)  # (B, N)
        own = np.arange(len(table))  # (B,)
        table[own, rows.start + own] = -1  # nearer than any duplicate
        neighbors[rows] = select(table, n_neighbors)
    return neighbors


def neighbor_graph(neighbors):
    """The Edges of W[i, j] = (j is in neighbors[i]) / 2 + (i is in neighbors[j]) / 2, for neighbors (N, k)."""
    n_points, k = neighbors.shape
    i, j = np.repeat(np.arange(n_points), k), neighbors.ravel()  # (N k,), (N k,)
    places, counts = np.unique(np.concatenate([i * n_points + j, j * n_points + i]), return_counts=True)  # (E,), (E,)
    rows, columns = np.divmod(places, n_points)  # (E,), (E,)
    return Edges(rows, columns, counts / 2, np.searchsorted(rows, np.arange(n_points + 1)))


def check_affinity(W):
    """W (N, N) in float64, symmetric to the last bit. Raises ValueError unless it is square, symmetric and >= 0."""
    W = check_array(W, name="the affinity", estimator="a graph")
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"an affinity must be a square matrix; got shape {W.shape}")
    if W.min() < 0 or np.abs(W - W.T).max() > 1e-6 * W.max():
        raise ValueError("an affinity must be a symmetric matrix without negative entries; got entries from "
                         f"{W.min()} to {W.max()}, and W - W.T up to {np.abs(W - W.T).max()}")
    return np.maximum(W, W.T, dtype=np.float64)  # (N, N)


def normalized_affinity(W):
    """S = D^-1/2 W D^-1/2 and the degrees d (N,), for an array W (N, N) or Edges; S is of the same kind.

    W's diagonal counts as 0: how much a point resembles itself tells nothing about groups. A point without any edge
    is a part of its own, and gets S[i, i] = 1.
    """
    if isinstance(W, Edges):
        weights = np.where(W.rows == W.columns, 0, W.weights)  # (E,)
        degrees = np.bincount(W.rows, weights, minlength=len(W))  # (N,)
        root = np.sqrt(degrees) + (degrees == 0)  # (N,)
        weights = weights / root[W.rows] / root[W.columns]  # (E,)
        weights[W.rows == W.columns] = (degrees == 0)[W.rows[W.rows == W.columns]]
        return Edges(W.rows, W.columns, weights, W.starts), degrees
    exponent = safe_exponent(W)  # a power of two that all weights are divided by changes nothing
    S = np.ldexp(W, -exponent, dtype=np.float64)  # (N, N)
    np.fill_diagonal(S, 0)
    degrees = S.sum(axis=1)  # (N,)
    root = np.sqrt(degrees) + (degrees == 0)  # (N,)
    S /= root[:, None]
    S /= root
    np.fill_diagonal(S, degrees == 0)
    with np.errstate(over="ignore"):  # a degree may be inf where weights are near float64's end
        return S, np.ldexp(degrees, exponent)
