"""numba.cuda on an NVIDIA GPU: the functions that aelearn.kernels.get("cuda") gives."""

from aelearn.kernels.gpu.device import describe as describe, require as require
from aelearn.kernels.gpu.lloyd import Descent as Descent, Points as Points, assign as assign, lloyd_step as lloyd_step
from aelearn.kernels.gpu.matmul import matmul as matmul
from aelearn.kernels.gpu.network import (Workspace as Workspace, backward as backward, forward as forward,
                                         loss_and_gradients as loss_and_gradients, output_loss as output_loss)
from aelearn.kernels.gpu.optim import adam_step as adam_step, momentum_step as momentum_step, sgd_step as sgd_step
from aelearn.kernels.gpu.seeding import kmeans_plusplus as kmeans_plusplus
from aelearn.kernels.gpu.training import EVALUATION_ROWS as EVALUATION_ROWS, Run as Run
