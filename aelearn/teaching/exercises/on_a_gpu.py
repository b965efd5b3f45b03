"""The exercises of lesson 9: kernels, always run in the simulator, which is stricter than a GPU.

Typical mistakes are kernels, too; those that race or wait for ever are none of them, because the simulator reports them
itself. Shapes: N entries, M blocks; a (N, K), b (K, M).
"""

from types import SimpleNamespace

import numpy as np

from aelearn.teaching.exercises.exercise import Exercise, sizes

UNWRITTEN = "did no thread write there, or was something read that none had written?"
cuda = None  # while the simulator runs a kernel, it is the simulator's


class _Watched(np.ndarray):
    """An array that notices which entries several threads have written."""

    def __array_finalize__(self, parent):
        self.writer, self.by_several = np.full(self.shape, -1), np.zeros(self.shape, bool)

    def __setitem__(self, index, value):
        super().__setitem__(index, value)
        from aelearn.kernels.gpu.simulator import CUDA

        position = (CUDA.blockIdx.y, CUDA.blockIdx.x, CUDA.threadIdx.y, CUDA.threadIdx.x)
        me = int(np.ravel_multi_index(position, (64, 64, 64, 64)))
        self.by_several[index] |= (self.writer[index] != -1) & (self.writer[index] != me)
        self.writer[index] = me


def _run(kernel, grid, block, arrays, shape, one_writer=False):
    """What a kernel has written into its last argument, an array of this shape that held NaN before.

    one_writer: raise RuntimeError if several threads have written the same entry
    """
    from aelearn.kernels.gpu import simulator

    if not hasattr(kernel, "py_func"):
        raise TypeError("it is no kernel yet: write @cuda.jit above its def")
    out = simulator.poison(np.empty(shape, np.float64)).view(_Watched)
    simulator.run(kernel, grid, block, [*arrays, out])
    if one_writer and out.by_several.any():
        place = np.argwhere(out.by_several)[0].tolist()
        raise RuntimeError(f"several threads write the entry {place}: each should write one, its own")
    return np.asarray(out)


def _kernel(function):
    """What the simulator wants of a kernel: its Python function."""
    return SimpleNamespace(py_func=function)


def _vectors(rng):
    """Two sizes of blocks, the last of which is not full."""
    return [{**dict(zip("xy", rng.normal(size=(2, n)))), "block": block}
            for n, block in ((int(rng.integers(9, 12)), 4), (int(rng.integers(13, 18)), 6))]


def _add(kernel, x, y, block):
    return _run(kernel, -(-len(x) // block), block, [x, y], len(x), one_writer=True)


@_kernel
def _first_block_alone(x, y, z):
    i = cuda.threadIdx.x
    if i < z.shape[0] and cuda.blockIdx.x == 0:
        z[i] = x[i] + y[i]


@_kernel
def _one_too_few(x, y, z):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < z.shape[0] - 1:
        z[i] = x[i] + y[i]


@_kernel
def _added_to_nothing(x, y, z):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < z.shape[0]:
        z[i] += x[i] + y[i]


@_kernel
def _doubled(x, y, z):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < z.shape[0]:
        z[i] = x[i] + x[i]


ONE_BY_ONE = np.array([1.0, *[1e-16] * 7])  # added up from the left it is 1, from the right it is more


def _blocks_of_eight(rng):
    """Random numbers; the last eight show in which order they are added up."""
    (m,) = sizes(rng, 1)
    return {"x": np.concatenate([rng.normal(size=8 * m), ONE_BY_ONE])}


def _sums_of_eight(kernel, x):
    return _run(kernel, len(x) // 8, 8, [x], len(x) // 8)


@_kernel
def _tournament(x, totals, *, first_half=4, last_half=1, in_all_blocks=True):
    t, m = cuda.threadIdx.x, cuda.blockIdx.x
    shared = cuda.shared.array(8, x.dtype)
    shared[t] = x[m * 8 + t if in_all_blocks else t]
    cuda.syncthreads()
    half = first_half
    while half >= last_half:
        if t < half:
            shared[t] += shared[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        totals[m] = shared[0]


@_kernel
def _one_round_short(x, totals):
    _tournament(x, totals, last_half=2)


@_kernel
def _one_round(x, totals):
    _tournament(x, totals, last_half=4)


@_kernel
def _no_round(x, totals):
    _tournament(x, totals, last_half=8)


@_kernel
def _from_the_start(x, totals):
    _tournament(x, totals, in_all_blocks=False)


@_kernel
def _total_added_to_nothing(x, totals):
    _tournament(x, totals)
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] += np.nan


def _any_number(rng):
    """More entries than threads, and fewer; and eight that show in which order they are added up."""
    n, m = int(rng.integers(17, 23)), 2
    return [{"x": rng.normal(size=2 * n), "n_blocks": m}, {"x": rng.normal(size=n + 16), "n_blocks": m + 1},
            {"x": rng.normal(size=5), "n_blocks": 2}, {"x": ONE_BY_ONE, "n_blocks": 1}]


def _sums_of_a_grid(kernel, x, n_blocks):
    return _run(kernel, n_blocks, 8, [x], n_blocks)


def _strided(x, n_blocks):
    thread = np.arange(len(x)) % (8 * n_blocks)  # (N,): which one adds the entry
    return np.bincount(thread // 8, weights=x, minlength=n_blocks)


@_kernel
def _parts(x, totals, *, step, start, stop):
    t, m = cuda.threadIdx.x, cuda.blockIdx.x
    part = x.dtype.type(0)
    for i in range(start, min(stop, x.shape[0]), step):
        part += x[i]
    shared = cuda.shared.array(8, x.dtype)
    shared[t] = part
    cuda.syncthreads()
    if t == 0:
        totals[m] = shared.sum()


@_kernel
def _one_entry_each(x, totals):
    i = cuda.blockIdx.x * 8 + cuda.threadIdx.x
    _parts(x, totals, step=1, start=i, stop=i + 1)


@_kernel
def _step_of_a_block(x, totals):
    _parts(x, totals, step=8, start=cuda.blockIdx.x * 8 + cuda.threadIdx.x, stop=x.shape[0])


@_kernel
def _neighbors_to_one_thread(x, totals):
    i, each = cuda.blockIdx.x * 8 + cuda.threadIdx.x, -(-x.shape[0] // (8 * cuda.gridDim.x))
    _parts(x, totals, step=1, start=i * each, stop=(i + 1) * each)


@_kernel
def _each_block_the_same(x, totals):
    _parts(x, totals, step=8 * cuda.gridDim.x, start=cuda.threadIdx.x, stop=x.shape[0])


def _factors(rng):
    """A wide product and a high one, neither of which fills its blocks: no other numbering of threads covers both."""
    k = int(rng.integers(4, 8))
    return [{"a": rng.normal(size=(n, k)), "b": rng.normal(size=(k, m))} for n, m in ((3, 9), (9, 3))]


def _product(kernel, a, b):
    n, m = len(a), b.shape[1]
    return _run(kernel, (-(-m // 4), -(-n // 2)), (4, 2), [a, b], (n, m), one_writer=True)  # 4 columns and 2 rows


@_kernel
def _entry(a, b, c, i, j, n_terms):
    if i < c.shape[0] and j < c.shape[1]:
        total = a.dtype.type(0)
        for p in range(n_terms):
            total += a[i, p] * b[p, j]
        c[i, j] = total


@_kernel
def _x_counts_rows(a, b, c):
    _entry(a, b, c, cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x,
           cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y, a.shape[1])


@_kernel
def _product_of_first_block(a, b, c):
    if cuda.blockIdx.x == cuda.blockIdx.y == 0:
        _entry(a, b, c, cuda.threadIdx.y, cuda.threadIdx.x, a.shape[1])


@_kernel
def _one_term_short(a, b, c):
    _entry(a, b, c, cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y,
           cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x, a.shape[1] - 1)


@_kernel
def _last_term(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = a[i, -1] * b[-1, j]


@_kernel
def _product_added_to_nothing(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        for p in range(a.shape[1]):
            c[i, j] += a[i, p] * b[p, j]


def _tiles(rng):
    side, times = sizes(rng, 2, low=5, high=9)
    return [{"k": side * times, "side": side}, {"k": 160, "side": 16}]


EXERCISES = {
    "add_vectors": Exercise(_vectors, ("z",), answer=lambda x, y, block: x + y, call=_add,
                            blank=UNWRITTEN, mistakes={
        "only the first block has written: add where a thread's block starts to its position": _first_block_alone,
        "the last entry is missing: which is the largest i that may pass the guard?": _one_too_few,
        "write z[i] = ...: += adds to an entry that holds nothing yet, and what is returned is lost": _added_to_nothing,
        "that is x + x, as in `double`: where is y?": _doubled,
    }),
    "block_sums": Exercise(_blocks_of_eight, ("totals",), answer=lambda x: x.reshape(-1, 8).sum(axis=1),
                           call=_sums_of_eight, blank=UNWRITTEN, mistakes={
        "one round is missing: the last one adds entry 1 to entry 0": _one_round_short,
        "that is after one round: 4 numbers are left, and it takes two more": _one_round,
        "that is the first number of each block: the rounds are missing": _no_round,
        "every block adds up the first 8 entries: where in x do its own start?": _from_the_start,
        "memory holds nothing at first: write totals[m] = ..., not +=, and read only what was written":
            _total_added_to_nothing,
    }),
    "grid_sums": Exercise(_any_number, ("totals",), answer=_strided, call=_sums_of_a_grid,
                          blank=UNWRITTEN, mistakes={
        "each thread reads one entry: go on with i + 8 M, i + 16 M, ..., as far as x reaches": _one_entry_each,
        "the next entry of a thread is 8 M further, the number of all threads, not 8": _step_of_a_block,
        "a thread should not read neighbouring entries, but every 8 M-th": _neighbors_to_one_thread,
        "every block starts at the same entry: i counts the threads of all blocks": _each_block_the_same,
    }),
    "product_entry": Exercise(_factors, ("c",), answer=lambda a, b: a @ b, call=_product,
                              blank=UNWRITTEN, mistakes={
        "x should count columns, and y rows: is i computed from y?": _x_counts_rows,
        "only the first block has written: add where a thread's block starts to its position": _product_of_first_block,
        "the last term of each sum is missing": _one_term_short,
        "that is the last term alone: add up all of them": _last_term,
        "start from a total of 0, and write c[i, j] = ... at the end: c holds nothing yet": _product_added_to_nothing,
    }),
    "fetched": Exercise(_tiles, ("numbers",), answer=lambda k, side: 2 * k / side, mistakes={
        "that is without tiles: how many pairs of tiles does a sum over K need?": lambda k, side: 2 * k,
        "for each pair of tiles a thread fetches one number of a and one of b": lambda k, side: k / side,
        "a thread fetches a whole number of each tile: why divide by side twice?": lambda k, side: 2 * k / side**2,
        "that is what all threads of a block fetch: what does one of them?": lambda k, side: 2 * k * side,
    }),
}
