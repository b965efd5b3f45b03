"""What lessons need from Jupyter and the machine. (tests/test_browser.py moves the lessons' sliders in a browser.)"""

import base64
import json
import sys
import time
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from aelearn import plotting
from aelearn.kernels.cpu import ceiling
from aelearn.teaching import notebooks
from aelearn.teaching.notebooks import measured, seconds, show, slider, source
from tests.kernels.threads import run


def draw(value):
    return plotting.bars(["a"], [value], title="t", xlabel="x")


def image_in(page):
    """The attributes of the one image in some HTML, and its pixels (height, width, 3)."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(dict(attributes)) if tag == "img" else None
    parser.feed(page)
    attributes, = found
    kind, data = attributes["src"].split(",")
    assert kind == "data:image/png;base64"
    return attributes, np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGB"), int)


def test_a_figure_is_a_picture_in_double_resolution_with_a_text():
    figure, alt = draw(1), 'bars with "a" < b & c'
    picture = show(figure, alt=alt)
    attributes, pixels = image_in(picture._repr_html_())
    assert attributes["alt"] == alt == repr(picture)
    assert int(attributes["width"]) == 80 * figure.get_figwidth() == pixels.shape[1] / 2


def test_256_colours_look_like_all():
    everything = BytesIO()
    figure = plotting.partitions(np.random.default_rng(0).normal(size=(400, 2)), [("t", np.eye(2))], title="t")
    figure.savefig(everything, format="png", dpi=160)
    _, pixels = image_in(show(figure, alt="points")._repr_html_())
    error = pixels - np.asarray(Image.open(everything).convert("RGB"), int)
    assert np.sqrt((error**2).mean()) < 2  # of 255


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_picture_without_a_text_is_refused(alt):
    with pytest.raises(ValueError, match="a picture needs a description in words"):
        show(draw(1), alt)


def test_a_slider_without_a_text_is_refused():
    pytest.importorskip("ipywidgets")
    with pytest.raises(ValueError, match="a picture needs a description in words"):
        slider(draw, [1, 2], label="l", alt="")


def test_without_widgets_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert slider(draw, [1, 2], label="l", alt="bars") is None
    assert capsys.readouterr().out == ("To see a slider here, pip install ipywidgets. "
                                       "The other pictures show the same.\n")


def test_a_slider_shows_values_and_redraws(monkeypatch):
    ipywidgets, display = pytest.importorskip("ipywidgets"), pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    slider(draw, np.array([1, 1 / 3, 2000]), label="weight", alt="A bar")
    control, picture = shown[0].children
    assert isinstance(shown[0], ipywidgets.VBox) and control.description == "weight"
    alts, pictures = [], []
    for control.index in range(3):
        attributes, pixels = image_in(picture.value)
        alts.append((control.label, attributes["alt"]))
        pictures.append(pixels)
    assert alts == [("1", "A bar; weight: 1"), ("0.3333", "A bar; weight: 0.3333"), ("2000", "A bar; weight: 2000")]
    for value, pixels in zip([1, 1 / 3, 2000], pictures):
        assert np.array_equal(pixels, image_in(show(draw(value), "a bar")._repr_html_())[1])


def test_a_slider_shows_texts_and_integers_as_they_are(monkeypatch):
    pytest.importorskip("ipywidgets")
    display, shown = pytest.importorskip("IPython.display"), []
    monkeypatch.setattr(display, "display", shown.append)
    slider(lambda value: draw(len(str(value))), ["a", 100000, np.int64(7)], label="l", alt="A bar")
    assert shown[0].children[0].options == (("a", "a"), ("100000", 100000), ("7", 7))


def test_a_measurement_is_recorded_once_and_shown_again(monkeypatch, tmp_path):
    numbers = iter([{"a": 1 / 3}, {"a": 2 / 3}, 5])
    measure = lambda: next(numbers)  # noqa: E731
    monkeypatch.setenv(notebooks.RECORD, str(tmp_path / "record.json"))
    assert [measured("x", measure) for _ in range(3)] == [{"a": 1 / 3}] * 3
    monkeypatch.delenv(notebooks.RECORD)
    assert measured("x", measure) == {"a": 2 / 3}  # a reader's machine measures
    monkeypatch.setenv(notebooks.RECORD, str(tmp_path / "record.json"))
    assert measured("y", measure) == 5
    assert json.loads((tmp_path / "record.json").read_text()) == {"x": {"a": 1 / 3}, "y": 5}


def test_what_a_build_recorded_can_be_read_by_every_reader():
    counts = notebooks.recorded("08_kmeans_on_all_cores", "race")
    assert len(counts) == 5 and any(count < 2_000_000 for count in counts), "lesson 8 shows them where no race is lost"


def test_the_first_call_is_not_timed_and_the_best_counts():
    pauses = iter([0.2, 0.02, 0.001, 0.02])
    found = seconds({"pause": lambda: time.sleep(next(pauses))}, rounds=3)
    assert 0.001 <= found["pause"] < 0.02


def test_sources_of_functions_and_of_kernels():
    assert source(measured).startswith("def measured(")
    assert "def multiply_adds(" in source(ceiling.multiply_adds)  # parallel: behind a guard
    from aelearn.kernels.cpu.matmul import loops
    assert "def loops(" in source(loops)


def test_without_a_gpu_lessons_simulate():
    code = """
from aelearn.teaching.notebooks import gpu_or_simulator
print(gpu_or_simulator())
from aelearn import kernels
print(kernels.get("cuda").describe())
try:
    gpu_or_simulator()
except RuntimeError as error:
    print(error)
"""
    said = run(code, NUMBA_ENABLE_CUDASIM="0", NUMBA_DISABLE_CUDA="1").splitlines()
    assert said == ["there is no GPU here: kernels run in the simulator, thread by thread, in Python",
                    "runs here, in a simulator, without a GPU",
                    "Numba is loaded already: restart the kernel, and run the lesson from its first cell"]
