"""One pass of k-means over X, as compiled code: labels, bounds, and the sums of each chunk. lloyd.py steers it.

Shapes: N samples, D features, K clusters, B = POINTS places of a block, M chunks.

X is cut into chunks, and a chunk's points go through in blocks. With bounds, points are first collected that may have
a new nearest centre; blocks are made of those alone, so that the arithmetic is as dense as without bounds.
"""

from collections import namedtuple

import numba
import numpy as np

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.distances import POINTS, error_bound, find_two_nearest, new_block

# X (N, D); weight (N,) or, where all weigh the same, (1,); labels (N,) int32; upper, lower (N,) of X's dtype, or (1,).
Points = namedtuple("Points", "X weight labels upper lower")
# exact (K, D) float64; near (K, D) as the frame has them; moved (K,) by how much each moved since the last pass, and
# others (K,) how much the fastest of all others did, both in the frame's unit.
Centers = namedtuple("Centers", "exact near moved others")
# sums (M, K, D) seen from the frame's origin; mass (M, K, 2): weight, and how many points have any; totals (M, 3):
# inertia, Q, and how many labels of points
# that weigh anything changed.
Sums = namedtuple("Sums", "sums mass totals")


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _add_point(x, origin, w, sums):
    for d in range(len(x)):
        sums[d] += w * (np.float64(x[d]) - np.float64(origin[d]))


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _squared_distance(x, center):
    """In float64, from the point as it is: the judge wherever rounding could have a say."""
    total = 0.0
    for d in range(len(x)):
        total += (np.float64(x[d]) - np.float64(center[d])) ** 2
    return total


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _distance_in_frame(x, near, frame):
    total = x.dtype.type(0)
    for d in range(len(x)):
        difference = (x[d] - frame.origin[d]) * frame.scale - near[d]
        total += difference * difference
    return total


@compiled
def _judge(x, exact):
    """The nearest centre, and the squared distances to it and to the second, in float64 and in the order of K."""
    label, best, second = 0, np.inf, np.inf
    for k in range(len(exact)):
        distance = _squared_distance(x, exact[k])
        if distance < best:
            label, best, second = k, distance, best
        elif distance < second:
            second = distance
    return label, best, second


@compiled
def _search(points, centers, frame, rows, n, block, before, doubtful, bounded, sums, mass):
    """Label the points rows[:n] anew and move those that change from sum to sum. Returns how many do."""
    n_moved = 0
    if n == 0:
        return n_moved
    find_two_nearest(points.X, rows, n, centers.near, len(centers.exact), frame, block)
    best, second, label = block.best, block.second, block.label
    for p in range(n):
        before[p] = points.labels[rows[p]]
    n_doubtful = 0
    for p in range(n):  # in a loop of its own, without a branch: so it is vectorised
        doubtful[p] = (not second[p] - best[p] > error_bound(best[p], second[p], frame)) | (label[p] != before[p])
        n_doubtful += doubtful[p]
    if not bounded and n_doubtful == 0:
        return n_moved
    for p in range(n):
        if not (bounded or doubtful[p]):
            continue
        row = rows[p]
        new, old = np.int64(label[p]), np.int64(points.labels[row])
        nearest, next_best = np.float64(best[p]), np.float64(second[p])
        bound = np.float64(error_bound(best[p], second[p], frame))
        if not next_best - nearest > bound:
            new, nearest, next_best = _judge(points.X[row], centers.exact)
            nearest *= np.float64(frame.scale) ** 2
            next_best = min(next_best * np.float64(frame.scale) ** 2, 1e30)
        if bounded:  # (sqrt(s) + e)^2 > s + bound for an e of bound / sqrt(s + bound)
            points.upper[row] = np.sqrt(nearest + 2 * bound) * (1 + 1e-6)
            points.lower[row] = np.sqrt(max(0.0, next_best - 2 * bound)) * (1 - 1e-6)
        if new != old:
            points.labels[row] = new
            w = points.weight[row if len(points.weight) > 1 else 0]
            n_moved += w > 0  # what weighs nothing moves nothing
            if old >= 0:
                x = points.X[row]
                _add_point(x, frame.origin, w, sums[new])
                _add_point(x, frame.origin, -w, sums[old])
                mass[new, 0] += w
                mass[old, 0] -= w
                mass[new, 1] += w > 0
                mass[old, 1] -= w > 0
    return n_moved


@compiled
def _label_chunk(points, centers, frame, start, stop, block, waiting, before, doubtful, bounded, sums, mass):
    """Label the points start..stop-1: all of them or, if bounded, those whose bounds leave it open.

    The bounds are looked at here and not in a function of their own, which would count the references to all these
    arrays at every point, on all cores at once: that was ten times as slow.
    """
    labels, uppers, lowers, moved, others = points.labels, points.upper, points.lower, centers.moved, centers.others
    row, n_moved = start, 0
    while row < stop:
        n = 0
        while row < stop and n < POINTS:
            label, is_open = np.int64(labels[row]), True
            if bounded and label >= 0:
                upper = (uppers[row] + moved[label]) * (1 + 1e-6)  # rounding is on the safe side
                lower = lowers[row] - others[label] * (1 + 1e-6)
                lower -= abs(lower) * 1e-6
                if not upper < lower:  # upper may only have been too high
                    own = _distance_in_frame(points.X[row], centers.near[label], frame)
                    upper = np.sqrt(np.float64(own) + 2 * np.float64(error_bound(own, own, frame))) * (1 + 1e-6)
                uppers[row], lowers[row] = upper, lower
                is_open = not upper < lower
            if is_open:
                waiting[n] = row
                n += 1
            row += 1
        n_moved += _search(points, centers, frame, waiting, n, block, before, doubtful, bounded, sums, mass)
    return n_moved


@compiled(fastmath=SUMS_IN_ANY_ORDER)
def _sum_chunk(points, centers, origin, start, stop, sums, mass, totals):
    """Everything that is summed over points, from the labels: clusters' sums and weights, the inertia and Q."""
    X, weight, labels, exact, inertia, q = points.X, points.weight, points.labels, centers.exact, 0.0, 0.0
    for row in range(start, stop):
        w, label = weight[row if len(weight) > 1 else 0], np.int64(labels[row])
        to_center, to_origin = 0.0, 0.0
        for d in range(X.shape[1]):
            x, zero = np.float64(X[row, d]), np.float64(origin[d])
            sums[label, d] += w * (x - zero)
            to_center += (x - exact[label, d]) ** 2
            to_origin += (x - zero) ** 2
        mass[label, 0] += w
        mass[label, 1] += w > 0
        inertia += w * to_center
        q += w * to_origin
    totals[0], totals[1] = inertia, q


@compiled
def _lane(points, centers, frame, out, chunk, lane, n_lanes, search, bounded, afresh):
    """What one core does: every n_lanes-th chunk, in room of its own."""
    block, waiting = new_block(centers.near, len(centers.exact)), np.zeros(POINTS, np.int64)  # ..., (B,)
    before, doubtful = np.zeros(POINTS, np.int32), np.zeros(POINTS, np.bool_)  # (B,), (B,)
    for m in range(lane, len(out.totals), n_lanes):
        start, stop = m * chunk, min(len(points.labels), (m + 1) * chunk)
        sums, mass, totals = out.sums[m], out.mass[m], out.totals[m]  # (K, D), (K, 2), (3,)
        sums[:], mass[:], totals[:] = 0, 0, 0
        if search:
            totals[2] = _label_chunk(points, centers, frame, start, stop, block, waiting, before, doubtful, bounded,
                                     sums, mass)
        if afresh:
            sums[:], mass[:] = 0, 0
            _sum_chunk(points, centers, frame.origin, start, stop, sums, mass, totals)


@compiled(parallel=True)
def pass_over(points, centers, frame, out, chunk, n_lanes, search, bounded, afresh):
    """One pass over X. search: label the points; afresh: sum over all points, not only over those that changed."""
    for lane in numba.prange(n_lanes):
        _lane(points, centers, frame, out, chunk, np.int64(lane), n_lanes, search, bounded, afresh)
