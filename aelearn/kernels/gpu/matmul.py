"""Matrix multiplication on the GPU as a ladder of four versions (rungs), each faster than the one before.

Worth reading, after device.py. Counterparts: np.matmul, kernels/cpu/matmul.py.

Shapes: a (N, K), b (K, M), c (N, M). All rungs compute

    c[i, j] = sum_p a[i, p] b[p, j]

A GPU has enough threads to give each entry of c its own, and yet the simple way is slow: an entry needs K numbers from
a and K from b, and memory cannot deliver them as fast as they can be multiplied. As on the CPU, the point of the ladder
is to use each number several times once it is loaded: by neighbouring threads (rung 2), by the whole block (rung 3), by
the thread itself (rung 4).

Threads run in groups of 32, the warps, which execute each step together: x varies fastest, so in a block of 16 x 16
threads a warp is two rows of them. If the numbers that a warp loads in one step are adjacent, memory delivers them
together.

The terms of each entry are added in the order of p by one thread: the same bits in every run.

Source: S. Boehm, "How to optimize a CUDA matmul kernel for cuBLAS-like performance" (2022), who describes these rungs;
he measured them in CUDA C++ on an A6000, relative to cuBLAS, at 1.3, 8.5, 12.8 and 68.7 %. Ours have not been measured.
"""

from numba import cuda

from aelearn.kernels.arguments import check_product
from aelearn.kernels.gpu import device

BLOCK = 16  # rungs 1 to 3: blocks of 16 x 16 threads, each for one entry of c
TILE = 32  # rung 4: a block computes 32 x 32 entries of c ...
SIDE = 8  # ... with 8 x 8 threads ...
EACH = TILE // SIDE  # ... that compute 4 x 4 each
ENTRIES = EACH * EACH  # entries of a thread
DEPTH = 16  # terms of the sums in shared memory at a time
WIDTH = TILE + 1  # of a row in shared memory, which has 32 banks, entry n in bank n mod 32. Two threads that access the
# same bank take turns: with rows of 32, threads that go down a column would all access the same one


@cuda.jit
def one_thread_an_entry(a, b, c):
    """Rung 1: thread (x, y) computes entry [x, y] of its block.

    The threads of a warp have neighbouring x, so neighbouring rows of a and c: the numbers that they load together are
    whole rows apart, and memory delivers each of them separately.
    """
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    j = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    if i < c.shape[0] and j < c.shape[1]:
        total = a.dtype.type(0)
        for p in range(a.shape[1]):
            total += a[i, p] * b[p, j]
        c[i, j] = total


@cuda.jit
def coalesced(a, b, c):
    """Rung 2: thread (x, y) computes entry [y, x] of its block. Nothing else changes.

    Now the threads of a warp read adjacent entries in a row of b and write adjacent entries in a row of c: whole cache
    lines at a time. Many of them read the same number of a, which is broadcast to all.
    """
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        total = a.dtype.type(0)
        for p in range(a.shape[1]):
            total += a[i, p] * b[p, j]
        c[i, j] = total


@cuda.jit
def shared_tiles(a, b, c):
    """Rung 3: the block loads a tile of a and one of b into its shared memory, and all its threads read them there.

    Each number is loaded from global memory once for 16 threads, not once for each. Threads outside c load zeros, which
    change no sum; they must not return early, because all threads of a block have to reach every barrier.
    """
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    i, j = cuda.blockIdx.y * BLOCK + y, cuda.blockIdx.x * BLOCK + x
    a_tile = cuda.shared.array((BLOCK, BLOCK), a.dtype)
    b_tile = cuda.shared.array((BLOCK, BLOCK), a.dtype)
    zero = a.dtype.type(0)
    total = zero
    for start in range(0, a.shape[1], BLOCK):
        a_tile[y, x] = a[i, start + x] if i < a.shape[0] and start + x < a.shape[1] else zero
        b_tile[y, x] = b[start + y, j] if start + y < b.shape[0] and j < b.shape[1] else zero
        cuda.syncthreads()  # the tiles are complete
        for p in range(BLOCK):
            total += a_tile[y, p] * b_tile[p, x]
        cuda.syncthreads()  # no thread needs them any more
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = total


@cuda.jit(device=True)
def load_tile(matrix, first, start, sum_is_last, tile):
    """tile[p, r] = matrix[first + r, start + p], or matrix[start + p, first + r] unless sum_is_last; 0 outside.

    p counts the terms of the sums and r the rows, or columns, of the product: in a (N, K) the sum runs over the last
    axis, in b (K, M) over the first. In either case adjacent threads read adjacent numbers: a matrix that is stored
    transposed is read in place.
    """
    zero = matrix.dtype.type(0)
    for entry in range(cuda.threadIdx.y * SIDE + cuda.threadIdx.x, DEPTH * TILE, SIDE * SIDE):
        if sum_is_last:
            p, r = entry % DEPTH, entry // DEPTH
            inside = first + r < matrix.shape[0] and start + p < matrix.shape[1]
            tile[p, r] = matrix[first + r, start + p] if inside else zero
        else:
            p, r = entry // TILE, entry % TILE
            inside = start + p < matrix.shape[0] and first + r < matrix.shape[1]
            tile[p, r] = matrix[start + p, first + r] if inside else zero


@cuda.jit(device=True)
def product_tile(a, a_sum_is_last, b, b_sum_is_last, i, j, sums):
    """sums = this thread's 4 x 4 entries of a @ b, in the tile whose corner is [i, j].

    Thread (x, y) has the rows i + y + 8 r and the columns j + x + 8 s, for r and s from 0 to 3: so neighbouring threads
    work on neighbouring columns. The shared arrays belong to the block, no matter which function allocates them. For
    each term a thread reads 4 numbers of a and 4 of b from shared memory and multiplies all pairs: 16 multiply-adds for
    8 loads, where rung 3 does 1 for 2. The 16 sums stay in registers. `sums` is flat, (16,).
    """
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    a_tile = cuda.shared.array((DEPTH, WIDTH), a.dtype)
    b_tile = cuda.shared.array((DEPTH, WIDTH), a.dtype)
    for s in range(ENTRIES):
        sums[s] = 0
    for start in range(0, a.shape[1] if a_sum_is_last else a.shape[0], DEPTH):
        load_tile(a, i, start, a_sum_is_last, a_tile)
        load_tile(b, j, start, b_sum_is_last, b_tile)
        cuda.syncthreads()  # the tiles are complete
        for p in range(DEPTH):
            for r in range(EACH):
                for s in range(EACH):
                    sums[EACH * r + s] += a_tile[p, y + SIDE * r] * b_tile[p, x + SIDE * s]
        cuda.syncthreads()  # no thread needs them any more


@cuda.jit(device=True)
def tile_corner(c):
    """Row and column of c where this block's tile starts: tiles are numbered row by row."""
    n_across = (c.shape[1] + TILE - 1) // TILE
    return cuda.blockIdx.x // n_across * TILE, cuda.blockIdx.x % n_across * TILE


@cuda.jit
def register_tiles(a, b, c, a_sum_is_last, b_sum_is_last):
    """Rung 4, tiles of 32 x 32 entries, 4 x 4 for each thread (see `product_tile`).

    a_sum_is_last: a is stored as (N, K), not transposed as (K, N); b_sum_is_last: b is stored transposed, as (M, K).
    """
    i, j = tile_corner(c)
    sums = cuda.local.array(ENTRIES, a.dtype)
    product_tile(a, a_sum_is_last, b, b_sum_is_last, i, j, sums)
    for r in range(EACH):
        for s in range(EACH):
            row, column = i + cuda.threadIdx.y + SIDE * r, j + cuda.threadIdx.x + SIDE * s
            if row < c.shape[0] and column < c.shape[1]:
                c[row, column] = sums[EACH * r + s]


RUNGS = (one_thread_an_entry, coalesced, shared_tiles, register_tiles)


def climb(rung, a, b, c):
    """c = a @ b  by one of RUNGS, for arrays on the device.

    Rungs 1 to 3 arrange their blocks like the entries of c, and a grid has at most 65,535 blocks in y: a million
    columns, or rows.
    """
    if rung is register_tiles:
        device.launch(rung, n_tiles(c), (SIDE, SIDE), a, b, c, True, False)
    else:
        across, down = -(-c.shape[1] // BLOCK), -(-c.shape[0] // BLOCK)
        grid = (down, across) if rung is one_thread_an_entry else (across, down)
        device.launch(rung, grid, (BLOCK, BLOCK), a, b, c)


def n_tiles(c):
    """How many tiles of 32 x 32 cover c: the number of blocks for kernels that use `product_tile`."""
    return -(-c.shape[0] // TILE) * -(-c.shape[1] // TILE)


def matmul(a, b, out=None):
    """a @ b  for matrices a (N, K) and b (K, M) of one dtype, float32 or float64. Returns c (N, M).

    The factors are copied to the device and the product back to the host. A transposed factor (`x.T`) is uploaded as it
    is and read transposed. out: an array to write to, which is then returned.

    Raises TypeError for other dtypes; ValueError for shapes that do not match, and for an `out` of another shape or
    dtype, or one that is read-only or shares memory with a or b; MemoryError if the GPU's memory is too small.
    """
    a, b, out = check_product(a, b, out)
    if 0 in out.shape or a.shape[1] == 0:
        out[...] = 0
        return out
    a_transposed, b_transposed = _is_transposed(a), _is_transposed(b)
    c = device.empty(out.shape, out.dtype)
    device.launch(register_tiles, n_tiles(c), (SIDE, SIDE), device.upload(a.T if a_transposed else a),
                  device.upload(b.T if b_transposed else b), c, not a_transposed, b_transposed)
    out[...] = device.download(c)
    return out


def _is_transposed(matrix):
    return matrix.T.flags.c_contiguous and not matrix.flags.c_contiguous
