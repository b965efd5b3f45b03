"""EM for a mixture of Gaussians compared with scikit-learn, per iteration.

    python -m tests.benchmarks.gaussian_mixture [--json FILE] [--picture FILE]

Both start from the same weights, means and precisions, and do the same number of iterations, without a tolerance. A
time counts only if the likelihood and the means agree: within 1e-6 for float64, within 1e-3 for float32, in which
scikit-learn computes; aelearn computes in float64 and rounds at the end.
"""

import sys
import warnings

import numpy as np

from aelearn import GaussianMixture, KMeans, load_mnist
from aelearn.mixture.covariances import shape_of
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race

N_COMPONENTS = 8
CASES = [("digits", "full", np.float64, 2), ("digits", "full", np.float32, 2), ("digits", "tied", np.float64, 2),
         ("digits", "diag", np.float64, 5), ("digits", "diag", np.float32, 5),
         *(("blobs", kind, dtype, 5) for kind in ("full", "tied", "diag", "spherical")
           for dtype in (np.float64, np.float32))]


def data(name, dtype):
    """X (N, D): the zeros and ones of MNIST (11,623 x 784), or 16 blobs that overlap (100,000 x 16)."""
    if name == "digits":
        return load_mnist("train", digits=(0, 1), dtype=dtype)[0]
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(16, 16))
    return (middles[rng.integers(0, 16, 100_000)] + rng.normal(size=(100_000, 16))).astype(dtype)  # (N, D)


def settings_for(X, kind, n_iter):
    """A start that both take: the centres of a short k-means, equal weights, and the mean variance everywhere."""
    n_features, dtype = X.shape[1], X.dtype
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        means = KMeans(N_COMPONENTS, max_iter=5, random_state=0).fit(X).cluster_centers_  # (K, D)
    ones = np.eye(n_features) if kind in ("full", "tied") else 1.0
    precisions = np.broadcast_to(ones / X.var(), shape_of(kind, N_COMPONENTS, n_features)).astype(dtype)
    return {"covariance_type": kind, "reg_covar": 1e-3, "tol": 0, "max_iter": n_iter, "means_init": means,
            "weights_init": np.full(N_COMPONENTS, 1 / N_COMPONENTS, dtype), "precisions_init": precisions}


def run():
    """EM against scikit-learn's: seconds of a whole fit."""
    table = Table("EM for a mixture of 8 Gaussians", ["N x D", "covariances", "dtype", "iterations", "aelearn",
                                                      "scikit-learn", "scikit-learn / aelearn"])
    found = peers("sklearn.mixture")
    for name, kind, dtype, n_iter in CASES:
        X = data(name, dtype)
        settings = settings_for(X, kind, n_iter)
        rivals = {"aelearn": lambda: GaussianMixture(N_COMPONENTS, **settings).fit(X)}
        if found:
            rivals["scikit-learn"] = lambda: found["sklearn.mixture"].GaussianMixture(N_COMPONENTS, **settings).fit(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # both stop on the way
            models = {rival: fit() for rival, fit in rivals.items()}
            agree = [rival for rival, model in models.items() if _agree(model, models["aelearn"], X.dtype)]
            times = race({rival: rivals[rival] for rival in agree}, rounds=5, budget=30)
        ratio = times["scikit-learn"].median / times["aelearn"].median if "scikit-learn" in times else None
        size, short = f"{len(X):,} x {X.shape[1]}", X.dtype.name
        if ratio:
            table.speedups[f"EM {size}, {kind}, {short}"] = ratio
        table.rows.append([size, kind, short, n_iter, times["aelearn"],
                           times.get("scikit-learn", "another answer" if found else "not installed"),
                           f"{ratio:.2f}" if ratio else "-"])
        print("| " + " | ".join(map(str, table.rows[-1])) + " |", file=sys.stderr, flush=True)
    if table.speedups:
        table.notes.append(f"scikit-learn / aelearn: geometric mean {geometric_mean(table.speedups.values()):.2f}, "
                           f"least {min(table.speedups.values()):.2f}")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


def _agree(model, other, dtype):
    tolerance = 1e-6 if dtype == np.float64 else 1e-3
    return (abs(model.lower_bound_ - other.lower_bound_) <= tolerance * abs(other.lower_bound_)
            and np.allclose(model.means_, other.means_, rtol=tolerance, atol=tolerance))


if __name__ == "__main__":
    main(run)
