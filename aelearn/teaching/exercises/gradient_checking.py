"""The exercises of lesson 3. Shapes: N samples, D features, H units."""

import numpy as np

from aelearn.autoencoder import layers
from aelearn.teaching.costs import Faster
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


def _slightly_off(dz, x, W):
    dx, dW, db = layers.dense_backward(dz, x, W)
    return dx, 1.001 * dW, db


BUGGY = {"batch_mean": "dW", "wrong_sign": "dx", "ends_too_early": "db", "transposed": "dW", "forgets_a_sample": "dx",
         "_careless": "dx", "_slightly_off": "dW"}  # what each of them gets wrong


def _curve(rng, low=0.05, high=0.2):
    """A function whose derivatives are all far from 0, so that each formula, and each eps, gives another slope."""
    p, q = float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.5, 1))
    x, eps = float(rng.uniform(-1, 1)), float(rng.uniform(low, high))
    return [{"f": lambda x, sign=sign: np.exp(sign * p * x) + sign * q * x, "x": x, "eps": eps} for sign in (1, -1)]


def _central(f, x, eps):
    return (f(x + eps) - f(x - eps)) / (2 * eps)


def _curve_and_tiny_nudge(rng):
    """A nudge that is large enough to show which eps was used, and two that vanish beside x."""
    return [{**inputs, "eps": eps} for inputs in _curve(rng) for eps in (0.1, 1e-20, 1e-100)]


def _complex_step(f, x, eps):
    return f(x + 1j * eps).imag / eps


def _loss_of_a_matrix(rng):
    """A loss in which each entry's slope depends on all others, and a nudge large enough to show the curvature; and
    the same loss with the other sign."""
    d, h = sizes(rng, 2)
    U, V = rng.uniform(0.5, 1.5, (2, d, h))  # (D, H) each
    W, eps = rng.normal(size=(d, h)), float(rng.uniform(0.05, 0.2))
    return [{"loss": lambda W, sign=sign: float(sign * (np.sum(U * np.exp(W)) + 0.1 * np.sum(V * W) ** 2)),
             "W": W, "eps": eps} for sign in (1, -1)]


def _nudged(loss, W, eps, *, slope=_central, keep=False):
    """The slope for each entry of W; keep: entries that have been nudged stay so."""
    dW, kept = np.empty(W.shape), np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        direction = kept if keep else np.zeros(W.shape)
        direction[index] = 1
        dW[index] = slope(lambda t, direction=direction: loss(W + t * direction), 0, eps)
    return dW


def _all_at_once(loss, W, eps):
    return np.full(W.shape, _central(lambda t: loss(W + t), 0, eps))


def _forward(f, x, eps):
    return (f(x + eps) - f(x)) / eps


def _two_arrays(rng):
    """Numbers of all sizes; and pairs that tell the formulas for a relative error apart."""
    shape = tuple(sizes(rng, 2, low=3))
    yours = rng.normal(size=shape) * 10.0 ** rng.integers(-9, 3, shape)
    numerical = yours * (1 + rng.normal(size=shape) * 10.0 ** rng.integers(-8, 1, shape))
    yours.flat[:9], numerical.flat[:9] = np.transpose([
        (0, 0), (0, 1e-9), (1e-9, 3e-9), (2e-5, 3e-5), (3, 2), (2, 3), (-2, -3), (-3, 2), (0.5, 0)])
    return {"yours": yours, "numerical": numerical}


def _error(yours, numerical, *, size=lambda a, b: np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-8)):
    return np.abs(yours - numerical) / size(yours, numerical)


def _bugs(rng):
    """Backward passes, each with a bug: first those that tell typical mistakes of a check apart, one after the other.
    No entry of a gradient is near 0, where rounding would hide its digits."""
    smallest = 0
    while smallest < 0.03:
        n, d, h = sizes(rng, 3)
        inputs = numbers(rng, dz=(n, h), x=(n, d), W=(d, h), b=(h,))
        smallest = min(np.abs(gradient).min() for dz in (inputs["dz"], np.ones((n, h)))
                       for gradient in layers.dense_backward(dz, inputs["x"], inputs["W"]))
    batch_mean, wrong_sign, ends_too_early, transposed, forgets_a_sample = planted_bugs()
    return [{"backward": batch_mean, **inputs, "dz": np.ones((n, h))}, {"backward": ends_too_early, **inputs},
            {"backward": transposed, **inputs}, {"backward": _slightly_off, **inputs},
            {"backward": forgets_a_sample, **inputs, "dz": 1e-5 * inputs["dz"]},
            *({"backward": backward, **inputs} for backward in rng.permutation([wrong_sign, _careless, batch_mean]))]


def _no_name(word):
    return "" if word in ("dx", "dW", "db") else 'return nothing but the name: "dx", "dW" or "db"'


def _finds(differ, *, weighted=True):
    """A find_bug that calls a gradient wrong if differ(gradient, right one)."""
    def find(backward, dz, x, W, b):
        right = layers.dense_backward(dz if weighted else np.ones(dz.shape), x, W)
        return next((name for name, yours, gradient in zip(("dx", "dW", "db"), backward(dz, x, W), right)
                     if differ(yours, gradient)), None)
    return find


def _differ(yours, right, rtol=1e-5, atol=1e-9):
    return yours.shape != right.shape or not np.allclose(yours, right, rtol=rtol, atol=atol)


def _loss_and_direction(rng, d=None, h=None):
    """A loss with a slope and a curvature along V that are far from 0."""
    d, h = (d, h) if d else sizes(rng, 2, low=3)
    U, V = rng.uniform(0.5, 1.5, (2, d, h))  # (D, H) each
    V[0, 0] *= -1
    return {"loss": lambda W: float(np.sum(U * np.exp(W))), "W": rng.uniform(-1, 1, (d, h)), "V": V, "eps": 1e-3}


def _short_and_long_step(rng):
    """Two steps, of which the long one shows which eps was used. There V has only entries of 1 and -1: along it, the
    sum of all entries' nudges is the same, so that it is told to be slow, not wrong."""
    short = _loss_and_direction(rng)
    return [short, {**short, "V": np.sign(short["V"]), "eps": float(rng.uniform(0.1, 0.2))}]


def _along(loss, W, V, eps):
    return _central(lambda t: loss(W + t * V), 0, eps)


def _sum_of_nudges(loss, W, V, eps):
    return float(np.sum(_nudged(loss, W, eps) * V))


EXERCISES = {
    "central_difference": Exercise(_curve, ("slope",), answer=_central, mistakes={
        "that is the forward difference: look to both sides of x": _forward,
        "that looks back only: look to both sides of x": lambda f, x, eps: (f(x) - f(x - eps)) / eps,
        "how far apart are the two points? Divide by that distance": lambda f, x, eps: 2 * _central(f, x, eps),
        "a / 2 * eps is a / 2, times eps: put brackets around 2 * eps": lambda f, x, eps:
            eps**2 * _central(f, x, eps),
        "use the eps that you are given": lambda f, x, eps: _central(f, x, 1e-5),
    }),
    "complex_step": Exercise(_curve_and_tiny_nudge, ("slope",), answer=_complex_step, mistakes={
        "that is the central difference, 0 for a tiny eps: nudge x by 1j * eps": _central,
        "that is the forward difference, 0 for a tiny eps: nudge x by 1j * eps": _forward,
        "the imaginary part is eps times the slope: divide it by eps": lambda f, x, eps: eps * _complex_step(f, x, eps),
        "only one point is nudged, and by eps: why divide by 2?": lambda f, x, eps: _complex_step(f, x, eps) / 2,
        "that is the real part, which is about f(x): the slope is in the imaginary one": lambda f, x, eps:
            f(x + 1j * eps).real / eps,
        "use the eps that you are given": lambda f, x, eps: _complex_step(f, x, 1e-20),
    }),
    "gradient_by_nudging": Exercise(_loss_of_a_matrix, ("dW",), answer=_nudged, mistakes={
        "that is the forward difference: nudge each entry both up and down": lambda loss, W, eps: _nudged(
            loss, W, eps, slope=_forward),
        "it nudges all entries at once: nudge one, and leave the others as they are": _all_at_once,
        "are the entries of before still nudged? Put each back before the next one": lambda loss, W, eps: _nudged(
            loss, W, eps, keep=True),
        "use the eps that you are given": lambda loss, W, eps: _nudged(loss, W, 1e-5),
        "how far apart are the two points? Divide by that distance": lambda loss, W, eps: 2 * _nudged(loss, W, eps),
    }),
    "relative_error": Exercise(_two_arrays, ("error",), answer=_error, blank="never divide by less than 1e-8",
                               mistakes={
        "that is the absolute error: divide by the size of the numbers": lambda yours, numerical:
            np.abs(yours - numerical),
        "where both are 0 it is 0/0: never divide by less than 1e-8": lambda yours, numerical: _error(
            yours, numerical, size=lambda a, b: np.maximum(np.abs(a), np.abs(b))),
        "1e-8 is one of the three numbers in the maximum, not added to it": lambda yours, numerical: _error(
            yours, numerical, size=lambda a, b: np.maximum(np.abs(a), np.abs(b)) + 1e-8),
        "the larger of the two sizes is wanted: what if only one of them is small?": lambda yours, numerical: _error(
            yours, numerical, size=lambda a, b: np.maximum(np.minimum(np.abs(a), np.abs(b)), 1e-8)),
        "divide by the size of both, not of one of them alone": lambda yours, numerical: _error(
            yours, numerical, size=lambda a, b: np.maximum(np.abs(b), 1e-8)),
        "-3 is larger than 2 here: take absolute values before the maximum": lambda yours, numerical: _error(
            yours, numerical, size=lambda a, b: np.maximum(np.maximum(a, b), 1e-8)),
    }),
    "find_bug": Exercise(_bugs, ("name",), answer=lambda backward, *arrays: BUGGY[backward.__name__], look=_no_name,
                         mistakes={
        "where the loss is np.sum(z), dz is all ones; here it should be np.sum(dz * z)": _finds(
            _differ, weighted=False),
        "it misses a transposed gradient: compare shapes and entries, not sums": _finds(
            lambda yours, right: _differ(yours.sum(), right.sum())),
        "it misses a bug where gradients are small: is your tolerance absolute, not relative?": _finds(
            lambda yours, right: _differ(yours, right, atol=1e-4)),
        "it misses a gradient that is 0.1 % too large: is your tolerance too large?": _finds(
            lambda yours, right: _differ(yours, right, rtol=0.01)),
        "it misses a bug in the last entry: compare all entries": _finds(
            lambda yours, right: _differ(yours.flat[0], right.flat[0])),
        "it misses a backward pass that ignores dz: give it the dz that you get, not ones":
            lambda backward, dz, *arrays: _finds(_differ)(backward, np.ones(dz.shape), *arrays),
    }),
    "slope_along": Exercise(_short_and_long_step, ("slope",), answer=_along, mistakes={
        "that is the forward difference: move to both sides of W": lambda loss, W, V, eps: _forward(
            lambda t: loss(W + t * V), 0, eps),
        "it moves all entries alike: the step is eps * V": lambda loss, W, V, eps: _along(
            loss, W, np.ones(W.shape), eps),
        "V is used as it is: why divide by its length?": lambda loss, W, V, eps: _along(
            loss, W, V, eps) / np.linalg.norm(V),
        "use the eps that you are given": lambda loss, W, V, eps: _along(loss, W, V, 1e-5),
        "how many eps are the two points apart? Divide by that": lambda loss, W, V, eps: 2 * _along(loss, W, V, eps),
    }, costs=(Faster(lambda rng: _loss_and_direction(rng, 30, 20), _sum_of_nudges, "nudging each entry", 20),)),
}
