"""Right answers to the exercises of lesson 6, and typical mistakes."""

import numpy as np


def doubt(codes, centers):
    nearest = np.sort(np.linalg.norm(codes[:, None] - centers, axis=2), axis=1)
    return nearest[:, 0] / nearest[:, 1]


def doubt_in_little_memory(codes, centers):
    parts = [codes[start:start + 100] for start in range(0, len(codes), 100)]
    return np.concatenate([doubt(part, centers) for part in parts])


def count_table(digits, clusters, n_digits, n_clusters):
    return np.array([[np.sum((digits == c) & (clusters == k)) for k in range(n_clusters)] for c in range(n_digits)])


def table_without_a_loop(digits, clusters, n_digits, n_clusters):
    return np.eye(n_digits)[digits].T @ np.eye(n_clusters)[clusters]


def purity_of(table):
    return np.sum(np.max(table, axis=0)) / np.sum(table)


def added_one_by_one(digits, clusters, n_digits, n_clusters):
    table = np.zeros((n_digits, n_clusters))
    for digit, cluster in zip(digits, clusters):
        table[digit, cluster] += 1
    return table


RIGHT = (doubt, doubt_in_little_memory, count_table, table_without_a_loop, purity_of)
MISTAKES = [  # exercise, answer, what the line says
    ("doubt", lambda codes, centers: 1 - doubt(codes, centers), r"doubt: \d+ of \d+ .*wrong"),
    ("doubt", lambda codes, centers: np.sort(np.linalg.norm(codes[:, None] - centers, axis=2), axis=1),
     "its shape is"),
    ("doubt", lambda codes, centers: doubt(codes, centers[:3]), r"doubt: \d+ of \d+ (is|are) wrong"),
    ("doubt", lambda codes, centers: codes[:, None] - centers.T,
     "it raised ValueError.*the shapes .* do not fit|its shape is"),
    ("doubt_in_little_memory", doubt, r"it returns the right result, but needs \d.* MB for it; 4.8 are enough"),
    ("doubt_in_little_memory", lambda codes, centers: doubt(codes[:100], centers) if len(codes) > 100 else
     doubt(codes, centers) / 2, "off by the factor 0.5"),
    ("doubt_in_little_memory", lambda codes, centers: doubt(codes, centers)[:-1], "its shape is"),
    ("count_table", lambda digits, clusters, n_digits, n_clusters: count_table(clusters, digits, n_clusters, n_digits),
     "its shape is .*: it is transposed"),
    ("count_table", lambda digits, clusters, n_digits, n_clusters: np.zeros((n_digits, n_clusters), int),
     "table: it is 0 everywhere"),
    ("count_table", lambda *a: count_table(*a) > 0, "it should be numbers; yours are True or False"),
    ("table_without_a_loop", added_one_by_one, r"runs \d\d,\d\d\d lines of Python for it: where is the loop"),
    ("table_without_a_loop", lambda *a: count_table(*a) + 1, r"table: \d+ of \d+ are wrong"),
    ("table_without_a_loop", lambda digits, clusters, n_digits, n_clusters: np.bincount(digits * n_clusters + clusters),
     "its shape is"),
    ("purity_of", lambda table: table.max(axis=0) / table.sum(axis=0), "it should be a single number"),
    ("purity_of", lambda table: np.trace(table) / table.sum(), "purity: yours"),
    ("purity_of", lambda table: 1 - purity_of(table), "purity: yours"),
]
