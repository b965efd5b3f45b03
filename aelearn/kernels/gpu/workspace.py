"""The device's arrays that the kernels of network.py write into, so that training allocates nothing per step.

Plumbing. Counterparts: autoencoder/workspace.py (NumPy), kernels/cpu/workspace.py.

Shapes: N rows of a batch, D features.
"""

from aelearn.kernels.gpu import device


class Workspace:
    """Memory on the device for one pass over at most `n_rows` rows, made once and used for every batch.

    a, dz     for each layer l = 0..L an array (n_rows, width of layer l); a[0] takes images that come from the host
    z         of the last layer alone: (n_rows, D) for the cross-entropy, which is computed from it, else (0, D)
    no_z      z without rows, (0, D)
    row_loss  (n_rows, 2): each row's loss, summed over its D entries, as a pair (sums.py)
    gradient  the derivatives of the loss with respect to all parameters, in one vector
    grads     the same as matrices, {"W1": (D, H), "b1": (H,), ...}: views of `gradient`
    params    like `grads`, for parameters that come from the host
    """

    def __init__(self, architecture, n_rows, dtype):
        self.a, self.dz = ([device.empty((n_rows, width), dtype) for width in architecture.widths] for _ in range(2))
        self.z = device.empty((n_rows if architecture.loss == "bce" else 0, architecture.widths[-1]), dtype)
        self.no_z = self.z[:0]
        self.row_loss = device.empty((n_rows, 2), dtype)
        self.gradient = device.empty(architecture.n_parameters, dtype)
        self.grads = architecture.parameters(self.gradient)
        self.n_encoder = sum(array.size for array in list(self.grads.values())[:2 * architecture.code_layer])
        self.params = architecture.parameters(device.empty(architecture.n_parameters, dtype))
        self._rows = {}

    def rows(self, n):
        """a, dz, z for a batch of n rows: two new lists of views (n, width of layer l), and a view (n, D) or (0, D).

        The views are made once for each n, because all those slices would take time in every step.
        """
        if n not in self._rows:
            self._rows[n] = [a[:n] for a in self.a], [dz[:n] for dz in self.dz], self.z[:min(n, len(self.z))]
        a, dz, z = self._rows[n]
        return list(a), list(dz), z

    def clear_decoder(self):
        """Set the gradients of the decoder to 0: they come after those of the encoder."""
        gradient = device.download(self.gradient)
        gradient[self.n_encoder:] = 0
        device.fill(self.gradient, gradient)

    def take_images(self, x, layer=0):
        """Images, or codes, x (N, width) on the device: themselves, or copied into a[layer]."""
        if not device.is_host(x):
            return x
        a, _, _ = self.rows(len(x))
        device.fill(a[layer], x)
        return a[layer]

    def take_params(self, params):
        """Parameters on the device: themselves, or copied into `params`."""
        if not device.is_host(params["W1"]):
            return params
        for name, array in params.items():
            device.fill(self.params[name], array)
        return self.params
