"""The results of the main job: five pictures and two tables. The job itself is in main_job.py.

Shapes: N samples, M of them mistakes, C code size, K clusters.
"""

import csv

import numpy as np

from aelearn import plotting
from aelearn.core.files import replacing

FILES = ("report.json", "history.csv", "clusters.csv", "model.npz", "network.png", "loss.png", "reconstructions.png",
         "codes.png", "centers.png")


def draw(images, autoencoder, clusters, out, *, compare):
    """Save the five pictures in the folder `out`. compare: mark the original script's losses in the loss curve."""
    centers = clusters.kmeans.cluster_centers_  # (K, C)
    names = {k: clusters.matching.get(k) for k in range(len(centers))}
    activations = [*[autoencoder.activation] * (len(autoencoder.widths_) - 2), autoencoder.output_activation]
    plotting.save(plotting.network(autoencoder.widths_, activations), out / "network.png")
    plotting.save(plotting.loss_curve(autoencoder.history_, loss=autoencoder.loss,
                                      reference=plotting.ORIGINAL_LOSSES if compare else None), out / "loss.png")
    plotting.save(plotting.reconstructions(images.train, autoencoder.reconstruct(images.train), images.shape),
                  out / "reconstructions.png")
    plotting.save(plotting.code_space(clusters.codes, images.train_labels, clusters.labels, centers, names),
                  out / "codes.png")
    wrong = _mistakes(images.train_labels, clusters)
    counts = np.bincount(clusters.labels, minlength=len(names))
    plotting.save(plotting.center_images(autoencoder.inverse_transform(centers), counts, names,
                                         images.train[wrong], images.train_labels[wrong], clusters.labels[wrong],
                                         images.shape), out / "centers.png")


def _mistakes(labels, clusters):
    """Rows (M,) of the training images that are in another cluster than that of their digit.

    The digits alternate; of each, the image farthest from its digit's centre comes first. Images of a digit that has no
    cluster are all mistakes.
    """
    cluster_of = {digit: cluster for cluster, digit in clusters.matching.items()}
    own = np.array([cluster_of.get(label, -1) for label in labels.tolist()])  # (N,)
    wrong = np.flatnonzero(own != clusters.labels)
    distances = clusters.kmeans.transform(clusters.codes[wrong]) if len(wrong) else np.empty((0, 1))  # (M, K)
    distance = np.where(own[wrong] >= 0, distances[np.arange(len(wrong)), own[wrong]], -1)  # (M,)
    wrong = wrong[np.argsort(-distance, kind="stable")]
    turn = np.empty(len(wrong), int)  # 0 for the first mistake of each digit, 1 for the second, ...: (M,)
    for digit in np.unique(labels[wrong]):
        turn[labels[wrong] == digit] = np.arange(np.count_nonzero(labels[wrong] == digit))
    return wrong[np.argsort(turn, kind="stable")]


def write_tables(images, autoencoder, clusters, out):
    """Write history.csv, a row per epoch, and clusters.csv, a row per image: its row, digit, cluster and code.

    `row` counts only the chosen digits of a split: it is the row in load_mnist(split, digits=...).
    """
    with replacing(out / "history.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("epoch", "loss", "validation_loss", "seconds"))
        table.writerows(row.values() for row in autoencoder.history_)
    with replacing(out / "clusters.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("split", "row", "digit", "cluster", "cluster_digit",
                        *(f"code{i}" for i in range(1, clusters.codes.shape[1] + 1))))
        for split, labels, found, codes in (("train", images.train_labels, clusters.labels, clusters.codes),
                                            ("test", images.test_labels, clusters.test_labels, clusters.test_codes)):
            for row, (digit, k, code) in enumerate(zip(labels.tolist(), found.tolist(), codes)):
                table.writerow((split, row, digit, k, clusters.matching.get(k, ""), *code))
