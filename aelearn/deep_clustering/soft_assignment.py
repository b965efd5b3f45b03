"""Soft assignments q, the sharper ones p that they are drawn towards, and the loss between them with its gradients.

Shapes: N samples, C code size, K clusters. z (N, C) codes, m (K, C) centres, q and p (N, K), whose rows add up to 1.

Deep clustering learns from its own guesses. How much a code belongs to a centre falls with its distance, as Student's
t-distribution does,

    u[n, k] = 1 + |z[n] - m[k]|^2 / v,    t[n, k] = u[n, k]^(-(v + 1) / 2),    q[n, k] = t[n, k] / sum_j t[n, j]

with v degrees of freedom (1, usually). Squared and normalised, the same guesses are sharper: near 1 where q was large,
near 0 where it was small. Dividing by the size of the clusters, f, keeps large clusters from swallowing small ones:

    f[k] = sum_n q[n, k],    p[n, k] = (q[n, k]^2 / f[k]) / sum_j (q[n, j]^2 / f[j])

f is a sum over all samples, so p must be computed from all of them, never from a batch. While p is held constant,
codes and centres are moved so that q comes closer to it; then p is computed anew. The loss is the Kullback-Leibler
divergence,

    L = 1 / N sum_nk p[n, k] log(p[n, k] / q[n, k])

Its derivative. Of L only -1 / N sum_nk p[n, k] log q[n, k] depends on z and m, and log q[n, k] = log t[n, k] -
log sum_j t[n, j]. With sum_k p[n, k] = 1,

    dL / d log t[n, k]  = (q[n, k] - p[n, k]) / N
    d log t[n, k] / dz[n] = -(v + 1) / v (z[n] - m[k]) / u[n, k],    the same with the other sign for dm[k]

so with w[n, k] = (v + 1) / (v N) (p[n, k] - q[n, k]) / u[n, k]

    dz[n] =  sum_k w[n, k] (z[n] - m[k])     dz =   z * w.sum(axis=1) - w @ m
    dm[k] = -sum_n w[n, k] (z[n] - m[k])     dm = -(w.T @ z - m * w.sum(axis=0))

A code is pulled towards centres to which it should belong more than it does, and pushed away from the others.

Sources: Xie, Girshick and Farhadi, "Unsupervised deep embedding for clustering analysis" (2016), equations 1 to 5
(whose loss is the sum over samples; here it is their mean, which does not depend on the size of a batch); the
t-distribution: van der Maaten and Hinton, "Visualizing data using t-SNE" (2008).
"""

import numpy as np

from aelearn.core.arrays import squared_distances


def soft_assignment(z, m, v=1.0):
    """q (N, K) for codes z (N, C) and centres m (K, C), with v degrees of freedom.

    Powers are taken relative to the nearest centre, so that no row adds up to 0 however far all centres are.
    """
    u = _u(z, m, v)  # (N, K)
    q = (u / u.min(axis=1, keepdims=True)) ** (-(v + 1) / 2)  # (N, K)
    q /= q.sum(axis=1, keepdims=True)
    return q


def target(q):
    """p (N, K) for the soft assignments q (N, K) of all samples. A cluster to which nothing belongs stays without."""
    f = q.sum(axis=0)  # (K,)
    p = q * (q / (f + (f == 0)))  # (N, K)
    p /= p.sum(axis=1, keepdims=True)
    return p


def divergence(p, q):
    """L = 1 / N sum_nk p log(p / q), a float: how far the soft assignments q (N, K) are from their targets p (N, K)."""
    tiny = np.finfo(np.float64).tiny  # p is 0 where q was; there p log p is 0 as well
    return float(np.sum(p * (np.log(np.maximum(p, tiny)) - np.log(np.maximum(q, tiny)))) / len(p))


def divergence_gradients(p, z, m, v=1.0):
    """The derivatives dz (N, C), dm (K, C) of divergence(p, soft_assignment(z, m, v)), while p (N, K) is constant."""
    w = (p - soft_assignment(z, m, v)) / _u(z, m, v) * ((v + 1) / (v * len(z)))  # (N, K)
    dz = z * w.sum(axis=1)[:, None] - w @ m  # (N, C)
    dm = -(w.T @ z - m * w.sum(axis=0)[:, None])  # (K, C)
    return dz, dm


def _u(z, m, v):
    """u[n, k] = 1 + |z[n] - m[k]|^2 / v, (N, K)."""
    return 1 + np.stack([squared_distances(z, center) for center in m], axis=1) / v  # (N, K)
