"""The exercises of lesson 9: kernels, always run in the simulator, which is stricter than a GPU.

Shapes: N entries, M blocks; a (N, K), b (K, M).
"""

import numpy as np

from aelearn.teaching.exercises.exercise import Exercise, sizes


def _run(kernel, grid, block, arrays, shape):
    """What a kernel has written into its last argument, an array of this shape that held NaN before."""
    from aelearn.kernels.gpu import simulator

    out = simulator.poison(np.empty(shape, np.float64))
    simulator.run(kernel, grid, block, [*arrays, out])
    return out


def _vectors(rng):
    (n,) = sizes(rng, 1, low=9, high=16)
    return {"x": rng.normal(size=n), "y": rng.normal(size=n)}


def _blocks_of_eight(rng):
    (m,) = sizes(rng, 1)
    return {"x": rng.normal(size=8 * m)}


def _factors(rng):
    n, k, m = sizes(rng, 3, low=3, high=8)
    return {"a": rng.normal(size=(n, k)), "b": rng.normal(size=(k, m))}


def _product(kernel, a, b):
    n, m = len(a), b.shape[1]
    return _run(kernel, (-(-m // 4), -(-n // 2)), (4, 2), [a, b], (n, m))  # blocks of 4 columns and 2 rows


def _tiles(rng):
    side, times = sizes(rng, 2, high=9)
    return {"k": side * times, "side": side}


EXERCISES = {
    "add_vectors": Exercise(_vectors, ("z",), answer=lambda x, y: x + y,
                            call=lambda kernel, x, y: _run(kernel, 5, 4, [x, y], len(x))),
    "block_sums": Exercise(_blocks_of_eight, ("totals",), answer=lambda x: x.reshape(-1, 8).sum(axis=1),
                           call=lambda kernel, x: _run(kernel, len(x) // 8, 8, [x], len(x) // 8)),
    "product_entry": Exercise(_factors, ("c",), answer=lambda a, b: a @ b, call=_product),
    "fetched": Exercise(_tiles, ("numbers",), answer=lambda k, side: 2 * k / side),
}
