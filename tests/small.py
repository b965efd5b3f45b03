"""A small autoencoder, when two of them are the same, and small cases: for several test modules."""

import numba
import numpy as np

from aelearn import PCA, Autoencoder, GaussianMixture, KernelDensity, KMeans, SparseCoding, SpectralClustering


def quick(**settings):
    """A small autoencoder that is trained in a blink."""
    return Autoencoder(**{"hidden_layer_sizes": (16, 3), "epochs": 4, "random_state": 0, **settings})


def same_parameters(a, b):
    return all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)


def rounding(n_terms, size=1.0, dtype=np.float64):
    """The most that two ways to add n_terms products of this size in all can differ by: (n + 2) eps on either side."""
    return 2 * (n_terms + 2) * np.finfo(dtype).eps * np.max(size)


def extreme_rows(rng, dtype, n_features=3):
    """Ordinary rows with rows of sizes up to the ends of the dtype between them, (24, D)."""
    sizes = [1e38, 3e38, 1e19, 1e9, 1e5, 1e-9, 1e-38] if dtype == np.float32 else [
        1.7e308, 1e300, 1e150, 1e101, 1e20, 1e9, 1e5, 1e-9, 1e-300]
    X = rng.normal(size=(24, n_features))
    rows = X[:2 * len(sizes):2]
    rows[...] = rows / np.abs(rows).max(axis=1, keepdims=True) * np.array(sizes)[:, None]
    return X.astype(dtype)


def assert_rows_stand_alone(function, X, rtol, atol=0.0):
    """function(X) says of each row what it says of the row by itself; rtol is what other blocks of rows may round off.
    No entry is NaN."""
    together, alone = function(X), np.concatenate([function(x[None]) for x in X])
    assert not np.isnan(together).any()
    np.testing.assert_allclose(together, alone, rtol=rtol, atol=max(atol, np.finfo(X.dtype).tiny))


def affordable(cases, work):
    """The cases whose work(*case) is small enough for plain Python, if NUMBA_DISABLE_JIT is set; else all of them."""
    return [case for case in cases if not numba.config.DISABLE_JIT or work(*case) <= 5_000]


def every_estimator():
    """A small one of each estimator, and of each way through one: name -> estimator, not fitted."""
    return {
        "Autoencoder": Autoencoder((3, 2), epochs=3, batch_size=8, random_state=0),
        "Autoencoder numpy": Autoencoder((3, 2), epochs=3, optimizer="momentum", backend="numpy", dtype=np.float64,
                                         random_state=0),
        "KMeans": KMeans(2, random_state=0),
        "KMeans hamerly": KMeans(3, algorithm="hamerly", backend="numpy", n_init=2, random_state=0),
        "PCA": PCA(2),
        "PCA covariance_eigh": PCA(2, svd_solver="covariance_eigh", whiten=True),
        "SparseCoding": SparseCoding(5, alpha=0.1, max_iter=3, random_state=0),
        "SparseCoding omp": SparseCoding(5, algorithm="omp", update="ksvd", n_nonzero_coefs=2, max_iter=3,
                                         random_state=0),
        "GaussianMixture": GaussianMixture(2, random_state=0),
        "GaussianMixture diag": GaussianMixture(2, covariance_type="diag", init_params="random", random_state=0),
        "KernelDensity": KernelDensity(),
        "KernelDensity leave-one-out": KernelDensity("leave-one-out", kernel="epanechnikov"),
        "SpectralClustering": SpectralClustering(2, gamma=0.5, n_init=2, random_state=0),
        "SpectralClustering landmarks": SpectralClustering(2, n_landmarks=10, n_init=2, random_state=0),
        "SpectralClustering neighbors": SpectralClustering(2, affinity="nearest_neighbors", n_init=2, random_state=0),
    }


ROW_METHODS = ("predict", "transform", "score_samples", "predict_proba", "reconstruct")  # an answer for each row
