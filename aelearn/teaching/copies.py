"""The lessons in a folder of the learner: copied from those that come with aelearn, and opened in JupyterLab.

What a learner has changed is never overwritten. progress.json has the SHA-256 of each file as it was copied: a file
that still has it is unchanged, so that the copy of a later version may replace it.
"""

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from aelearn.core.files import replacing
from aelearn.teaching import progress


class Copies(NamedTuple):
    """What `copy_lessons` has done: the names of the files copied, and of those kept because they were changed."""

    copied: list
    kept: list


def copy_lessons(folder, *, solutions=False):
    """Copy the notebooks, their README.md and its pictures to `folder`, made if necessary; returns Copies.

    solutions  True: also the solved notebooks, to folder/solutions

    Nothing is copied to the place where the lessons are already, as in a checkout. Each file is written completely or
    not at all. Raises OSError, with one sentence, if the folder cannot be written.
    """
    source, folder, done = progress.originals(), Path(folder), Copies([], [])
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder: choose another name for the folder of the lessons")
    if folder.exists() and folder.samefile(source):
        return done
    before, now = progress.read(folder)["copied"], {}
    try:
        for name in _names(source, solutions):
            content, path = (source / name).read_bytes(), folder / name
            new, there = _digest(content), _digest(path.read_bytes()) if path.exists() else None
            if there not in (None, new, before.get(name)):
                done.kept.append(name)
                continue
            if there != new:
                path.parent.mkdir(parents=True, exist_ok=True)
                with replacing(path) as file:
                    file.write(content)
                done.copied.append(name)
            now[name] = new
        if any(before.get(name) != digest for name, digest in now.items()):
            _note(folder, now, needed=bool(done.copied))
    except OSError as error:
        raise OSError(f"the lessons cannot be copied to {folder}: {error.strerror}"
                      + (f": {error.filename}" if error.filename else "")) from None
    return done


def _note(folder, digests, *, needed):
    """Note what the files were when they were copied. A folder that was complete already may be read-only."""
    try:
        progress.update(folder, lambda record: record["copied"].update(digests))
    except OSError:
        if needed:
            raise


def _names(source, solutions):
    """The files to copy, relative to the folder `source`."""
    folders = ("", "solutions/") if solutions else ("",)
    return [*(f"{folder}{notebook}" for folder in folders for notebook in progress.NOTEBOOKS.values()), "README.md",
            *sorted(f"pictures/{path.name}" for path in (source / "pictures").glob("*.png"))]


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def jupyterlab_is_installed():
    """Whether `open_in_jupyterlab` can work."""
    return find_spec("jupyterlab") is not None


# python -m jupyterlab, but deaf to the Ctrl-C that a terminal sends to both processes: it ends when it is told to. (A
# handler that does nothing is not inherited by the programs that JupyterLab starts, unlike a signal that is ignored.)
JUPYTERLAB = ("import runpy, signal; signal.signal(signal.SIGINT, lambda *_: None); "
              "runpy.run_module('jupyterlab', run_name='__main__', alter_sys=True)")


def open_in_jupyterlab(folder):
    """Run JupyterLab in a folder until the user ends it, there or by Ctrl-C; returns its exit code, 0 after Ctrl-C."""
    lab = subprocess.Popen([sys.executable, "-c", JUPYTERLAB], cwd=folder,
                           stdin=subprocess.DEVNULL)  # with a terminal to ask, it would handle Ctrl-C by a question
    try:
        return lab.wait()
    except KeyboardInterrupt:
        lab.terminate()
        lab.wait()
        return 0
