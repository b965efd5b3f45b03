"""The arrays that forward and backward write into, so that training allocates nothing per step.

The equations are in network.py; this is only memory. Counterparts: kernels/cpu/workspace.py, kernels/gpu/workspace.py.

Shapes: N rows of a batch; layers and their widths as in network.py.
"""

import numpy as np


class Workspace:
    """Memory for one pass over at most `n_rows` rows, made once and used for every batch.

    z, a, dz, da  for each layer l = 0..L an array (n_rows, width of layer l); those of l = 0 stay unused, as a[0] is x
    gradient      the derivatives of the loss with respect to all parameters, in one vector
    grads         the same as matrices, {"W1": (D, H), "b1": (H,), ...}: views of `gradient`
    """

    def __init__(self, architecture, n_rows, dtype):
        def one_for_each_layer():
            return [np.empty((n_rows, width), dtype) for width in architecture.widths]

        self.z, self.a, self.dz, self.da = (one_for_each_layer() for _ in range(4))
        self.gradient = np.zeros(architecture.n_parameters, dtype)
        self.grads = architecture.parameters(self.gradient)
        self.n_encoder = sum(array.size for array in list(self.grads.values())[:2 * architecture.code_layer])

    def clear_decoder(self):
        """Set the gradients of the decoder to 0: they come after those of the encoder."""
        self.gradient[self.n_encoder:] = 0

    def rows(self, n):
        """z, a, dz, da for a batch of n rows: of each, a new list of views (n, width of layer l)."""
        return [[array[:n] for array in arrays] for arrays in (self.z, self.a, self.dz, self.da)]
