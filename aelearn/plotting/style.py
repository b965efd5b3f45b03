"""What all figures share: colours, marks, how an image is drawn, how a figure is saved.

Colours are those of Okabe and Ito ("Color universal design", 2008), told apart by colour-blind readers; classes also
differ in marker and lightness, so that the pictures can be read in grey.
"""

from aelearn.files import replacing

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#999999", "#7B3F00")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", ">", "h")


def save(figure, path):
    """Write a figure to a PNG file, whole or not at all."""
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def show_image(axes, image, shape):
    """One image of pixels 0 (black) to 1 (white), without ticks."""
    axes.imshow(image.reshape(shape), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
