"""Adam on all cores: one pass over all parameters instead of NumPy's ten.

Worth reading. Counterparts: autoencoder/optim.py (NumPy, with the equations), kernels/gpu/optim.py. Gradient descent
and momentum have no kernels here: NumPy's functions are used.

Shapes: P parameters.
"""

import numpy as np
from numba import prange

from aelearn.kernels.arguments import check_vectors
from aelearn.kernels.common import adam_numbers
from aelearn.kernels.cpu.compiling import compiled

CHUNK = 4096  # parameters that a core updates at a time


def adam_step(params, grads, m, v, t, *, learning_rate, beta1, beta2, epsilon, scratch=None):
    """Update number t (from 1) of Adam, in place on params, m and v: aelearn.autoencoder.optim.adam_step in one pass.

    All are vectors (P,). `scratch` is not used. Raises TypeError and ValueError for vectors that cannot be updated.
    """
    check_vectors((params, m, v), grads)
    _adam(params, grads, m, v, adam_numbers(params.dtype, t, learning_rate, beta1, beta2, epsilon))


@compiled(parallel=True, work=lambda params, *others: 8 * len(params))
def _adam(params, grads, m, v, numbers):
    """Adam on vectors (P,), with common.AdamNumbers. Each core updates some chunks."""
    n = numbers
    for chunk in prange(-(-len(params) // CHUNK)):
        rows = slice(chunk * CHUNK, min((chunk + 1) * CHUNK, len(params)))
        p_, g_, m_, v_ = params[rows], grads[rows], m[rows], v[rows]
        for i in range(len(p_)):
            g = g_[i]
            m_[i] = n.beta1 * m_[i] + n.one_minus_beta1 * g
            v_[i] = n.beta2 * v_[i] + n.one_minus_beta2 * g * g
            p_[i] -= n.step * m_[i] / (np.sqrt(v_[i]) * n.to_v_hat + n.epsilon)


STEPS = {"adam": adam_step}  # by the optimiser's name
