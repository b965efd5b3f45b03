"""Right answers to the exercises of lesson 3, and typical mistakes."""

import numpy as np

from aelearn.autoencoder import layers


def central_difference(f, x, eps):
    return (f(x + eps) - f(x - eps)) / eps / 2


def gradient_by_nudging(loss, W, eps):
    return np.array([[central_difference(lambda w: loss(np.where(at(W, i, j), w, W)), W[i, j], eps)
                      for j in range(W.shape[1])] for i in range(W.shape[0])])


def relative_error(yours, numerical):
    return abs(yours - numerical) / np.maximum(1e-8, np.maximum(abs(yours), abs(numerical)))


def find_bug(backward, dz, x, W, b):
    for name, wrong, right_one in zip(("dx", "dW", "db"), backward(dz, x, W), layers.dense_backward(dz, x, W)):
        if not np.array_equal(wrong, right_one):
            return name


def complex_step(f, x, eps):
    return np.imag(f(complex(x, eps))) / eps


def slope_along(loss, W, V, eps):
    return sum(sign * loss(W + sign * eps * V) for sign in (1, -1)) / eps / 2


def at(W, i, j):
    mask = np.zeros(W.shape, bool)
    mask[i, j] = True
    return mask


def not_put_back(loss, W, eps):
    for index in np.ndindex(W.shape):
        W[index] += eps
    return W


def nudged_and_added(loss, W, V, eps):
    return np.sum(gradient_by_nudging(loss, W, eps) * V)


def into_W(loss, W, V, eps):
    W += eps * V
    return loss(W)


RIGHT = (central_difference, complex_step, gradient_by_nudging, relative_error, find_bug, slope_along)
MISTAKES = [  # exercise, answer, what the line says
    ("central_difference", lambda f, x, eps: (f(x + eps) + f(x - eps)) / (2 * eps), "slope: yours"),
    ("central_difference", lambda f, x, eps: f(x + eps) - f(x - eps), "slope: yours"),
    ("central_difference", lambda f, x, eps: (f(x - eps) - f(x + eps)) / (2 * eps), "the wrong sign"),
    ("central_difference", lambda f, x, eps: f(x + eps) - f(x - eps) / (2 * eps), "slope: yours"),
    ("complex_step", lambda f, x, eps: f(x + 1j * eps) / eps, "it should be a number; yours is a complex number"),
    ("complex_step", lambda f, x, eps: f(x + 1j * eps).imag / 1e-20, "slope: yours"),
    ("complex_step", lambda f, x, eps: -f(x + 1j * eps).imag / eps, "the wrong sign"),
    ("gradient_by_nudging", not_put_back, "it changes its input W"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps).T, "its shape is"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps) / 2, "dW: .* off by the factor 0.5"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical) / (abs(yours) + abs(numerical) + 1e-8),
     "error: .* wrong"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical) / abs(yours), "not finite, the first "),
    ("relative_error", lambda yours, numerical: -relative_error(yours, numerical), "the wrong sign"),
    ("relative_error", lambda yours, numerical: relative_error(yours, numerical).max(),
     "it is a single number; its shape should be"),
    ("slope_along", nudged_and_added, "it returns the right result, but is only .* as fast as nudging each entry; aim"),
    ("slope_along", into_W, "it changes its input W"),
    ("slope_along", lambda loss, W, V, eps: slope_along(loss, W, abs(V), eps), "slope: yours"),
    ("slope_along", lambda loss, W, V, eps: slope_along(loss, W, V, eps) * V, "it should be a single number"),
    ("find_bug", lambda *all: "db", "it says 'db', but in this one 'd.' is wrong: is your tol"),
    ("find_bug", lambda *all: find_bug(*all).upper(), 'find_bug: return nothing but the name: "dx", "dW" or "db"$'),
    ("find_bug", lambda *all: f"{find_bug(*all)} is wrong", "find_bug: return nothing but the name"),
    ("slope_along", lambda loss, W, V, eps: slope_along(loss, W, V, 1e-6), "slope: use the eps that you are given"),
    ("slope_along", lambda loss, W, V, eps: (4 * slope_along(loss, W, V, eps) - slope_along(loss, W, V, 2 * eps)) / 3,
     "slope: yours|slope: use the eps"),
    ("find_bug", lambda backward, dz, x, W, b: find_bug(backward, np.ones(dz.shape), x, W, b),
     "it misses a backward pass that ignores dz"),
    ("find_bug", lambda *all: "dx", "it says 'dx', but in this one 'dW' is wrong"),
    ("find_bug", lambda *all: int("dx"), "it raised ValueError"),
    ("find_bug", lambda backward, *all: {2: "dW"}.get(backward(*all[:-1])[0].ndim), "but in this one 'db' is wrong"),
    ("find_bug", lambda *all: None, "not solved yet"),
    ("find_bug", lambda backward, dz, x, W, b: backward(dz, x, W), "it should return one word; it returns a tuple"),
]
