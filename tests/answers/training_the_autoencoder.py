"""Right answers to the exercises of lesson 4, and typical mistakes."""

import numpy as np


def descend(params, grads, learning_rate):
    return params - grads * learning_rate


def many_steps(params, curvature, learning_rate, n_steps):
    return params * np.prod([1 - learning_rate * curvature] * n_steps, axis=0)


def roll(params, grads, velocity, learning_rate, momentum):
    return params - learning_rate * (grads + velocity * momentum), grads + velocity * momentum


def adapt(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    m, v = m + (1 - beta1) * (grads - m), v + (1 - beta2) * (grads**2 - v)
    return params - learning_rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon), m, v


def one_epoch(params, images, order, batch_size, gradient, step):
    for rows in np.split(order, range(batch_size, len(images), batch_size)):
        params = step(params, gradient(params, images[rows]))
    return params


def step_by_step(params, curvature, learning_rate, n_steps):
    for _ in range(n_steps):
        params = params - learning_rate * curvature * params
    return params


def in_equal_parts(params, images, order, batch_size, gradient, step):
    for rows in np.array_split(order, -(-len(order) // batch_size)):
        params = step(params, gradient(params, images[rows]))
    return params


def with_an_empty_batch(params, images, order, batch_size, gradient, step):
    for number in range(len(order) // batch_size + 1):
        rows = order[number * batch_size:(number + 1) * batch_size]
        params = step(params, gradient(params, images[rows]))
    return params


def of_its_own_order(params, images, order, *more):
    return one_epoch(params, images, np.random.default_rng(0).permutation(len(order)), *more)


def of_the_inverse_order(params, images, order, *more):
    return one_epoch(params, images, np.argsort(order), *more)


def never_assigned(params, images, order, batch_size, gradient, step):
    for start in range(0, len(images), batch_size):
        step(params, gradient(params, images[order[start:start + batch_size]]))
    return params


def times_instead_of_power(params, grads, m, v, t, rate, beta1, beta2, epsilon):
    m, v = beta1 * m + (1 - beta1) * grads, beta2 * v + (1 - beta2) * grads**2
    with np.errstate(all="ignore"):
        return params - rate * m / (1 - beta1 * t) / (np.sqrt(v / (1 - beta2 * t)) + epsilon), m, v


RIGHT = (descend, many_steps, roll, adapt, one_epoch)
MISTAKES = [  # exercise, answer, what the line says
    ("descend", lambda params, grads, rate: params.__isub__(rate * grads), "it changes its input params"),
    ("descend", lambda params, grads, rate: params - rate * grads.mean(), "params: .* wrong"),
    ("descend", lambda params, grads, rate: params - grads / rate, "params: .* wrong"),
    ("many_steps", step_by_step, r"it returns the right result, but runs 10,\d+ lines of Python for it: where is the"),
    ("many_steps", lambda p, h, rate, n: p * (1 - rate * h) ** (n - 1), "params: .* wrong"),
    ("many_steps", lambda p, h, rate, n: p * (1 - rate * h.max()) ** n, "params: .* wrong"),
    ("many_steps", lambda p, h, rate, n: p * np.abs(1 - rate * h) ** n, "params: .* wrong"),
    ("many_steps", lambda p, h, rate, n: p * np.maximum(1 - rate * h, 0) ** n, "params: .* wrong"),
    ("roll", lambda params, grads, velocity, rate, mu: params - rate * velocity, "should return params, velocity"),
    ("roll", lambda params, grads, velocity, rate, mu: roll(params, grads, velocity, rate, mu)[::-1], "the order in"),
    ("roll", lambda params, grads, velocity, rate, mu: roll(params, -grads, velocity, rate, mu),
     "also wrong: velocity"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, v, t - 1, *more), "params: .* wrong"),
    ("adapt", lambda p, g, m, v, t, *more: (p, *adapt(p, g, m, v, t, *more)[1:]), "params: .* wrong"),
    ("adapt", lambda *a: adapt(*a[:-1], 0.0), "params: .* wrong"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, v, t, *more) if t > 1 else (p / 0, m, v), "not finite"),
    ("adapt", times_instead_of_power, r"not finite.*; is the correction 1 - beta\*\*t, with a power\?"),
    ("one_epoch", of_the_inverse_order, "params: .* wrong"),
    ("one_epoch", never_assigned, "those are the params you were given"),
    ("one_epoch", in_equal_parts, "params: .* wrong"),
    ("one_epoch", with_an_empty_batch, "params: 4 of 4 are not finite.*; is there an empty batch?"),
    ("one_epoch", of_its_own_order, "params: .* wrong"),
    ("one_epoch", lambda params, *a: [one_epoch(params, *a)], r"its shape is \(1, 4\) instead of \(4,\)"),
]
