"""One pass of k-means over X, as compiled code: labels, bounds, and the sums of each chunk.

Worth reading, after distances.py; lloyd.py, which calls it, explains the ideas.

Shapes: N samples, D features, K clusters, K' and D' the next multiples of four, B = POINTS places of a block, M chunks.

X is cut into chunks, and a chunk's points go through in blocks. With bounds, points are first collected that may have
a new nearest centre; blocks are made of those alone, so that the arithmetic is as dense as without bounds.

A cluster that no point chooses keeps its old centre here: it is filled afterwards, for all back ends, by
aelearn.kmeans.lloyd.fill_empty_clusters.

SUMS_IN_ANY_ORDER leaves the order of a sum over features to the compiler: it chooses once, and every run adds in that
order. Sums over points are not compiled with it: their order is the one that is written here. Squares are written as
products, because Numba may compile x ** 2 with the options of another function that has used it before.
"""

from collections import namedtuple

import numba
import numpy as np

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.distances import (
    POINTS,
    WORST,
    Centers,
    Frame,
    error_bound,
    find_two_nearest,
    new_block,
    put_in_frame,
)
from aelearn.kernels.cpu.exact import doubt, is_nearer

CHANGES, EVERYTHING, NOTHING = range(3)  # which points a pass sums: those that change their label; all; none
CANCELLATION = 1e-3  # an inertia smaller than that share of Q is summed from the points: its error is a share of Q
DRIFT = 64  # how many times the rounding of fresh sums is allowed in sums that were kept from pass to pass
SLACK = 1e-6  # bounds may be float32: this is more than the few roundings of 6e-8 that each of them meets in a pass

# X (N, D); weight (N,) or, where all weigh the same, (1,); labels (N,) int32; upper, lower (N,) of X's dtype, or (0,):
# then there are no bounds
Points = namedtuple("Points", "X weight labels upper lower")
# What the points of a chunk add up to: sums (M, K, D) of w (x - origin); mass (M, K, 2); totals (M, 3)
ChunkSums = namedtuple("ChunkSums", "sums mass totals")
WEIGHT, COUNT = range(2)  # columns of mass: the sum of w, and how many points have a w above 0
INERTIA, SQUARES, MOVED = range(3)  # of totals: the inertia; Q, the sum of w |x - origin|^2; how many labels of points
# that weigh anything changed
# All chunks together, kept from pass to pass: sums (K, D), mass (K, 2), means (K, D); peak (K,): the largest weight of
# each cluster since its sums were fresh
Kept = namedtuple("Kept", "sums mass peak means")


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def squared_distance(x, center):
    """In float64, from the point as it is: used wherever rounding might decide."""
    total = 0.0
    for d in range(len(x)):
        difference = np.float64(x[d]) - np.float64(center[d])
        total += difference * difference
    return total


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def _distance_in_frame(x, near, frame):
    total = x.dtype.type(0)
    for d in range(len(x)):
        difference = (x[d] - frame.origin[d]) * frame.scale - near[d]
        total += difference * difference
    return total


@compiled(inside=True)
def _judge(x, exact, margin):
    """The nearest centre, the lower number if two are equally near; and squared distances to it and to the second.

    margin: by what share of the larger one two distances in float64 must differ, see kernels/exact.py.
    """
    label, best, second = 0, np.inf, np.inf
    least = len(x) * np.finfo(np.float64).tiny
    for k in range(len(exact)):
        distance = squared_distance(x, exact[k])
        is_close = max(distance, best) * (1 - margin) <= min(distance, best) + least
        if is_nearer(x, exact[k], exact[label]) if is_close else distance < best:
            label, best, second = k, distance, min(best, second)
        else:
            second = min(second, distance)
    return label, best, second


@compiled(inside=True)
def _search(points, centers, frame, n, block, summed, sums, mass):
    """Label the points block.rows[:n] anew and, with CHANGES, move those that change from sum to sum.

    Returns how many change, of those that weigh anything.
    """
    find_two_nearest(points.X, centers, frame, n, block)
    rows, best, second, label, squares = block.rows, block.best, block.second, block.label, block.squares
    before, doubtful = block.old, block.doubtful
    has_bounds, n_moved, n_doubtful = len(points.upper) > 0, 0, 0
    for p in range(n):
        before[p] = points.labels[rows[p]]
    for p in range(n):  # in a loop of its own, without a branch: so it is vectorised
        doubtful[p] = (not second[p] - best[p] > error_bound(squares[p], frame)) | (label[p] != before[p])
        n_doubtful += doubtful[p]
    if not has_bounds and n_doubtful == 0:
        return n_moved
    unit, margin = np.float64(frame.scale) * np.float64(frame.scale), doubt(points.X.shape[1])
    for p in range(n):
        if not (has_bounds or doubtful[p]):
            continue
        row, new, old = rows[p], np.int64(label[p]), np.int64(before[p])
        bound = np.float64(error_bound(squares[p], frame))
        nearest = np.float64(squares[p]) + 2 * np.float64(best[p])
        next_best = np.float64(squares[p]) + 2 * np.float64(second[p])
        if not next_best - nearest > 2 * bound:
            new, nearest, next_best = _judge(points.X[row], centers.exact, margin)
            nearest, next_best = nearest * unit, min(next_best * unit, WORST)
        if has_bounds:  # each of the two is wrong by no more than twice the bound
            points.upper[row] = np.sqrt(max(0.0, nearest + 2 * bound)) * (1 + SLACK)
            points.lower[row] = np.sqrt(max(0.0, next_best - 2 * bound)) * (1 - SLACK)
        if new != old:
            points.labels[row] = new
            w = points.weight[row if len(points.weight) > 1 else 0]
            n_moved += w > 0  # what weighs nothing moves nothing
            if summed == CHANGES:
                for d in range(points.X.shape[1]):
                    share = w * (np.float64(points.X[row, d]) - np.float64(frame.origin[d]))
                    sums[new, d] += share
                    sums[old, d] -= share
                mass[new, WEIGHT] += w
                mass[old, WEIGHT] -= w
                mass[new, COUNT] += w > 0
                mass[old, COUNT] -= w > 0
    return n_moved


@compiled(inside=True)
def _label_chunk(points, centers, frame, start, stop, block, summed, sums, mass):
    """Label the points start..stop-1: all of them or, if there are bounds, those whose bounds leave it open.

    The same as `_search`, for a whole chunk.

    The bounds are looked at here and not in a function of their own, which would count the references to all these
    arrays at every point, on all cores at once, and take far longer than the arithmetic.
    """
    labels, uppers, lowers, moved, others = points.labels, points.upper, points.lower, centers.moved, centers.others
    has_bounds, waiting, row, n_moved = len(uppers) > 0, block.rows, start, 0
    while row < stop:
        n = 0
        if not has_bounds:
            n = min(POINTS, stop - row)
            for p in range(n):
                waiting[p] = row + p
            row += n
        while has_bounds and row < stop and n < POINTS:
            label, is_open = np.int64(labels[row]), True
            if label >= 0:
                upper = (uppers[row] + moved[label]) * (1 + SLACK)
                lower = lowers[row] - others[label] * (1 + SLACK)
                lower -= abs(lower) * SLACK
                if not upper < lower:  # upper may only have been too high
                    own = np.float64(_distance_in_frame(points.X[row], centers.near[label], frame))
                    bound = 3 * np.float64(error_bound(own, frame))  # |x|^2 <= 2 own + 2 |c|^2
                    upper = np.sqrt(own + 2 * bound) * (1 + SLACK)
                uppers[row], lowers[row] = upper, lower
                is_open = not upper < lower
            if is_open:
                waiting[n] = row
                n += 1
            row += 1
        if n:
            n_moved += _search(points, centers, frame, n, block, summed, sums, mass)
    return n_moved


@compiled(inside=True)
def _sum_chunk(points, origin, start, stop, sums, mass):
    """The sums (K, D) and mass (K, 2) of the points start..stop-1, from their labels. Returns their share of Q."""
    X, weight, labels, total = points.X, points.weight, points.labels, 0.0
    for row in range(start, stop):
        w, label = weight[row if len(weight) > 1 else 0], np.int64(labels[row])
        to_origin = 0.0
        for d in range(X.shape[1]):
            x = np.float64(X[row, d]) - np.float64(origin[d])
            sums[label, d] += w * x
            to_origin += x * x
        mass[label, WEIGHT] += w
        mass[label, COUNT] += w > 0
        total += w * to_origin
    return total


@compiled(inside=True)
def _inertia_of_chunk(points, exact, start, stop):
    """The sum of w |x - c|^2 over the points start..stop-1, from their labels."""
    X, weight, labels, total = points.X, points.weight, points.labels, 0.0
    for row in range(start, stop):
        total += weight[row if len(weight) > 1 else 0] * squared_distance(X[row], exact[labels[row]])
    return total


@compiled(inside=True)
def _lane(points, centers, frame, chunk_sums, chunk, lane, n_lanes, search, summed):
    """What one core does: every n_lanes-th chunk, in a block of its own."""
    points, centers, frame, chunk_sums = Points(*points), Centers(*centers), Frame(*frame), ChunkSums(*chunk_sums)
    block = new_block(centers.near)
    for m in range(lane, len(chunk_sums.totals), n_lanes):
        start, stop = m * chunk, min(len(points.labels), (m + 1) * chunk)
        sums, mass, totals = chunk_sums.sums[m], chunk_sums.mass[m], chunk_sums.totals[m]  # (K, D), (K, 2), (3,)
        for k in range(len(sums)):
            for d in range(sums.shape[1]):
                sums[k, d] = 0
            mass[k, WEIGHT] = mass[k, COUNT] = 0
        if search:
            totals[MOVED] = _label_chunk(points, centers, frame, start, stop, block, summed, sums, mass)
        if summed == EVERYTHING:
            totals[SQUARES] = _sum_chunk(points, frame.origin, start, stop, sums, mass)
        if summed != CHANGES:  # else it follows from the sums, see `add_up`
            totals[INERTIA] = _inertia_of_chunk(points, centers.exact, start, stop)


@compiled(parallel=True, work=lambda points, centers, *others: len(points[0]) * (centers[0].size + 64))
def pass_over(points, centers, view, chunk_sums, chunk, n_lanes, search, summed):
    """One pass over X. Bundles come as plain tuples, whose types Numba recognises several times as fast as named ones.

    points      the fields of Points: labels and bounds are changed
    centers     the fields of Centers: `exact` and `old` are given, the others are filled in
    view        the origin (D,) and the scale of the Frame
    chunk_sums  the fields of ChunkSums, to be filled in
    chunk       how many points a chunk has
    n_lanes     how many chunks are worked on at a time
    search      whether to label the points; else their labels are right already
    summed      CHANGES, EVERYTHING or NOTHING; the inertia is summed as well, except with CHANGES
    """
    origin, scale = view
    frame = origin, scale, *put_in_frame(centers, origin, scale)
    for lane in numba.prange(n_lanes):
        _lane(points, centers, frame, chunk_sums, chunk, np.int64(lane), n_lanes, search, summed)


@compiled
def add_up(chunk_sums, exact, origin, age, kept):
    """Add the chunks up in their order, onto the sums that were kept or (age 0) afresh, and take the means.

    chunk_sums: the fields of ChunkSums; exact (K, D): the centres of the pass; origin (D,); age: passes since the sums
    were fresh; kept: the fields of Kept, changed in place. Returns the inertia, how many labels changed, and whether
    enough digits are left.

    With B points in a chunk and u the unit roundoff, a pass adds at most M + B numbers to a sum: its rounding is at
    most (M + B) u times the cluster's largest weight and the points' distance from the origin. That adds up over `age`
    passes, while fresh sums would be wrong by (M + B) u times the present weight. So too few digits are left where
    age times the largest weight is more than DRIFT times the present one, as where a heavy point has left; and
    where the inertia is a small difference of large numbers.
    """
    sums_of_chunk, mass_of_chunk, totals = chunk_sums  # (M, K, D), (M, K, 2), (M, 3)
    sums, mass, peak, means = kept  # (K, D), (K, 2), (K,), (K, D)
    if age == 0:
        sums[:], mass[:], peak[:] = 0, 0, 0
    inertia, squares, n_moved, accurate = 0.0, 0.0, 0, True
    for m in range(len(totals)):
        inertia += totals[m, INERTIA]
        squares += totals[m, SQUARES]
        n_moved += np.int64(totals[m, MOVED])
        sums += sums_of_chunk[m]  # (K, D)
        mass += mass_of_chunk[m]  # (K, 2)
    from_sums = squares  # the inertia: Q + sum_k (W_k c_k - 2 S_k) . c_k
    for k in range(len(exact)):
        is_empty = mass[k, COUNT] == 0
        if is_empty:  # what is left is rounding
            sums[k], mass[k, WEIGHT] = 0, 0
        w = mass[k, WEIGHT]
        peak[k] = max(peak[k], w)
        accurate = accurate and (is_empty or DRIFT * w >= age * peak[k])
        for d in range(len(origin)):
            c = exact[k, d] - origin[d]
            from_sums += (w * c - 2 * sums[k, d]) * c
            means[k, d] = exact[k, d] if is_empty else origin[d] + sums[k, d] / w
    if age > 0:
        inertia, accurate = from_sums, accurate and from_sums > CANCELLATION * squares
    return inertia, n_moved, accurate
