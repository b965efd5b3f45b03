"""A strict simulator: it runs kernels in Python, for small arrays, and reports most races as errors.

Plumbing, for tests and for machines without a GPU.

Numba also has a simulator (NUMBA_ENABLE_CUDASIM=1). It runs each CUDA thread in a thread of the operating system,
without a fixed order: that is slow, and a missing barrier is nearly always overlooked, not least because shared memory
happens to contain zeros. aelearn uses its arrays, but launches kernels here, where

- the threads of a block are generators, which can be suspended at a `yield` and resumed later: each
  `cuda.syncthreads()` in a kernel, or in a function that it calls, becomes a `yield`. A thread runs from one barrier to
  the next, then the next thread does, in the order of their indices;
- a launch is run twice, the second time on copies, with all threads and blocks in reverse order: the results must be
  identical to the last bit. So if a thread reads what another one of its block writes without a barrier in between, or
  what another block writes, this is detected whichever of the two comes first. (For aelearn's own kernels this is done
  at the first launch with arrays of given sizes.) A race that gives the same result in any order is not detected, such
  as many threads that do n[0] += 1;
- uninitialised memory contains NaN, or the smallest integer;
- all threads of a block must reach the same barriers.

An index past the end of an array raises IndexError. Kernels must be defined in a file or a notebook, at the top level.
"""

import ast
import functools
import inspect
import sys
from types import SimpleNamespace

import numpy as np


class _Shared:
    """cuda.shared: one array per block for each line of code that allocates one."""

    def __init__(self):
        self.arrays = {}

    def array(self, shape, dtype):
        """The array for the calling line of code."""
        frame = sys._getframe(1)
        place = frame.f_code.co_filename, frame.f_lineno, frame.f_lasti
        if place not in self.arrays:
            self.arrays[place] = _poisoned(shape, dtype)
        return self.arrays[place]


def _poisoned(shape, dtype):
    """Uninitialised memory."""
    return poison(np.empty(shape, dtype))


def poison(array):
    """Fill an array with values that no kernel would write; returns it."""
    array[...] = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).min
    return array


class _Cuda(SimpleNamespace):
    """The object called `cuda` inside a kernel. The position of the running thread is added to it."""

    def __getattr__(self, name):
        raise AttributeError(f"this simulator has no cuda.{name}: it knows threadIdx, blockIdx, blockDim, gridDim, "
                             "grid, gridsize, syncthreads, shared.array and local.array")


def _grid(ndim):
    """cuda.grid: the running thread's position in the grid, an integer if ndim is 1, or a tuple of 2 or 3."""
    return _first_axes(ndim, lambda axis: getattr(CUDA.blockIdx, axis) * getattr(CUDA.blockDim, axis)
                       + getattr(CUDA.threadIdx, axis))


def _gridsize(ndim):
    """cuda.gridsize: the number of threads along each axis of the grid, in the same form."""
    return _first_axes(ndim, lambda axis: getattr(CUDA.gridDim, axis) * getattr(CUDA.blockDim, axis))


def _first_axes(ndim, along):
    if ndim not in (1, 2, 3):
        raise ValueError(f"the number of axes is 1, 2 or 3; got {ndim!r}")
    return tuple(along(axis) for axis in "xyz"[:ndim]) if ndim > 1 else along("x")


CUDA = _Cuda(grid=_grid, gridsize=_gridsize, shared=_Shared(), local=SimpleNamespace(array=_poisoned))
met = set()  # aelearn's kernels, and the sizes for which both orders gave the same result


class _BarriersYield(ast.NodeTransformer):
    """Turns cuda.syncthreads() into a yield, and calls of generator functions into yield from."""

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
    """The Python function of a kernel, or of a device function, with `cuda` as above and barriers as yields."""
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
    """Run a kernel on `grid` blocks of `block` threads. Array arguments are NumPy's or those of Numba's simulator.

    Raises RuntimeError for a race and for barriers that not all threads of a block reach.
    """
    arguments = [getattr(argument, "_ary", argument) for argument in arguments]
    grid, block = ((size, 1, 1) if np.isscalar(size) else (*size, 1, 1)[:3] for size in (grid, block))
    arrays = {n: argument for n, argument in enumerate(arguments) if isinstance(argument, np.ndarray)}
    sizes = kernel.py_func, grid, block, *((array.shape, array.dtype) for array in arrays.values())
    copies = None if sizes in met else [argument.copy() if n in arrays else argument
                                        for n, argument in enumerate(arguments)]
    _run_in_order(kernel, grid, block, arguments, 1)
    if copies is None:
        return
    _run_in_order(kernel, grid, block, copies, -1)
    for n, array in arrays.items():
        if array.tobytes() != copies[n].tobytes():
            raise RuntimeError(f"{kernel.py_func.__name__}: the outcome depends on the order of threads: a race, "
                               f"which shows in argument {n + 1}")
    if kernel.py_func.__module__.startswith("aelearn."):
        met.add(sizes)


def _run_in_order(kernel, grid, block, arguments, step):
    """Run a kernel on its grid, block by block; step -1: blocks and threads from the last to the first."""
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
    """Run all threads of a block from barrier to barrier; all must reach the same one."""
    threads = []
    for index in indices:
        CUDA.threadIdx = index
        threads.append(function(*arguments))  # runs it if it has no barriers; else creates a generator
    if not inspect.isgeneratorfunction(function):
        return
    while True:
        places = set()
        for index, thread in zip(indices, threads):
            CUDA.threadIdx = index
            places.add(next(thread, "the end"))
        if len(places) > 1:
            lines = sorted("the end" if place == "the end" else f"line {place[1]}" for place in places)
            raise RuntimeError(f"threads of a block wait at different places: {' and '.join(lines)}")
        if places == {"the end"}:
            break
