"""Which of two centres is nearer, against rational arithmetic; and what follows: every back end goes the same way."""

import warnings
from fractions import Fraction

import numba
import numpy as np
import pytest

from aelearn import KMeans, kernels
from aelearn.kernels import cpu, exact
from aelearn.kernels.cpu import exact as compiled
from aelearn.kmeans import lloyd
from tests.kernels.threads import run

ROUTES = [("numpy", "lloyd"), ("numpy", "hamerly"), ("numba", "lloyd"), ("numba", "hamerly"), ("numba", "auto")]


def squared(x, c):
    """|x - c|^2 as a fraction."""
    return sum((Fraction(float(a)) - Fraction(float(b))) ** 2 for a, b in zip(x, c))


def nearest(X, centers):
    """Labels (N,) by exact arithmetic, the lower number where two centres are as near."""
    distances = [[squared(x, c) for c in centers] for x in X]
    return np.array([row.index(min(row)) for row in distances])


@numba.njit
def compiled_is_nearer(x, a, b):
    return compiled.is_nearer(x, a, b)


def test_a_product_in_two_parts_is_exact(rng):
    a, b = rng.normal(size=(2, 1000)) * 10.0 ** rng.integers(-60, 60, (2, 1000))
    products, rests = exact.two_product(a, b)
    assert np.array_equal(products, a * b) and rests.any()
    for *factors, product, rest in zip(a, b, products, rests):
        assert Fraction(factors[0]) * Fraction(factors[1]) == Fraction(product) + Fraction(rest)


@pytest.mark.parametrize("seed", range(4))
def test_nearer_is_what_fractions_say(seed):
    """Points halfway between two centres, exactly or off by a unit in the last place, of sizes from 1e-300 to 1e300."""
    rng, n_ties = np.random.default_rng(seed), 0
    for _ in range(500):
        d, size = rng.integers(1, 7), 10.0 ** rng.integers(-290, 290)
        x, a = rng.integers(1, 7, d) * size, rng.integers(1, 18, d) / 3 * size
        b = rng.choice([2 * x - a, a, rng.integers(1, 18, d) / 3 * size, x + rng.permutation(x - a)], axis=0)
        if rng.random() < 0.5:
            a = np.nextafter(a, rng.choice([0, np.inf]))
        wanted = squared(x, a) < squared(x, b)
        n_ties += squared(x, a) == squared(x, b)
        assert exact.is_nearer(*(array[None] for array in (x, a, b)))[0] == wanted
        assert compiled_is_nearer(x, a, b) == wanted
    assert n_ties > 20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_labels_of_points_a_unit_in_the_last_place_off_the_border(rng, dtype, offset):
    X = (rng.integers(0, 6, (300, 3)) + offset).astype(dtype)
    centers = X[:2].astype(float) + rng.integers(-3, 4, (2, 3)) / 3
    centers = np.concatenate([centers, 2 * X[2:5] - centers[:1], np.nextafter(2 * X[2:5] - centers[:1], 0)])  # (8, 3)
    wanted = nearest(X, centers)
    assert np.array_equal(lloyd.assign(X, centers)[0], wanted)
    assert np.array_equal(cpu.assign(X, centers)[0], wanted)


def models(X, k, start, weight=None, routes=ROUTES, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicates
        return [KMeans(k, init=start, tol=0, backend=backend, algorithm=algorithm, **settings)
                .fit(X, sample_weight=weight) for backend, algorithm in routes]


def assert_same(found):
    first, *others = found
    for model in others:
        assert np.array_equal(model.labels_, first.labels_) and model.n_iter_ == first.n_iter_
        assert np.array_equal(model.cluster_centers_, first.cluster_centers_)


def test_the_tie_of_the_issue():
    """Two points are as near to both centres at first, and again to the means (14/3, 7/3) and (10/3, 13/3)."""
    X = np.array([[4.0, 2], [2, 5], [5, 1], [3, 3], [5, 4], [5, 5]])
    found = models(X, 2, X[[0, 3]])
    assert_same(found)
    assert all(model.inertia_ == pytest.approx(38 / 3) for model in found)


def lattices(rng, n_cases, most=30):
    """Integers 0 to 5 of few features, near 0 and far from it, with duplicates, some with integer weights."""
    for _ in range(n_cases):
        d, k = rng.integers(1, 5), int(rng.integers(2, 7))
        n = rng.integers(k, most)
        X = (rng.integers(0, 6, (n, d)) + rng.choice([0, 0, 1000, -7])).astype(rng.choice([np.float32, np.float64]))
        weight = np.maximum(rng.integers(0, 4, n), np.arange(n) == 0) if rng.random() < 0.5 else None
        start = X[rng.choice(n, k, replace=False)].astype(float)
        yield X, k, start if rng.random() < 0.7 else start + rng.integers(-1, 2, (k, d)) / 2, weight


@pytest.mark.parametrize("seed", range(5))
def test_on_a_lattice_every_route_goes_the_same_way(seed):
    n_cases = 200 if not numba.config.DISABLE_JIT else 5
    for case, (X, k, start, weight) in enumerate(lattices(np.random.default_rng(seed), n_cases)):
        found = models(X, k, start, weight)
        assert_same(found)
        if case % 10 == 0:
            assert np.array_equal(found[0].labels_, nearest(X, found[0].cluster_centers_))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_on_a_lattice_are_rounded_once(rng, dtype):
    """Sums of integers are exact, so each mean is the float64 nearest to the true one."""
    X, weight = rng.integers(0, 50, (3000, 3)).astype(dtype), rng.integers(0, 5, 3000).astype(float)
    centers = X[:6].astype(float)
    labels, means, _, _ = lloyd.lloyd_step(X, centers, weight)
    for k in range(6):
        own = labels == k
        for d in range(3):
            total = sum(int(w) * int(x) for w, x in zip(weight[own], X[own, d]))
            assert means[k, d] == float(Fraction(total, int(weight[own].sum())))
    assert np.array_equal(cpu.lloyd_step(X, centers, weight)[1], means)
    assert np.array_equal(lloyd.update(X, centers, weight, labels)[0], means)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("n, d, k, offset", [(700, 2, 8, 0), (900, 17, 12, 1e4), (300, 300, 5, 0), (900, 16, 40, 1)])
def test_bounds_change_no_bit(rng, backend, n, d, k, offset):
    X = (rng.normal(size=(n, d)) + 2 * rng.integers(0, 3, (n, 1)) + offset).astype(np.float32)
    weight = rng.random(n)
    first, *others = [KMeans(k, random_state=0, tol=0, backend=backend, **algorithm).fit(X, sample_weight=weight)
                      for algorithm in ({"algorithm": "lloyd"}, {"algorithm": "hamerly"}, {})]  # {}: the default
    assert_same([first, *others])
    assert all(np.array_equal(model.history_, first.history_) and model.inertia_ == first.inertia_ for model in others)


@pytest.mark.parametrize("change", [lambda X: np.where(X == 0, -0.0, X), lambda X: X * 2.0**-1060,
                                    lambda X: X * 2.0**1000], ids=["-0", "denormal", "huge"])
def test_zeros_with_a_sign_denormal_and_huge_numbers(rng, change):
    X = rng.integers(0, 4, (40, 2)).astype(float)
    plain, changed = models(X, 3, X[:3]), models(change(X), 3, change(X[:3]))
    assert_same(changed)
    assert np.array_equal(plain[0].labels_, changed[0].labels_)


def test_a_centre_twice_and_points_all_the_same(rng):
    for X in (np.full((20, 3), 0.1), np.repeat(rng.normal(size=(3, 2)), 7, axis=0), np.arange(6.0)[:, None]):
        found = models(X, 6, X[:6])
        assert_same(found)
        assert np.array_equal(found[0].labels_, nearest(X, found[0].cluster_centers_))


def test_exactness_is_asked_for_seldom(monkeypatch):
    """On ordinary data no point is in doubt, so the exact way costs nothing."""
    X = np.random.default_rng(0).normal(size=(2000, 4))
    monkeypatch.setattr(lloyd, "nearest_of", lambda *args: pytest.fail("a point without a tie was in doubt"))
    KMeans(8, backend="numpy", random_state=0).fit(X)
    assert kernels.exact.doubt(4) < 1e-14


WIDE = """
import numpy as np
from aelearn import kernels
def side(rng):
    digits = rng.choice([-1, 1], 100) * rng.choice([1.0, 3, 0.1, 1 / 3, 2**-30 + 1], 100)
    return digits * 10.0**-rng.uniform(0, 300, 100)
for seed in (7, 8, 9):
    rng = np.random.default_rng(seed)
    u, v, w = side(rng), side(rng), side(rng)
    u[0] = 1
    labels, _ = kernels.get("numba").assign(np.r_[w, w][None], np.stack([np.r_[u, v], np.r_[v, u]]))
    print(labels[0])
"""


def test_sums_of_many_columns_over_hundreds_of_decades_have_room():
    """Exact sums of more than 64 parts; without the compiler, because then Python looks at every index."""
    assert run(WIDE, NUMBA_DISABLE_JIT="1") == run(WIDE)
