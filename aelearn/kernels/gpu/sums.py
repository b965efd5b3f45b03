"""Accurate sums without float64: long sums that lose next to nothing.

Worth reading: all sums of the GPU's kernels are made of these.

On many GPUs float64 is much slower than float32: 1/32 of the speed on the T4, 1/64 on later cards. So where the other
back ends keep a sum in float64, the kernels keep it as a pair of numbers of the array's own dtype: `high` is the
rounded sum, and `low` collects the rounding errors. With three digits, 9.87 + 0.456 is high = 10.3 and low = 0.026. A
pair of float32 numbers has 48 bits, float64 has 53; the last step, high + low, is done on the host.

The order of every sum depends only on the shapes: the same bits in every run. That is why there are no atomic
additions, which happen in the order in which threads arrive.

Sources: Knuth, "The art of computer programming", volume 2, section 4.2.2, theorem B, for `two_sum`; Ogita, Rump and
Oishi, "Accurate sum and dot product" (2005), algorithm 4.4, for the pair.
"""

from numba import cuda

THREADS = 128  # per block, in every kernel except matrix products


def n_blocks(n_entries):
    """How many blocks are needed to have one thread per entry."""
    return -(-n_entries // THREADS)


@cuda.jit(device=True)
def thread_number():
    """The index of a thread, counted over all blocks."""
    return cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x


@cuda.jit(device=True)
def two_sum(a, b):
    """a + b as two parts that add up to it exactly: the rounded sum and the rounding error."""
    total = a + b
    of_b = total - a  # the part of b that is in the total
    return total, (a - (total - of_b)) + (b - of_b)


@cuda.jit(device=True)
def add(high, low, x):
    """The pair (high, low) plus x."""
    high, rest = two_sum(high, x)
    return high, low + rest


@cuda.jit(device=True)
def add_pair(high, low, other_high, other_low):
    """The pair (high, low) plus another pair."""
    high, rest = two_sum(high, other_high)
    return high, low + (other_low + rest)


@cuda.jit(device=True)
def sum_of_block(high, low, pairs):
    """Add up the pairs of all threads of a block by tree reduction; pairs[0] is then the sum.

    pairs: shared memory (THREADS, 2). The lower 64 threads add the upper 64 pairs, then 32 the next 32, and so on.
    Within a round no thread writes what another one reads; between rounds a barrier ensures that all have written.
    """
    t = cuda.threadIdx.x
    pairs[t, 0] = high
    pairs[t, 1] = low
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if t < half:
            pairs[t, 0], pairs[t, 1] = add_pair(pairs[t, 0], pairs[t, 1], pairs[t + half, 0], pairs[t + half, 1])
        cuda.syncthreads()
        half //= 2


@cuda.jit
def add_rows(rows, total):
    """total[e] = sum_m rows[m, e]  for pairs: rows (M, E, 2), total (E, 2); one block for each e."""
    t, e = cuda.threadIdx.x, cuda.blockIdx.x
    pairs = cuda.shared.array((THREADS, 2), rows.dtype)
    high = low = rows.dtype.type(0)
    for m in range(t, rows.shape[0], THREADS):
        high, low = add_pair(high, low, rows[m, e, 0], rows[m, e, 1])
    sum_of_block(high, low, pairs)
    if t == 0:
        total[e, 0] = pairs[0, 0]
        total[e, 1] = pairs[0, 1]


@cuda.jit
def add_all(terms, total):
    """total = sum_n terms[n]  for pairs: terms (N, 2), total (2,). One block: each thread every 128th, then a tree."""
    t = cuda.threadIdx.x
    pairs = cuda.shared.array((THREADS, 2), terms.dtype)
    high = low = terms.dtype.type(0)
    for n in range(t, terms.shape[0], THREADS):
        high, low = add_pair(high, low, terms[n, 0], terms[n, 1])
    sum_of_block(high, low, pairs)
    if t == 0:
        total[0] = pairs[0, 0]
        total[1] = pairs[0, 1]
