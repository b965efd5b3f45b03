"""Long sums that lose next to nothing, without float64.

Many GPUs compute with float64 at a small fraction of the speed of float32: 1/32 on the T4, 1/64 on later cards. So
where the other back ends carry a sum in float64, kernels carry it as a pair of numbers of the array's own dtype: `high`
is the rounded sum and `low` collects what rounding took away. With three digits, 9.87 + 0.456 is high = 10.3 and
low = 0.026. A pair of float32 numbers holds 48 bits, where float64 has 53; the last step, high + low, is taken on the
host.

Every sum here is taken in an order that depends on the shapes alone: the same bits in every run. That is why there
are no atomic additions, which take turns as the threads happen to arrive.

Sources: Knuth, "The art of computer programming", volume 2, section 4.2.2, theorem B, for `two_sum`; Ogita, Rump and
Oishi, "Accurate sum and dot product" (2005), algorithm 4.4, for the pair.
"""

from numba import cuda

THREADS = 128  # of a block, in every kernel that is not a matrix product


def n_blocks(n_entries):
    """How many blocks there must be for one thread an entry."""
    return -(-n_entries // THREADS)


@cuda.jit(device=True)
def thread_number():
    """The number of a thread, counted over all blocks."""
    return cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x


@cuda.jit(device=True)
def two_sum(a, b):
    """a + b in two parts that add up to it exactly: the rounded sum, and what the rounding took away."""
    total = a + b
    of_b = total - a  # what of b has arrived in the total
    return total, (a - (total - of_b)) + (b - of_b)


@cuda.jit(device=True)
def add(high, low, x):
    """The pair (high, low) plus x."""
    high, rest = two_sum(high, x)
    return high, low + rest


@cuda.jit(device=True)
def add_pair(high, low, other_high, other_low):
    """The pair (high, low) plus another one."""
    high, rest = two_sum(high, other_high)
    return high, low + (other_low + rest)


@cuda.jit(device=True)
def sum_of_block(high, low, pairs):
    """Add up the pairs of all threads of a block, as a tree; thread 0 finds the sum in pairs[0].

    pairs: shared memory (THREADS, 2). The lower 64 take in the upper 64, then 32 the next 32, and so on. Within a round
    nobody writes what another one reads; between rounds a barrier makes sure that all have written.
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
    """total[e] = sum_m rows[m, e]  for pairs: rows (M, E, 2), total (E, 2); a block for each e."""
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
