"""The door's small checks; tests/core/test_base.py sends arrays through it."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from aelearn import kernels
from aelearn.core.validation import (
    NotFittedError,
    check_array,
    check_backend,
    check_integer,
    check_number,
    check_sample_weight,
    generator,
    load_backend,
    peer_class,
)


def test_float_arrays_are_not_copied():
    for dtype in (np.float32, np.float64):
        X = np.ones((4, 3), dtype)
        assert check_array(X) is X
    assert check_array([[1, 2], [3, 4]]).dtype == np.float64 and check_array(np.eye(2, dtype=bool)).dtype == np.float64


@pytest.mark.parametrize("X, words", [([[10**400, 1]], "numbers|infinity"), (np.zeros((2, 2), "M8[s]"), "datetime64"),
                                      (np.full((2, 2), np.finfo(np.longdouble).max), "infinity")])
def test_what_is_no_number_or_too_large(X, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=words):
            check_array(X)


def test_large_finite_entries_are_finite_although_their_sum_is_not():
    assert check_array(np.full((9, 9), 1e308)).shape == (9, 9)


def test_numbers():
    assert check_integer("n", np.int16(3), 1) == 3 and check_number("x", np.float32(0.5), 0, 1) == 0.5
    for value in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match="n must be an integer; got"):
            check_integer("n", value, 0)
    with pytest.raises(ValueError, match="n must be an integer from 0 to 9; got 10"):
        check_integer("n", 10, 0, 9)
    with pytest.raises(ValueError, match="x must be finite and above 0"):
        check_number("x", 0.0, 0, exclusive_low=True)


def test_weights():
    assert check_sample_weight(None, 3).tolist() == [1, 1, 1]
    assert check_sample_weight(2, 3).tolist() == [2, 2, 2]
    assert check_sample_weight([0, 1, 2], 3).dtype == np.float64


@pytest.mark.parametrize("name", ["gpu", "NumPy", "", None, 3, ["numba"]])
def test_back_ends_that_do_not_exist(name):
    for check in (check_backend, load_backend):
        with pytest.raises(ValueError, match="does not exist: use 'auto', 'numpy', 'numba' or 'cuda'"):
            check(name)


def test_back_ends_that_run():
    assert load_backend("numpy") == "numpy" and load_backend("auto") == load_backend("numba") == "numba"


def test_a_back_end_that_cannot_run_is_named_or_replaced_with_a_warning(monkeypatch):
    def get(name):
        raise kernels.UnavailableError(f"backend {name!r} cannot run here: no such library")

    monkeypatch.setattr(kernels, "get", get)
    for name in ("auto", "numpy", "numba", "cuda"):
        check_backend(name)  # the name exists
    for name in ("numba", "cuda"):
        with pytest.raises(RuntimeError, match=f"backend '{name}' cannot run here: no such library"):
            load_backend(name)
    with pytest.warns(RuntimeWarning, match="cannot run here: no such library; backend='auto' falls back to NumPy"):
        assert load_backend("auto") == "numpy"
    assert load_backend("numpy") == "numpy"


def test_generators_share_their_owners_stream():
    owner = np.random.default_rng(3)
    assert generator(owner) is owner
    legacy = np.random.RandomState(3)
    first, second = generator(legacy).random(), generator(legacy).random()
    assert first != second
    assert generator(5).random() == generator(np.int64(5)).random()


def test_error_classes_are_the_peers_as_well_where_it_is_loaded(monkeypatch):
    import sys
    import types

    class NotFitted(ValueError):
        pass

    peer = types.ModuleType("peer")
    peer.NotFittedError = NotFitted
    assert peer_class("peer", NotFittedError) is NotFittedError
    monkeypatch.setitem(sys.modules, "peer", peer)
    assert issubclass(peer_class("peer", NotFittedError), NotFitted)
    assert issubclass(peer_class("peer", NotFittedError), NotFittedError)


@pytest.mark.parametrize("value", [10**400, -(10**400), Fraction(1, 10**400), float("nan")])
def test_numbers_that_no_float_can_hold(value):
    with pytest.raises(ValueError, match="h must be finite and above 0"):
        check_number("h", value, 0, exclusive_low=True)
