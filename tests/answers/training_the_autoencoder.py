"""Right answers to the exercises of lesson 4, and typical mistakes."""

import numpy as np


def descend(params, grads, learning_rate):
    return params - grads * learning_rate


def roll(params, grads, velocity, learning_rate, momentum):
    return params - learning_rate * (grads + velocity * momentum), grads + velocity * momentum


def adapt(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    m, v = m + (1 - beta1) * (grads - m), v + (1 - beta2) * (grads**2 - v)
    return params - learning_rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon), m, v


RIGHT = (descend, roll, adapt)
MISTAKES = [  # exercise, answer, what the line says
    ("descend", lambda params, grads, rate: params + rate * grads, "params: .* wrong"),
    ("descend", lambda params, grads, rate: params.__isub__(rate * grads), "it changes its input params"),
    ("descend", lambda params, grads, rate: rate * grads, "params: .* wrong"),
    ("roll", lambda params, grads, velocity, rate, mu: (params - rate * velocity, mu * velocity + grads), "params: "),
    ("roll", lambda params, grads, velocity, rate, mu: params - rate * velocity, "should return params, velocity"),
    ("roll", lambda params, grads, velocity, rate, mu: roll(params, -grads, velocity, rate, mu),
     "velocity is wrong too"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, v, t + 1, *more), "params: .* wrong"),
    ("adapt", lambda p, g, m, v, t, *more: (p, *adapt(p, g, m, v, t, *more)[1:]), "params: .* wrong"),
    ("adapt", lambda p, g, m, v, t, *more: adapt(p, g, m, np.sqrt(v), t, *more), "v is wrong too"),
]
