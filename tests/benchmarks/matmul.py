"""The ladder of matrix products beside BLAS and beside what the machine can do at all.

    python -m tests.benchmarks.matmul [--json FILE] [--picture FILE]
"""

import numpy as np
from numba import prange

from aelearn.kernels.cpu import matmul as ladder
from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from tests.benchmarks.harness import Table, geometric_mean, main, race

PRODUCTS = [  # N, K, M, which factor is transposed: the autoencoder's own, and a large one
    (48, 784, 128, ""), (48, 128, 784, ""), (784, 48, 128, "a"), (128, 48, 784, "a"), (48, 784, 128, "b"),
    (11_623, 784, 128, ""), (512, 512, 512, ""),
]
CLIMB = (512, 512, 512)  # where each rung is timed


@compiled(parallel=True, fastmath=SUMS_IN_ANY_ORDER)
def multiply_adds(lanes, n_rounds):
    """Nothing but multiply-adds, on numbers that stay in registers: 64 in every round, on each row of `lanes`."""
    for row in prange(lanes.shape[0]):
        numbers = lanes[row]
        for j in range(numbers.shape[0]):
            x = numbers[j]
            a, b, c, d = x, x + 1, x + 2, x + 3
            for _ in range(n_rounds):
                a, b, c, d = a * x + a, b * x + b, c * x + c, d * x + d
            numbers[j] = a + b + c + d


def ceiling():
    """Multiply-adds per second, times two, that this machine does in float32 with all data in registers."""
    lanes, n_rounds = np.full((64, 64), 1e-8, np.float32), 4096
    seconds = race({"": lambda: multiply_adds(lanes, n_rounds)})[""].median
    return 2 * 4 * n_rounds * lanes.size / seconds


def factors(n, k, m, transposed):
    """Random float32 factors a (N, K) and b (K, M); the one named in `transposed` lies column by column."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    return (np.asfortranarray(a) if transposed == "a" else a), (np.asfortranarray(b) if transposed == "b" else b)


def run():
    """Matrix products: aelearn's against np.matmul, and each rung against the machine's ceiling."""
    table = Table("Matrix products, float32", ["product", "aelearn", "np.matmul (BLAS)", "aelearn / BLAS, speed"])
    ratios = []
    for n, k, m, transposed in PRODUCTS:
        a, b = factors(n, k, m, transposed)
        out, blas_out = np.empty((n, m), np.float32), np.empty((n, m), np.float32)
        rivals = {"aelearn": lambda: ladder.matmul(a, b, out), "BLAS": lambda: np.matmul(a, b, out=blas_out)}
        times = race(rivals)
        np.testing.assert_allclose(out, blas_out, rtol=0, atol=1e-5 * k)
        ratios.append(times["BLAS"].median / times["aelearn"].median)
        name = f"{n:,} x {k} x {m}" + (f", {transposed} transposed" if transposed else "")
        table.rows.append([name, times["aelearn"], times["BLAS"], f"{ratios[-1]:.2f}"])
    table.rows.append(["geometric mean", "", "", f"**{geometric_mean(ratios):.2f}**"])

    n, k, m = CLIMB
    a, b = factors(n, k, m, "")
    out = np.empty((n, m), np.float32)
    rivals = {rung.__name__: lambda rung=rung: rung(a, b, out) for rung in ladder.RUNGS}
    rivals["np.matmul (BLAS)"] = lambda: np.matmul(a, b, out=out)
    speeds = {name: 2 * n * k * m / timing.median / 1e9 for name, timing in race(rivals).items()}
    speeds["ceiling"] = ceiling() / 1e9
    climb = ", ".join(f"{name} {speed:.3g}" for name, speed in speeds.items())
    table.notes.append(f"GFLOP/s at {n} cubed: {climb} (multiply-adds on registers)")
    table.numbers = {"ratios": ratios, "geometric_mean": geometric_mean(ratios), "gflops": speeds}
    return table


def draw(table, path):
    """A bar for each rung."""
    from aelearn.plotting import bars

    speeds = table.numbers["gflops"]
    names = {"np.matmul (BLAS)": "np.matmul\n(BLAS)", "ceiling": "multiply-adds\non registers"}
    bars(path, [names.get(name, name.replace("_", "\n")) for name in speeds], list(speeds.values()),
         ylabel="GFLOP/s (float32, 512 cubed)", title="The same product, rung by rung")


if __name__ == "__main__":
    main(run, draw)
