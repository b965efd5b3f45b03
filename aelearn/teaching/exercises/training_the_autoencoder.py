"""The exercises of lesson 4: a step of three optimisers."""

import numpy as np

from aelearn.autoencoder import optim
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def _step(rng, *more):
    (n,) = sizes(rng, 1)
    names = {"params": (n,), "grads": (n,), **dict.fromkeys(more, (n,))}
    return {**numbers(rng, **names), "learning_rate": float(rng.uniform(0.01, 0.5))}


def _descent(rng):
    return _step(rng)


def _rolling(rng):
    return {**_step(rng, "velocity"), "momentum": float(rng.uniform(0.5, 0.95))}


def _adapting(rng):
    numbers = _step(rng, "m", "v")
    learning_rate = numbers.pop("learning_rate")
    return {**numbers, "v": np.abs(numbers["v"]), "t": int(rng.integers(1, 9)), "learning_rate": learning_rate,
            "beta1": float(rng.uniform(0.5, 0.95)), "beta2": float(rng.uniform(0.5, 0.99)), "epsilon": 1e-3}


def _rolled(params, grads, velocity, learning_rate, momentum):
    velocity = momentum * velocity + grads
    return params - learning_rate * velocity, velocity


def _adapted(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    params, m, v = params.copy(), m.copy(), v.copy()
    optim.adam_step(params, grads, m, v, t, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)
    return params, m, v


EXERCISES = {
    "descend": Exercise(_descent, ("params",), answer=lambda params, grads, rate: params - rate * grads),
    "roll": Exercise(_rolling, ("params", "velocity"), answer=_rolled),
    "adapt": Exercise(_adapting, ("params", "m", "v"), answer=_adapted),
}
