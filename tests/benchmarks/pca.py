"""PCA compared with scikit-learn's, with its default solver and with svd_solver="full".

    python -m tests.benchmarks.pca [--json FILE] [--picture FILE]

A time counts only if the variances agree within a thousandth.
"""

import sys

import numpy as np

from aelearn import PCA, load_mnist
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race


def data_sets():
    """(name, X, C): all zeros and ones of MNIST, and 100,000 samples of 16 correlated features."""
    rng = np.random.default_rng(0)
    images = load_mnist("train", digits=(0, 1))[0]  # (N, D) float32
    samples = rng.normal(size=(100_000, 16)) @ rng.normal(size=(16, 16))  # (N, D) float64
    for n_components in (3, 8, None):
        yield "digits", images, n_components
    yield "samples", samples, 8
    yield "samples", samples.astype(np.float32), 8


def rivals_for(X, n_components, method, found):
    """{name: function that fits and returns the estimator}, aelearn's first."""
    def rival(kind, solver):
        def fit():
            model = kind(n_components, svd_solver=solver)
            getattr(model, method)(X)
            return model
        return fit

    rivals = {"aelearn": rival(PCA, "auto"), "aelearn full": rival(PCA, "full")}
    for module in found.values():
        rivals.update({"scikit-learn": rival(module.PCA, "auto"), "scikit-learn full": rival(module.PCA, "full")})
    return rivals


def run():
    """PCA against its rival: fit and fit_transform."""
    names = ["aelearn", "scikit-learn", "aelearn full", "scikit-learn full"]
    table = Table("Principal components", ["X", "C", "method", *names, "scikit-learn / aelearn", "full / full"])
    found = peers("sklearn.decomposition")
    for what, X, n_components in data_sets():
        for method in ("fit", "fit_transform"):
            rivals = rivals_for(X, n_components, method, found)
            variances = {name: function().explained_variance_[:8] for name, function in rivals.items()}  # (8,) or (3,)
            agree = [name for name in rivals if np.allclose(variances[name], variances["aelearn"], rtol=1e-3)]
            times = race({name: rivals[name] for name in agree}, rounds=7, budget=15)
            ratios = []
            for ours, theirs in (names[:2], names[2:]):
                ratios.append(times[theirs].median / times[ours].median if {ours, theirs} <= set(times) else None)
            size = f"{what} {len(X):,} x {X.shape[1]}, {X.dtype}"
            if ratios[0]:
                table.speedups[f"PCA {method}, {size}, {n_components or 'all'}"] = ratios[0]
            cells = [times.get(name, "other variances" if name in rivals else "not installed") for name in names]
            table.rows.append([size, n_components or "all", method, *cells,
                               *(f"{ratio:.2f}" if ratio else "-" for ratio in ratios)])
    if table.speedups:
        table.notes.append(f"scikit-learn / aelearn: geometric mean {geometric_mean(table.speedups.values()):.2f}, "
                           f"least {min(table.speedups.values()):.2f}")
    table.notes.append("full works in float64 here, in X's dtype there")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


if __name__ == "__main__":
    main(run)
