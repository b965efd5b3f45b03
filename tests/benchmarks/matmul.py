"""The ladder of matrix products compared with BLAS and with the limit of the machine.

    python -m tests.benchmarks.matmul [--json FILE] [--picture FILE]
"""

import numpy as np

from aelearn.kernels.cpu import ceiling
from aelearn.kernels.cpu.matmul import RUNGS, matmul
from tests.benchmarks.harness import Table, geometric_mean, main, race

PRODUCTS = [  # N, K, M, which factor is transposed: the autoencoder's own, and a large one
    (48, 784, 128, ""), (48, 128, 784, ""), (784, 48, 128, "a"), (128, 48, 784, "a"), (48, 784, 128, "b"),
    (11_623, 784, 128, ""), (512, 512, 512, ""),
]
CLIMB = (512, 512, 512)  # where each rung is timed


def factors(n, k, m, transposed):
    """Random float32 factors a (N, K) and b (K, M); the one named in `transposed` lies column by column."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    return (np.asfortranarray(a) if transposed == "a" else a), (np.asfortranarray(b) if transposed == "b" else b)


def run():
    """Matrix products: aelearn's against np.matmul, and each rung against the machine's ceiling."""
    table = Table("Matrix products, float32", ["product", "aelearn", "np.matmul (BLAS)", "aelearn / BLAS, speed"])
    for n, k, m, transposed in PRODUCTS:
        a, b = factors(n, k, m, transposed)
        out, blas_out = np.empty((n, m), np.float32), np.empty((n, m), np.float32)
        rivals = {"aelearn": lambda: matmul(a, b, out), "BLAS": lambda: np.matmul(a, b, out=blas_out)}
        times = race(rivals)
        np.testing.assert_allclose(out, blas_out, rtol=0, atol=1e-5 * k)
        ratio = times["BLAS"].median / times["aelearn"].median
        name = f"{n:,} x {k} x {m}" + (f", {transposed} transposed" if transposed else "")
        table.rows.append([name, times["aelearn"], times["BLAS"], f"{ratio:.2f}"])
        table.speedups[f"product {name}"] = ratio
    table.rows.append(["geometric mean", "", "", f"{geometric_mean(table.speedups.values()):.2f}"])

    n, k, m = CLIMB
    a, b = factors(n, k, m, "")
    out = np.empty((n, m), np.float32)
    rivals = {rung.__name__: lambda rung=rung: rung(a, b, out) for rung in RUNGS}
    rivals["np.matmul (BLAS)"] = lambda: np.matmul(a, b, out=out)
    speeds = {name: 2 * n * k * m / timing.median / 1e9 for name, timing in race(rivals).items()}
    speeds["multiply-adds alone"] = ceiling.peak() / 1e9
    climb = ", ".join(f"{name} {speed:.3g}" for name, speed in speeds.items())
    table.notes.append(f"GFLOP/s at {n} cubed: {climb}")
    table.numbers = {"gflops": speeds}
    return table


def draw(table, path):
    """A bar for each rung."""
    from aelearn import plotting

    speeds = table.numbers["gflops"]
    names = [f"{rung}  {name.replace('_', ' ')}" if rung <= len(RUNGS) else name for rung, name in enumerate(speeds, 1)]
    plotting.save(plotting.bars(names, list(speeds.values()), xlabel="GFLOP/s, float32",
                                title="The same product of 512 x 512 matrices, rung by rung"), path)


if __name__ == "__main__":
    main(run, draw)
