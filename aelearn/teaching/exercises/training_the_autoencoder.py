"""The exercises of lesson 4: a step of three optimisers, many steps at once, and an epoch of small batches.

Their correct answers are functions that the lesson also uses where an exercise is open. Shapes: P parameters, N images,
D pixels.
"""

import numpy as np

from aelearn.autoencoder import optim
from aelearn.teaching.costs import NoLoop
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def descend(params, grads, learning_rate):
    """The parameters (P,) after a step of gradient descent."""
    params = params.copy()
    optim.sgd_step(params, grads, learning_rate=learning_rate)
    return params


def many_steps(params, curvature, learning_rate, n_steps):
    """The parameters (P,) after n_steps of gradient descent on the sum of curvature * params**2 / 2.

    The gradient is curvature * params, so each step multiplies each parameter by the same number.
    """
    return params * (1 - learning_rate * curvature) ** n_steps


def roll(params, grads, velocity, learning_rate, momentum):
    """The parameters and the velocity, both (P,), after a step with momentum."""
    params, velocity = params.copy(), velocity.copy()
    optim.momentum_step(params, grads, velocity, learning_rate=learning_rate, momentum=momentum)
    return params, velocity


def adapt(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    """The parameters, m and v, all (P,), after step t of Adam."""
    params, m, v = params.copy(), m.copy(), v.copy()
    optim.adam_step(params, grads, m, v, t, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)
    return params, m, v


def one_epoch(params, images, order, batch_size, gradient, step):
    """The parameters (P,) after a step for each batch of images (N, D), which are taken in the given order (N,).

    gradient(params, x) is the gradient (P,) of the loss on images x; step(params, grads) returns new parameters.
    """
    for start in range(0, len(order), batch_size):
        params = step(params, gradient(params, images[order[start:start + batch_size]]))
    return params


def _step(rng, n, *more):
    names = {"params": (n,), "grads": (n,), **dict.fromkeys(more, (n,))}
    return {**numbers(rng, **names), "learning_rate": float(rng.uniform(0.1, 0.5))}


def _descent(rng):
    return [_step(rng, n) for n in (*sizes(rng, 1, low=3), 7)]


def _rolling(rng):
    return [{**_step(rng, n, "velocity"), "momentum": float(rng.uniform(0.5, 0.95))}
            for n in (*sizes(rng, 1, low=3), 7)]


def _adapting(rng):
    """Step 2 to 4; the first one, from m = v = 0, with a gradient that is 0, as that of a pixel that is always black;
    and a late one. epsilon is so large that it matters where it is added."""
    inputs = []
    for n, t in zip(sizes(rng, 3, low=3), (int(rng.integers(2, 5)), 1, int(rng.integers(100, 200)))):
        step = _step(rng, n, "m", "v")
        learning_rate, step["v"] = step.pop("learning_rate"), np.abs(step["v"])
        if t == 1:
            step |= {"m": np.zeros(n), "v": np.zeros(n)}
            step["grads"][rng.integers(n)] = 0
        inputs.append({**step, "t": t, "learning_rate": learning_rate, "beta1": float(rng.uniform(0.5, 0.8)),
                       "beta2": float(rng.uniform(0.9, 0.99)), "epsilon": 0.01})
    return inputs


def _many(rng):
    """Numbers of steps that are 0, odd and even, and curvatures some of which are so large that a step jumps across
    the valley, and farther away than before."""
    inputs = []
    for n_steps in (int(rng.choice((3, 5))), int(rng.choice((4, 6))), 0):
        (n,) = sizes(rng, 1, low=3)
        learning_rate = float(rng.uniform(0.05, 0.2))
        factors = np.concatenate([rng.uniform(0.3, 0.9, n - 2), rng.uniform(-0.9, -0.3, 1), rng.uniform(-1.6, -1.2, 1)])
        inputs.append({**numbers(rng, params=(n,)), "curvature": (1 - rng.permutation(factors)) / learning_rate,
                       "learning_rate": learning_rate, "n_steps": n_steps})
    return inputs


def _many_more(rng):
    return {**numbers(rng, params=(3,)), "curvature": rng.uniform(1, 20, 3), "learning_rate": 0.05, "n_steps": 5000}


def _epochs(rng):
    """A last batch that is short, one that is full, one batch that would have room for more, and batches of one."""
    size = int(rng.integers(3, 6))
    short = size * int(rng.integers(2, 4)) + int(rng.integers(1, size - 1))  # N: never the same as N in equal parts
    inputs = []
    for n, batch_size in ((short, size), (3 * size, size), (size, size + 2), (size + 1, 1)):
        params, images = rng.normal(size=4), rng.normal(size=(n, 4))
        inputs.append({"params": params, "images": images, "order": _order(rng, n, batch_size),
                       "batch_size": batch_size, "gradient": _gradient, "step": _small_step})
    return inputs


def _order(rng, n, batch_size):
    """A random order that makes other batches than its inverse, than no order at all, and than each from its end."""
    def batches(order):
        return [set(order[start:start + batch_size].tolist()) for start in range(0, n, batch_size)]

    while True:
        order = rng.permutation(n)
        orders = (order, np.argsort(order), np.arange(n))
        orders = [batches(some[::way]) for some in orders for way in (1, -1)]
        if batch_size >= n or all(other != orders[0] for other in orders[1:]):
            return order


def _gradient(params, x):
    return x.T @ (np.tanh(x @ params) - 0.5) / len(x)


def _small_step(params, grads):
    return params - 0.5 * np.tanh(3 * grads)  # as in Adam, steps along two gradients are not a step along their sum


def _adapted(params, grads, m, v, t, rate, beta1, beta2, epsilon, *, g_squared=None, corrects=True, root=np.sqrt,
             inside=0.0):
    """Adam, with the mistakes that the last arguments make."""
    m = beta1 * m + (1 - beta1) * grads
    v = beta2 * v + (1 - beta2) * (grads**2 if g_squared is None else g_squared)
    m_hat, v_hat = (m / (1 - beta1**t), v / (1 - beta2**t)) if corrects else (m, v)
    return params - rate * m_hat / (root(v_hat + inside) + epsilon * (not inside)), m, v


def _without_correction(*a):
    return _adapted(*a, corrects=False)


def _epsilon_inside(*a):
    return _adapted(*a, inside=a[-1])


def _no_root(*a):
    return _adapted(*a, root=lambda v_hat: v_hat)


def _not_squared(*a):
    return _adapted(*a, g_squared=a[1])


def _one_step_late(params, grads, m, v, t, *more):
    return _adapted(params, grads, m, v, t + 1, *more)


def _corrected(params, grads, m, v, t, rate, beta1, beta2, epsilon):
    params, m, v = _adapted(params, grads, m, v, t, rate, beta1, beta2, epsilon)
    return params, m / (1 - beta1**t), v / (1 - beta2**t)


def _without_the_rest(params, images, order, batch_size, gradient, step):
    return one_epoch(params, images, order[:len(order) // batch_size * batch_size], batch_size, gradient, step)


def _not_shuffled(params, images, order, *more):
    return one_epoch(params, images, np.arange(len(images)), *more)


def _unchanged(params, *more):
    return params


def _of_all_images(params, images, order, batch_size, gradient, step):
    return one_epoch(params, images, order, batch_size, lambda params, x: gradient(params, images), step)


def _from_the_start(params, images, order, batch_size, gradient, step):
    return one_epoch(params, images, order, batch_size, lambda _, x: gradient(params, x), step)


def _a_single_step(params, images, order, batch_size, gradient, step):
    starts = range(0, len(order), batch_size)
    return step(params, sum(gradient(params, images[order[start:start + batch_size]]) for start in starts))


EXERCISES = {
    "descend": Exercise(_descent, ("params",), answer=descend, mistakes={
        "this goes uphill: the gradient points in the direction in which the loss grows":
            lambda params, grads, rate: params + rate * grads,
        "how long is the step? The learning rate is missing": lambda params, grads, rate: params - grads,
        "that is the step alone: which parameters does it lead to?": lambda params, grads, rate: -rate * grads,
        "that is the step alone, and uphill: where does it start?": lambda params, grads, rate: rate * grads,
        "the learning rate multiplies the gradient, and nothing else":
            lambda params, grads, rate: rate * (params - grads),
        "a steeper slope makes a longer step: the size of the gradient counts, not only its sign":
            lambda params, grads, rate: params - rate * np.sign(grads)}),
    "many_steps": Exercise(_many, ("params",), answer=many_steps, costs=(NoLoop(_many_more),), mistakes={
        "those are steps along the first gradient, but the gradient changes after each step":
            lambda params, curvature, rate, n_steps: params - n_steps * rate * curvature * params,
        "that is a single step; what do the next ones multiply by?":
            lambda params, curvature, rate, n_steps: params - rate * curvature * params,
        "the gradient is curvature * params: where is the curvature?":
            lambda params, curvature, rate, n_steps: params * (1 - rate) ** n_steps,
        "exp(-x) is close to 1 - x for a small x only; these steps are not small":
            lambda params, curvature, rate, n_steps: params * np.exp(-rate * curvature * n_steps),
        "each step multiplies by the same number: the power is of that number, not of params":
            lambda params, curvature, rate, n_steps: (params * (1 - rate * curvature)) ** n_steps,
        "it goes uphill: does a step add the gradient, or subtract it?":
            lambda params, curvature, rate, n_steps: params * (1 + rate * curvature) ** n_steps}),
    "roll": Exercise(_rolling, ("params", "velocity"), answer=roll, mistakes={
        "the step uses the old velocity; which one does the equation use?":
            lambda params, grads, velocity, rate, momentum: (params - rate * velocity, momentum * velocity + grads),
        "is the gradient scaled in the equation of the velocity?":
            lambda params, grads, velocity, rate, momentum:
                roll(params, (1 - momentum) * grads, velocity, rate, momentum),
        "another convention: here the velocity adds up gradients, and the learning rate comes after it":
            lambda params, grads, velocity, rate, momentum:
                (params + momentum * velocity - rate * grads, momentum * velocity - rate * grads),
        "the learning rate belongs to the step, not to the velocity":
            lambda params, grads, velocity, rate, momentum:
                (params - momentum * velocity - rate * grads, momentum * velocity + rate * grads),
        "does the old velocity never fade? What is momentum for?":
            lambda params, grads, velocity, rate, momentum: roll(params, grads, velocity, rate, 1.0),
        "what does momentum multiply, the old velocity or the gradient?":
            lambda params, grads, velocity, rate, momentum:
                roll(params, momentum * grads, velocity, rate, 1.0)}),
    "adapt": Exercise(_adapting, ("params", "m", "v"), answer=adapt,
                      blank="is the correction 1 - beta**t, with a power?", mistakes={
        "m and v start at 0 and are too small at first: what corrects that?": _without_correction,
        "the square root is of v_hat alone: where is epsilon added?": _epsilon_inside,
        "t is the number of this step already: do not add 1": _one_step_late,
        "the gradient is divided by its size, not by its square: where is the root?": _no_root,
        "v is a running mean of the square of the gradient": _not_squared,
        "return it as it is before the correction, which is for this step only": _corrected}),
    "one_epoch": Exercise(_epochs, ("params",), answer=one_epoch, blank="is there an empty batch?", mistakes={
        "which images are in no batch? The last batch may be smaller": _without_the_rest,
        "the images are in batches as they came: where is the order used?": _not_shuffled,
        "those are the params you were given: step changes nothing, it returns new ones": _unchanged,
        "the gradient is that of all images: a step needs only its batch": _of_all_images,
        "each gradient is at the initial params: a step starts where the last one ended": _from_the_start,
        "that is a single step along the sum of all gradients: make one after each batch": _a_single_step}),
}
