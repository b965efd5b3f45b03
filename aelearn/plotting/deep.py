"""The figures of `aelearn deep`: the training, which classes the clusters have, and what the clusters look like.

Shapes: N samples, D pixels, K clusters, C classes.
"""

import numpy as np
from matplotlib.figure import Figure

from aelearn.plotting.style import PALETTE, show_images


def joint_training(history, *, n_pretraining):
    """The losses, the labels that change, and the accuracy against the steps of joint training.

    history        rows as in DeepClustering.history_, each with "accuracy" as well
    n_pretraining  epochs before, for the title
    """
    steps = [row["steps"] for row in history]
    mark = "o" if len(steps) < 30 else None
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    figure.suptitle(f"Joint training, after {n_pretraining} epochs of pre-training")
    losses, scores = figure.subplots(1, 2)
    for name, color, label in (("reconstruction", PALETTE[0], "reconstruction, per pixel"),
                               ("clustering", PALETTE[5], "divergence from the targets, per image")):
        losses.plot(steps, [row[name] for row in history], color=color, marker=mark, label=label)
    losses.set(xlabel="steps", ylabel="loss, log scale", yscale="log")
    scores.plot(steps, [row["accuracy"] for row in history], color=PALETTE[2], marker=mark,
                label="accuracy (labels are seen by this curve only)")
    scores.plot(steps[1:], [1 - row["changed"] for row in history[1:]], color=PALETTE[3], marker=mark, ls="--",
                label="share of images that kept their cluster")
    scores.set(xlabel="steps", ylabel="share of images",
               title=f"accuracy {history[0]['accuracy']:.4f} at the start, {history[-1]['accuracy']:.4f} at the end")
    for axes in (losses, scores):
        axes.grid(True, color="0.9")
        axes.legend(fontsize=8)
    return figure


def confusion(table, classes, clusters, names):
    """How many images of each class are in each cluster: a matrix of shares of the classes, with the counts in it.

    table (C, K) counts; classes (C,); clusters (K,) their numbers; names {cluster: text}
    """
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)  # (C, K)
    n_classes, n_clusters = table.shape
    figure = Figure(figsize=(1.1 * n_clusters + 2.5, 0.62 * n_classes + 2.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for c in range(n_classes):
        for k in range(n_clusters):
            if table[c, k]:
                axes.text(k, c, f"{table[c, k]:,}", ha="center", va="center", fontsize=8,
                          color="white" if shares[c, k] > 0.6 else "black")
    axes.set_xticks(range(n_clusters), [f"cluster {k}:\n{names[k]}" for k in clusters], fontsize=8)
    axes.set_yticks(range(n_classes), classes)
    axes.set(ylabel="true label", title=f"{table.sum():,} images by true label (rows) and cluster (columns)\n"
                                        "darker: a larger share of the row")
    return figure


def clusters_in_images(centers, typical, doubtful, names, shape):
    """For each cluster its decoded centre, its most typical images and its most doubtful ones, in one row.

    centers            (K, D) decoded centres
    typical, doubtful  for each cluster an array (n, D) of at most as many images as for any other
    names              a text for each cluster
    """
    n_shown = max(1, *(len(images) for images in (*typical, *doubtful)))
    n_columns, n_pixels = 1 + 2 * n_shown, centers.shape[1]
    figure = Figure(figsize=(0.62 * n_columns + 1.6, 0.7 * len(centers) + 1.2), layout="constrained")
    axes = figure.subplots()
    tiles = np.ones((len(centers), n_columns, n_pixels))  # (K, columns, D); white where there is no image
    for k, center in enumerate(centers):
        tiles[k, 0] = np.clip(center, 0, 1)
        tiles[k, 1:1 + len(typical[k])] = typical[k]
        tiles[k, 1 + n_shown:1 + n_shown + len(doubtful[k])] = doubtful[k]
    columns, middles, _ = show_images(axes, tiles.reshape(-1, n_pixels), shape, n_columns)
    axes.set_yticks(middles, names, fontsize=8)
    axes.set_xticks([columns[0], columns[1:1 + n_shown].mean(), columns[1 + n_shown:].mean()],
                    ["centre,\ndecoded", "most typical: nearest to their centre",
                     "most doubtful: between two clusters"], fontsize=8)
    axes.set_title(f"{len(centers)} clusters, found without a label")
    return figure
