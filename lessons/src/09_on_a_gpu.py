# %% [markdown]
# # 9 · On a GPU
#
# A CPU has a few cores that can do anything. A GPU has thousands that do the same thing at the same time. The sums of
# lessons 7 and 8 stay the same, but their order must change once more, because now thousands of threads need numbers at
# once.
#
# **After this lesson you can** write a kernel with an index and a guard, let threads share memory and wait for each
# other, explain what a missing barrier does, and count the memory accesses of a kernel.
#
# **You need** lesson 7 and about 55 minutes. You do not need a GPU: without one, a simulator runs the threads in
# Python, one after the other. It is slow but strict: what would be a race on a GPU is nearly always an error here.

# %%
from aelearn.teaching.notebooks import gpu_or_simulator, show, slider, source, waiting

with waiting("looking for a GPU"):
    where = gpu_or_simulator()  # before anything loads Numba
print(where)

import numpy as np
from numba import cuda

from aelearn import Autoencoder, KMeans, load_mnist, make_blobs, plotting
from aelearn.kernels.gpu import device, simulator
from aelearn.kernels.gpu.matmul import RUNGS, climb, shared_tiles
from aelearn.teaching.checks import check, yours

# %% [markdown]
# ## Threads and blocks
#
# A **kernel** is a function that every thread runs. Threads are grouped into **blocks**, and the blocks form the
# **grid**. A thread knows three things: its position in its block, the index of its block, and the size of a block.
# From these it works out which array entry is its own:
#
# $$ i = \text{block index} \cdot \text{block size} + \text{position in the block} $$

# %% tags=["plot"]
# Draws which entry each thread has.
n_blocks, block_size = 3, 4
rows = [[block] * block_size for block in range(n_blocks)], [list(range(block_size))] * n_blocks
block, place = (np.ravel(numbers) for numbers in rows)  # (12,), (12,)
entries = block * block_size + place  # (12,)
show(plotting.table([block, place, entries], ["block", "position in the block", "entry i"], [""] * 12, xlabel="threads",
                    ylabel="", title="Three blocks of four threads, and the entry of each thread"),
     alt="A table of twelve threads in three rows: their blocks 0, 1, 2, their positions 0 to 3 in each block, and the "
         "entries 0 to 11")

# %% [markdown]
# All blocks have the same size, so there are often more threads than numbers: with blocks of four, ten numbers take
# three blocks, and two threads have nothing to do. The kernel has to check for this. On a GPU, an index past the end
# silently writes into memory that belongs to something else. Hence the **guard**: `if i < x.shape[0]`.

# %%
@cuda.jit
def double(x, y):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < x.shape[0]:
        y[i] = x[i] + x[i]


x = device.upload(np.arange(10, dtype=np.float32))  # to the GPU's own memory
y = device.empty(10, np.float32)
device.launch(double, 3, 4, x, y)  # 3 blocks of 4 threads
print(device.download(y))  # and back

# %% [markdown]
# ### Exercise 1: add
#
# `x`, `y` and `z` have shape (N,). Write `z[i] = x[i] + y[i]`, each entry by a thread of its own. The check launches
# more threads than there are entries, in blocks of different sizes. A kernel returns nothing. *Three lines.*

# %% tags=["exercise"]
@cuda.jit
def add_vectors(x, y, z):
    ### BEGIN SOLUTION
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < z.shape[0]:
        z[i] = x[i] + y[i]
    ### END SOLUTION

# %% tags=["check"]
check(add_vectors)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# You need the first two lines of `double`.
# </details>

# %% [markdown]
# ## Sharing and waiting
#
# How can a thousand threads add up a million numbers? Not by `total[0] += x[i]`: that is the race of lesson 8, a
# thousand times over. The threads of a block have a small, fast memory of their own, **shared memory**, and a
# **barrier**, `cuda.syncthreads()`: no thread continues until all threads of the block have reached it. With these
# two, a block adds up its numbers like a tournament (a tree reduction). Each thread loads a number. Then each thread
# in the first half adds a number of the second half to its own; then the first quarter adds the second quarter; and so
# on, until thread 0 holds the sum.

# %%
values = np.array([3, 1, 4, 1, 5, 9, 2, 6])  # (8,)
rounds = [values.copy()]
for half in (4, 2, 1):
    values[:half] += values[half:2 * half]
    rounds.append(values.copy())
names = ["at first", "after round 1", "after round 2", "after round 3"]


def picture(name):
    """The contents of shared memory until then."""
    n = names.index(name) + 1
    return plotting.table(rounds[:n], names[:n], range(8), xlabel="thread", ylabel="",
                          title="A sum as a tournament: the last row's first number is the sum")


show(picture("after round 3"),
     alt="Four rows of eight numbers: 3 1 4 1 5 9 2 6 at first; then the first four become 8 10 6 7, then the first "
         "two 14 17, and then the first one 31, the sum")

# %% tags=["plot"]
# Run this cell and drag.
slider(picture, names, label="shared memory", alt="Eight numbers at first, and below them a row after each round")

# %% [markdown]
# Between two rounds there must be a barrier: thread 0 may add the number of thread 2 only after thread 2 has written
# it. Here is a kernel without a barrier. The simulator runs all threads forwards and then backwards, and finds that
# the results differ:

# %%
@cuda.jit
def hasty(x, total):
    shared = cuda.shared.array(8, np.float32)
    t = cuda.threadIdx.x
    shared[t] = x[t]
    if t == 0:  # no barrier before this line
        total[0] = shared[0] + shared[7]


try:
    total = device.empty(1, np.float32)
    device.launch(hasty, 1, 8, device.upload(np.arange(8, dtype=np.float32)), total)
    print("a GPU does not report the race; it computed", device.download(total)[0])
except RuntimeError as error:
    print(error)

# %% [markdown]
# ### Exercise 2: the sum of a block
#
# `x` has shape (8 M,), `totals` has shape (M,). Each block has 8 threads; block m writes the sum of its 8 entries to
# `totals[m]`. Hold a tournament in a shared array of 8 numbers of `x.dtype`, with barriers: three rounds. (If thread 0
# adds up all eight, the sum is right, too, but the others wait for seven steps.) All threads of a block must reach
# every barrier, so do not put one inside an `if`. *About nine lines.*

# %% tags=["exercise"]
@cuda.jit
def block_sums(x, totals):
    ### BEGIN SOLUTION
    shared = cuda.shared.array(8, x.dtype)
    t = cuda.threadIdx.x
    shared[t] = x[cuda.blockIdx.x * 8 + t]
    cuda.syncthreads()
    half = 4
    while half > 0:
        if t < half:
            shared[t] += shared[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        totals[cuda.blockIdx.x] = shared[0]
    ### END SOLUTION

# %% tags=["check"]
check(block_sums)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Load; barrier; then for `half` = 4, 2, 1: `if t < half: shared[t] += shared[t + half]`, and a barrier after each
# round. At the end thread 0 writes. (You need no guard, because x has exactly 8 entries for each block.)
# </details>

# %% [markdown]
# The library's version of this tournament, `aelearn.kernels.gpu.sums`, adds pairs of numbers, the sum and its rounding
# error, because float64 is slow on most GPUs.
#
# ### Exercise 3: now any number of entries
#
# A million numbers in blocks of 8 would leave 125,000 totals. So launch fewer blocks, and let each thread read many
# entries. `x` has shape (N,), for any N; there are M blocks of 8 threads, and M is `cuda.gridDim.x`. Thread i of all
# 8 M threads adds up `x[i]`, `x[i + 8 M]`, `x[i + 16 M]`, ..., as far as x reaches: perhaps none at all. Then each
# block adds up the eight sums of its threads, as in exercise 2, and writes `totals[m]`. *About twelve lines.*

# %% tags=["exercise"]
@cuda.jit
def grid_sums(x, totals):
    ### BEGIN SOLUTION
    shared = cuda.shared.array(8, x.dtype)
    t = cuda.threadIdx.x
    part = x.dtype.type(0)
    for i in range(cuda.blockIdx.x * 8 + t, x.shape[0], cuda.gridDim.x * 8):
        part += x[i]
    shared[t] = part
    cuda.syncthreads()
    half = 4
    while half > 0:
        if t < half:
            shared[t] += shared[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        totals[cuda.blockIdx.x] = shared[0]
    ### END SOLUTION

# %% tags=["check"]
check(grid_sums)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `range(start, stop, step)` has three arguments. The loop is the guard as well: a thread whose first i is past the end
# adds nothing. Its barrier comes after the loop, where all threads arrive.
# </details>

# %%
def by_kernel(kernel):
    """The function of x (N,) and M that launches a kernel and returns its totals (M,)."""
    def totals_of(x, n_blocks):
        totals = device.empty(n_blocks, x.dtype)
        device.launch(kernel, n_blocks, 8, device.upload(x), totals)
        return device.download(totals)

    totals_of.py_func = kernel.py_func  # so that `yours` knows which exercise this is
    return totals_of


def by_numpy(x, n_blocks):
    """The same totals on the CPU: the last axis counts threads, the second last blocks, the first an entry's turn."""
    padded = np.concatenate([x, np.zeros(-len(x) % (8 * n_blocks), x.dtype)])
    return padded.reshape(-1, n_blocks, 8).sum(axis=(0, 2))


sums_of_blocks = yours(by_kernel(grid_sums), by_numpy)
x = np.arange(1000, dtype=np.float32)  # (1000,)
totals = sums_of_blocks(x, 5)  # (5,)
print("the totals of 5 blocks:", totals, "and a second launch, with one block:", sums_of_blocks(totals, 1)[0])

# %% [markdown]
# ## A matrix product, one entry per thread
#
# Blocks can be two-dimensional: `cuda.threadIdx.x` and `.y`, `cuda.blockIdx.x` and `.y`. Each thread computes one entry
# of `c`: the first rung of the ladder.
#
# ### Exercise 4: a product
#
# The shapes are a (N, K), b (K, M), c (N, M). Let x count columns and y count rows: thread (x, y) computes `c[i, j]`
# with `i = blockIdx.y * blockDim.y + threadIdx.y` and j likewise from x. Remember the guard, in both directions.
# *About seven lines.*

# %% tags=["exercise"]
@cuda.jit
def product_entry(a, b, c):
    ### BEGIN SOLUTION
    i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < c.shape[0] and j < c.shape[1]:
        total = a.dtype.type(0)
        for p in range(a.shape[1]):
            total += a[i, p] * b[p, j]
        c[i, j] = total
    ### END SOLUTION

# %% tags=["check"]
check(product_entry)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The loop is that of lesson 7 for a single entry. Keep the sum in a variable, and write it to `c[i, j]` once.
# </details>

# %% [markdown]
# Why should x count columns? Threads run in groups of 32, the **warps**, which execute each step together. If the
# numbers that a warp accesses in one step are adjacent, memory delivers them in a few cache lines; if they are whole
# rows apart, each needs a line of its own. Count the lines of 128 bytes that a warp touches in one step, in blocks of
# 16 x 16 threads, for both ways of numbering:

# %%
def lines_of_a_warp(x_counts_columns, n_columns=784):
    """How many lines of 128 bytes the 32 threads of a warp touch when each writes its entry of c, in float32."""
    x, y = np.arange(32) % 16, np.arange(32) // 16  # (32,), (32,): x varies fastest
    i, j = (y, x) if x_counts_columns else (x, y)
    return len(np.unique((i * n_columns + j) * 4 // 128))


print("x counts rows:   ", lines_of_a_warp(False), "lines")
print("x counts columns:", lines_of_a_warp(True), "lines")

# %% [markdown]
# This is rung 2, and nothing in the arithmetic has changed. It is called **coalescing**.
#
# ## Tiles in shared memory
#
# In exercise 4 every thread fetches 2 K numbers from global memory, and its neighbours fetch the same ones: all
# threads of a row need the same row of a. So let the block load a tile of a and a tile of b into shared memory, where
# each thread loads one number of each; wait; let all threads use both tiles; wait; continue with the next tiles:

# %%
print(source(shared_tiles))

# %% [markdown]
# ### Exercise 5: what tiles save
#
# `k` is K, and tiles are `side` x `side`; `side` divides K. How many numbers does each thread fetch from global memory
# for its entry of c? *One line.*

# %% tags=["exercise"]
def fetched(k, side):
    ### BEGIN SOLUTION
    return 2 * k / side
    ### END SOLUTION

# %% tags=["check"]
check(fetched)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# How many pairs of tiles does the sum over K numbers need, and how many numbers does one thread fetch for each pair?
# </details>

# %%
rng = np.random.default_rng(0)
a, b = rng.random((37, 29), np.float32), rng.random((29, 41), np.float32)  # (N, K), (K, M): sizes that no tile divides
for rung in RUNGS:
    c = device.empty((37, 41), np.float32)
    climb(rung, device.upload(a), device.upload(b), c)
    print(f"{rung.py_func.__name__:22} largest difference from NumPy: {np.abs(device.download(c) - a @ b).max():.1e}")

# %% [markdown]
# All rungs give the same product. In the last one each thread computes 4 x 4 entries, so that numbers are used several
# times out of shared memory as well: the tiles of lesson 7 again.
#
# ## The whole job
#
# The same estimators run with `backend="cuda"`. Images and parameters stay on the GPU from the first step to the last;
# the random numbers are those of the other back ends. Here is a small data set that the simulator can handle:

# %%
X = make_blobs(40, centers=3, n_features=3, random_state=0)[0].astype(np.float32)  # (40, 3)
found = {name: KMeans(3, n_init=1, random_state=0, backend=name, verbose=1).fit(X) for name in ("numba", "cuda")}
print("k-means: the same labels:", np.array_equal(found["numba"].labels_, found["cuda"].labels_))
X01 = (X - X.min()) / (X.max() - X.min())  # (40, 3) in [0, 1]
for name in ("numba", "cuda"):
    model = Autoencoder((4, 2), epochs=1, batch_size=16, backend=name, random_state=0, verbose=1).fit(X01)
    print(f"autoencoder on {name:5}: loss after an epoch {model.history_[0]['loss']:.6f}")

# %% [markdown]
# **Has all this been run on a GPU?** Not by its authors, who had none. The kernels have been simulated, compiled and
# assembled for four generations of GPUs. In the repository, the page `lessons/src/gpu_on_paper.md` predicts how long
# each of them would take on an NVIDIA T4. If you have a GPU, run `python -m tests.benchmarks.gpu` in the root folder of
# the repository: it prints measured times next to the predicted ones.
#
# ## What you know now
#
# - A thread finds its entry from its block and its position; a guard stops the surplus threads.
# - The threads of a block share memory. There must be a barrier between writing and reading, and all must reach it.
# - A few blocks can handle any number of entries, if each thread goes on in steps of all threads.
# - Neighbouring threads should access neighbouring numbers.
# - With tiles, a number is fetched once and used by many threads.
#
# ## To think about
#
# 1. Why can the blocks of a grid not wait for each other?
# 2. A kernel gave the right result in a thousand runs on a GPU. Can it still have a race?
# 3. A training step with batches of 48 launches about fourteen kernels that each have little to do. What determines how
#    long it takes?
#
# ## An open task: a kernel for pictures
#
# Smooth an image (28, 28): each pixel of `out` is the sum of the 3 x 3 pixels of `image` around it, divided by 9; what
# lies outside of the image counts as 0. Write a kernel `smooth(image, out)` with one thread per pixel, in 2 x 2 blocks
# of 14 x 14 threads. The picture shows the goal, computed by NumPy.
#
# `try_it(smooth)` says how far your kernel is from the goal, and how often it reads a number of the image. At first it
# will be nearly nine times per pixel, because neighbours read the same numbers. Then let each block load a tile of
# 16 x 16 pixels, with a border one pixel wide, into shared memory: 196 threads, 256 pixels. You are there when it takes
# fewer than 1.4 reads per pixel. What would 28 x 28 threads in one block need?
#
# **Previous:** [lesson 7](07_matmul_to_the_metal.ipynb) climbs the same ladder on a CPU.

# %%
image = load_mnist("test", dtype=np.float64)[0][1].reshape(28, 28)  # (28, 28), a 2
padded = np.pad(image, 1)  # (30, 30)
goal = sum(padded[row:row + 28, column:column + 28] for row in range(3) for column in range(3)) / 9  # (28, 28)


class Counted(np.ndarray):
    """An array that counts how many of its numbers are read."""

    reads = 0

    def __getitem__(self, index):
        Counted.reads += 1
        return super().__getitem__(index)


def try_it(kernel):
    """Run a kernel in the simulator; says how far it is from the goal, and how many numbers it has read."""
    Counted.reads, out = 0, simulator.poison(np.empty((28, 28)))
    simulator.run(kernel, (2, 2), (14, 14), [image.view(Counted), out])
    n_runs = 2  # the simulator runs each kernel forwards and backwards
    difference, reads = np.abs(out - goal).max(), Counted.reads / n_runs / image.size
    print(f"largest difference {difference:.1g}, {reads:.2f} reads per pixel")


show(plotting.tiles([image.ravel(), goal.ravel()], ["image", "goal"], (28, 28), n_columns=2, title="Smoothed"),
     alt="A handwritten 2, and the same digit smoothed: its strokes are wider and softer")

# %% tags=["answer"]
@cuda.jit
def smooth(image, out):
    tile = cuda.shared.array((16, 16), image.dtype)
    first_row, first_column = cuda.blockIdx.y * 14 - 1, cuda.blockIdx.x * 14 - 1
    for entry in range(cuda.threadIdx.y * 14 + cuda.threadIdx.x, 256, 196):
        row, column = first_row + entry // 16, first_column + entry % 16
        inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
        tile[entry // 16, entry % 16] = image[row, column] if inside else 0
    cuda.syncthreads()
    total = image.dtype.type(0)
    for row in range(3):
        for column in range(3):
            total += tile[cuda.threadIdx.y + row, cuda.threadIdx.x + column]
    out[first_row + 1 + cuda.threadIdx.y, first_column + 1 + cuda.threadIdx.x] = total / 9


try_it(smooth)

# %% [markdown] tags=["answer"]
# **Answers**
#
# The open task: 196 threads load 256 pixels, so some load two. One block of 28 x 28 threads would read each pixel once,
# but it would use only one of the GPU's multiprocessors, of which a T4 has forty.
#
# 1. There may be more blocks than a GPU can run at a time. Blocks that wait would occupy the places that the others
#    need in order to reach the barrier at all. If one block needs a result of another, that takes another launch.
# 2. Yes. Warps of one block often happen to run in step, until another GPU, another size or another compiler changes
#    the order. The simulator's two orders find at once whatever depends on them, but not every race: `n[0] += 1` in all
#    threads gives the same result in both.
# 3. The launches: some microseconds each, longer than such a kernel runs. Larger batches would fill the GPU, but they
#    would also change the training.
