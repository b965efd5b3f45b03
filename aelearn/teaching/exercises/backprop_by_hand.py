"""The exercises of lesson 2. Shapes: N samples, D features, H units, C code size."""

import numpy as np

from aelearn.autoencoder import layers, losses
from aelearn.teaching.costs import Memory
from aelearn.teaching.exercises.exercise import Exercise, numbers, sizes


def _away_from_0(rng, shape=None):
    """Random numbers between 0.5 and 1.5, with random signs."""
    return rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def _neuron(rng):
    """Inputs for which z has either sign, and is at most 4 in size: a sigmoid that is nearly 0 or 1 has lost digits."""
    (d,) = sizes(rng, 1)
    inputs = {**numbers(rng, x=(d,), w=(d,)), "b": float(_away_from_0(rng))}
    shrink = min(1.0, 4 / abs(inputs["w"] @ inputs["x"] + inputs["b"]))
    inputs |= {"w": shrink * inputs["w"], "b": shrink * inputs["b"]}
    return [inputs, {"x": inputs["x"], "w": -inputs["w"], "b": -inputs["b"]}]


def _neuron_output(x, w, b):
    return 1 / (1 + np.exp(-(w @ x + b)))


def _neuron_backward(rng):
    return [{"da": da, "x": inputs["x"], "w": inputs["w"], "a": float(_neuron_output(**inputs)), "_b": inputs["b"]}
            for inputs, da in zip(_neuron(rng), (rng.uniform(0.5, 1.5), -rng.uniform(0.5, 1.5)))]


def _neuron_slopes(dz, x, w):
    return dz * w, dz * x, dz


def _dense(rng):
    n, d, h = sizes(rng, 3)
    return numbers(rng, x=(n, d), W=(d, h), b=(h,))


def _dense_backward(rng):
    n, d, h = sizes(rng, 3)
    return numbers(rng, dz=(n, h), x=(n, d), W=(d, h), _b=(h,))


def _activation_backward(rng):
    n, h = sizes(rng, 2)
    return {"da": rng.normal(size=(n, h)), "a": layers.sigmoid(rng.normal(size=(n, h)))}


def _loss(rng):
    n, d = sizes(rng, 2, low=3)
    return {"a": rng.random((n, d)), "x": rng.random((n, d))}


def _network(rng):
    n, d, c = sizes(rng, 3, low=3, high=8)
    return {"x": rng.random((n, d)), **numbers(rng, W1=(d, c), b1=(c,), W2=(c, d), b2=(d,))}


def _network_loss(x, W1, b1, W2, b2):
    code = layers.sigmoid(x @ W1 + b1)  # (N, C)
    return losses.mean_squared_error(layers.sigmoid(code @ W2 + b2), x)


def _network_backward(x, W1, b1, W2, b2, *, through_output=layers.sigmoid_backward,
                      through_code=layers.sigmoid_backward, sign=1):
    c = layers.sigmoid(x @ W1 + b1)  # (N, C)
    a = layers.sigmoid(c @ W2 + b2)  # (N, D)
    dz2 = through_output(sign * losses.mean_squared_error_gradient(a, x), a)  # (N, D)
    dc, dW2, db2 = layers.dense_backward(dz2, c, W2)
    _, dW1, db1 = layers.dense_backward(through_code(dc, c), x, W1)
    return dW1, db1, dW2, db2


def _network_and_batches(rng):
    """A network, and images to be cut at `cuts` into three batches of different sizes."""
    inputs, (n, *later) = _network(rng), rng.permutation([1, 3, 6])
    x = rng.random((10, inputs["x"].shape[1]))  # (N, D)
    return {**inputs, "x": x, "cuts": [int(n), int(n + later[0])]}


def _from_batches(answer, x, cuts, W1, b1, W2, b2):
    return answer(iter(np.split(x, cuts)), W1, b1, W2, b2)


def _many_batches(rng):
    """60 batches of 400 kB, each of which is made when it is asked for."""
    d, c = 500, 4
    batches = (rng.random((100, d)) for _ in range(60))
    return {"batches": batches, **numbers(rng, W1=(d, c), b1=(c,), W2=(c, d), b2=(d,))}


def _mean_over_batches(batches, *params):
    return _sum_over_batches(batches, *params, share=lambda batch, n: 1 / n)


def _sum_over_batches(batches, *params, share=lambda batch, n: 1):
    batches = list(batches)
    shares = [share(batch, len(batches)) for batch in batches]
    grads = [_network_backward(batch, *params) for batch in batches]
    return tuple(sum(share * grad for share, grad in zip(shares, of_one)) for of_one in zip(*grads))


def _twice_over_batches(batches, *params):
    n, total = sum(len(batch) for batch in batches), [np.zeros(param.shape) for param in params]
    for batch in batches:  # there are none left
        total = [sum_so_far + len(batch) / n * grad
                 for sum_so_far, grad in zip(total, _network_backward(batch, *params))]
    return tuple(total)


EXERCISES = {
    "neuron": Exercise(_neuron, ("a",), answer=_neuron_output, mistakes={
        "that is z, before the sigmoid": lambda x, w, b: w @ x + b,
        "where is the bias b?": lambda x, w, b: _neuron_output(x, w, 0),
        "look at the sign in front of z in the exponential": lambda x, w, b: 1 - _neuron_output(x, w, b),
        "the minus sign belongs to the whole sum z, the bias included": lambda x, w, b: _neuron_output(x, w, -b),
        "that is tanh(z): the sigmoid is 1 / (1 + exp(-z))": lambda x, w, b: np.tanh(w @ x + b),
    }),
    "neuron_backward": Exercise(_neuron_backward, ("dx", "dw", "db"), forward=_neuron_output, upstream="da", mistakes={
        "where is the slope of the sigmoid, a (1 - a)?": lambda da, x, w, a: _neuron_slopes(da, x, w),
        "where is da, the derivative that comes from the loss?": lambda da, x, w, a:
            _neuron_slopes(a * (1 - a), x, w),
        "the slope of the sigmoid is a (1 - a), not a": lambda da, x, w, a: _neuron_slopes(da * a, x, w),
        "the slope of the sigmoid is a (1 - a), not 1 - a": lambda da, x, w, a: _neuron_slopes(da * (1 - a), x, w),
        "a is the sigmoid's output already: its slope is a (1 - a), without another sigmoid": lambda da, x, w, a:
            _neuron_slopes(layers.sigmoid_backward(da, 1 / (1 + np.exp(-a))), x, w),
        "the slope of z with respect to b is 1, so db is dz times 1": lambda da, x, w, a: (
            *_neuron_slopes(da * a * (1 - a), x, w)[:2], 1.0),
    }),
    "dense": Exercise(_dense, ("z",), answer=layers.dense, mistakes={
        "where is the bias b?": lambda x, W, b: x @ W,
        "the bias is added, not subtracted": lambda x, W, b: x @ W - b,
        "z is wanted, before any activation: leave out the sigmoid": lambda x, W, b: layers.sigmoid(x @ W + b),
        "z is wanted, before any activation: z may be negative": lambda x, W, b: np.maximum(x @ W + b, 0),
    }),
    "dense_backward": Exercise(_dense_backward, ("dx", "dW", "db"), forward=lambda x, W, b: layers.dense(x, W, b),
                               upstream="dz", mistakes={
        "the slopes of all samples are added: why is there a mean?": lambda dz, x, W: (
            dz @ W.T, x.T @ dz / len(x), dz.mean(axis=0)),
        "it does not depend on dz: each slope is multiplied by dz": lambda dz, x, W:
            layers.dense_backward(np.ones(dz.shape), x, W),
        "that is for the first sample alone: add up all of them": lambda dz, x, W: (
            dz @ W.T, np.outer(x[0], dz[0]), dz[0]),
        "that is for the last sample alone: does each one overwrite the one before?": lambda dz, x, W: (
            dz @ W.T, np.outer(x[-1], dz[-1]), dz[-1]),
        "the slope of z with respect to b is 1, so each sample adds dz times 1": lambda dz, x, W: (
            dz @ W.T, x.T @ dz, np.full(W.shape[1], 1.0)),
    }),
    "sigmoid_backward": Exercise(_activation_backward, ("dz",), answer=layers.sigmoid_backward, mistakes={
        "where is da, the derivative that comes from the loss?": lambda da, a: a * (1 - a),
        "the slope of the sigmoid is a (1 - a), not a": lambda da, a: da * a,
        "the slope of the sigmoid is a (1 - a), not 1 - a": lambda da, a: da * (1 - a),
        "a is the sigmoid's output already: its slope is a (1 - a), without another sigmoid": lambda da, a:
            layers.sigmoid_backward(da, layers.sigmoid(a)),
        "1 - a^2 is the slope of tanh; the sigmoid's is a (1 - a)": lambda da, a: da * (1 - a * a),
    }),
    "mse_gradient": Exercise(_loss, ("da",), forward=lambda a, x: losses.mean_squared_error(a, x), mistakes={
        "that is each entry's part of the loss, not its derivative": lambda a, x: (a - x) ** 2 / a.size,
        "the loss is a mean over all N D entries, not only over the N samples": lambda a, x: 2 * (a - x) / len(a),
        "the loss is a mean over all N D entries, not only over the D pixels": lambda a, x: 2 * (a - x) / a.shape[1],
        "the loss is a mean: by what is the sum divided?": lambda a, x: 2 * (a - x),
        "that is the derivative of the absolute error: does it grow with a - x?": lambda a, x: np.sign(a - x) / a.size,
    }),
    "autoencoder_backward": Exercise(_network, ("dW1", "db1", "dW2", "db2"), forward=_network_loss, mistakes={
        "it goes past the code's sigmoid: dz1 is not dc": lambda *all: _network_backward(
            *all, through_code=lambda dc, c: dc),
        "it goes past the last sigmoid: dz2 is not da": lambda *all: _network_backward(
            *all, through_output=lambda da, a: da),
        "where do you multiply by dc? The slope c (1 - c) alone is not dz1": lambda *all: _network_backward(
            *all, through_code=lambda dc, c: c * (1 - c)),
        "every sign is wrong: is it a - x, or x - a, in da?": lambda *all: _network_backward(*all, sign=-1),
        "it goes past both sigmoids: dz2 is not da, and dz1 is not dc": lambda *all: _network_backward(
            *all, through_output=lambda da, a: da, through_code=lambda dc, c: dc),
    }),
    "gradients_in_one_pass": Exercise(
        _network_and_batches, ("dW1", "db1", "dW2", "db2"), forward=_network_loss, call=_from_batches, mistakes={
            "batches of different sizes count alike, but every image should": _mean_over_batches,
            "each batch has a mean of its own: weight its gradients by its share of the images": _sum_over_batches,
            "that is the last batch alone: add up all of them": lambda batches, *params: _network_backward(
                list(batches)[-1], *params),
            "that is the first batch alone: go on to the next one": lambda batches, *params: _network_backward(
                next(batches), *params),
            "the batches can be read only once: count the images in the same loop": _twice_over_batches,
            "each image counts now; at the end divide by the number of all images": lambda *all: _sum_over_batches(
                *all, share=lambda batch, n: len(batch)),
        },
        costs=(Memory(_many_batches, lambda batches, **params: 8e6),)),
}
