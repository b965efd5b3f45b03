"""Build the lessons: from each src/NN_name.py a notebook to work through, and one with everything solved.

    python lessons/build.py [NAME ...]        all lessons, or those whose names are given (02, 02_backprop_by_hand)

Wants the extra `lessons`. A source is a py:percent file. In its code cells, what stands between `### BEGIN SOLUTION`
and `### END SOLUTION` is `...` in the notebook to work through; a Markdown cell tagged "answer" is only in the solved
one. A cell tagged "check" may raise in the former, because its exercise is open.

Both notebooks are executed, so that they can be read where they lie. Two builds on one machine give the same bytes:
nothing that changes from run to run is kept (time stamps, widget states, random cell numbers).
"""

import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

LESSONS = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"  # moves only where a kernel runs, and is another in each run
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION\n?", re.M | re.S)
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
        if "check" in tags and not solved:
            tags = [*tags, "raises-exception"]
        cell.metadata = nbformat.NotebookNode({"tags": tags} if tags else {})
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def _tags(cell):
    return list(cell.metadata.get("tags", []))


def execute(book, *, timeout=120):
    """Run a notebook in a fresh kernel, in an empty folder, and keep its outputs. Raises on an error in a cell."""
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=timeout, kernel_name="python3", record_timing=False,
                                resources={"metadata": {"path": folder}}, extra_arguments=["--log-level=ERROR"])
        client.execute()
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    return book


def sources(names=()):
    """The sources of the lessons, of all or of those named, in order."""
    found = sorted((LESSONS / "src").glob("[0-9][0-9]_*.py"))
    unknown = [name for name in names if not any(path.stem.startswith(name) for path in found)]
    if unknown:
        sys.exit(f"there is no lesson {', '.join(unknown)}; there are {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or any(path.stem.startswith(name) for name in names)]


def target(source, *, solved):
    """Where the notebook of a source lies."""
    return (LESSONS / "solutions" if solved else LESSONS) / f"{source.stem}.ipynb"


def main(names):
    """Build the lessons that are named, or all."""
    for source in sources(names):
        for solved in (True, False):
            path = target(source, solved=solved)
            path.parent.mkdir(exist_ok=True)
            text = nbformat.writes(execute(notebook(source.read_text(), solved=solved)))
            path.write_text(text + "\n")
            print(path.relative_to(LESSONS.parent), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
