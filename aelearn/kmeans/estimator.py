"""K-means as an estimator: starts, iterations until nothing moves, the best of several runs.

The arithmetic is in lloyd.py, the starts are in seeding.py. Shapes: N samples, D features, K clusters.

Where it does the same thing as scikit-learn's KMeans it does it the same way: names, tolerance, dtypes, warnings.
It differs in two points. Points are assigned once more at the very end, so that `labels_` and `inertia_` always belong
to `cluster_centers_`, even after an empty cluster was filled in the last iteration. And `history_` records the descent.
"""

from dataclasses import dataclass

import numpy as np

from aelearn import kernels
from aelearn.core.arrays import blocks, mean_variance, rows_by_unit, squared_distances, unit_of
from aelearn.core.base import Transformer, all_or_nothing
from aelearn.core.progress import progress
from aelearn.core.validation import (
    ConvergenceWarning,
    check_backend,
    check_choice,
    check_integer,
    check_number,
    check_sample_weight,
    check_verbose,
    generator,
    load_backend,
    warn,
)
from aelearn.kmeans import hamerly, lloyd, seeding
from aelearn.kmeans.lloyd import distance_table, fill_empty_clusters
from aelearn.kmeans.mini_batch import move_to_running_means

CANCELLATION = 1e-3  # an inertia may be the difference of sums as much larger than itself, and its rounding is theirs


class KMeans(Transformer):
    """K-means by Lloyd's algorithm with greedy k-means++ seeding.

    n_clusters    K
    init          "k-means++", "random" (K different points), the centres to start from, an array (K, D), or a function
                  that returns them: init(X, n_clusters, random_state=...). It gets X (N, D) as floats and a
                  np.random.RandomState, as from scikit-learn, which draws from the stream of `random_state`
    n_init        how many starts; the run with the lowest inertia is kept. "auto": 10 for "random" and for a function,
                  else 1
    max_iter      most iterations of a run
    tol           stop when no label changes, or when the squared distances by which the centres move add up to no
                  more than tol times the mean variance of the columns
    algorithm     "lloyd" computes every distance; "hamerly" keeps bounds that spare most of them; "auto" takes the one
                  that is faster for the shape of X. All three find the same labels, centres and iterations, to the
                  last bit: which of two centres is nearer is decided exactly, and of two that are exactly as near it
                  is the one with the lower number
    backend       "numpy"; "numba": compiled, on all cores; "cuda": an NVIDIA GPU, which has no "hamerly"; "auto":
                  "numba" where that runs
    random_state  None, an int, a np.random.Generator or RandomState
    verbose       if not 0, `fit` shows a progress bar: starts, iterations, and the inertia
    copy_x        there for code written for scikit-learn: X is never changed, nor copied as a whole

    After `fit`:

    cluster_centers_  (K, D), of X's dtype
    labels_           (N,) int32, the nearest centre of each point
    inertia_          sum of squared distances to the nearest centres, weighted, a float
    n_iter_           iterations of the best run
    history_          (n_iter_,) the inertia that each of its iterations found; it never rises. Iterations keep their
                      centres in float64; with float32 X they are rounded at the end, and `inertia_` is that of the
                      rounded centres: it may lie above the last entry in the digits that float32 does not have
    counts_           (K,) the weights of each cluster's points; `partial_fit` adds those of its batches
    n_steps_          batches that `partial_fit` has learnt from, since the last `fit`
    n_features_in_    D
    """

    _estimator_type = "clusterer"

    def __init__(self, n_clusters=8, *, init="k-means++", n_init="auto", max_iter=300, tol=1e-4, algorithm="auto",
                 backend="auto", random_state=None, verbose=0, copy_x=True):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.algorithm = algorithm
        self.backend = backend
        self.random_state = random_state
        self.verbose = verbose
        self.copy_x = copy_x

    def fit(self, X, y=None, sample_weight=None):
        """Find K clusters in X (N, D); y is ignored. Returns self.

        sample_weight  (N,), not negative: how much each point counts; None: all the same. On backend "cuda", weights
                       with more digits than float32 has make it compute in float64, which is slow on many GPUs

        Raises ValueError or TypeError for data or settings that are not possible, such as fewer points than clusters.
        Warns (ConvergenceWarning) if fewer than K clusters have points, because points are duplicates.
        """
        self._check_settings()
        X = self._check_training_data(X)
        n_clusters, start = int(self.n_clusters), self._check_start(X)  # (K, D)
        weight = check_sample_weight(sample_weight, len(X))
        n_init = self._number_of_starts(start)
        rng = generator(self.random_state)

        with progress(self.verbose, unit="iteration") as bar:
            data = _Data(self._functions(), X, weight, unit_of(X) if start is None else unit_of(X, start))
            tolerance = self.tol * mean_variance(data.scaled) if self.tol else 0.0
            best = None
            for number in range(1, n_init + 1):
                bar.text, bar.n = f"start {number} of {n_init}", 0
                centers = self._draw_start(data, rng) if start is None else data.unit.scale(start)  # (K, D)
                run = self._run(data, centers, tolerance, bar)
                if best is None or run.is_better_than(best):
                    best = run

        sizes = _sizes(best.labels, n_clusters)  # (K,)
        n_distinct = np.count_nonzero(sizes)
        if n_distinct < n_clusters:
            warn(f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({n_clusters}). "
                 "Possibly due to duplicate points in X.", ConvergenceWarning)
        self.cluster_centers_ = data.unit.unscale(best.centers)  # (K, D)
        self.history_ = data.unit.unscale(np.array(best.history), 2)  # squares: inf where X is near float64's end
        self.inertia_ = data.unit.unscale(best.inertia, 2)
        self.labels_, self.n_iter_ = best.labels, len(best.history)
        self.counts_ = sizes.astype(np.float64) if sample_weight is None else _sizes(best.labels, n_clusters, weight)
        self._centers, self.n_steps_ = self.cluster_centers_.astype(np.float64), 0
        self._n_features_out = n_clusters
        return self

    @all_or_nothing
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from one more batch X (B, D) of data that come by and by; y is ignored. Returns self.

        The first batch starts the centres as `init` says, from a single start, and must have at least K points. Each
        batch then moves every centre to the mean of all points that it has been given so far (mini_batch.py). After a
        `fit`, these are the points of its clusters. A centre that is not the nearest of any point stays where it is.

        sample_weight  (B,), as in `fit`

        Afterwards `cluster_centers_`, `counts_` and `n_steps_` are those after the batch, `labels_` (B,) and `inertia_`
        those of the batch with these centres; `n_iter_` and `history_` remain those of `fit`, if there was one.

        Raises as `fit` does; also ValueError if X has other columns than before, or if n_clusters has changed.
        """
        self._check_settings()
        is_first = not hasattr(self, "cluster_centers_")
        X = self._check_training_data(X) if is_first else self._check_X(X)
        weight, n_clusters = check_sample_weight(sample_weight, len(X)), int(self.n_clusters)
        if not is_first and n_clusters != len(self.cluster_centers_):
            raise ValueError(f"n_clusters is {n_clusters}, but there are {len(self.cluster_centers_)} centres already: "
                             "call fit to start anew")
        with progress(self.verbose, "a batch"):
            if is_first:
                self._start_from(X, weight)
            data = _Data(self._functions(), X, weight, unit_of(X, self._centers))
            descent = data.functions.Descent(data.points, weight, self.algorithm)
            centers = data.unit.scale(self._centers)  # (K, D)
            means, weights, _, _ = descent.step(centers)  # (K, D), (K,)
            centers, self.counts_ = move_to_running_means(centers, self.counts_, means, weights)
            self._centers = data.unit.unscale(centers)
            self.cluster_centers_ = self._centers.astype(self.cluster_centers_.dtype)
            self.labels_, inertia = descent.settle(data.unit.scale(self.cluster_centers_))
            self.inertia_, self.n_steps_ = data.unit.unscale(inertia, 2), self.n_steps_ + 1
        return self

    def _start_from(self, X, weight):
        """The centres (K, D) before the first batch X (B, D)."""
        start = self._check_start(X)
        data = _Data(self._functions(), X, weight, unit_of(X) if start is None else unit_of(X, start))
        if start is None:
            start = data.unit.unscale(self._draw_start(data, generator(self.random_state)))
        self._centers, self.cluster_centers_ = start.astype(np.float64), start.astype(X.dtype)
        self.counts_, self.n_steps_, self._n_features_out = np.zeros(len(start)), 0, len(start)

    def _check_start(self, X):
        """The centres (K, D) that `init` gives, or None if they are to be drawn. Raises ValueError if X is short."""
        if len(X) < int(self.n_clusters):
            raise ValueError(f"n_samples={len(X)} should be >= n_clusters={int(self.n_clusters)}.")
        if isinstance(self.init, str) or callable(self.init):
            return None
        return seeding.check_start(self.init, X, int(self.n_clusters))

    def _draw_start(self, data, rng):
        """Centres (K, D) to start from, in the data's unit, drawn as `init` says."""
        n_clusters = int(self.n_clusters)
        if callable(self.init):
            return data.unit.scale(seeding.call(self.init, data.X, n_clusters, rng, data.unit))
        if self.init == "random":
            return seeding.random_points(data.scaled, n_clusters, data.weight, rng)
        return data.functions.kmeans_plusplus(data.points, n_clusters, data.weight, rng)

    def _run(self, data, centers, tolerance, bar):
        """Lloyd's iterations from one start (K, D), then the final assignment. Returns a _Run."""
        X, descent = data.scaled, data.functions.Descent(data.points, data.weight, self.algorithm)
        rounding = sum(X.shape) * np.finfo(np.float64).eps / CANCELLATION  # of an inertia, a sum of N D terms
        centers = previous = centers.astype(np.float64)  # (K, D)
        history, lowest = [], np.inf
        for _ in range(self.max_iter):
            means, weights, inertia, n_moved = descent.step(centers)  # (K, D), (K,)
            if n_moved and inertia > lowest * (1 + rounding):  # by rounding of the centres alone: they can go no lower
                centers = previous
                break
            lowest = min(inertia, lowest)  # where it is above the last one, that is the inertia's own rounding
            history.append(lowest)
            bar.advance(inertia=data.unit.unscale(lowest, 2))
            if not weights.all():
                fill_empty_clusters(X, centers, data.weight, descent.labels, means, weights)
            shift = float(squared_distances(means, centers).sum())
            previous, centers = centers, means
            if n_moved == 0 or shift <= tolerance:
                break
        centers = centers.astype(X.dtype)
        labels, inertia = descent.settle(centers)  # (N,)
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
        functions, labels = self._functions(), np.empty(len(X), np.int32)  # (N,)
        for rows, unit in rows_by_unit(X, unit_of(self.cluster_centers_)):
            centers = unit.scale(self.cluster_centers_)  # (K, D)
            labels[rows], _ = functions.Descent(unit.scale(X[rows])).settle(centers)
        return labels

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find clusters in X (N, D) and return the labels of its points, (N,) int32."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def transform(self, X):
        """The distance (not squared) of each point of X (N, D) to each centre, (N, K)."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        distances = np.empty((len(X), len(self.cluster_centers_)), np.result_type(X, self.cluster_centers_))  # (N, K)
        with np.errstate(over="ignore", under="ignore"):  # a distance may be inf where X is near its dtype's end
            for rows, unit in rows_by_unit(X, unit_of(self.cluster_centers_)):
                x, centers = unit.scale(X[rows]), unit.scale(self.cluster_centers_).astype(np.float64)  # (A, D), (K, D)
                found = distances[rows]  # (A, K)
                for block in blocks(len(x), max(centers.shape)):
                    table = distance_table(x[block].astype(np.float64), centers)  # (K, B)
                    found[block] = unit.unscale(np.sqrt(table.T))
                distances[rows] = found
        return distances

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find clusters in X (N, D) and return the distances of its points to the centres, (N, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia of X (N, D) against the centres: higher is better."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        weight, unit = check_sample_weight(sample_weight, len(X)), unit_of(X, self.cluster_centers_)
        _, inertia = self._functions().assign(unit.scale(X), unit.scale(self.cluster_centers_), weight)
        return -unit.unscale(inertia, 2)

    def _check_settings(self):
        """Refuse impossible settings, each with a sentence."""
        check_integer("n_clusters", self.n_clusters, 1)
        check_integer("max_iter", self.max_iter, 1)
        check_number("tol", self.tol, 0)
        if self.algorithm == "elkan":
            raise ValueError("algorithm='elkan' is not here: use 'hamerly', which spares distances by bounds as well, "
                             "or 'auto', which does so where it is faster; both find what 'lloyd' finds")
        check_choice("algorithm", self.algorithm, ("lloyd", "hamerly", "auto"))
        check_verbose(self.verbose)
        if not isinstance(self.copy_x, (bool, np.bool_)):
            raise ValueError(f"copy_x must be True or False; got {self.copy_x!r}")
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

    def _number_of_starts(self, start):
        if self.n_init == "auto":
            return 10 if callable(self.init) or start is None and self.init == "random" else 1
        if start is not None and self.n_init != 1:
            warn("Explicit initial center position passed: performing only one init in KMeans "
                 f"instead of n_init={self.n_init}.", RuntimeWarning)
            return 1
        return self.n_init


class _Data:
    """What all starts of a fit share.

    functions     the back end's
    X, weight     (N, D) and (N,), as given
    unit, scaled  the Unit in which distances can be squared, and X in it, (N, D)
    points        `scaled` as the functions take it: for the GPU, uploaded here, once for all starts
    """

    def __init__(self, functions, X, weight, unit):
        self.functions, self.X, self.weight, self.unit = functions, X, weight, unit
        self.scaled = unit.scale(X)
        self.points = functions.Points(self.scaled, weight) if hasattr(functions, "Points") else self.scaled


@dataclass(frozen=True)
class _Run:
    """The outcome of one start."""

    labels: np.ndarray
    inertia: float
    centers: np.ndarray
    history: list

    def is_better_than(self, other):
        """A lower inertia, of another clustering: the same one under other numbers can only be lower by rounding."""
        return self.inertia < other.inertia and not _same_clustering(self.labels, other.labels)


def _sizes(labels, n_clusters, weight=None):
    """How many points each cluster has, or the sum of their weights (N,): (K,)."""
    return sum(np.bincount(labels[rows], None if weight is None else weight[rows], minlength=n_clusters)
               for rows in blocks(len(labels), 1))


def _same_clustering(labels, others):
    """True if both labelings (N,) group the points alike, whatever the numbers of the groups."""
    pairs = np.unique(np.column_stack([labels, others]), axis=0)
    return len(pairs) == len(np.unique(labels)) == len(np.unique(others))

