"""Mini-batch k-means: centres that learn from data which come by and by, and are never all there at once.

Shapes: B points of a batch, D features, K clusters.

Each point x moves the centre that was nearest to it before the batch, by a learning rate that shrinks with the number
of points the centre has seen:

    counts[k] <- counts[k] + 1
    c[k]      <- c[k] + (x - c[k]) / counts[k]

So a centre is the mean of all points that it has ever been given, whatever the batches were. Other than in Lloyd's
algorithm, a point that was given to a centre long ago stays in its mean, although another one may be nearer today.

Source: Sculley, "Web-scale k-means clustering" (2010), algorithm 1.
"""

import numpy as np


def move_to_running_means(centers, counts, means, weights):
    """The moves of all points of a batch at once.

    centers, counts  (K, D), (K,) before the batch; a count is the sum of the weights of all points so far
    means, weights   (K, D), (K,) of the points of the batch that are nearest to each centre, as lloyd_step returns them

    A point of weight w counts as w points. The sums of the points' moves are, with counts'[k] = counts[k] + weights[k],

        c'[k] = (counts[k] c[k] + weights[k] means[k]) / counts'[k] = c[k] + (means[k] - c[k]) weights[k] / counts'[k]

    Returns c' (K, D) and counts' (K,), both new arrays. A centre without a point stays where it is.
    """
    counts = counts + weights  # (K,)
    rates = weights / np.where(counts > 0, counts, 1)  # (K,)
    return centers + rates[:, None] * (means - centers), counts
