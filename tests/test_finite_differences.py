"""What a loss may return and do in a finite-difference check, and what numerical_gradient accepts."""

import numpy as np
import pytest

from aelearn import check_gradients
from aelearn.gradcheck import numerical_gradient


class Tensor:
    """Behaves like a PyTorch tensor that requires a gradient."""

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


NO_NUMBERS = {
    "float32": (np.float32, TypeError, "loss returned float32"), "float16": (np.float16, TypeError, "float16"),
    "float32 array": (lambda v: np.array(v, np.float32), TypeError, "loss returned float32"),
    "complex": (complex, TypeError, "complex128"),
    "complex array": (lambda v: np.array(v + 0j), TypeError, "complex128"),
    "boolean": (bool, TypeError, "loss returned bool"), "string": (str, TypeError, "loss returned str"),
    "None": (lambda v: None, TypeError, "loss returned NoneType"), "tensor": (lambda v: Tensor(), TypeError, "Tensor"),
    "object": (lambda v: object(), TypeError, "loss returned object"),
    "array of one": (lambda v: np.array([v]), ValueError, r"one finite number; got an array of shape \(1,\)"),
    "ragged": (lambda v: [[v], [v, v]], TypeError, "loss returned list"),
    "masked": (lambda v: np.ma.array(v, mask=True), ValueError, "got a masked value"),
    "masked constant": (lambda v: np.ma.masked, ValueError, "got a masked value"),
}


@pytest.mark.parametrize("only_when_nudged", [False, True])
@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_losses_that_are_no_float64_number(kind, only_when_nudged):
    """All gradients are right; without the check, some would pass and some would be reported as wrong."""
    convert, error, words = NO_NUMBERS[kind]
    p = np.array([0.7, -0.2])

    def loss(params):
        value = float(np.sum(params["p"] ** 2))
        return value if only_when_nudged and np.array_equal(params["p"], p) else convert(value)

    where = r".* when entry \[0\] of p is nudged" if only_when_nudged else ""
    for use in (lambda: check_gradients(loss, {"p": p}, {"p": 2 * p}), lambda: numerical_gradient(loss, {"p": p}, "p")):
        with pytest.raises(error, match=words + where):
            use()


@pytest.mark.parametrize("convert", [float, np.float64, np.array, np.longdouble, lambda v: np.array(v, ">f8"),
                                     lambda v: np.ma.array(v), lambda v: int(v) if v == int(v) else v])
def test_losses_that_are_numbers(convert):
    p = np.array([2.0, -1.0])
    assert check_gradients(lambda q: convert(np.sum(q["p"] ** 2)), {"p": p}, {"p": 2 * p}).right


def in_place(params):
    params["p"] *= 1.5
    return np.sum(params["p"])


def clipped_in_place(params):
    return np.sum(np.clip(params["p"], -1, 1, out=params["p"]))


def other_in_place(params):
    params["q"] += 1e-3
    return np.sum(params["p"])


@pytest.mark.parametrize("loss", [in_place, clipped_in_place, other_in_place])
def test_losses_that_change_their_parameters(loss):
    params = {"p": np.array([1.0, 0.5]), "q": np.ones(2)}
    with pytest.raises(ValueError, match="loss changed parameter [pq] in place"):
        check_gradients(loss, params, {"p": np.ones(2), "q": np.zeros(2)})
    assert params["p"].tolist() == [1.0, 0.5] and params["q"].tolist() == [1, 1]


def test_losses_that_put_other_arrays_into_the_dict():
    def loss(params):
        params["p"] = 2 * params["p"]
        return np.sum(params.pop("p"))

    assert check_gradients(loss, {"p": np.ones(3)}, {"p": np.full(3, 2.0)}).right


def test_random_losses_and_losses_with_a_memory(rng):
    calls = []
    for loss in (lambda params: np.sum(params["p"] * rng.random(3)),
                 lambda params: calls.append(1) or np.sum(params["p"]) + len(calls)):
        with pytest.raises(ValueError, match="loss returned .* and later .* for the same parameters"):
            check_gradients(loss, {"p": np.ones(3)}, {"p": np.ones(3)})


@pytest.mark.parametrize("parameter", [[1.0, 2.0], np.array([1, 2]), np.array([1, 2], np.float32), (True, True),
                                       np.array([1, 2], ">i2"), np.broadcast_to(1.0, 2)])
def test_numerical_gradient_of_any_numbers_changes_nothing(parameter):
    before = np.array(parameter)
    numerical, steps = numerical_gradient(lambda p: np.sum(p["p"] ** 3), {"p": parameter}, "p")
    np.testing.assert_allclose(numerical, 3 * before.astype(float) ** 2, rtol=1e-9)
    assert steps.shape == (2,) and np.array_equal(before, parameter)


@pytest.mark.parametrize("arguments, error, words", [
    ((lambda p: 0.0, {"W": [1.0]}, "V"), ValueError, "no 'V'; it has 'W'"),
    ((lambda p: 0.0, {"W": ["a"]}, "W"), TypeError, "real numbers"),
    ((lambda p: 0.0, {"W": np.ma.array([1.0, 2.0], mask=[0, 1])}, "W"), ValueError, "masked"),
    ((lambda p: 0.0, {"W": [np.inf]}, "W"), ValueError, "infinity"),
    ((lambda p: 0.0, {"W": [[1.0], [1.0, 2.0]]}, "W"), ValueError, "different lengths"),
])
def test_numerical_gradients_that_do_not_exist(arguments, error, words):
    with pytest.raises(error, match=words):
        numerical_gradient(*arguments)


@pytest.mark.parametrize("eps", [1e-4, 1e-6])
def test_losses_computed_in_float32_and_returned_as_a_float(eps):
    """PyTorch's .item() returns such numbers: only their digits show the precision."""
    w = np.array([0.3, 1.2])
    with pytest.raises(TypeError, match="no more digits than float32 has"):
        numerical_gradient(lambda params: float(np.sum(params["w"].astype(np.float32) ** 2)), {"w": w}, "w", eps=eps)
    short = {"w": np.array([1.0, 2.0])}  # numbers with few digits give a loss with few digits
    assert numerical_gradient(lambda params: float(params["w"].sum()), short, "w", eps=2**-13)[0].tolist() == [1, 1]
    assert not numerical_gradient(lambda params: 0.5, short, "w", eps=eps)[0].any()
