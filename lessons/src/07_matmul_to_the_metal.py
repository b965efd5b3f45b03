# %% [markdown]
# # 7 · Matrix multiplication, down to the metal
#
# A network spends nearly all its time on matrix products. The definition is three loops, and on any machine they reach
# only a tiny fraction of its speed. This lesson climbs from there to the machine's limit on a ladder of five rungs. All
# five do the same multiplications and additions; only the order differs.
#
# **After this lesson you can** say why the order of loops matters, what caches and vector registers are for, read a
# roofline plot and the inner loop of a kernel in machine code, and measure all of it on your own machine.
#
# **You need** to know what a matrix product is, and about 60 minutes. No earlier lesson is needed.
#
# All measurements below are taken on your machine, when you run the cell. The output that you see before that comes
# from another machine, which the first cell names.

# %%
import re

import numba
import numpy as np

from aelearn import plotting
from aelearn.kernels.cpu import ceiling
from aelearn.kernels.cpu.matmul import all_cores, cache_blocks, loop_order, loops, matmul, micro_kernel, register_tiles
from aelearn.kernels.cpu.vectors import REGISTER_BYTES
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import machine, measured, seconds, show, source, waiting

print(measured("machine", machine))

# %% [markdown]
# ## The definition
#
# Shapes: a (N, K), b (K, M), and their product c (N, M):
#
# $$ c_{ij} = \sum_p a_{ip}\, b_{pj} $$
#
# That is N M sums of K products each, so 2 N K M operations: one multiplication and one addition per term. No order
# can change this count. The number of operations per second is the speed of a program, in FLOP/s ("floating-point
# operations per second"); a GFLOP/s is a billion of them.
#
# ### Exercise 1: three loops
#
# Write the definition in plain Python: `a` (N, K), `b` (K, M), return `c` (N, M). (`a @ b` is right too, but this
# lesson is about what it does.) *About six lines.*

# %% tags=["exercise"]
def multiply(a, b):
    ### BEGIN SOLUTION
    c = np.zeros((a.shape[0], b.shape[1]))  # (N, M)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for p in range(a.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    return c
    ### END SOLUTION

# %% tags=["check"]
check(multiply)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Start with `np.zeros((a.shape[0], b.shape[1]))`. One loop for i, one for j, one for p.
# </details>

# %% [markdown]
# ## Rung 1: the same loops, compiled
#
# In every step Python has to find out what `a[i, p]` is and what `*` means for it. Numba compiles a function once for
# the types of its arguments, and then the loops are machine code. This is the library's first rung:

# %%
print(source(loops))


def speeds(functions, n):
    """{name: GFLOP/s} of functions of a, b and c, all (n, n) in float32."""
    rng = np.random.default_rng(0)
    a, b = rng.random((2, n, n), np.float32)  # (n, n), (n, n)
    c = np.zeros((n, n), np.float32)
    calls = {name: lambda f=function: f(a, b, c) for name, function in functions.items()}
    return {name: 2 * n**3 / time / 1e9 for name, time in seconds(calls, rounds=10).items()}


in_python = yours(multiply, lambda a, b: loops.py_func(a, b, np.zeros((len(a), b.shape[1]), a.dtype)))
with waiting("measuring"):
    first = measured("first", lambda: speeds({"Python": lambda a, b, c: in_python(a, b), "compiled": loops}, 64))
print(f"64 x 64 matrices: plain Python {first['Python']:.4f} GFLOP/s, compiled {first['compiled']:.2f} GFLOP/s, "
      f"{first['compiled'] / first['Python']:,.0f} times as fast")

# %% [markdown]
# ### Exercise 2: now fifty times as fast
#
# Compile your own product with `@numba.njit`, so that it is at least fifty times as fast as three loops in Python. The
# check takes the time for a tall and narrow `a`, (4000, 4), and a small `b`, (4, 4): calling NumPy for each row would
# not help there. (Nor would `parallel=True`: for so few numbers, waking the other cores takes longer than the product.)
# *One line more than before.*

# %% tags=["exercise"]
@numba.njit
def multiply_compiled(a, b):
    ### BEGIN SOLUTION
    c = np.zeros((a.shape[0], b.shape[1]))  # (N, M)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for p in range(a.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    return c
    ### END SOLUTION

# %% tags=["check"]
check(multiply_compiled)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The line is `@numba.njit`, above `def`. What Numba likes best is what Python likes least: loops over single numbers.
# </details>

# %% [markdown]
# ## What the hardware likes
#
# That was the easy part. A core of a modern processor does not process single numbers: one **vector instruction**
# multiplies and adds eight or sixteen adjacent numbers. Nor does it fetch single numbers: memory sends **cache lines**
# of 64 bytes, sixteen numbers in float32, which are then kept in small, fast memories near the core, the **caches**:
# L1 for some thousand numbers, L2 for some hundred thousand.
#
# Now look at rung 1 again. Its innermost loop walks down a column of `b`. NumPy stores matrices row by row, so each
# step touches another cache line: sixteen numbers are fetched, and one is used. And each addition waits for the
# previous one, because they all go into the same sum. So swap the two inner loops, and let each row of `c` be a sum of
# rows of `b`:
#
# $$ c_{i} = \sum_p a_{ip}\, b_{p} \qquad\text{(rows)} $$
#
# ### Exercise 3: sums of rows
#
# Now with one loop less: two loops, and whole NumPy rows in place of the third. *About five lines.*

# %% tags=["exercise"]
def multiply_by_rows(a, b):
    ### BEGIN SOLUTION
    c = np.zeros((a.shape[0], b.shape[1]))  # (N, M)
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            c[i] += a[i, p] * b[p]
    return c
    ### END SOLUTION

# %% tags=["check"]
check(multiply_by_rows)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `b[p]` is row p, (M,). A number times a row is a row, and `c[i] += ...` adds it to row i.
# </details>

# %% [markdown]
# Rung 2 is this, compiled; rung 3 is rung 2 with `prange` instead of `range`, which distributes the rows of `c` over
# all cores:

# %%
print(source(all_cores))
SIZE = 512
rungs = {"1 loops": loops, "2 loop order": loop_order, "3 all cores": all_cores,
         "4 register tiles": register_tiles, "5 cache blocks": cache_blocks,
         "np.matmul": lambda a, b, c: np.matmul(a, b, out=c)}
with waiting("measuring each rung"):
    gflops = measured("rungs", lambda: speeds(rungs, SIZE))
for (name, speed), (below, before) in zip(list(gflops.items())[1:5], list(gflops.items())[:4]):
    print(f"rung {name}: {speed:.1f} GFLOP/s, {speed / before:.1f} times rung {below[0]}")
show(plotting.bars(list(gflops), list(gflops.values()), xlabel="GFLOP/s",
                   title=f"The product of two {SIZE} x {SIZE} matrices, rung by rung"),
     alt="Bars that grow from rung to rung: rung 1 is hardly visible, rungs 4 and 5 are close to np.matmul")

# %% [markdown]
# ## Rung 4: keep the sums in registers
#
# For each multiply-add, rung 3 loads two numbers from the cache and stores one: it is busy moving data. The remedy is
# to use each number several times once it is loaded, and not to move the sums at all.
#
# Nearer than L1 there are only the **registers**, the few storage places that instructions work on. A vector register
# holds 4, 8 or 16 numbers in float32, its **lanes**. So take a **tile**, R rows and C columns of `c`, small enough that
# all its sums fit into registers, and add up all K terms before anything is stored. For each term this means: load C
# numbers of a row of `b`; load R numbers of a column of `a`; do R C multiply-adds.
#
# ### Exercise 4: operations per number moved
#
# How many operations are done for each number that is loaded? `rows` is R, `columns` is C; a multiply-add counts as two
# operations. *One line.*

# %% tags=["exercise"]
def operations_per_number(rows, columns):
    ### BEGIN SOLUTION
    return 2 * rows * columns / (rows + columns)
    ### END SOLUTION

# %% tags=["check"]
check(operations_per_number)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Count the numbers moved for one term: R loads and C loads. Count the work: R C multiply-adds.
# </details>

# %%
def intensity(rows, columns):
    """Operations per byte moved, in float32."""
    return 2 * rows * columns / (rows + columns) / 4


lanes = measured("lanes", lambda: REGISTER_BYTES // 4)  # of float32
for rows, vectors in ((1, 1), (1, 2), (2, 2), (6, 2), (6, 8)):
    print(f"{rows} rows, {vectors} vectors of {lanes} lanes: {intensity(rows, vectors * lanes):5.2f} operations "
          f"per byte, {rows * vectors:2} registers for the sums")

# %% [markdown]
# Is more always better? There are only 16 or 32 vector registers. Whatever does not fit is spilled to the cache and has
# to be moved again. The library uses 6 rows and 2 vectors, which leaves room for two vectors of `b` and one number of
# `a`, repeated in all lanes:
#
# | register | | b0 = `b[p, j:j + L]` | b1 = `b[p, j + L:j + 2 * L]` |
# |---|---|---|---|
# | **x** = `a[i, p]`, in all lanes | row i | **c00** += x b0 | **c01** += x b1 |
# | **x** = `a[i + 1, p]` | row i + 1 | **c10** += x b0 | **c11** += x b1 |
# | **x** = `a[i + 2, p]` | row i + 2 | **c20** += x b0 | **c21** += x b1 |
# | **x** = `a[i + 3, p]` | row i + 3 | **c30** += x b0 | **c31** += x b1 |
# | **x** = `a[i + 4, p]` | row i + 4 | **c40** += x b0 | **c41** += x b1 |
# | **x** = `a[i + 5, p]` | row i + 5 | **c50** += x b0 | **c51** += x b1 |
#
# Twelve sums also keep a core busy. It begins two multiply-adds in each cycle, and each takes about four: with fewer
# than eight sums it would wait for its own results. No compiler finds this by itself, so in the library it is written
# down: `load`, `splat`, `fma` and `store` are instructions, `c00` is a register.

# %%
print(source(micro_kernel))


@numba.njit
def one_tile(a, panel, c):
    micro_kernel(a, 0, panel, c, 0, True)


def inner_loop():
    """The machine code between two labels that has the most multiply-adds."""
    one_tile(*(np.ones(shape, np.float32) for shape in ((6, 9), (9, REGISTER_BYTES // 2), (6, REGISTER_BYTES // 2))))
    blocks = re.split(r"\n(?=\S+:)", one_tile.inspect_asm(one_tile.signatures[0]))
    return max(blocks, key=lambda block: len(re.findall("fmadd|fmla", block)))


with waiting("compiling a tile"):
    code = measured("inner loop", inner_loop)
print(*code.splitlines()[:24], "...", sep="\n")
print(f"in all: {len(re.findall('fmadd|fmla', code))} multiply-adds of {lanes} lanes")

# %% [markdown]
# ## Rung 5: panels that lie in a row, and blocks that fit the caches
#
# Rung 4 reads two vectors of one row of `b`, then two of the next row, far away in memory, and all of it again for
# every 6 rows of `c`. Rung 5 copies these columns into a narrow matrix of its own, a **panel**, which lies in memory as
# it is read, and uses it for many rows of `c`. (If `b` is transposed, the copy turns it: one kernel serves all.) With
# all K rows a panel may be too large for L1. So split the sum into blocks:
#
# $$ a\,b = \sum_{\text{blocks}} a[:, p{:}p{+}s]\; b[p{:}p{+}s, :] $$
#
# and let many rows of `c` use a panel of 256 rows of `b` before the next one is packed.
#
# ### Exercise 5: a product in blocks
#
# `size` is s, the depth of a block; the last block may be smaller. Use `@` on the blocks. (The check cannot see whether
# you have used blocks at all; that of the next exercise can.) *About four lines.*

# %% tags=["exercise"]
def multiply_in_blocks(a, b, size):
    ### BEGIN SOLUTION
    c = np.zeros((a.shape[0], b.shape[1]))  # (N, M)
    for p in range(0, a.shape[1], size):
        c += a[:, p:p + size] @ b[p:p + size]
    return c
    ### END SOLUTION

# %% tags=["check"]
check(multiply_in_blocks)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `range(0, K, size)` gives the first p of each block. A slice that goes past the end stops at the end.
# </details>

# %% [markdown]
# ### Exercise 6: now in one pass
#
# The same idea helps where not even main memory is large enough. `blocks` is an iterator over pairs of blocks, (N, s)
# and (s, M), read from a disk, say. It can be read only once, and must not be kept: there is memory for a few blocks
# only. Return the whole product, (N, M). *About five lines.*

# %% tags=["exercise"]
def product_in_one_pass(blocks):
    ### BEGIN SOLUTION
    c = 0
    for a, b in blocks:
        c = c + a @ b
    return c
    ### END SOLUTION

# %% tags=["check"]
check(product_in_one_pass)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The shape of the result is known only when the first pair is there; but 0 plus an array is that array.
# </details>

# %%
def large():
    """GFLOP/s of rungs 4 and 5 for a matrix b that fits into no cache near the core."""
    rng = np.random.default_rng(0)
    a, b = rng.random((2048, 8192), np.float32), rng.random((8192, 512), np.float32)  # (N, K), (K, M)
    c = np.empty((2048, 512), np.float32)
    calls = {"4 register tiles": lambda: register_tiles(a, b, c),
             "5 cache blocks": lambda: cache_blocks(a, b, c)}
    return {name: 2 * a.size * b.shape[1] / time / 1e9 for name, time in seconds(calls, rounds=2).items()}


with waiting("measuring"):
    found = measured("large", large)
for name, speed in found.items():
    print(f"2048 x 8192 times 8192 x 512, rung {name}: {speed:.0f} GFLOP/s")

# %% [markdown]
# ## How far is it to the limit?
#
# Two things limit every program: how many operations the cores can do, and how many bytes they can get. With $i$
# operations per byte moved,
#
# $$ \text{speed} \le \min(\text{peak},\; i \cdot \text{bandwidth}) $$
#
# Plotted against $i$, with both axes logarithmic, this is a slanted roof and a flat one: the **roofline**. Two small
# kernels measure the peak and the bandwidths. One does nothing but multiply-adds on registers, the other adds up
# numbers that it reads from L1, from L2, or from main memory:

# %%
with waiting("measuring the roofs"):
    roofs = measured("roofs", lambda: {"peak": ceiling.peak(), "L1 cache": ceiling.bandwidth(1 << 14),
                                       "L2 cache": ceiling.bandwidth(1 << 18),
                                       "main memory": ceiling.bandwidth(1 << 27)})
peak = roofs.pop("peak")
counted = {"1 loops": 2 / 8, "3 all cores": 2 / 12, "4 register tiles": intensity(6, 2 * lanes),
           "5 cache blocks": intensity(6, 2 * lanes)}  # rung 1 loads two numbers and keeps its sum in a register
points = {name: (per_byte, gflops[name] * 1e9) for name, per_byte in counted.items()}
print(f"rung 5 reaches {gflops['5 cache blocks'] * 1e9 / peak:.0%} of the peak "
      f"and {gflops['5 cache blocks'] / gflops['np.matmul']:.2f} times np.matmul")
show(plotting.roofline(roofs, peak, points, title=f"The rungs under the roofline ({SIZE} x {SIZE})"),
     alt="A roofline with the rungs below it: rung 1 far below, rungs 4 and 5 near the roof")

# %% [markdown]
# The rungs are plotted by the bytes that they move to and from L1, so the L1 roof is the one that applies to them.
# (They can be above the roof of main memory: most of their data never comes from there.)
#
# Rung 1 is far below every roof: it waits for cache lines of which it uses one number, and for the previous sum. Rung
# 3 is close to a slanted roof, so a processor with more arithmetic units would not help it. Rungs 4 and 5 have moved to
# the right, under the flat roof. (A rung above its roof? Then another program was at work while the roof was measured.)
#
# ## What the autoencoder needs
#
# The products of a training step are small and narrow. Here is the library's `matmul`, which uses rung 5, compared with
# `np.matmul`:

# %%
def products():
    """How many times as fast as np.matmul the library's product is, for each shape."""
    rng, found = np.random.default_rng(0), {}
    for n, k, m, what in ((48, 784, 128, "encoder"), (48, 128, 784, "decoder"), (784, 48, 128, "gradient of W1")):
        a, b = rng.random((n, k), np.float32), rng.random((k, m), np.float32)  # (N, K), (K, M)
        c = np.empty((n, m), np.float32)
        times = seconds({"ours": lambda: matmul(a, b, out=c), "NumPy's": lambda: np.matmul(a, b, out=c)},
                        rounds=200)
        found[f"{n} x {k} x {m}, {what}"] = times["NumPy's"] / times["ours"]
    return found


with waiting("measuring three products"):
    found = measured("products", products)
for shape, ratio in found.items():
    print(f"{shape:32} {ratio:.2f} times as fast as np.matmul")

# %% [markdown]
# ## An open task
#
# *For those who want more; nothing is checked here.* Write a rung of your own. The bars below show how fast your
# function of exercise 2 multiplies two 512 x 512 matrices, between rungs 3 and 5. Let your bar get at least one and a
# half times as long as that of rung 3.
#
# What to try, one thing at a time: the order of the loops (exercise 3); `parallel=True` and `numba.prange`; a `c` of
# the dtype of `a`; four terms for each number of `c` that is loaded and stored (count as in exercise 4 what to expect
# from that); several rows; or a tile of 2 x 2 vectors, with the operations of `aelearn.kernels.cpu.vectors`. After each
# change compare your result with `a @ b`, for sizes that are no multiples of four as well.

# %%
def race(name, function):
    """Bars of the speeds of rungs 3 and 5, NumPy, and a function of a and b, all measured now."""
    functions = {"3 all cores": all_cores, name: lambda a, b, c: function(a, b), "5 cache blocks": cache_blocks,
                 "np.matmul": rungs["np.matmul"]}
    found = measured(name, lambda: speeds(functions, SIZE))
    return show(plotting.bars(list(found), list(found.values()), xlabel="GFLOP/s", title="A rung of your own"),
                alt="Bars for rung 3, your own rung, rung 5 and np.matmul; the longer, the faster")


own_rung = yours(multiply_compiled, lambda a, b: matmul(a, b))
race("exercise 2", own_rung)

# %% tags=["answer"]
@numba.njit(parallel=True, fastmath=True)
def four_terms(a, b):
    """Rung 3 with four terms at a time: 8 operations for 5 loads and 1 store, twice as many for each number moved."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)  # (N, M)
    fours = a.shape[1] // 4 * 4
    for i in numba.prange(a.shape[0]):
        for p in range(0, fours, 4):
            x0, x1, x2, x3 = a[i, p], a[i, p + 1], a[i, p + 2], a[i, p + 3]
            for j in range(b.shape[1]):
                c[i, j] += x0 * b[p, j] + x1 * b[p + 1, j] + x2 * b[p + 2, j] + x3 * b[p + 3, j]
        for p in range(fours, a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    return c


rng = np.random.default_rng(0)
a, b = rng.random((33, 31)), rng.random((31, 34))
assert np.allclose(four_terms(a, b), a @ b)
race("four terms at a time", four_terms)

# %% [markdown]
# ## What you know now
#
# - All rungs do the same operations. They differ in how often each number is moved.
# - Walk along rows: then every number of a cache line is used, and the compiler can use vector instructions.
# - Tiles keep their sums in registers and use each loaded number several times; panels and blocks keep what is needed
#   next in a near cache.
# - The roofline tells you what limits a program, and so what would make it faster.
#
# ## To think about
#
# 1. Why is rung 3 on two cores not twice as fast as rung 2?
# 2. The order of additions differs between the rungs. Are the results the same?
# 3. A matrix times a vector takes 2 N K operations and loads N K numbers. Can it get close to the peak?
#
# **Next:** [lesson 8](08_kmeans_on_all_cores.ipynb) does the same for k-means, where threads get in each other's way.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. Both cores may be limited by the same slanted roof: where L2 or main memory is shared, two cores do not get twice
#    the bytes. And starting threads takes some microseconds each time. (Where each core has enough bandwidth of its
#    own, it is nearly twice as fast: look at your bars.)
# 2. Up to rounding. Floating-point addition is not associative, so another order gives different last digits. The
#    library's tests allow for that, and they require that the result does not depend on the number of threads.
# 3. No. Each number of the matrix is used once: half an operation per byte in float32, whatever the order. That is why
#    images go through a network in batches.
