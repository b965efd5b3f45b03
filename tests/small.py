"""Small test cases for several test modules: a small autoencoder, when two of them are equal, one of each estimator."""

import numba
import numpy as np

from aelearn import (
    PCA,
    Autoencoder,
    DeepClustering,
    GaussianMixture,
    KernelDensity,
    KMeans,
    SparseCoding,
    SpectralClustering,
)


def quick(**settings):
    """A small autoencoder that trains quickly."""
    return Autoencoder(**{"hidden_layer_sizes": (16, 3), "epochs": 4, "random_state": 0, **settings})


def same_parameters(a, b):
    return all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)


def rounding(n_terms, size=1.0, dtype=np.float64):
    """A bound on the difference between two ways of adding n_terms products of total size `size`: (n + 2) eps each."""
    return 2 * (n_terms + 2) * np.finfo(dtype).eps * np.max(size)


def extreme_rows(rng, dtype, n_features=3):
    """Ordinary rows, mixed with rows whose sizes go up to the limits of the dtype, (24, D)."""
    sizes = [1e38, 3e38, 1e19, 1e9, 1e5, 1e-9, 1e-38] if dtype == np.float32 else [
        1.7e308, 1e300, 1e150, 1e101, 1e20, 1e9, 1e5, 1e-9, 1e-300]
    X = rng.normal(size=(24, n_features))
    rows = X[:2 * len(sizes):2]
    rows[...] = rows / np.abs(rows).max(axis=1, keepdims=True) * np.array(sizes)[:, None]
    return X.astype(dtype)


def assert_rows_stand_alone(function, X, rtol, atol=0.0):
    """Check that function(X) gives each row the same result as the row alone, up to rtol: blocks of rows may round
    differently. No entry may be NaN."""
    together, alone = function(X), np.concatenate([function(x[None]) for x in X])
    assert not np.isnan(together).any()
    np.testing.assert_allclose(together, alone, rtol=rtol, atol=max(atol, np.finfo(X.dtype).tiny))


def affordable(cases, work):
    """If NUMBA_DISABLE_JIT is set, the cases whose work(*case) is small enough for plain Python; else all of them."""
    return [case for case in cases if not numba.config.DISABLE_JIT or work(*case) <= 5_000]


def every_estimator():
    """One small estimator of each kind, and of each of its algorithms: name -> estimator, not fitted."""
    return {
        "Autoencoder": Autoencoder((3, 2), epochs=3, batch_size=8, random_state=0),
        "Autoencoder numpy": Autoencoder((3, 2), epochs=3, optimizer="momentum", backend="numpy", dtype=np.float64,
                                         random_state=0),
        "KMeans": KMeans(2, random_state=0),
        "KMeans hamerly": KMeans(3, algorithm="hamerly", backend="numpy", n_init=2, random_state=0),
        "DeepClustering": DeepClustering(2, hidden_layer_sizes=(3, 2), pretraining_epochs=2, epochs=2,
                                         update_interval=2, batch_size=8, start="k-means", tol=0.0, random_state=0),
        "DeepClustering numpy": DeepClustering(2, hidden_layer_sizes=(3, 2), pretraining_epochs=2, epochs=2,
                                               update_interval=2, batch_size=8, start="k-means", reconstruction=False,
                                               gamma=1.0, backend="numpy", dtype=np.float64, random_state=0),
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


ROW_METHODS = ("predict", "transform", "score_samples", "predict_proba", "reconstruct")  # one result for each row
