"""k-means: K centres, such that each point is close to one of them.

Read in this order:

    lloyd       two half-steps, assign and update, neither of which can raise the inertia
    seeding     where to start
    hamerly     the same labels from fewer distances
    mini_batch  centres that learn from one batch of points after the other
    estimator   KMeans, what users call

Taught in lessons 5, 6 and 8. Tested against scikit-learn's KMeans and faiss (tests/peers/test_sklearn.py).
"""

from aelearn.kmeans.estimator import KMeans
from aelearn.kmeans.lloyd import assign, lloyd_step
from aelearn.kmeans.seeding import kmeans_plusplus

__all__ = ["KMeans", "assign", "kmeans_plusplus", "lloyd_step"]
