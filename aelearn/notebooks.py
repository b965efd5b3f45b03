"""What the lessons want of Jupyter: figures that need no backend of matplotlib, and sliders where there are any."""

from io import BytesIO


def show(figure, alt=""):
    """A figure as the output of a notebook's cell, a PNG.

    alt  what is to be seen, in words, for those who cannot see it
    """
    from IPython.display import Image

    file = BytesIO()
    figure.savefig(file, format="png", dpi=80)
    return Image(file.getvalue(), alt=alt)


def slider(draw, n_steps, label="step"):
    """A slider over draw(0), draw(1), ..., draw(n_steps - 1), each a figure. Moves only where a kernel is running.

    Without ipywidgets it is one sentence, and the lesson goes on.
    """
    try:
        import ipywidgets
    except ImportError:
        print("There would be a slider here: pip install ipywidgets brings it. The pictures beside show the same.")
        return None
    from IPython.display import display

    picture = ipywidgets.Image(format="png")
    control = ipywidgets.IntSlider(min=0, max=n_steps - 1, description=label, continuous_update=True)

    def redraw(step):
        file, figure = BytesIO(), draw(step)
        figure.savefig(file, format="png", dpi=80)
        picture.value, picture.layout.width = file.getvalue(), f"{80 * figure.get_figwidth():.0f}px"

    control.observe(lambda change: redraw(change["new"]), names="value")
    redraw(0)
    display(ipywidgets.VBox([control, picture]))
    return None
