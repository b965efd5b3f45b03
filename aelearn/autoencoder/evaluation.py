"""A network applied to many rows: its loss, the output of any layer, and which outputs are dead.

The rows are processed in blocks, so that intermediate arrays fit into the cache and memory does not grow with N.

Shapes: N samples, D features, B rows of a block.
"""

from aelearn import kernels
from aelearn.autoencoder import network

EVALUATION_ROWS = 256  # rows of a block if only losses, codes or reconstructions are needed: they fit into the cache


def network_functions(backend):
    """The module with forward, output_loss, backward, loss_and_gradients and Workspace of a back end, by its name."""
    return network if backend == "numpy" else kernels.get(backend)


def evaluation_rows(functions):
    """EVALUATION_ROWS, or the back end's own number."""
    return getattr(functions, "EVALUATION_ROWS", EVALUATION_ROWS)


def mean_loss(functions, params, X, architecture):
    """The loss over all rows of X, block by block: the blocks' losses weighted by their number of rows."""
    n_rows = evaluation_rows(functions)
    work, total = functions.Workspace(architecture, n_rows, X.dtype), 0.0
    for start in range(0, len(X), n_rows):
        x = X[start:start + n_rows]
        functions.forward(params, x, architecture, work)
        total += functions.output_loss(x, architecture, work) * len(x)
    return total / len(X)


def layer_outputs(functions, params, X, architecture, *, first=1, last=None):
    """Layers `first` to `last` (all by default) applied to X: for each block, its rows (a slice) and its output.

    X is (N, width in front of layer `first`), the output (B, width of layer `last`); the next block overwrites it.
    """
    n_rows = evaluation_rows(functions)
    work = functions.Workspace(architecture, n_rows, X.dtype)
    for start in range(0, len(X), n_rows):
        rows = slice(start, start + n_rows)
        yield rows, functions.forward(params, X[rows], architecture, work, first=first, last=last)


def dead_outputs(functions, params, X, architecture):
    """Which outputs of a network that ends in ReLU are 0 for all rows of X (N, D), although X is not: (D,) bool.

    Where a ReLU is 0, its gradient is 0. So the weights and the bias of such an output never change again, and only a
    change in the layers below could revive it.
    """
    dead = X.max(axis=0) > 0  # (D,)
    for _, outputs in layer_outputs(functions, params, X, architecture):  # (B, D)
        dead &= ~outputs.any(axis=0)
    return dead
