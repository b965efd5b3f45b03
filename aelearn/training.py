"""Training: a network on its way downhill, epoch by epoch.

An epoch is one pass over the images in a random order, in batches; for each batch

    forward, backward       the gradient of the loss on this batch, by every parameter
    optimizer.update        one small step of all parameters, downhill

Everything that training changes is in one object: the parameters, what the optimiser remembers, and the history. So a
run can be copied, saved, put back to the end of its last whole epoch, and taken up again as if it had never stopped.

Shapes: N samples, D features, B rows of a batch.
"""

import time

import numpy as np

from aelearn import kernels, network, optim
from aelearn.layers import INITIALIZERS

EVALUATION_ROWS = 256  # rows of a block when only the loss, codes or reconstructions are asked for; it fits in cache


def network_functions(backend):
    """The module that holds forward, output_loss, backward, loss_and_gradients and Workspace for "numpy" or "numba"."""
    return network if backend == "numpy" else kernels.get(backend)


def mean_loss(functions, params, X, architecture):
    """The loss over all rows of X, block by block: the blocks' losses weighted by their number of rows."""
    work, total = functions.Workspace(architecture, EVALUATION_ROWS, X.dtype), 0.0
    for start in range(0, len(X), EVALUATION_ROWS):
        x = X[start:start + EVALUATION_ROWS]
        functions.forward(params, x, architecture, work)
        total += functions.output_loss(x, architecture, work) * len(x)
    return total / len(X)


class Training:
    """The state of one training run.

    architecture  what the network computes (network.Architecture)
    params        {"W1": (D, H), "b1": (H,), ...}, views of `vector`, which holds all parameters in a row
    optimizer     the walker, one of optim.OPTIMIZERS
    history       a row for each epoch that is done, as in Autoencoder.history_
    seed          rules all that is random: the initial weights, and the order of the images in each epoch, which is
                  drawn from (seed, epoch). So there is no generator whose state would have to be saved
    """

    def __init__(self, architecture, optimizer, learning_rate, dtype, seed):
        self.architecture, self.seed = architecture, seed
        self.vector = np.zeros(architecture.n_parameters, dtype)
        self.params = architecture.parameters(self.vector)
        self.optimizer = optim.OPTIMIZERS[optimizer](self.vector, float(learning_rate))
        self.history = []

    def initialize(self, weight_init):
        """Draw the initial weights and biases."""
        rng = np.random.default_rng(self.seed)
        for layer in range(1, self.architecture.n_layers + 1):
            INITIALIZERS[weight_init](rng, self.params[f"W{layer}"], self.params[f"b{layer}"])

    def run(self, X, validation, *, epochs, batch_size, backend, after_epoch):
        """Train on X (N, D) until `epochs` are done, counting those of earlier runs.

        validation   images whose loss is recorded after each epoch, or None
        backend      "numpy" or "numba"
        after_epoch  called without arguments after each epoch; training ends when it returns True

        Whatever ends the run early, Ctrl-C or any other exception, passes on to the caller, and leaves the state as it
        was after the last whole epoch. Raises ValueError if the loss is not a finite number any more.
        """
        functions = network_functions(backend)
        if isinstance(self.optimizer, optim.Adam):
            self.optimizer.step = (optim if backend == "numpy" else functions).adam_step
        work = functions.Workspace(self.architecture, min(batch_size, len(X)), self.vector.dtype)
        good = self._snapshot()
        try:
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # _measure looks at the loss instead
                while len(self.history) < epochs:
                    started = time.perf_counter()
                    self._epoch(functions, X, batch_size, work)
                    row = self._measure(functions, X, validation)
                    row["seconds"] = time.perf_counter() - started
                    good = self._snapshot(row)  # before the next line: Ctrl-C between the two loses nothing
                    self.history.append(row)
                    if after_epoch():
                        break
        except BaseException:
            self._restore(good)
            raise

    def _epoch(self, functions, X, batch_size, work):
        """One pass over X in the epoch's own random order; the last batch may be smaller."""
        epoch = len(self.history) + 1
        order = np.random.default_rng((self.seed, epoch)).permutation(len(X))  # (N,)
        images = np.empty((min(batch_size, len(X)), X.shape[1]), X.dtype)  # (B, D)
        for start in range(0, len(X), batch_size):
            rows = order[start:start + batch_size]
            x = np.take(X, rows, axis=0, out=images[:len(rows)], mode="clip")  # (B, D); "clip" spares a hidden copy
            functions.forward(self.params, x, self.architecture, work)
            functions.backward(self.params, x, self.architecture, work)
            self.optimizer.update(self.vector, work.gradient)

    def _measure(self, functions, X, validation):
        """The loss over all of X, and of the validation images, after the epoch. Raises ValueError if not finite."""
        epoch = len(self.history) + 1
        loss = mean_loss(functions, self.params, X, self.architecture)
        if not np.isfinite(loss) or not np.isfinite(self.vector).all():
            raise ValueError(f"the training diverged in epoch {epoch} (loss {loss}): "
                             f"lower learning_rate, now {self.optimizer.learning_rate}, "
                             f"or scale X, whose largest entry is {np.abs(X).max():.3g}")
        validation_loss = None
        if validation is not None:
            validation_loss = mean_loss(functions, self.params, validation, self.architecture)
        return {"epoch": epoch, "loss": loss, "validation_loss": validation_loss}

    def _snapshot(self, *new_rows):
        """Copies of all that training changes: the history (and rows about to join it), parameters, memory."""
        memory = {name: array.copy() for name, array in self.optimizer.state().items()}
        return [*self.history, *new_rows], self.vector.copy(), memory

    def _restore(self, snapshot):
        history, vector, memory = snapshot
        self.history = history
        self.fill(self.architecture.parameters(vector), memory)

    def fill(self, params, memory):
        """Overwrite parameters and the optimiser's memory with arrays of the same names, shapes and dtypes.

        Raises ValueError if they are not.
        """
        for arrays, values in ((self.params, params), (self.optimizer.state(), memory)):
            if {name: (array.shape, array.dtype) for name, array in arrays.items()} != \
                    {name: (value.shape, value.dtype) for name, value in values.items()}:
                raise ValueError("its arrays do not fit its settings")
            for name, array in arrays.items():
                array[...] = values[name]

    def __setstate__(self, state):
        """Copy or unpickle: `params` must be views of the vector again, not copies beside it."""
        self.__dict__.update(state)
        self.params = self.architecture.parameters(self.vector)
