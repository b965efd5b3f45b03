"""Sparse codes and dictionaries beside scikit-learn's. Skipped where that is not installed.

What alpha means there: `sparse_encode` hands alpha / n_features to its Lasso and LassoLars, for both lasso algorithms.
Their own objective is 1 / (2 n) |y - X w|^2 + alpha |w|_1, where n counts the rows of their problem, which are the
features of ours. The two divisions cancel: the codes make 1/2 |x - z @ dictionary|^2 + alpha |z|_1 lowest, as ours do,
with the alpha that was asked for. `test_what_alpha_means` holds that.
"""

import warnings

import numpy as np
import pytest

from aelearn import SparseCoding, load_mnist
from aelearn.sparse_coding.dictionary_learning import objective, random_atoms
from aelearn.sparse_coding.ista import fista, ista
from aelearn.sparse_coding.matching_pursuit import omp

decomposition = pytest.importorskip("sklearn.decomposition", reason="scikit-learn is not installed (extra: peers)")


def cases():
    """Samples, a dictionary of unit atoms, alpha: fewer atoms than features, more, and images."""
    rng = np.random.default_rng(0)
    for n, d, k, alpha in ((80, 30, 10, 0.5), (80, 12, 40, 0.5), (50, 20, 20, 0.05)):
        yield rng.normal(size=(n, d)), random_atoms(rng.normal(size=(k, d)), k, rng), alpha
    images = load_mnist("test", digits=(0, 1))[0][:200].astype(np.float64)
    yield images[:120], random_atoms(images[120:], 64, rng), 1.0


@pytest.mark.parametrize("X, dictionary, alpha", list(cases()), ids=["narrow", "wide", "square", "digits"])
@pytest.mark.parametrize("algorithm", ["lasso_cd", "lasso_lars"])
def test_lasso_codes(X, dictionary, alpha, algorithm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, of steps and of ill conditions
        theirs = decomposition.sparse_encode(X, dictionary, algorithm=algorithm, alpha=alpha, max_iter=20_000)
    value = objective(X, dictionary, theirs, alpha)
    codes = fista(X, dictionary, alpha, tol=1e-7, max_iter=20_000)
    assert objective(X, dictionary, codes, alpha) == pytest.approx(value, rel=1e-6)
    slow = ista(X, dictionary, alpha, tol=1e-5, max_iter=4000)
    assert objective(X, dictionary, slow, alpha) == pytest.approx(value, rel=1e-4)


def test_what_alpha_means():
    from sklearn.linear_model import Lasso

    X, dictionary, alpha = next(iter(cases()))
    theirs = decomposition.sparse_encode(X, dictionary, algorithm="lasso_cd", alpha=alpha)
    lasso = Lasso(alpha=alpha / X.shape[1], fit_intercept=False, tol=1e-10).fit(dictionary.T, X.T).coef_
    np.testing.assert_allclose(theirs, lasso, atol=1e-5)
    lowest = objective(X, dictionary, theirs, alpha)
    for other in (alpha / X.shape[1], alpha / 2, alpha * 2):  # the codes for another alpha are not those
        assert objective(X, dictionary, fista(X, dictionary, other), alpha) > lowest * 1.001


@pytest.mark.parametrize("X, dictionary, alpha", list(cases()), ids=["narrow", "wide", "square", "digits"])
@pytest.mark.parametrize("n_nonzero", [1, 3, 8])
def test_omp_codes(X, dictionary, alpha, n_nonzero):
    theirs = decomposition.sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=n_nonzero)
    ours = omp(X, dictionary, n_nonzero)
    assert np.array_equal(ours != 0, theirs != 0)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("update", ["mod", "ksvd"])
@pytest.mark.parametrize("k, alpha", [(16, 1.0), (32, 0.5)])
def test_objective_of_the_dictionary(few_digits, k, alpha, update):
    """As many rounds on both sides; objectives of one set of images, coded to the end on either dictionary."""
    X, rounds = few_digits[0].astype(np.float64), 15
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = decomposition.DictionaryLearning(k, alpha=alpha, max_iter=rounds, tol=0, fit_algorithm="lars",
                                                  random_state=0).fit(X).components_
    ours = SparseCoding(k, alpha=alpha, update=update, max_iter=rounds, tol=0, random_state=0).fit(X).components_
    values = [objective(X, atoms, fista(X, atoms, alpha), alpha) for atoms in (ours, theirs / np.linalg.norm(
        theirs, axis=1, keepdims=True))]
    assert values[0] <= 1.02 * values[1]


def test_parameters_that_both_have():
    ours, theirs = SparseCoding().get_params(), decomposition.DictionaryLearning().get_params()
    shared = {"n_components", "alpha", "max_iter", "tol", "transform_max_iter", "random_state", "verbose"}
    assert shared == set(ours) & set(theirs)
    same = shared - {"max_iter", "tol"}  # 1000 and 1e-8 there: hours on all images
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


def test_number_of_atoms_that_nobody_named(few_digits):
    """A tenth of the features, as theirs."""
    X = few_digits[0][:20, 300:360].astype(np.float64) + 0.1 * np.random.default_rng(0).random((20, 60))
    model = SparseCoding(15, algorithm="omp", random_state=0).fit(X)
    theirs = decomposition.sparse_encode(X, model.components_, algorithm="omp")
    assert (theirs != 0).sum(axis=1).max() == 6
    np.testing.assert_allclose(model.transform(X), theirs, atol=1e-8)
