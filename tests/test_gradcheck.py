"""The checker accepts right gradients, and detects and names what is wrong with others."""

import numpy as np
import pytest

from aelearn import GradientError, check_gradients
from aelearn.autoencoder.layers import dense, dense_backward
from aelearn.gradcheck import Diagnosis, diagnose

pytestmark = pytest.mark.linear_algebra


class Layer:
    """A dense layer with a random upstream gradient U, its loss, and its right gradients."""

    def __init__(self, n=5, d=4, h=3, seed=0):
        rng = np.random.default_rng(seed)
        x, self.U = rng.normal(size=(n, d)), rng.normal(size=(n, h))
        self.params = {"W": rng.normal(size=(d, h)), "b": rng.normal(size=h)}
        self.loss = lambda p: np.sum(self.U * dense(x, p["W"], p["b"]) ** 3)
        dz = 3 * self.U * dense(x, **self.params) ** 2
        _, dW, db = dense_backward(dz, x, self.params["W"])
        self.grads = {"W": dW, "b": db}

    def fails(self, **wrong):
        with pytest.raises(GradientError) as error:
            check_gradients(self.loss, self.params, {**self.grads, **wrong})
        return error.value


def test_right_gradients_pass_and_nothing_is_changed():
    layer = Layer()
    for array in (*layer.params.values(), *layer.grads.values()):
        array.flags.writeable = False
    report = check_gradients(layer.loss, layer.params, layer.grads)
    assert report.right and [row.n_entries for row in report.rows] == [12, 3]
    assert str(report).count("\n") == 1 and "all 12 entries are right" in str(report)


def test_wrong_sign():
    layer = Layer()
    error = layer.fails(W=-layer.grads["W"])
    assert "dW: 12 of 12 entries are wrong" in str(error) and "wrong sign" in str(error) and "db" not in str(error)
    assert error.report.rows[0].factor == pytest.approx(-1)


@pytest.mark.parametrize("factor", [0.5, 2, -3, 1.01, 1e-3, 1 + 1e-5])
def test_a_factor(factor):
    layer = Layer()
    row = layer.fails(b=factor * layer.grads["b"]).report.rows[1]
    assert row.n_wrong == 3 and row.factor == pytest.approx(factor, rel=1e-5)
    assert f"factor {row.factor:.7g}" in str(row)


@pytest.mark.parametrize("loss, slope, at", [
    (lambda p: np.log(p["p"]).sum(), lambda p: 1 / p, [1e-2, 3.0]),
    (lambda p: np.tanh(p["p"] * 1000).sum(), lambda p: 1000 / np.cosh(p * 1000) ** 2, [1e-3, -5e-4, 0.0]),
    (lambda p: np.sum(p["p"] ** 2), lambda p: 2 * p, [1e6, -1e6, 1.0]),
    (lambda p: 1e-12 * np.sum(p["p"] ** 3), lambda p: 3e-12 * p**2, [1.0, 2.0]),
])
def test_no_false_alarm_where_the_loss_is_steep_or_large(loss, slope, at):
    p = np.array(at)
    assert check_gradients(loss, {"p": p}, {"p": slope(p)}).right
    with pytest.raises(GradientError, match="factor 1.01"):
        check_gradients(loss, {"p": p}, {"p": 1.01 * slope(p)})


def perfect_fit(rng, n, d, h, offset=0.0):
    """The loss of a linear layer whose outputs differ from the targets only by an offset; parameters and gradients."""
    x, params = rng.normal(size=(n, d)), {"W": rng.normal(size=(d, h)), "b": rng.normal(size=h)}
    target = dense(x, params["W"], params["b"]) + offset * rng.normal(size=(n, h))
    dz = 2 * (dense(x, **params) - target) / target.size
    grads = {"W": x.T @ dz, "b": dz.sum(axis=0)}
    return (lambda p: np.sum((dense(x, p["W"], p["b"]) - target) ** 2) / target.size), params, grads


@pytest.mark.parametrize("sizes", [(1, 1, 1), (7, 3, 2), (20, 12, 5), (4, 30, 9)])
def test_right_gradients_at_a_perfect_fit(rng, sizes):
    for _ in range(20):
        loss, params, grads = perfect_fit(rng, *sizes)
        assert loss(params) == 0 and not any(gradient.any() for gradient in grads.values())
        assert check_gradients(loss, params, grads).right
        with pytest.raises(GradientError, match="db: .* wrong"):  # what stopping 0.0001 away would give
            check_gradients(loss, params, {**grads, "b": np.full_like(params["b"], 1e-8)})


def test_a_factor_near_a_perfect_fit(rng):
    for offset in (1e-3, 1.0):
        loss, params, grads = perfect_fit(rng, 7, 3, 2, offset)
        assert check_gradients(loss, params, grads).right
        with pytest.raises(GradientError, match="db: 2 of 2 entries are wrong.*factor 1.001"):
            check_gradients(loss, params, {**grads, "b": 1.001 * grads["b"]})


@pytest.mark.parametrize("minimum", [0.0, 1.0, -3.7, 1e6, 1e-9])
def test_at_the_minimum_of_a_parabola(minimum):
    p = {"p": np.array([minimum])}
    loss = (lambda q: float(np.sum((q["p"] - minimum) ** 2)))
    assert check_gradients(loss, p, {"p": np.zeros(1)}).right
    with pytest.raises(GradientError, match="wrong"):
        check_gradients(loss, p, {"p": np.full(1, 1e-6 * max(1, abs(minimum)))})


def test_entries_that_only_the_slope_around_them_excuses_are_counted():
    """At 1e-8 from the minimum, the slope at the nudged points is a thousand times the derivative, 2e-8."""
    loss, p = (lambda q: float(np.sum(q["p"] ** 2))), {"p": np.array([1e-8])}
    assert check_gradients(loss, p, {"p": np.array([2e-8])}).rows[0].n_unclear == 0
    assert check_gradients(loss, p, {"p": np.array([1.001 * 2e-8])}).rows[0].n_unclear == 1
    with pytest.raises(GradientError, match="factor 1.1"):
        check_gradients(loss, p, {"p": np.array([1.1 * 2e-8])})


def test_entries_that_rounding_hides_are_counted():
    p = np.ones(5)
    report = check_gradients(lambda q: 1e6 + 1e-6 * np.sum(q["p"] ** 2), {"p": p}, {"p": 2e-6 * p})
    assert report.rows[0].n_unclear == 5 and "5 are too small, compared with the loss, to judge" in str(report)


def test_a_parameter_without_dimensions():
    with pytest.raises(GradientError, match=r"dp: 1 of 1 entries is wrong, worst at \[\]: yours 12, finite"):
        check_gradients(lambda q: q["p"] ** 2, {"p": np.array(3.0)}, {"p": np.array(12.0)})


def test_a_factor_on_a_single_entry():
    layer = Layer(h=1)
    assert "off by the factor 2" in str(layer.fails(b=2 * layer.grads["b"]))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_transposed_product_in_a_square_matrix(size):
    layer = Layer(d=size, h=size)
    error = layer.fails(W=layer.grads["W"].T)
    assert "right when transposed" in str(error) and error.report.rows[0].factor is None


def test_transposed_product_in_an_oblong_matrix():
    layer = Layer()
    assert "its shape is (3, 4) instead of (4, 3): it is transposed" in str(layer.fails(W=layer.grads["W"].T))


def test_one_entry():
    layer = Layer()
    wrong = layer.grads["W"].copy()
    wrong[2, 1] *= 1.001
    row = layer.fails(W=wrong).report.rows[0]
    assert (row.n_wrong, row.index, row.factor) == (1, (2, 1), None)
    assert row.gradient == wrong[2, 1] and row.numerical == pytest.approx(layer.grads["W"][2, 1])
    assert row.relative_error == pytest.approx(0.001 / 1.001, rel=1e-3)
    assert "1 of 12 entries is wrong, worst at [2, 1]" in str(row)


def test_missing_bias():
    layer = Layer()
    assert "db: 3 of 3 entries are wrong" in str(error := layer.fails(b=np.zeros(3))) and "0 everywhere" in str(error)
    with pytest.raises(GradientError, match="db: there is no gradient"):
        check_gradients(layer.loss, layer.params, {"W": layer.grads["W"]})


def test_bias_missing_in_the_forward():
    layer = Layer()
    with pytest.raises(GradientError, match="db: .*does the loss use this parameter"):
        check_gradients(lambda p: layer.loss({"W": p["W"], "b": layer.params["b"]}), layer.params, layer.grads)


@pytest.mark.parametrize("wrong, words", [(np.full(3, np.nan), "not finite numbers"), (np.zeros(4), r"shape is \(4,\)"),
                                          (0.0, r"shape is \(\)"), (np.array(["a"] * 3), "not finite numbers"),
                                          (np.ma.array(np.ones(3), mask=[1, 0, 0]), "not finite numbers")])
def test_gradients_that_are_no_gradients(wrong, words):
    layer = Layer()
    with pytest.raises(GradientError, match=words):
        check_gradients(layer.loss, layer.params, {**layer.grads, "b": wrong})


def test_a_diagnosis_is_data_and_says_itself_in_words():
    right, square = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2))
    for gradient, numerical, diagnosis, words in [
        (right, right, Diagnosis(), ""),
        (right + square, right, Diagnosis(), ""),
        (right.T, right, Diagnosis("transposed"), "it is right when transposed"),
        (square, 0 * square, Diagnosis("unused"), "does the loss use this parameter?"),
        (0 * square, right, Diagnosis("zero", 0.0), "it is 0 everywhere"),
        (-right, right, Diagnosis("sign", -1.0), "every entry has the wrong sign"),
        (right / 4, right, Diagnosis("factor", 0.25), "every entry is off by the factor 0.25"),
        (1e-50 ** right, right, Diagnosis(), ""),  # all of them nearly 0, but by different factors
        (np.eye(2) - (1 - np.eye(2)), 1 - np.eye(2), Diagnosis(), ""),  # 0 with the other sign is 0
    ]:
        found = diagnose(gradient, numerical, 1e-12, 1e-6, gradient != numerical)
        assert found == diagnosis and str(found).endswith(words) and bool(str(found)) == bool(words)
    layer = Layer()
    rows = layer.fails(W=layer.grads["W"].T, b=None).report.rows
    assert [row.diagnosis for row in rows] == [Diagnosis("transposed shape", shape=(3, 4), expected_shape=(4, 3)),
                                               Diagnosis("missing")]
    assert [row.problem for row in rows] == [str(row.diagnosis) for row in rows] and rows[0].factor is None


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6])
def test_no_false_alarm_whatever_the_scale_of_the_loss(scale):
    layer = Layer()
    grads = {name: scale * gradient for name, gradient in layer.grads.items()}
    assert check_gradients(lambda p: scale * layer.loss(p), layer.params, grads).right
    with pytest.raises(GradientError, match="factor 1.001"):
        check_gradients(lambda p: scale * layer.loss(p), layer.params, {**grads, "b": 1.001 * grads["b"]})


@pytest.mark.parametrize("arguments, error, words", [
    ((lambda p: np.nan, {"W": [1.0]}, {"W": [1.0]}), ValueError, "finite"),
    ((lambda p: p["W"], {"W": [1.0, 2.0]}, {"W": [1.0, 2.0]}), ValueError, "one finite number"),
    ((lambda p: 0.0, {"W": [1.0]}, {"W": [0.0], "V": [0.0]}), ValueError, "'V'"),
    ((lambda p: np.float32(0), {"W": [1.0]}, {"W": [0.0]}), TypeError, "compute it in float64"),
    ((lambda p: 0.0, np.ones(3), {}), TypeError, "dict"),
    ((lambda p: 0.0, {"W": [np.nan]}, {"W": [0.0]}), ValueError, "parameter W contains NaN"),
    ((None, {"W": [1.0]}, {"W": [0.0]}), TypeError, "loss must be a function"),
    ((lambda p: 0.0, {"W": [1j]}, {"W": [0.0]}), TypeError, "real numbers"),
    ((lambda p: np.log(p["W"][0]), {"W": [1e-7]}, {"W": [1e7]}), ValueError, r"not finite when entry \[0\] of W"),
])
def test_checks_that_cannot_be_made(arguments, error, words):
    with pytest.raises(error, match=words):
        check_gradients(*arguments)


@pytest.mark.parametrize("settings", [{"eps": 0}, {"eps": 1e-15}, {"eps": np.nan}, {"eps": -1e-4}, {"rtol": 0},
                                      {"rtol": np.inf}])
def test_impossible_settings(settings):
    with pytest.raises(ValueError, match="must be"):
        check_gradients(lambda p: 0.0, {"W": [1.0]}, {"W": [0.0]}, **settings)
