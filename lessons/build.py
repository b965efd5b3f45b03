"""Build the lessons: from each src/NN_name.py a notebook to work through, and one with everything solved.

    python lessons/build.py [NAME ...]        all lessons, or those whose names are given (02, 02_backprop_by_hand)
    python lessons/build.py --measure [...]   the same, with measurements of this machine

Needs the extra `lessons`. A source is a py:percent file. In its code cells, the text between `### BEGIN SOLUTION` and
`### END SOLUTION` becomes `...` in the notebook to work through; a Markdown cell tagged "answer" is only in the solved
one. The code of a cell tagged "plot", which only draws, is folded away. So is the first code cell, tagged "setup",
which is the same in all notebooks and written here: it installs aelearn where it is missing.

Both notebooks are executed, so that they can be read without running them. Two builds on one machine give the same
bytes: nothing that changes from run to run is kept (time stamps, widget states, random cell numbers). What lessons
measure is recorded in src/recorded and shown again by every build without --measure.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from aelearn import __version__, plotting

LESSONS = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"  # moves only while a kernel runs, and differs in each run
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION\n?", re.M | re.S)
SETUP = f'''# Installs aelearn where it is missing.
from importlib.util import find_spec

if find_spec("aelearn") is None:
    %pip install -q "aelearn[lessons]=={__version__}"'''
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # for JupyterLab; for hosted notebooks
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}}


def notebook(source, *, solved):
    """The notebook of a source's text, not executed: with its solutions, or to work through."""
    book = jupytext.reads(source, fmt="py:percent")
    cells = [cell for cell in book.cells if solved or "answer" not in _tags(cell)]
    for number, cell in enumerate(cells, 1):
        cell.id = f"cell-{number:02}"
        tags = _tags(cell)
        if cell.cell_type == "code":
            cell.source = SOLUTION.sub(r"\2" if solved else r"\1...\n", cell.source + "\n").rstrip("\n")
        cell.metadata = nbformat.from_dict({**({"tags": tags} if tags else {}), **(FOLDED if "plot" in tags else {})})
    setup = nbformat.v4.new_code_cell(SETUP, id="setup", metadata={"tags": ["setup"], **FOLDED})
    cells.insert(1, setup)  # below the title
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def _tags(cell):
    return list(cell.metadata.get("tags", []))


def execute(book, *, timeout=120, record=None):
    """Run a notebook in a fresh kernel, in an empty folder, and keep its outputs. Raises on an error in a cell.

    record  the file of measurements to show again; None: measure
    """
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=timeout, kernel_name="python3", record_timing=False,
                                resources={"metadata": {"path": folder}}, extra_arguments=["--log-level=ERROR"])
        client.execute(env={**os.environ, **({"AELEARN_RECORD": str(record)} if record else {})})
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(output for output in cell.outputs if WIDGET not in output.get("data", {}))
    return book


def _joined(outputs):
    """The outputs, with neighbouring pieces of text joined: where a kernel cuts them depends on how busy it was."""
    joined = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream" and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def sources(names=()):
    """The sources of all lessons, or of those named, in order."""
    found = sorted((LESSONS / "src").glob("[0-9][0-9]_*.py"))
    unknown = [name for name in names if not any(path.stem.startswith(name) for path in found)]
    if unknown:
        sys.exit(f"there is no lesson {', '.join(unknown)}; there are {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or any(path.stem.startswith(name) for name in names)]


def target(source, *, solved):
    """The path of the notebook that is built from a source."""
    return (LESSONS / "solutions" if solved else LESSONS) / f"{source.stem}.ipynb"


def needs(source):
    """A lesson's number, its title, and the numbers of the lessons that it needs, as it says itself."""
    text = " ".join(line.removeprefix("# ") for line in source.read_text().splitlines())
    number, title = re.search(r"# (\d+) · (.*?)  ?#", text).groups()
    said = re.search(r"\*\*You need\*\* (.*?)\.", text)[1]
    return int(number), title.strip(), [int(n) for part in re.findall(r"lessons? (\d+(?:(?:, | and )\d+)*)", said)
                                        for n in re.findall(r"\d+", part)]


def draw_path():
    """The picture in README.md: which lesson needs which."""
    steps = {number: (title, before) for number, title, before in map(needs, sources())}
    plotting.save(plotting.path(steps, title="The lessons; an arrow leads from what a lesson needs"),
                  LESSONS / "pictures" / "path.png")


def main(names):
    """Build the lessons that are named, or all; with new measurements if "--measure" is among the names."""
    for source in sources([name for name in names if name != "--measure"]):
        record = LESSONS / "src" / "recorded" / f"{source.stem}.json"
        record.parent.mkdir(exist_ok=True)
        if "--measure" in names:
            record.unlink(missing_ok=True)
        for solved in (True, False):
            path = target(source, solved=solved)
            path.parent.mkdir(exist_ok=True)
            text = nbformat.writes(execute(notebook(source.read_text(), solved=solved), record=record))
            path.write_text(text + "\n")
            print(path.relative_to(LESSONS.parent), flush=True)
    draw_path()


if __name__ == "__main__":
    main(sys.argv[1:])
