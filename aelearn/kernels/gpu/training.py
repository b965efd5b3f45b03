"""A training run that lives on the GPU: images, parameters, gradients and the optimiser's memory stay there.

The loop is that of aelearn/training.py, whose `Run` this class replaces. In each epoch the order of the images goes to
the device, and the loss comes back; parameters come back when somebody asks for them.

Shapes: N samples, D features, B rows of a batch.
"""

import copy

import numpy as np

from aelearn.kernels.gpu import device, network
from aelearn.kernels.gpu.losses import total_loss

EVALUATION_ROWS = 2048  # rows of a block when only the loss is asked for


class Run:
    """Epochs on the device; see aelearn.autoencoder.training.Run."""

    def __init__(self, architecture, vector, optimizer, X, validation, batch_size):
        self.architecture, self.batch_size = architecture, batch_size
        self.home_vector, self.home_optimizer, self.is_home = vector, optimizer, True
        self.vector = device.upload(vector)
        self.params = architecture.parameters(self.vector)
        self.optimizer = copy.copy(optimizer)  # the same settings and the same `update`, on arrays of the device
        self.memory = {}
        for name, array in optimizer.state().items():
            here = array.copy() if array.ndim == 0 else device.upload(array)  # Adam's count of steps stays here
            self.memory[name] = here
            setattr(self.optimizer, name, here)
        self.X = device.upload(X)  # (N, D)
        self.validation = None if validation is None else device.upload(validation)
        batch_rows = min(batch_size, len(X))
        self.x = device.empty((batch_rows, X.shape[1]), X.dtype)  # (B, D)
        self.work = network.Workspace(architecture, batch_rows, X.dtype)
        self.evaluation = network.Workspace(architecture, min(EVALUATION_ROWS, len(X)), X.dtype)
        n_losses = max(len(X), 0 if validation is None else len(validation))
        self.losses = device.empty((n_losses, 2), X.dtype)

    def epoch(self, order):
        """One pass over the images in the given order (N,); the last batch may be smaller."""
        self.is_home, self.optimizer.learning_rate = False, self.home_optimizer.learning_rate
        order = device.upload(order.astype(np.int64))
        rest = self.x[:len(self.X) % self.batch_size]  # where a smaller batch goes
        for start in range(0, len(self.X), self.batch_size):
            x = self.x if start + len(self.x) <= len(self.X) else rest  # (B, D)
            network.take(self.X, order, start, x)
            network.forward(self.params, x, self.architecture, self.work)
            network.backward(self.params, x, self.architecture, self.work)
            self.optimizer.update(self.vector, self.work.gradient)

    def measure(self):
        """The loss over all of X, NaN if a parameter is not finite, and that over the validation images, or None."""
        loss = self._mean_loss(self.X, self.vector)
        return loss, None if self.validation is None else self._mean_loss(self.validation)

    def _mean_loss(self, X, vector=None):
        """The mean loss over X (N, D) on the device; NaN unless all entries of `vector` are finite."""
        rows = len(self.evaluation.row_loss)
        for start in range(0, len(X), rows):
            x, losses = X[start:start + rows], self.losses[start:min(start + rows, len(X))]
            network.forward(self.params, x, self.architecture, self.evaluation)
            network.row_losses(x, self.architecture, self.evaluation, out=losses)
        return total_loss(self.losses[:len(X)], vector) / X.size

    def snapshot(self):
        """Copies, on the device, of all that training changes."""
        memory = {name: array.copy() if device.is_host(array) else device.copy(array)
                  for name, array in self.memory.items()}
        return device.copy(self.vector), memory

    def restore(self, snapshot):
        """Go back to what a snapshot holds, on the device and at home."""
        vector, memory = snapshot
        device.fill(self.vector, vector)
        for name, array in self.memory.items():
            if device.is_host(array):
                array[...] = memory[name]
            else:
                device.fill(array, memory[name])
        self.is_home = False
        self.come_home()

    def come_home(self):
        """Copy parameters and memory back into NumPy's arrays, unless they are there already."""
        if self.is_home:
            return
        self.home_vector[...] = device.download(self.vector)
        for name, array in self.home_optimizer.state().items():
            there = self.memory[name]
            array[...] = there if device.is_host(there) else device.download(there)
        self.is_home = True
