"""All figures of the command line and the lessons, each a function from arrays to a matplotlib Figure.

No window is opened and no global state is changed: a figure is created, returned, and saved with `save`.
"""

from aelearn.plotting.deep import clusters_in_images, confusion, joint_training
from aelearn.plotting.job import (
    ORIGINAL_LOSSES,
    center_images,
    code_space,
    loss_curve,
    network,
    reconstructions,
    side_by_side,
)
from aelearn.plotting.lessons import (
    bars,
    curves,
    densities,
    graphs,
    matrices,
    mixtures,
    partitions,
    path,
    projections,
    roofline,
    table,
    tiles,
    walks,
)
from aelearn.plotting.style import MARKERS, PALETTE, save

__all__ = ["MARKERS", "ORIGINAL_LOSSES", "PALETTE", "bars", "center_images", "clusters_in_images", "code_space",
           "confusion", "curves", "densities", "graphs", "joint_training", "loss_curve", "matrices", "mixtures",
           "network", "partitions", "path", "projections", "reconstructions", "roofline", "save", "side_by_side",
           "table", "tiles", "walks"]
