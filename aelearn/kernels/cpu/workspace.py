"""The arrays that the kernels of network.py write into, so that training allocates nothing per step.

Plumbing. Counterparts: autoencoder/workspace.py (NumPy), kernels/gpu/workspace.py.

Shapes: N rows of a batch, D features.
"""

import numpy as np

from aelearn.kernels.cpu.compiling import room


class Workspace:
    """Memory for one pass over at most `n_rows` rows, made once and used for every batch.

    a, dz     for each layer l = 0..L an array (n_rows, width of layer l); a[0] takes copies of images that kernels
              cannot read directly
    z         of the last layer alone: (n_rows, D) for the cross-entropy, which is computed from it, else (0, D)
    row_loss  (n_rows,) float64: each row's loss, summed over its D entries
    gradient  the derivatives of the loss with respect to all parameters, in one vector
    grads     the same as matrices, {"W1": (D, H), "b1": (H,), ...}: views of `gradient`
    """

    def __init__(self, architecture, n_rows, dtype):
        like = np.empty(0, dtype)

        def matrix(n_rows, width):
            return room(n_rows * width, like).reshape(n_rows, width)

        self.a, self.dz = ([matrix(n_rows, width) for width in architecture.widths] for _ in range(2))
        self.z = matrix(n_rows if architecture.loss == "bce" else 0, architecture.widths[-1])
        self.row_loss = np.empty(n_rows)
        self.gradient = room(architecture.n_parameters, like)
        self.grads = architecture.parameters(self.gradient)
        self.n_encoder = sum(array.size for array in list(self.grads.values())[:2 * architecture.code_layer])
        self._rows = {}

    def clear_decoder(self):
        """Set the gradients of the decoder to 0: they come after those of the encoder."""
        self.gradient[self.n_encoder:] = 0

    def rows(self, n):
        """a, dz, z for a batch of n rows: two new lists of views (n, width of layer l), and a view (n, D) or (0, D).

        The views are made once for each n, because all those slices would take time in every step.
        """
        if n not in self._rows:
            self._rows[n] = [a[:n] for a in self.a], [dz[:n] for dz in self.dz], self.z[:n]
        a, dz, z = self._rows[n]
        return list(a), list(dz), z
