"""Kernel densities at all samples, compared with scikit-learn's tree (with its default tolerances) and SciPy.

    python -m tests.benchmarks.kernel_density [--json FILE] [--picture FILE]

Each call fits N samples and computes the log density at each of them. The data are whitened first, so that the same
bandwidth means the same to all three; SciPy has only Gaussian kernels. A time counts only if the log densities agree
within 1e-8.
"""

import sys
import time

import numpy as np

from aelearn import Autoencoder, KernelDensity, load_mnist, make_blobs
from tests.benchmarks.harness import Table, geometric_mean, main, peers, race

TIMES_SCOTT = {"gaussian": (1.0,), "epanechnikov": (0.2, 1.0, 3.0)}  # bandwidths, as multiples of Scott's


def data():
    """{name: X}: the codes of all zeros and ones after 20 epochs, (11623, 3), and blobs (20000, 2), whitened."""
    images = load_mnist("train", digits=(0, 1))[0]  # (N, 784)
    codes = Autoencoder((128, 3), epochs=20, random_state=0).fit(images).transform(images)  # (N, 3)
    blobs = make_blobs(20_000, centers=5, random_state=0)[0]  # (N, 2)
    return {f"{what}, {len(X):,} x {X.shape[1]}": whitened(X) for what, X in (("codes", codes), ("blobs", blobs))}


def whitened(X):
    """X (N, D), float64, with the identity as its covariance."""
    X = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)  # (N, D)
    return np.linalg.solve(np.linalg.cholesky(np.cov(X.T)), X.T).T


def rivals_for(X, h, kernel, found):
    """{name: function that fits and returns the log densities (N,)}, aelearn's first."""
    rivals = {"aelearn": lambda: KernelDensity(h, kernel=kernel).fit(X).score_samples(X)}
    if "sklearn.neighbors" in found:
        other = found["sklearn.neighbors"].KernelDensity
        rivals["scikit-learn"] = lambda: other(bandwidth=h, kernel=kernel).fit(X).score_samples(X)
    if "scipy.stats" in found and kernel == "gaussian":
        rivals["SciPy"] = lambda: found["scipy.stats"].gaussian_kde(X.T, bw_method=h).logpdf(X.T)
    return rivals


def run():
    """Kernel densities against their rivals, and the time that leave-one-out takes."""
    names = ["aelearn", "scikit-learn", "SciPy"]
    table = Table("Fit, and log densities at all samples, float64",
                  ["data", "kernel", "bandwidth / Scott's", *names, "best rival / aelearn"])
    found = peers("sklearn.neighbors", "scipy.stats")
    for name, X in data().items():
        scott = len(X) ** (-1 / (X.shape[1] + 4))
        for kernel, multiples in TIMES_SCOTT.items():
            for times_scott in multiples:
                rivals = rivals_for(X, times_scott * scott, kernel, found)
                values = {rival: function() for rival, function in rivals.items()}
                agree = {rival for rival in rivals if np.allclose(values[rival], values["aelearn"], 1e-8, 1e-8)}
                times = race({rival: rivals[rival] for rival in rivals if rival in agree}, rounds=2)
                others = [times[rival].median for rival in times if rival != "aelearn"]
                ratio = min(others) / times["aelearn"].median if others else None
                if ratio and times_scott == 1:
                    table.speedups[f"{kernel} kernels, {name}"] = ratio
                cells = [times.get(rival, "other values" if rival in rivals else "-") for rival in names]
                table.rows.append([name, kernel, times_scott, *cells, f"{ratio:.2f}" if ratio else "-"])
            started = time.perf_counter()
            KernelDensity("leave-one-out", kernel=kernel).fit(X)
            table.notes.append(f"leave-one-out, {kernel} kernels, {name}: {time.perf_counter() - started:.2g} s")
    if table.speedups:
        table.notes.append(f"best rival / aelearn at Scott's bandwidth: geometric mean "
                           f"{geometric_mean(table.speedups.values()):.2f}, least {min(table.speedups.values()):.2f}")
    table.notes += [f"{name} {sys.modules[name.split('.')[0]].__version__}" for name in found]
    return table


if __name__ == "__main__":
    main(run)
