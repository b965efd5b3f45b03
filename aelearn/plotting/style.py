"""What all figures share: colours, markers, how an image is drawn, how a figure is saved.

The colours are those of Okabe and Ito ("Color universal design", 2008), which colour-blind readers can distinguish;
classes also differ in marker and lightness, so figures remain readable in grey.
"""

import numpy as np
from matplotlib.figure import Figure

from aelearn.core.files import replacing

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#999999", "#7B3F00")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", ">", "h")


def save(figure, path):
    """Write a figure to a PNG file, completely or not at all."""
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def panel_grid(n_panels, *, title, n_columns, panel, margin, **shared):
    """A figure with n_panels in rows of n_columns, and its cells; cells without a panel are switched off.

    panel   width and height of each, in inches
    margin  additional width and height of the figure, in inches, for titles and a legend
    shared  further arguments of figure.subplots: sharex, sharey
    """
    n_columns = min(n_columns, n_panels)
    n_rows = -(-n_panels // n_columns)
    figure = Figure(figsize=(panel[0] * n_columns + margin[0], panel[1] * n_rows + margin[1]), layout="constrained")
    figure.suptitle(title)
    cells = figure.subplots(n_rows, n_columns, squeeze=False, **shared).ravel()
    for cell in cells[n_panels:]:
        cell.axis("off")
    return figure, cells


def show_image(axes, image, shape):
    """One image of pixels from 0 (black) to 1 (white), without ticks."""
    axes.imshow(image.reshape(shape), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def show_images(axes, images, shape, n_columns, *, below=0.06):
    """Images (N, D) in rows of n_columns, drawn as one picture: much faster than axes for each of them.

    below  white space between two rows of images, as a share of their height
    Returns the middles of the columns and of the rows, and the upper edges of the rows, for ticks and texts.
    """
    height, width = shape
    right, down = width + max(1, round(0.06 * width)), height + max(1, round(below * height))
    n_rows = -(-len(images) // n_columns)
    canvas = np.ones(((n_rows - 1) * down + height, (n_columns - 1) * right + width))  # white
    for i, image in enumerate(images):
        top, left = i // n_columns * down, i % n_columns * right
        canvas[top:top + height, left:left + width] = image.reshape(shape)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    tops = np.arange(n_rows) * down - 0.5
    return np.arange(n_columns) * right + (width - 1) / 2, tops + height / 2, tops
