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


def with_the_mean(x, weights, means, variances):
    a = logarithms(x, weights, means, variances)
    joint = np.exp(a - a.mean(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)


def weights_and_means(X, r):
    return r.mean(axis=0), np.array([np.average(X, axis=0, weights=column) for column in r.T])


def means_in_one_pass(blocks):
    n_points, counts, means = 0, 0.0, 0.0
    for X, r in blocks:  # a mean that moves with each block
        counts = counts + r.sum(axis=0)
        means = means + (r.T @ X - r.sum(axis=0)[:, None] * means) / counts[:, None]
        n_points += len(X)
    return counts / n_points, means


def in_a_list(blocks):
    X, r = (np.concatenate(parts) for parts in zip(*blocks))
    return weights_and_means(X, r)


def in_two_passes(blocks):
    n_points = sum(len(X) for X, r in blocks)
    sums = sum(r.T @ X for X, r in blocks)
    return sums / n_points


def by_size_of_block(blocks):
    parts = [(len(X), *weights_and_means(X, r)) for X, r in blocks]
    n_points, weights, means = map(np.array, zip(*parts))
    return np.average(weights, axis=0, weights=n_points), np.average(means, axis=0, weights=n_points)


def bic(log_p, n_components, n_features):
    K, D, N = n_components, n_features, len(log_p)
    return (K - 1 + K * D + K * D * (D + 1) // 2) * np.log(N) - 2 * np.sum(log_p)


def penalised(log_p, n_parameters):
    return -2 * log_p.sum() + n_parameters * np.log(len(log_p))


RIGHT = (kernel_estimate, responsibilities, weights_and_means, means_in_one_pass, bic)
MISTAKES = [  # exercise, answer, what the line says
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * h,
     "density: the area under a bump must be 1: a bump of width h is 1/h as high"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * len(points),
     "density: take the mean of the bumps, not their sum"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * np.sqrt(2 * np.pi),
     "density: what is the factor before the exponential"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * len(points) / len(x),
     r"density: every entry is off by the factor \d"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(np.unique(points), x, h), "density: .* wrong, worst at"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h) * (kernel_estimate(points, x, h) > 1e-6),
     "density: .*(wrong|it is 0 everywhere)"),
    ("kernel_estimate", lambda points, x, h: np.exp(-((points[:, None] - x) / h) ** 2 / 2).mean(axis=1),
     "its shape is"),
    ("kernel_estimate", lambda points, x, h: kernel_estimate(points, x, h**2), ".* wrong"),
    ("kernel_estimate", lambda points, x, h: (x - points) / h, "it raised ValueError.*the shapes .* do not fit"),
    ("responsibilities", naive,
     ".* are not finite.*; far out every density rounds to 0: subtract the largest"),
    ("responsibilities", with_floor, "wrong|it is 0 everywhere"),
    ("responsibilities", with_one_maximum, "subtract the largest logarithm of each row, not the largest of all"),
    ("responsibilities", with_the_mean, r"(is|are) not finite.*; far out every density rounds to 0"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, np.ones(len(w)), m, v),
     "a component with a larger weight has a larger share"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v**2),
     "the variances are squares already"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w * np.sqrt(v), m, v), "a wide component is a low one"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, np.sqrt(v)), r"\d+ of \d+ are wrong"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v).T,
     "its shape is .*: it is transposed"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v) / responsibilities(x, w, m, v).sum(axis=0),
     "responsibilities: .* wrong.*; each row should add up to 1$"),
    ("responsibilities", lambda x, w, m, v: responsibilities(x, w, m, v).argmax(axis=1),
     "its shape is"),
    ("responsibilities", lambda x, w, m, v: logarithms(x, w, m, v),
     "responsibilities: .* wrong.*; each row should add up to 1$"),
    ("responsibilities", lambda x, w, m, v: np.log(responsibilities(x, w, m, v)), "; these are logarithms: apply exp$"),
    ("weights_and_means", lambda X, r: (r.sum(axis=0), weights_and_means(X, r)[1]),
     "weights: a weight is a share of the N points.*; right: means"),
    ("weights_and_means", lambda X, r: (r.sum(axis=0) / r.shape[1], weights_and_means(X, r)[1]),
     r"weights: every entry is off by the factor .*; right: means"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), r.T @ X / len(X)),
     "means: divide by each component's share of the points.*; right: weights"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), r.T @ X), "means: these are sums.*; right: weights"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), r.T @ X / np.maximum(r.sum(axis=0), 1)[:, None]),
     r"means: \d+ of \d+ (is|are) wrong, .*; right: weights"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), weights_and_means(X, r)[1].T),
     "its shape is .*: it is transposed; right: weights"),
    ("weights_and_means", lambda X, r: weights_and_means(X, r)[::-1], "your weights is what means should be"),
    ("weights_and_means", lambda X, r: weights_and_means(X, np.eye(r.shape[1])[r.argmax(axis=1)] + 1e-9),
     r"weights: (every point counts for every component|\d+ of \d+ (is|are) wrong)"),
    ("weights_and_means", lambda X, r: (r.mean(axis=0), (r @ X)), "it raised ValueError.*: in a product the inner"),
    ("means_in_one_pass", in_a_list, r"it returns the right result, but needs \S+ MB for it; 0.4 are enough"),
    ("means_in_one_pass", in_two_passes, "it raised ValueError in .*: the blocks can be read only once"),
    ("means_in_one_pass", by_size_of_block, "means: .* wrong.*; right: weights"),
    ("means_in_one_pass", lambda blocks: means_in_one_pass([next(blocks)]), "weights: .* wrong"),
    ("means_in_one_pass", lambda blocks: len(blocks), "it raised TypeError.*has no len"),
    ("bic", lambda log_p, K, D: penalised(log_p, K * (D + D * (D + 1) / 2) + K), "bic: the weights add up to 1"),
    ("bic", lambda log_p, K, D: penalised(log_p, 2 * K * D + K - 1),
     r"bic: yours .*; for log_p of shape \(\d+,\), n_components = \d, n_features = \d$"),
    ("bic", lambda log_p, K, D: np.log(-1.0 * K), "it is not finite"),
    ("bic", lambda log_p, K, D: -bic(log_p, K, D), "bic: yours.*sign"),
    ("bic", lambda log_p, K, D: bic(log_p, K, D) + 2 * log_p.sum() - 2 * log_p.mean(), "bic: L is the sum"),
    ("bic", lambda log_p, K, D: bic(log_p, K, D) + log_p.sum(), "bic: yours"),
    ("bic", lambda log_p, K, D: -2 * log_p.sum() + 2 * (K * (D + D * (D + 1) / 2) + K - 1),
     "bic: this is the AIC"),
]
