"""Right answers to the exercises of lesson 8, and typical mistakes."""

import numpy as np


def chunk_sums(X, labels, n_clusters, chunk):
    which = np.eye(n_clusters)[labels]  # (N, K)
    return np.array([which[m:m + chunk].T @ X[m:m + chunk] for m in range(0, len(X), chunk)])


def scores(X, centers):
    return -(X @ centers.T - 0.5 * np.einsum("kd,kd->k", centers, centers))


def labels_across(across, centers):
    best, labels = np.full(across.shape[1], np.inf), np.zeros(across.shape[1], int)  # (N,), (N,)
    for k, center in enumerate(centers):
        distance = ((across - center[:, None]) ** 2).sum(axis=0)  # (N,)
        labels, best = np.where(distance < best, k, labels), np.minimum(distance, best)
    return labels


def with_the_table(across, centers):
    return np.argmin([((across.T - center) ** 2).sum(axis=1) for center in centers], axis=0)


def can_stay(upper, lower, labels, moved):
    return lower - upper > moved[labels] + max(moved)


def one_pass(chunks, centers):
    sums, counts, inertia = np.zeros(centers.shape), np.zeros(len(centers)), 0.0  # (K, D), (K,)
    for X in chunks:
        distances = ((X[:, None] - centers) ** 2).sum(axis=2)  # (B, K)
        R = np.eye(len(centers))[distances.argmin(axis=1)]  # (B, K)
        sums, counts, inertia = sums + R.T @ X, counts + R.sum(axis=0), inertia + distances.min(axis=1).sum()
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centers), inertia


def all_in_a_list(chunks, centers):
    return one_pass([np.concatenate(list(chunks))], centers)


def one_after_the_other(chunks, centers):
    chunks = list(chunks)
    return one_pass(chunks, centers)


def reassign(X, centers, labels, stays):
    new, ask = labels.copy(), np.flatnonzero(~stays)  # (N,), (A,)
    new[ask] = ((X[ask, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    return new


def all_again(X, centers, labels, stays):
    return np.where(stays, labels, (0.5 * (centers**2).sum(axis=1) - X @ centers.T).argmin(axis=1))


def in_place(X, centers, labels, stays):
    labels[~stays] = reassign(X, centers, labels, stays)[~stays]
    return labels


def evenly_split(X, labels, n_clusters, chunk):
    n_chunks = -(-len(X) // chunk)
    return np.stack([np.eye(n_clusters)[part].T @ points for points, part in
                     zip(np.array_split(X, n_chunks), np.array_split(labels, n_chunks))])


def point_by_point(across, centers):
    return np.array([((centers - point) ** 2).sum(axis=1).argmin() for point in across.T])


RIGHT = (chunk_sums, one_pass, scores, labels_across, can_stay, reassign)
MISTAKES = [  # exercise, answer, what the line says
    ("chunk_sums", evenly_split, "are wrong|is wrong"),
    ("labels_across", point_by_point, "runs .* lines of Python for it: where is the loop"),
    ("can_stay", lambda *bounds: ~can_stay(*bounds),
     r"the first at \[0\]: yours (True, expected False|False, expected True)"),
    ("one_pass", lambda chunks, centers: (one_pass(chunks, centers)[0], -1.0),
     r"inertia: yours -1, expected [\d.]+; right: means$"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk)[:len(X) // chunk], "chunk is missing"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk).sum(axis=0), "its shape is"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, k, chunk) / chunk,
     "wrong|by the factor|those are means"),
    ("chunk_sums", lambda X, labels, k, chunk: chunk_sums(X, labels, max(labels) + 1, chunk), "may be absent"),
    ("one_pass", all_in_a_list, "right result, but needs .* MB for it; 0.8 are enough"),
    ("one_pass", one_after_the_other, "right result, but needs .* MB for it; 0.8 are enough"),
    ("one_pass", lambda chunks, centers: one_pass(chunks, centers)[0], "it should return means, inertia"),
    ("one_pass", lambda chunks, centers: (len(chunks), 0), "it raised TypeError"),
    ("one_pass", lambda chunks, centers: one_pass(chunks, centers)[::-1], "look at the order"),
    ("scores", lambda X, centers: (centers**2).sum(axis=1) - X @ centers.T, "halve .*as well"),
    ("scores", lambda X, centers: -scores(X, centers), ".*every entry has the wrong sign"),
    ("scores", lambda X, centers: 3 * scores(X, centers), ".*every entry is off by the factor 3"),
    ("scores", lambda X, centers: scores(X, centers).T, "its shape is .*: it is transposed"),
    ("labels_across", with_the_table, "right result, but needs .* MB for it; 3.2 are enough"),
    ("labels_across", lambda across, centers: labels_across(across.T, centers), "it raised ValueError"),
    ("labels_across", lambda across, centers: np.zeros(across.shape[1], int), "labels: the distance starts at 0"),
    ("labels_across", lambda across, centers: np.argmin([np.abs(across.T - c)[:, 0] for c in centers], axis=0),
     r"labels: \d+ of \d+ .*wrong, the first at"),
    ("can_stay", lambda upper, lower, labels, moved: upper < lower, "stays: both bounds"),
    ("can_stay", lambda upper, lower, labels, moved: upper < lower - moved.max(), r"stays: \d+ of 60 .*wrong"),
    ("can_stay", lambda upper, lower, labels, moved: ~can_stay(upper, lower, labels, moved), "stays: .* wrong"),
    ("can_stay", lambda upper, lower, labels, moved: upper + moved < lower, "the shapes .* do not fit"),
    ("reassign", all_again, "right result, but is only .* times as fast as computing all distances; aim at 10 times"),
    ("reassign", in_place, "it changes its input labels"),
    ("reassign", lambda X, centers, labels, stays: labels * 1, "labels: .* wrong"),
]
