"""Deep clustering: an autoencoder whose codes are moved until they fall into clusters.

Read in this order:

    soft_assignment  how much a code belongs to each centre, the sharper guess that draws it, the loss and its gradients
    model_file       a DeepClustering as an .npz file
    estimator        DeepClustering, what users call: pre-training, a start, joint training

It has no lesson of its own yet; what it is built from is taught in lessons 1 to 5 and 13. Tested against finite
differences and PyTorch (tests/peers/test_deep_clustering.py).
"""

from aelearn.deep_clustering.estimator import DeepClustering

__all__ = ["DeepClustering"]
