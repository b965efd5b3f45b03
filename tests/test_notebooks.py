"""Sliders, with and without ipywidgets. (That they move was seen in a browser.)"""

import sys

import pytest

from aelearn import plotting
from aelearn.notebooks import slider


def draw(step):
    return plotting.bars(["a"], [step + 1], title="t", xlabel="x")


def test_without_widgets_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert slider(draw, 3) is None
    assert capsys.readouterr().out == ("There would be a slider here: pip install ipywidgets brings it. "
                                       "The pictures beside show the same.\n")


def test_a_slider_redraws(monkeypatch):
    ipywidgets, display = pytest.importorskip("ipywidgets"), pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    slider(draw, 3, label="epoch")
    control, picture = shown[0].children
    first = bytes(picture.value)
    control.value = 2
    assert (control.min, control.max, control.description) == (0, 2, "epoch")
    assert first.startswith(b"\x89PNG") and bytes(picture.value) not in (b"", first)
    assert isinstance(shown[0], ipywidgets.VBox)
