"""Sparse codes of 1,000 images and dictionaries of all 11,623, compared with scikit-learn's.

    python -m tests.benchmarks.sparse_coding [--json FILE] [--picture FILE]

Codes are compared with sparse_encode, on one dictionary of images; a time counts only if the objective agrees within
1e-6 (lasso, for which `fista` needs a tol of 1e-5) or 1e-4 (OMP). Dictionaries: `fit` with its defaults is compared
with one pass of MiniBatchDictionaryLearning, which reaches about the same objective. The table has the objectives of
1,000 images, coded to convergence on either dictionary; a time counts only if ours is at most 1.02 times theirs. Fits
are timed once, after one that is not timed, so they have no spread. Notes say where the time of a fit goes.
"""

import cProfile
import pstats
import sys
import warnings

import numpy as np

from aelearn import SparseCoding, load_mnist
from aelearn.sparse_coding.dictionary_learning import objective, random_atoms
from aelearn.sparse_coding.ista import fista
from aelearn.sparse_coding.matching_pursuit import omp
from tests.benchmarks.harness import Table, main, peers, race

ATOMS, ALPHA, N_NONZERO, PASSES, CODED = (64, 256), 1.0, 10, 1, 1000


def codes_of(X, dictionary, decomposition):
    """{algorithm: (alpha of its objective, {name: function that gives codes (N, K)})}."""
    lasso = {"aelearn": lambda: fista(X, dictionary, ALPHA, tol=1e-5)}
    pursuit = {"aelearn": lambda: omp(X, dictionary, N_NONZERO)}
    if decomposition:
        encode = decomposition.sparse_encode
        for name in ("lasso_cd", "lasso_lars"):
            lasso[name] = lambda name=name: encode(X, dictionary, algorithm=name, alpha=ALPHA)
        pursuit["omp"] = lambda: encode(X, dictionary, algorithm="omp", n_nonzero_coefs=N_NONZERO)
    return {"FISTA, lasso": (ALPHA, lasso), "OMP": (0.0, pursuit)}


def race_of_codes(X, k, decomposition, table):
    """Rows of the table for the codes on one dictionary of k images."""
    dictionary = random_atoms(X, k, np.random.default_rng(0))  # (K, D)
    for algorithm, (alpha, rivals) in codes_of(X, dictionary, decomposition).items():
        values = {name: objective(X, dictionary, encode(), alpha) for name, encode in rivals.items()}
        near = 1e-6 if alpha else 1e-4
        assert all(abs(value / values["aelearn"] - 1) < near for value in values.values()), values
        times = race(rivals, rounds=3)
        add_row(table, f"codes by {algorithm}, K = {k}", times, {name: values[name] for name in rivals})


def race_of_fits(X, k, decomposition, table):
    """A row for whole fits with each update; and notes on where the time of ours goes."""
    rivals = {f"aelearn, {update}": lambda update=update: SparseCoding(k, alpha=ALPHA, update=update,
                                                                      random_state=0).fit(X)
              for update in ("mod", "ksvd")}
    if decomposition:
        rivals["mini-batches"] = lambda: decomposition.MiniBatchDictionaryLearning(
            k, alpha=ALPHA, max_iter=PASSES, tol=0, max_no_improvement=None, random_state=0).fit(X)
    values = {}
    for name, fit in rivals.items():
        atoms = fit().components_  # (K, D)
        atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)  # (K, D)
        values[name] = objective(X[:CODED], atoms, fista(X[:CODED], atoms, ALPHA), ALPHA)
    times = race(rivals, rounds=1)
    for update in ("mod", "ksvd"):
        own = f"aelearn, {update}"
        others = [name for name in rivals if not name.startswith("aelearn")]
        assert all(values[own] <= 1.02 * values[name] for name in others), values
        add_row(table, f"fit, {update}, K = {k}", {"aelearn": times[own], **{name: times[name] for name in others}},
                {"aelearn": values[own], **{name: values[name] for name in others}})
        table.notes.append(f"fit, {update}, K = {k}: {where_the_time_goes(rivals[own])}")


def add_row(table, what, times, values):
    """The times of all, and their objectives beside ours."""
    others = {name: timing.median for name, timing in times.items() if name != "aelearn"}
    ratio = min(others.values()) / times["aelearn"].median if others else None
    cells = [f"{name} {times[name]}, {values[name] / values['aelearn']:.6f}" for name in others]
    table.rows.append([what, times["aelearn"], "; ".join(cells) or "not installed", f"{ratio:.2f}" if ratio else "-"])
    if ratio:
        table.speedups[what] = ratio


def where_the_time_goes(fit):
    """The shares of the steps of a fit, as a sentence."""
    profile = cProfile.Profile()
    profile.runcall(fit)
    stats = pstats.Stats(profile)
    shares = {name: seconds for (_, _, name), (_, _, _, seconds, _) in stats.stats.items()
              if name in ("descend", "mod", "ksvd", "objective", "replace_unused", "random_atoms")}
    return ", ".join(f"{name} {100 * seconds / stats.total_tt:.0f} %" for name, seconds in
                     sorted(shares.items(), key=lambda item: -item[1]))


def run():
    """Sparse coding against scikit-learn: codes on one dictionary, and whole fits."""
    X = load_mnist("train", digits=(0, 1))[0]  # (N, D)
    decomposition = peers("sklearn.decomposition").get("sklearn.decomposition")
    table = Table(f"Sparse coding (codes of {CODED:,} images, fits to all {len(X):,}), alpha = {ALPHA:g}, OMP with "
                  f"{N_NONZERO} atoms, float32",
                  ["what", "aelearn", "scikit-learn, its objective / ours", "best rival / aelearn"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rivals, on convergence and ill conditions
        for k in ATOMS:
            race_of_codes(X[:CODED], k, decomposition, table)
            race_of_fits(X, k, decomposition, table)
    if decomposition:
        table.notes.append(f"scikit-learn {sys.modules['sklearn'].__version__}")
    return table


if __name__ == "__main__":
    main(run)
