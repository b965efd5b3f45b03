"""The exercises' checks: a right answer passes, and each typical mistake gets a line that says what it is."""

import re

import numpy as np
import pytest

from aelearn import layers, losses
from aelearn.checks import CheckError, check
from aelearn.exercises import EXERCISES

RIGHT = {}


def right(function):
    RIGHT[function.__name__] = function
    return function


@right
def neuron(x, w, b):
    return layers.sigmoid(np.array([w @ x + b]))[0]


@right
def neuron_backward(da, x, w, a):
    return da * a * (1 - a) * w, da * a * (1 - a) * x, da * a * (1 - a)


@right
def dense(x, W, b):
    return x @ W + b


@right
def dense_backward(dz, x, W):
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


@right
def sigmoid_backward(da, a):
    return da * a * (1 - a)


@right
def mse_gradient(a, x):
    return 2 * (a - x) / a.size


@right
def autoencoder_backward(x, W1, b1, W2, b2, factor=1):
    c = layers.sigmoid(x @ W1 + b1)
    a = layers.sigmoid(c @ W2 + b2)
    dz2 = layers.sigmoid_backward(losses.mean_squared_error_gradient(a, x), a)
    dc, dW2, db2 = layers.dense_backward(dz2, c, W2)
    dz1 = layers.sigmoid_backward(dc, c) * factor
    return x.T @ dz1, dz1.sum(axis=0), dW2, db2


@right
def central_difference(f, x, eps):
    return (f(x + eps) - f(x - eps)) / eps / 2


@right
def gradient_by_nudging(loss, W, eps):
    return np.array([[central_difference(lambda w: loss(np.where(at(W, i, j), w, W)), W[i, j], eps)
                      for j in range(W.shape[1])] for i in range(W.shape[0])])


def at(W, i, j):
    mask = np.zeros(W.shape, bool)
    mask[i, j] = True
    return mask


@right
def relative_error(yours, numerical):
    return abs(yours - numerical) / np.maximum(1e-8, np.maximum(abs(yours), abs(numerical)))


@right
def find_bug(backward, dz, x, W, b):
    for name, wrong, right_one in zip(("dx", "dW", "db"), backward(dz, x, W), layers.dense_backward(dz, x, W)):
        if not np.array_equal(wrong, right_one):
            return name


@right
def descend(params, grads, learning_rate):
    return params - grads * learning_rate


@right
def roll(params, grads, velocity, learning_rate, momentum):
    return params - learning_rate * (grads + velocity * momentum), grads + velocity * momentum


@right
def adapt(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    m, v = m + (1 - beta1) * (grads - m), v + (1 - beta2) * (grads**2 - v)
    return params - learning_rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon), m, v


@right
def assign(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)


@right
def update(X, labels, centers):
    return np.array([X[labels == k].mean(axis=0) if (labels == k).any() else center
                     for k, center in enumerate(centers)])


@right
def inertia(X, labels, centers):
    return ((X - centers[labels]) ** 2).sum()


@right
def kmeans(X, centers):
    labels = assign(X, centers)
    while True:
        centers = update(X, labels, centers)
        if np.array_equal(assign(X, centers), labels):
            return labels, centers
        labels = assign(X, centers)


@right
def next_center(X, centers):
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
    return nearest / nearest.sum()


def test_every_exercise_has_a_right_answer(capsys):
    assert set(RIGHT) == set(EXERCISES)
    for name, answer in RIGHT.items():
        for seed in range(5):
            check(answer, seed=seed)
        assert capsys.readouterr().out == f"{name}: right, on 3 random inputs\n" * 5


def typo(x, w, b):
    return np.exp(z)  # noqa: F821, as a learner would


def not_put_back(loss, W, eps):
    for index in np.ndindex(W.shape):
        W[index] += eps
    return W


def changed(dz, x, W):
    dz *= 2
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


MISTAKES = [  # exercise, answer, what the line says
    ("neuron", lambda x, w, b: None, "not solved yet"),
    ("neuron", lambda x, w, b: ..., "not solved yet"),
    ("neuron", lambda x, w, b: w @ x + b, r"a: 1 of 1 entry is wrong: yours .*, wanted "),
    ("neuron", lambda x, w, b: np.nan, "a: 1 of 1 entries are no finite numbers"),
    ("neuron", lambda x, w, b: w * x + b, r"a has the shape \(\d,\), wanted is \(\)"),
    ("neuron", typo, r"it raised NameError in the line `return np.exp\(z\).*`: name 'z' is not defined"),
    ("neuron_backward", lambda da, x, w, a: (da * w, da * x, da), r"dx: .* wrong.*dw: .* wrong.*finite difference"),
    ("neuron_backward", lambda da, x, w, a: da * a * (1 - a), "it should return dx, dw, db; it returns one float"),
    ("neuron_backward", lambda da, x, w, a: neuron_backward(da, w, x, a), r"dx: \d+ of \d+ entries are wrong, "),
    ("dense", lambda x, W, b: x @ W, r"z: \d+ of \d+ entries are wrong"),
    ("dense", lambda x, W, b: (x @ W + b).T, r"z has the shape .*, wanted is .*: it is transposed"),
    ("dense", lambda x, W, b: W @ x + b, r"in a product the inner sizes are \d and \d: is a factor to be transposed\?"),
    ("dense_backward", changed, "it changes its input dz"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, x.T @ dz / 2, dz.sum(axis=0)), "dW: .* is off by the factor 0.5"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, x.T @ dz, -dz.sum(axis=0)), "db: .* has the wrong sign"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, x.T @ dz, dz.sum(axis=1)), r"db has the shape \(\d,\), wanted"),
    ("dense_backward", lambda dz, x, W: (dz @ W.T, dz.T @ x, dz.sum(axis=0)), "dW has the shape .*: it is transposed"),
    ("dense_backward", lambda dz, x, W: (None, x.T @ dz, dz.sum(axis=0)), "dx is None: not solved yet"),
    ("sigmoid_backward", lambda da, a: da * a, r"dz: \d+ of \d+ entries are wrong"),
    ("sigmoid_backward", lambda da, a: a * (1 - a), r"dz: \d+ of \d+ entries are wrong"),
    ("sigmoid_backward", lambda da, a: "da", "dz should be an array of numbers; it is str"),
    ("mse_gradient", lambda a, x: 2 * (x - a) / a.size, "da: .* every entry has the wrong sign"),
    ("mse_gradient", lambda a, x: (a - x) / a.size, "da: .* every entry is off by the factor 0.5"),
    ("mse_gradient", lambda a, x: 2 * (a - x) / len(a), r"da: .* every entry is off by the factor \d"),
    ("autoencoder_backward", lambda *all: autoencoder_backward(*all, factor=2), "dW1: .*factor 2; db1: .*factor 2$"),
    ("autoencoder_backward", lambda *all: autoencoder_backward(*all)[::-1], "dW1 has the shape"),
    ("central_difference", lambda f, x, eps: (f(x + eps) - f(x)) / eps, "slope: 1 of 1 entry is wrong"),
    ("central_difference", lambda f, x, eps: (f(x + eps) - f(x - eps)) / eps, "off by the factor 2"),
    ("central_difference", lambda f, x, eps: (f(x - eps) - f(x + eps)) / (2 * eps), "the wrong sign"),
    ("gradient_by_nudging", not_put_back, "it changes its input W"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps).T, "dW has the shape"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps) * 2, "dW: .* off by the factor 2"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical), "error: .* entries are wrong"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical) / abs(yours), "no finite numbers, the first "),
    ("relative_error", lambda yours, numerical: -relative_error(yours, numerical), "the wrong sign"),
    ("assign", lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2).argmax(axis=1), "labels: .* are wrong"),
    ("descend", lambda params, grads, rate: params + rate * grads, "params: .* are wrong"),
    ("descend", lambda params, grads, rate: params.__isub__(rate * grads), "it changes its input params"),
    ("descend", lambda params, grads, rate: rate * grads, "params: .* are wrong"),
    ("roll", lambda params, grads, velocity, rate, mu: (params - rate * velocity, mu * velocity + grads), "params: "),
    ("roll", lambda params, grads, velocity, rate, mu: params - rate * velocity, "should return params, velocity"),
    ("roll", lambda params, grads, velocity, rate, mu: roll(params, -grads, velocity, rate, mu), "velocity: .* wrong"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, v, t + 1, *more), "params: .* are wrong"),
    ("adapt", lambda p, g, m, v, t, *more: (p, *adapt(p, g, m, v, t, *more)[1:]), "params: .* are wrong"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, np.sqrt(v), t, *more), "v: .* are wrong"),
    ("assign", lambda X, centers: assign(X, centers) + 1, "labels: .* entries are wrong"),
    ("assign", lambda X, centers: ((X - centers) ** 2).sum(axis=1), "it raised ValueError.*: which of the shapes is "),
    ("update", lambda X, labels, centers: np.array([X[labels == k].mean(axis=0) for k in range(len(centers))]),
     "centers: .* entries are no finite numbers, the first at "),
    ("update", lambda X, labels, centers: np.array([X[labels == k].sum(axis=0) for k in range(len(centers))]),
     "centers: .* entries are wrong"),
    ("update", lambda X, labels, centers: update(X, labels, centers).mean(axis=0), "centers has the shape"),
    ("inertia", lambda X, labels, centers: ((X - centers[labels]) ** 2).mean(), "inertia: 1 of 1 entry is wrong"),
    ("inertia", lambda X, labels, centers: np.abs(X - centers[labels]).sum(), "inertia: 1 of 1 entry is wrong"),
    ("inertia", lambda X, labels, centers: (X - centers[labels]) ** 2, "inertia has the shape"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1), "labels: .* wrong"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).max(axis=2).argmin(axis=1), "labels: .* wrong"),
    ("kmeans", lambda X, centers: (assign(X, centers), centers), "centers: .* entries are wrong"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[1], "it should return labels, centers; it returns one ndarray"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[::-1], "labels has the shape .*; centers has the shape"),
    ("next_center", lambda X, centers: next_center(X, centers) ** 0.5, "probabilities: .* are wrong"),
    ("next_center", lambda X, centers: next_center(X, centers) * 2, "probabilities: .* off by the factor 2"),
    ("next_center", lambda X, centers: next_center(X, centers)[:, None], "probabilities has the shape"),
    ("find_bug", lambda *all: "dq", "it says 'dq', but 'd.' is wrong in this one, and nothing else: is your limit"),
    ("find_bug", lambda backward, dz, x, W, b: find_bug(backward, np.ones(dz.shape), x, W, b), "returns nothing"),
    ("find_bug", lambda *all: None, "not solved yet"),
    ("find_bug", lambda backward, dz, x, W, b: backward(dz, x, W), "it should return one word; it returns tuple"),
    ("autoencoder_backward", lambda *all: autoencoder_backward(*all)[:3], "it should return .*; it returns 3 values"),
]


@pytest.mark.parametrize("name, answer, words", MISTAKES)
def test_a_mistake_gets_its_line(name, answer, words):
    answer.__name__ = name
    for seed in range(3):
        with pytest.raises(CheckError, match=f"^{name}: ") as caught:
            check(answer, seed=seed)
        line = str(caught.value)
        assert re.search(words, line) and "\n" not in line, line
        assert caught.value._render_traceback_() == [line]


def test_at_least_three_mistakes_for_each_exercise():
    assert all(sum(mistake[0] == name for mistake in MISTAKES) >= 3 for name in EXERCISES)


def test_check_wants_the_function_of_an_exercise():
    for answer in (3, None, np.sin, lambda: 0):
        with pytest.raises(CheckError, match="check wants the function of an exercise, such as neuron; got"):
            check(answer)


def test_ctrl_c_in_an_answer_is_a_ctrl_c():
    def neuron(x, w, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(neuron)
