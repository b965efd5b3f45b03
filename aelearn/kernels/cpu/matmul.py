"""Matrix multiplication as a ladder of five versions (rungs), each faster than the one before.

Worth reading: start with this file. Counterparts: np.matmul, kernels/gpu/matmul.py.

Shapes: a (N, K), b (K, M), c (N, M). All rungs compute

    c[i, j] = sum_p a[i, p] b[p, j]

and differ only in the order in which they walk through memory. A modern core multiplies and adds whole vectors of
numbers, several times per cycle, but in that time it can load only a few vectors, and from main memory far fewer. So
the ladder has a single theme: use each number several times once it is loaded. `matmul` uses the last rung.

The order in which the terms of an entry are added, and so the result, does not depend on the number of threads.

Sources: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), for tiles and blocks;
Lam, Rothberg and Wolf, "The cache performance and optimizations of blocked algorithms" (1991).
"""

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_product
from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled, room

TILE_ROWS, TILE_COLUMNS = 6, 512  # 6 x 512 float32 are 12 KB, and 4 rows of b are 8 KB: both fit into L1
BLOCK_DEPTH, BLOCK_ENTRIES = 1024, 1 << 18  # a block of b: at most 1024 rows, 1 MB in float32: it fits into L2


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


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def add_product(a, b, i, j, width, tile):
    """tile[r, :width] += a[i + r] @ b[:, j:j + width]  for the tile's 6 rows r; rows past the end repeat the last one.

    The core of rungs 4 and 5. For one vector of products, rung 3 loads a vector of b and one of c, and stores one of c.
    Here the tile of c stays in the L1 cache, and each pass over it adds the contributions of four rows of b: each of
    the four loaded vectors of b is used for 6 rows, and each of the 6 vectors of the tile, loaded and stored once,
    receives four products. That is 24 multiply-adds for 10 loads and 6 stores, instead of 1 for 2 and 1. The 24 numbers
    of a fit into the processor's registers, if it has 32 of them; with 8 rows they would not.

    `tile` is flat, (6 * 512,): so the compiler can see that its rows do not overlap, and vectorises over columns.
    """
    last, depth = a.shape[0] - 1, a.shape[1]
    x = np.empty((TILE_ROWS, 4), a.dtype)
    depth_in_fours = depth // 4 * 4
    for p in range(0, depth_in_fours, 4):
        for r in range(TILE_ROWS):
            row = min(i + r, last)
            x[r, 0], x[r, 1], x[r, 2], x[r, 3] = a[row, p], a[row, p + 1], a[row, p + 2], a[row, p + 3]
        b0, b1, b2, b3 = (b[p, j:j + width], b[p + 1, j:j + width], b[p + 2, j:j + width], b[p + 3, j:j + width])
        for column in range(width):
            y0, y1, y2, y3 = b0[column], b1[column], b2[column], b3[column]
            for r in range(TILE_ROWS):
                tile[r * TILE_COLUMNS + column] += x[r, 0] * y0 + x[r, 1] * y1 + x[r, 2] * y2 + x[r, 3] * y3
    for p in range(depth_in_fours, depth):
        b0 = b[p, j:j + width]
        for r in range(TILE_ROWS):
            x0 = a[min(i + r, last), p]
            for column in range(width):
                tile[r * TILE_COLUMNS + column] += x0 * b0[column]


@compiled(inside=True)
def clear_tile(width, tile):
    """Set the used part of the tile's 6 rows to zero."""
    for r in range(TILE_ROWS):
        for column in range(width):
            tile[r * TILE_COLUMNS + column] = 0


@compiled(inside=True)
def product_tile(a, b, i, j, width):
    """A tile with a[i:i + 6] @ b[:, j:j + width]."""
    tile = room(TILE_ROWS * TILE_COLUMNS, a)
    clear_tile(width, tile)
    add_product(a, b, i, j, width, tile)
    return tile


@compiled(inside=True)
def load_tile(c, i, j, width, tile):
    """Copy c[i:i + 6, j:j + width] into the tile."""
    for r in range(min(TILE_ROWS, c.shape[0] - i)):
        for column in range(width):
            tile[r * TILE_COLUMNS + column] = c[i + r, j + column]


@compiled(inside=True)
def store_tile(tile, c, i, j, width):
    """Copy the tile to c[i:i + 6, j:j + width]."""
    for r in range(min(TILE_ROWS, c.shape[0] - i)):
        for column in range(width):
            c[i + r, j + column] = tile[r * TILE_COLUMNS + column]


@compiled(parallel=True)
def register_tiles(a, b, c):
    """Rung 4, tiles of 6 rows and 512 columns: each loaded number is used several times (see `add_product`)."""
    n_rows, n_columns = -(-c.shape[0] // TILE_ROWS), -(-c.shape[1] // TILE_COLUMNS)  # numbers of tiles, rounded up
    for task in prange(n_rows * n_columns):
        i, j = task // n_columns * TILE_ROWS, task % n_columns * TILE_COLUMNS
        width = min(TILE_COLUMNS, c.shape[1] - j)
        store_tile(product_tile(a, b, i, j, width), c, i, j, width)


@compiled(inside=True)
def even_width(n_columns):
    """The width of tiles that divide `n_columns` evenly, a multiple of 16 if possible: at most 512."""
    n_tiles = -(-n_columns // TILE_COLUMNS)
    return min(TILE_COLUMNS, -(-n_columns // (16 * n_tiles)) * 16)


@compiled(parallel=True, work=lambda a, b, c: a.size * b.shape[1])
def cache_blocks(a, b, c):
    """Rung 5, blocks of b: a matrix b that is larger than the L2 cache is processed one block at a time.

    All tiles of c use a block while it is in the cache, then comes the next one. Rung 4 loads all of b again for every
    6 rows of c. Tiles now also have equal widths, so that no core is left with a narrow remainder.
    """
    depth, n_columns = b.shape
    n_rows = -(-c.shape[0] // TILE_ROWS)
    tile_width = even_width(n_columns)
    block_depth = min(depth, BLOCK_DEPTH)
    block_tiles = max(1, BLOCK_ENTRIES // (block_depth * tile_width))
    for j0 in range(0, n_columns, block_tiles * tile_width):
        n_tiles = min(block_tiles, -(-(n_columns - j0) // tile_width))
        for p in range(0, depth, block_depth):
            for task in prange(n_rows * n_tiles):
                i, j = task // n_tiles * TILE_ROWS, j0 + task % n_tiles * tile_width
                width = min(tile_width, n_columns - j)
                tile = room(TILE_ROWS * TILE_COLUMNS, c)
                if p == 0:
                    clear_tile(width, tile)
                else:
                    load_tile(c, i, j, width, tile)
                add_product(a[:, p:p + block_depth], b[p:p + block_depth], i, j, width, tile)
                store_tile(tile, c, i, j, width)


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def dot_products(a, bt, i, j, c):
    """c[i:i + 4, j:j + 4] = a[i:i + 4] @ bt[j:j + 4].T; rows past the end repeat the last one.

    The rows of the second factor run along the sum, so nothing has to be rearranged: sixteen sums, each in vector
    registers of its own, are updated with 4 rows of a and 4 of bt: 16 multiply-adds for 8 loads, and no store.
    """
    i1, i2, i3 = min(i + 1, a.shape[0] - 1), min(i + 2, a.shape[0] - 1), min(i + 3, a.shape[0] - 1)
    j1, j2, j3 = min(j + 1, bt.shape[0] - 1), min(j + 2, bt.shape[0] - 1), min(j + 3, bt.shape[0] - 1)
    a0, a1, a2, a3 = a[i], a[i1], a[i2], a[i3]
    b0, b1, b2, b3 = bt[j], bt[j1], bt[j2], bt[j3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = a.dtype.type(0)
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = a.dtype.type(0)
    for p in range(a.shape[1]):
        x0, x1, x2, x3 = a0[p], a1[p], a2[p], a3[p]
        y0, y1, y2, y3 = b0[p], b1[p], b2[p], b3[p]
        s00, s01, s02, s03 = s00 + x0 * y0, s01 + x0 * y1, s02 + x0 * y2, s03 + x0 * y3
        s10, s11, s12, s13 = s10 + x1 * y0, s11 + x1 * y1, s12 + x1 * y2, s13 + x1 * y3
        s20, s21, s22, s23 = s20 + x2 * y0, s21 + x2 * y1, s22 + x2 * y2, s23 + x2 * y3
        s30, s31, s32, s33 = s30 + x3 * y0, s31 + x3 * y1, s32 + x3 * y2, s33 + x3 * y3
    c[i, j], c[i, j1], c[i, j2], c[i, j3] = s00, s01, s02, s03
    c[i1, j], c[i1, j1], c[i1, j2], c[i1, j3] = s10, s11, s12, s13
    c[i2, j], c[i2, j1], c[i2, j2], c[i2, j3] = s20, s21, s22, s23
    c[i3, j], c[i3, j1], c[i3, j2], c[i3, j3] = s30, s31, s32, s33


@compiled(parallel=True, work=lambda a, bt, c: a.size * len(bt))
def rows_by_rows(a, bt, c):
    """c = a @ bt.T  for a second factor that is stored transposed, bt (M, K)."""
    n_rows, n_blocks = -(-c.shape[0] // 4), -(-c.shape[1] // 128)
    for task in prange(n_rows * n_blocks):
        i, j0 = task % n_rows * 4, task // n_rows * 128  # 128 rows of bt stay in the cache for all rows of a
        for j in range(j0, min(j0 + 128, c.shape[1]), 4):
            dot_products(a, bt, i, j, c)


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
    elif b.T.flags.c_contiguous and not b.flags.c_contiguous:
        rows_by_rows(_read_only(np.ascontiguousarray(a)), _read_only(b.T), c)
    else:
        cache_blocks(_read_only(a), _read_only(np.ascontiguousarray(b)), c)
    if c is not out:
        out[...] = c
    return out


def _read_only(array):
    """A read-only view: for writable arrays Numba would compile another version."""
    view = array.view()
    view.flags.writeable = False
    return view
