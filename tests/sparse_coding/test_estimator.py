"""Codes by shrinking and by pursuit, dictionaries by MOD and K-SVD, and the estimator that takes them in turn."""

import warnings
from itertools import combinations

import numpy as np
import pytest

from aelearn import SparseCoding
from aelearn.core.validation import NotFittedError
from aelearn.sparse_coding.dictionary_learning import ksvd, mod, objective, random_atoms, replace_unused, unit
from aelearn.sparse_coding.ista import descend, fista, ista, ista_step, soft_threshold, value_and_gap
from aelearn.sparse_coding.matching_pursuit import omp, pursue
from tests.small import assert_rows_stand_alone, extreme_rows, rounding

pytestmark = pytest.mark.linear_algebra

VARIANTS = [{"algorithm": "fista", "update": "mod"}, {"algorithm": "ista", "update": "ksvd"},
            {"algorithm": "fista", "update": "ksvd"}, {"algorithm": "omp", "n_nonzero_coefs": 2, "update": "mod"},
            {"algorithm": "omp", "n_nonzero_coefs": 2, "update": "ksvd"}]


@pytest.fixture(params=VARIANTS, ids=lambda variant: f"{variant['algorithm']}-{variant['update']}")
def variant(request):
    return request.param


def problem(rng, n=60, d=12, k=20, dtype=np.float64):
    """Samples (N, D) and a dictionary (K, D)."""
    return rng.normal(size=(n, d)).astype(dtype) * 3, unit(rng.normal(size=(k, d))).astype(dtype)


def parts(X, dictionary):
    """What `value_and_gap` wants to know of X and the dictionary."""
    return X @ dictionary.T, (X * X).sum(axis=1), dictionary @ dictionary.T


def longest_step(dictionary):
    return 1 / np.linalg.eigvalsh(dictionary @ dictionary.T)[-1]


# codes by shrinking

def test_soft_threshold_by_hand():
    z = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    assert soft_threshold(z, 1.0).tolist() == [-2, 0, 0, 0, 0, 0, 2]
    assert np.array_equal(soft_threshold(z, 0.0), z) and not soft_threshold(z, 9.0).any()


def step_of_the_equation(x, z, dictionary, alpha, step):
    """Downhill on the square, then the soft threshold."""
    return soft_threshold(z + step * (x - z @ dictionary) @ dictionary.T, step * alpha)


def test_a_step_is_a_layer(rng):
    x, dictionary = problem(rng, 7)
    z, alpha, step = rng.normal(size=(7, 20)), 0.8, longest_step(dictionary)
    W, R = step * dictionary.T, np.eye(20) - step * dictionary @ dictionary.T
    wanted = step_of_the_equation(x, z, dictionary, alpha, step)
    np.testing.assert_allclose(ista_step(x @ W, z, R, step * alpha), wanted,
                               atol=rounding(12 + 20, np.abs(x).sum() + np.abs(z).sum()))


@pytest.mark.parametrize("encode", [ista, fista])
def test_what_is_taught_is_what_runs(rng, encode, monkeypatch):
    X, dictionary = problem(rng)
    steps = []
    monkeypatch.setattr("aelearn.sparse_coding.ista.ista_step",
                        lambda *args: (steps.append(len(args[0])), ista_step(*args))[1])
    encode(X, dictionary, 0.1, max_iter=25, tol=0)
    assert steps == [60] * 25


@pytest.mark.parametrize("accelerated", [False, True])
def test_the_steps_taken_are_those_of_the_equation(rng, accelerated):
    """Five steps from given codes, which lower f for every sample; FISTA's momentum written out."""
    X, dictionary = problem(rng)
    start, alpha, step = rng.normal(size=(60, 20)) * 9, 0.8, longest_step(dictionary)
    z, y, t = start, start, 1.0
    for _ in range(5):
        z_new = step_of_the_equation(X, y, dictionary, alpha, step)
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        y, z, t = z_new + accelerated * (t - 1) / t_new * (z_new - z), z_new, t_new
    codes = start.copy()
    descend(X, dictionary, alpha, codes, max_iter=5, tol=0, accelerated=accelerated)
    np.testing.assert_allclose(codes, z, atol=5 * 3 * rounding(12 + 20, np.abs(start).sum(axis=1)))  # momentum < 3


def test_orthonormal_atoms_by_hand():
    """There the code is the soft threshold of the products, in one step."""
    X, dictionary = np.array([[3.0, -0.5, -2.0], [0.2, 0.0, 7.0]]), np.eye(3)[[2, 0, 1]]
    for encode in (ista, fista):
        assert encode(X, dictionary, 1.0).tolist() == [[-1, 2, 0], [6, 0, 0]]


@pytest.mark.parametrize("encode", [ista, fista])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_direction_leads_down_from_the_codes(rng, encode, dtype):
    """The optimality conditions: |q_k| <= alpha, and q_k = alpha sign(z_k) where z_k is not 0; q = r @ dictionary.T."""
    X, dictionary = problem(rng, dtype=dtype)
    codes = encode(X, dictionary, 1.5, max_iter=20_000, tol=1e-6 if dtype == np.float32 else 1e-12)
    q = (X - codes @ dictionary) @ dictionary.T
    slack = 1e-2 if dtype == np.float32 else 1e-4
    assert codes.dtype == dtype and 0 < (codes != 0).mean() < 0.6
    assert np.abs(q).max() < 1.5 + slack and np.abs(q - 1.5 * np.sign(codes))[codes != 0].max() < slack


def test_the_bound_holds(rng):
    X, dictionary = problem(rng)
    lowest = value_and_gap(fista(X, dictionary, 1.0, max_iter=50_000, tol=1e-13), *parts(X, dictionary), 1.0)[0]
    for codes in (np.zeros((60, 20)), rng.normal(size=(60, 20)), ista(X, dictionary, 1.0, max_iter=20)):
        value, gap = value_and_gap(codes, *parts(X, dictionary), 1.0)
        assert value.sum() == pytest.approx(objective(X, dictionary, codes, 1.0), rel=rounding(60 + 32))
        assert (value - gap <= lowest * (1 + 1e-10)).all() and (gap >= 0).all()
    assert (value - lowest <= gap).all() and gap.max() < value.max()


@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_codes_are_as_good_as_promised(rng, tol):
    X, dictionary = problem(rng)
    lowest = value_and_gap(fista(X, dictionary, 1.0, max_iter=50_000, tol=1e-13), *parts(X, dictionary), 1.0)[0]
    for encode in (ista, fista):
        value = value_and_gap(encode(X, dictionary, 1.0, max_iter=50_000, tol=tol), *parts(X, dictionary), 1.0)[0]
        assert (value <= lowest * (1 + tol) / (1 - tol)).all()


def test_momentum_saves_steps(rng):
    X, dictionary = problem(rng, 200, 30, 60)
    slow, fast = (objective(X, dictionary, encode(X, dictionary, 0.1, max_iter=60, tol=0), 0.1)
                  for encode in (ista, fista))
    lowest = objective(X, dictionary, fista(X, dictionary, 0.1, max_iter=5000, tol=1e-8), 0.1)
    assert fast - lowest < (slow - lowest) / 5


@pytest.mark.parametrize("accelerated", [False, True])
def test_codes_only_get_better(rng, accelerated):
    X, dictionary = problem(rng)
    codes = rng.normal(size=(60, 20))
    value = value_and_gap(codes, *parts(X, dictionary), 1.0)[0]
    for max_iter in (1, 3, 7, 10, 23):
        descend(X, dictionary, 1.0, codes, max_iter=max_iter, tol=0, accelerated=accelerated)
        value, before = value_and_gap(codes, *parts(X, dictionary), 1.0)[0], value
        assert (value <= before).all()


def test_momentum_that_led_uphill_begins_again(rng):
    """Without that, FISTA swings past the lowest point again and again: there, this gap is 0.05."""
    X, dictionary = problem(rng)
    codes = fista(X, dictionary, 0.5, max_iter=300, tol=1e-15)
    assert value_and_gap(codes, *parts(X, dictionary), 0.5)[1].sum() < 1e-3


def test_the_best_codes_seen_are_kept(rng):
    """FISTA goes uphill at times, by half a percent here; a later look never gives worse codes than an earlier one."""
    X, dictionary = problem(rng)
    earlier = (X * X).sum(axis=1) / 2  # f of codes of zeros
    for max_iter in range(1, 150):
        codes = np.zeros((60, 20))
        descend(X, dictionary, 0.05, codes, max_iter=max_iter, tol=0, accelerated=True)
        value = value_and_gap(codes, *parts(X, dictionary), 0.05)[0]
        assert (value <= earlier + rounding(32, np.square(X).sum(axis=1))).all()
        earlier = value if max_iter % 10 == 0 else earlier


def test_penalties_at_both_ends(rng):
    X, dictionary = problem(rng)
    dearest = np.abs(X @ dictionary.T).max()
    for encode in (ista, fista):
        assert not encode(X, dictionary, dearest).any() and not encode(X, dictionary, 1e300).any()
        assert encode(X, dictionary, 0.99 * dearest).any()
    free = fista(X, dictionary, 0, max_iter=3000)  # 20 atoms span all 12 features
    np.testing.assert_allclose(free @ dictionary, X, atol=1e-6)


# codes by pursuit

def plain_omp(x, dictionary, n_nonzero):
    """One sample, as the definition has it."""
    taken, z = [], np.zeros(len(dictionary))
    while len(taken) < n_nonzero:
        taken.append(int(np.abs((x - z @ dictionary) @ dictionary.T).argmax()))
        z[taken] = np.linalg.lstsq(dictionary[taken].T, x, rcond=None)[0]
    return z


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_omp_is_its_definition(rng, dtype):
    X, dictionary = problem(rng, dtype=dtype)
    for n_nonzero in (1, 2, 5):
        codes = omp(X, dictionary, n_nonzero)
        wanted = [plain_omp(x.astype(float), dictionary.astype(float), n_nonzero) for x in X]
        np.testing.assert_allclose(codes, wanted, atol=1e-5 if dtype == np.float32 else 1e-10)
        assert codes.dtype == dtype and ((codes != 0).sum(axis=1) == n_nonzero).all()


def test_omp_finds_the_atoms_that_made_a_sample(rng):
    dictionary = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    codes = np.zeros((40, 30))
    for row in codes:
        row[rng.choice(30, 4, replace=False)] = rng.normal(size=4) + 2
    np.testing.assert_allclose(omp(codes @ dictionary, dictionary, 4), codes, atol=1e-12)
    np.testing.assert_allclose(omp(codes @ dictionary, dictionary, 9), codes, atol=1e-12)  # and stops there


def test_omp_with_two_atoms_is_nearly_the_best_pair(rng):
    X, dictionary = problem(rng, 20, 6, 9)
    codes = omp(X, dictionary, 2)
    for x, z in zip(X, codes):
        errors = [np.linalg.lstsq(dictionary[list(pair)].T, x, rcond=None)[1][0] for pair in combinations(range(9), 2)]
        ours = ((x - z @ dictionary) ** 2).sum()
        assert min(errors) - 1e-9 <= ours <= max(errors)


def test_atoms_that_are_nearly_the_same_are_not_both_taken():
    """Their difference has few digits, and codes of 1e8 and -1e8 would explain rounding."""
    for gap in (1e-13, 1e-9, 1e-8, 1e-7):
        dictionary = unit(np.array([[1.0, 0.2, 0.7], [1.0, 0.2 + gap, 0.7]]))
        codes = omp(np.array([[3.0, 1.0, 1.0], [2.0, -1.0, 0.0]]), dictionary, 2)
        assert np.abs(codes).max() < 4 and (np.count_nonzero(codes, axis=1) == 1).all()


def test_omp_keeps_codes_that_are_better(rng):
    X, dictionary = problem(rng)
    codes = omp(X, dictionary, 5)
    kept = codes.copy()
    pursue(X, dictionary, 2, codes)
    assert np.array_equal(codes, kept)


@pytest.mark.parametrize("encode", [lambda X, d: fista(X, d, 0.5, tol=1e-8), lambda X, d: ista(X, d, 0.5, tol=1e-8),
                                    lambda X, d: omp(X, d, 3)], ids=["fista", "ista", "omp"])
def test_zero_samples_and_twin_atoms(rng, encode):
    """A twin adds nothing: together they stand for what one of them did."""
    X, dictionary = problem(rng, 10, 5, 3)
    X[3] = 0
    codes, single = encode(X, dictionary[[0, 1, 2, 1, 0, 2]]), encode(X, dictionary)
    np.testing.assert_allclose(codes[:, :3] + codes[:, [4, 3, 5]], single, atol=1e-3)
    assert not codes[3].any() and np.abs(single).max() > 1


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_codes_grow_with_the_samples(rng, scale):
    X, dictionary = problem(rng)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(omp(X * scale, dictionary, 3), omp(X, dictionary, 3) * scale, rtol=1e-9)
        wanted = fista(X, dictionary, 1.0, tol=1e-9) * scale
        np.testing.assert_allclose(fista(X * scale, dictionary, scale, tol=1e-9), wanted, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_code_depends_on_its_row_alone(rng, dtype):
    """Two runs of a descent may round apart and end within tol of the lowest f: codes within sqrt(tol) of another."""
    X, dictionary = extreme_rows(rng, dtype), unit(rng.normal(size=(3, 3))).astype(dtype)
    for encode in (fista, ista):
        assert_rows_stand_alone(lambda x: encode(x, dictionary, 0.1), X, rtol=1e-2)
    assert_rows_stand_alone(lambda x: omp(x, dictionary, 2), X, rtol=64 * np.finfo(dtype).eps)
    model = SparseCoding(3, alpha=0.1, random_state=0).fit(rng.normal(size=(30, 3)).astype(dtype))
    assert_rows_stand_alone(model.transform, X, rtol=1e-2)
    assert_rows_stand_alone(model.inverse_transform, X / 4, rtol=64 * np.finfo(dtype).eps)  # sums stay within the dtype
    ordinary = X[1::2]
    np.testing.assert_allclose(fista(X, dictionary, 0.1)[1::2], fista(ordinary, dictionary, 0.1), rtol=1e-2)
    assert fista(ordinary, dictionary, 0.1).any(axis=1).all()


@pytest.mark.parametrize("encode", [ista, fista])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_more_steps_are_taken_than_rounding_allows(rng, encode, dtype, monkeypatch):
    """With tol=0, a code is finished when its gap is rounding; not after a million steps."""
    X, dictionary = problem(rng, dtype=dtype, k=8)
    looks = []
    monkeypatch.setattr("aelearn.sparse_coding.ista.value_and_gap",
                        lambda *args: (looks.append(len(args[0])), value_and_gap(*args))[1])
    codes = encode(X, dictionary, 1.0, max_iter=1_000_000, tol=0)
    assert len(looks) < 1000 and looks[-1] < len(X)
    X, dictionary = X.astype(float), dictionary.astype(float)
    lowest, codes = fista(X, dictionary, 1.0, max_iter=50_000, tol=1e-13), codes.astype(float)
    worse = np.subtract(*(value_and_gap(z, *parts(X, dictionary), 1.0)[0] for z in (codes, lowest)))
    assert (worse <= 10 * np.sqrt(20) * np.finfo(dtype).eps * (X * X).sum(axis=1)).all()


# dictionaries

def dense_problem(rng, dtype=np.float64):
    """Samples, a dictionary and codes on it with many zeros."""
    X, dictionary = problem(rng, dtype=dtype)
    codes = np.where(rng.random((60, 20)) < 0.3, rng.normal(size=(60, 20)), 0).astype(dtype)
    return X, codes, dictionary


def test_mod_is_least_squares_at_length_1(rng):
    X, codes, dictionary = dense_problem(rng)
    best = np.linalg.lstsq(codes, X, rcond=None)[0]
    new_codes = codes.copy()
    new = mod(X, new_codes, dictionary)
    np.testing.assert_allclose(new, unit(best), atol=1e-10)
    np.testing.assert_allclose(new_codes @ new, codes @ best, atol=1e-10)


@pytest.mark.parametrize("alpha", [0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("update", [mod, ksvd, lambda *a: ksvd(*a, n_power=3)], ids=["mod", "ksvd", "ksvd3"])
def test_an_update_never_raises_the_objective(rng, update, alpha, dtype):
    X, codes, dictionary = dense_problem(rng, dtype)
    codes[:, 4] = 0  # nobody uses atom 4
    codes[:, 6] = 2 * codes[:, 5]  # least squares cannot tell these two apart
    values = [objective(X, dictionary, codes, alpha)]
    for _ in range(8):
        dictionary = update(X, codes, dictionary, alpha)
        values.append(objective(X, dictionary, codes, alpha))
        np.testing.assert_allclose(np.linalg.norm(dictionary, axis=1), 1, rtol=1e-5)
        assert dictionary.dtype == codes.dtype == dtype
    assert (np.diff(values) <= 1e-6 * values[0]).all() and values[-1] < 0.99 * values[0]


def test_ksvd_is_the_first_singular_pair(rng):
    """One atom, after many turns of the power method; the others as they are when its turn comes."""
    X, codes, dictionary = dense_problem(rng)
    users = codes[:, 0] != 0
    E = X[users] - codes[users, 1:] @ dictionary[1:]
    u, s, vt = np.linalg.svd(E, full_matrices=False)
    new_codes, two = codes[users], dictionary[:]
    new = ksvd(X[users], new_codes, two, n_power=2000)
    # only the first atom saw the others unchanged; its column is not touched again
    assert abs(new[0] @ vt[0]) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(np.outer(new_codes[:, 0], new[0]), s[0] * np.outer(u[:, 0], vt[0]), atol=1e-4)
    assert ((new_codes != 0) <= (codes[users] != 0)).all()  # zeros stay zeros


def test_unused_atoms_become_what_is_left_of_the_worst_samples(rng):
    X, codes, dictionary = dense_problem(rng)
    codes[:, [4, 9]] = 0
    residual = X - codes @ dictionary
    worst = np.argsort(-(residual ** 2).sum(axis=1))[:2]
    new = replace_unused(X, codes, dictionary)
    np.testing.assert_allclose(new[[4, 9]], unit(residual[worst]))
    assert objective(X, new, codes) == objective(X, dictionary, codes)
    assert np.array_equal(np.delete(new, [4, 9], axis=0), np.delete(dictionary, [4, 9], axis=0))
    assert np.array_equal(replace_unused(np.zeros_like(X), 0 * codes, dictionary), dictionary)  # nothing is left


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_no_direction_for_an_atom(rng, dtype):
    """Where all is explained, what is left is rounding: unused atoms stay, and K-SVD's do."""
    X, codes, dictionary = dense_problem(rng, dtype)
    codes[:, [4, 9]] = 0
    X = (codes.astype(float) @ dictionary.astype(float)).astype(dtype)
    assert np.array_equal(replace_unused(X, codes, dictionary), dictionary)
    before = dictionary.copy()
    explained = (codes[:, 1:].astype(float) @ dictionary[1:].astype(float)).astype(dtype)  # without the first
    assert np.array_equal(ksvd(explained, codes.copy(), dictionary)[0], before[0])


def test_first_atoms_are_different_samples(rng):
    X = rng.normal(size=(9, 4))
    X[5] = 0
    atoms = random_atoms(X, 12, rng)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1)
    nearest = np.abs(atoms[:8] @ unit(np.delete(X, 5, axis=0)).T)
    np.testing.assert_allclose(nearest.max(axis=1), 1)
    assert sorted(nearest.argmax(axis=1)) == list(range(8))


# the estimator

def strokes(rng, n=300, dtype=np.float64):
    """Samples made of two of ten hidden atoms each, with noise, and those atoms (10, 16)."""
    atoms = unit(rng.normal(size=(10, 16)))
    codes = np.zeros((n, 10))
    for row in codes:
        row[rng.choice(10, 2, replace=False)] = rng.choice([-1, 1], 2) * (2 + rng.random(2))
    return (codes @ atoms + 0.01 * rng.normal(size=(n, 16))).astype(dtype), atoms


@pytest.mark.parametrize("update", ["mod", "ksvd"])
def test_hidden_atoms_are_found(rng, update):
    X, atoms = strokes(rng)
    best = max((SparseCoding(10, algorithm="omp", n_nonzero_coefs=2, update=update, max_iter=60, tol=0,
                             random_state=seed).fit(X) for seed in range(4)), key=lambda m: -m.history_[-1])
    assert (np.abs(atoms @ best.components_.T).max(axis=1) > 0.99).sum() >= 9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 7, 40])
@pytest.mark.parametrize("alpha", [0, 0.3, 1e6])
def test_the_objective_never_rises(rng, variant, k, alpha, dtype):
    X = strokes(rng, 90, dtype)[0]
    X[:3] = 0
    X[3:6] = X[6]
    variant = {**variant, "n_nonzero_coefs": 1} if k == 1 else variant
    model = SparseCoding(k, alpha=alpha, max_iter=12, tol=0, transform_max_iter=100, random_state=0, **variant).fit(X)
    assert len(model.history_) == model.n_iter_ and (np.diff(model.history_) <= 0).all()
    assert model.components_.dtype == dtype and model.components_.shape == (k, 16)
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1, rtol=1e-5)
    codes = model.transform(X)
    assert codes.dtype == dtype and codes.shape == (90, k) and np.isfinite(codes).all()
    if alpha == 1e6 and variant["algorithm"] != "omp":
        assert not codes.any() and model.history_[-1] == pytest.approx((X.astype(float) ** 2).sum() / 2, rel=1e-6)


@pytest.mark.parametrize("update", ["mod", "ksvd"])
def test_no_atom_is_left_unused_while_anything_is_left(rng, update):
    X = rng.normal(size=(40, 8))
    X[5:] = X[0]  # most of the first atoms are this one
    model = SparseCoding(5, algorithm="omp", n_nonzero_coefs=1, update=update, tol=0, random_state=0).fit(X)
    assert model.history_[0] > 1 and model.history_[-1] < 1e-20 and model.transform(X).any(axis=0).all()


def test_a_round_that_rounding_makes_worse_is_taken_back(rng, monkeypatch):
    X = strokes(rng)[0]
    wanted = SparseCoding(10, max_iter=3, tol=0, random_state=0).fit(X)
    values = iter([4.0, 3.0, 2.0, 2.5, 1.0])
    monkeypatch.setattr("aelearn.sparse_coding.estimator.objective", lambda *args: next(values))
    model = SparseCoding(10, max_iter=5, tol=0, random_state=0).fit(X)
    assert model.history_.tolist() == [4, 3, 2] and np.array_equal(model.components_, wanted.components_)


def test_what_belongs_together(rng, variant):
    X = strokes(rng)[0]
    model = SparseCoding(10, alpha=0.2, random_state=0, **variant)
    codes = model.fit_transform(X)
    assert np.array_equal(codes, model.transform(X)) and model.n_features_in_ == 16
    if model.algorithm == "omp":  # `fit` keeps better codes that it has had, `transform` begins anew
        assert model.history_[-1] * (1 - 1e-9) <= objective(X, model.components_, codes) < 1.2 * model.history_[-1]
        assert (codes != 0).sum(axis=1).max() == 2
    else:
        assert objective(X, model.components_, codes, 0.2) <= model.history_[-1] * (1 + 1e-4)
    np.testing.assert_allclose(model.inverse_transform(codes), codes @ model.components_)
    again = SparseCoding(10, alpha=0.2, random_state=0, **variant).fit(X)
    assert np.array_equal(again.components_, model.components_)
    other = SparseCoding(10, alpha=0.2, random_state=1, **variant).fit(X)
    assert not np.array_equal(other.components_, model.components_)


@pytest.mark.parametrize("X", [np.zeros((5, 4)), np.ones((1, 3)), np.ones((6, 1)), np.repeat([[1.0, 2, 3]], 8, axis=0)])
@pytest.mark.parametrize("k", [None, 1, 12])
def test_data_with_nothing_to_learn(X, k, variant):
    variant = {**variant, "n_nonzero_coefs": None}
    codes = SparseCoding(k, alpha=0.01, random_state=0, **variant).fit_transform(X)
    model = SparseCoding(k, alpha=0.01, random_state=0, **variant).fit(X)
    assert np.isfinite(codes).all() and np.isfinite(model.components_).all()
    assert np.abs(model.inverse_transform(codes) - X).max() < 0.02


@pytest.mark.parametrize("scale, dtype", [(1e300, float), (1e-300, float), (1e30, np.float32), (1e-30, np.float32)])
def test_scale_changes_nothing(rng, variant, scale, dtype):
    X, scale = strokes(rng, 80, dtype)[0], dtype(scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = SparseCoding(8, alpha=0.5, random_state=0, **variant).fit(X)
        model = SparseCoding(8, alpha=0.5 * float(scale), random_state=0, **variant).fit(X * scale)
        codes = model.transform(X * scale) / scale
        back = model.inverse_transform(codes * scale)
    np.testing.assert_allclose(model.components_, plain.components_, atol=1e-2)
    np.testing.assert_allclose(codes, plain.transform(X), atol=1e-2)
    assert np.isfinite(back).all() and codes.any()


@pytest.mark.parametrize("value", [1e300, -1e-300, 1.7e308])
def test_any_finite_input_and_any_penalty(value, variant):
    X = np.array([[value, 1.0, 0.0], [1e-300, value, 2.0], [0.0, 3.0, -1.0], [1.0, value / 2, 5.0]])
    for alpha in (0, 1.0, 1e300):
        model = SparseCoding(2, alpha=alpha, random_state=0, max_iter=5, transform_max_iter=50, **variant)
        assert not np.isnan(model.fit_transform(X)).any() and not np.isnan(model.history_).any()


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], np.ndarray.tolist])
def test_any_layout_gives_the_same_answer(rng, change, variant):
    X = strokes(rng, 50)[0]
    X.flags.writeable = False
    wanted, got = (SparseCoding(6, random_state=0, max_iter=4, **variant).fit(x) for x in (X, change(X)))
    np.testing.assert_allclose(got.components_, wanted.components_, atol=1e-9)


@pytest.mark.parametrize("settings, error, words", [
    ({"n_components": 0}, ValueError, "n_components"), ({"n_components": 2.5}, TypeError, "n_components"),
    ({"alpha": -1}, ValueError, "alpha"), ({"alpha": "low"}, TypeError, "alpha"),
    ({"alpha": np.nan}, ValueError, "alpha"),
    ({"algorithm": "lars"}, ValueError, "'fista'"), ({"update": "svd"}, ValueError, "'mod', 'ksvd'"),
    ({"max_iter": 0}, ValueError, "max_iter"), ({"tol": -1}, ValueError, "tol"),
    ({"transform_max_iter": 0}, ValueError, "transform_max_iter"), ({"transform_tol": -1}, ValueError, "transform_tol"),
    ({"n_nonzero_coefs": 0}, ValueError, "n_nonzero_coefs"),
    ({"algorithm": "omp", "n_nonzero_coefs": 5}, ValueError, "n_nonzero_coefs must be an integer from 1 to 4; got 5"),
    ({"random_state": 1.5}, TypeError, "random_state"),
])
def test_impossible_settings(rng, settings, error, words):
    model = SparseCoding(**{"n_components": 4, **settings})  # the constructor only stores
    with pytest.raises(error, match=words):
        model.fit(rng.normal(size=(9, 3)))


@pytest.mark.parametrize("call, words", [
    (lambda: fista(np.ones((2, 3)), np.eye(2), 1.0), "X has 3 features, but the atoms of the dictionary have 2"),
    (lambda: ista(np.ones((2, 2)), np.eye(2) * [1, 3], 1.0), "atom 1 is 3: divide each"),
    (lambda: omp(np.ones((2, 2)), np.zeros((1, 2)), 1), "length 1"),
    (lambda: omp(np.eye(2), np.eye(2), 3), "n_nonzero must be an integer from 1 to 2; got 3"),
    (lambda: omp(np.eye(2), np.full((1, 2), 1e300), 1), "length 1"),
    (lambda: fista(np.eye(2), np.eye(2), -1), "alpha"), (lambda: fista(np.full((1, 2), np.nan), np.eye(2), 1), "NaN"),
    (lambda: ista(np.eye(2), np.eye(2), 1, max_iter=0), "max_iter"),
    (lambda: ista(np.eye(2), np.eye(2), 1, tol=-1), "tol"),
    (lambda: SparseCoding(2).fit(np.eye(3)).inverse_transform(np.ones((2, 3))), "X has 3 columns, but a code .* has 2"),
])
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_unfitted_use():
    for use in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(SparseCoding(), use)(np.eye(2))


@pytest.mark.parametrize("variant", [VARIANTS[0], {**VARIANTS[4], "n_nonzero_coefs": 8}], ids=["fista", "omp"])
def test_digits(few_digits, variant):
    """With 32 atoms, a digit takes few of them, and most of it is explained."""
    images = few_digits[0]
    model = SparseCoding(32, alpha=1.0, random_state=0, **variant).fit(images)
    codes = model.transform(images)
    explained = 1 - ((images - model.inverse_transform(codes)) ** 2).sum() / ((images - images.mean(axis=0)) ** 2).sum()
    assert (codes != 0).mean() < 0.35 and explained > 0.6 and model.history_[-1] < 0.9 * model.history_[0]
