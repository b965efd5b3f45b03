"""K-means to convergence, compared with scikit-learn (Lloyd and Elkan) and faiss, each on all points.

    python -m tests.benchmarks.kmeans [--json FILE] [--picture FILE]

All start from the same centres without a tolerance, and do at most 100 iterations; faiss, which has no stopping rule,
does as many as aelearn did. A time counts only if the inertia agrees within a thousandth.
"""

import sys
import warnings

import numba
import numpy as np

from aelearn import KMeans, load_mnist
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race

SHAPES = [(11_623, 3, 2), (1_000_000, 3, 8), (200_000, 16, 16), (100_000, 32, 100), (50_000, 128, 50),
          (55_000, 784, 10)]
MAX_ITER = 100


def data(n, d, k):
    """X (N, D) and a start (K, D), float32: MNIST's images for D = 784, else 2 K blobs that overlap."""
    rng = np.random.default_rng(0)
    if d == 784:
        X = load_mnist("train")[0]  # (N, D)
    else:
        middles = rng.normal(size=(2 * k, d)) * (4.5 / np.sqrt(d))  # (2 K, D)
        X = (middles[rng.integers(0, 2 * k, n)] + rng.normal(size=(n, d))).astype(np.float32)  # (N, D)
    return X, X[rng.choice(n, k, replace=False)]


def rivals_for(X, start, found):
    """{name: function that fits and returns the inertia}, aelearn's first."""
    k, settings = len(start), {"n_init": 1, "tol": 0, "max_iter": MAX_ITER, "init": start}
    n_iter = KMeans(k, **settings).fit(X).n_iter_
    rivals = {"aelearn": lambda: KMeans(k, **settings).fit(X).inertia_}
    if "sklearn.cluster" in found:
        other = found["sklearn.cluster"].KMeans
        for algorithm in ("lloyd", "elkan"):
            rivals[f"scikit-learn {algorithm}"] = lambda a=algorithm: other(k, algorithm=a, **settings).fit(X).inertia_
    if "faiss" in found:
        def faiss():
            model = found["faiss"].Kmeans(X.shape[1], k, niter=n_iter, max_points_per_centroid=10**9,
                                          min_points_per_centroid=1)
            model.train(X, init_centroids=start)
            return model.obj[-1]
        rivals["faiss"] = faiss
    return rivals, n_iter


def run():
    """K-means against its rivals, and one thread against two."""
    names = ["aelearn", "scikit-learn lloyd", "scikit-learn elkan", "faiss"]
    table = Table("K-means to the fixed point, float32",
                  ["N x D, K", "iterations", *names, "best rival / aelearn", "1 thread / 2 threads"])
    found = peers("sklearn.cluster", "faiss")
    for n, d, k in SHAPES:
        X, start = data(n, d, k)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rivals that stop at 100 iterations
            rivals, n_iter = rivals_for(X, start, found)
            inertias = {name: function() for name, function in rivals.items()}
            agree = {name for name, value in inertias.items() if abs(value / inertias["aelearn"] - 1) < 1e-3}
            times = race({name: rivals[name] for name in rivals if name in agree}, rounds=5, budget=30)
        others = [times[name].median for name in times if name != "aelearn"]
        if others:
            table.speedups[f"k-means {n:,} x {d}, {k}"] = min(others) / times["aelearn"].median
        cells = [times.get(name, "another inertia" if name in inertias else "not installed") for name in names]
        table.rows.append([f"{n:,} x {d}, {k}", n_iter, *cells,
                           f"{min(others) / times['aelearn'].median:.2f}" if others else "-",
                           _gain_of_a_second_thread(rivals["aelearn"])])
    ratios = table.speedups.values()
    if ratios:
        table.notes.append(f"best rival / aelearn: geometric mean {geometric_mean(ratios):.2f}, "
                           f"least {min(ratios):.2f}")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


def _gain_of_a_second_thread(fit):
    """How many times as fast it is on two threads as on one; "-" where there is only one."""
    threads = numba.get_num_threads()
    if threads < 2:
        return "-"

    def on(count):
        numba.set_num_threads(count)
        fit()
        numba.set_num_threads(threads)

    both = race({"1": lambda: on(1), "2": lambda: on(2)}, rounds=5, budget=30)
    return f"{both['1'].median / both['2'].median:.2f}"


if __name__ == "__main__":
    main(run)
