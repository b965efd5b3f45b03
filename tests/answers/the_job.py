"""Right answers to the exercises of lesson 1, and typical mistakes."""

import numpy as np


def nearest(image, images):
    return np.argmin([np.sum((other - image) ** 2) for other in images])


def two_way_accuracy(digits, clusters):
    return max(np.mean(digits == clusters), np.mean(digits != clusters))


def accuracy_in_one_pass(pairs):
    counts = [0, 0]
    for digit, cluster in pairs:
        counts[digit == cluster] += 1
    return max(counts) / sum(counts)


def shuffled(images, labels, order):
    return images[order], labels[order]


def matched_by_the_first(digits, clusters):
    return np.mean(digits == (clusters if digits[0] == clusters[0] else 1 - clusters))


def matched_by_size(digits, clusters):
    return np.mean(digits == (clusters if (digits.mean() < 0.5) == (clusters.mean() < 0.5) else 1 - clusters))


def counts_one_too_few(pairs):
    n_equal, n = 0, -1
    for digit, cluster in pairs:
        n_equal += digit == cluster
        n += 1
    return max(n_equal, n - n_equal) / max(n, 1)


def prints(digits, clusters):
    print(two_way_accuracy(digits, clusters))


def counted_first(pairs):
    n = sum(1 for pair in pairs)
    n_equal = sum(digit == cluster for digit, cluster in pairs)  # there are none left
    return max(n_equal, n - n_equal) / n


def better_for_each_pair(pairs):
    n = n_right = 0
    for digit, cluster in pairs:
        n += 1
        n_right += max(digit == cluster, digit != cluster)
    return n_right / n


RIGHT = (nearest, two_way_accuracy, accuracy_in_one_pass, shuffled)
MISTAKES = [  # exercise, answer, what the line says
    ("accuracy_in_one_pass", counts_one_too_few, "accuracy: yours 0.812, expected 0.824$"),
    ("two_way_accuracy", prints, r"it prints, but returns nothing.*: what follows `return` is the result$"),
    ("two_way_accuracy", lambda digits, clusters: two_way_accuracy(digits, clusters) * len(digits) // len(digits),
     "accuracy: yours 0, expected 0.824$"),
    ("accuracy_in_one_pass", lambda pairs: 2 * accuracy_in_one_pass(pairs), "it is off by the factor 2$"),
    ("nearest", lambda image, images: images[nearest(image, images)],
     r"it should be a single number; yours has the shape \(\d,\)"),
    ("nearest", lambda image, images: ((images - image) ** 2).argmin(), "add up each row first"),
    ("nearest", lambda image, images: ((images - image) ** 2).sum(axis=1).min(), "it should be an integer; yours is"),
    ("nearest", lambda image, images: (images @ image).argmax(), r"index: yours \d, expected 1$"),
    ("nearest", lambda image, images: np.abs(images - image).max(axis=1).argmin(), r"index: yours \d, expected 1$"),
    ("nearest", lambda image, images: np.argsort(((images - image) ** 2).sum(axis=1))[1], "yours 3, expected 1$"),
    ("nearest", lambda image, images: 1 + nearest(image, images[1:]), "index: "),
    ("two_way_accuracy", matched_by_the_first, "may also be digit"),
    ("two_way_accuracy", matched_by_size, "may also be digit"),
    ("two_way_accuracy", lambda digits, clusters: 100 * two_way_accuracy(digits, clusters), "accuracy: yours"),
    ("two_way_accuracy", lambda digits, clusters: digits == clusters, "it should be a single number"),
    ("two_way_accuracy", lambda digits, clusters: round(two_way_accuracy(digits, clusters), 2), "accuracy: yours"),
    ("accuracy_in_one_pass", lambda pairs: accuracy_in_one_pass(iter(list(pairs))), r"needs \d.* MB for it; 0.02 are"),
    ("accuracy_in_one_pass", lambda pairs: sum(d == c for d, c in pairs) / sum(1 for pair in pairs),
     "it raised ZeroDivisionError"),
    ("accuracy_in_one_pass", counted_first, "always 1: read the pairs in one loop only"),
    ("accuracy_in_one_pass", better_for_each_pair, "compare the matchings after it"),
    ("accuracy_in_one_pass", lambda pairs: accuracy_in_one_pass(pairs) / len(pairs), "it raised TypeError"),
    ("shuffled", lambda images, labels, order: (labels[order], images[order]), "your images is what labels should be"),
    ("shuffled", lambda images, labels, order: images[order], "it should return images, labels; it returns one"),
    ("shuffled", lambda images, labels, order: (images[order], labels), "labels: still in the old order"),
    ("shuffled", lambda images, labels, order: (images[np.argsort(labels)], labels[order]), "images: .*right: labels"),
    ("shuffled", lambda images, labels, order: (images[order], labels[order] * 1.0), "labels: it should be integers"),
]
