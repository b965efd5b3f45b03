"""Autoencoders: networks that learn to reconstruct their input from a short code.

Read in this order:

    layers      dense layers and activations, each forward next to its hand-derived backward
    losses      mean squared error and binary cross-entropy, value and gradient
    network     the layers put together: forward, loss, backward; this is backpropagation
    workspace   the arrays that forward and backward write into
    optim       gradient descent, momentum, Adam
    training    epochs and batches; the state of a run, which can be copied, saved and resumed
    evaluation  the network applied to many rows: losses, codes, outputs that can no longer learn
    event_log   what TensorBoard reads: an event file, the graph of a network, codes with their images
    watching    a loss curve in a notebook, logs for TensorBoard
    callbacks   what is called after each epoch: early stopping, checkpoints, and those that show a training
    settings    validation of settings and images
    model_file  an autoencoder as an .npz file
    estimator   Autoencoder, what users call
    selfcheck   all gradients compared with finite differences: python -m aelearn.selfcheck

Taught in lessons 1 to 4. Tested against finite differences and PyTorch (tests/peers/test_torch.py).
"""

from aelearn.autoencoder.callbacks import Checkpoint, EarlyStopping, LivePlot, TensorBoard
from aelearn.autoencoder.estimator import Autoencoder
from aelearn.autoencoder.model_file import arrays_of, model_of
from aelearn.autoencoder.optim import Adam

__all__ = ["Adam", "Autoencoder", "Checkpoint", "EarlyStopping", "LivePlot", "TensorBoard", "arrays_of", "model_of"]
