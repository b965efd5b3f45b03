"""Right answers to the exercises of lesson 1, and typical mistakes."""

import numpy as np


def nearest(image, images):
    return np.argmin([np.sum((other - image) ** 2) for other in images])


def two_way_accuracy(digits, clusters):
    return max(np.mean(digits == clusters), np.mean(digits != clusters))


def shuffled(images, labels, order):
    return images[order], labels[order]


RIGHT = (nearest, two_way_accuracy, shuffled)
MISTAKES = [  # exercise, answer, what the line says
    ("nearest", lambda image, images: np.sum((images - image) ** 2, axis=1).argmax(),
     r"number: yours \d, expected \d$"),
    ("nearest", lambda image, images: np.abs(images - image).sum(axis=1).argmin(), r"number: yours \d, expected \d$"),
    ("nearest", lambda image, images: np.abs(images - image).max(axis=1).argmin(), r"number: yours \d, expected \d$"),
    ("nearest", lambda image, images: images[nearest(image, images)], r"its shape is \(\d,\) instead of \(\)"),
    ("two_way_accuracy", lambda digits, clusters: np.mean(digits == clusters), "accuracy: yours"),
    ("two_way_accuracy", lambda digits, clusters: 17 * two_way_accuracy(digits, clusters), "accuracy: yours"),
    ("two_way_accuracy", lambda digits, clusters: digits == clusters, "its shape is"),
    ("shuffled", lambda images, labels, order: (images[order], labels), r"labels: .* wrong.*; images: right"),
    ("shuffled", lambda images, labels, order: images[order], "it should return images, labels; it returns one"),
    ("shuffled", lambda images, labels, order: (images[np.argsort(order)], labels[np.argsort(order)]), "images: "),
    ("shuffled", lambda images, labels, order: (labels[order], images[order]), "your images is what labels should be"),
]
