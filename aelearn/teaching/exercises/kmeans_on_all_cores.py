"""The exercises of lesson 8. Shapes: N points, D features, K clusters, M chunks.

As in lesson 5, random inputs are drawn again until the typical mistakes show on them, and until rounding decides
nothing; exact ties are inputs of their own.
"""

import numpy as np

from aelearn.kmeans import lloyd
from aelearn.teaching.costs import Faster, Memory, NoLoop
from aelearn.teaching.exercises.exercise import Exercise, sizes
from aelearn.teaching.exercises.kmeans_by_hand import COPIES, TIES, last_of_equals, points_and_centers, table, telling


def _nearest(X, centers):
    return lloyd.assign(X, centers)[0]


def _points_and_chunk(rng):
    """Chunks that do not divide N evenly, with one point in the last, that do, of one point, and one larger than N.

    The last label is absent, so that the labels alone do not tell how many clusters there are.
    """
    n, d, k = sizes(rng, 3, low=3)
    points = {"X": rng.normal(size=(3 * n, d)) + 1, "labels": rng.integers(0, k - 1, 3 * n), "n_clusters": k}
    return [{**points, "chunk": chunk} for chunk in (n - 1, 3 * n - 1, n, 1, 5 * n)]


def _chunk_sums(X, labels, n_clusters, chunk):
    parts = [slice(start, start + chunk) for start in range(0, len(X), chunk)]
    return np.array([[X[part][labels[part] == k].sum(axis=0) for k in range(n_clusters)] for part in parts])


def _last_point_only(X, labels, n_clusters, chunk):
    sums = np.zeros((-(-len(X) // chunk), n_clusters, X.shape[1]))  # (M, K, D)
    sums[np.arange(len(X)) // chunk, labels] += X
    return sums


def _chunk_counts(X, labels, n_clusters, chunk):
    return _chunk_sums(np.ones((len(X), 1)), labels, n_clusters, chunk)  # (M, K, 1)


WRONG_SUMS = {
    "array[indices] += adds only one point where an index occurs twice: loop, or np.add.at": _last_point_only,
    "the last labels may be absent: n_clusters says how many clusters there are":
        lambda X, labels, n_clusters, chunk: _chunk_sums(X, labels, labels.max() + 1, chunk),
    "the last chunk is missing: it may be smaller than the others":
        lambda X, labels, n_clusters, chunk: _chunk_sums(X, labels, n_clusters, chunk)[:len(X) // chunk],
    "chunk is the number of points in a chunk, not the number of chunks":
        lambda X, labels, n_clusters, chunk: _chunk_sums(X, labels, n_clusters, -(-len(X) // chunk)),
    "those are means: the sums are wanted": lambda X, labels, n_clusters, chunk: _chunk_sums(
        X, labels, n_clusters, chunk) / np.maximum(_chunk_counts(X, labels, n_clusters, chunk), 1),
    "each chunk's sums start at 0: yours go on from the chunk before":
        lambda X, labels, n_clusters, chunk: _chunk_sums(X, labels, n_clusters, chunk).cumsum(axis=0),
}


def _to_pass_once(rng):
    """Points in chunks of different sizes; the first centre, or the last one, is nearest to no point."""
    inputs = telling(rng, points_and_centers, _nearest, [])
    X, centers = inputs.values()
    far = np.full((1, X.shape[1]), 60.0)
    return [{"X": X, "centers": np.concatenate(both), "chunk": chunk}
            for both, chunk in (((far, centers), 4), ((centers, -far), 7), ((far, centers), len(X)))]


def _in_chunks(answer, X, centers, chunk):
    """What the answer returns for an iterator over the chunks of X."""
    return answer((X[start:start + chunk] for start in range(0, len(X), chunk)), centers)


def _means_and_inertia(X, centers, chunk=None):
    labels, inertia = lloyd.assign(X, centers)
    return lloyd.update(X, centers, None, labels)[0], inertia


def _whole(chunks, centers):
    return _means_and_inertia(np.concatenate(list(chunks)), centers)


def _mean_of_means(chunks, centers):
    means, inertias = zip(*(_means_and_inertia(chunk, centers) for chunk in chunks))
    return np.mean(means, axis=0), sum(inertias)


def _moved_to_zero(chunks, centers):
    X = np.concatenate(list(chunks))
    has_points = np.isin(np.arange(len(centers)), _nearest(X, centers))[:, None]  # (K, 1)
    return np.where(has_points, _whole([X], centers)[0], 0), _whole([X], centers)[1]


def _inertia_after(chunks, centers):
    X = np.concatenate(list(chunks))
    means = _whole([X], centers)[0]
    return means, lloyd.inertia_of(X, means, None, _nearest(X, centers))


def _last_chunk_only(chunks, centers):
    return _means_and_inertia(list(chunks)[-1], centers)


def _many_chunks(rng):
    return {"chunks": (rng.normal(size=(200, 20)) for _ in range(100)), "centers": rng.normal(size=(5, 20))}


def _to_score(rng):
    n, d, k = sizes(rng, 3)
    return {"X": rng.normal(size=(10 + n, d)) + 1, "centers": rng.normal(size=(k, d)) + 1}


def _scores(X, centers):
    return (centers**2).sum(axis=1) / 2 - X @ centers.T


def _across_and_centers(rng):
    """Points as columns: random ones, and two times exact ties."""
    mistakes = [lambda X, centers, wrong=wrong: wrong(X.T, centers) for wrong in WRONG_ACROSS.values()]
    first_feature = lambda X, centers: table(X[:, :1], centers[:, :1]).argmin(axis=1)  # noqa: E731
    inputs = telling(rng, points_and_centers, _nearest, [*mistakes[:-1], first_feature])
    return [{"across": np.ascontiguousarray(points["X"].T), "centers": points["centers"]}
            for points in (inputs, TIES, COPIES)]


WRONG_ACROSS = {
    "remember the smallest distance so far, not only its label":
        lambda across, centers: np.full(across.shape[1], len(centers) - 1),
    "the distance starts at 0 for each centre": lambda across, centers: np.zeros(across.shape[1], int),
    "is that the farthest centre? Each point goes to its nearest":
        lambda across, centers: table(across.T, centers).argmax(axis=1),
    "is that the sum of absolute differences? It has another nearest centre than the squares":
        lambda across, centers: np.abs(across.T[:, None] - centers).sum(axis=2).argmin(axis=1),
    "labels are indices of centres, and indices start at 0":
        lambda across, centers: _nearest(across.T, centers) + 1,
    "of centres that are equally near, take the one with the lowest index":  # is right without ties
        lambda across, centers: last_of_equals(across.T, centers),
}


def _stays(upper, lower, labels, moved):
    return upper + moved[labels] < lower - moved.max()


def _others_max(labels, moved):
    """The largest move of another centre than the point's own: (N,)."""
    return np.array([np.delete(moved, label).max() for label in labels])


WRONG_STAYS = {
    "both bounds must be loosened first: the centres have moved":
        lambda upper, lower, labels, moved: upper < lower,
    "lower must be loosened too: by the largest distance that any centre moved":
        lambda upper, lower, labels, moved: upper + moved[labels] < lower,
    "upper grows by as much as the point's own centre moved, not by the largest move":
        lambda upper, lower, labels, moved: upper + moved.max() < lower - moved.max(),
    "lower shrinks by the largest move of any centre, not by that of the point's own":
        lambda upper, lower, labels, moved: upper + moved[labels] < lower - moved[labels],
    "sharper, and true as well: but here the largest move of all centres counts, the own one too":
        lambda upper, lower, labels, moved: upper + moved[labels] < lower - _others_max(labels, moved),
    "where the bounds are equal, another centre may be as near: the point needs its distances":
        lambda upper, lower, labels, moved: upper + moved[labels] <= lower - moved.max(),
}


def _bounds(rng):
    """Bounds on which all mistakes differ; those of every tenth point become equal. All are multiples of 1/64, so that
    nothing is rounded."""
    only_lower = lambda upper, lower, labels, moved: upper < lower - moved.max()  # noqa: E731
    answers = [_stays, only_lower, *WRONG_STAYS.values()]
    while True:
        n, k = 60, *sizes(rng, 1, low=3)
        upper, moved, labels = rng.integers(64, 192, n) / 64, rng.integers(0, 40, k) / 64, rng.integers(0, k, n)
        lower = upper + rng.integers(-32, 96, n) / 64
        lower[::10] = (upper + moved[labels] + moved.max())[::10]
        inputs = {"upper": upper, "lower": lower, "labels": labels, "moved": moved}
        if len({answer(*inputs.values()).tobytes() for answer in answers}) == len(answers):
            return inputs


def _to_reassign(rng):
    """Some points stay, whatever their label; then all of them, none of them, and exact ties."""
    def drawn(rng):
        points = points_and_centers(rng)
        n, k = len(points["X"]), len(points["centers"])
        return {**points, "labels": rng.integers(0, k, n), "stays": rng.permutation(np.arange(n) % 2 == 0)}

    mistakes = [wrong for wrong in WRONG_REASSIGNED.values() if wrong is not _reassigned_to_last]
    some = telling(rng, drawn, _reassigned, mistakes)
    ties = [{**points, "labels": np.zeros(len(points["X"]), int), "stays": np.zeros(len(points["X"]), bool)}
            for points in (TIES, COPIES)]
    return [some, {**some, "stays": some["stays"] | True}, {**some, "stays": some["stays"] & False}, *ties]


def _reassigned(X, centers, labels, stays):
    return np.where(stays, labels, _nearest(X, centers))


def _reassigned_to_last(X, centers, labels, stays):
    return np.where(stays, labels, last_of_equals(X, centers))


WRONG_REASSIGNED = {
    "points that stay keep the label they have, whatever it is":
        lambda X, centers, labels, stays: _nearest(X, centers),
    "True means that a point stays: the others need a new label":
        lambda X, centers, labels, stays: _reassigned(X, centers, labels, ~stays),
    "return the labels of all points, not only the new ones":
        lambda X, centers, labels, stays: _nearest(X, centers)[~stays],
    "is that the farthest centre? Each point goes to its nearest":
        lambda X, centers, labels, stays: np.where(stays, labels, table(X, centers).argmax(axis=1)),
    "of centres that are equally near, take the one with the lowest index": _reassigned_to_last,
}


def _few_ask(rng):
    """One point in a thousand asks. There are so many centres that a look at each point, in a loop, takes far less time
    than all its distances: what is told to be slow computes them."""
    X, centers = rng.normal(size=(2000, 2)), rng.normal(size=(500, 2))
    return {"X": X, "centers": centers, "labels": rng.integers(0, 500, 2000), "stays": np.arange(2000) % 1000 != 7}


def _all_scores(X, centers, labels, stays):
    return np.where(stays, labels, _scores(X, centers).argmin(axis=1))


EXERCISES = {
    "chunk_sums": Exercise(_points_and_chunk, ("sums",), answer=_chunk_sums, mistakes=WRONG_SUMS),
    "one_pass": Exercise(_to_pass_once, ("means", "inertia"), answer=_means_and_inertia, call=_in_chunks, mistakes={
        "chunks can be read only once: what needs each chunk belongs into one loop":
            lambda chunks, centers: (_whole(chunks, centers)[0], 0.0),
        "the mean of the chunks' means is another one: add up sums and counts, divide at the end": _mean_of_means,
        "add up over all chunks: yours has only the last one": _last_chunk_only,
        "a centre without points stays where it is; yours moves to 0": _moved_to_zero,
        "the inertia is that of the given centres, not of the means": _inertia_after},
        blank="does a cluster have no points?",
        costs=(Memory(_many_chunks, lambda chunks, centers: 8e5),)),  # of 3.2 MB in all chunks
    "scores": Exercise(_to_score, ("scores",), answer=_scores, mistakes={
        "halve |c|^2 as well": lambda X, centers: (centers**2).sum(axis=1) - X @ centers.T,
        "that is twice the score: halve all of it": lambda X, centers: 2 * _scores(X, centers),
        "leave |x|^2 out: it is the same for all centres": lambda X, centers: table(X, centers) / 2,
        "subtract the products x . c, do not add them": lambda X, centers: (centers**2).sum(axis=1) / 2 + X @ centers.T,
        "the first term is half of |c|^2, not of |c|":
            lambda X, centers: np.sqrt((centers**2).sum(axis=1)) / 2 - X @ centers.T}),
    "labels_across": Exercise(_across_and_centers, ("labels",),
                              answer=lambda across, centers: _nearest(across.T, centers), mistakes=WRONG_ACROSS,
                              costs=(Memory(lambda rng: {"across": rng.normal(size=(3, 20000)),
                                                         "centers": rng.normal(size=(200, 3))},
                                            lambda across, centers: 160 * across.shape[1]),  # a table of bytes: 200
                                     NoLoop(lambda rng: {"across": rng.normal(size=(3, 5000)),
                                                         "centers": rng.normal(size=(4, 3))}, 1500))),
    "can_stay": Exercise(_bounds, ("stays",), answer=_stays, mistakes=WRONG_STAYS),
    "reassign": Exercise(_to_reassign, ("labels",), answer=_reassigned, mistakes=WRONG_REASSIGNED,
                         costs=(Faster(_few_ask, _all_scores, "computing all distances", 10),)),
}
