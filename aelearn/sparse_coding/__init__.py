"""Sparse coding: each sample as a linear combination of a few atoms of a dictionary that is learnt.

Read in this order:

    ista                 codes by soft thresholding: ISTA, whose step is a network's layer, and FISTA
    matching_pursuit     codes found by adding one atom after another: OMP
    dictionary_learning  atoms that make codes sparse: MOD, K-SVD
    estimator            SparseCoding, what users call

Taught in lesson 11. Tested against scikit-learn's sparse_encode and DictionaryLearning
(tests/peers/test_sparse_coding.py).
"""

from aelearn.sparse_coding.estimator import SparseCoding

__all__ = ["SparseCoding"]
