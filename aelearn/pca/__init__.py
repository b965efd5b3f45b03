"""Principal component analysis: the few directions in which the data vary most.

Read in this order:

    svd        singular values and directions, exactly or from the scatter matrix
    estimator  PCA, what users call

Taught in lesson 10. Tested against scikit-learn's PCA (tests/peers/test_pca.py).
"""

from aelearn.pca.estimator import PCA

__all__ = ["PCA"]
