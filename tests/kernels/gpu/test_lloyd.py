"""K-means on the GPU against its NumPy twin: the same labels, sums and draws, and the same bits each time."""

import itertools

import numpy as np
import pytest

from aelearn import KMeans
from aelearn.kernels import gpu
from aelearn.kernels.gpu import device, lloyd as gpu_lloyd
from aelearn.kmeans import lloyd, seeding
from tests.kernels.test_exact import assert_same, lattices, models, nearest

pytestmark = pytest.mark.gpu
SIZES = (1, 15, 16, 17, 33)


def assert_same_step(X, centers, weight=None):
    got, wanted = gpu.lloyd_step(X, centers, weight), lloyd.lloyd_step(X, centers, weight)
    assert np.array_equal(got[0], wanted[0]) and got[0].dtype == np.int32
    size = np.abs(X.astype(float)).max()
    digits = 1e-6 if X.dtype == np.float32 else 1e-12  # each term is rounded to the dtype; their sum is not
    np.testing.assert_allclose(got[1], wanted[1], rtol=digits, atol=digits * size)
    np.testing.assert_allclose(got[2], wanted[2], rtol=1e-12)
    assert got[3] == pytest.approx(wanted[3], rel=digits, abs=1e-13 * size**2)
    labels, inertia = gpu.assign(X, centers, np.ones(len(X)) if weight is None else weight)
    assert np.array_equal(labels, wanted[0]) and inertia == got[3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d, k", list(itertools.product(SIZES, (1, 7, 8, 9, 15))))
def test_a_step_is_its_twins(rng, d, k, dtype, monkeypatch):
    decide = gpu_lloyd.Descent._decide

    def decide_few(self, centers):
        assert np.count_nonzero(self.labels < 0) <= 2  # it is the kernel that finds the labels, not the host
        return decide(self, centers)

    monkeypatch.setattr(gpu_lloyd.Descent, "_decide", decide_few)
    other = SIZES[(SIZES.index(d) + k) % 5]  # over all k, every size meets every d
    for n in (other, 33) if dtype == np.float32 else (other,):
        assert_same_step(rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(k, d)))


@pytest.mark.parametrize("n", [1, 127, 128, 129, 300])
def test_blocks_and_chunks(rng, n, monkeypatch):
    X, weight = rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 4, n).astype(float)
    weight[0] = 1
    assert_same_step(X, rng.normal(size=(4, 3)), weight)
    monkeypatch.setattr(gpu_lloyd, "MAX_CHUNKS", 1)
    monkeypatch.setattr(gpu_lloyd, "SUMS_ENTRIES", 1)
    monkeypatch.setattr(gpu_lloyd.Points, "chunks", lambda self, n_numbers: (256, -(-len(self.X) // 256)))
    assert_same_step(X, rng.normal(size=(4, 3)), weight)
    doubtful = 1 + 1e-12 * rng.normal(size=(4, 3))  # all the same to float32: the sums are taken again
    assert_same_step(X, doubtful, weight)


@pytest.mark.parametrize("n, n_numbers", [(1, 10), (11_623, 10), (10**7, 10), (10**7, 10**7), (60_000, 7_850)])
def test_chunks_cover_all_points(n, n_numbers):
    points = gpu_lloyd.Points(np.ones((1, 1)))
    points.X = np.broadcast_to(np.float32(0), (n, 1))
    size, n_chunks = points.chunks(n_numbers)
    assert size % 128 == 0 and (n_chunks - 1) * size < n <= n_chunks * size
    assert n_chunks <= 32 or n_chunks * n_numbers <= gpu_lloyd.SUMS_ENTRIES


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset, scale", [(1e6, 1), (0, 1e30), (0, 1e-30), (-3e4, 1e-2), (1e6, 1e-3)])
def test_far_from_the_origin_and_of_any_size(rng, dtype, offset, scale):
    X = (rng.normal(size=(70, 3)) * scale + offset).astype(dtype)
    assert_same_step(X, X[:5].astype(float) + rng.normal(size=(5, 3)) * scale * 0.1)


def test_weights_that_float32_cannot_hold(rng):
    X, weight = rng.normal(size=(50, 2)).astype(np.float32), rng.random(50)
    assert_same_step(X, X[:3].astype(float), weight)
    assert_same_step(X, X[:3].astype(float), 1e60 * weight)


def test_ties_go_to_the_lower_number(rng):
    X = rng.integers(0, 3, (130, 2)).astype(np.float32)
    assert_same_step(X, rng.integers(0, 3, (20, 2)).astype(float))


def test_on_a_lattice_it_goes_the_way_of_the_others(rng):
    for X, k, start, weight in lattices(rng, 25, most=20):
        assert_same(models(X, k, start, weight, routes=(("numpy", "lloyd"), ("cuda", "lloyd")), max_iter=6))


@pytest.mark.parametrize("offset", [0, 1e4])
def test_points_closer_to_the_border_than_float32_can_tell(rng, offset):
    X = (rng.normal(size=(60, 3)) + offset).astype(np.float32)
    centers = X[:2].astype(float) + rng.normal(size=(2, 3)) / 3
    centers = np.concatenate([centers, 2 * X[2:5] - centers[:1], np.nextafter(2 * X[2:5] - centers[:1], 0)])  # (8, 3)
    assert np.array_equal(gpu.assign(X, centers)[0], nearest(X, centers))
    assert_same_step(X, centers)


def test_one_pass_an_iteration_where_nothing_is_in_doubt(rng, monkeypatch):
    passes, launch = [], device.launch
    monkeypatch.setattr(device, "launch", lambda kernel, *rest: (passes.append(kernel), launch(kernel, *rest)))
    X = np.array([[0.0], [1], [4], [9]], np.float32)
    for centers in ([[0.0], [9]], [[9.0], [0]], [[0.0], [2]], [[2.0], [0]]):  # two with a tie, decided right
        passes.clear()
        gpu.lloyd_step(X, np.array(centers))
        assert passes.count(gpu_lloyd.pass_over) == 1
    passes.clear()
    labels = gpu.lloyd_step(X, np.array([[1.0 + 1e-12], [1.0]]))[0]  # all are in doubt, and float32 chose the first
    assert passes.count(gpu_lloyd.pass_over) == 2 and labels.tolist() == [1, 1, 0, 0]


def test_far_centres(rng):
    X, far = rng.normal(size=(20, 2)).astype(np.float32), np.array([[0, 0], [1e15, 0], [0.5, 0.5], [-1e18, 1e15]])
    assert np.array_equal(gpu.assign(X, far, None)[0], lloyd.assign(X, far, np.ones(20))[0])
    with pytest.raises(ValueError, match="centres lie more than 1e.18 times as far .* float32 .* use X of float64"):
        gpu.assign(X, 1e6 * far, None)
    far *= 1e80
    assert np.array_equal(gpu.assign(X.astype(float), far, None)[0], lloyd.assign(X, far, np.ones(20))[0])


@pytest.mark.parametrize("weight, size", [(2.0**110, 1e3), (1e-40, 1e-5), (7.5e-37, 1), (0.1, 1e6)])
def test_weights_of_any_size(rng, weight, size):
    X = (size * rng.normal(size=(40, 2))).astype(np.float32)
    assert_same_step(X, X[:3].astype(float), np.full(40, weight))
    assert_same_step(X, X[:3].astype(float), weight * rng.integers(1, 4, 40).astype(np.float32).astype(float))
    twins = [function(X, 4, weight * np.arange(1.0, 41), np.random.default_rng(1))
             for function in (gpu.kmeans_plusplus, seeding.kmeans_plusplus)]
    assert np.array_equal(*twins)


def test_weights_far_apart(rng):
    X = rng.normal(size=(40, 2)).astype(np.float32)
    assert_same_step(X, X[:3].astype(float), 2.0 ** rng.integers(-100, 100, 40))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda X: X[::-1], lambda X: np.hstack([X, X])[:, ::2]],
                         ids=["Fortran", "backwards", "columns"])
def test_any_layout(rng, layout, monkeypatch):
    monkeypatch.setattr(gpu_lloyd, "PIECE_ENTRIES", 40)
    X = layout(rng.normal(size=(30, 4)).astype(np.float32))
    X.flags.writeable = False
    assert_same_step(X, X[:3] + 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (9, 2, 9), (150, 3, 3)])
def test_kmeans_plusplus_makes_the_same_draws(rng, n, d, k, dtype):
    X, weight = rng.normal(size=(n, d)).astype(dtype), rng.integers(0, 3, n) + 0.5
    for seed in range(2 if n < 100 else 1):
        ours, twin = np.random.default_rng(seed), np.random.default_rng(seed)
        assert np.array_equal(gpu.kmeans_plusplus(X, k, weight, ours), seeding.kmeans_plusplus(X, k, weight, twin))
        assert ours.random() == twin.random()


@pytest.mark.parametrize("settings, weighted", [({}, False), ({"init": "random", "n_init": 2}, False), ({}, True)])
def test_a_whole_fit_is_the_cpus(rng, settings, weighted):
    X = (rng.normal(size=(140, 2)) + 4 * rng.integers(0, 3, (140, 1))).astype(np.float32)
    weight = rng.integers(0, 3, 140).astype(float) if weighted else None
    settings = {"max_iter": 3, "random_state": 0, **settings}
    first, again, twin = (KMeans(2, backend=backend, **settings).fit(X, sample_weight=weight)
                          for backend in ("cuda", "cuda", "numpy"))
    assert np.array_equal(first.labels_, twin.labels_) and first.n_iter_ == twin.n_iter_
    np.testing.assert_allclose(first.history_, twin.history_, rtol=1e-6)
    np.testing.assert_allclose(first.cluster_centers_, twin.cluster_centers_, atol=1e-6)
    assert first.inertia_ == again.inertia_ and np.array_equal(first.cluster_centers_, again.cluster_centers_)
    assert np.array_equal(first.history_, again.history_)
    assert np.array_equal(first.predict(X[:50]), twin.predict(X[:50]))


def test_clusters_that_become_empty_on_the_way(rng):
    X = np.concatenate([rng.normal(size=(40, 2)) + center for center in ([0, 0], [9, 0], [0, 9])])
    start = np.array([[0.0, 0], [1, 1], [200, 200], [-300, 5], [9, 9], [400, 400]])
    ours, twin = (KMeans(6, init=start, max_iter=4, tol=0, backend=name).fit(X) for name in ("cuda", "numpy"))
    assert np.array_equal(ours.labels_, twin.labels_) and np.bincount(ours.labels_).min() > 0


def test_partial_fit_is_the_cpus(rng):
    X = rng.normal(size=(60, 3))
    ours, twin = (KMeans(3, init=X[:3], backend=name) for name in ("cuda", "numpy"))
    for batch in (X[:30], X[30:40], X[40:]):
        ours.partial_fit(batch), twin.partial_fit(batch)
        assert np.array_equal(ours.labels_, twin.labels_) and np.array_equal(ours.counts_, twin.counts_)
        np.testing.assert_allclose(ours.cluster_centers_, twin.cluster_centers_, rtol=1e-6)


def test_x_goes_to_the_device_once_and_little_comes_back(rng, monkeypatch):
    X, sent, fetched = rng.normal(size=(200, 4)), [], []
    fill, download = device.fill, device.download
    monkeypatch.setattr(device, "fill", lambda there, array: (sent.append(array.size), fill(there, array)))
    monkeypatch.setattr(device, "download", lambda there: (fetched.append(there.size), download(there))[1])
    KMeans(3, init="random", n_init=3, max_iter=3, tol=0, random_state=0, backend="cuda").fit(X)
    assert sent.count(X.size) == 1
    sums = 2 * (3 + 3 * 5)  # inertia, moves, doubts, and of each cluster four sums and a weight: all of them pairs
    assert set(fetched) == {sums, 200} and fetched.count(200) == 3  # labels once a start


def test_hamerly_is_refused():
    with pytest.raises(ValueError, match="algorithm='hamerly' keeps bounds, which backend='cuda' does not"):
        KMeans(2, algorithm="hamerly", backend="cuda").fit(np.eye(3))
    assert KMeans(2, algorithm="auto", backend="cuda", random_state=0).fit(np.eye(3)).n_iter_ >= 1
