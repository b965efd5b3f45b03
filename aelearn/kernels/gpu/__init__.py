"""numba.cuda on an NVIDIA GPU: the functions that aelearn.kernels.get("cuda") returns. Plumbing; worth reading are

    device      memory, copies, launches; it explains the terms, so read it first
    matmul      the matrix product, in four versions
    sums        long sums as pairs of numbers, without float64
    network     forward and backward
    losses      the loss
    optim       gradient descent, momentum, Adam
    lloyd       k-means over points that stay on the device; it calls the kernel of
    assignment    labels, and the sums over points
    seeding     the k-means++ start
"""

from aelearn.kernels.gpu.device import describe as describe, require as require
from aelearn.kernels.gpu.lloyd import Descent as Descent, Points as Points, assign as assign, lloyd_step as lloyd_step
from aelearn.kernels.gpu.matmul import matmul as matmul
from aelearn.kernels.gpu.network import (
    backward as backward,
    forward as forward,
    loss_and_gradients as loss_and_gradients,
    output_loss as output_loss,
)
from aelearn.kernels.gpu.optim import (
    STEPS as STEPS,
    adam_step as adam_step,
    momentum_step as momentum_step,
    sgd_step as sgd_step,
)
from aelearn.kernels.gpu.seeding import kmeans_plusplus as kmeans_plusplus
from aelearn.kernels.gpu.training import EVALUATION_ROWS as EVALUATION_ROWS, Run as Run
from aelearn.kernels.gpu.workspace import Workspace as Workspace
