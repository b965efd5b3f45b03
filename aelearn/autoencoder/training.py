"""Training: a network on its way downhill, epoch by epoch.

An epoch is one pass over the images in a random order, in batches; for each batch

    forward, backward       the gradient of the loss on this batch, by every parameter
    optimizer.update        one small step of all parameters, downhill

Everything that training changes is in one object: the parameters, what the optimiser remembers, and the history. So a
run can be copied, saved, put back to the end of its last whole epoch, and taken up again as if it had never stopped.

Shapes: N samples, D features, B rows of a batch.
"""

import copy
import time

import numpy as np

from aelearn.autoencoder import optim
from aelearn.autoencoder.evaluation import mean_loss, network_functions
from aelearn.autoencoder.layers import INITIALIZERS


class Run:
    """Epochs of a training whose images and parameters are in this machine's memory.

    kernels/gpu/training.py has its twin for a GPU, where they live on the device meanwhile and only losses come back.

    functions     network.py, or its compiled twin
    architecture, vector, optimizer   those of the Training, changed in place
    X, validation  images (N, D), (M, D) or None; batch_size B
    """

    def __init__(self, functions, architecture, vector, optimizer, X, validation, batch_size):
        self.functions, self.architecture, self.vector, self.optimizer = functions, architecture, vector, optimizer
        self.X, self.validation, self.batch_size = X, validation, batch_size
        self.params = architecture.parameters(vector)
        self.x = np.empty((min(batch_size, len(X)), X.shape[1]), X.dtype)  # (B, D)
        self.work = functions.Workspace(architecture, len(self.x), X.dtype)

    def epoch(self, order):
        """One pass over the images in the given order (N,); the last batch may be smaller."""
        for start in range(0, len(order), self.batch_size):
            rows = order[start:start + self.batch_size]
            # mode="clip" spares a hidden copy
            x = np.take(self.X, rows, axis=0, out=self.x[:len(rows)], mode="clip")  # (B, D)
            self.functions.forward(self.params, x, self.architecture, self.work)
            self.functions.backward(self.params, x, self.architecture, self.work)
            self.optimizer.update(self.vector, self.work.gradient)

    def measure(self):
        """The loss over all of X, NaN if a parameter is not finite, and that over the validation images, or None."""
        loss = mean_loss(self.functions, self.params, self.X, self.architecture)
        if not np.isfinite(self.vector).all():
            loss = np.nan
        if self.validation is None:
            return loss, None
        return loss, mean_loss(self.functions, self.params, self.validation, self.architecture)

    def snapshot(self):
        """Copies of all that an epoch changes: the parameters, and what the optimiser remembers."""
        return self.vector.copy(), {name: array.copy() for name, array in self.optimizer.state().items()}

    def restore(self, snapshot):
        """Go back to what a snapshot holds."""
        vector, memory = snapshot
        self.vector[...] = vector
        for name, array in self.optimizer.state().items():
            array[...] = memory[name]

    def come_home(self):
        """Make the Training's own arrays hold the present parameters and memory: here they always do."""


class Training:
    """The state of one training run.

    architecture  what the network computes (network.Architecture)
    vector        all parameters in a row
    params        {"W1": (D, H), "b1": (H,), ...}, views of `vector`
    optimizer     the walker, one of optim.OPTIMIZERS
    history       a row for each epoch that is done, as in Autoencoder.history_
    seed          rules all that is random: the initial weights, and the order of the images in each epoch, which is
                  drawn from (seed, epoch). So there is no generator whose state would have to be saved

    While a run is on a GPU, its state is fetched from there when `vector`, `params` or `optimizer` is asked for. What
    is fetched are copies: to write into them changes nothing on the GPU.
    """

    def __init__(self, architecture, optimizer, learning_rate, dtype, seed):
        self.architecture, self.seed = architecture, seed
        self._vector = np.zeros(architecture.n_parameters, dtype)
        self._params = architecture.parameters(self._vector)
        self._optimizer = optim.OPTIMIZERS[optimizer](self._vector, float(learning_rate))
        self.history = []
        self._running, self._epochs_at_home = None, 0

    @property
    def vector(self):
        """All parameters in a row, as they are now."""
        self._come_home()
        return self._vector

    @property
    def params(self):
        """The parameters as matrices, as they are now."""
        self._come_home()
        return self._params

    @property
    def optimizer(self):
        """The optimiser, and what it remembers now."""
        self._come_home()
        return self._optimizer

    def _come_home(self):
        if self._running is not None:
            self._running.come_home()
            self._epochs_at_home = len(self.history)

    def initialize(self, weight_init):
        """Draw the initial weights and biases."""
        rng = np.random.default_rng(self.seed)
        for layer in range(1, self.architecture.n_layers + 1):
            INITIALIZERS[weight_init](rng, self.params[f"W{layer}"], self.params[f"b{layer}"])

    def run(self, X, validation, *, epochs, batch_size, backend, after_epoch):
        """Train on X (N, D) until `epochs` are done, counting those of earlier runs.

        validation   images whose loss is recorded after each epoch, or None
        backend      "numpy", "numba" or "cuda"
        after_epoch  called without arguments after each epoch; training ends when it returns True

        Whatever ends the run early, Ctrl-C or any other exception, passes on to the caller, and leaves the state as it
        was after the last whole epoch. (Should a GPU fail so badly that nothing can be fetched from it any more: as it
        was when it was last fetched, the history too.) Raises ValueError if the loss is not a finite number any more.
        """
        self._epochs_at_home = len(self.history)
        try:
            run = self._start(X, validation, batch_size, backend)
            good = list(self.history), run.snapshot()
            self._running = run
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # _measure looks at the loss instead
                while len(self.history) < epochs:
                    started = time.perf_counter()
                    run.epoch(self._order(len(X)))
                    row = self._measure(run, X)
                    row["seconds"] = time.perf_counter() - started
                    good = [*self.history, row], run.snapshot()  # at once: Ctrl-C before the next line loses nothing
                    self.history.append(row)
                    if after_epoch():
                        break
            self._come_home()
        except BaseException:
            if self._running is not None:
                self.history, snapshot = good
                try:
                    run.restore(snapshot)
                except (RuntimeError, MemoryError):  # there is nothing to be had from the GPU any more
                    self.history = self.history[:self._epochs_at_home]
            raise
        finally:
            self._running = None
            self._optimizer.step = getattr(optim, self._optimizer.step_name)

    def _start(self, X, validation, batch_size, backend):
        """The Run on this back end."""
        functions, optimizer, name = network_functions(backend), self._optimizer, self._optimizer.step_name
        optimizer.step = getattr(functions, name, getattr(optim, name))
        job = self.architecture, self._vector, optimizer, X, validation, batch_size
        return functions.Run(*job) if backend == "cuda" else Run(functions, *job)

    def _order(self, n_samples):
        """The random order of the images in the epoch that comes next, (N,)."""
        return np.random.default_rng((self.seed, len(self.history) + 1)).permutation(n_samples)

    def _measure(self, run, X):
        """The row of the history for the epoch that has just been done. Raises ValueError if its loss is not finite."""
        epoch, (loss, validation_loss) = len(self.history) + 1, run.measure()
        if not np.isfinite(loss):
            raise ValueError(f"the training diverged in epoch {epoch} (loss {loss}): "
                             f"lower learning_rate, now {self._optimizer.learning_rate}, "
                             f"or scale X, whose largest entry is {np.abs(X).max():.3g}")
        return {"epoch": epoch, "loss": loss, "validation_loss": validation_loss}

    def fill(self, params, memory):
        """Overwrite parameters and the optimiser's memory with arrays of the same names, shapes and dtypes.

        Raises ValueError if they are not.
        """
        for arrays, values in ((self._params, params), (self._optimizer.state(), memory)):
            if {name: (array.shape, array.dtype) for name, array in arrays.items()} != \
                    {name: (value.shape, value.dtype) for name, value in values.items()}:
                raise ValueError("its arrays do not fit its settings")
            for name, array in arrays.items():
                array[...] = values[name]

    def __getstate__(self):
        """Copy or pickle: from a callback, too, while the state is on a GPU."""
        self._come_home()
        optimizer = copy.copy(self._optimizer)
        optimizer.step = getattr(optim, optimizer.step_name)  # a copy wants no back end before it is trained again
        return {**self.__dict__, "_running": None, "_optimizer": optimizer}

    def __setstate__(self, state):
        """Copy or unpickle: `params` must be views of the vector again, not copies beside it."""
        self.__dict__.update(state)
        self._params = self.architecture.parameters(self._vector)
