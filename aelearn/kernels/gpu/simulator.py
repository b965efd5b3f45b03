"""A strict simulator: kernels in Python, for small arrays; most of what would be a race on a GPU is an error here.

Numba has a simulator, too (NUMBA_ENABLE_CUDASIM=1). It gives each CUDA thread a thread of the operating system and lets
them run as they like: slow, and a forgotten barrier nearly always goes unnoticed, also because shared memory happens to
hold zeros. aelearn takes arrays from there, but launches kernels here, where

- the threads of a block are generators, which can be left at a `yield` and gone on with later: each
  `cuda.syncthreads()` in a kernel, or in a function that it calls, becomes one. A thread runs from barrier to barrier,
  then the next one does, in the order of their numbers;
- a launch is done twice, the second time on copies, with all threads and blocks in the opposite order: the outcome must
  be the same to the last bit. So a thread that reads what another one of its block writes without a barrier in between,
  or what another block writes, is caught whichever of the two comes first. (aelearn's own kernels do so at the first
  launch with arrays of the same sizes.) What is not seen is a race that gives the same in any order, such as many
  threads that do n[0] += 1;
- memory that nobody has written to holds NaN, or the lowest integer;
- all threads of a block must reach the same barriers.

An index past the end of an array is an IndexError. Kernels must be in a file or a notebook, at the top level.
"""

import ast
import functools
import inspect
import sys
from types import SimpleNamespace

import numpy as np


class _Shared:
    """cuda.shared: one array a block for each place in the source that asks for it."""

    def __init__(self):
        self.arrays = {}

    def array(self, shape, dtype):
        """The array that the calling place gets."""
        frame = sys._getframe(1)
        place = frame.f_code.co_filename, frame.f_lineno, frame.f_lasti
        if place not in self.arrays:
            self.arrays[place] = _poisoned(shape, dtype)
        return self.arrays[place]


def _poisoned(shape, dtype):
    """Memory that nobody has written to yet."""
    return poison(np.empty(shape, dtype))


def poison(array):
    """Fill an array with what nobody would have written; returns it."""
    array[...] = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).min
    return array


class _Cuda(SimpleNamespace):
    """What the name `cuda` stands for inside a kernel. The place of the thread that is running is added to it."""

    def __getattr__(self, name):
        raise AttributeError(f"this simulator has no cuda.{name}: it knows threadIdx, blockIdx, blockDim, gridDim, "
                             "syncthreads, shared.array and local.array")


CUDA = _Cuda(shared=_Shared(), local=SimpleNamespace(array=_poisoned))
met = set()  # aelearn's kernels, and the sizes at which both orders have given the same


class _BarriersYield(ast.NodeTransformer):
    """Turns cuda.syncthreads() into a yield, and the call of a generator function into a yield from."""

    def __init__(self, filename, names):
        self.filename, self.names = filename, names

    def visit_Call(self, node):
        self.generic_visit(node)
        if ast.unparse(node.func) == "cuda.syncthreads":
            return ast.copy_location(ast.Yield(ast.Constant((self.filename, node.lineno))), node)
        if inspect.isgeneratorfunction(self.names.get(ast.unparse(node.func))):
            return ast.copy_location(ast.YieldFrom(node), node)
        return node


@functools.cache
def _plain(function):
    """The Python function behind a kernel, or a function for kernels, with `cuda` as above and barriers as yields."""
    names = {name: _plain(value.py_func) if hasattr(value, "py_func") and value.py_func is not function else value
             for name, value in function.__globals__.items() if name in function.__code__.co_names}
    names["cuda"] = CUDA
    filename = inspect.getsourcefile(function)
    tree = ast.parse(inspect.getsource(function))
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    tree.body[0].decorator_list = []
    tree = ast.fix_missing_locations(_BarriersYield(filename, names).visit(tree))
    exec(compile(tree, filename, "exec"), names)
    return names[tree.body[0].name]


def run(kernel, grid, block, arguments):
    """Run a kernel on `grid` blocks of `block` threads. Arrays among the arguments are NumPy's, or Numba's simulator's.

    Raises RuntimeError for a race and for barriers that not all threads of a block reach.
    """
    arguments = [getattr(argument, "_ary", argument) for argument in arguments]
    grid, block = ((size, 1, 1) if np.isscalar(size) else (*size, 1, 1)[:3] for size in (grid, block))
    sizes = kernel.py_func, grid, block, *((argument.shape, argument.dtype) if np.ndim(argument) else None
                                           for argument in arguments)
    copies = None if sizes in met else [np.copy(argument) if np.ndim(argument) else argument for argument in arguments]
    _run_in_order(kernel, grid, block, arguments, 1)
    if copies is None:
        return
    _run_in_order(kernel, grid, block, copies, -1)
    for number, (argument, copy) in enumerate(zip(arguments, copies), 1):
        if np.ndim(argument) and argument.tobytes() != copy.tobytes():
            raise RuntimeError(f"{kernel.py_func.__name__}: the outcome depends on the order of threads: a race, "
                               f"which shows in argument {number}")
    if kernel.py_func.__module__.startswith("aelearn."):
        met.add(sizes)


def _run_in_order(kernel, grid, block, arguments, step):
    """Run a kernel on its grid, block after block; step -1: blocks and threads from the last to the first."""
    function = _plain(kernel.py_func)
    indices = [_place(x, y, z) for z in range(block[2]) for y in range(block[1]) for x in range(block[0])][::step]
    CUDA.gridDim, CUDA.blockDim = _place(*grid), _place(*block)
    for index in list(np.ndindex(*grid))[::step]:
        CUDA.blockIdx = _place(*index)
        CUDA.shared.arrays.clear()
        _run_block(function, indices, arguments)


def _place(x, y, z):
    return SimpleNamespace(x=x, y=y, z=z)


def _run_block(function, indices, arguments):
    """All threads of a block, from barrier to barrier; they must all come to the same."""
    threads = []
    for index in indices:
        CUDA.threadIdx = index
        threads.append(function(*arguments))  # runs it if it has no barriers; else makes a generator
    if not inspect.isgeneratorfunction(function):
        return
    while True:
        places = set()
        for index, thread in zip(indices, threads):
            CUDA.threadIdx = index
            places.add(next(thread, "the end"))
        if len(places) > 1:
            raise RuntimeError(f"threads of a block wait at different places: {places}")
        if places == {"the end"}:
            break
