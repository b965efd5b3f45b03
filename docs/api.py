"""Build the API reference from the docstrings, with pdoc (extra: docs).

    python docs/api.py [FOLDER]        a page for each module; without FOLDER, into docs/api

Docstrings are Markdown but for one thing: lists of arguments and attributes are aligned in two columns, as a terminal
shows them best. `listed` turns these into Markdown's lists. Whatever pdoc warns of is an error.
"""

import importlib
import pkgutil
import re
import sys
import warnings
from pathlib import Path

import pdoc
from pdoc.render import configure, env

import aelearn

DOCS = Path(__file__).parent
LEFT_OUT = ("aelearn.moved", "aelearn.mnist", "aelearn.lessons", "aelearn.__main__", "aelearn.teaching.exercises")
NAME = r"\"?[\w.-]+\"?(?: \([^()]*\))?"  # `tol`, `"lloyd"` or `X (N, D)`
ROW = re.compile(rf"^(?P<names>{NAME}(?:, {NAME})*) {{2,}}(?P<text>\S.*)$")


def listed(docstring):
    """The docstring, each paragraph of rows `name  text` (and lines that go on, indented) as a list."""
    return "\n\n".join(map(_paragraph, re.split(r"\n[ ]*\n", docstring)))


def _paragraph(text):
    lines = text.split("\n")
    if not ROW.match(lines[0]) or not all(ROW.match(line) or line.startswith("  ") for line in lines):
        return text
    rows = []
    for line in lines:
        row = ROW.match(line)
        rows.append(f"- `{row['names']}`: {row['text']}" if row else f"  {line.strip()}")
    return "\n".join(rows)


def hidden_modules():
    """The modules that pdoc does not find by itself: those of packages whose `__all__` does not name them."""
    for module in pkgutil.walk_packages(aelearn.__path__, "aelearn."):
        package = importlib.import_module(module.name.rpartition(".")[0])
        if hasattr(package, "__all__"):
            yield module.name


def main(folder=DOCS / "api"):
    warnings.simplefilter("error")
    env.filters["listed"] = listed
    configure(template_directory=DOCS / "templates", include_undocumented=False, footer_text="aelearn")
    pdoc.pdoc("aelearn", *hidden_modules(), *(f"!{name}" for name in LEFT_OUT), output_directory=Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
