"""numba.cuda on an NVIDIA GPU: the functions that aelearn.kernels.get("cuda") returns. Plumbing."""

from aelearn.kernels.gpu.device import describe as describe
from aelearn.kernels.gpu.device import require as require
from aelearn.kernels.gpu.lloyd import Descent as Descent
from aelearn.kernels.gpu.lloyd import Points as Points
from aelearn.kernels.gpu.lloyd import assign as assign
from aelearn.kernels.gpu.lloyd import lloyd_step as lloyd_step
from aelearn.kernels.gpu.matmul import matmul as matmul
from aelearn.kernels.gpu.network import backward as backward
from aelearn.kernels.gpu.network import forward as forward
from aelearn.kernels.gpu.network import loss_and_gradients as loss_and_gradients
from aelearn.kernels.gpu.network import output_loss as output_loss
from aelearn.kernels.gpu.optim import STEPS as STEPS
from aelearn.kernels.gpu.optim import adam_step as adam_step
from aelearn.kernels.gpu.optim import momentum_step as momentum_step
from aelearn.kernels.gpu.optim import sgd_step as sgd_step
from aelearn.kernels.gpu.seeding import kmeans_plusplus as kmeans_plusplus
from aelearn.kernels.gpu.training import EVALUATION_ROWS as EVALUATION_ROWS
from aelearn.kernels.gpu.training import Run as Run
from aelearn.kernels.gpu.workspace import Workspace as Workspace
