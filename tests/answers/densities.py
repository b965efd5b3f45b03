"""Right answers to the exercises of lesson 12, and typical mistakes."""

import numpy as np


def kernel_estimate(points, x, h):
    return np.array([sum(np.exp(-0.5 * ((place - point) / h) ** 2) for point in points) for place in x]) / (
        len(points) * h * np.sqrt(2 * np.pi))


def logarithms(x, weights, means, variances):
    return np.log(weights) - 0.5 * np.log(2 * np.pi * variances) - 0.5 * (x[:, None] - means) ** 2 / variances


def responsibilities(x, weights, means, variances):
    a = logarithms(x, weights, means, variances)
    return np.exp(a - np.logaddexp.reduce(a, axis=1, keepdims=True))


def naive(x, weights, means, variances):
    joint = np.exp(logarithms(x, weights, means, variances))
    return joint / joint.sum(axis=1, keepdims=True)


def with_floor(x, weights, means, variances):
    joint = np.exp(logarithms(x, weights, means, variances))
    return joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)


def with_one_maximum(x, weights, means, variances):
    a = logarithms(x, weights, means, variances)
    joint = np.exp(a - a.max())
    return joint / joint.sum(axis=1, keepdims=True)


def weights_and_means(X, r):
    return r.mean(axis=0), np.array([np.average(X, axis=0, weights=column) for column in r.T])


def bic(log_p, n_components, n_features):
    K, D, N = n_components, n_features, len(log_p)
    return (K - 1 + K * D + K * D * (D + 1) // 2) * np.log(N) - 2 * np.sum(log_p)


def penalised(log_p, n_parameters):
    return -2 * log_p.sum() + n_parameters * np.log(len(log_p))


RIGHT = (kernel_estimate, responsibilities, weights_and_means, bic)
MISTAKES = [  # exercise, answer, what the line says
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * h,
     r"density: .* off by the factor \S+, which is h here"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * len(points),
     r"density: .* off by the factor \d"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * np.sqrt(2 * np.pi),
     r"density: .* off by the factor 2\.50662"),
    ("kernel_estimate", lambda points, x, h: np.exp(-((points[:, None] - x) / h) ** 2 / 2).mean(axis=1),
     "its shape is"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h**2), ".* wrong"),
    ("kernel_estimate", lambda points, x, h: (x - points) / h, "it raised ValueError.*the shapes .* do not fit"),
    ("responsibilities", naive,
     ".* are not finite.*; far out every density rounds to 0: subtract the largest"),
    ("responsibilities", with_floor, "wrong|it is 0 everywhere"),
    ("responsibilities", with_one_maximum, ".*(not finite|wrong)"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, np.ones(len(w)), m, v),
     ".* wrong"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v**2),
     ".* wrong"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w * np.sqrt(v), m, v),
     ".* wrong"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v).T,
     "its shape is .*: it is transposed"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v) / responsibilities(x, w, m, v).sum(axis=0),
     "responsibilities: .* wrong.*; each row should add up to 1$"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v).argmax(axis=1),
     "its shape is"),
    ("responsibilities", lambda x, w, m, v: logarithms(x, w, m, v),
     "responsibilities: .* wrong.*; each row should add up to 1$"),
    ("weights_and_means", lambda X, r: (r.sum(axis=0), weights_and_means(X, r)[1]),
     r"weights: .*off by the factor \d+, which is X.shape\[0\] here; means: right"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), r.T @ X / len(X)), "means: .* wrong.*; weights: right"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), r.T @ X), "means: .* wrong.*; weights: right"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), weights_and_means(X, r)[1].T),
     "its shape is .*: it is transposed; weights: right"),
    ("weights_and_means", lambda X, r: weights_and_means(X, r)[::-1], "your weights is what means should be"),
    ("weights_and_means", lambda X, r: weights_and_means(X, np.eye(r.shape[1])[r.argmax(axis=1)] + 1e-9),
     "weights: .* wrong"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), (r @ X)), "it raised ValueError.*: in a product the inner"),
    ("bic", lambda log_p, K, D: penalised(log_p, K * (D + D * (D + 1) / 2) + K), "bic: yours"),
    ("bic", lambda log_p, K, D: penalised(log_p, K * (D + D**2) + K - 1),
     r"bic: yours .*; for log_p of shape \(\d+,\), n_components = \d, n_features = \d$"),
    ("bic", lambda log_p, K, D: np.log(-1.0 * K), "it is not finite"),
    ("bic", lambda log_p, K, D: -bic(log_p, K, D), "bic: yours.*sign"),
    ("bic", lambda log_p, K, D: bic(log_p, K, D) + 2 * log_p.sum() - 2 * log_p.mean(), "bic: yours"),
    ("bic", lambda log_p, K, D: bic(log_p, K, D) + log_p.sum(), "bic: yours"),
    ("bic", lambda log_p, K, D: -2 * log_p.sum() + 2 * (K * (D + D * (D + 1) / 2) + K - 1),
     "bic: yours"),
]
