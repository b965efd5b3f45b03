"""Right answers to the exercises of lesson 6, and typical mistakes."""

import numpy as np


def doubt(codes, centers):
    nearest = np.sort(np.linalg.norm(codes[:, None] - centers, axis=2), axis=1)
    return nearest[:, 0] / nearest[:, 1]


def count_table(digits, clusters, n_digits, n_clusters):
    return np.array([[np.sum((digits == c) & (clusters == k)) for k in range(n_clusters)] for c in range(n_digits)])


def purity_of(table):
    return np.sum(np.max(table, axis=0)) / np.sum(table)


def overwritten(digits, clusters, n_digits, n_clusters):
    table = np.zeros((n_digits, n_clusters), int)
    table[digits, clusters] += 1
    return table


RIGHT = (doubt, count_table, purity_of)
MISTAKES = [  # exercise, answer, what the line says
    ("doubt", lambda codes, centers: doubt(codes, centers) ** 2, r"doubt: \d+ of \d+ .*wrong"),
    ("doubt", lambda codes, centers: 1 / doubt(codes, centers), r"doubt: \d+ of \d+ .*wrong"),
    ("doubt", lambda codes, centers: np.sort(np.linalg.norm(codes[:, None] - centers, axis=2), axis=1),
     "its shape is"),
    ("doubt", lambda codes, centers: codes - centers, "it raised ValueError.*the shapes .* do not fit"),
    ("count_table", overwritten, r"table: \d+ of \d+ .*wrong, the first at .*: yours 1, expected \d"),
    ("count_table", lambda digits, clusters, n_digits, n_clusters: count_table(clusters, digits, n_clusters, n_digits),
     "its shape is .*: it is transposed"),
    ("count_table", lambda digits, clusters, n_digits, n_clusters: np.zeros((n_digits, n_clusters), int), "table: .*"),
    ("purity_of", lambda table: table.max(axis=1).sum() / table.sum(), "purity: yours"),
    ("purity_of", lambda table: table.max(axis=0).sum(), "purity: yours"),
    ("purity_of", lambda table: table.max(axis=0) / table.sum(axis=0), "its shape is"),
    ("purity_of", lambda table: table.max() / table.sum(), "purity: yours"),
]
