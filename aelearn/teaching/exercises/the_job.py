"""The exercises of lesson 1. Shapes: N images, D pixels."""

import numpy as np

from aelearn import metrics
from aelearn.teaching.costs import Memory
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _image_and_images(rng):
    """Two small cases first: in the first one, each wrong measure of distance chooses another image; in the second one,
    three are equally near."""
    n, d = sizes(rng, 2, low=3, high=8)
    image = np.array([1.0, 2, 0, 3])
    images = np.array([[7.0, 0, -6, -4], [10, 5, -3, 1], [10, -8, 7, 1], [-3, 6, -3, -5], [-2, 10, 10, 5],
                       [2, 0, -1, -8], [-3, -1, 9, 2], [-5, -7, -8, 0], [-4, 8, -4, -5]])
    return [{"image": image, "images": images},
            {"image": image, "images": image + np.array([[3, 0, 4, 0], [0, 2, 0, 0], [0, 0, 0, -2], [2, 0, 0, 0]])},
            {"image": rng.random(d), "images": rng.random((n, d))},
            {"image": rng.random(30), "images": rng.random((9, 30))},
            {"image": np.ones(2), "images": np.array([[900.0, 0], [0, 800]])},  # the last one
            {"image": np.ones(2), "images": np.array([[2.0, 0], [0, 3]])}]  # the first one


def _nearest(image, images):
    return int(((images - image) ** 2).sum(axis=1).argmin())


def _digits_and_clusters(rng):
    """Clusters that mostly agree with the digits, under either matching; some in which the first digit does not, and in
    which there are more ones among them; and cases in which both, or one, are all in one group."""
    digits, clusters = np.repeat((0, 1), (12, 5)), np.repeat((0, 1, 0, 1), (10, 2, 1, 4))  # 14 of 17 agree
    mixed = rng.permutation(17)
    mixed = np.roll(mixed, -np.argmax((digits != clusters)[mixed]))  # in the first pair they do not agree
    digits, clusters = digits[mixed], clusters[mixed]
    more_ones = {"digits": np.repeat((0, 1, 0), (2, 4, 4)), "clusters": np.repeat((1, 0), (6, 4))}
    few_ones = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    halves = np.array([0, 1, 0, 1, 1, 0, 1, 0, 0, 0])
    return [{"digits": digits, "clusters": 1 - clusters}, {"digits": digits, "clusters": clusters}, more_ones,
            {"digits": few_ones, "clusters": halves}, {"digits": few_ones, "clusters": 1 - halves},
            {"digits": few_ones, "clusters": few_ones}, {"digits": few_ones, "clusters": 0 * few_ones},
            {"digits": 0 * few_ones, "clusters": halves}, {"digits": np.array([1]), "clusters": np.array([0])}]


def _one_at_a_time(answer, digits, clusters):
    """Call an answer with an iterator of pairs of Python integers."""
    return answer(zip(digits.tolist(), clusters.tolist()))


def _many_pairs(rng):
    digits, clusters = rng.integers(0, 2, (2, 40_000)).tolist()
    return {"pairs": zip(digits, clusters)}


def _agree(pairs):
    n_equal = n = 0
    for digit, cluster in pairs:
        n_equal += digit == cluster
        n += 1
    return n_equal, n


def _better(n_equal, n):
    return max(n_equal, n - n_equal)


def _better_at_each_step(pairs):
    n_right = n_equal = n = 0
    for digit, cluster in pairs:
        n += 1
        n_equal += digit == cluster
        n_right += (digit == cluster) == (n_equal >= n - n_equal)
    return n_right / n


def _first_is_lost(pairs):
    next(pairs)
    n_equal, n = _agree(pairs)
    return _better(n_equal, n) / n


def _images_and_order(rng):
    """Orders that are one cycle: once, twice, backwards and inverted are four different orders of twelve images."""
    n, d = sizes(rng, 2, low=4, high=9)
    return [_shuffle(rng, 12, 5), _shuffle(rng, n, d)]


def _shuffle(rng, n, d):
    ring, order = rng.permutation(n), np.zeros(n, int)  # (N,), (N,)
    order[ring] = np.roll(ring, 1)
    return {"images": rng.random((n, d)), "labels": rng.permutation(n) + 10, "order": order}


EXERCISES = {
    "nearest": Exercise(_image_and_images, ("index",), answer=_nearest, mistakes={
        "that is the farthest image: which of argmin and argmax?":
            lambda image, images: ((images - image) ** 2).sum(axis=1).argmax(),
        "that one has the smallest sum of differences: square them before you add them up":
            lambda image, images: (images - image).sum(axis=1).argmin(),
        "that one has the smallest sum of absolute differences: add up their squares":
            lambda image, images: np.abs(images - image).sum(axis=1).argmin(),
        "that is a place in the whole table (N, D): add up each row first":
            lambda image, images: ((images - image) ** 2).argmin(),
        "that is the number of a column: add up each row instead, over its pixels":
            lambda image, images: ((images - image) ** 2).sum(axis=0).argmin(),
        "of several that are equally near, the first is meant":
            lambda image, images: len(images) - 1 - ((images - image) ** 2).sum(axis=1)[::-1].argmin()}),
    "two_way_accuracy": Exercise(_digits_and_clusters, ("accuracy",), answer=metrics.accuracy, mistakes={
        "cluster 0 may also be digit 1: what is the fraction then?":
            lambda digits, clusters: np.mean(digits == clusters),
        "that is right if cluster 0 is digit 1; it may also be digit 0":
            lambda digits, clusters: np.mean(digits != clusters),
        "that is a number of images: which fraction of all of them is it?":
            lambda digits, clusters: max(np.sum(digits == clusters), np.sum(digits != clusters)),
        "both clusters may not be matched with the same digit":
            lambda digits, clusters: sum(max(np.sum(digits[clusters == k]), np.sum(1 - digits[clusters == k]))
                                         for k in (0, 1)) / len(digits),
        "that is the share of the more frequent digit: where do the clusters come in?":
            lambda digits, clusters: max(np.mean(digits), 1 - np.mean(digits))}),
    "accuracy_in_one_pass": Exercise(
        _digits_and_clusters, ("accuracy",), answer=metrics.accuracy, call=_one_at_a_time, mistakes={
            "cluster 0 may also be digit 1: what is the fraction then?":
                lambda pairs: np.divide(*_agree(pairs)),
            "that is a number of images: which fraction of all of them is it?":
                lambda pairs: _better(*_agree(pairs)),
            "compare the two matchings once, after the last pair, not at every pair": _better_at_each_step,
            "the first pair is missing: does next() take it away?": _first_is_lost,
            "that is always 1: read the pairs in one loop only, and compare the matchings after it": lambda pairs: 1.0},
        costs=(Memory(_many_pairs, lambda pairs: 20_000),)),
    "shuffled": Exercise(
        _images_and_order, ("images", "labels"), answer=lambda images, labels, order: (images[order], labels[order]),
        mistakes={
            "still in the old order: both arrays need the new one": lambda images, labels, order: (images, labels),
            "that is the inverse order: row n of the result is row order[n]":
                lambda images, labels, order: (images[np.argsort(order)], labels[np.argsort(order)]),
            "that is the order applied twice":
                lambda images, labels, order: (images[order][order], labels[order][order]),
            "that is the order backwards":
                lambda images, labels, order: (images[order[::-1]], labels[order[::-1]])}),
}
