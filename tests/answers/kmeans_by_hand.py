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


def next_center(X, centers):
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
    return nearest / nearest.sum()


RIGHT = (assign, update, inertia, kmeans, next_center)
MISTAKES = [  # exercise, answer, what the line says
    ("assign", lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2).argmax(axis=1), "labels: .* wrong"),
    ("assign", lambda X, centers: assign(X, centers) + 1,
     r"labels: .* wrong, the first at \[0\]: yours \d, expected \d$"),
    ("assign", lambda X, centers: ((X - centers) ** 2).sum(axis=1),
     "it raised ValueError.*the shapes .* do not fit"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1), "labels: .*yours"),
    ("assign", lambda X, centers: np.abs(X[:, None] - centers).max(axis=2).argmin(axis=1), "labels: .*yours"),
    ("update", lambda X, labels, centers: np.array([X[labels == k].mean(axis=0) for k in range(len(centers))]),
     r"centers: .* not finite, the first at \[1, 0\]; does a cluster have no points\?$"),
    ("update", lambda X, labels, centers: np.array([X[labels == k].sum(axis=0) for k in range(len(centers))]),
     "centers: .* wrong"),
    ("update", lambda X, labels, centers: update(X, labels, centers).mean(axis=0), "its shape is"),
    ("inertia", lambda X, labels, centers: ((X - centers[labels]) ** 2).mean(), "inertia: yours"),
    ("inertia", lambda X, labels, centers: np.abs(X - centers[labels]).sum(), "inertia: yours"),
    ("inertia", lambda X, labels, centers: (X - centers[labels]) ** 2, "its shape is"),
    ("kmeans", lambda X, centers: (assign(X, centers), centers), "centers"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[1], "it should return labels, centers; it returns one ndarray"),
    ("kmeans", lambda X, centers: kmeans(X, centers)[::-1], "your labels is what centers should be"),
    ("next_center", lambda X, centers: next_center(X, centers) ** 0.5, "probabilities: .* wrong"),
    ("next_center", lambda X, centers: next_center(X, centers) * 2, "probabilities: .* off by the factor 2"),
    ("next_center", lambda X, centers: next_center(X, centers)[:, None], "its shape is"),
]
