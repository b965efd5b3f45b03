"""What public kernels are given: taken as the numbers that it stands for, or refused in a sentence; nothing is read or
written outside of an array."""

import numpy as np
import pytest

from aelearn.autoencoder import network, optim
from aelearn.kernels import cpu
from aelearn.kmeans import lloyd
from aelearn.spectral import neighbors

X = np.random.default_rng(0).normal(size=(30, 3))
CENTERS, WEIGHT = X[:4] + 0.1, np.arange(1.0, 31)


@pytest.fixture(params=[lloyd, cpu], ids=["numpy", "numba"])
def functions(request):
    return request.param


def swapped(array):
    """The same numbers in the other byte order."""
    return array.astype(array.dtype.newbyteorder())


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("change", [np.ndarray.tolist, swapped, read_only, np.asfortranarray, np.longdouble,
                                    np.ma.masked_array, lambda a: np.repeat(a, 2, axis=0)[::2],
                                    lambda a: a[::-1].copy()[::-1]],
                         ids=["list", "swapped", "read-only", "Fortran", "longdouble", "no mask", "strided", "turned"])
def test_arguments_that_stand_for_the_same_numbers(functions, change):
    wanted = functions.lloyd_step(X, CENTERS, WEIGHT)
    for got in (functions.lloyd_step(change(X), CENTERS, WEIGHT), functions.lloyd_step(X, change(CENTERS), WEIGHT),
                functions.lloyd_step(X, CENTERS, change(WEIGHT)),
                functions.lloyd_step(*map(change, (X, CENTERS, WEIGHT)))):
        assert np.array_equal(got[0], wanted[0])
        for sums, others in zip(got[1:], wanted[1:]):  # NumPy may add rows that lie in another order in another order
            np.testing.assert_allclose(sums, others, rtol=1e-13)
    assert np.array_equal(functions.assign(change(X), change(CENTERS))[0], wanted[0])
    draws = [functions.kmeans_plusplus(x, 3, WEIGHT, np.random.default_rng(0)) for x in (X, change(X))]
    assert np.array_equal(*draws)
    descent = functions.Descent(change(X), change(WEIGHT))
    np.testing.assert_allclose(descent.step(change(CENTERS))[0], wanted[1], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.uint64, bool])
def test_other_numbers_become_float64(functions, dtype):
    some = (X > 0).astype(dtype)
    assert np.array_equal(functions.assign(some, CENTERS)[0], functions.assign(some.astype(float), CENTERS)[0])


def changed(array, value):
    array = array.copy()
    array.flat[3] = value
    return array


@pytest.mark.parametrize("bad, error, words", [
    ((X[0], CENTERS, WEIGHT), ValueError, "X must have 2 dimensions"), ((X, CENTERS[0], WEIGHT), ValueError, "centers"),
    ((X, CENTERS[:0], WEIGHT), ValueError, "K at least 1"), ((X, CENTERS[:, :2], WEIGHT), ValueError, "K, 3"),
    ((X[:0], CENTERS, WEIGHT[:0]), ValueError, "at least one row"), ((X[:, :0], CENTERS, WEIGHT), ValueError, "column"),
    ((X, CENTERS, WEIGHT[:5]), ValueError, "for each of the 30 rows"), ((X, CENTERS, -WEIGHT), ValueError, "negative"),
    ((X, CENTERS, WEIGHT[:, None]), ValueError, "weight must have 1"), ((X * 1j, CENTERS, WEIGHT), TypeError, "real"),
    ((X, np.full((4, 3), "a"), WEIGHT), TypeError, "centers"), ((iter(X), CENTERS, WEIGHT), TypeError, "X must be an"),
    ((np.ma.masked_less(X, 0), CENTERS, WEIGHT), ValueError, "masked"), ((X, iter(CENTERS), WEIGHT), TypeError, "cent"),
    ((X, CENTERS, changed(WEIGHT, np.nan)), ValueError, "NaN"),
    ((X, CENTERS, changed(WEIGHT, np.inf)), ValueError, "finite"),
    ((changed(X, np.nan), CENTERS, WEIGHT), ValueError, "finite"), ((X, None, WEIGHT), TypeError, "centers"),
    ((X, changed(CENTERS, np.nan)[1:2], WEIGHT), ValueError, "finite"), ((None, CENTERS, WEIGHT), TypeError, "X must"),
    ((changed(X, np.inf), CENTERS, WEIGHT), ValueError, "finite"), ((1e200 * X, CENTERS, WEIGHT), ValueError, "square"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_arguments_of_k_means_that_do_not_fit(functions, bad, error, words):
    uses = [functions.lloyd_step, functions.assign, lambda X, C, w: functions.Descent(X, w).step(C)]
    for use in uses[:2] if words in ("finite", "square") else uses:  # a run is for arrays that were looked at
        with pytest.raises(error, match=words), np.errstate(all="ignore"):
            use(*bad)


def test_a_number_that_is_none_is_found_however_many_there_are(functions):
    for many in (changed(CENTERS, np.nan), changed(CENTERS, np.inf)):  # nobody is nearest to that centre
        try:
            labels = functions.assign(X, many)[0]
        except ValueError as error:
            assert "finite" in str(error)
        else:
            assert set(labels) <= {0, 2, 3}


@pytest.mark.parametrize("k, error", [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_numbers_of_centres_to_draw(functions, k, error):
    with pytest.raises(error, match="n_clusters"):
        functions.kmeans_plusplus(X, k, WEIGHT, np.random.default_rng(0))


def test_draws_from_what_is_no_number(functions):
    with pytest.raises(ValueError, match="finite"), np.errstate(all="ignore"):
        functions.kmeans_plusplus(changed(X, np.nan), 3, WEIGHT, np.random.default_rng(0))


def test_a_run_keeps_its_number_of_centres():
    descent = cpu.Descent(X)
    descent.step(CENTERS)
    with pytest.raises(ValueError, match="began with 4 centres; got 5"):
        descent.step(X[:5])


@pytest.mark.parametrize("labels", [[0] * 30, np.full(30, 4), np.full(30, -1), np.zeros(29, int), np.zeros(30)])
def test_labels_that_do_not_fit(labels):
    with pytest.raises(ValueError, match="labels must be 30 integers from 0 to 3"):
        lloyd.update(X, CENTERS, WEIGHT, labels)


def test_smallest_is_numpys_sort_and_refuses_the_rest(rng):
    for _ in range(200):
        table = rng.choice([0.0, 1, 2, np.inf, -np.inf, np.nan, -0.0], (5, rng.integers(1, 9)))
        for k in range(1, table.shape[1] + 1):
            for form in (table, table.astype(np.float32), np.asfortranarray(table), table.tolist(), swapped(table)):
                assert np.array_equal(cpu.smallest(form, k), neighbors.smallest(table, k))
    for table, k, error in ((X[0], 1, ValueError), (X, 0, ValueError), (X, 4, ValueError), (X, 1.0, TypeError),
                            (X * 1j, 1, TypeError), (np.ma.masked_less(X, 0), 1, ValueError)):
        with pytest.raises(error):
            cpu.smallest(table, k)


def test_matmul_of_other_byte_orders_and_masks():
    assert np.array_equal(cpu.matmul(swapped(X), X.T), cpu.matmul(X, X.T))
    with pytest.raises(ValueError, match="masked"):
        cpu.matmul(np.ma.masked_less(X, 0), X.T)


ARCHITECTURE = network.Architecture((3, 2, 3))
VECTOR = np.random.default_rng(1).normal(size=ARCHITECTURE.n_parameters)


@pytest.mark.parametrize("module", [network, cpu], ids=["numpy", "numba"])
def test_arguments_of_a_training_step(module):
    params = ARCHITECTURE.parameters(VECTOR)
    wanted = module.loss_and_gradients(params, X, ARCHITECTURE)[0]
    for form in (X.tolist(), swapped(X), read_only(X), np.asfortranarray(X), np.hstack([X, X])[:, :3]):
        assert module.loss_and_gradients(params, form, ARCHITECTURE)[0] == pytest.approx(wanted, rel=1e-14)
    other = network.Architecture((3, 4, 3))
    for bad, work, error, words in (
            (X[:, :2], None, ValueError, r"shape \(N, 3\)"), (X[:0], None, ValueError, "at least 1"),
            (X.astype(np.float32), None, TypeError, "same dtype"), (X[0], None, ValueError, "2 dimensions"),
            (X, module.Workspace(ARCHITECTURE, 29, np.float64), ValueError, "work was made for 29 rows"),
            (X, module.Workspace(ARCHITECTURE, 30, np.float32), ValueError, "float32"),
            (X, module.Workspace(other, 30, np.float64), ValueError, "widths"), (iter(X), None, TypeError, "x must")):
        with pytest.raises(error, match=words):
            module.loss_and_gradients(params, bad, ARCHITECTURE, work)
    with pytest.raises(ValueError, match="W1 and b1 must have the shapes"):
        module.loss_and_gradients(params, X, other)


def test_arguments_of_an_optimisers_step():
    settings = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}
    params, grads, m, v = (np.arange(1.0, 6) * n for n in range(1, 5))
    twin = [array.copy() for array in (params, grads, m, v)]
    cpu.adam_step(params, grads, m, v, 1, **settings)
    optim.adam_step(*twin, 1, **settings)
    np.testing.assert_allclose([params, m, v], [twin[0], twin[2], twin[3]], rtol=1e-14)
    kept = params.copy()
    for bad, error, words in (((params, grads[:4], m, v), ValueError, "same length"),
                              ((params, grads, m[:3], v), ValueError, "same length"),
                              ((params, grads, m, read_only(v)), ValueError, "read-only"),
                              ((params, list(grads), m, v), TypeError, "list"),
                              ((params, grads, v, v), ValueError, "share memory"),
                              ((params, params, m, v), ValueError, "share memory"),
                              ((params, grads.astype(np.float32), m, v), ValueError, "length and dtype"),
                              ((params[:, None], grads, m, v), ValueError, "vectors")):
        with pytest.raises(error, match=words):
            cpu.adam_step(*bad, 1, **settings)
    assert np.array_equal(params, kept)


def test_what_descents_and_tables_refuse(rng):
    X = rng.normal(size=(20, 2))
    for descent in (lloyd.Descent, cpu.Descent):
        for algorithm in ("elkan", None, 3):
            with pytest.raises(ValueError, match="algorithm must be one of"):
                descent(X, None, algorithm)
        with pytest.raises(ValueError, match="centers must be finite"):
            descent(X).step([[0, np.nan], [1, 1]])
    with pytest.raises(ValueError, match="integers of 2.53 or more"):
        cpu.smallest(np.array([[2**62 + 1, 2**62]]), 1)
