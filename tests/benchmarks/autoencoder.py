"""An epoch of training: aelearn's two back ends compared with several ways to do the same in PyTorch on a CPU.

    python -m tests.benchmarks.autoencoder [--json FILE] [--picture FILE]

All start from the same weights and use the same batches in the same order. An epoch is one pass in batches, then the
loss over all images. Before anything is timed, the losses after the first epoch must agree within 1e-4.
"""

import warnings

import numpy as np

from aelearn import Autoencoder, load_mnist
from aelearn.autoencoder.evaluation import EVALUATION_ROWS
from tests.benchmarks.harness import Table, main, peers, race

ORIGINAL = (128, 3)
SETTINGS = [(ORIGINAL, 48), (ORIGINAL, 16), (ORIGINAL, 256), (ORIGINAL, 1024), ((500, 500, 2000, 10), 256)]
TORCH = {"PyTorch, Adam": {}, "PyTorch, fused Adam": {"fused": True}, "PyTorch, torch.compile": {"fused": True}}


def start(hidden, batch_size, backend, X):
    """An autoencoder of the original's settings with its initial weights, ready to be trained."""
    return Autoencoder(hidden, epochs=0, batch_size=batch_size, backend=backend, random_state=0).fit(X)


def own_epoch(hidden, batch_size, backend, X):
    """A function that trains one more epoch and returns the loss after it."""
    model = start(hidden, batch_size, backend, X)

    def epoch():
        model._training.run(X, None, epochs=len(model.history_) + 1, batch_size=batch_size, backend=backend,
                            after_epoch=lambda: False)
        return model.history_[-1]["loss"]

    return epoch


def torch_epoch(torch, hidden, batch_size, X, *, compiled, fused=False):
    """The same in PyTorch."""
    model = start(hidden, batch_size, "numpy", X)
    layers = []
    for layer in range(1, len(model.widths_)):
        linear = torch.nn.Linear(*model.widths_[layer - 1:layer + 1])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(model.params_[f"W{layer}"].T))
            linear.bias.copy_(torch.from_numpy(model.params_[f"b{layer}"]))
        layers += [linear, torch.nn.Sigmoid()]
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3, fused=fused)
    forward = torch.compile(network) if compiled else network
    images, seed, n_epochs = torch.from_numpy(X), model._training.seed, 0

    def epoch():
        nonlocal n_epochs
        n_epochs += 1
        order = torch.from_numpy(np.random.default_rng((seed, n_epochs)).permutation(len(X)))
        for rows in order.split(batch_size):
            x = images[rows]
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(forward(x), x).backward()
            optimizer.step()
        with torch.no_grad():
            blocks = images.split(1024)
            return sum(float(torch.nn.functional.mse_loss(network(x), x)) * len(x) for x in blocks) / len(images)

    return epoch


def rivals_for(hidden, batch_size, X, table):
    """{name: epoch} of all that run here and reach the same losses; what does not is noted in the table."""
    rivals = {f"aelearn, {backend}": own_epoch(hidden, batch_size, backend, X) for backend in ("numba", "numpy")}
    expected, other = [epoch() for epoch in rivals.values()]
    assert abs(other - expected) < 1e-4, (expected, other)
    torch = peers("torch").get("torch")
    if torch is None:
        table.notes.append("PyTorch is not installed: nothing to compare with")
        return rivals
    for name, settings in TORCH.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                epoch = torch_epoch(torch, hidden, batch_size, X, compiled="compile" in name, **settings)
                loss = epoch()
        except Exception as error:  # torch.compile needs a C++ compiler, and says so in many ways
            note = f"{name} does not run here: {str(error).strip().splitlines()[0][:120]}"
            if note not in table.notes:
                table.notes.append(note)
            continue
        assert abs(loss - expected) < 1e-4, (name, loss, expected)
        rivals[name] = epoch
    return rivals


def floor(hidden, batch_size, X):
    """Seconds that an epoch's large products alone take with BLAS: five a batch, and two for the loss."""
    if len(hidden) != 2:
        return None
    n, d, h = batch_size, X.shape[1], hidden[0]
    rng = np.random.default_rng(0)

    def random(*shape):
        return rng.random(shape, np.float32)

    x, W, a, V, dz, dh = random(n, d), random(d, h), random(n, h), random(h, d), random(n, d), random(n, h)
    rows, rows_h = random(EVALUATION_ROWS, d), random(EVALUATION_ROWS, h)
    batch_products = [(x, W), (a, V), (a.T, dz), (dz, V.T), (x.T, dh)]
    loss_products = [(rows, W), (rows_h, V)]
    seconds = []
    for products in (batch_products, loss_products):
        outs = [np.empty((p.shape[0], q.shape[1]), np.float32) for p, q in products]
        calls = {"": lambda: [np.matmul(p, q, out=out) for (p, q), out in zip(products, outs)]}
        seconds.append(race(calls)[""].median)
    return seconds[0] * len(X) / n + seconds[1] * len(X) / EVALUATION_ROWS


def run():
    """Training epochs: aelearn's two back ends against PyTorch on the CPU, same start, same batches."""
    X = load_mnist("train", digits=(0, 1))[0]
    table = Table("An epoch of training (11,623 images; passes in batches, then the loss over all)",
                  ["network, batch", "aelearn, numba", "aelearn, numpy", *TORCH, "best PyTorch / numba",
                   "best PyTorch / numpy", "products alone / numba"])
    for hidden, batch_size in SETTINGS:
        rivals = rivals_for(hidden, batch_size, X, table)
        times = race(rivals, rounds=7, turn=0.2, budget=45)
        best = min((times[name].median for name in TORCH if name in times), default=None)
        least = floor(hidden, batch_size, X)
        ratios = [best / times[f"aelearn, {backend}"].median if best else None for backend in ("numba", "numpy")]
        share = least / times["aelearn, numba"].median if least else None
        name = "-".join(map(str, (784, *hidden))) + f", {batch_size}"
        table.rows.append([name, *(times.get(rival, "-") for rival in ("aelearn, numba", "aelearn, numpy", *TORCH)),
                           *(f"{ratio:.2f}" if ratio else "-" for ratio in (*ratios, share))])
        table.numbers[name] = {rival: timing.median for rival, timing in times.items()}
        if best:
            table.speedups[f"training {name}"] = ratios[0]
    torch = peers("torch").get("torch")
    if torch:
        table.notes.append(f"PyTorch {torch.__version__} on {torch.get_num_threads()} threads")
    table.notes.append("products alone: an epoch's large matrix products (five a batch, two for the loss) with BLAS")
    return table


if __name__ == "__main__":
    main(run)
