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


def clusters_by_gap(eigenvalues):
    falls = [before - after for before, after in zip(eigenvalues, eigenvalues[1:])]
    return 1 + falls.index(max(falls))


def in_place(W):
    degrees = W.sum(axis=1)
    W /= np.sqrt(degrees)
    return W / np.sqrt(degrees)[:, None], degrees


def distances(X):
    return np.linalg.norm(X[:, None] - X, axis=2)


RIGHT = (affinities, divide_by_degrees, unit_rows, clusters_by_gap)
MISTAKES = [  # exercise, answer, what the line says
    ("affinities", lambda X, gamma: np.exp(-gamma * distances(X) ** 2),
     r"W: \d+ of \d+ are wrong, worst at \[0, 0\]: yours 1, expected 0"),
    ("affinities", lambda X, gamma: np.exp(-gamma * distances(X)) - np.eye(len(X)),
     r"W: \d+ of \d+ .*wrong"),
    ("affinities", lambda X, gamma: np.exp(-distances(X) ** 2 / gamma) - np.eye(len(X)),
     r"W: \d+ of \d+ .*wrong"),
    ("affinities", lambda X, gamma: np.exp(gamma * distances(X) ** 2) - np.eye(len(X)),
     r"W: \d+ of \d+ .*wrong"),
    ("affinities", lambda X, gamma: -affinities(X, gamma), "W: .*every entry has the wrong sign"),
    ("affinities", lambda X, gamma: np.exp(-gamma * ((X[1:] - X[:-1]) ** 2).sum(axis=1)), "its shape is"),
    ("divide_by_degrees", lambda W: (W / W.sum(axis=1)[:, None], W.sum(axis=1)),
     r"S: .* wrong.*; degrees: right"),
    ("divide_by_degrees", lambda W: (W / np.outer(W.sum(axis=1), W.sum(axis=1)), W.sum(axis=1)),
     r"S: .* wrong.*; degrees: right"),
    ("divide_by_degrees", lambda W: (divide_by_degrees(W)[0], (W > 0).sum(axis=1)),
     r"degrees: \d+ of \d+ .*wrong.*; S: right"),
    ("divide_by_degrees", lambda W: (np.eye(len(W)) - divide_by_degrees(W)[0], W.sum(axis=1)),
     r"S: .* wrong.*; degrees: right"),
    ("divide_by_degrees", lambda W: divide_by_degrees(W)[::-1], "your S is what degrees should be"),
    ("divide_by_degrees", lambda W: divide_by_degrees(W)[0], "it should return S, degrees; it returns one ndarray"),
    ("divide_by_degrees", in_place, "it changes its input W"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=1, keepdims=True),
     r"Y: \d+ of \d+ are not finite.*; does a row have the length 0\?$"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=0), r"Y: \d+ of \d+ .*wrong"),
    ("unit_rows", lambda V: V / np.linalg.norm(V, axis=1), "it raised ValueError.*the shapes .* do not fit"),
    ("unit_rows", lambda V: V / (V**2).sum(axis=1, keepdims=True), r"Y: \d+ of \d+ .*wrong"),
    ("unit_rows", lambda V: V / V.sum(axis=1, keepdims=True), r"Y: \d+ of \d+ .*wrong"),
    ("unit_rows", lambda V: V / np.abs(V).max(axis=1, keepdims=True), r"Y: \d+ of \d+ .*wrong"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(eigenvalues[:-1] - eigenvalues[1:]),
     r"k: yours \d, expected \d"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(np.diff(eigenvalues)) + 1, r"k: yours \d, expected \d"),
    ("clusters_by_gap", lambda eigenvalues: np.sum(eigenvalues > 0.9), r"k: yours \d, expected \d"),
    ("clusters_by_gap", lambda eigenvalues: np.argmax(eigenvalues[:-1] / eigenvalues[1:]) + 1,
     r"k: yours \d, expected \d"),
    ("clusters_by_gap", lambda eigenvalues: np.max(eigenvalues[:-1] - eigenvalues[1:]),
     "k: it should be integers; yours is numbers"),
]
