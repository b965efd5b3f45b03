"""Spectral clustering: clusters of points that are linked by chains of neighbours, whatever their shape.

Shapes: N samples, D features, K clusters, M landmarks.

k-means has linear boundaries between clusters, so it cuts a ring in half. Spectral clustering follows chains of
neighbours instead, in four steps (Ng, Jordan and Weiss, "On spectral clustering", 2002, section 2):

    W    pairwise similarity: exp(-gamma |x_i - x_j|^2), or nearest neighbours    graphs.py
    S    D^-1/2 W D^-1/2, with the degrees d_i = sum_j W[i, j]                    graphs.py
    V    the eigenvectors of the K largest eigenvalues of S, side by side (or     eigenvectors.py
         those of some more: modularity.py)
    Y    the rows of V, each divided by its length; k-means finds their clusters  aelearn.kmeans

If the graph has K parts with no edge between them (connected components), S has the eigenvalue 1 K times, and all
points of a part have the same row in Y. If a few light edges join the parts, the rows of a part are still close
to one another.

The same eigenvectors, used as codes of the points, are Laplacian eigenmaps: eigenmaps.py.
"""

import numpy as np

from aelearn.core.base import Estimator
from aelearn.core.progress import progress
from aelearn.core.validation import check_choice, check_integer, check_number, check_verbose, generator
from aelearn.kmeans import KMeans
from aelearn.spectral.eigenmaps import warn_of_parts
from aelearn.spectral.eigenvectors import largest_eigenpairs
from aelearn.spectral.graphs import check_affinity, neighbor_graph, normalized_affinity, rbf_affinity
from aelearn.spectral.modularity import best_of
from aelearn.spectral.neighbors import nearest_neighbors
from aelearn.spectral.nystrom import count_parts, landmark_affinity, nystrom_eigenpairs
from aelearn.spectral.sparse import CSRMatrix

MAX_EXACT = 5_000  # up to so many points, arrays (N, N) are computed
N_LANDMARKS = 1_000  # the default for more points
SAMPLE = 10_000  # points that the starts of k-means see while the number of eigenvectors is chosen


def _rows_of_length_1(V):
    """The rows of V (N, C), each divided by its length."""
    lengths = np.linalg.norm(V, axis=1, keepdims=True)  # (N, 1)
    return V / (lengths + (lengths == 0))  # (N, C)


class SpectralClustering(Estimator):
    """Normalised spectral clustering.

    n_clusters    K
    n_components  C, how many eigenvectors: None takes K; "auto" those of K to 2 K whose clusters are the same from
                  several starts and have the largest modularity (modularity.py). "auto" needs all edges, so it
                  excludes landmarks
    affinity      "rbf"; "nearest_neighbors"; "precomputed": X is W (N, N), symmetric and not negative
    gamma         of "rbf": two points at the distance 1 / sqrt(gamma) have a similarity of 1 / e
    n_neighbors   of "nearest_neighbors", each point itself included
    n_landmarks   None, or M: Nystrom's method with M points drawn at random; for "rbf" only
    n_init        how many starts k-means has
    random_state  None, an int, a np.random.Generator or RandomState
    verbose       if not 0, `fit` shows a progress bar: which of its three steps it is at, and the elapsed time

    Which method is used; no point is ever left out:

    "rbf"                up to 5,000 points all pairs; beyond, or with n_landmarks, Nystrom's method: all points against
                         M landmarks, 1,000 of them if n_landmarks is None
    "nearest_neighbors"  all edges, whatever N
    "precomputed"        all of W, up to 5,000 points

    After `fit`:

    labels_           (N,) int32
    embedding_        (N, C) Y, of X's dtype: the points that k-means has clustered
    eigenvalues_      (C,) of S, descending; see `eigengap` in eigenmaps.py
    affinity_matrix_  (N, N) W, if all of it was used and N is at most 5,000
    n_features_in_    D

    The graphs are those of scikit-learn's SpectralClustering, and so are the eigenvalues: its Laplacian, I - S, does
    not contain the diagonal of W either. There k-means clusters the rows of D^-1/2 V, here those of V divided by their
    length, as in the paper: labels are the same up to a permutation if clusters are well separated, and may differ
    where they touch. An isolated point has an eigenvalue 1 of its own here, 0 there. `affinity_matrix_` is always an
    array here, but a sparse matrix for neighbours there.

    Two points have an edge if their weight is above 0, even 1e-300. With landmarks only the edges to these are known:
    a point that is similar to none of them is a part of its own, like an isolated point without landmarks. Then S keeps
    W's diagonal (see nystrom.py), so eigenvalues are somewhat larger.
    """

    _estimator_type = "clusterer"

    def __init__(self, n_clusters=8, *, n_components=None, affinity="rbf", gamma=1.0, n_neighbors=10, n_landmarks=None,
                 n_init=10, random_state=None, verbose=0):
        self.n_clusters = n_clusters
        self.n_components = n_components
        self.affinity = affinity
        self.gamma = gamma
        self.n_neighbors = n_neighbors
        self.n_landmarks = n_landmarks
        self.n_init = n_init
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Find K clusters in X (N, D), or (N, N) for "precomputed"; y is ignored. Returns self.

        Raises ValueError or TypeError for invalid data or settings. Warns (UserWarning) if the graph is
        not connected. Warns (ConvergenceWarning) if the eigenvectors did not converge or, from k-means, if fewer than K
        clusters have points.
        """
        self._check_settings()
        X = self._check_training_data(X)
        if len(X) < self.n_clusters:
            raise ValueError(f"n_samples={len(X)} should be >= n_clusters={self.n_clusters}.")
        n_clusters, rng = int(self.n_clusters), generator(self.random_state)
        n_columns = self._numbers_of_eigenvectors(len(X))
        with progress(self.verbose, "graph", unit="step", total=3) as bar:
            if self.affinity == "rbf" and (self.n_landmarks is not None or len(X) > MAX_EXACT):
                if len(n_columns) > 1:
                    raise ValueError(f"n_components='auto' needs all edges, and 'rbf' has landmarks beyond "
                                     f"{MAX_EXACT:,} points: use affinity='nearest_neighbors', or a number")
                self._graph = None
                chosen = np.sort(rng.choice(len(X), self._number_of_landmarks(len(X)), replace=False))  # (M,)
                C = landmark_affinity(X, chosen, float(self.gamma))  # (N, M)
                bar.advance()
                bar.text = "eigenvectors"
                self.eigenvalues_, V = nystrom_eigenpairs(C, chosen, n_columns[-1])  # (C,), (N, C)
                n_parts = count_parts(C)
            else:
                self._graph = self._make_graph(X)
                S = normalized_affinity(self._graph)[0]  # (N, N)
                bar.advance()
                bar.text = "eigenvectors"
                self.eigenvalues_, V, n_parts = largest_eigenpairs(S, n_columns[-1], rng)  # (C,), (N, C), int
            warn_of_parts(n_parts)
            bar.advance()
            bar.text = "k-means"
            if len(n_columns) == 1:
                self.embedding_ = _rows_of_length_1(V).astype(X.dtype)  # (N, C)
                self.labels_ = KMeans(n_clusters, n_init=self.n_init, random_state=rng).fit_predict(self.embedding_)
            else:
                def cluster(n):
                    return self._cluster(_rows_of_length_1(V[:, :n]).astype(X.dtype), rng)

                n, self.labels_, _ = best_of(self._graph, n_columns, cluster)
                self.embedding_, self.eigenvalues_ = _rows_of_length_1(V[:, :n]).astype(X.dtype), self.eigenvalues_[:n]
        return self

    def _numbers_of_eigenvectors(self, n_samples):
        """The numbers of eigenvectors to choose from."""
        n_clusters = int(self.n_clusters)
        if isinstance(self.n_components, str):
            return range(n_clusters, min(2 * n_clusters, n_samples) + 1)
        return [n_clusters if self.n_components is None else
                check_integer("n_components", self.n_components, 1, n_samples)]

    def _cluster(self, Y, rng):
        """Labels (N,) of the rows of Y (N, C). k-means starts on SAMPLE of many points and goes on with all of them."""
        few = Y if len(Y) <= SAMPLE else Y[np.sort(rng.choice(len(Y), SAMPLE, replace=False))]  # (SAMPLE, C)
        model = KMeans(int(self.n_clusters), n_init=self.n_init, random_state=rng).fit(few)
        if few is Y:
            return model.labels_
        return KMeans(int(self.n_clusters), init=model.cluster_centers_).fit_predict(Y)

    def fit_predict(self, X, y=None):
        """Find clusters in X (N, D) and return the labels of its points, (N,) int32."""
        return self.fit(X).labels_

    @property
    def affinity_matrix_(self):
        """W (N, N), if `fit` used all of it and N is at most 5,000; otherwise an AttributeError."""
        graph = getattr(self, "_graph", None)
        if graph is None or len(graph) > MAX_EXACT:
            raise AttributeError("affinity_matrix_ exists after `fit` without landmarks, up to 5,000 points")
        return graph.toarray() if isinstance(graph, CSRMatrix) else graph

    def _make_graph(self, X):
        """W as an array (N, N) or as a CSRMatrix."""
        if self.affinity == "rbf":
            return rbf_affinity(X, float(self.gamma))
        if self.affinity == "nearest_neighbors":
            return neighbor_graph(nearest_neighbors(X, self.n_neighbors))
        if len(X) > MAX_EXACT:
            raise ValueError(f"affinity='precomputed' takes up to {MAX_EXACT:,} points; got {len(X):,}: "
                             "use 'nearest_neighbors', or 'rbf' with n_landmarks")
        return check_affinity(X)

    def _number_of_landmarks(self, n_samples):
        if self.n_landmarks is None:
            return max(N_LANDMARKS, self.n_clusters)
        return check_integer("n_landmarks", self.n_landmarks, self.n_clusters, n_samples)

    def _check_settings(self):
        """Raise ValueError or TypeError for an invalid setting."""
        check_integer("n_clusters", self.n_clusters, 1)
        if isinstance(self.n_components, str):
            check_choice("n_components", self.n_components, ("auto",))
            if self.n_landmarks is not None:
                raise ValueError("n_components='auto' compares modularities, which needs all edges: use "
                                 "n_landmarks=None, or a number of components")
        check_choice("affinity", self.affinity, ("rbf", "nearest_neighbors", "precomputed"))
        check_number("gamma", self.gamma, 0)
        check_integer("n_neighbors", self.n_neighbors, 1)
        check_integer("n_init", self.n_init, 1)
        check_verbose(self.verbose)
        if self.n_landmarks is not None and self.affinity != "rbf":
            raise ValueError(f"n_landmarks is for affinity='rbf'; got affinity={self.affinity!r}, which uses all "
                             "edges: use n_landmarks=None")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.affinity == "precomputed"
        return tags
