"""Right answers to the exercises of lesson 13, and typical mistakes."""

import numpy as np


def affinities(X, gamma):
    squared = np.array([[np.sum((x - y) ** 2) for y in X] for x in X])
    return np.exp(-gamma * squared) * (1 - np.eye(len(X)))


def divide_by_degrees(W):
    degrees = np.sum(W, axis=0)
    root = np.diag(degrees ** -0.5)
    return root @ W @ root, degrees


def unit_rows(V):
    return np.array([row / np.linalg.norm(row) if row.any() else row for row in V])


def divide_edges(i, j, w, n):
    degrees = np.zeros(n)
    np.add.at(degrees, j, w)
    return w * degrees[i] ** -0.5 * degrees[j] ** -0.5, degrees


def as_a_table(i, j, w, n):
    W = np.zeros((n, n))
    W[i, j] = w
    return divide_by_degrees(W)[0][i, j], W.sum(axis=0)


def overwritten(i, j, w, n):
    degrees = np.zeros(n)
    degrees[i] += w
    return w / np.sqrt(degrees[i] * degrees[j]), degrees


def clusters_by_gap(eigenvalues):
    falls = [before - after for before, after in zip(eigenvalues, eigenvalues[1:])]
    return 1 + falls.index(max(falls))


def in_place(W):
    degrees = W.sum(axis=1)
    W /= np.sqrt(degrees)
    return W / np.sqrt(degrees)[:, None], degrees


def distances(X):
    return np.linalg.norm(X[:, None] - X, axis=2)


RIGHT = (affinities, divide_by_degrees, unit_rows, clusters_by_gap, divide_edges)
MISTAKES = [  # exercise, answer, what the line says
    ("unit_rows", lambda V: np.where((V == 0).any(axis=1, keepdims=True), V, unit_rows(V)), "Y: .* (are|is) wrong"),
    ("affinities", lambda X, gamma: np.exp(-gamma * distances(X) ** 2), "W: the diagonal should be 0"),
    ("affinities", lambda X, gamma: np.exp(-gamma * distances(X)) - np.eye(len(X)), r"W: the formula has the squared"),
    ("affinities", lambda X, gamma: np.exp(-distances(X) ** 2 / gamma) - np.eye(len(X)), "W: gamma multiplies"),
    ("affinities", lambda X, gamma: np.exp(gamma * distances(X) ** 2) - np.eye(len(X)), "W: close points have large"),
    ("affinities", lambda X, gamma: np.exp(-distances(X) ** 2 / (2 * gamma**2)) - np.eye(len(X)),
     r"W: \d+ of \d+ (is|are) wrong"),
    ("affinities", lambda X, gamma: affinities(X[:, :2], gamma), r"W: \d+ of \d+ (is|are) wrong"),
    ("affinities", lambda X, gamma: np.triu(affinities(X, gamma)), r"W: \d+ of \d+ (is|are) wrong"),
    ("affinities", lambda X, gamma: affinities(X, gamma) * (distances(X) > 0), r"W: 2 of \d+ are wrong"),
    ("affinities", lambda X, gamma: affinities(X, gamma) * (affinities(X, gamma) > 1e-4),
     r"W: \d+ of \d+ (is|are) wrong, .*yours 0"),
    ("affinities", lambda X, gamma: np.fill_diagonal(affinities(X, gamma), 0), "it returns nothing"),
    ("affinities", lambda X, gamma: -affinities(X, gamma), "W: .*every entry has the wrong sign"),
    ("affinities", lambda X, gamma: np.exp(-gamma * ((X[1:] - X[:-1]) ** 2).sum(axis=1)), "its shape is"),
    ("divide_by_degrees", lambda W: (W / W.sum(axis=1)[:, None], W.sum(axis=1)),
     "S: an edge has two ends.*; right: degrees"),
    ("divide_by_degrees", lambda W: (W / W.sum(axis=1), W.sum(axis=1)), r"S: .* wrong.*; right: degrees"),
    ("divide_by_degrees", lambda W: (W / np.outer(W.sum(axis=1), W.sum(axis=1)), W.sum(axis=1)),
     "S: divide by the square roots.*; right: degrees"),
    ("divide_by_degrees", lambda W: (divide_by_degrees(W)[0], (W > 0).sum(axis=1)),
     "degrees: a degree is a sum of weights.*; right: S"),
    ("divide_by_degrees", lambda W: (np.eye(len(W)) - divide_by_degrees(W)[0], W.sum(axis=1)),
     "S: S alone is asked for.*; right: degrees"),
    ("divide_by_degrees", lambda W: (divide_by_degrees(W)[0], W.max(axis=1)), r"degrees: .* wrong.*; right: S"),
    ("divide_by_degrees", lambda W: divide_by_degrees(W)[::-1], "your S is what degrees should be"),
    ("divide_by_degrees", lambda W: divide_by_degrees(W)[0], "it should return S, degrees; it returns one ndarray"),
    ("divide_by_degrees", in_place, "it changes its input W"),
    ("divide_edges", overwritten, r"s: degrees\[i\] \+= w adds only one of the weights"),
    ("divide_edges", as_a_table, r"it returns the right result, but needs \S+ MB for it; 3 are enough"),
    ("divide_edges", lambda i, j, w, n: (w / np.sqrt(divide_edges(i, j, w, n)[1][i]), divide_edges(i, j, w, n)[1]),
     r"s: \d+ of \d+ are wrong, .*; right: degrees"),
    ("divide_edges", lambda i, j, w, n: (divide_edges(i, j, w, n)[0], np.bincount(i, w, n + 1)),
     r"degrees: its shape is .*; right: s"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=1, keepdims=True), "Y: a row of zeros has the length 0"),
    ("unit_rows", lambda V: V / (np.linalg.norm(V, axis=1, keepdims=True) + 1e-7), r"Y: \d+ of \d+ (is|are) wrong"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=0), "Y: each row has a length of its own"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=1), "it raised ValueError.*the shapes .* do not fit"),
    ("unit_rows", lambda V: V / (V**2).sum(axis=1, keepdims=True), "Y: a length is the root of the sum"),
    ("unit_rows", lambda V: V / V.sum(axis=1, keepdims=True), r"Y: \d+ of \d+ .*wrong"),
    ("unit_rows", lambda V: V / np.abs(V).max(axis=1, keepdims=True), r"Y: \d+ of \d+ .*wrong"),
    ("unit_rows", lambda V: np.abs(unit_rows(V)), r"Y: .*wrong"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(eigenvalues[:-1] - eigenvalues[1:]),
     "k: the first drop has the index 0"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(np.diff(eigenvalues)) + 1, "k: np.diff is the next one"),
    ("clusters_by_gap", lambda eigenvalues: np.sum(eigenvalues > 0.9), "k: no threshold suits"),
    ("clusters_by_gap", lambda eigenvalues: np.sum(eigenvalues > 0.5), r"k: yours \d, expected \d"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(eigenvalues[1:-1] - eigenvalues[2:]) + 2 if
     len(eigenvalues) > 2 else 1, "k: yours 3, expected 1"),
    ("clusters_by_gap", lambda eigenvalues: np.max(eigenvalues[:-1] - eigenvalues[1:]),
     "k: it should be an integer; yours is a floating-point number"),
]
