"""Right answers to the exercises of lesson 8, and typical mistakes."""

import numpy as np


def chunk_sums(X, labels, n_clusters, chunk):
    which = np.eye(n_clusters)[labels]  # (N, K)
    return np.array([which[m:m + chunk].T @ X[m:m + chunk] for m in range(0, len(X), chunk)])


def scores(X, centers):
    return -(X @ centers.T - 0.5 * np.einsum("kd,kd->k", centers, centers))


def labels_across(across, centers):
    return np.argmin([((across.T - center) ** 2).sum(axis=1) for center in centers], axis=0)


def can_stay(upper, lower, labels, moved):
    return lower - upper > moved[labels] + max(moved)


RIGHT = (chunk_sums, scores, labels_across, can_stay)
MISTAKES = [  # exercise, answer, what the line says
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk)[:len(X) // chunk], "its shape is"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk).sum(axis=0), "its shape is"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk) / chunk, "wrong|by the factor"),
    ("scores", lambda X, centers: (centers**2).sum(axis=1) - X @ centers.T, r"scores: \d+ of \d+ .*wrong"),
    ("scores", lambda X, centers: -scores(X, centers), ".*every entry has the wrong sign"),
    ("scores", lambda X, centers: 2 * scores(X, centers), ".*every entry is off by the factor 2"),
    ("scores", lambda X, centers: scores(X, centers).T, "its shape is .*: it is transposed"),
    ("labels_across", lambda across, centers: labels_across(across.T, centers), "it raised ValueError|labels has the"),
    ("labels_across", lambda across, centers: np.zeros(across.shape[1], int), "labels: .*wrong, the first at"),
    ("labels_across", lambda across, centers: np.argmin([np.abs(across.T - c)[:, 0] for c in centers], axis=0),
     r"labels: \d+ of \d+ .*wrong, the first at"),
    ("can_stay", lambda upper, lower, labels, moved: upper < lower, r"stays: \d+ of 40 .*wrong.*yours 1, expected 0"),
    ("can_stay", lambda upper, lower, labels, moved: upper + moved[labels] < lower, "stays: .*yours 1, expected 0"),
    ("can_stay", lambda upper, lower, labels, moved: ~can_stay(upper, lower, labels, moved), "stays: .* wrong"),
    ("can_stay", lambda upper, lower, labels, moved: upper + moved < lower, "the shapes .* do not fit"),
]
