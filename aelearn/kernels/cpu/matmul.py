"""Matrix multiplication as a ladder of five versions (rungs), each faster than the one before.

Worth reading: start with this file. Counterparts: np.matmul, kernels/gpu/matmul.py.

Shapes: a (N, K), b (K, M), c (N, M). All rungs compute

    c[i, j] = sum_p a[i, p] b[p, j]

and differ only in the order in which they walk through memory. A modern core multiplies and adds whole vectors of
numbers, several times per cycle, but in that time it can load only a few vectors, and from main memory far fewer. So
the ladder has a single theme: use each number several times once it is loaded. `matmul` uses the last rung.

All rungs add the terms of an entry one by one, from the first to the last. So the result does not depend on the number
of threads, on tiles and blocks, or on how a and b lie in memory. (Rungs 1 to 3 round each product before they add it.)

Sources: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), for tiles and blocks;
Lam, Rothberg and Wolf, "The cache performance and optimizations of blocked algorithms" (1991).
"""

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_product
from aelearn.kernels.cpu.compiling import compiled, room
from aelearn.kernels.cpu.vectors import fma, full, lanes_of, load, load_part, splat, store, transpose

TILE_ROWS = 6  # and 2 vectors
BLOCK_ROWS, BLOCK_DEPTH = 192, 256  # a panel of 256 rows fits into L1: 32 KB with AVX-512, or 16; 192 rows of a into L2
LONG_SUM, PANELS = 1024, 8  # from how many terms on how many panels share a part of a


@compiled
def loops(a, b, c):
    """Rung 1, the definition: three loops, the sum innermost.

    The innermost loop walks down a column of b, from one row to the next: every step touches a new cache line and uses
    one number of it. And each addition waits for the previous one.
    """
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[p, j]
            c[i, j] = total


@compiled
def loop_order(a, b, c):
    """Rung 2, the two inner loops swapped: row i of c is a sum of rows of b.

    Now the innermost loop walks along a row of b and a row of c, through adjacent numbers, and its steps are
    independent of each other: the compiler combines eight or sixteen of them into one vector instruction.
    """
    for i in range(a.shape[0]):
        c[i] = 0
        for p in range(a.shape[1]):
            x = a[i, p]
            for j in range(b.shape[1]):
                c[i, j] += x * b[p, j]


@compiled(parallel=True)
def all_cores(a, b, c):
    """Rung 3, the rows of c distributed: `prange` gives each core some of them.

    No two iterations write to the same row, so there is nothing to wait for and no race.
    """
    for i in prange(a.shape[0]):
        c[i] = 0
        for p in range(a.shape[1]):
            x = a[i, p]
            for j in range(b.shape[1]):
                c[i, j] += x * b[p, j]


@compiled(inside=True)
def micro_kernel(a, i, panel, c, j, is_new):
    """c[i:i + 6, j:j + 2L] += a[i:i + 6] @ panel  for a (N, P) and a panel (P, 2L), where a register has L lanes.

    is_new: = instead of +=. Nothing is checked: all of the tile must lie in c.

    The core of rungs 4 and 5. For one vector of products, rung 3 loads a vector of b and one of c, and stores one of c.
    Here a tile of c, 6 rows of 2 vectors, stays in twelve registers for all P terms. Each term takes two vectors of the
    panel, which are used for 6 rows, and six numbers of a, which are used for 2 vectors: 12 multiply-adds for 8 loads,
    and no store. Of the 16 registers that a processor at least has, 12 + 2 + 1 are in use. Twelve sums also keep a core
    busy: it begins two multiply-adds in each cycle, and each takes about four.
    """
    k = j + lanes_of(a)
    if is_new:
        c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = full(0, a)
    else:
        c00, c01, c10, c11 = load(c, (i, j)), load(c, (i, k)), load(c, (i + 1, j)), load(c, (i + 1, k))
        c20, c21, c30, c31 = load(c, (i + 2, j)), load(c, (i + 2, k)), load(c, (i + 3, j)), load(c, (i + 3, k))
        c40, c41, c50, c51 = load(c, (i + 4, j)), load(c, (i + 4, k)), load(c, (i + 5, j)), load(c, (i + 5, k))
    for q in range(panel.shape[0]):
        b0, b1 = load(panel, (q, 0)), load(panel, (q, lanes_of(a)))
        x = splat(a, (i, q))
        c00, c01 = fma(x, b0, c00), fma(x, b1, c01)
        x = splat(a, (i + 1, q))
        c10, c11 = fma(x, b0, c10), fma(x, b1, c11)
        x = splat(a, (i + 2, q))
        c20, c21 = fma(x, b0, c20), fma(x, b1, c21)
        x = splat(a, (i + 3, q))
        c30, c31 = fma(x, b0, c30), fma(x, b1, c31)
        x = splat(a, (i + 4, q))
        c40, c41 = fma(x, b0, c40), fma(x, b1, c41)
        x = splat(a, (i + 5, q))
        c50, c51 = fma(x, b0, c50), fma(x, b1, c51)
    store(c, (i, j), c00), store(c, (i, k), c01), store(c, (i + 1, j), c10), store(c, (i + 1, k), c11)
    store(c, (i + 2, j), c20), store(c, (i + 2, k), c21), store(c, (i + 3, j), c30), store(c, (i + 3, k), c31)
    store(c, (i + 4, j), c40), store(c, (i + 4, k), c41), store(c, (i + 5, j), c50), store(c, (i + 5, k), c51)


@compiled(inside=True)
def edge_tile(a, i, panel, c, j, is_new):
    """The same for a tile that sticks out of c: a full tile in an array of its own, whose part inside c is copied.

    Rows of a past the end repeat the last one.
    """
    n_rows, n_columns = min(TILE_ROWS, c.shape[0] - i), min(panel.shape[1], c.shape[1] - j)
    rows, tile = np.empty((TILE_ROWS, len(panel)), a.dtype), np.zeros((TILE_ROWS, panel.shape[1]), a.dtype)
    for r in range(TILE_ROWS):
        for q in range(len(panel)):
            rows[r, q] = a[min(i + r, len(a) - 1), q]
    for r in range(n_rows):
        for h in range(0 if is_new else n_columns):
            tile[r, h] = c[i + r, j + h]
    micro_kernel(any_layout(rows), 0, panel, tile, 0, is_new)
    for r in range(n_rows):
        for h in range(n_columns):
            c[i + r, j + h] = tile[r, h]


@compiled(inside=True)
def add_tiles(a, panel, c, j, is_new):
    """The same for all rows: c[:, j:j + 2L] += a @ panel."""
    for i in range(0, c.shape[0], TILE_ROWS):
        if i + TILE_ROWS <= c.shape[0] and j + panel.shape[1] <= c.shape[1]:
            micro_kernel(a, i, panel, c, j, is_new)
        else:
            edge_tile(a, i, panel, c, j, is_new)


@compiled(inside=True)
def any_layout(array):
    """The same matrix, of which the compiler no longer knows how it lies in memory: so a function is compiled once."""
    return array[::1, ::1]


@compiled(inside=True)
def pack(b, p, n_terms, j, panel):
    """panel[:n_terms] = b[p:p + n_terms, j:j + 2L]  for a matrix b whose rows, or whose columns, are contiguous.

    What the panel has beyond the last column of b does not matter. It has a multiple of L rows.
    """
    lanes = lanes_of(panel)
    if b.strides[1] == b.itemsize:
        left = b.shape[1] - j
        for q in range(n_terms):
            store(panel, (q, 0), load_part(b, (p + q, j), left))
            store(panel, (q, lanes), load_part(b, (p + q, j + lanes), left - lanes))
        return
    columns = b.T  # (M, K): its rows are contiguous
    for h in range(0, 2 * lanes, lanes):
        n_columns = min(lanes, len(columns) - j - h)
        for q in range(0, n_terms, lanes):
            if n_columns == lanes and q + lanes <= n_terms:
                transpose(columns, (j + h, p + q), panel, (q, h))
            else:
                for row in range(q, min(q + lanes, n_terms)):
                    for column in range(n_columns):
                        panel[row, h + column] = columns[j + h + column, p + row]


@compiled(inside=True)
def new_panel(n_terms, like):
    """A panel of zeros, (n_terms or a few more, 2L), that starts at the start of a cache line."""
    lanes = lanes_of(like)
    n_rows = -(-n_terms // lanes) * lanes
    panel = room(n_rows * 2 * lanes, like).reshape(n_rows, 2 * lanes)
    panel[...] = 0
    return panel


@compiled(parallel=True)
def register_tiles(a, b, c):
    """Rung 4, vectors written down: tiles of 6 rows and 2 vectors, whose sums are in registers (see `micro_kernel`).

    b is read where it lies. Only the last columns, if they do not fill two vectors, are copied into a panel that does.
    """
    for task in prange(-(-c.shape[1] // (2 * lanes_of(c)))):
        j = task * 2 * lanes_of(c)
        panel = any_layout(b[:, j:j + 2 * lanes_of(c)])
        if panel.shape[1] < 2 * lanes_of(c):
            packed = new_panel(len(b), c)
            pack(b, 0, len(b), j, packed)
            panel = any_layout(packed[:len(b)])
        add_tiles(any_layout(a), panel, c, j, True)


@compiled(inside=True)
def block_shape(depth, c):
    """The blocks of c that the cores take, for sums of `depth` terms: rows, columns, and how many are side by side.

    At most 192 rows, a multiple of 6, about equally many in all blocks; one panel of columns, for long sums several.
    """
    n_blocks = -(-c.shape[0] // BLOCK_ROWS)
    width = 2 * lanes_of(c) * (PANELS if depth > LONG_SUM else 1)
    return -(-c.shape[0] // (n_blocks * TILE_ROWS)) * TILE_ROWS, width, -(-c.shape[1] // width)


@compiled(inside=True)
def block(task, n_rows, width, across, c):
    """The rows and columns of a block of c, as slices."""
    i, j = task // across * n_rows, task % across * width
    return slice(i, min(i + n_rows, c.shape[0])), slice(j, min(j + width, c.shape[1]))


@compiled(inside=True)
def product_block(a, b, rows, columns, c):
    """c[rows, columns] = a[rows] @ b[:, columns]  for slices.

    For each 256 terms of the sums, each panel of b is packed, and then used for all rows: it stays in the L1 cache. If
    there are several panels, they share these columns of a, which are copied so that they stay in L2. The terms of each
    entry are added one by one, from the first to the last, by `fma`: so the result does not depend on the sizes of
    tiles and blocks. Pass a and b through `any_layout`.
    """
    depth = a.shape[1]
    panel = new_panel(min(depth, BLOCK_DEPTH), c)
    for p in range(0, depth, BLOCK_DEPTH):
        n_terms = min(BLOCK_DEPTH, depth - p)
        part = a[rows, p:p + n_terms]
        if columns.stop - columns.start > panel.shape[1]:
            part = any_layout(part.copy())
        for column in range(columns.start, columns.stop, panel.shape[1]):
            pack(b, p, n_terms, column, panel)
            add_tiles(part, panel[:n_terms], c[rows], column, p == 0)


@compiled(parallel=True, work=lambda a, b, c: a.size * b.shape[1])
def cache_blocks(a, b, c):
    """Rung 5, packed panels and cache blocks: what is used next is near, and lies in a row.

    Rung 4 reads the same columns of b, from rows far apart in memory, for every 6 rows of c. Here they are copied once
    into a panel, a narrow matrix that lies in a row, and used for up to 192 rows of c. b may also be transposed: then
    the copy turns it. If the rows of a do not fit into the L2 cache, several panels share a part of them that does
    (see `product_block`).
    """
    n_rows, width, across = block_shape(a.shape[1], c)
    for task in prange(-(-c.shape[0] // n_rows) * across):
        rows, columns = block(task, n_rows, width, across, c)
        product_block(any_layout(a), any_layout(b), rows, columns, c)


RUNGS = (loops, loop_order, all_cores, register_tiles, cache_blocks)


def matmul(a, b, out=None):
    """a @ b  for matrices a (N, K) and b (K, M) of one dtype, float32 or float64. Returns c (N, M).

    A transposed factor (`x.T`) is read in place; a factor is copied only if both are transposed, or if both the rows
    and the columns of b have gaps between their entries. out: an array to write to, which is then returned.

    Raises TypeError for other dtypes; ValueError for shapes that do not match, and for an `out` of another shape or
    dtype, or one that is read-only or shares memory with a or b.
    """
    a, b, out = check_product(a, b, out)
    c = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
    if 0 in out.shape or a.shape[1] == 0:
        c[...] = 0
    else:
        cache_blocks(_read_only(a), _read_only(b if b.T.flags.c_contiguous else np.ascontiguousarray(b)), c)
    if c is not out:
        out[...] = c
    return out


def _read_only(array):
    """A read-only view: for writable arrays Numba would compile another version."""
    view = array.view()
    view.flags.writeable = False
    return view
