"""The figures of the main job: the network, loss curve, reconstructions, codes in space, decoded centres.

Shapes: N samples, D pixels, C code size, K clusters.
"""

import math

import numpy as np
from matplotlib.figure import Figure

from aelearn.metrics import best_matching
from aelearn.plotting.style import MARKERS, PALETTE, panel_grid, show_image, show_images

# The losses once recorded with the original TensorFlow script on all training images: epoch -> mean squared error.
ORIGINAL_LOSSES = {1: 0.04387, 5: 0.02789, 10: 0.02425, 20: 0.02138, 50: 0.01781, 100: 0.01682, 150: 0.01619}


def loss_curve(history, *, loss="mse", reference=None):
    """The loss on all training images (and on the validation images) after each epoch, on a logarithmic scale.

    history    rows with "epoch", "loss" and "validation_loss", as in Autoencoder.history_
    loss       "mse" or "bce", for the label of the axis
    reference  {epoch: loss} of another system, drawn as markers
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in history]
    mark = "o" if len(epochs) == 1 else None  # a line through a single point is invisible
    axes.plot(epochs, [row["loss"] for row in history], color=PALETTE[0], lw=2, marker=mark, label="training images")
    if history and history[-1]["validation_loss"] is not None:
        axes.plot(epochs, [row["validation_loss"] for row in history], color=PALETTE[5], lw=1.5, ls="--", marker=mark,
                  label="validation images (not used for training)")
    if reference:
        points = {epoch: value for epoch, value in reference.items() if epoch <= max(epochs, default=0)}
        axes.plot(list(points), list(points.values()), ls="none", marker="D", ms=7, mfc="white", mec="black",
                  label="original TensorFlow script, training images")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    unit = {"mse": "mean squared error per pixel", "bce": "binary cross-entropy per pixel (nats)"}[loss]
    axes.set(xlabel="epoch", ylabel=f"{unit}, log scale",
             title=f"Loss after each epoch: {history[-1]['loss']:.5f} at the end" if history else "No epoch yet")
    axes.grid(True, which="both", color="0.9")
    axes.legend()
    return figure


def network(widths, activations):
    """The structure of an autoencoder: images on the left, the code in the middle, reconstructions on the right.

    widths       units of each layer, from the images through the code and back: (784, 128, 3, 128, 784)
    activations  the names of the activations of the layers after the images: one fewer than widths

    A bar is a layer; its height grows with the logarithm of its width. Between two layers: the number of parameters.
    """
    n_layers, code = len(activations), len(activations) // 2
    heights = [0.25 + math.log10(width) for width in widths]
    n_parameters = [n_in * n_out + n_out for n_in, n_out in zip(widths, widths[1:])]
    figure = Figure(figsize=(2.1 * n_layers + 2.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for layer, (low, high) in enumerate(zip(heights, heights[1:])):  # between a layer and the next
        left, right = layer + 0.1, layer + 0.9
        axes.fill([left, right, right, left], [low / 2, high / 2, -high / 2, -low / 2], color="0.9", lw=0)
        axes.text(layer + 0.5, 0, f"{widths[layer]} x {widths[layer + 1]}\n+ {widths[layer + 1]}\n"
                                  f"= {n_parameters[layer]:,}\nparameters", ha="center", va="center", fontsize=9)
    for layer, (width, height) in enumerate(zip(widths, heights)):
        is_code = layer == code
        axes.bar(layer, height, width=0.2, bottom=-height / 2, color=PALETTE[1] if is_code else PALETTE[0],
                 edgecolor="black", lw=2 if is_code else 0.8, hatch="//" if is_code else None)
        name = {0: "image", code: "code", n_layers: "reconstruction"}.get(layer, "hidden")
        axes.text(layer, -height / 2 - 0.08, f"{name}\n{width}" + (f"\n{activations[layer - 1]}" if layer else ""),
                  ha="center", va="top", fontsize=10, fontweight="bold" if is_code else None)
    top = max(heights) / 2
    for name, first, last in (("encoder", 0, code), ("decoder", code, n_layers)):
        axes.annotate("", (first + 0.05, top + 0.15), (last - 0.05, top + 0.15), arrowprops={"arrowstyle": "<->"})
        axes.text((first + last) / 2, top + 0.22, name, ha="center", va="bottom")
    axes.set(xlim=(-0.6, n_layers + 0.6), ylim=(-top - 0.9, top + 0.5))
    axes.axis("off")
    axes.set_title(f"The network {'-'.join(map(str, widths))}: {sum(n_parameters):,} parameters; "
                   f"its code is {widths[code]} number{'s' if widths[code] > 1 else ''}")
    return figure


def reconstructions(images, outputs, shape, *, n_columns=10):
    """Originals above their reconstructions: the best, the median and the worst by mean squared error.

    images, outputs  (N, D) originals and their reconstructions
    shape            (rows, columns) of an image
    """
    errors = np.mean((images - outputs) ** 2, axis=1)  # (N,)
    order = np.argsort(errors, kind="stable")
    n_columns = min(n_columns, len(order))
    middle = (len(order) - n_columns) // 2
    groups = (("best", order[:n_columns]), ("median", order[middle:middle + n_columns]),
              ("worst", order[::-1][:n_columns]))
    figure = Figure(figsize=(1.05 * n_columns + 1.4, 8.6), layout="constrained")
    figure.suptitle(f"The {n_columns} best of {len(images):,} reconstructions, {n_columns} around the median, "
                    f"and the {n_columns} worst\n(number: mean squared error per pixel)")
    for axes, (name, rows) in zip(figure.subplots(3, 1), groups):
        pairs = np.concatenate([images[rows], outputs[rows]])  # (2 n_columns, D)
        columns, middles, _ = show_images(axes, pairs, shape, n_columns)
        axes.set_xticks(columns, [f"{errors[row]:.4f}" for row in rows], fontsize=8)
        axes.set_yticks(middles, [f"{name}:\n{kind}" for kind in ("original", "reconstruction")])
    return figure


def code_space(codes, classes, clusters, centers, names):
    """All codes twice: on the left coloured by true class, on the right by cluster, with red stars at the centres.

    codes (N, C), classes (N,), clusters (N,), centers (K, C); names {cluster: class or None}, for the legend.
    C = 3 is drawn in space, C = 2 in the plane, C = 1 as a strip; for more than three, pairs of axes in several rows.
    """
    n_codes = codes.shape[1]
    pairs = [(0, 1, 2)[:n_codes]] if n_codes <= 3 else [(i, min(i + 1, n_codes - 1)) for i in range(0, n_codes, 2)]
    if pairs[-1][0] == pairs[-1][-1] and n_codes > 1:
        pairs[-1] = (n_codes - 2, n_codes - 1)  # odd number of axes: the last pair repeats one of them
    size = 6 if n_codes <= 3 else 4
    legend_width = 1.7 * (1 + max(len(names), len(np.unique(classes))) // 20)
    figure = Figure(figsize=(2 * (size + legend_width), size * len(pairs) + 0.6), layout="constrained")
    n_wrong = sum(names.get(k) != digit for k, digit in zip(clusters.tolist(), classes.tolist()))
    figure.suptitle(f"{len(codes):,} codes of {n_codes} number{'s' if n_codes > 1 else ''} each; "
                    f"k-means puts {n_wrong:,} of them into the wrong cluster")
    digits = np.unique(classes).tolist()
    digit_styles = {digit: (i, f"digit {digit}") for i, digit in enumerate(digits)}
    cluster_styles, free = {}, len(digits)  # a cluster has the style of its digit; one without a digit has its own
    for k, digit in sorted(names.items(), key=lambda item: (item[1] is None, item[1], item[0])):
        style = digit_styles[digit][0] if digit is not None else free
        cluster_styles[k] = style, f"cluster {k}: " + ("no digit of its own" if digit is None else f"digit {digit}")
        free += digit is None
    for row, dimensions in enumerate(pairs):
        for side, (title, labels, styles) in enumerate((("coloured by true digit", classes, digit_styles),
                                                        ("coloured by cluster", clusters, cluster_styles))):
            space = {"projection": "3d"} if len(dimensions) == 3 else {}
            axes = figure.add_subplot(len(pairs), 2, 2 * row + side + 1, **space)
            _scatter(axes, codes, labels, centers, dimensions, styles)
            axes.set_title(title)
    return figure


def _scatter(axes, codes, labels, centers, dimensions, styles):
    """Points in one, two or three of the code's dimensions, with the centres as red stars on top."""
    def place(points, heights):
        columns = [points[:, d] for d in dimensions]
        return [*columns, heights] if len(columns) == 1 else columns  # a strip spreads the points vertically

    flat = {} if len(dimensions) < 3 else {"depthshade": False}
    alpha = float(np.clip(6000 / len(codes), 0.1, 0.5))  # many points must not hide those drawn earlier
    for label, (style, name) in styles.items():
        points = codes[labels == label]
        color = PALETTE[style % len(PALETTE)]
        marker = MARKERS[(style + style // len(PALETTE)) % len(MARKERS)]  # the eleventh differs from the first
        axes.scatter(*place(points, np.linspace(0, 1, len(points))), s=6, alpha=alpha, lw=0, label=name, color=color,
                     marker=marker, **flat)
    axes.scatter(*place(centers, np.full(len(centers), 0.5)), s=330, marker="*", color="red", edgecolor="black", lw=0.9,
                 zorder=10, label="k-means centre", **flat)
    if len(dimensions) == 3:
        axes.computed_zorder = False  # otherwise points in front hide the stars
        axes.set_box_aspect(None, zoom=0.9)
        axes.view_init(*_view(codes, centers))
        axes.set_zlabel("code 3")
    axes.set_xlabel(f"code {dimensions[0] + 1}")
    axes.set_ylabel(f"code {dimensions[1] + 1}" if len(dimensions) > 1 else "(spread for visibility)")
    legend = axes.legend(loc="upper left", fontsize=8, bbox_to_anchor=(1.02, 1), ncols=1 + len(styles) // 20)
    for handle in legend.legend_handles[:-1]:
        handle.set_alpha(1)
        handle.set_sizes([30])
    legend.legend_handles[-1].set_sizes([100])


def _view(codes, centers):
    """Elevation and azimuth, in degrees, of a view in which the centres are apart and the codes overlap least.

    The direction in which the centres differ most must be in the picture plane, so the view is orthogonal to it; among
    these views it is the one along which the codes vary least.
    """
    def directions(points):  # columns, from the direction of smallest variance to that of largest
        return np.linalg.eigh(np.cov(points.T, bias=True))[1]

    apart = directions(centers)[:, -1] if len(centers) > 1 else np.zeros(3)
    in_plane = codes - np.outer(codes @ apart, apart)  # (N, 3): the part orthogonal to `apart`
    x, y, z = directions(in_plane)[:, 1 if len(centers) > 1 else 0]  # `apart` itself now has variance 0: skip it
    elevation, azimuth = np.degrees([np.arcsin(np.clip(z, -1, 1)), np.arctan2(y, x)])
    return (elevation, azimuth) if elevation >= 0 else (-elevation, azimuth + 180)  # never from below


def side_by_side(panels, classes):
    """Several kinds of codes of the same images, one panel each, coloured by true class; crosses: in the wrong cluster.

    panels   (title, points (N, 2) or (N, 1), clusters (N,)) for each
    classes  (N,)
    """
    title = ("The same images in every panel, as each method represents them: the two directions of largest variance\n"
             "(coloured by true digit; black crosses: in the wrong cluster)")
    figure, cells = panel_grid(len(panels), title=title, n_columns=4, panel=(4.6, 4.3), margin=(0, 0.6))
    alpha = float(np.clip(6000 / len(classes), 0.1, 0.5))
    for cell, (title, points, clusters) in zip(cells, panels):
        matching = best_matching(classes, clusters)
        wrong = np.array([matching.get(k) for k in clusters.tolist()], object) != classes  # (N,)
        xs, ys = points[:, 0], points[:, -1]
        for number, label in enumerate(np.unique(classes).tolist()):
            own = classes == label
            cell.scatter(xs[own], ys[own], s=5, lw=0, alpha=alpha, color=PALETTE[number % len(PALETTE)],
                         marker=MARKERS[number % len(MARKERS)], label=f"digit {label}")
        cell.scatter(xs[wrong], ys[wrong], s=14, lw=0.7, marker="x", color="black", label="wrong")
        cell.set_title(title, fontsize=9)
        cell.set(xticks=[], yticks=[])
    legend = cells[0].legend(fontsize=8)
    for handle in legend.legend_handles:
        handle.set_alpha(1)
        handle.set_sizes([25])
    return figure


def center_images(centers, counts, names, wrong_images, wrong_classes, wrong_clusters, shape, *, n_shown=30):
    """Each centre decoded into an image, and images that k-means put into the wrong cluster.

    centers (K, D) decoded centres; counts (K,) images in each cluster; names {cluster: class or None};
    wrong_images (M, D), wrong_classes (M,), wrong_clusters (M,): the mistakes, the most informative first.
    """
    n_clusters, n_columns = len(centers), 10
    wrong_images = wrong_images[:n_shown]
    center_rows, wrong_rows = math.ceil(n_clusters / 5), max(1, math.ceil(len(wrong_images) / n_columns))
    figure = Figure(figsize=(11, 2.6 * center_rows + 1.5 * wrong_rows + 1.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(2.6 * center_rows + 0.6, 1.5 * wrong_rows + 0.6))
    top.suptitle("The centres of the clusters, decoded into images")
    cells = top.subplots(center_rows, min(5, n_clusters), squeeze=False).ravel()
    for cell in cells:
        cell.axis("off")
    for k in range(n_clusters):
        cells[k].axis("on")
        show_image(cells[k], centers[k], shape)
        name = "no digit of its own" if names[k] is None else f"digit {names[k]}"
        cells[k].set_title(f"cluster {k}: {name}\n{counts[k]:,} images", fontsize=10)
    n_wrong = len(wrong_classes)
    shown = f"; {len(wrong_images)} of them, the worst first" if n_wrong > len(wrong_images) else ""
    bottom.suptitle(f"{n_wrong:,} of {counts.sum():,} images are in the wrong cluster{shown}" if n_wrong
                    else "No image is in the wrong cluster")
    axes = bottom.subplots()
    if n_wrong == 0:
        axes.axis("off")
        return figure
    columns, _, tops = show_images(axes, wrong_images, shape, n_columns, below=0.45)
    for i, (label, cluster) in enumerate(zip(wrong_classes[:n_shown], wrong_clusters)):
        taken = f"cluster {cluster}" if names[cluster] is None else f"a {names[cluster]}"
        axes.text(columns[i % n_columns], tops[i // n_columns] - 1, f"a {label}, taken for\n{taken}", fontsize=7.5,
                  ha="center", va="bottom")
    return figure
