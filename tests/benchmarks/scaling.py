"""K-means from ten thousand to ten million points: the time per point, and the memory in addition to X and labels.

    python -m tests.benchmarks.scaling [--json FILE] [--picture FILE]
"""

import tracemalloc

import numpy as np

from aelearn import KMeans, plotting
from tests.benchmarks.harness import Table, main, race

SIZES, N_FEATURES, N_CLUSTERS, N_ITER = (10_000, 100_000, 1_000_000, 10_000_000), 3, 8, 20


def run():
    """Time for a point and an iteration, and extra memory, as N grows."""
    table = Table(f"K-means, D = {N_FEATURES}, K = {N_CLUSTERS}, float32, {N_ITER} iterations and the start",
                  ["N", "fit", "ns a point and iteration", "extra memory, MB"])
    for n in SIZES:
        X = np.random.default_rng(0).random((n, N_FEATURES), dtype=np.float32)  # (N, D)
        start = X[:N_CLUSTERS].copy()  # (K, D)

        def fit(init=start):
            return KMeans(N_CLUSTERS, init=init, n_init=1, tol=0, max_iter=N_ITER,
                          random_state=0).fit(X)

        assert fit().n_iter_ == N_ITER  # so that the time is shared out rightly
        timing = race({"fit": fit}, rounds=5, budget=20)["fit"]
        tracemalloc.start()  # NumPy reports its arrays to it; what kernels take for a block is below one MB a core
        labels = fit("k-means++").labels_
        extra = tracemalloc.get_traced_memory()[1] - labels.nbytes
        tracemalloc.stop()
        table.numbers[f"{n:,} points"] = timing.median / n / N_ITER * 1e9
        table.rows.append([f"{n:,}", timing, f"{timing.median / n / N_ITER * 1e9:.2f}", f"{extra / 2**20:.1f}"])
    return table


def draw(table, path):
    """A bar for each N: of one length, if the time grows as N does."""
    plotting.save(plotting.bars(list(table.numbers), list(table.numbers.values()), xlabel="ns a point and iteration",
                                title=f"K-means, D = {N_FEATURES}, K = {N_CLUSTERS}: the time of a point"), path)


if __name__ == "__main__":
    main(run, draw)
