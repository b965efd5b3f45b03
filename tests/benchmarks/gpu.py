"""Predicted times of the GPU kernels, and measured times next to them if there is a GPU.

    python -m tests.benchmarks.gpu [--json FILE] [--picture FILE]

For each kernel at the sizes of the main job (and a few larger ones): how much it computes, how much it loads, how many
of its blocks fit on a multiprocessor, and the time that follows from that. Registers and shared memory are those that
CUDA's assembler reports, so this needs the extras `cuda` and `cuda-test`. gpu_page.py explains the model.

Shapes: N samples, D features, K clusters, B rows in a batch; N, K, M for matrix products.
"""

import time
from dataclasses import asdict, dataclass, field

import numpy as np

from aelearn import kernels
from aelearn.kernels.common import AdamNumbers
from aelearn.kernels.gpu import device
from aelearn.kernels.gpu.assignment import PANEL, SLAB, SUMS
from aelearn.kernels.gpu.lloyd import MAX_CHUNKS
from aelearn.kernels.gpu.matmul import BLOCK, DEPTH, SIDE, TILE
from aelearn.kernels.gpu.sums import THREADS
from tests.benchmarks.harness import Table, main
from tests.kernels.gpu.compiled import SPECS, assemble

WARP = 32
BY_NAME = {spec.name: spec for spec in SPECS}


@dataclass(frozen=True)
class Card:
    """A GPU as its data sheet describes it."""

    name: str
    capability: tuple
    multiprocessors: int
    lanes: int  # float32 instructions that a multiprocessor issues per cycle
    clock: float  # Hz
    bandwidth: float  # bytes per second
    threads: int  # per multiprocessor, like the following
    blocks: int
    shared: int  # bytes
    registers: int = 65536

    def resident(self, registers, shared, threads):
        """How many blocks fit on a multiprocessor. Registers are allocated to warps, 256 at a time."""
        warps = -(-threads // WARP)
        of_a_warp = -(-registers * WARP // 256) * 256
        by_shared = self.shared // shared if shared else self.blocks
        return min(self.blocks, self.threads // (warps * WARP), self.registers // (of_a_warp * warps), by_shared)


# NVIDIA, "T4 Tensor Core GPU" data sheet (2019): 2,560 cores, 8.1 TFLOPS, 320 GB/s; "Turing GPU architecture" (2018):
# 64 float32 lanes per multiprocessor; "CUDA C++ programming guide", technical specifications, compute capability 7.5.
T4 = Card("NVIDIA T4", (7, 5), 40, 64, 1.59e9, 320e9, 1024, 16, 64 * 1024)


@dataclass(frozen=True)
class Case:
    """One launch of a kernel, and the resources that it needs.

    instructions  arithmetic instructions, summed over all threads; a multiply-add is one
    bytes         moved from or to memory, each array counted once
    accesses      of warps to shared memory or the L1 cache; a multiprocessor serves one per cycle, and an access that
                  touches n lines or n rows of a bank counts n times
    arguments     function that creates the launch's arguments, on the device
    """

    kernel: str
    size: str
    grid: object
    instructions: float
    bytes: float
    accesses: float
    arguments: object = field(compare=False)

    @property
    def n_blocks(self):
        """Blocks of the grid."""
        return int(np.prod(self.grid))

    def bounds(self, card):
        """{resource: seconds} that the card takes for each: multiprocessors without a block do not help."""
        share = min(1, self.n_blocks / card.multiprocessors)
        cycles = card.multiprocessors * card.clock * share
        return {"arithmetic": self.instructions / (cycles * card.lanes),
                "memory": self.bytes / (card.bandwidth * share), "on-chip memory": self.accesses / cycles}


def numbers(*shape):
    """Random float32 numbers on the device."""
    return device.upload(np.random.default_rng(0).random(shape, dtype=np.float32))


def up(n, step):
    """n rounded up to a multiple of `step`."""
    return -(-n // step) * step


def climb(n):
    """The four rungs of the ladder for matrices n x n."""
    side, traffic, work = -(-n // BLOCK), 3 * 4 * n * n, n**3
    # A step of a warp, 2 rows of 16 threads: rung 1 touches 16 rows of a and 2 columns of b, which are in one line;
    # rung 2 touches 2 rows of a and one line of b; rung 3 reads both from shared memory, and every 16 steps it loads
    # two tiles, 2 lines each, and stores them.
    for name, accesses in (("one_thread_an_entry", 17), ("coalesced", 3), ("shared_tiles", 2 + 6 / BLOCK)):
        yield Case(f"matmul.{name}", f"{n} cubed", (side, side), work, traffic, accesses * work / WARP,
                   lambda: (numbers(n, n), numbers(n, n), numbers(n, n)))
    yield product("matmul.register_tiles", f"{n} cubed", n, n, n, 0, 1,
                  lambda: (numbers(n, n), numbers(n, n), numbers(n, n), True, False))


def product(kernel, size, n, k, m, more, n_last, arguments):
    """A kernel on top of product_tile, (N, K) by (K, M).

    more: numbers that it also reads or writes; n_last: how many factors have the sum last. Of those a warp loads two
    half rows, and stores them in pairs to one bank.
    """
    n_, k_, m_ = up(n, TILE), up(k, DEPTH), up(m, TILE)  # a tile is computed completely, even if partly unused
    n_blocks, steps = n_ // TILE * (m_ // TILE), n_ * m_ * k_ / 16
    loads = n_blocks * k_ * TILE / WARP * (4 + 2 * n_last)  # two accesses per factor, to load and to store; or four
    n_bytes = 4 * (n * k + k * m + n * m + more)
    return Case(kernel, size, n_blocks, steps * 16, n_bytes, 8 * steps / WARP + loads, arguments)


def each(kernel, size, n, n_bytes, instructions, arguments):
    """A kernel with a thread for each of n entries, which reads and writes n_bytes per entry."""
    accesses = n * n_bytes / 4 / WARP
    return Case(kernel, size, -(-n // THREADS), n * instructions, n * n_bytes, accesses, arguments)


def training_step(n_samples, batch, widths):
    """All launches of a training step, in order."""
    d, last, n_parameters = widths[0], len(widths) - 1, sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    yield each("network._take", f"{batch} x {d}", batch * d, 8, 4, lambda: (
        numbers(n_samples, d), device.upload(np.random.default_rng(0).permutation(n_samples)), 0, numbers(batch, d)))
    for layer in range(1, last + 1):
        k, m = widths[layer - 1], widths[layer]
        yield product("network._dense", f"{batch} x {k} x {m}", batch, k, m, m, 1, lambda k=k, m=m: (
            numbers(batch, k), numbers(k, m), numbers(m), 0, device.empty((0, m), np.float32), numbers(batch, m)))
    yield each("network._output_delta", f"{batch} x {d}", batch * d, 12, 5, lambda: (
        numbers(batch, d), numbers(batch, d), 0, np.float32(1), numbers(batch, d)))
    for layer in range(last, 0, -1):
        k, m = widths[layer - 1], widths[layer]
        yield product("network._weight_gradient", f"{k} x {batch} x {m}", k, batch, m, m, 0, lambda k=k, m=m: (
            numbers(batch, k), numbers(batch, m), numbers(k, m), numbers(m)))
        if layer > 1:
            yield product("network._delta_below", f"{batch} x {m} x {k}", batch, m, k, batch * k, 2, lambda k=k, m=m: (
                numbers(batch, m), numbers(k, m), numbers(batch, k), 0, numbers(batch, k)))
    yield each("optim._adam", f"{n_parameters:,}", n_parameters, 28, 12, lambda: (
        *(numbers(n_parameters) for _ in range(4)), AdamNumbers(*(np.float32(0.5) for _ in range(7)))))


def rest_of_an_epoch(n_samples, widths):
    """The loss over all images, after their forward pass, and the other two optimisers."""
    d, n_parameters = widths[0], sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    of_a_row = 9 * d + 14 * THREADS  # a difference, a square and a sum in pairs for each term; then the tree
    yield Case("losses._row_losses", f"{n_samples:,} x {d}", n_samples, n_samples * of_a_row, 8 * n_samples * (d + 1),
               n_samples * (2 * d + 12 * THREADS) / WARP, lambda: (
        numbers(n_samples, d), numbers(n_samples, d), device.empty((0, d), np.float32), False, numbers(n_samples, 2)))
    yield Case("sums.add_all", f"{n_samples:,}", 1, 8 * n_samples, 8 * n_samples, 2 * n_samples / WARP,
               lambda: (numbers(n_samples, 2), numbers(2)))
    yield Case("losses._nan_unless_finite", f"{n_parameters:,}", 1, 2 * n_parameters, 4 * n_parameters,
               n_parameters / WARP, lambda: (numbers(n_parameters), numbers(2)))
    yield each("optim._sgd", f"{n_parameters:,}", n_parameters, 12, 1, lambda: (
        numbers(n_parameters), numbers(n_parameters), np.float32(0.5)))
    yield each("optim._momentum", f"{n_parameters:,}", n_parameters, 20, 2, lambda: (
        numbers(n_parameters), numbers(n_parameters), numbers(n_parameters), np.float32(0.5), np.float32(0.5)))


def kmeans_iteration(n, d, k):
    """The two launches of an iteration, and one of k-means++."""
    columns, padded = k * (d + 1), up(k, PANEL)
    chunk = up(-(-n // MAX_CHUNKS), THREADS)
    n_chunks = -(-n // chunk)
    # Distances: for each point, centre and feature a difference, a multiply-add and one access for the centre; the
    # feature of the point is used for 8 centres. Sums: each one reads the labels of all points, which is an access and
    # two instructions; one point in K belongs to it: about twenty instructions and three accesses.
    n_teams = max(1, THREADS // columns)
    looks = n * (THREADS // n_teams if n_teams > 1 else up(columns, WARP))
    instructions = 2 * n * padded * d + 2 * looks + 20 * n * (d + 1)
    accesses = (n * padded * d * (1 + 1 / PANEL) + looks + 3 * n * up(d + 1, WARP)) / WARP
    n_numbers, n_rows = SUMS + columns, n_chunks * n_teams
    # A tile of 128 points is read for each panel of centres and for the sums; if it is small, it stays in the cache.
    readings = padded // PANEL + 1 if d > SLAB else 1

    def pass_arguments():
        labels = [device.upload(np.zeros(n, np.int32)) for _ in range(2)]
        return (numbers(n, d), numbers(1), numbers(3 * k + 1, d), numbers(3), *labels, True, chunk, n_teams,
                device.empty((n_rows, n_numbers, 2), np.float32))

    yield Case("assignment.pass_over", f"{n:,} x {d}, {k}", n_chunks, instructions,
               4 * n * d * readings + 8 * n + 8 * n_rows * n_numbers, accesses, pass_arguments)
    of_a_number = 14 * (n_rows + THREADS)  # the rows, then the tree
    yield Case("sums.add_rows", f"{n_rows:,} x {n_numbers:,}", n_numbers, of_a_number * n_numbers,
               8 * n_rows * n_numbers, n_numbers * (2 * n_rows + 12 * THREADS) / WARP,
               lambda: (numbers(n_rows, n_numbers, 2), numbers(n_numbers, 2)))
    trials = 2 + int(np.log(k))
    yield Case("seeding._try_all", f"{n:,} x {d}, {trials} candidates", n_chunks, trials * n * (2 * d + 12),
               4 * n * (d + 1), trials * n * min(d, 8) / 8 * min(d * 4, 32) / 4 / WARP * 8, lambda: (
        numbers(n, d), numbers(1), numbers(n), device.upload(np.arange(trials)), False, chunk,
        device.empty((n_chunks, trials, 2), np.float32)))


def all_cases(ladder=512, n_samples=11_623, batch=48, widths=(784, 128, 3, 128, 784),
              kmeans=((11_623, 3, 2), (1_000_000, 3, 8), (55_000, 784, 10))):
    """{part of the job: its launches}."""
    parts = {"Matrix products, rung by rung": list(climb(ladder)),
             f"One training step, {'-'.join(map(str, widths))}, batch {batch}": list(
                 training_step(n_samples, batch, widths)),
             "The loss after an epoch, and the other optimisers": list(rest_of_an_epoch(n_samples, widths))}
    for n, d, k in kmeans:
        parts[f"K-means, {n:,} x {d}, {k} clusters"] = list(kmeans_iteration(n, d, k))
    return parts


def footprints(card):
    """{kernel: (registers, shared memory)} as reported by CUDA's assembler for the card."""
    found = {name: assemble(BY_NAME[name], card.capability) for part in all_cases().values()
             for name in {case.kernel for case in part}}
    return {name: (one.registers, one.shared) for name, one in found.items()}


HEADER = ["kernel", "size", "blocks", "threads", "registers", "shared, bytes", "occupancy", "instructions", "bytes",
          "accesses", "bound by", "predicted, us"]


def row(case, card, registers, shared):
    """A row of the table: the resources of the case, and the predicted time."""
    threads = BY_NAME[case.kernel].threads
    occupancy = card.resident(registers, shared, threads) * up(threads, WARP) / card.threads
    bounds = case.bounds(card)
    bound = max(bounds, key=bounds.get)
    predicted = f"{bounds[bound] * 1e6:,.3g}" if bounds[bound] < 1e-4 else f"{bounds[bound] * 1e6:,.0f}"
    return [case.kernel, case.size, f"{case.n_blocks:,}", threads, registers, shared, f"{100 * occupancy:.0f} %",
            f"{case.instructions:.2g}", f"{case.bytes:.2g}", f"{case.accesses:.2g}", bound, predicted]


def this_card():
    """The GPU of this machine, as its driver describes it. Lanes follow from the compute capability."""
    from numba import cuda

    gpu = cuda.get_current_device()
    capability = tuple(gpu.compute_capability)
    memory_clock = 2e3 * gpu.MEMORY_CLOCK_RATE  # kHz, two transfers per cycle
    name = gpu.name.decode() if isinstance(gpu.name, bytes) else gpu.name
    return Card(name, capability, gpu.MULTIPROCESSOR_COUNT, 64 if capability in ((7, 5), (8, 0)) else 128,
                1e3 * gpu.CLOCK_RATE, memory_clock * gpu.GLOBAL_MEMORY_BUS_WIDTH / 8,
                gpu.MAX_THREADS_PER_MULTI_PROCESSOR, 16 if capability[0] < 9 else 32,
                gpu.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, gpu.MAX_REGISTERS_PER_MULTIPROCESSOR)


def measure(case, synchronize, repeats=50):
    """Seconds per launch, averaged over many, after two that compile and warm up."""
    spec, arguments = BY_NAME[case.kernel], case.arguments()
    block = {SIDE**2: (SIDE, SIDE), BLOCK**2: (BLOCK, BLOCK)}.get(spec.threads, spec.threads)
    for count in (2, repeats):
        synchronize()
        started = time.perf_counter()
        for _ in range(count):
            device.launch(spec.kernel, case.grid, block, *arguments)
        synchronize()
    return (time.perf_counter() - started) / repeats


def run():
    """The predicted times; with a GPU, for that GPU and with the measured times next to them."""
    try:
        kernels.get("cuda")
        measured, card = not device.SIMULATED, T4 if device.SIMULATED else this_card()
    except kernels.UnavailableError as error:
        print(f"nothing is measured: {error}", flush=True)
        measured, card = False, T4
    found = footprints(card)
    table = Table(f"Predicted times of the GPU kernels, {card.name}" + ("" if measured else " (not measured)"),
                  ["part", *HEADER, *(["measured, us"] if measured else [])])
    for name, cases in all_cases().items():
        for case in cases:
            cells = row(case, card, *found[case.kernel])
            if measured:
                from numba import cuda
                cells.append(f"{measure(case, cuda.synchronize) * 1e6:.3g}")
            table.rows.append([name, *cells])
            table.numbers[f"{case.kernel} {case.size}"] = max(case.bounds(card).values())
    table.notes.append("a measured time is the mean of many launches, including the time that Python takes to launch")
    table.numbers["card"] = asdict(card)
    return table


def draw(table, path):
    """A bar with the predicted time of each launch."""
    from aelearn import plotting

    predicted = {name: seconds * 1e6 for name, seconds in table.numbers.items() if name != "card"}
    plotting.save(plotting.bars(list(predicted), list(predicted.values()), xlabel="microseconds, predicted",
                                title=table.title), path)


if __name__ == "__main__":
    main(run, draw)
