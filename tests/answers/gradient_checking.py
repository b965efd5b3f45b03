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


def at(W, i, j):
    mask = np.zeros(W.shape, bool)
    mask[i, j] = True
    return mask


def not_put_back(loss, W, eps):
    for index in np.ndindex(W.shape):
        W[index] += eps
    return W


RIGHT = (central_difference, gradient_by_nudging, relative_error, find_bug)
MISTAKES = [  # exercise, answer, what the line says
    ("central_difference", lambda f, x, eps: (f(x + eps) - f(x)) / eps, "slope: yours"),
    ("central_difference", lambda f, x, eps: (f(x + eps) - f(x - eps)) / eps, "off by the factor 2"),
    ("central_difference", lambda f, x, eps: (f(x - eps) - f(x + eps)) / (2 * eps), "the wrong sign"),
    ("gradient_by_nudging", not_put_back, "it changes its input W"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps).T, "its shape is"),
    ("gradient_by_nudging", lambda loss, W, eps: gradient_by_nudging(loss, W, eps) * 2, "dW: .* off by the factor 2"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical), "error: .* wrong"),
    ("relative_error", lambda yours, numerical: abs(yours - numerical) / abs(yours), "not finite, the first "),
    ("relative_error", lambda yours, numerical: -relative_error(yours, numerical), "the wrong sign"),
    ("find_bug", lambda *all: "dq", "it says 'dq', but in this one 'd.' is wrong: is your tol"),
    ("find_bug", lambda backward, dz, x, W, b: find_bug(backward, np.ones(dz.shape), x, W, b), "returns nothing"),
    ("find_bug", lambda *all: None, "not solved yet"),
    ("find_bug", lambda backward, dz, x, W, b: backward(dz, x, W), "it should return one word; it returns tuple"),
]
