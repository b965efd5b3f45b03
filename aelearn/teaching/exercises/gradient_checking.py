"""The exercises of lesson 3. Shapes: N samples, D features, H units."""

import numpy as np

from aelearn import gradcheck
from aelearn.autoencoder import layers
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def planted_bugs():
    """Five wrong backwards of a dense layer, backward(dz, x, W) -> dx, dW, db, each with one mistake."""
    def batch_mean(dz, x, W):
        dx, dW, db = layers.dense_backward(dz, x, W)
        return dx, dW / len(x), db

    def wrong_sign(dz, x, W):
        dx, dW, db = layers.dense_backward(dz, x, W)
        return -dx, dW, db

    def ends_too_early(dz, x, W):
        dx, dW, db = layers.dense_backward(dz, x, W)
        db[-1] = 0
        return dx, dW, db

    def transposed(dz, x, W):
        dx, dW, db = layers.dense_backward(dz, x, W)
        return dx, dW.T, db

    def forgets_a_sample(dz, x, W):
        dx, dW, db = layers.dense_backward(dz, x, W)
        dx[-1] = 0
        return dx, dW, db

    return [batch_mean, wrong_sign, ends_too_early, transposed, forgets_a_sample]


def _careless(dz, x, W):
    """Passes every check whose dz is all ones."""
    dx, dW, db = layers.dense_backward(dz, x, W)
    return np.ones(dz.shape) @ W.T, dW, db


BUGGY = {"batch_mean": "dW", "wrong_sign": "dx", "ends_too_early": "db", "transposed": "dW", "forgets_a_sample": "dx",
         "_careless": "dx"}  # what each of them gets wrong


def _curve(rng):
    p, q = rng.normal(size=2)
    return {"f": lambda x: np.sin(p * x) + q * x**3, "x": float(rng.normal()), "eps": float(rng.uniform(1e-3, 1e-2))}


def _loss_of_a_matrix(rng):
    d, h = sizes(rng, 2)
    U = rng.normal(size=(d, h))
    return {"loss": lambda W: float(np.sum(U * np.tanh(W))), "W": rng.normal(size=(d, h)), "eps": 1e-5}


def _nudged(loss, W, eps):
    return gradcheck.numerical_gradient(lambda params: loss(params["W"]), {"W": W.copy()}, "W")[0]


def _two_arrays(rng):
    shape = tuple(sizes(rng, 2))
    yours = rng.normal(size=shape) * 10.0 ** rng.integers(-9, 3, shape)
    numerical = yours * (1 + rng.normal(size=shape) * 10.0 ** rng.integers(-8, 1, shape))
    yours[0, 0] = numerical[0, 0] = 0
    return {"yours": yours, "numerical": numerical}


def _a_bug(rng):
    n, d, h = sizes(rng, 3)
    backwards = [*planted_bugs(), _careless]
    rng.shuffle(backwards)
    return [{"backward": backward, **numbers(rng, dz=(n, h), x=(n, d), W=(d, h), b=(h,))} for backward in backwards]


EXERCISES = {
    "central_difference": Exercise(_curve, ("slope",), answer=lambda f, x, eps: (f(x + eps) - f(x - eps)) / (2 * eps)),
    "gradient_by_nudging": Exercise(_loss_of_a_matrix, ("dW",), answer=_nudged),
    "relative_error": Exercise(_two_arrays, ("error",),
                               answer=lambda yours, numerical: gradcheck.relative_error(yours, numerical, 1e-8)),
    "find_bug": Exercise(_a_bug, ("name",), answer=lambda backward, *arrays: BUGGY[backward.__name__]),
}
