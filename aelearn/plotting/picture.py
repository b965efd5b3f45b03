"""A figure as a notebook shows it: HTML, with a text for people who cannot see it."""

import base64
import html
from io import BytesIO

PER_INCH = 80  # pixels of the page to an inch of a figure
CARD = ("background: white; border-radius: 6px; padding: 6px; "  # white, because a notebook's theme may be dark
        "display: inline-block; box-sizing: border-box; max-width: 100%")


class Picture:
    """A figure as HTML: twice as many pixels as it is wide on the page, on a white card, and never wider than the page.

    alt  what it shows, in words: for people who cannot see it, and wherever HTML is not shown. Must not be empty.
    """

    def __init__(self, figure, alt):
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError(f"alt is {alt!r}, but a picture needs a description in words: show(figure, alt=\"...\")")
        self._alt, width, data = alt, PER_INCH * figure.get_figwidth(), base64.b64encode(_png(figure)).decode()
        self._html = (f'<div style="{CARD}"><img alt="{html.escape(alt)}" width="{width:.0f}" '
                      f'style="display: block; max-width: 100%" src="data:image/png;base64,{data}"></div>')

    def _repr_html_(self):
        return self._html

    def __repr__(self):
        return self._alt


def _png(figure):
    """The bytes of a PNG of 256 colours: a third to a half of the size, and the eye sees no difference."""
    from PIL import Image  # Matplotlib depends on it

    drawn, file = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=2 * PER_INCH)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()
