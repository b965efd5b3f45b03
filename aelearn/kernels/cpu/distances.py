"""The two nearest centres of a block of points, from half the arithmetic that distances would take.

Worth reading; assignment.py, which calls it, comes next.

Shapes: N samples, D features, K clusters, K' and D' the next multiples of four, B = POINTS places of a block,
S = SLAB features of a slab.

The nearest centre can be found without distances: of |x - c|^2 = |x|^2 - 2 x . c + |c|^2 the first term is the same for
all centres. What is left, halved, is the score

    s = |c|^2 / 2 - x . c        |x - c|^2 = |x|^2 + 2 s

and costs one multiply-and-add for a feature instead of two operations.

The loop over features is short where D is small, and a processor adds eight or sixteen numbers at once only if they
do not depend on one another. So the innermost loop runs over points: a block is transposed into `across` (S, B), one
slab of features after another, and the table of scores (K, B) grows by four features and four centres at a time: each
number that is loaded is used four times. Where D is large, transposing costs more than it gains, and the innermost loop
runs over the features of four points and four centres.

Two arrays that are really tables, `across` and `table`, are one long row here: the compiler then knows that rows lie
POINTS apart, and need not check at run time whether they overlap.

Points are seen from an origin near them, and in a unit near their size, so that float32 spends its digits on what
tells them apart. How far rounding can go is bounded below (`error_bound`); a point whose two best scores are closer to
each other than that is decided again, in float64.

SUMS_IN_ANY_ORDER leaves the order of a sum to the compiler: it chooses once, and every run adds in that order.
"""

from collections import namedtuple

import numpy as np

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled, room

POINTS = 256
STRIDE = POINTS + 16  # places from row to row: at a power of two all rows would share a few lines of the cache
SLAB = 32
LONG_ROW = 256  # features from which on the loop over features is the innermost one
WORST = 1e30  # a score worse than that of any point in its frame

# origin (D,), of X's dtype, which points are seen from, and the power of two that they are then multiplied by. plain:
# the origin is 0 and the scale 1. relative, absolute: see `error_bound`.
Frame = namedtuple("Frame", "origin scale plain relative absolute")
# exact (K, D) float64, and old (K, D), those of the pass before. `put_in_frame` fills in the others: near (K', D'), the
# centres in the frame, with zeros around them; half (K',), half their squares, and WORST past K; moved (K,), how far
# each went; others (K,), how far the fastest of all others did
Centers = namedtuple("Centers", "exact old near half moved others")
# rows (B,) int64: which points; across (S B,), squares (B,): |x|^2; table (K' B,), best (B,), second (B,): scores;
# label (B,) int32, of the best; old (B,) int32, before; doubtful (B,) bool: whether the scores do not decide
Block = namedtuple("Block", "rows across squares table best second label old doubtful")


@compiled(inside=True)
def new_block(near):
    """Room for a block of points, of the dtype of near (K', D')."""
    return Block(np.zeros(POINTS, np.int64), room(SLAB * STRIDE, near), np.empty(POINTS, near.dtype),
                 room(len(near) * STRIDE, near), np.empty(POINTS, near.dtype), np.empty(POINTS, near.dtype),
                 np.empty(POINTS, np.int32), np.empty(POINTS, np.int32), np.empty(POINTS, np.bool_))


@compiled(inside=True)
def _transpose_four(x0, x1, x2, x3, zero, scale, across):
    """Four features of four points: sixteen numbers that the processor transposes in its registers."""
    for d in range(4):
        at, z = d * STRIDE, zero[d]
        across[at], across[at + 1] = (x0[d] - z) * scale, (x1[d] - z) * scale
        across[at + 2], across[at + 3] = (x2[d] - z) * scale, (x3[d] - z) * scale


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _transpose(X, rows, n, first, n_dims, frame, across, squares):
    """across[d, p] = feature first + d of point rows[p], in the frame; their squares are added to squares[p]."""
    scale, by_fours = frame.scale, n_dims // 4 * 4
    for p in range(0, n if by_fours else 0, 4):
        x0, x1, x2, x3 = X[rows[p], first:], X[rows[p + 1], first:], X[rows[p + 2], first:], X[rows[p + 3], first:]
        for d in range(0, by_fours, 4):
            _transpose_four(x0[d:], x1[d:], x2[d:], x3[d:], frame.origin[first + d:], scale, across[d * STRIDE + p:])
    for start in range(0, n if by_fours < n_dims else 0, 16):
        row = rows[start:start + 16]
        for d in range(by_fours, n_dims):
            out, zero = across[d * STRIDE + start:d * STRIDE + start + 16], frame.origin[first + d]
            for p in range(16):
                out[p] = (X[row[p], first + d] - zero) * scale
    for d in range(n_dims):
        x = across[d * STRIDE:]
        for p in range(n):
            squares[p] += x[p] * x[p]


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _take_four_features(x, c, table, n):
    """Subtract four features' share of the products of n points and four centres, c (4, 4), from the scores."""
    c00, c01, c02, c03 = c[0, 0], c[0, 1], c[0, 2], c[0, 3]
    c10, c11, c12, c13 = c[1, 0], c[1, 1], c[1, 2], c[1, 3]
    c20, c21, c22, c23 = c[2, 0], c[2, 1], c[2, 2], c[2, 3]
    c30, c31, c32, c33 = c[3, 0], c[3, 1], c[3, 2], c[3, 3]
    for p in range(n):
        x0, x1, x2, x3 = x[p], x[p + STRIDE], x[p + 2 * STRIDE], x[p + 3 * STRIDE]
        table[p] -= (x0 * c00 + x1 * c01) + (x2 * c02 + x3 * c03)
        table[p + STRIDE] -= (x0 * c10 + x1 * c11) + (x2 * c12 + x3 * c13)
        table[p + 2 * STRIDE] -= (x0 * c20 + x1 * c21) + (x2 * c22 + x3 * c23)
        table[p + 3 * STRIDE] -= (x0 * c30 + x1 * c31) + (x2 * c32 + x3 * c33)


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _square(x):
    total = x.dtype.type(0)  # a plain 0 would make the sum float64
    for d in range(len(x)):
        total += x[d] * x[d]
    return total


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _along_four_points(x0, x1, x2, x3, c, half, table):
    """The scores of four points with four centres, c (4, D or more)."""
    c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = x0.dtype.type(0)
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = x0.dtype.type(0)
    for d in range(len(x0)):
        a0, a1, a2, a3 = x0[d], x1[d], x2[d], x3[d]
        b0, b1, b2, b3 = c0[d], c1[d], c2[d], c3[d]
        s00, s01, s02, s03 = s00 + b0 * a0, s01 + b0 * a1, s02 + b0 * a2, s03 + b0 * a3
        s10, s11, s12, s13 = s10 + b1 * a0, s11 + b1 * a1, s12 + b1 * a2, s13 + b1 * a3
        s20, s21, s22, s23 = s20 + b2 * a0, s21 + b2 * a1, s22 + b2 * a2, s23 + b2 * a3
        s30, s31, s32, s33 = s30 + b3 * a0, s31 + b3 * a1, s32 + b3 * a2, s33 + b3 * a3
    at = 0
    for h, s0, s1, s2, s3 in ((half[0], s00, s01, s02, s03), (half[1], s10, s11, s12, s13),
                              (half[2], s20, s21, s22, s23), (half[3], s30, s31, s32, s33)):
        table[at], table[at + 1], table[at + 2], table[at + 3] = h - s0, h - s1, h - s2, h - s3
        at += STRIDE


@compiled(inside=True)
def _keep_two_best(table, k, best, second, label, n):
    """Go on with four rows of the table, those of the centres k to k + 3."""
    k0, k1, k2, k3 = np.int32(k), np.int32(k + 1), np.int32(k + 2), np.int32(k + 3)
    for p in range(n):
        s0, s1, s2, s3 = table[p], table[p + STRIDE], table[p + 2 * STRIDE], table[p + 3 * STRIDE]
        b, c, number = best[p], second[p], label[p]
        c, number, b = min(c, max(b, s0)), k0 if s0 < b else number, min(b, s0)
        c, number, b = min(c, max(b, s1)), k1 if s1 < b else number, min(b, s1)
        c, number, b = min(c, max(b, s2)), k2 if s2 < b else number, min(b, s2)
        c, number, b = min(c, max(b, s3)), k3 if s3 < b else number, min(b, s3)
        best[p], second[p], label[p] = b, c, number


@compiled(inside=True)
def find_two_nearest(X, centers, frame, n, block):
    """The two best scores of the points block.rows[:n], the label of the best, and their squares, into the block.

    The places of block.rows past n hold rows of X as well, no matter which.
    """
    n_features, n_full = X.shape[1], (n + 15) // 16 * 16  # whole vectors: the places past n are never read
    rows, squares, table, near, half = block.rows, block.squares, block.table, centers.near, centers.half
    best, second, label = block.best, block.second, block.label
    worst = table.dtype.type(WORST)
    for p in range(n_full):
        best[p], second[p], squares[p], label[p] = worst, worst, 0, 0
    if frame.plain and n_features >= LONG_ROW:
        for p in range(0, n, 4):
            x0, x1, x2, x3 = X[rows[p]], X[rows[p + 1]], X[rows[p + 2]], X[rows[p + 3]]
            squares[p], squares[p + 1], squares[p + 2], squares[p + 3] = (_square(x0), _square(x1), _square(x2),
                                                                          _square(x3))
            for k in range(0, len(half), 4):
                _along_four_points(x0, x1, x2, x3, near[k:k + 4], half[k:k + 4], table[k * STRIDE + p:])
    else:
        for k in range(len(half)):
            for p in range(n_full):
                table[k * STRIDE + p] = half[k]
        for first in range(0, n_features, SLAB):
            n_dims = min(SLAB, n_features - first)
            _transpose(X, rows, n, first, n_dims, frame, block.across, squares)
            for at in range(n_dims * STRIDE, (n_dims + 3) // 4 * 4 * STRIDE):
                block.across[at] = 0
            for k in range(0, len(half), 4):
                for d in range(0, n_dims, 4):
                    _take_four_features(block.across[d * STRIDE:], near[k:k + 4, first + d:first + d + 4],
                                        table[k * STRIDE:], n_full)
    for k in range(0, len(half), 4):
        _keep_two_best(table[k * STRIDE:], k, best, second, label, n_full)


@compiled(inside=True)
def error_bound(square, frame):
    """By how much two scores must differ for their order to be certain. square: |x|^2.

    With u the unit roundoff and C the largest |c|^2: a score is a sum of D + 1 terms whose absolute values add up to
    at most |c|^2 / 2 + |x| |c|, so it comes out within u (D + 3) (C + |x|^2 / 2), whatever the order. Rounding the
    point and the centre to the frame moves half a squared distance by at most u (|x| + |c|)^2. Two scores together:

        2 u (D + 5) (|x|^2 + C)

    and with a quarter more, for the rounding of |x|^2 and of this bound itself, relative |x|^2 + absolute.
    """
    return frame.relative * square + frame.absolute


@compiled(inside=True)
def put_in_frame(centers, origin, scale):
    """Fill in what Centers tell of `exact` and `old` in a frame; returns the Frame's plain, relative and absolute."""
    exact, old, near, half, moved, others = centers
    (n_clusters, n_features), dtype = exact.shape, near.dtype
    largest, first, next_first, fastest, plain = 0.0, 0.0, 0.0, 0, scale == 1
    for k in range(n_clusters):
        square, distance = 0.0, 0.0
        for d in range(n_features):
            near[k, d] = (exact[k, d] - origin[d]) * scale
            square += np.float64(near[k, d]) * np.float64(near[k, d])
            distance += (exact[k, d] - old[k, d]) * (exact[k, d] - old[k, d])
        half[k] = square / 2
        largest = max(largest, square)
        moved[k] = np.sqrt(distance) * (1 + (n_features + 2) * np.finfo(np.float64).eps) * scale  # rounded up
        if moved[k] > first:
            first, next_first, fastest = moved[k], first, k
        elif moved[k] > next_first:
            next_first = moved[k]
    for k in range(n_clusters):
        others[k] = next_first if k == fastest else first
    for d in range(n_features):
        plain = plain and origin[d] == 0
    relative = 2.5 * (np.finfo(dtype).eps / 2) * (n_features + 5)
    absolute = relative * largest + n_features * np.finfo(dtype).tiny * 2.0**20
    return plain, dtype.type(relative), dtype.type(absolute)
