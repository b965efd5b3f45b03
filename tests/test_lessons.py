"""The lessons: notebooks match their sources, and run in real kernels, unsolved and solved.

They need the extra `lessons`; without it they are skipped, or fail if AELEARN_STRICT=1.
"""

import ast
import importlib.util
import os
import re
from pathlib import Path

import pytest

import aelearn
from aelearn.teaching import progress
from aelearn.teaching.exercises import EXERCISES

ROOT = Path(__file__).parent.parent
MISSING = [name for name in ("jupytext", "nbclient", "nbformat", "ipykernel") if not importlib.util.find_spec(name)]
if MISSING and os.environ.get("AELEARN_STRICT") != "1":
    pytest.skip(f"the extra 'lessons' is not installed ({', '.join(MISSING)})", allow_module_level=True)

spec = importlib.util.spec_from_file_location("build", ROOT / "lessons" / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)
SOURCES = build.sources()
each_lesson = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def cells(book):
    """A notebook's cells, without their outputs."""
    return [(cell.cell_type, cell.id, cell.source, cell.metadata.get("tags", [])) for cell in book.cells]


def tagged(book, tag):
    return [cell for cell in book.cells if tag in cell.metadata.get("tags", [])]


@each_lesson
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "open"])
def test_notebooks_are_in_step_with_their_sources(source, solved):
    import nbformat

    path = build.target(source, solved=solved)
    text = path.read_text()
    committed = nbformat.reads(text, as_version=4)
    nbformat.validate(committed)
    assert cells(committed) == cells(build.notebook(source.read_text(), solved=solved)), "python lessons/build.py"
    assert "widgets" not in committed.metadata and str(ROOT) not in text and "/tmp/" not in text
    assert all("execution" not in cell.metadata for cell in committed.cells)


def outputs(cell):
    """The text that a cell printed, check's line included, and the line of its error or None."""
    printed = "".join(output.text if output.output_type == "stream" else output.data["text/plain"] + "\n"
                      for output in cell.outputs if output.output_type == "stream" or is_a_line(output))
    errors = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return printed, errors[0] if errors else None


def is_a_line(output):
    """True if it is the line in which check says whether an answer is right."""
    return output.output_type == "display_data" and output.data["text/plain"][:1] in "✓○✗"


MOVE_ALL_SLIDERS = """
import gc, ipywidgets
sliders = [thing for thing in gc.get_objects() if isinstance(thing, ipywidgets.SelectionSlider)]
for slider in sliders:
    slider.index = len(slider.options) - 1
print(len(sliders), "sliders moved")
"""


NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(e[-+]?\d+)?")
ABOUT_THE_MACHINE = ("07", "08", "09")  # lessons that say what they ran on, and whether there is a GPU


def words(book):
    """The printed output of each cell, with # for each number: conclusions must be the same on every machine."""
    return [NUMBER.sub("#", outputs(cell)[0]) for cell in book.cells if cell.cell_type == "code"]


@each_lesson
def test_solved_lessons_run_without_an_error_or_a_warning(source):
    """And print what they print in the repository, except for the digits of numbers; their sliders still move when the
    last cell has run, whatever names later cells have taken."""
    import nbformat

    book = build.notebook(source.read_text(), solved=True)
    book.cells.append(nbformat.v4.new_code_cell(MOVE_ALL_SLIDERS, id="sliders"))
    book = build.execute(book)
    for cell in book.cells:
        if cell.cell_type == "code":
            assert not [out for out in cell.outputs if out.output_type == "error" or out.get("name") == "stderr"]
    for cell in tagged(book, "check"):
        assert re.fullmatch(r"✓ \w+: right, on \d+ inputs\n", outputs(cell)[0])
    n_sliders = sum(cell.source.count("slider(") for cell in book.cells[:-1] if cell.cell_type == "code")
    assert outputs(book.cells[-1])[0] == f"{n_sliders} sliders moved\n"
    if not source.stem.startswith(ABOUT_THE_MACHINE):
        committed = nbformat.read(build.target(source, solved=True), as_version=4)
        assert words(book)[:-1] == words(committed)


@each_lesson
def test_open_lessons_reach_their_end_with_exactly_their_checks_unsolved(source):
    book = build.execute(build.notebook(source.read_text(), solved=False))
    checks = tagged(book, "check")
    assert len(checks) >= 3 and len(checks) == len(tagged(book, "exercise")) == len(tagged(book, "hint"))
    for cell in book.cells:
        if cell.cell_type == "code":
            printed, error = outputs(cell)
            assert error is None and cell.execution_count is not None
            assert (cell in checks) == bool(re.search(r"^○ \w+: not solved yet$", printed, re.M))
    assert "### BEGIN" not in "".join(cell.source for cell in book.cells)
    assert not tagged(book, "answer")


IN_A_KERNEL = {  # a cell, and what it shows
    "def neuron(x, w, b):\n    ...\ncheck(neuron)": "○ neuron: not solved yet",
    "def neuron(x, w, b):\n    return x @ w + b\ncheck(neuron)": "✗ neuron: a: that is z",
    "neuron = lambda x, w, b: 1 / (1 + np.exp(-x @ w - b))\ncheck(neuron)": "✓ neuron: right, on",
    "def neuron(x, w, b):\n    while True:\n        pass\ncheck(neuron)": "✗ neuron: it had not returned",
    "def neuron(x, w, b):\n    return input()\ncheck(neuron)": "✗ neuron: it calls input()",
    "def neuron(x, w, b):\n    exit()\ncheck(neuron)": "✗ neuron: it calls exit()",
    "import numba\ndense = numba.njit(lambda x, W, b: x @ W + b)\ncheck(dense)": "✓ dense: right, on",
    "import threading\nprint(threading.active_count() - threads, 'more threads')": "0 more threads",
}


def test_checks_in_a_real_kernel(tmp_path):
    """Each verdict is one line in its colour, no cell raises, the kernel goes on, and what is solved is noted."""
    import nbformat
    from nbclient import NotebookClient

    first = ("import numpy as np, threading\nfrom aelearn.teaching.checks import check\n"
             "threads = threading.active_count()")
    book = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, [first, *IN_A_KERNEL])))
    (tmp_path / "02_backprop_by_hand.ipynb").write_text("{}")
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}},
                   extra_arguments=["--log-level=ERROR"]).execute()
    for cell, shown in zip(book.cells[1:], IN_A_KERNEL.values()):
        assert outputs(cell)[0].startswith(shown) and outputs(cell)[1] is None, cell.outputs
    colours = [re.search("border-left: 4px solid (#......)", cell.outputs[0].data["text/html"])[1]
               for cell in book.cells[1:4]]
    assert len(set(colours)) == 3
    assert progress.solved(tmp_path) == {"neuron", "dense"}


SHOW_BARS = """
import sys, time
sys.modules.update({})
from aelearn.core import progress
from aelearn.teaching.notebooks import waiting
progress.DELAY = 0
drawn = []
class Watched(progress._tqdm()):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        drawn.append(hasattr(self, "container"))  # a widget
progress._tqdm = lambda: Watched
for total in (None, 3):
    with progress.progress(1, "work", unit="epoch", total=total):
        while len(drawn) < (2 if total else 1):
            time.sleep(0.01)
print(drawn)
"""


@pytest.mark.parametrize("missing", [{}, {"ipywidgets": None}])
def test_progress_bars_leave_nothing_in_a_notebook(missing):
    """They are widgets, even if the bar is not full at the end; without ipywidgets they are text, without a warning."""
    import nbformat

    code = SHOW_BARS.replace("{}", repr(missing), 1)
    cell = build.execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])).cells[0]
    assert [out.text for out in cell.outputs if out.name == "stdout"] == [f"{[not missing] * 2}\n"]
    lines = [line for out in cell.outputs if out.name == "stderr" for line in out.text.split("\r")]
    assert bool(lines) == bool(missing)
    assert all("Warning" not in line and "\n" not in line for line in lines) and not "".join(lines[-2:]).strip()


def test_every_exercise_is_in_a_lesson():
    text = "".join(source.read_text() for source in SOURCES)
    assert all(f"check({name})" in text and f"def {name}(" in text for name in EXERCISES)
    assert text.count("\ncheck(") == len(EXERCISES)


@each_lesson
def test_folded_cells_only_set_up_or_draw(source):
    for solved in (True, False):
        book = build.notebook(source.read_text(), solved=solved)
        folded = [cell for cell in book.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
        assert folded == [*tagged(book, "setup"), *tagged(book, "plot")]
        for cell in folded:  # JupyterLab shows the first line, in a window of any width
            assert re.match(r"# .{,50}\n", cell.source)
        for cell in tagged(book, "plot"):
            *_, last = ast.parse(cell.source).body
            assert ast.unparse(last).startswith(("show(", "slider("))
            assert not re.search(r"\b(print|check|def|import)\b", cell.source)


def test_the_setup_cell_asks_pip_for_this_version_where_aelearn_is_missing(monkeypatch, tmp_path):
    """Offline, pip finds nothing and says what it looked for; with aelearn, the cell does nothing."""
    import nbformat

    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "IGNORE_INSTALLED": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    hide = "import importlib.util; importlib.util.find_spec = lambda name: None"
    for before, expected in ((hide, f"aelearn[lessons]=={aelearn.__version__}"), ("", "")):
        book = build.notebook(SOURCES[0].read_text(), solved=False)
        setup, = tagged(book, "setup")
        assert [cell.id for cell in book.cells if cell.cell_type == "code"][0] == setup.id
        book.cells = [nbformat.v4.new_code_cell(before), setup]
        said = build.execute(book).cells[1].outputs
        assert expected in "".join(output.text for output in said) and bool(said) == bool(expected)


@each_lesson
def test_lessons_are_of_a_length_for_one_sitting(source):
    assert 20 <= len(build.notebook(source.read_text(), solved=True).cells) - 1 <= 45  # the setup cell is folded away


def test_the_path_names_every_lesson_and_what_it_needs():
    page = (ROOT / "lessons" / "README.md").read_text()
    for source in SOURCES:
        number, title, before = build.needs(source)
        assert source.stem.startswith(f"{number:02}_") and title
        row, = [line for line in page.splitlines() if line.startswith(f"| [{source.stem}]({source.stem}.ipynb) ")]
        assert set(before) <= {int(other) for other in re.findall(r"\d+", row.split("|")[3])} and all(
            earlier < number for earlier in before)


@each_lesson
def test_links_lead_somewhere(source):
    links = re.findall(r"\]\(([^)#]+)\)", source.read_text().replace("\n# ", " "))
    assert links
    for link in links:
        for solved in (True, False):
            assert (build.target(source, solved=solved).parent / link).is_file(), link
