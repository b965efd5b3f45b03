"""Spectral clustering compared with scikit-learn's, on the same points and graph; and the time for all digits.

    python -m tests.benchmarks.spectral [--json FILE] [--picture FILE]

A time counts only if both find the same clusters: an adjusted Rand index of at least 0.95, because k-means gets rows of
different lengths in scikit-learn, which matters for points between clusters.

If other processes need the cores, threads wait for each other far longer than they work. One thread for each library
(NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1) then gives more stable ratios.
"""

import sys
import time
import warnings

import numpy as np

from aelearn import PCA, SpectralClustering, load_mnist, make_blobs, make_moons, metrics
from aelearn.spectral.elimination import Elimination, level_groups
from aelearn.spectral.graphs import nearest_neighbors, neighbor_graph, normalized_affinity, rbf_affinity
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race

SIZES = (1000, 5000)


def cases(images, codes):
    """Name, X (N, D), K and gamma, for each size."""
    turns = np.arange(8) * np.pi / 4  # (8,)
    ring = 8 * np.column_stack([np.cos(turns), np.sin(turns)])  # (8, 2)
    for n in SIZES:
        yield f"moons {n:,} x 2", make_moons(n, random_state=0)[0], 2, 30.0
        yield f"blobs {n:,} x 2", make_blobs(n, centers=ring, random_state=0)[0], 8, 1.0
        yield f"codes {n:,} x 3", codes[:n], 2, 0.3
        yield f"images {n:,} x 784", images[:n], 2, 0.005


def run():
    """Both affinities against scikit-learn, and the whole of the digits."""
    images, labels = load_mnist("train", digits=(0, 1))
    codes = PCA(3).fit_transform(images)
    found = peers("sklearn.cluster")
    table = Table("Spectral clustering", ["points", "affinity", "aelearn", "scikit-learn", "scikit-learn / aelearn",
                                          "of aelearn: graph, elimination, rest"])
    warnings.simplefilter("ignore")  # of graphs in parts
    for name, X, k, gamma in cases(images, codes):
        for affinity in ("rbf", "nearest_neighbors"):
            settings = {"affinity": affinity, "gamma": gamma, "random_state": 0}
            rivals = {"aelearn": lambda: SpectralClustering(k, **settings).fit_predict(X)}
            if found:
                other = found["sklearn.cluster"].SpectralClustering
                rivals["scikit-learn"] = lambda: other(k, **settings).fit_predict(X)
            results = {rival: function() for rival, function in rivals.items()}
            agree = all(metrics.adjusted_rand_index(results["aelearn"], r) >= 0.95 for r in results.values())
            times = race(rivals if agree else {"aelearn": rivals["aelearn"]}, rounds=5, budget=10)
            ratio = times["scikit-learn"].median / times["aelearn"].median if "scikit-learn" in times else None
            if ratio:
                table.speedups[f"spectral {name}, {affinity}"] = ratio
            peer = times.get("scikit-learn", "other clusters" if found else "not installed")
            table.rows.append([name, affinity, times["aelearn"], peer, f"{ratio:.2f}" if ratio else "-",
                               shares(X, affinity, gamma, times["aelearn"].median)])
    if table.speedups:
        table.notes.append(f"scikit-learn / aelearn: geometric mean {geometric_mean(table.speedups.values()):.2f}, "
                           f"least {min(table.speedups.values()):.2f}")
    for name, X, gamma in (("codes", codes, 0.3), ("images", images, 0.005)):
        for affinity in ("rbf", "nearest_neighbors"):
            begun = time.perf_counter()
            model = SpectralClustering(2, affinity=affinity, gamma=gamma, random_state=0).fit(X)
            table.notes.append(f"all {len(X):,} {name}, {affinity}: {time.perf_counter() - begun:.1f} s, "
                               f"accuracy {metrics.accuracy(labels, model.labels_):.4f}")
    table.notes.append(f"most memory of this process, with all data and rivals: {most_memory():.2f} GB")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


def shares(X, affinity, gamma, whole):
    """The shares of the graph and of the elimination in the whole time, in per cent, and what is left."""
    begun = time.perf_counter()
    W = rbf_affinity(X, gamma) if affinity == "rbf" else neighbor_graph(nearest_neighbors(X, 10))
    S = normalized_affinity(W)[0]
    graph = time.perf_counter() - begun
    Elimination(S, level_groups(S)[0])
    parts = np.array([graph, time.perf_counter() - begun - graph]) / max(whole, time.perf_counter() - begun)
    return ", ".join(f"{100 * part:.0f} %" for part in (*parts, 1 - parts.sum()))


def most_memory():
    """The most memory that this process has had, in GB; NaN where nobody counts."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


if __name__ == "__main__":
    main(run)
