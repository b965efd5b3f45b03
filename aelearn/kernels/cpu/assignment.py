"""One pass of k-means over X, as compiled code: labels, bounds, and the sums of each chunk. lloyd.py steers it.

Shapes: N samples, D features, K clusters, K' and D' the next multiples of four, B = POINTS places of a block, M chunks.

X is cut into chunks, and a chunk's points go through in blocks. With bounds, points are first collected that may have
a new nearest centre; blocks are made of those alone, so that the arithmetic is as dense as without bounds.
"""

from collections import namedtuple

import numba
import numpy as np

from aelearn.kernels.cpu.compiling import SUMS_IN_ANY_ORDER, compiled
from aelearn.kernels.cpu.distances import POINTS, Frame, error_bound, find_two_nearest, new_block
from aelearn.kernels.cpu.exact import doubt, is_nearer

CHANGES, EVERYTHING, INERTIA = 0, 1, 2  # what a pass sums: points that change their label; all; no more than inertia
CANCELLATION = 1e-3  # an inertia smaller than that share of Q is summed from the points: its error is a share of Q
DRIFT = 64  # how many times the rounding of fresh sums is allowed in sums that were kept from pass to pass

# X (N, D); weight (N,) or, where all weigh the same, (1,); labels (N,) int32; upper, lower (N,) of X's dtype, or (1,).
Points = namedtuple("Points", "X weight labels upper lower")
# exact (K, D) float64; near (K', D'), half (K',), moved (K,), others (K,): see `put_in_frame`
Centers = namedtuple("Centers", "exact near half moved others")


@compiled(inside=True, fastmath=SUMS_IN_ANY_ORDER)
def squared_distance(x, center):
    """In float64, from the point as it is: the judge wherever rounding could have a say."""
    total = 0.0
    for d in range(len(x)):
        total += (np.float64(x[d]) - np.float64(center[d])) ** 2
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
    """The nearest centre, the lower number if two are exactly as near; and squared distances to it and to the second.

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
def _search(points, centers, frame, rows, n, block, before, doubtful, bounded, sums, mass):
    """Label the points rows[:n] anew and move those that change from sum to sum. Returns how many do."""
    find_two_nearest(points.X, rows, n, centers.near, centers.half, frame, block)
    best, second, label, squares = block.best, block.second, block.label, block.squares
    n_moved, n_doubtful = 0, 0
    for p in range(n):
        before[p] = points.labels[rows[p]]
    for p in range(n):  # in a loop of its own, without a branch: so it is vectorised
        doubtful[p] = (not second[p] - best[p] > error_bound(squares[p], frame)) | (label[p] != before[p])
        n_doubtful += doubtful[p]
    if not bounded and n_doubtful == 0:
        return n_moved
    unit, margin = np.float64(frame.scale) ** 2, doubt(points.X.shape[1])
    for p in range(n):
        if not (bounded or doubtful[p]):
            continue
        row, new, old = rows[p], np.int64(label[p]), np.int64(before[p])
        bound = np.float64(error_bound(squares[p], frame))
        nearest = np.float64(squares[p]) + 2 * np.float64(best[p])
        next_best = np.float64(squares[p]) + 2 * np.float64(second[p])
        if not next_best - nearest > 2 * bound:
            new, nearest, next_best = _judge(points.X[row], centers.exact, margin)
            nearest, next_best = nearest * unit, min(next_best * unit, 1e30)
        if bounded:  # each of the two is wrong by no more than twice the bound
            points.upper[row] = np.sqrt(max(0.0, nearest + 2 * bound)) * (1 + 1e-6)
            points.lower[row] = np.sqrt(max(0.0, next_best - 2 * bound)) * (1 - 1e-6)
        if new != old:
            points.labels[row] = new
            w = points.weight[row if len(points.weight) > 1 else 0]
            n_moved += w > 0  # what weighs nothing moves nothing
            if old >= 0:
                for d in range(points.X.shape[1]):
                    share = w * (np.float64(points.X[row, d]) - np.float64(frame.origin[d]))
                    sums[new, d] += share
                    sums[old, d] -= share
                mass[new, 0] += w
                mass[old, 0] -= w
                mass[new, 1] += w > 0
                mass[old, 1] -= w > 0
    return n_moved


@compiled(inside=True)
def _label_chunk(points, centers, frame, start, stop, block, waiting, before, doubtful, bounded, sums, mass):
    """Label the points start..stop-1: all of them or, if bounded, those whose bounds leave it open.

    The bounds are looked at here and not in a function of their own, which would count the references to all these
    arrays at every point, on all cores at once, and take far longer than the arithmetic.
    """
    labels, uppers, lowers, moved, others = points.labels, points.upper, points.lower, centers.moved, centers.others
    row, n_moved = start, 0
    while row < stop:
        n = 0
        if not bounded:
            n = min(POINTS, stop - row)
            for p in range(n):
                waiting[p] = row + p
            row += n
        while bounded and row < stop and n < POINTS:
            label, is_open = np.int64(labels[row]), True
            if label >= 0:
                # Bounds may be float32: 1e-6 is more than the few roundings of 6e-8 that each of them meets here.
                upper = (uppers[row] + moved[label]) * (1 + 1e-6)
                lower = lowers[row] - others[label] * (1 + 1e-6)
                lower -= abs(lower) * 1e-6
                if not upper < lower:  # upper may only have been too high
                    own = np.float64(_distance_in_frame(points.X[row], centers.near[label], frame))
                    bound = 3 * np.float64(error_bound(own, frame))  # |x|^2 <= 2 own + 2 |c|^2
                    upper = np.sqrt(own + 2 * bound) * (1 + 1e-6)
                uppers[row], lowers[row] = upper, lower
                is_open = not upper < lower
            if is_open:
                waiting[n] = row
                n += 1
            row += 1
        if n:
            n_moved += _search(points, centers, frame, waiting, n, block, before, doubtful, bounded, sums, mass)
    return n_moved


@compiled(inside=True)
def _sum_chunk(points, centers, origin, start, stop, sums, mass, totals):
    """Everything that is summed over points, from the labels: clusters' sums and weights, the inertia and Q."""
    X, weight, labels, exact, inertia, q = points.X, points.weight, points.labels, centers.exact, 0.0, 0.0
    for row in range(start, stop):
        w, label = weight[row if len(weight) > 1 else 0], np.int64(labels[row])
        to_origin = 0.0
        for d in range(X.shape[1]):
            x = np.float64(X[row, d]) - np.float64(origin[d])
            sums[label, d] += w * x
            to_origin += x * x
        mass[label, 0] += w
        mass[label, 1] += w > 0
        q += w * to_origin
    totals[1] = q


@compiled(inside=True)
def _lane(X, weight, labels, upper, lower, exact, near, half, moved, others, origin, scalars, sums, mass, totals, chunk,
          lane, n_lanes, search, bounded, summed):
    """What one core does: every n_lanes-th chunk, in room of its own."""
    dtype = near.dtype
    points, centers = Points(X, weight, labels, upper, lower), Centers(exact, near, half, moved, others)
    frame = Frame(origin, dtype.type(scalars[0]), scalars[1] != 0, dtype.type(scalars[2]), dtype.type(scalars[3]))
    block, waiting = new_block(near, len(half)), np.zeros(POINTS, np.int64)  # ..., (B,)
    before, doubtful = np.empty(POINTS, np.int32), np.empty(POINTS, np.bool_)  # (B,), (B,)
    for m in range(lane, len(totals), n_lanes):
        start, stop, total = m * chunk, min(len(labels), (m + 1) * chunk), totals[m]
        for again in range(2):
            if again and summed != EVERYTHING:
                break
            for k in range(len(exact)):
                for d in range(exact.shape[1]):
                    sums[m, k, d] = 0
                mass[m, k, 0] = mass[m, k, 1] = 0
            if again:
                _sum_chunk(points, centers, origin, start, stop, sums[m], mass[m], total)
            elif search:
                total[2] = _label_chunk(points, centers, frame, start, stop, block, waiting, before, doubtful, bounded,
                                        sums[m], mass[m])
        if summed != CHANGES:
            inertia = 0.0
            for row in range(start, stop):
                inertia += weight[row if len(weight) > 1 else 0] * squared_distance(X[row], exact[labels[row]])
            total[0] = inertia


@compiled(parallel=True, work=lambda X, weight, labels, upper, lower, exact, *others: len(X) * (exact.size + 64))
def pass_over(X, weight, labels, upper, lower, exact, near, half, moved, others, origin, scalars, sums, mass, totals,
              chunk, n_lanes, search, bounded, summed):
    """One pass over X. search: label the points; summed: CHANGES, EVERYTHING or INERTIA.

    The arrays come one by one, though they belong together as Points, Centers and Frame: at each call Numba looks at
    the type of each argument, and that takes longer for arrays in tuples than for arrays. scalars (4,): the frame's
    scale, whether it is plain, relative and absolute. sums (M, K, D) are seen from the frame's origin; mass (M, K, 2):
    weight, and how many points have any; totals (M, 3): inertia, Q, and how many labels of points that weigh anything
    changed.
    """
    for lane in numba.prange(n_lanes):
        _lane(X, weight, labels, upper, lower, exact, near, half, moved, others, origin, scalars, sums, mass, totals,
              chunk, np.int64(lane), n_lanes, search, bounded, summed)


@compiled
def add_up(sums, mass, totals, exact, origin, age, all_sums, all_mass, peak, means):
    """Add the chunks up in their order, onto the sums of the last pass or afresh, and take the means.

    all_sums (K, D), all_mass (K, 2) and peak (K + 1,), each cluster's largest weight so far and, last, Q, are kept
    from pass to pass and changed in place; means (K, D) is filled. age: passes since they were summed afresh, 0 for
    now. Returns the inertia, how many labels changed, and whether enough digits are left.

    With B points in a chunk and u the unit roundoff, a pass adds at most M + B numbers to a sum: its rounding is at
    most (M + B) u times the cluster's largest weight and the points' distance from the origin. That adds up over `age`
    passes, while fresh sums would be wrong by (M + B) u times the present weight. So too few digits are left where
    age times the largest weight is more than DRIFT times the present one, as where a heavy point has left; and
    where the inertia is a small difference of large numbers.
    """
    n_clusters, n_features = exact.shape
    inertia, q, n_moved, accurate = 0.0, peak[n_clusters], 0, True
    if age == 0:
        q = 0.0
        for k in range(n_clusters):
            all_mass[k, 0] = all_mass[k, 1] = peak[k] = 0
            for d in range(n_features):
                all_sums[k, d] = 0
    for m in range(len(totals)):
        inertia += totals[m, 0]
        n_moved += np.int64(totals[m, 2])
        if age == 0:
            q += totals[m, 1]
        for k in range(n_clusters):
            all_mass[k, 0] += mass[m, k, 0]
            all_mass[k, 1] += mass[m, k, 1]
            for d in range(n_features):
                all_sums[k, d] += sums[m, k, d]
    from_sums = q  # the inertia
    for k in range(n_clusters):
        w, is_empty = all_mass[k, 0], all_mass[k, 1] == 0
        peak[k] = max(peak[k], w)
        accurate = accurate and (is_empty or DRIFT * w >= age * peak[k])
        if is_empty:
            w = all_mass[k, 0] = 0.0
        for d in range(n_features):
            if is_empty:
                all_sums[k, d] = 0
            seen = exact[k, d] - origin[d]
            from_sums += (w * seen - 2 * all_sums[k, d]) * seen
            means[k, d] = exact[k, d] if is_empty else origin[d] + all_sums[k, d] / w
    peak[n_clusters] = q
    if age > 0:
        inertia, accurate = from_sums, accurate and from_sums > CANCELLATION * q
    return inertia, n_moved, accurate
