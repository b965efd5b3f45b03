"""Three optimisers: gradient descent, momentum and Adam. Each updates all parameters by their gradients.

The gradients come from one random batch of images, and so are only an estimate of the gradient of the whole loss: that
is what "stochastic" means.

The arithmetic is in the functions sgd_step, momentum_step and adam_step. Counterparts, compiled: kernels/cpu/optim.py,
kernels/gpu/optim.py. A class adds the settings and what is remembered between updates; its `update` makes one step, by
the function that it is given. `state()` returns what is remembered as a dict of arrays; an optimiser that is given this
state continues as if it had never stopped.

Names: params and grads are arrays of the same shape (the network keeps all its weights and biases in one vector, so one
update changes them all). `update` changes `params` in place and leaves `grads` unchanged. scratch is an array of that
shape for intermediate results, so that no step allocates memory.
"""

import math

import numpy as np


def sgd_step(params, grads, *, learning_rate, scratch=None):
    """Gradient descent, in place on params (equation in `SGD`)."""
    params -= np.multiply(grads, learning_rate, out=scratch)


def momentum_step(params, grads, velocity, *, learning_rate, momentum, scratch=None):
    """Gradient descent with momentum, in place on params and velocity (equations in `Momentum`)."""
    velocity *= momentum
    velocity += grads
    params -= np.multiply(velocity, learning_rate, out=scratch)


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v (equations in `Adam`)."""
    s = np.empty_like(params) if scratch is None else scratch
    m *= beta1
    m += np.multiply(grads, 1 - beta1, out=s)
    v *= beta2
    np.multiply(grads, grads, out=s)
    v += np.multiply(s, 1 - beta2, out=s)
    np.sqrt(v, out=s)
    s *= 1 / math.sqrt(1 - beta2**t)  # sqrt(v_hat)
    s += epsilon
    np.divide(m, s, out=s)
    s *= learning_rate / (1 - beta1**t)  # learning_rate * m_hat / (sqrt(v_hat) + epsilon)
    params -= s


class SGD:
    """Stochastic gradient descent:  params <- params - learning_rate * grads."""

    name = "sgd"

    def __init__(self, params, learning_rate):
        self.learning_rate = learning_rate
        self._scratch = np.empty_like(params)

    def update(self, params, grads, step=sgd_step):
        """One step of gradient descent."""
        step(params, grads, learning_rate=self.learning_rate, scratch=self._scratch)

    def state(self):
        """Nothing is remembered: an empty dict."""
        return {}


class Momentum:
    """Gradient descent with momentum, a ball that rolls:

        velocity <- momentum * velocity + grads
        params   <- params - learning_rate * velocity

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """

    name = "momentum"

    def __init__(self, params, learning_rate, *, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = np.zeros_like(params)
        self._scratch = np.empty_like(params)

    def update(self, params, grads, step=momentum_step):
        """One step with momentum."""
        step(params, grads, self.velocity, learning_rate=self.learning_rate, momentum=self.momentum,
             scratch=self._scratch)

    def state(self):
        """The velocity."""
        return {"velocity": self.velocity}


class Adam:
    """Adam: each parameter has its own step size, which depends on the recent size of its gradient.

        m <- beta1 * m + (1 - beta1) * g                   running mean of the gradient
        v <- beta2 * v + (1 - beta2) * g * g               running mean of its square
        params <- params - learning_rate * m_hat / (sqrt(v_hat) + epsilon)

    where g is grads, m_hat = m / (1 - beta1^t) and v_hat = v / (1 - beta2^t), which undo the start from zero, and t
    counts updates.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.
    """

    name = "adam"

    def __init__(self, params, learning_rate, *, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v = np.zeros_like(params), np.zeros_like(params)
        self.t = np.zeros((), np.int64)
        self._scratch = np.empty_like(params)

    def update(self, params, grads, step=adam_step):
        """One step of Adam."""
        self.t += 1
        step(params, grads, self.m, self.v, int(self.t), learning_rate=self.learning_rate, beta1=self.beta1,
             beta2=self.beta2, epsilon=self.epsilon, scratch=self._scratch)

    def state(self):
        """Both running means and the count of updates."""
        return {"m": self.m, "v": self.v, "t": self.t}


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adam": Adam}
STEPS = {"sgd": sgd_step, "momentum": momentum_step, "adam": adam_step}  # back ends replace some or all of them
