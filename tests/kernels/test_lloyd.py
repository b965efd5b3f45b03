"""The compiled k-means against its NumPy twin: the same labels, the same sums, the same bits on any number of cores."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aelearn import KMeans
from aelearn.kernels import cpu
from aelearn.kmeans import hamerly, lloyd, seeding
from tests.kernels.threads import outputs, run


def assert_same_step(X, centers, weight=None):
    got, wanted = cpu.lloyd_step(X, centers, weight), lloyd.lloyd_step(X, centers, weight)
    assert np.array_equal(got[0], wanted[0]) and got[0].dtype == np.int32
    size = np.abs(X.astype(float)).max()
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-9, atol=1e-12 * size)
    np.testing.assert_allclose(got[2], wanted[2], rtol=1e-12)
    assert got[3] == pytest.approx(wanted[3], rel=1e-10, abs=1e-25 * size**2)
    weight = np.ones(len(X)) if weight is None else weight
    labels, inertia = cpu.assign(X, centers, weight)
    assert np.array_equal(labels, wanted[0]) and inertia == pytest.approx(got[3], rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 16, 17, 31, 128, 784])
def test_a_step_is_its_twins(rng, d, dtype):
    for n in (1, 2, 31, 255, 256, 257, 513, 5000 if d < 100 else 1500):
        X, weight = rng.normal(size=(n, d)).astype(dtype), rng.integers(0, 4, n).astype(float)
        for k in (1, 2, 3, 8, 33):
            centers = rng.normal(size=(k, d))
            assert_same_step(X, centers)
            assert_same_step(X, centers.astype(dtype), weight)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [2, 40, 300])
@pytest.mark.parametrize("offset, scale", [(1e6, 1), (0, 1e30), (0, 1e-30), (-3e4, 1e-2), (1e6, 1e-3)])
def test_far_from_the_origin_and_of_any_size(rng, d, dtype, offset, scale):
    X = (rng.normal(size=(1500, d)) * scale + offset).astype(dtype)
    assert_same_step(X, X[:7].astype(float) + rng.normal(size=(7, d)) * scale * 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_go_to_the_lower_number(rng, dtype):
    X = rng.integers(0, 3, (2000, 4)).astype(dtype)
    assert_same_step(X, rng.integers(0, 3, (20, 4)).astype(float))  # many exact ties, and centres that are the same
    assert_same_step(np.zeros((700, 300), dtype), np.ones((5, 300)))


def test_points_on_the_border_to_within_rounding(rng):
    """Float32 alone cannot tell on which side of the border these points lie."""
    centers = rng.normal(size=(2, 20))
    middle, across = centers.mean(axis=0), rng.normal(size=(3000, 20))
    normal = (centers[1] - centers[0]) / np.linalg.norm(centers[1] - centers[0])
    across -= (across @ normal)[:, None] * normal
    assert_same_step((middle + across + 1e-7 * rng.normal(size=(3000, 1)) * normal).astype(np.float32), centers)


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X[::-1], lambda X: np.hstack([X, X])[:, ::2],
], ids=["Fortran", "every second", "backwards", "columns"])
def test_any_layout(rng, change):
    X = change(rng.normal(size=(3000, 6)).astype(np.float32))
    X.flags.writeable = False
    assert_same_step(X, X[:5] + 0.1, rng.random(3000))
    weight = np.ones(3000)
    for seed in range(3):
        assert np.array_equal(cpu.kmeans_plusplus(X, 6, weight, np.random.default_rng(seed)),
                              seeding.kmeans_plusplus(X, 6, weight, np.random.default_rng(seed)))


def fits(X, k, weight=None, **settings):
    """The model of every back end and algorithm, from one start; plain NumPy first."""
    start = X[np.random.default_rng(5).choice(len(X), k, replace=False)]
    settings = {"init": start, "tol": 0, "max_iter": 100, **settings}
    return [KMeans(k, backend=backend, algorithm=algorithm, **settings).fit(X, sample_weight=weight)
            for backend in ("numpy", "numba") for algorithm in ("lloyd", "hamerly", "auto")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, d, k, weighted", [(3000, 3, 8, False), (3000, 20, 33, True), (700, 300, 10, False),
                                               (513, 1, 2, True), (40, 2, 40, False), (100, 5, 1, False)])
def test_every_algorithm_goes_the_same_way(rng, n, d, k, weighted, dtype):
    X = (rng.normal(size=(n, d)) + 2 * rng.integers(0, 3, (n, 1))).astype(dtype)
    weight = rng.integers(0, 3, n) * rng.random(n) if weighted else None
    first, *others = fits(X, k, weight)
    for model in others:
        assert np.array_equal(model.labels_, first.labels_) and model.n_iter_ == first.n_iter_
        np.testing.assert_allclose(model.history_, first.history_, rtol=1e-9, atol=1e-20)
        assert model.inertia_ == pytest.approx(first.inertia_, rel=1e-9, abs=1e-20)
        assert (np.diff(model.history_) <= 0).all()


def test_clusters_that_become_empty_on_the_way(rng):
    X = np.concatenate([rng.normal(size=(300, 2)) + center for center in ([0, 0], [9, 0], [0, 9])])
    start = np.array([[0.0, 0], [1, 1], [200, 200], [-300, 5], [9, 9], [400, 400]])
    first, *others = fits(X, 6, init=start)
    assert all(np.array_equal(model.labels_, first.labels_) and model.n_iter_ == first.n_iter_ for model in others)
    assert np.bincount(first.labels_).min() > 0


def test_bounds_hold_however_the_centres_jump(rng):
    X = rng.normal(size=(2500, 9)).astype(np.float32)
    bounded, twin = cpu.Descent(X, None, "hamerly"), hamerly.Descent(X, np.ones(len(X)))
    centers = rng.normal(size=(7, 9))
    for _ in range(25):
        centers = centers + rng.normal(size=(7, 9)) * rng.choice([0, 1e-9, 1e-3, 0.1, 3], size=(7, 1))
        wanted = lloyd.lloyd_step(X, centers)
        for descent in (bounded, twin):
            means, weights, inertia, _ = descent.step(centers)
            assert np.array_equal(descent.labels, wanted[0]) and np.array_equal(weights, wanted[2])
            np.testing.assert_allclose(means, wanted[1], rtol=1e-9, atol=1e-12)
            assert inertia == pytest.approx(wanted[3], rel=1e-11)


def test_a_heavy_point_that_leaves_takes_no_digits_with_it():
    X = np.array([[0.0], [1.0], [2.0], [30.0]])
    descent = cpu.Descent(X, np.array([1e-3, 1.0, 1e25, 1.0]))
    for centers in (np.array([[0.0], [30.0]]), np.array([[-3.0], [5.0]])):
        means, weights, _, _ = descent.step(centers)
        wanted = lloyd.lloyd_step(X, centers, descent.weight)
        np.testing.assert_allclose(means, wanted[1], rtol=1e-12)
        np.testing.assert_allclose(weights, wanted[2], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (40, 2, 40), (3000, 3, 8), (2000, 50, 20)])
def test_kmeans_plusplus_makes_the_same_draws(rng, n, d, k, dtype):
    X, weight = rng.normal(size=(n, d)).astype(dtype), rng.integers(0, 3, n) + 0.5
    for seed in range(5):
        ours, twin = np.random.default_rng(seed), np.random.default_rng(seed)
        assert np.array_equal(cpu.kmeans_plusplus(X, k, weight, ours), seeding.kmeans_plusplus(X, k, weight, twin))
        assert ours.random() == twin.random()


BITS = """
import hashlib, numpy as np
from aelearn import KMeans
rng = np.random.default_rng(0)
for n, d, k, algorithm in ((9000, 3, 8, "lloyd"), (9000, 3, 8, "hamerly"), (4000, 40, 12, "auto")):
    X = rng.normal(size=(n, d)).astype(np.float32)
    model = KMeans(k, algorithm=algorithm, random_state=0).fit(X, sample_weight=rng.random(n))
    parts = (model.cluster_centers_, model.labels_, model.history_, np.float64(model.inertia_))
    print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
"""


def test_any_number_of_threads_gives_the_same_bits():
    assert len(set(outputs(BITS, (1, 2, 4)))) == 1


def test_kernels_run_as_plain_python_for_a_debugger():
    code = """
import numpy as np
from aelearn.kernels import cpu
from aelearn.kmeans import lloyd, seeding
X, weight = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32), np.ones(60)
got, wanted = cpu.lloyd_step(X, X[:4]), lloyd.lloyd_step(X, X[:4])
assert np.array_equal(got[0], wanted[0]) and np.allclose(got[1], wanted[1])
descent = cpu.Descent(X, weight, "hamerly")
for _ in range(3):
    means = descent.step(X[:4].astype(float) if _ == 0 else means)[0]
draws = [f(X, 4, weight, np.random.default_rng(1)) for f in (cpu.kmeans_plusplus, seeding.kmeans_plusplus)]
assert np.array_equal(*draws)
print(type(cpu.lloyd_step).__name__, "done")
"""
    assert run(code, NUMBA_DISABLE_JIT="1") == "function done\n"


def fit_labels(seed):
    X = np.random.default_rng(seed).normal(size=(3000, 3)).astype(np.float32)
    return KMeans(5, random_state=0).fit_predict(X)


def test_threads_may_fit_at_once():
    wanted = [fit_labels(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(a, b) for a, b in zip(pool.map(fit_labels, range(8)), wanted))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_may_fit():
    code = """
import os
from tests.kernels.test_lloyd import fit_labels
wanted = fit_labels(0)
child = os.fork()
if child == 0:
    os._exit(0 if (fit_labels(0) == wanted).all() else 1)
print(os.waitpid(child, 0)[1])
"""
    assert run(code) == "0\n"


def test_a_large_memory_map_is_never_copied(tmp_path):
    code = f"""
import resource, tracemalloc, numpy as np
from aelearn import KMeans
path = {str(tmp_path / "x")!r}
out = np.memmap(path, dtype=np.float32, mode="w+", shape=(4_000_000, 24))
for start in range(0, len(out), 100_000):
    out[start:start + 100_000] = np.random.default_rng(start).random((100_000, 24), dtype=np.float32)
del out
X = np.memmap(path, dtype=np.float32, mode="r", shape=(4_000_000, 24))
KMeans(3, max_iter=1, random_state=0).fit(X[:5000])
tracemalloc.start()
model = KMeans(3, max_iter=2, random_state=0).fit(X)
print(tracemalloc.get_traced_memory()[1] - model.labels_.nbytes)
"""
    assert int(run(code)) < 64 << 20
