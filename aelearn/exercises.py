"""The exercises of the lessons: what goes into each function, and what must come out. checks.py compares.

Inputs are random, and their sizes are uneven: no wrong product fits by accident, and no mistake hides behind ones and
zeros. Shapes: N samples, D features, H units, C code size.
"""

import inspect
from dataclasses import dataclass

import numpy as np

from aelearn import gradcheck, layers, lloyd, losses, optim

RTOL = 1e-6  # relative error that counts as right; answers are computed in float64


@dataclass(frozen=True)
class Exercise:
    """A function that a learner writes.

    inputs    inputs(rng) makes the arguments, in order: {name: array or number}, or a list of such dicts, all of which
              are tried. Arguments with a leading underscore are for `forward` alone
    outputs   the names of what it returns
    answer    what a right one returns for these arguments; None where the outputs are gradients
    forward   for gradients: the function whose derivative is asked for, of the arguments other than `upstream`. An
              output "dW" is the derivative of sum(upstream * forward) by the argument "W"
    upstream  the argument that holds the derivative by the function's output; None if that is a number, the loss
    """

    inputs: object
    outputs: tuple
    answer: object = None
    forward: object = None
    upstream: str | None = None

    def wanted(self, arguments):
        """The right outputs, {name: array}, and how exact each is known: {name: absolute error}."""
        if self.answer is not None:
            values = self.answer(*arguments.values())
            values = values if len(self.outputs) > 1 else (values,)
            return dict(zip(self.outputs, values)), dict.fromkeys(self.outputs, 1e-12)
        upstream = 1.0 if self.upstream is None else arguments[self.upstream]
        names = list(inspect.signature(self.forward).parameters)
        params = {name: np.array(arguments.get(name, arguments.get("_" + name)), np.float64) for name in names}

        def loss(params):
            return float(np.sum(upstream * self.forward(**params)))

        values = {"d" + name: gradcheck.numerical_gradient(loss, params, name)[0] for name in names}
        exact = 1e-10 * max(1.0, abs(loss(params))) / RTOL
        return {name: values[name] for name in self.outputs}, dict.fromkeys(self.outputs, exact)


def _numbers(rng, **shapes):
    """Random arrays of these shapes; () is a number."""
    return {name: rng.normal(size=shape) if shape else float(rng.normal()) for name, shape in shapes.items()}


def _sizes(rng, n, low=2, high=7):
    """n different sizes: no product of arrays fits by accident."""
    return [int(size) for size in rng.permutation(np.arange(low, high))[:n]]


def _neuron(rng):
    (d,) = _sizes(rng, 1)
    return _numbers(rng, x=(d,), w=(d,), b=())


def _neuron_output(x, w, b):
    return 1 / (1 + np.exp(-(w @ x + b)))


def _neuron_backward(rng):
    numbers = _neuron(rng)
    a = float(_neuron_output(**numbers))
    return {"da": float(rng.normal()), "x": numbers["x"], "w": numbers["w"], "a": a, "_b": numbers["b"]}


def _dense(rng):
    n, d, h = _sizes(rng, 3)
    return _numbers(rng, x=(n, d), W=(d, h), b=(h,))


def _dense_backward(rng):
    n, d, h = _sizes(rng, 3)
    return _numbers(rng, dz=(n, h), x=(n, d), W=(d, h), _b=(h,))


def _activation_backward(rng):
    n, h = _sizes(rng, 2)
    return {"da": rng.normal(size=(n, h)), "a": layers.sigmoid(rng.normal(size=(n, h)))}


def _loss(rng):
    n, d = _sizes(rng, 2)
    return {"a": rng.random((n, d)), "x": rng.random((n, d))}


def _network(rng):
    n, d, c = _sizes(rng, 3)
    return {"x": rng.random((n, d)), **_numbers(rng, W1=(d, c), b1=(c,), W2=(c, d), b2=(d,))}


def _network_loss(x, W1, b1, W2, b2):
    code = layers.sigmoid(x @ W1 + b1)  # (N, C)
    return losses.mean_squared_error(layers.sigmoid(code @ W2 + b2), x)


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
    """Looks right to a judge who gives it ones."""
    dx, dW, db = layers.dense_backward(dz, x, W)
    return np.ones(dz.shape) @ W.T, dW, db


BUGGY = {"batch_mean": "dW", "wrong_sign": "dx", "ends_too_early": "db", "transposed": "dW", "forgets_a_sample": "dx",
         "_careless": "dx"}  # what each of them gets wrong


def _curve(rng):
    p, q = rng.normal(size=2)
    return {"f": lambda x: np.sin(p * x) + q * x**3, "x": float(rng.normal()), "eps": float(rng.uniform(1e-3, 1e-2))}


def _loss_of_a_matrix(rng):
    d, h = _sizes(rng, 2)
    U = rng.normal(size=(d, h))
    return {"loss": lambda W: float(np.sum(U * np.tanh(W))), "W": rng.normal(size=(d, h)), "eps": 1e-5}


def _nudged(loss, W, eps):
    return gradcheck.numerical_gradient(lambda params: loss(params["W"]), {"W": W.copy()}, "W")[0]


def _two_arrays(rng):
    shape = tuple(_sizes(rng, 2))
    yours = rng.normal(size=shape) * 10.0 ** rng.integers(-9, 3, shape)
    numerical = yours * (1 + rng.normal(size=shape) * 10.0 ** rng.integers(-8, 1, shape))
    yours[0, 0] = numerical[0, 0] = 0
    return {"yours": yours, "numerical": numerical}


def _a_bug(rng):
    n, d, h = _sizes(rng, 3)
    backwards = [*planted_bugs(), _careless]
    rng.shuffle(backwards)
    return [{"backward": backward, **_numbers(rng, dz=(n, h), x=(n, d), W=(d, h), b=(h,))} for backward in backwards]


def _step(rng, *more):
    (n,) = _sizes(rng, 1)
    names = {"params": (n,), "grads": (n,), **dict.fromkeys(more, (n,))}
    return {**_numbers(rng, **names), "learning_rate": float(rng.uniform(0.01, 0.5))}


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


def _points_and_centers(rng):
    n, d, k = _sizes(rng, 3)
    X = rng.normal(size=(3 * n, d)) + 2 * rng.integers(-1, 2, (3 * n, 1))
    return {"X": X, "centers": X[rng.choice(len(X), k, replace=False)] + 0.1 * rng.normal(size=(k, d))}


def _to_assign(rng):
    """Random points; and two where another measure of distance would find another centre."""
    return [_points_and_centers(rng), {"X": np.zeros((1, 2)), "centers": np.array([[3.0, 3], [5, 0]])},
            {"X": np.zeros((1, 2)), "centers": np.array([[3.0, 3], [4, 0]])}]


def _labels(X, centers):
    return lloyd.assign(X, centers, np.ones(len(X)))[0]


def _points_and_labels(rng):
    points = _points_and_centers(rng)
    labels = rng.integers(0, len(points["centers"]), len(points["X"]))
    labels[labels == 1] = 0  # cluster 1 is empty: its centre stays
    return {"X": points["X"], "labels": labels, "centers": points["centers"]}


def _means(X, labels, centers):
    return lloyd.update(X, centers, np.ones(len(X)), labels)[0]


def _inertia(X, labels, centers):
    return lloyd.update(X, centers, np.ones(len(X)), labels)[2]


def _settled(X, centers):
    labels = None
    while labels is None or not np.array_equal(labels, _labels(X, centers)):
        labels = _labels(X, centers)
        centers = _means(X, labels, centers)
    return labels, centers


def _next_center(X, centers):
    nearest = lloyd.nearest_center(X, centers)[1]
    return nearest / nearest.sum()


EXERCISES = {
    # 02_backprop_by_hand
    "neuron": Exercise(_neuron, ("a",), answer=_neuron_output),
    "neuron_backward": Exercise(_neuron_backward, ("dx", "dw", "db"), forward=_neuron_output, upstream="da"),
    "dense": Exercise(_dense, ("z",), answer=layers.dense),
    "dense_backward": Exercise(_dense_backward, ("dx", "dW", "db"), forward=lambda x, W, b: layers.dense(x, W, b),
                               upstream="dz"),
    "sigmoid_backward": Exercise(_activation_backward, ("dz",), answer=layers.sigmoid_backward),
    "mse_gradient": Exercise(_loss, ("da",), forward=lambda a, x: losses.mean_squared_error(a, x)),
    "autoencoder_backward": Exercise(_network, ("dW1", "db1", "dW2", "db2"), forward=_network_loss),
    # 03_gradient_checking
    "central_difference": Exercise(_curve, ("slope",), answer=lambda f, x, eps: (f(x + eps) - f(x - eps)) / (2 * eps)),
    "gradient_by_nudging": Exercise(_loss_of_a_matrix, ("dW",), answer=_nudged),
    "relative_error": Exercise(_two_arrays, ("error",),
                               answer=lambda yours, numerical: gradcheck.relative_error(yours, numerical, 1e-8)),
    "find_bug": Exercise(_a_bug, ("name",), answer=lambda backward, *arrays: BUGGY[backward.__name__]),
    # 04_training_the_autoencoder
    "descend": Exercise(_descent, ("params",), answer=lambda params, grads, rate: params - rate * grads),
    "roll": Exercise(_rolling, ("params", "velocity"), answer=_rolled),
    "adapt": Exercise(_adapting, ("params", "m", "v"), answer=_adapted),
    # 05_kmeans_by_hand
    "assign": Exercise(_to_assign, ("labels",), answer=_labels),
    "update": Exercise(_points_and_labels, ("centers",), answer=_means),
    "inertia": Exercise(_points_and_labels, ("inertia",), answer=_inertia),
    "kmeans": Exercise(_points_and_centers, ("labels", "centers"), answer=_settled),
    "next_center": Exercise(_points_and_centers, ("probabilities",), answer=_next_center),
}
