"""A training run on the GPU: images, parameters, gradients and the optimiser's memory are on the device.

Plumbing. Counterpart: `Run` in autoencoder/training.py, which has the same methods and explains them; the loop is there
as well. In each epoch the order of the images is copied to the device and the loss is copied back; parameters are
copied to the host only when they are read.

Shapes: N samples, M validation samples, D features, B rows of a batch.
"""

import copy

import numpy as np

from aelearn.kernels.gpu import device, network
from aelearn.kernels.gpu.losses import total_loss
from aelearn.kernels.gpu.workspace import Workspace

EVALUATION_ROWS = 2048  # rows of a block if only the loss is needed


class Run:
    """The steps of a training on the device; arguments and methods as in aelearn.autoencoder.training.Run.

    host_vector, host_optimizer  the Training's, with the state that was copied to the host last
    host_history                 the history that belongs to that state
    host_is_current              whether that is the current state
    host_X                       X on the host, from which `augment`, if there is one, makes the batches
    """

    def __init__(self, architecture, vector, optimizer, optimizer_step, X, validation, batch_size, augment):
        self.architecture, self.batch_size = architecture, batch_size
        self.host_vector, self.host_optimizer, self.host_is_current = vector, optimizer, True
        self.vector = device.upload(vector)
        self.params = architecture.parameters(self.vector)
        self.memory = {name: array.copy() if array.ndim == 0 else device.upload(array)  # Adam's count is on the host
                       for name, array in optimizer.state().items()}
        self.optimizer, self.optimizer_step = copy.copy(optimizer), optimizer_step
        vars(self.optimizer).update(self.memory)  # the same settings, with memory on the device
        self.host_X, self.augment = X, augment
        self.X = device.upload(X)  # (N, D)
        self.validation = None if validation is None else device.upload(validation)  # (M, D)
        batch_rows = min(batch_size, len(X))
        self.x = device.empty((batch_rows, X.shape[1]), X.dtype)  # (B, D)
        self.work = Workspace(architecture, batch_rows, X.dtype)
        self.evaluation = Workspace(architecture, min(EVALUATION_ROWS, len(X)), X.dtype)
        n_losses = max(len(X), 0 if validation is None else len(validation))
        self.row_losses = device.empty((n_losses, 2), X.dtype)

    def batches(self, order, rng):
        """The images in the given order (N,), in batches (B, D), all in one array; the last one may be smaller."""
        self.host_is_current, self.optimizer.learning_rate = False, self.host_optimizer.learning_rate
        there = device.upload(order.astype(np.int64))
        rest = self.x[:len(order) % self.batch_size]  # for a smaller batch
        for start in range(0, len(order), self.batch_size):
            x = self.x if start + len(self.x) <= len(order) else rest  # (B, D)
            if self.augment is None:
                network.take(self.X, there, start, x)
            else:
                images = self.host_X[order[start:start + len(x)]]  # (B, D)
                self.augment(images, rng)
                device.fill(x, images)
            yield x

    def step(self, x):
        """One step of gradient descent on the batch x (B, D)."""
        network.forward(self.params, x, self.architecture, self.work)
        network.backward(self.params, x, self.architecture, self.work)
        self.optimizer.update(self.vector, self.work.gradient, self.optimizer_step)

    def joint_step(self, x, code_gradient, reconstruction):
        """One step on x (B, D) with another loss of the codes, whose derivative is computed on the host."""
        code = self.architecture.code_layer
        network.forward(self.params, x, self.architecture, self.work, last=None if reconstruction else code)
        loss = network.output_loss(x, self.architecture, self.work) if reconstruction else None
        gradient = code_gradient(device.download(self.work.a[code][:len(x)])).astype(x.dtype, copy=False)  # (B, C)
        network.backward(self.params, x, self.architecture, self.work, code_gradient=gradient,
                         reconstruction=reconstruction)
        self.optimizer.update(self.vector, self.work.gradient, self.optimizer_step)
        return loss

    def losses(self):
        """The loss over all of X, NaN if a parameter is not finite, and that over the validation images, or None."""
        loss = self._mean_loss(self.X, self.vector)
        return loss, None if self.validation is None else self._mean_loss(self.validation)

    def _mean_loss(self, X, vector=None):
        """The mean loss over X (N, D) on the device; NaN unless all entries of `vector` are finite."""
        n_rows = len(self.evaluation.row_loss)
        for start in range(0, len(X), n_rows):
            x, losses = X[start:start + n_rows], self.row_losses[start:min(start + n_rows, len(X))]
            network.forward(self.params, x, self.architecture, self.evaluation)
            network.row_losses(x, self.architecture, self.evaluation, out=losses)
        return total_loss(self.row_losses[:len(X)], vector) / X.size

    def keep(self, history):
        """Keep copies, on the device, of all that an epoch changes, together with the history so far."""
        memory = {name: array.copy() if device.is_host(array) else device.copy(array)
                  for name, array in self.memory.items()}
        self.kept = history, device.copy(self.vector), memory
        if self.host_is_current:
            self.host_history = history

    def restore(self):
        """Go back to what was kept last, on the device and on the host. Returns the history that was kept with it.

        If the GPU fails here, the host's arrays stay as they are, and the history that belongs to them is returned.
        """
        history, vector, memory = self.kept
        try:
            device.fill(self.vector, vector)
            for name, array in self.memory.items():
                if device.is_host(array):
                    array[...] = memory[name]
                else:
                    device.fill(array, memory[name])
            self.host_is_current = False
            self.to_host()
        except (RuntimeError, MemoryError):
            return self.host_history
        return history

    def gradient(self):
        """The gradient of the last batch, a vector like `vector`, copied to the host."""
        return device.download(self.work.gradient)

    def to_host(self):
        """Copy parameters and memory into the Training's arrays, all or none, unless these are current."""
        if self.host_is_current:
            return
        vector = device.download(self.vector)
        memory = {name: array if device.is_host(array) else device.download(array)
                  for name, array in self.memory.items()}
        self.host_vector[...] = vector
        for name, array in self.host_optimizer.state().items():
            array[...] = memory[name]
        self.host_is_current, self.host_history = True, self.kept[0]
