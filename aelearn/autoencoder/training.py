"""Training: many small steps of gradient descent, and their state, which can be copied, saved and resumed.

An epoch is one pass over the images in a random order, in batches; for each batch

    forward, backward       the derivative of the loss on this batch with respect to every parameter
    optimizer.update        one small step of all parameters

`Training` is the state: the parameters, the optimiser's memory, and the history. `Training.run` is the loop. A `Run`
makes the steps, and only it knows where the arrays are during the run: the one here uses this machine's memory, its
counterpart in kernels/gpu/training.py the memory of a GPU.

Shapes: N samples, M validation samples, D features, B rows of a batch.
"""

import functools
import time
from contextlib import contextmanager

import numpy as np

from aelearn import kernels
from aelearn.autoencoder import optim
from aelearn.autoencoder.evaluation import mean_loss, network_functions
from aelearn.autoencoder.layers import INITIALIZERS


class Run:
    """The steps of a training on the CPU. All arrays are the Training's own.

    functions          network.py, or a back end with the same functions
    architecture       what the network computes (network.Architecture)
    vector, optimizer  all parameters in one vector, and the optimiser: changed in place
    optimizer_step     the function that makes the optimiser's step: one of optim.STEPS, or a back end's
    X, validation      images (N, D), (M, D) or None
    batch_size         B
    augment            None, or a function of a batch (B, D) and a generator, which changes the batch in place
    """

    def __init__(self, functions, architecture, vector, optimizer, optimizer_step, X, validation, batch_size, augment):
        self.functions, self.architecture, self.vector = functions, architecture, vector
        self.optimizer, self.optimizer_step = optimizer, optimizer_step
        self.X, self.validation, self.batch_size, self.augment = X, validation, batch_size, augment
        self.params = architecture.parameters(vector)
        self.x = np.empty((min(batch_size, len(X)), X.shape[1]), X.dtype)  # (B, D)
        self.work = functions.Workspace(architecture, len(self.x), X.dtype)

    def batches(self, order, rng):
        """The images in the given order (N,), in batches (B, D), all in one array; the last one may be smaller.

        rng  the generator that `augment` draws from
        """
        for start in range(0, len(order), self.batch_size):
            rows = order[start:start + self.batch_size]
            x = np.take(self.X, rows, axis=0, out=self.x[:len(rows)], mode="clip")  # "clip" avoids a hidden copy
            if self.augment is not None:
                self.augment(x, rng)
            yield x

    def step(self, x):
        """One step of gradient descent on the batch x (B, D)."""
        self.functions.forward(self.params, x, self.architecture, self.work)
        self.functions.backward(self.params, x, self.architecture, self.work)
        self.optimizer.update(self.vector, self.work.gradient, self.optimizer_step)

    def joint_step(self, x, code_gradient, reconstruction):
        """One step on x (B, D) with another loss of the codes; returns the reconstruction's before the step, or None.

        code_gradient(codes (B, C)) gives that loss's derivative with respect to the codes, (B, C). With
        reconstruction=False the other loss is the only one.
        """
        job, code = (x, self.architecture, self.work), self.architecture.code_layer
        self.functions.forward(self.params, *job, last=None if reconstruction else code)
        loss = self.functions.output_loss(*job) if reconstruction else None
        gradient = code_gradient(self.work.a[code][:len(x)]).astype(x.dtype, copy=False)  # (B, C)
        self.functions.backward(self.params, *job, code_gradient=gradient, reconstruction=reconstruction)
        self.optimizer.update(self.vector, self.work.gradient, self.optimizer_step)
        return loss

    def losses(self):
        """The loss over all of X, NaN if a parameter is not finite, and that over the validation images, or None."""
        loss = mean_loss(self.functions, self.params, self.X, self.architecture)
        if not np.isfinite(self.vector).all():
            loss = np.nan
        if self.validation is None:
            return loss, None
        return loss, mean_loss(self.functions, self.params, self.validation, self.architecture)

    def keep(self, history):
        """Keep copies of all that an epoch changes, together with the history so far, for `restore`."""
        self.kept = history, self.vector.copy(), {name: array.copy() for name, array in self.optimizer.state().items()}

    def restore(self):
        """Go back to what was kept last. Returns the history that was kept with it."""
        history, vector, memory = self.kept
        self.vector[...] = vector
        for name, array in self.optimizer.state().items():
            array[...] = memory[name]
        return history

    def gradient(self):
        """The gradient of the last batch, a vector like `vector`."""
        return self.work.gradient

    def to_host(self):
        """Copy the current state into the Training's arrays: here they already have it."""


def _replace(augment, loss, x, rng):
    """Replace the batch x (B, D) by augment(x, rng). Raises ValueError if that is no batch of such images."""
    images = np.asarray(augment(x, rng))
    if images.shape != x.shape or images.dtype.kind not in "biuf":
        raise ValueError(f"augment must return as many images of as many pixels as it was given, numbers of shape "
                         f"{x.shape}; got {images.dtype} of shape {images.shape}")
    if loss == "bce" and (images.min() < 0 or images.max() > 1):
        raise ValueError("loss 'bce' reads images as probabilities, from 0 to 1; those of augment go from "
                         f"{images.min():.3g} to {images.max():.3g}")
    x[...] = images


class Training:
    """The state of a training.

    architecture  what the network computes (network.Architecture)
    vector        all parameters in one vector
    params        {"W1": (D, H), "b1": (H,), ...}, views of `vector`
    optimizer     one of optim.OPTIMIZERS, with its memory
    history       a row for each finished epoch, as in Autoencoder.history_
    seed          determines all that is random: the initial weights; the order of the images in each epoch, which is
                  drawn from (seed, epoch); and what `augment` draws, from (seed, epoch, 1). So there is no generator
                  whose state would have to be saved

    During a run on a GPU, `vector`, `params` and `optimizer` are copied to the host when they are read. Writing into
    these copies changes nothing on the GPU.
    """

    def __init__(self, architecture, optimizer, learning_rate, dtype, seed):
        self.architecture, self.seed = architecture, seed
        self._vector = np.zeros(architecture.n_parameters, dtype)
        self._optimizer = optim.OPTIMIZERS[optimizer](self._vector, float(learning_rate))
        self.history = []
        self._run = None  # the Run, while there is one

    @property
    def vector(self):
        """All parameters in one vector, as they are now."""
        self._to_host()
        return self._vector

    @property
    def params(self):
        """The parameters as matrices, as they are now."""
        return self.architecture.parameters(self.vector)

    @property
    def optimizer(self):
        """The optimiser, with its memory as it is now."""
        self._to_host()
        return self._optimizer

    @property
    def gradient(self):
        """The gradient of the last batch, a vector like `vector`, during a run; else None."""
        return None if self._run is None else self._run.gradient()

    def _to_host(self):
        if self._run is not None:
            self._run.to_host()

    def initialize(self, weight_init):
        """Draw the initial weights and biases."""
        rng, params = np.random.default_rng(self.seed), self.params
        for layer in range(1, self.architecture.n_layers + 1):
            INITIALIZERS[weight_init](rng, params[f"W{layer}"], params[f"b{layer}"])

    def run(self, X, validation, *, epochs, batch_size, backend, augment, after_epoch):
        """Train on X (N, D) until the history has `epochs` rows, those of earlier runs included.

        validation   images (M, D) whose loss is recorded after each epoch, or None
        backend      "numpy", "numba" or "cuda"
        augment      None, or a function of a batch and a generator that returns the images to learn from instead
        after_epoch  called without arguments after each epoch; training ends when it returns True

        Ctrl-C or any other exception ends the run, is raised to the caller, and leaves the state as it was after the
        last whole epoch. (If a GPU fails so badly that nothing can be copied from it any more: as it was when it was
        last copied to the host, the history included.) Raises ValueError if the loss is no longer finite.
        """
        run = self._make_run(X, validation, batch_size, backend, augment)
        quiet = np.errstate(over="ignore", invalid="ignore", under="ignore")  # _check_loss raises if it matters
        with self._whole_epochs(run), quiet:
            while len(self.history) < epochs:
                started = time.perf_counter()
                rng = np.random.default_rng((self.seed, len(self.history) + 1, 1))
                for x in run.batches(self._order(len(X)), rng):  # (B, D)
                    run.step(x)
                loss, validation_loss = run.losses()
                self._check_loss(loss, X)
                self._record(run, loss, validation_loss, time.perf_counter() - started)
                if after_epoch():
                    break

    def run_joint(self, X, order, rng, *, batch_size, backend, augment, code_gradient, reconstruction):
        """Steps with another loss of the codes, on batches of X (N, D) in the given order (M,) of its rows.

        rng             the generator that `augment` draws from
        code_gradient   a function of a batch's codes (B, C) and rows (B,), which returns (B, C): see Run.joint_step
        reconstruction  whether the reconstruction counts as well

        Returns the reconstruction's mean loss over the batches, or None. Whatever is raised leaves the state as it was.
        """
        batch_size = min(batch_size, len(X))
        run, losses = self._make_run(X, None, batch_size, backend, augment), []
        quiet = np.errstate(over="ignore", invalid="ignore", under="ignore")
        with self._whole_epochs(run), quiet:
            for start, x in zip(range(0, len(order), batch_size), run.batches(order, rng)):  # (B, D)
                rows = order[start:start + batch_size]  # (B,)
                losses.append(run.joint_step(x, lambda codes, rows=rows: code_gradient(codes, rows), reconstruction))
            run.to_host()
            if not np.isfinite(self._vector).all():
                raise ValueError(f"the training diverged: lower learning_rate, now {self._optimizer.learning_rate}, "
                                 f"or scale X, whose largest entry is {np.abs(X).max():.3g}")
        return float(np.mean(losses)) if reconstruction else None

    def reset_optimizer(self, learning_rate):
        """An optimiser of the same kind that remembers nothing."""
        self._optimizer = type(self._optimizer)(self._vector, float(learning_rate))

    def _make_run(self, X, validation, batch_size, backend, augment):
        """The Run on this back end, with its functions for the network and for the optimiser's step."""
        steps = optim.STEPS if backend == "numpy" else {**optim.STEPS, **kernels.get(backend).STEPS}
        in_place = None if augment is None else functools.partial(_replace, augment, self.architecture.loss)
        job = (self.architecture, self._vector, self._optimizer, steps[self._optimizer.name], X, validation, batch_size,
               in_place)
        if backend == "cuda":
            return kernels.get("cuda").Run(*job)
        return Run(network_functions(backend), *job)

    @contextmanager
    def _whole_epochs(self, run):
        """In this block the state is in the Run. An exception sets it back to the end of the last whole epoch."""
        run.keep(list(self.history))
        try:
            self._run = run
            yield
            run.to_host()
        except BaseException:
            self.history = run.restore()
            raise
        finally:
            self._run = None

    def _order(self, n_samples):
        """The random order of the images in the next epoch, (N,)."""
        return np.random.default_rng((self.seed, len(self.history) + 1)).permutation(n_samples)

    def _check_loss(self, loss, X):
        """Raise ValueError if the loss after an epoch is not finite."""
        if not np.isfinite(loss):
            raise ValueError(f"the training diverged in epoch {len(self.history) + 1} (loss {loss}): "
                             f"lower learning_rate, now {self._optimizer.learning_rate}, "
                             f"or scale X, whose largest entry is {np.abs(X).max():.3g}")

    def _record(self, run, loss, validation_loss, seconds):
        """Add a row for the epoch that is now whole to the history."""
        row = {"epoch": len(self.history) + 1, "loss": loss, "validation_loss": validation_loss, "seconds": seconds}
        run.keep([*self.history, row])  # first: Ctrl-C before the next line loses nothing
        self.history.append(row)

    def fill(self, params, memory):
        """Overwrite parameters and the optimiser's memory with arrays of the same names, shapes and dtypes.

        Raises ValueError if names, shapes or dtypes differ.
        """
        for arrays, values in ((self.params, params), (self.optimizer.state(), memory)):
            if {name: (array.shape, array.dtype) for name, array in arrays.items()} != \
                    {name: (value.shape, value.dtype) for name, value in values.items()}:
                raise ValueError("its arrays do not fit its settings")
            for name, array in arrays.items():
                array[...] = values[name]

    def __getstate__(self):
        """For copies and pickles, also from a callback while the state is on a GPU."""
        self._to_host()
        return {**self.__dict__, "_run": None}
