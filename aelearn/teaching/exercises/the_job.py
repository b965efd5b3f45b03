"""The exercises of lesson 1. Shapes: N images, D pixels."""

import numpy as np

from aelearn import metrics
from aelearn.teaching.exercises.exercise import Exercise, sizes


def _image_and_images(rng):
    """Random images; and two where another measure of distance would choose another one."""
    n, d = sizes(rng, 2, low=3, high=8)
    return [{"image": rng.random(d), "images": rng.random((n, d))},
            {"image": np.zeros(2), "images": np.array([[5.0, 0], [3, 3]])},
            {"image": np.zeros(2), "images": np.array([[4.0, 0], [3, 3]])}]


def _nearest(image, images):
    return int(((images - image) ** 2).sum(axis=1).argmin())


def _digits_and_clusters(rng):
    """Clusters that mostly agree with the digits, under either matching."""
    digits = rng.integers(0, 2, 17)
    clusters = np.where(rng.random(17) < 0.2, 1 - digits, digits)
    clusters[0], clusters[1] = 1 - digits[0], digits[1]
    return [{"digits": digits, "clusters": clusters}, {"digits": digits, "clusters": 1 - clusters}]


def _images_and_order(rng):
    n, d = sizes(rng, 2, low=3)
    ring, order = rng.permutation(n), np.zeros(n, int)  # (N,), (N,)
    order[ring] = np.roll(ring, 1)  # a cycle of three or more: its inverse is another order
    return {"images": rng.random((n, d)), "labels": rng.permutation(n) + 10, "order": order}


EXERCISES = {
    "nearest": Exercise(_image_and_images, ("number",), answer=_nearest),
    "two_way_accuracy": Exercise(_digits_and_clusters, ("accuracy",), answer=metrics.accuracy),
    "shuffled": Exercise(_images_and_order, ("images", "labels"),
                         answer=lambda images, labels, order: (images[order], labels[order])),
}
