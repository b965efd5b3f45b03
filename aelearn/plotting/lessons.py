"""Figures for lessons and benchmarks: curves, walks downhill, bars, tables, tiles, partitions of the plane, graphs,
matrices, rooflines, paths.

Shapes: N samples, D pixels, K clusters.
"""

import textwrap

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from aelearn.plotting.style import MARKERS, PALETTE, panel_grid, show_image


class _PlainNumbers(LogFormatterSciNotation):
    """Writes 0.04 at a logarithmic axis, and a power of ten only if the axis has very small or very large numbers."""

    def __call__(self, x, pos=None):
        label = super().__call__(x, pos)  # "" where there is no room for a label
        low, high = self.axis.get_view_interval()
        return f"{x:g}" if label and low >= 1e-3 and high <= 1e4 else label


def curves(series, *, title, xlabel, ylabel, points=None, logarithmic=False):
    """Lines in one plot.

    series       {label: (xs, ys)}
    points       {label: (xs, ys)}, drawn as markers on top
    logarithmic  True: both axes are logarithmic; "y": the vertical one is
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    styles = ("-", "--", "-.", ":")
    for number, (label, (xs, ys)) in enumerate(series.items()):
        axes.plot(xs, ys, color=PALETTE[number], ls=styles[number % 4], lw=2, label=label)
    for number, (label, (xs, ys)) in enumerate((points or {}).items(), len(series)):
        axes.plot(xs, ys, ls="none", marker=MARKERS[number], ms=8, color=PALETTE[number], mec="black", label=label)
    if logarithmic:
        axes.set_yscale("log")
    if logarithmic is True:
        axes.set_xscale("log")
    elif all(isinstance(x, (int, np.integer)) for xs, _ in series.values() for x in xs):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(_PlainNumbers())
            axis.set_minor_formatter(_PlainNumbers())
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(True, color="0.9")
    axes.legend()
    return figure


def walks(height, lowest, panels, *, title, xlabel, ylabel, size=(7.5, 1.9)):
    """Walks down to the lowest point, panel below panel, on contour lines of equal height.

    height   a function from points (..., 2) to their heights (...), which are at least 0
    lowest   (2,), the lowest point, a star
    panels   a (caption, points (T, 2)) each: the places visited, in order, all inside the axes. The first is larger
    size     of a panel, width and height in inches
    """
    figure, cells = panel_grid(len(panels), title=title, n_columns=1, panel=size, margin=(0, 0.7), sharex=True,
                               sharey=True)
    places = np.concatenate([[lowest], *(points for _, points in panels)])  # (1 + all T, 2)
    margin = 0.15 * np.ptp(places, axis=0)  # (2,)
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin  # (2,), (2,)
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 201).T), axis=-1)  # (201, 201, 2)
    heights = height(grid)  # (201, 201)
    levels = heights.max() * np.linspace(0, 1, 16)[1:-1] ** 2  # lines at equal distances, if the slope is quadratic
    for cell, (caption, points) in zip(cells, panels):
        cell.contour(grid[..., 0], grid[..., 1], heights, levels=levels, cmap="Greys_r", linewidths=0.7, alpha=0.6)
        cell.plot(*lowest, ls="none", marker="*", ms=13, color=PALETTE[1], mec="black", label="lowest point")
        cell.plot(*points.T, marker="o", ms=3.5, lw=1.4, color=PALETTE[0], label="steps")
        cell.plot(*points[0], ls="none", marker="o", ms=9, color=PALETTE[5], mec="black", label="start")
        cell.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), ylabel=ylabel)
        cell.set_title(caption, fontsize=9)
    cells[len(panels) - 1].set_xlabel(xlabel)
    figure.legend(*cells[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def bars(names, values, *, title, xlabel, line=None):
    """Horizontal bars, the first at the top, each with its value; `line` marks a reference value."""
    figure = Figure(figsize=(9, 0.5 * len(names) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.barh(names, values, color=PALETTE[0])
    axes.bar_label(drawn, [f"{value:.3g}" for value in values], padding=4)
    if line is not None:
        axes.axvline(line, color="black", ls="--", lw=1.5)
    axes.set(title=title, xlabel=xlabel, xlim=(0, 1.1 * max(values)))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def tiles(images, captions, shape, *, title, n_columns=10):
    """Small images side by side, each with its caption.

    images (N, D), captions N strings, shape (rows, columns) of an image
    """
    width = 1.1 * min(n_columns, len(images)) + 0.4  # inches, with room for about 11 letters each
    title = textwrap.fill(title, int(11 * width))
    figure, cells = panel_grid(len(images), title=title, n_columns=n_columns, panel=(1.1, 1.4),
                               margin=(0.4, 0.6 + 0.2 * title.count("\n")))
    for cell, image, caption in zip(cells, images, captions):
        cell.axis("off")
        show_image(cell, image, shape)
        cell.set_title(caption, fontsize=9)
    return figure


def partitions(X, steps, *, title, n_columns=4, size=3.1):
    """Points in the plane and their clusters, panel by panel: the Voronoi cells of the centres.

    X (N, 2); steps: a (caption, centers (K, 2)) for each panel; size of a panel in inches. Red stars are the centres.
    """
    figure, panels = panel_grid(len(steps), title=title, n_columns=n_columns, panel=(size, 1.03 * size),
                                margin=(0, 0.4))
    low, high = X.min(axis=0) - 0.5, X.max(axis=0) + 0.5  # (2,), (2,)
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 150).T), axis=-1)  # (150, 150, 2)
    for cell, (caption, centers) in zip(panels, steps):
        cell.axis("off")
        cells, labels = (np.argmin(((points[..., None, :] - centers) ** 2).sum(axis=-1), axis=-1)
                         for points in (grid, X))
        colours = ListedColormap([PALETTE[k % len(PALETTE)] for k in range(len(centers))])
        cell.imshow(cells, origin="lower", extent=(low[0], high[0], low[1], high[1]), cmap=colours, alpha=0.25,
                    vmin=-0.5, vmax=len(centers) - 0.5, aspect="auto", interpolation="nearest")
        for k in range(len(centers)):
            cell.scatter(*X[labels == k].T, s=7, color=PALETTE[k % len(PALETTE)], marker=MARKERS[k % len(MARKERS)])
        cell.scatter(*centers.T, marker="*", s=260, color="red", edgecolor="black", zorder=3)
        cell.set_title(caption, fontsize=9)
    return figure


def densities(panels, *, title, xlabel, points=(), n_columns=3, size=3.6):
    """Densities on a line, panel by panel on the same axes: the first of each is a filled area, the others are lines.

    panels  a (caption, {label: (xs, ys)}) for each
    points  (N,), the data, drawn as short ticks at the bottom of each panel
    size    the width of a panel in inches
    """
    figure, cells = panel_grid(len(panels), title=title, n_columns=n_columns, panel=(size, 0.72 * size),
                               margin=(0, 0.7), sharex=True, sharey=True)
    for number, (cell, (caption, series)) in enumerate(zip(cells, panels)):
        for line, (label, (xs, ys)) in enumerate(series.items()):
            color, style = PALETTE[(0, 5, 2, 7)[line % 4]], ("-", "-", "--", ":")[line % 4]
            if line == 0:
                cell.fill_between(xs, ys, color=color, alpha=0.25, lw=0)
            cell.plot(xs, ys, color=color, ls=style, lw=1 if line == 0 else 1.8, label=label)
        if len(points):
            cell.plot(points, np.zeros(len(points)), ls="none", marker="|", ms=9, color="black", alpha=0.4)
        cell.set_title(caption, fontsize=9)
        if number == 0 or list(series) != list(panels[number - 1][1]):
            cell.legend(fontsize=8)
    cells[0].set_ylim(bottom=0)  # after all panels are drawn, because they share it
    for cell in cells:
        place = cell.get_subplotspec()
        cell.set(xlabel=xlabel if place.is_last_row() else "", ylabel="density" if place.is_first_col() else "")
    return figure


def projections(panels, *, title, n_columns=3, size=(3.4, 2.9)):
    """Points in the plane, their orthogonal projections onto a line, and the residuals, panel by panel.

    panels  a (caption, X (N, 2), projected (N, 2), mean (2,), direction (2,)) each; the line goes through the mean
    size    of a panel, width and height in inches
    """
    figure, cells = panel_grid(len(panels), title=title, n_columns=n_columns, panel=size, margin=(0, 0.8))
    offsets = [np.concatenate([X, projected]) - mean for _, X, projected, mean, _ in panels]  # (2 N, 2) each
    reach = 1.05 * np.abs(np.concatenate(offsets)).max(axis=0)  # (2,), the same for all panels
    for cell, (caption, X, projected, mean, direction) in zip(cells, panels):
        cell.axline(mean, mean + direction, color="black", lw=1, zorder=1, label="the line")
        cell.add_collection(LineCollection(np.stack([X, projected], axis=1), linewidths=0.8, colors="0.6", zorder=0,
                                           label="residuals"))
        cell.plot(*X.T, ls="none", marker=MARKERS[0], ms=3.5, color=PALETTE[0], label="points")
        cell.plot(*projected.T, ls="none", marker=MARKERS[1], ms=4, color=PALETTE[1], label="projections")
        cell.plot(*mean, ls="none", marker="P", ms=10, color=PALETTE[5], mec="black", label="the mean")
        cell.set(xlim=(mean[0] - reach[0], mean[0] + reach[0]), ylim=(mean[1] - reach[1], mean[1] + reach[1]))
        cell.set_aspect("equal")  # so that right angles look like right angles
        cell.tick_params(labelsize=7)
        cell.set_title(caption, fontsize=9)
    figure.legend(*cells[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def mixtures(X, steps, *, title, n_columns=4, size=3.1, axes_names=None, names=None):
    """Points in the plane and the normal distributions of a mixture, panel by panel.

    X (N, 2); steps: a (caption, responsibilities (N, K), means (K, 2), covariances (K, 2, 2)) for each panel; size of a
    panel in inches; axes_names of the horizontal and the vertical axis, which are otherwise not drawn; names of the
    components, for a legend. The colour of a point mixes those of the components according to its responsibilities; its
    marker is that of the component with the largest one. Stars are the means; ellipses are one and two standard
    deviations away from them.
    """
    figure, cells = panel_grid(len(steps), title=title, n_columns=n_columns, panel=(size, 1.03 * size), margin=(0, 0.4))
    margin = 0.05 * np.ptp(X, axis=0)  # (2,)
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin  # (2,), (2,)
    angles = np.linspace(0, 2 * np.pi, 100)  # (100,)
    circle = np.stack([np.cos(angles), np.sin(angles)])  # (2, 100)
    for cell, (caption, r, means, covariances) in zip(cells, steps):
        if axes_names:
            cell.set(xlabel=axes_names[0], ylabel=axes_names[1])
        else:
            cell.axis("off")
        own = np.array([to_rgb(PALETTE[k % len(PALETTE)]) for k in range(len(means))])  # (K, 3)
        mixed, most = np.clip(r @ own, 0, 1), r.argmax(axis=1)  # (N, 3), (N,)
        for k, (mean, covariance) in enumerate(zip(means, covariances)):
            cell.scatter(*X[most == k].T, s=9, c=mixed[most == k], marker=MARKERS[k % len(MARKERS)], lw=0)
            if names:
                cell.plot([], [], ls="none", marker=MARKERS[k % len(MARKERS)], color=own[k], label=names[k])
                cell.legend(fontsize=8)
            axes_of_it, lengths = np.linalg.eigh(covariance)[::-1]  # (2, 2), (2,)
            outline = axes_of_it @ (np.sqrt(np.maximum(lengths, 0))[:, None] * circle)  # (2, 100)
            for deviations in (1, 2):
                cell.plot(*(mean[:, None] + deviations * outline), color=own[k], lw=1.6)
        cell.scatter(*means.T, marker="*", s=200, color=own, edgecolor="black", zorder=3)
        cell.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        cell.set_aspect("equal")  # so that circles look like circles
        cell.set_title(caption, fontsize=9)
    return figure


def table(counts, rows, columns, *, title, xlabel, ylabel):
    """A table of counts (R, C) with its numbers, darker for larger ones; rows and columns are the names."""
    counts = np.asarray(counts)
    figure = Figure(figsize=(0.75 * len(columns) + 1.6, 0.5 * len(rows) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues", aspect="auto", vmin=0, vmax=max(1, counts.max()))
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=9,
                  color="white" if count > 0.6 * counts.max() else "black")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    return figure


def graphs(panels, *, title, n_columns=3, size=(3.4, 3.2), names=None, axes_names=("", ""), equal=True):
    """Points in the plane by group, and the edges between them, panel by panel.

    panels      a (caption, X (N, 2), labels (N,), W (N, N) or None) each; the width of an edge grows with its weight,
                and edges below a hundredth of the largest weight are left out
    size        of a panel, width and height in inches
    names       {label: name}, for a legend; without it, up to twelve points show their indices
    axes_names  of the horizontal and the vertical axis
    equal       True: both axes have the same scale
    """
    figure, cells = panel_grid(len(panels), title=title, n_columns=n_columns, panel=size,
                               margin=(0, 0.4 + 0.4 * bool(names)))
    for cell, (caption, X, labels, W) in zip(cells, panels):
        if W is not None:
            i, j = np.nonzero(np.triu(W, 1) > 0.01 * np.max(W))  # (edges,), (edges,)
            shares = W[i, j] / np.max(W)  # (edges,)
            cell.add_collection(LineCollection(np.stack([X[i], X[j]], axis=1), linewidths=2 * shares, colors="0.5",
                                               alpha=np.clip(shares, 0.1, 1), zorder=1))
        few = len(X) <= 12
        for label in np.unique(labels):
            cell.scatter(*X[labels == label].T, s=(90 if names else 330) if few else 9, zorder=2,
                         color=PALETTE[label % len(PALETTE)], marker=MARKERS[label % len(MARKERS)],
                         label=(names or {}).get(label))
        for number, point in enumerate(X if few and not names else ()):
            cell.text(*point, str(number), ha="center", va="center", fontsize=10, zorder=3,
                      color="white" if labels[number] == 0 else "black")
        if few and not names:
            cell.set(xticks=[], yticks=[])  # the position of a node has no meaning
        cell.margins(0.15 if few else 0.05)
        cell.set(xlabel=axes_names[0], ylabel=axes_names[1])
        cell.set_aspect("equal" if equal else "auto", adjustable="datalim")
        cell.tick_params(labelsize=7)
        cell.set_title(caption, fontsize=9)
    if names:
        figure.legend(*cells[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names),
                      markerscale=1 if few else 2)
    return figure


def matrices(panels, *, title):
    """Matrices side by side, (caption, values (R, C)) each, darker for larger values. Up to 60 values are printed."""
    widths = [max(1.5, min(3.4, 0.62 * values.shape[1])) for _, values in panels]
    rows = max(values.shape[0] for _, values in panels)
    figure = Figure(figsize=(sum(widths) + 0.5 * len(panels), min(3.4, 0.5 * rows) + 0.9), layout="constrained")
    figure.suptitle(title)
    cells = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)[0]
    for cell, (caption, values) in zip(cells, panels):
        low, high = min(0.0, values.min()), max(values.max(), 1e-12)
        cell.imshow(values, cmap="Blues", aspect="auto", vmin=low, vmax=high, interpolation="nearest")
        for (row, column), value in np.ndenumerate(values if values.size <= 60 else np.empty((0, 0))):
            cell.text(column, row, f"{value + 0.0:.2f}", ha="center", va="center", fontsize=8.5,
                      color="white" if value - low > 0.6 * (high - low) else "black")
        if values.size <= 60:
            cell.set(xticks=range(values.shape[1]), yticks=range(values.shape[0]))
        cell.tick_params(labelsize=8)
        cell.set_title(caption, fontsize=9)
    return figure


def roofline(roofs, peak, points, *, title):
    """The largest possible speed of a program by its operations per byte, and the speeds of some programs.

    roofs   {name: bytes per second}: the bandwidth of each memory, a slanted line
    peak    operations per second, a horizontal line
    points  {name: (operations per byte, operations per second)}; the first are the largest, so that each of two in the
            same place can be seen
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    most = max(intensity for intensity, _ in points.values())
    xs = np.geomspace(0.05, max(8, 4 * most), 200)  # (200,)
    for number, (name, speed) in enumerate(roofs.items()):
        axes.plot(xs, np.minimum(speed * xs, peak) / 1e9, color="black", ls=("-", "--", ":")[number % 3], lw=1.5,
                  label=f"bandwidth: {name}, {speed / 1e9:.3g} GB/s")
    axes.plot(xs[[0, -1]], [peak / 1e9] * 2, color="0.6", lw=4, zorder=0, label=f"peak: {peak / 1e9:.3g} GFLOP/s")
    for number, (name, (intensity, speed)) in enumerate(points.items()):
        axes.plot(intensity, speed / 1e9, ls="none", ms=max(7, 16 - 2 * number), mec="black",
                  marker=MARKERS[number % len(MARKERS)], color=PALETTE[number % len(PALETTE)], label=name)
    axes.set(xscale="log", yscale="log", title=title, xlabel="operations per byte moved",
             ylabel="GFLOP/s (billions of operations per second)")
    axes.grid(True, which="both", color="0.92")
    axes.legend(fontsize=8)
    return figure


def path(steps, *, title):
    """A diagram of prerequisites: a box for each step, and arrows to it from the steps that it needs.

    steps  {number: (name, the numbers of the steps that it needs)}, earlier ones first
    """
    column = {}
    for number, (_, needs) in steps.items():
        column[number] = max((column[need] + 1 for need in needs), default=0)
    rows, place = dict.fromkeys(range(len(steps)), 0), {}
    for number in steps:
        place[number] = column[number], -rows[column[number]]
        rows[column[number]] += 1
    n_columns, n_rows = max(column.values()) + 1, max(rows.values())
    figure = Figure(figsize=(3.7 * n_columns + 0.2, 0.7 * n_rows + 0.5), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, needs) in steps.items():
        x, y = place[number]
        axes.add_patch(FancyBboxPatch((x, y - 0.2), 0.76, 0.4, boxstyle="round,pad=0.02", fc="white", ec=PALETTE[0]))
        axes.text(x + 0.01, y, f"{number}  {name}", ha="left", va="center", fontsize=9.5)
        for need in needs:
            axes.annotate("", xy=(x - 0.02, y), xytext=(place[need][0] + 0.78, place[need][1]), zorder=0,
                          arrowprops={"arrowstyle": "->", "color": "0.4"})
    axes.set(title=title, xlim=(-0.05, n_columns - 0.15), ylim=(-n_rows + 0.5, 0.5))
    axes.axis("off")
    return figure
