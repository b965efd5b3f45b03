"""Scores of clusterings compared with SciPy's and scikit-learn's; time and memory for a million clusters.

    python -m tests.benchmarks.metrics [--json FILE] [--picture FILE]

The counterpart of `accuracy` is scikit-learn's contingency table with SciPy's linear_sum_assignment; it is timed with
and without the computation of the table. A time counts only if both find the same score.
"""

import sys
import time
import tracemalloc

import numpy as np

from aelearn import metrics
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race


def labelings(n=100_000, k=1000):
    """Name, classes (N,), clusters (N,)."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, k, n)
    yield "independent", a, rng.integers(0, k, n)
    yield "diagonal and noise", a, np.where(rng.random(n) < 0.3, rng.integers(0, k, n), 7 * a % k)
    yield "mostly noise", a, np.where(rng.random(n) < 0.9, rng.integers(0, k, n), 7 * a % k)
    yield "band", a, np.clip(a + rng.normal(0, k / 20, n).astype(int), 0, k - 1)
    yield "uneven sizes", (rng.random(n) ** 3 * k).astype(int), (rng.random(n) ** 3 * k).astype(int)
    a = rng.integers(0, k, 10 * n)
    yield "independent, 10 N", a, rng.integers(0, k, 10 * n)


def costs(k=1000):
    """Name, cost (K, K)."""
    rng = np.random.default_rng(0)
    yield "random numbers", rng.random((k, k))
    yield "integers 0 to 9", rng.integers(0, 10, (k, k)).astype(float)
    yield "a fourth as many rows", rng.random((k // 4, k))


def compare(table, what, rivals):
    """Add a row for rivals {name: function that returns a score}, aelearn's first, and note the ratio to the last."""
    results = {name: function() for name, function in rivals.items()}
    ours = next(iter(results.values()))
    agree = {name: rivals[name] for name in rivals if np.isclose(results[name], ours, rtol=1e-9, atol=1e-9)}
    times = race(agree, rounds=7, budget=12)
    columns = ("aelearn", "peer", "peer, table given")
    ratios = [times[name].median / times["aelearn"].median if name in times else None for name in columns[1:]]
    if ratios[0]:
        table.speedups[what] = ratios[0]
    table.rows.append([what, *(times.get(name, "other score" if name in rivals else "-") for name in columns),
                       *(f"{ratio:.2f}" if ratio else "-" for ratio in ratios)])


def run():
    """Accuracy, NMI, ARI and the dense assignment against their rivals; then a million clusters."""
    table = Table("Scores of clusterings", ["what", "aelearn", "peer", "peer, table given", "peer / aelearn",
                                            "table given / aelearn"])
    found = peers("scipy.optimize", "sklearn.metrics")
    for name, classes, clusters in labelings():
        rivals = {"aelearn": lambda: metrics.accuracy(classes, clusters)}
        if len(found) == 2:
            assign, theirs = found["scipy.optimize"].linear_sum_assignment, found["sklearn.metrics"]
            counts = theirs.cluster.contingency_matrix(classes, clusters)  # (C, K)

            def best(counts):
                return counts[assign(counts, maximize=True)].sum() / len(classes)

            rivals["peer"] = lambda: best(theirs.cluster.contingency_matrix(classes, clusters))
            rivals["peer, table given"] = lambda: best(counts)
        compare(table, f"accuracy, {name}", rivals)
        for ours, other in (("normalized_mutual_information", "normalized_mutual_info_score"),
                            ("adjusted_rand_index", "adjusted_rand_score")):
            rivals = {"aelearn": lambda: getattr(metrics, ours)(classes, clusters)}
            if "sklearn.metrics" in found:
                rivals["peer"] = lambda: getattr(found["sklearn.metrics"], other)(classes, clusters)
            if name == "independent":
                compare(table, ours, rivals)
    for name, cost in costs():
        rivals = {"aelearn": lambda: cost[metrics.linear_assignment(cost)].sum()}
        if "scipy.optimize" in found:
            rivals["peer"] = lambda: cost[found["scipy.optimize"].linear_sum_assignment(cost)].sum()
        compare(table, f"linear_assignment, {name}", rivals)
    if table.speedups:
        table.notes.append(f"peer / aelearn: geometric mean {geometric_mean(table.speedups.values()):.2f}, "
                           f"least {min(table.speedups.values()):.2f}")
    rng, n = np.random.default_rng(0), 1_000_000
    for name, classes, clusters in (("each sample alone in both", np.arange(n), rng.permutation(n)),
                                    ("a million independent names in both", *rng.integers(0, n, (2, n))),
                                    ("each alone, against 10 classes", np.arange(n) % 10, rng.permutation(n))):
        for score in (metrics.adjusted_rand_index, metrics.normalized_mutual_information, metrics.purity,
                      metrics.accuracy):
            table.notes.append(f"{n:,} samples, {name}: {score.__name__} {cost_of(score, classes, clusters)}")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


def cost_of(score, classes, clusters):
    """Seconds of one call, and the most memory that arrays took in another: measuring it takes time."""
    begun = time.perf_counter()
    score(classes, clusters)
    seconds = time.perf_counter() - begun
    tracemalloc.start()
    score(classes, clusters)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{seconds:.2f} s, {most / 1e6:.0f} MB"


if __name__ == "__main__":
    main(run)
