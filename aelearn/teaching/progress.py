"""Which exercises a learner has solved, and how long the others will take: a small file beside the notebooks.

    from aelearn.teaching.progress import table
    print(table("lessons"))          # as `aelearn lessons` prints it

`check` notes an exercise as solved when its answer is right. The file, progress.json, is for the learner alone: nothing
leaves the machine, and it may be deleted at any time. It is one JSON object:

    solved  names of the exercises, in the order in which they were solved
    copied  {file: SHA-256 of what `aelearn lessons` copied there}, by which copies.py knows what has been changed
"""

import json
import re
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from aelearn.core.files import replacing
from aelearn.teaching.exercises import BY_LESSON

FILE = "progress.json"
NOTEBOOKS = {lesson: f"{number:02}_{lesson}.ipynb" for number, lesson in enumerate(BY_LESSON, 1)}


class Lesson(NamedTuple):
    """A lesson as its notebook describes it: number, title, minutes that it takes, names of its exercises."""

    number: int
    title: str
    minutes: int
    exercises: tuple


def originals():
    """The folder of the lessons that come with aelearn: in an installed wheel, or in a checkout."""
    package = Path(__file__).parent.parent
    return package / "lessons" if any((package / "lessons").glob("*.ipynb")) else package.parent / "lessons"


def lessons():
    """All lessons in order, as a list of Lesson. Title and minutes are read from the notebooks that come with aelearn,
    because learners may change theirs."""
    return [Lesson(number, *_title_and_minutes(originals() / NOTEBOOKS[lesson]), tuple(exercises))
            for number, (lesson, exercises) in enumerate(BY_LESSON.items(), 1)]


def _title_and_minutes(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    title = re.search(r"^# \d+ · (.+)$", text, re.M)[1]
    return title, int(re.search(r"\*\*You need\*\*.*?about\s(\d+)\sminutes", text, re.S)[1])


def record_solved(name, folder=None):
    """Note an exercise as solved, if `folder` is one of lessons to work through; otherwise do nothing.

    name    of the exercise
    folder  None: the working directory, which in Jupyter is the notebook's folder

    Nothing is noted in the folder of solved lessons: running those solves no exercise. A folder that cannot be written
    is none of the learner's worries: nothing is raised, nothing is printed.
    """
    with suppress(OSError):
        folder = Path.cwd() if folder is None else Path(folder).resolve()
        solved_ones = folder.name == "solutions" and _has_lessons(folder.parent)
        if _has_lessons(folder) and not solved_ones and name not in read(folder)["solved"]:
            update(folder, lambda record: record["solved"].append(name))


def _has_lessons(folder):
    return any((folder / notebook).is_file() for notebook in NOTEBOOKS.values())


def solved(folder):
    """The names of the exercises solved in a folder, as a set. Raises OSError if its file cannot be read."""
    return set(read(folder)["solved"])


def table(folder):
    """The lessons, how many of their exercises are solved, and about how many minutes are left, as lines of text.

    The minutes left of a lesson are its minutes times the share of exercises that are open. Raises OSError if the
    folder's file cannot be read.
    """
    done, rows = solved(folder), []
    for lesson in lessons():
        n, n_solved = len(lesson.exercises), len(done.intersection(lesson.exercises))
        rows.append((f"{lesson.number:2}  {lesson.title}", n_solved, n, round(lesson.minutes * (n - n_solved) / n)))
    rows.append(("    all lessons", *map(sum, list(zip(*rows))[1:])))
    width = max(len(row[0]) for row in rows)
    return "\n".join([f"{'lesson':{width}}   solved   minutes left",
                      *(f"{title:{width}}   {k:2} of {n:2}   {left:5}" for title, k, n, left in rows)])


def read(folder):
    """What the file of a folder says; nothing solved and nothing copied if there is none, or if it is broken.

    Raises OSError if it cannot be read.
    """
    path = Path(folder) / FILE
    try:
        return _parsed(path) or _nothing()
    except (FileNotFoundError, NotADirectoryError):
        return _nothing()
    except OSError as error:
        raise OSError(f"{path} cannot be read: {error.strerror}") from None


def update(folder, change):
    """Call change(record) with what the file of a folder says, and write what has become of it.

    A broken file is kept under another name. Raises OSError if the folder cannot be written.
    """
    path, record = Path(folder) / FILE, read(folder)
    if path.exists() and _parsed(path) is None:
        names = (path.with_name(f"{path.stem}.broken-{n}{path.suffix}") for n in count(1))
        path.rename(next(name for name in names if not name.exists()))
    change(record)
    with replacing(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(record, indent=1) + "\n")


def _nothing():
    return {"solved": [], "copied": {}}


def _parsed(path):
    """The record that a file contains; None if it is broken."""
    try:
        record = {**_nothing(), **json.loads(path.read_bytes())}
        names, digests = record["solved"], record["copied"].values()
    except (ValueError, TypeError, AttributeError, RecursionError):  # no JSON, or no object of objects
        return None
    return record if isinstance(names, list) and all(isinstance(text, str) for text in (*names, *digests)) else None
