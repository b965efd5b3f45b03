"""Right answers to the exercises of lesson 5, and typical mistakes."""

import numpy as np


def assign(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)


def update(X, labels, centers):
    return np.array([X[labels == k].mean(axis=0) if (labels == k).any() else center
                     for k, center in enumerate(centers)])


def inertia(X, labels, centers):
    return ((X - centers[labels]) ** 2).sum()


def kmeans(X, centers):
    labels = assign(X, centers)
    while True:
        centers = update(X, labels, centers)
        if np.array_equal(assign(X, centers), labels):
            return labels, centers
        labels = assign(X, centers)


def rounds(X, centers, n):
    for _ in range(n):
        labels = assign(X, centers)
        centers = update(X, labels, centers)
    return labels, centers


def until_they_hardly_move(X, centers, tol):
    while True:
        labels = assign(X, centers)
        before, centers = centers, update(X, labels, centers)
        if np.abs(centers - before).max() < tol:
            return labels, centers


def next_center(X, centers):
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
    return nearest / nearest.sum()


def lean_step(X, centers):
    labels = ((centers**2).sum(axis=1) - 2 * X @ centers.T).argmin(axis=1)  # (N,)
    members = labels == np.arange(len(centers))[:, None]  # (K, N)
    counts = members.sum(axis=1)[:, None]  # (K, 1)
    return labels, np.where(counts > 0, members @ X / np.maximum(counts, 1), centers)


def with_the_table(X, centers):
    labels = assign(X, centers)
    return labels, update(X, labels, centers)


def with_the_other_sign(X, centers):
    labels = ((X**2).sum(axis=1)[:, None] + (centers**2).sum(axis=1) + 2 * X @ centers.T).argmin(axis=1)
    return labels, update(X, labels, centers)


def point_by_point(X, centers):
    labels = np.array([((x - centers) ** 2).sum(axis=1).argmin() for x in X])
    return labels, update(X, labels, centers)


def until_they_are_close(X, centers):
    while True:
        labels = assign(X, centers)
        before, centers = centers, update(X, labels, centers)
        if np.allclose(before, centers):
            return labels, centers


RIGHT = (assign, update, inertia, kmeans, next_center, lean_step)
MISTAKES = [  # exercise, answer, what the line says
    ("kmeans", lambda X, centers: rounds(X, centers, 300), r"labels: \d+ of 380 are wrong"),
    ("kmeans", until_they_are_close, r"labels: \d+ of 380 are wrong"),
    ("assign", lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2).argmax(axis=1),
     "labels: is that the farthest centre"),
    ("assign", lambda X, centers: len(centers) - assign(X, centers),
     r"labels: \d+ of 1\d are wrong, the first at \[\d\]: yours \d, expected \d$"),
    ("assign", lambda X, centers: ((X - centers) ** 2).sum(axis=1),
     "it raised ValueError.*the shapes .* do not fit"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1),
     "labels: is that the sum of absolute differences"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).max(axis=2).argmin(axis=1),
     "labels: .*wrong.*yours"),
    ("assign", lambda X, centers: (assign(X, centers[::-1]) - len(centers) + 1) * -1, "labels: .* equally near"),
    ("update", lambda X, labels, centers: np.array([X[labels == k].mean(axis=0) for k in range(len(centers))]),
     r"centers: .* not finite, the first at \[0, 0\]; does a cluster have no points\?$"),
    ("update", lambda X, labels, centers: np.array([X[labels == k].sum(axis=0) for k in range(len(centers))]),
     "centers: .* wrong"),
    ("update", lambda X, labels, centers: update(X, labels, centers)[:labels.max() + 1], "its shape is"),
    ("update", lambda X, labels, centers: np.where(np.isin(np.arange(len(centers)), labels)[:, None],
                                                   update(X, labels, centers), np.nan), "no points"),
    ("update", lambda X, labels, centers: update(X, labels, centers).mean(axis=0), "its shape is"),
    ("inertia", lambda X, labels, centers: ((X - centers[labels]) ** 2).mean(), "inertia: add up all squares"),
    ("inertia", lambda X, labels, centers: np.abs(X - centers[labels]).sum(), "inertia: squares, not absolute"),
    ("inertia", lambda X, labels, centers: (X - centers[labels]) ** 2, "it should be a single number"),
    ("kmeans", lambda X, centers: (assign(X, centers), centers), "centres have to move"),
    ("kmeans", lambda X, centers: rounds(X, centers, 25), r"labels: \d+ of 380 are wrong"),
    ("kmeans", lambda X, centers: rounds(X, centers, 3), "kmeans: (labels|centers): .* wrong"),
    ("kmeans", lambda X, centers: until_they_hardly_move(X, centers, 1e-4),
     r"labels: (one round|it stops too early|\d+ of 380 are wrong)"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[1], "it should return labels, centers; it returns one ndarray"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[::-1], "your labels is what centers should be"),
    ("next_center", lambda X, centers: next_center(X, centers) ** 0.5, "probabilities: .* wrong"),
    ("next_center", lambda X, centers: next_center(X, centers) * 2, "probabilities: .* off by the factor 2"),
    ("next_center", lambda X, centers: next_center(X, centers)[:, None], "its shape is"),
    ("lean_step", with_the_other_sign, r"labels: in \|c\|\^2 - 2 x @ c, the product is subtracted"),
    ("lean_step", with_the_table, "right result, but needs .* MB for it; 3.36 are enough"),
    ("lean_step", point_by_point, "right result, but runs .* lines of Python for it: where is the loop"),
    ("lean_step", lambda X, centers: lean_step(X, centers)[1], "it should return labels, centers"),
    ("lean_step", lambda X, centers: (lean_step(X, centers)[0], centers), "centers: .* wrong"),
]
