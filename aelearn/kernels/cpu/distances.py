"""The two nearest centres of a block of points, vectorised across the points.

Shapes: N samples, D features, K clusters, B = POINTS places of a block, S = SLAB features of a slab.

The loop over features is short where D is small, and a processor adds eight or sixteen numbers at once only if they
do not wait for one another. So the innermost loop runs over points: a block is turned on its side, into `across`
(S, B), a slab of features after the other, and the table of squared distances (K, B) grows by four features and two
centres at a time: each number that is loaded is used twice, each sum is stored once for four terms. Where D is large,
turning costs more than it gains, and the innermost loop runs over the features of one point instead.

Two arrays that are tables in truth, `across` and `table`, are one long row here: the compiler then knows that rows
lie POINTS apart, and need not check at run time whether they overlap.

Points are seen from an origin near them, and in a unit near their size, so that float32 spends its digits on what
tells them apart. What rounding can do is bounded below; a point whose two nearest centres are closer to one another
than that is decided again, in float64.
"""

from collections import namedtuple

import numpy as np

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled

POINTS = 512
SLAB = 32
LONG_ROW = 256  # features from which on the loop over features is the innermost one

# origin (D,) of X's dtype, what points are seen from; scale, a power of two, what they are multiplied with; plain:
# the origin is 0 and the scale 1; relative, absolute: see `error_bound`.
Frame = namedtuple("Frame", "origin scale plain relative absolute")
# across (S B,), table (K B,), best (B,), second (B,), label (B,) int32, gathered (16, S)
Block = namedtuple("Block", "across table best second label gathered")


@compiled
def new_block(like, n_clusters):
    """Room for a block of points, of the dtype of `like`; an odd K gets one row more."""
    n_rows = n_clusters + n_clusters % 2
    return Block(np.zeros(SLAB * POINTS, like.dtype), np.zeros(n_rows * POINTS, like.dtype),
                 np.zeros(POINTS, like.dtype), np.zeros(POINTS, like.dtype), np.zeros(POINTS, np.int32),
                 np.zeros((16, SLAB), like.dtype))


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _fetch(X, rows, n):
    """A sum that nobody needs, of one number in each line of the cache: rows come fast if they are asked for in order,
    and turning, which is not orderly, then finds them near."""
    total, n_features = X.dtype.type(0), X.shape[1]
    for p in range(n):
        x = X[rows[p]]
        for d in range(0, n_features, 16):
            total += x[d]
    return total


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _turn_sixteen(x, origin, scale, across):
    """across[d, p] = x[p, d] in the frame, for sixteen points: a line of the cache, which is written whole."""
    for d in range(x.shape[1]):
        out, zero = across[d * POINTS:d * POINTS + 16], origin[d]
        for p in range(16):
            out[p] = (x[p, d] - zero) * scale


@compiled
def _turn(X, rows, n, first, n_dims, frame, block):
    """block.across[d, p] = feature first + d of point rows[p], in the frame."""
    origin, gathered = frame.origin[first:first + n_dims], block.gathered[:, :n_dims]
    in_a_row = rows[n - 1] - rows[0] == n - 1
    for start in range(0, n, 16):
        count, across = min(16, n - start), block.across[start:]
        if in_a_row and count == 16:
            _turn_sixteen(X[rows[start]:rows[start] + 16, first:first + n_dims], origin, frame.scale, across)
            continue
        for p in range(count):
            x, copy = X[rows[start + p], first:first + n_dims], gathered[p]
            for d in range(n_dims):
                copy[d] = x[d]
        _turn_sixteen(gathered, origin, frame.scale, across)


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _add_four_features(x, c, e, table, n):
    """Add four features' share to the squared distances of n points to the two centres c and e."""
    c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
    e0, e1, e2, e3 = e[0], e[1], e[2], e[3]
    for p in range(n):
        x0, x1, x2, x3 = x[p], x[p + POINTS], x[p + 2 * POINTS], x[p + 3 * POINTS]
        table[p] += ((x0 - c0) ** 2 + (x1 - c1) ** 2) + ((x2 - c2) ** 2 + (x3 - c3) ** 2)
        table[p + POINTS] += ((x0 - e0) ** 2 + (x1 - e1) ** 2) + ((x2 - e2) ** 2 + (x3 - e3) ** 2)


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _along_one_point(x, c, e, table):
    """The squared distances of one point to two centres."""
    to_c, to_e = x.dtype.type(0), x.dtype.type(0)  # a plain 0 would make the sums float64
    for d in range(len(x)):
        to_c += (x[d] - c[d]) * (x[d] - c[d])
        to_e += (x[d] - e[d]) * (x[d] - e[d])
    table[0], table[POINTS] = to_c, to_e


@compiled
def fill_table(X, rows, n, centers, frame, block):
    """block.table[k, p] = |x[rows[p]] - centers[k]|^2 for p < n. centers: see `in_frame`."""
    n_rows, n_features = len(centers), X.shape[1]
    if frame.plain and n_features >= LONG_ROW:
        for p in range(n):
            x = X[rows[p]]
            for k in range(0, n_rows, 2):
                _along_one_point(x, centers[k, :n_features], centers[k + 1, :n_features], block.table[k * POINTS + p:])
        return
    n_full = min(POINTS, (n + 15) // 16 * 16)  # whole vectors: what the places past n hold is never looked at
    for k in range(n_rows):
        block.table[k * POINTS:k * POINTS + n_full] = 0
    if n_features > 16:  # a row is longer than a line
        block.best[0] = _fetch(X, rows, n)
    for first in range(0, n_features, SLAB):
        n_dims = min(SLAB, n_features - first)
        _turn(X, rows, n, first, n_dims, frame, block)
        for d in range(n_dims, (n_dims + 3) // 4 * 4):
            block.across[d * POINTS:(d + 1) * POINTS] = 0
        for k in range(0, n_rows, 2):
            for d in range(0, n_dims, 4):
                at = first + d
                _add_four_features(block.across[d * POINTS:], centers[k, at:at + 4], centers[k + 1, at:at + 4],
                                   block.table[k * POINTS:], n_full)


@compiled
def _keep_two_nearest(table, k, best, second, label, n):
    first_number, second_number = np.int32(k), np.int32(k + 1)
    for p in range(n):
        s, t, b, c, number = table[p], table[p + POINTS], best[p], second[p], label[p]
        c, number, b = min(c, max(b, s)), first_number if s < b else number, min(b, s)
        c, number, b = min(c, max(b, t)), second_number if t < b else number, min(b, t)
        best[p], second[p], label[p] = b, c, number


@compiled
def find_two_nearest(X, rows, n, centers, n_clusters, frame, block):
    """For p < n: the number of the centre nearest to point rows[p], the squared distance to it and to the second."""
    fill_table(X, rows, n, centers, frame, block)
    far = frame.absolute * 0 + 1e30  # of the table's dtype, and farther than any point in its frame
    block.best[:], block.second[:], block.label[:] = far, far, 0
    if n_clusters % 2:
        block.table[n_clusters * POINTS:] = far
    for k in range(0, n_clusters, 2):
        _keep_two_nearest(block.table[k * POINTS:], k, block.best, block.second, block.label, n)


@compiled
def error_bound(best, second, frame):
    """How much second - best, a difference of squared distances, must exceed for the order of the two to be sure.

    With u the unit roundoff, a distance d comes out within u ((D / 2 + 4) d + |x| + |c|), of which |x| + |c| is for
    the rounding of the point and the centre to the frame, and is at most d + 2 max |c|. For the difference of two
    squares times their sum, and with 2 a b <= a^2 + b^2, that is at most

        u (2 D + 24) (best + second) + 8 u max |c|^2 = relative (best + second) + absolute
    """
    return frame.relative * (best + second) + frame.absolute


def frame_of(X):
    """Origin (D,) of X's dtype and scale for points like those of X (N, D), from about a thousand of them.

    Where the points lie about 0 and are of ordinary size, which is nearly always, the frame is plain: X as it is.
    """
    sample = X[::max(1, len(X) // 1000)].astype(np.float64)  # (about 1000, D)
    mean = sample.mean(axis=0)  # (D,)
    spread = np.abs(sample - mean).max()
    origin = mean.astype(X.dtype) if np.abs(mean).max() > 16 * spread else np.zeros(X.shape[1], X.dtype)
    size = np.abs(sample - origin).max()
    if size == 0 or 2.0**-20 < size < 2.0**20:
        return origin, 1.0
    return origin, 2.0 ** -np.clip(np.frexp(size)[1], -120, 120)


def in_frame(centers, origin, scale, dtype):
    """Centres (K, D) in the frame, rounded to dtype, with zeros up to an even K and a D that four divides; and the
    Frame with its bounds for them."""
    n_clusters, n_features = centers.shape
    shape = n_clusters + n_clusters % 2, (n_features + 3) // 4 * 4
    padded = np.zeros(shape, dtype)
    with np.errstate(over="ignore"):  # a centre out of range is infinitely far: its points are decided in float64
        padded[:n_clusters, :n_features] = (centers - origin) * scale
        largest = np.square(padded.astype(np.float64)).sum(axis=1).max()
        unit = np.finfo(dtype).eps / 2
        absolute = dtype.type(8 * unit * largest + n_features * np.finfo(dtype).tiny * 2.0**20)
    relative = dtype.type(unit * (2 * n_features + 24))
    return padded, Frame(origin, dtype.type(scale), bool(scale == 1 and not origin.any()), relative, absolute)
