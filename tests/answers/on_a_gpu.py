"""Right answers to the exercises of lesson 9, and typical mistakes."""

from types import SimpleNamespace

from aelearn.kernels.gpu.simulator import CUDA as cuda


def kernel(function):
    """What the simulator wants of a kernel: its Python function."""
    return SimpleNamespace(py_func=function)


def add_vectors(x, y, z):
    i = cuda.threadIdx.x + cuda.blockDim.x * cuda.blockIdx.x
    if i < len(z):
        z[i] = y[i] + x[i]


def without_guard(x, y, z):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    z[i] = x[i] + y[i]


def first_block_alone(x, y, z):
    i = cuda.threadIdx.x
    if i < z.shape[0]:
        z[i] = x[i] + y[i]


def into_its_input(x, y, z):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < z.shape[0]:
        x[i] += y[i]
        z[i] = x[i]


def block_sums(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = x[cuda.blockIdx.x * 8 + cuda.threadIdx.x]
    cuda.syncthreads()
    for half in (4, 2, 1):
        if cuda.threadIdx.x < half:
            shared[cuda.threadIdx.x] += shared[cuda.threadIdx.x + half]
        cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = shared[0]


def without_barriers(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = x[cuda.blockIdx.x * 8 + cuda.threadIdx.x]
    cuda.syncthreads()
    for half in (4, 2, 1):
        if cuda.threadIdx.x < half:
            shared[cuda.threadIdx.x] += shared[cuda.threadIdx.x + half]
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = shared[0]


def barrier_for_some(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = x[cuda.blockIdx.x * 8 + cuda.threadIdx.x]
    if cuda.threadIdx.x < 4:
        cuda.syncthreads()
        totals[cuda.blockIdx.x] = shared[0]


def one_round_short(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = x[cuda.blockIdx.x * 8 + cuda.threadIdx.x]
    cuda.syncthreads()
    for half in (4, 2):
        if cuda.threadIdx.x < half:
            shared[cuda.threadIdx.x] += shared[cuda.threadIdx.x + half]
        cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = shared[0]


def grid_sums(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    t = cuda.threadIdx.x
    shared[t] = 0
    i = cuda.blockIdx.x * cuda.blockDim.x + t
    while i < len(x):
        shared[t] += x[i]
        i += cuda.gridDim.x * cuda.blockDim.x
    cuda.syncthreads()
    if t == 0:
        for other in range(1, 8):
            shared[0] += shared[other]
        totals[cuda.blockIdx.x] = shared[0]


def all_into_one(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    if cuda.threadIdx.x == 0:
        shared[0] = 0
    cuda.syncthreads()
    for i in range(cuda.blockIdx.x * 8 + cuda.threadIdx.x, len(x), cuda.gridDim.x * 8):
        shared[0] += x[i]
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = shared[0]


def without_bound(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = x[cuda.blockIdx.x * 8 + cuda.threadIdx.x + cuda.gridDim.x * 8 * 2]


def barrier_in_the_loop(x, totals):
    shared = cuda.shared.array(8, x.dtype)
    shared[cuda.threadIdx.x] = 0
    for i in range(cuda.blockIdx.x * 8 + cuda.threadIdx.x, len(x), cuda.gridDim.x * 8):
        shared[cuda.threadIdx.x] += x[i]
        cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = shared.sum()


def by_each_thread(x, y, z):
    for i in range(len(z)):
        z[i] = x[i] + y[i]


def product_entry(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = sum(a[i, p] * b[p, j] for p in range(len(b)))


def guard_in_one_direction(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0]:
        c[i, j] = sum(a[i, p] * b[p, j] for p in range(len(b)))


def x_counts_rows(a, b, c):
    i = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = sum(a[i, p] * b[p, j] for p in range(len(b)))


def rows_of_both(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = sum(a[i, p] * b[p, j] for p in range(2))


def whole_rows(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    if i < c.shape[0]:
        for j in range(c.shape[1]):
            c[i, j] = sum(a[i, p] * b[p, j] for p in range(len(b)))


def fetched(k, side):
    return k / side + k / side


def one_width_for_both(a, b, c):
    i = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        total = 0.0
        for p in range(a.shape[1]):
            total += a[i, p] * b[p, j]
        c[i, j] = total


RIGHT = (kernel(add_vectors), kernel(block_sums), kernel(grid_sums), kernel(product_entry), fetched)
MISTAKES = [  # exercise, answer, what the line says
    ("add_vectors", lambda x, y, z: z.fill(0),
     "it raised TypeError: it is no kernel yet: write @cuda.jit above its def"),
    ("product_entry", kernel(one_width_for_both), r"c: \d+ of 27 are not finite, .*; did no thread write there"),
    ("add_vectors", kernel(without_guard), r"it raised IndexError in `z\[i\] = .*out of bounds"),
    ("add_vectors", kernel(first_block_alone), "it raised RuntimeError: several threads write the entry .0.: each"),
    ("add_vectors", kernel(by_each_thread), "it raised RuntimeError: several threads write the entry .0.: each"),
    ("add_vectors", kernel(into_its_input), "it changes its input x"),
    ("add_vectors", kernel(lambda x, y, z: None), "not solved yet"),
    ("block_sums", kernel(without_barriers), "it raised RuntimeError.*: the outcome depends on the order of threads"),
    ("block_sums", kernel(barrier_for_some), "it raised RuntimeError.*: threads of a block wait at different places"),
    ("block_sums", kernel(one_round_short), "one round is missing: the last one adds entry 1 to entry 0"),
    ("grid_sums", kernel(all_into_one), "it raised RuntimeError.*: the outcome depends on the order of threads"),
    ("grid_sums", kernel(without_bound), "it raised IndexError in .*out of bounds"),
    ("grid_sums", kernel(one_round_short), r"totals: \d of \d are wrong"),
    ("grid_sums", kernel(barrier_in_the_loop), "threads of a block wait at different places: line"),
    ("product_entry", kernel(guard_in_one_direction), "it raised IndexError in .*out of bounds"),
    ("product_entry", kernel(x_counts_rows), "c: .* not finite"),
    ("product_entry", kernel(rows_of_both), "c: .* wrong"),
    ("product_entry", kernel(whole_rows), "several threads write the entry"),
    ("fetched", lambda k, side: 2 * k + side, "numbers: yours"),
    ("fetched", lambda k, side: k / side / 2, "numbers: yours"),
    ("fetched", lambda k, side: k / 2, "numbers: yours"),
]
