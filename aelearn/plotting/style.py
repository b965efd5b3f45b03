"""What all figures share: colours, marks, how an image is drawn, how a figure is saved.

Colours are those of Okabe and Ito ("Color universal design", 2008), told apart by colour-blind readers; classes also
differ in marker and lightness, so that the pictures can be read in grey.
"""

from matplotlib.figure import Figure

from aelearn.core.files import replacing

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#999999", "#7B3F00")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", ">", "h")


def save(figure, path):
    """Write a figure to a PNG file, whole or not at all."""
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def panel_grid(n_panels, *, title, n_columns, panel, margin, **shared):
    """A figure with n_panels in rows of n_columns, and its cells, of which those without a panel are switched off.

    panel   width and height of each, in inches
    margin  what the figure is wider and higher than its panels, in inches: room for titles and a legend
    shared  what figure.subplots takes: sharex, sharey
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
    """One image of pixels 0 (black) to 1 (white), without ticks."""
    axes.imshow(image.reshape(shape), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
