"""What lessons need from Jupyter and the machine. (That sliders move was seen in a browser.)"""

import json
import sys
import time

import pytest

from aelearn import plotting
from aelearn.kernels.cpu import ceiling
from aelearn.teaching import notebooks
from aelearn.teaching.notebooks import measured, seconds, slider, source
from tests.kernels.threads import run


def draw(step):
    return plotting.bars(["a"], [step + 1], title="t", xlabel="x")


def test_without_widgets_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert slider(draw, 3) is None
    assert capsys.readouterr().out == ("To see a slider here, pip install ipywidgets. "
                                       "The other pictures show the same.\n")


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
