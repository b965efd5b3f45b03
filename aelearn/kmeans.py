"""K-means as an estimator: starts, iterations until nothing moves, the best of several runs.

The arithmetic is in lloyd.py. Shapes: N samples, D features, K clusters.

Where it does the same thing as scikit-learn's KMeans it does it the same way: names, tolerance, dtypes, warnings.
It differs in two points. Points are assigned once more at the very end, so that `labels_` and `inertia_` always belong
to `cluster_centers_`, even after an empty cluster was filled in the last iteration. And `history_` records the descent.
"""

from dataclasses import dataclass

import numpy as np

from aelearn import hamerly, kernels, lloyd
from aelearn.estimator import Transformer
from aelearn.lloyd import (blocks, fill_empty_clusters, mean_variance, random_points, safe_exponent,
                           squared_distances)
from aelearn.validation import (ConvergenceWarning, check_array, check_backend, check_choice, check_finite,
                                check_integer, check_number, check_sample_weight, generator, load_backend, warn)


class KMeans(Transformer):
    """K-means by Lloyd's algorithm with greedy k-means++ starts.

    n_clusters    K
    init          "k-means++", "random" (K different points) or the centres to start from, an array (K, D)
    n_init        how many starts; the run with the lowest inertia is kept. "auto": 10 for "random", else 1
    max_iter      most iterations of a run
    tol           stop when no label changes, or when the squared distances by which the centres move add up to no
                  more than tol times the mean variance of the columns
    algorithm     "lloyd" computes every distance; "hamerly" keeps bounds that spare most of them, and finds the same
                  labels; "auto" takes the one that is faster for the shape of X
    backend       "numpy"; "numba": compiled, on all cores; "cuda": an NVIDIA GPU, which has no "hamerly"; "auto":
                  "numba" where that runs
    random_state  None, an int, a np.random.Generator or RandomState

    After `fit`:

    cluster_centers_  (K, D), of X's dtype
    labels_           (N,) int32, the nearest centre of each point
    inertia_          sum of squared distances to the nearest centres, weighted, a float
    n_iter_           iterations of the best run
    history_          (n_iter_,) the inertia that each of its iterations found; it never rises. Iterations keep their
                      centres in float64; with float32 X they are rounded at the end, and `inertia_` is that of the
                      rounded centres: it may lie above the last entry in the digits that float32 does not have
    n_features_in_    D
    """

    _estimator_type = "clusterer"

    def __init__(self, n_clusters=8, *, init="k-means++", n_init="auto", max_iter=300, tol=1e-4, algorithm="lloyd",
                 backend="auto", random_state=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.algorithm = algorithm
        self.backend = backend
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Find K clusters in X (N, D); y is ignored. Returns self.

        sample_weight  (N,), not negative: how much each point counts; None: all the same. On backend "cuda", weights
                       with more digits than float32 has make it compute in float64, which is slow on many GPUs

        Raises ValueError or TypeError for data or settings that are not possible, such as fewer points than clusters.
        Warns (ConvergenceWarning) if fewer than K clusters have points, because points are duplicates.
        """
        self._check_settings()
        columns, X = X, check_array(X, estimator="KMeans")
        n_clusters = int(self.n_clusters)
        if len(X) < n_clusters:
            raise ValueError(f"n_samples={len(X)} should be >= n_clusters={n_clusters}.")
        weight = check_sample_weight(sample_weight, len(X))
        start = self._check_start(X)
        n_init = self._number_of_starts(start)
        rng = generator(self.random_state)

        exponent = safe_exponent(X) if start is None else safe_exponent(X, start)
        scaled = np.ldexp(X, -exponent) if exponent else X  # a power of two: every digit stays
        tolerance = self.tol * mean_variance(scaled) if self.tol else 0.0
        functions, best = self._functions(), None
        points = functions.Points(scaled, weight) if self.backend == "cuda" else scaled  # on a GPU they go there once
        for _ in range(n_init):
            centers = (np.ldexp(start, -exponent) if start is not None
                       else self._draw_start(functions, points, scaled, weight, rng))
            run = self._run(functions.Descent(points, weight, self.algorithm), scaled, weight, centers, tolerance)
            if best is None or run.inertia < best.inertia and not _same_clustering(run.labels, best.labels):
                best = run  # the same clustering under other numbers can only be lower by rounding: no better run

        n_distinct = np.count_nonzero(_sizes(best.labels, n_clusters))
        if n_distinct < n_clusters:
            warn(f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({n_clusters}). "
                 "Possibly due to duplicate points in X.", ConvergenceWarning)
        with np.errstate(over="ignore", under="ignore"):  # inertia, a square, may be inf where X is near float64's end
            self.cluster_centers_ = np.ldexp(best.centers, exponent) if exponent else best.centers
            self.history_ = np.ldexp(np.array(best.history), 2 * exponent)
            self.inertia_ = float(np.ldexp(best.inertia, 2 * exponent))
        self.labels_, self.n_iter_ = best.labels, len(best.history)
        self._record_columns(columns, X.shape[1])
        self._n_features_out = n_clusters
        return self

    def _run(self, descent, X, weight, centers, tolerance):
        """Lloyd's iterations from one start, then the final assignment."""
        history = []
        centers = centers.astype(np.float64)  # (K, D)
        for _ in range(self.max_iter):
            means, weights, inertia, n_moved = descent.step(centers)
            if history and inertia > history[-1]:  # only rounding can do that ...
                if n_moved:  # ... and this is as low as it gets
                    centers = previous
                    break
                inertia = history[-1]
            history.append(inertia)
            if not weights.all():
                fill_empty_clusters(X, centers, weight, descent.labels, means, weights)
            shift = float(squared_distances(means, centers).sum())
            previous, centers = centers, means
            if n_moved == 0 or shift <= tolerance:
                break
        centers = centers.astype(X.dtype)
        labels, inertia = descent.settle(centers)
        return _Run(labels, inertia, centers, history)

    def _functions(self):
        """Where the arithmetic comes from: the compiled back end or, with the same names in it, plain NumPy."""
        name = load_backend(self.backend)
        if name != "numpy":
            return kernels.get(name)
        return hamerly if self.algorithm == "hamerly" else lloyd

    def predict(self, X):
        """The nearest centre of each point of X (N, D): labels (N,) int32."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        return self._assign(X, check_sample_weight(None, len(X)))[0]

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find clusters in X (N, D) and return the labels of its points, (N,) int32."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def transform(self, X):
        """The distance (not squared) of each point of X (N, D) to each centre, (N, K)."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        exponent = safe_exponent(X, self.cluster_centers_)
        centers = np.ldexp(self.cluster_centers_.astype(np.float64), -exponent)  # (K, D)
        distances = np.empty((len(X), len(centers)), np.result_type(X, self.cluster_centers_))  # (N, K)
        with np.errstate(over="ignore", under="ignore"):  # a distance may be inf where X is near its dtype's end
            for rows in blocks(*X.shape):
                x = np.ldexp(X[rows].astype(np.float64), -exponent)  # (B, D)
                for k, center in enumerate(centers):
                    distances[rows, k] = np.ldexp(np.sqrt(squared_distances(x, center)), exponent)
        return distances

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find clusters in X (N, D) and return the distances of its points to the centres, (N, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia of X (N, D) against the centres: higher is better."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        return -self._assign(X, check_sample_weight(sample_weight, len(X)))[1]

    def _assign(self, X, weight):
        """Labels and inertia of X against the fitted centres."""
        functions, exponent = self._functions(), safe_exponent(X, self.cluster_centers_)
        if not exponent:
            return functions.assign(X, self.cluster_centers_, weight)
        labels, inertia = functions.assign(np.ldexp(X, -exponent), np.ldexp(self.cluster_centers_, -exponent), weight)
        with np.errstate(over="ignore", under="ignore"):
            return labels, float(np.ldexp(inertia, 2 * exponent))

    def _check_settings(self):
        """Refuse impossible settings, each with a sentence."""
        check_integer("n_clusters", self.n_clusters, 1)
        check_integer("max_iter", self.max_iter, 1)
        check_number("tol", self.tol, 0)
        check_choice("algorithm", self.algorithm, ("lloyd", "hamerly", "auto"))
        check_backend(self.backend)
        if self.backend == "cuda" and self.algorithm == "hamerly":
            raise ValueError("algorithm='hamerly' keeps bounds, which backend='cuda' does not: "
                             "use algorithm='lloyd' or 'auto'")
        if isinstance(self.n_init, str):
            check_choice("n_init", self.n_init, ("auto",))
        else:
            check_integer("n_init", self.n_init, 1)
        if isinstance(self.init, str):
            check_choice("init", self.init, ("k-means++", "random"))

    def _check_start(self, X):
        """`init` as an array (K, D) of X's dtype, or None if it names a method."""
        if isinstance(self.init, str):
            return None
        start = check_array(self.init, name="init", estimator="KMeans")
        with np.errstate(over="ignore"):
            start = start.astype(X.dtype)
        check_finite(start, "init")
        if start.shape[0] != self.n_clusters:
            raise ValueError(f"The shape of the initial centers {start.shape} does not match "
                             f"the number of clusters {self.n_clusters}.")
        if start.shape[1] != X.shape[1]:
            raise ValueError(f"The shape of the initial centers {start.shape} does not match "
                             f"the number of features of the data {X.shape[1]}.")
        return start

    def _number_of_starts(self, start):
        if self.n_init == "auto":
            return 10 if start is None and self.init == "random" else 1
        if start is not None and self.n_init != 1:
            warn("Explicit initial center position passed: performing only one init in KMeans "
                 f"instead of n_init={self.n_init}.", RuntimeWarning)
            return 1
        return self.n_init

    def _draw_start(self, functions, points, X, weight, rng):
        """K of the points: spread out by k-means++, or any K that weigh something. points: X as the back end has it."""
        if self.init == "k-means++":
            return functions.kmeans_plusplus(points, int(self.n_clusters), weight, rng)
        n_weighted = np.count_nonzero(weight)
        if n_weighted < self.n_clusters:
            raise ValueError(f"init='random' draws {self.n_clusters} different points, "
                             f"but only {n_weighted} have a sample_weight above 0")
        return random_points(X, int(self.n_clusters), weight, rng)


@dataclass(frozen=True)
class _Run:
    """The outcome of one start."""

    labels: np.ndarray
    inertia: float
    centers: np.ndarray
    history: list


def _sizes(labels, n_clusters):
    """How many points each cluster has, (K,)."""
    return sum(np.bincount(labels[rows], minlength=n_clusters) for rows in blocks(len(labels), 1))


def _same_clustering(labels, others):
    """True if both labelings (N,) group the points alike, whatever the numbers of the groups."""
    pairs = np.unique(np.column_stack([labels, others]), axis=0)
    return len(pairs) == len(np.unique(labels)) == len(np.unique(others))

