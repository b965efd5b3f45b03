"""Are aelearn's own gradients right? Every depth, activation and loss on every back end, by finite differences.

`python -m aelearn.selfcheck` prints a line for each network. Shapes: N samples, D features.
"""

import numpy as np

from aelearn import kernels
from aelearn.autoencoder.evaluation import network_functions
from aelearn.autoencoder.layers import ACTIVATIONS, INITIALIZERS
from aelearn.autoencoder.network import Architecture, Workspace, autoencoder_widths, forward
from aelearn.gradcheck import check_gradients


def check_network(hidden_layer_sizes, activation, output_activation, loss, code_activation=None, *, n_features=6,
                  n_samples=5, seed=0, backend="numpy"):
    """check_gradients on one of aelearn's own networks with random weights and images in [0, 1], in float64.

    With ReLU the loss has kinks, where no derivative exists: images and weights are redrawn until every pre-activation
    is at least 0.01 away from 0, which is farther than the check's small changes reach.
    """
    architecture = Architecture(autoencoder_widths(n_features, hidden_layer_sizes), activation, output_activation, loss,
                                code_activation)
    work = Workspace(architecture, n_samples, np.float64)
    rng = np.random.default_rng(seed)
    while True:
        x = rng.random((n_samples, n_features))  # (N, D)
        params = architecture.parameters(np.empty(architecture.n_parameters))
        for layer in range(1, architecture.n_layers + 1):
            INITIALIZERS["glorot"](rng, params[f"W{layer}"], params[f"b{layer}"])
            params[f"b{layer}"][...] = rng.uniform(-0.5, 0.5, params[f"b{layer}"].shape)
        forward(params, x, architecture, work)
        names = (activation, output_activation, code_activation)
        if "relu" not in names or min(np.abs(z).min() for z in work.z[1:]) > 0.01:
            break
    functions = network_functions(backend)
    own_work = functions.Workspace(architecture, n_samples, np.float64)
    _, grads = functions.loss_and_gradients(params, x, architecture)

    def loss_of(changed):
        functions.forward(changed, x, architecture, own_work)
        return functions.output_loss(x, architecture, own_work)

    return check_gradients(loss_of, params, grads)


def network_cases():
    """Every depth from 1 to 4 with every valid combination of activation, output activation and loss; and every pair
    of an activation and another one of the code."""
    for hidden in ((3,), (4, 2), (5, 3, 2), (5, 4, 3, 2)):
        for activation in ACTIVATIONS:
            for output_activation in ACTIVATIONS:
                yield hidden, activation, output_activation, "mse", None
            yield hidden, activation, "sigmoid", "bce", None
    for activation in ACTIVATIONS:
        for code_activation in ACTIVATIONS:
            if code_activation != activation:
                yield (5, 3, 2), activation, "identity", "mse", code_activation


def main():
    """Check all networks of `network_cases` on every back end that runs here, and print one line each."""
    backends = [status.name for status in kernels.status() if status.runs]
    n_networks, worst = 0, 0.0
    print(f"{'network':24} {'hidden':9} {'code':9} {'output':9} {'loss':5} {'entries':>7}",
          f" worst relative error: {backends}")
    for hidden, activation, output_activation, loss, code_activation in network_cases():
        reports = [check_network(hidden, activation, output_activation, loss, code_activation, backend=backend)
                   for backend in backends]
        widths = "-".join(map(str, autoencoder_widths(6, hidden)))
        entries = sum(row.n_entries for row in reports[0].rows)
        errors = [report.relative_error for report in reports]
        names = (activation, code_activation or activation, output_activation)
        print(f"{widths:24} {' '.join(f'{name:9}' for name in names)} {loss:5} {entries:7} ",
              " ".join(f"{error:.1e}" for error in errors))
        n_networks, worst = n_networks + 1, max(worst, *errors)
    print(f"all {n_networks} networks are right: worst relative error {worst:.1e}, of 1e-6 allowed")


if __name__ == "__main__":
    main()
