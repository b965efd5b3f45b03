"""The ladder of matrix products compared with BLAS and with the limit of the machine.

    python -m tests.benchmarks.matmul [--json FILE] [--picture FILE]
"""

import numpy as np
from numba import prange

from aelearn.kernels.cpu.compiling import compiled
from aelearn.kernels.cpu.matmul import RUNGS, matmul
from tests.benchmarks.harness import Table, geometric_mean, main, race

PRODUCTS = [  # N, K, M, which factor is transposed: the autoencoder's own, and a large one
    (48, 784, 128, ""), (48, 128, 784, ""), (784, 48, 128, "a"), (128, 48, 784, "a"), (48, 784, 128, "b"),
    (11_623, 784, 128, ""), (512, 512, 512, ""),
]
CLIMB = (512, 512, 512)  # where each rung is timed


@compiled(parallel=True, fastmath={"contract"})
def multiply_adds(numbers):
    """Nothing but multiply-adds: 8 in a row on each of 1024 numbers, 100 times, for each row of `numbers`.

    Each number's eight wait for each other, but there are enough numbers to go on with meanwhile.
    """
    for row in prange(numbers.shape[0]):
        x = numbers[row]
        for _ in range(100):
            for j in range(1024):
                y = x[j]
                for _ in range(8):
                    y = y * x[j] + x[j]
                x[j] = y


def ceiling():
    """Multiplications and additions per second that this machine does in float32 on numbers that are at hand."""
    numbers = np.full((64, 1024), 0.5, np.float32)  # 0.5 + 0.25 + ... = 1, then less: no number runs away
    seconds = race({"": lambda: multiply_adds(numbers)})[""].median
    return 2 * 8 * 100 * numbers.size / seconds


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
    speeds["multiply-adds alone"] = ceiling() / 1e9
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
