"""Copies of the lessons: complete, never over what a learner has changed."""

import json
import re
import shutil

import pytest

from aelearn.teaching import progress
from aelearn.teaching.copies import copy_lessons

N_COPIES = 13 + 1 + 4  # notebooks, README.md, pictures


@pytest.fixture
def version(tmp_path, monkeypatch):
    """The lessons of a version of aelearn that a test may change."""
    shutil.copytree(progress.originals(), tmp_path / "version",
                    ignore=shutil.ignore_patterns("src", "progress*.json", ".ipynb_checkpoints", "__pycache__"))
    monkeypatch.setattr(progress, "originals", lambda: tmp_path / "version")
    return tmp_path / "version"


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_copied_once(version, tmp_path):
    mine = tmp_path / "a" / "b"
    assert len(copy_lessons(mine).copied) == N_COPIES
    assert files(mine) == {name for name in files(version) if not name.startswith(("solutions/", "build"))} | {
        "progress.json"}
    assert copy_lessons(mine) == ([], [])
    assert sorted(copy_lessons(mine, solutions=True).copied) == sorted(
        f"solutions/{name}" for name in progress.NOTEBOOKS.values())
    assert files(mine) == files(version) - {"build.py"} | {"progress.json"}
    assert all((mine / name).read_bytes() == (version / name).read_bytes() for name in files(version) - {"build.py"})


def test_what_a_learner_has_changed_is_kept(version, tmp_path):
    mine = tmp_path / "mine"
    copy_lessons(mine)
    (mine / "02_backprop_by_hand.ipynb").write_text("my work")
    (mine / "03_gradient_checking.ipynb").unlink()
    (mine / "04_training_the_autoencoder.ipynb").write_text("my work")
    progress.record_solved("dense", mine)
    for name in ("01_the_job.ipynb", "02_backprop_by_hand.ipynb", "pictures/path.png"):
        (version / name).write_text("newer")
    done = copy_lessons(mine)
    assert done.copied == ["01_the_job.ipynb", "03_gradient_checking.ipynb", "pictures/path.png"]
    assert done.kept == ["02_backprop_by_hand.ipynb", "04_training_the_autoencoder.ipynb"]
    assert (mine / "01_the_job.ipynb").read_text() == (mine / "pictures" / "path.png").read_text() == "newer"
    assert (mine / "02_backprop_by_hand.ipynb").read_text() == "my work" and progress.solved(mine) == {"dense"}
    (version / "01_the_job.ipynb").write_text("newer still")
    assert copy_lessons(mine) == (["01_the_job.ipynb"], done.kept)


def test_files_of_the_same_names_that_were_there_are_kept(version, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    assert copy_lessons(mine).kept == ["README.md"] and (mine / "README.md").read_text() == "mine"


@pytest.mark.parametrize("lost", ["deleted", "broken"])
def test_after_the_file_of_progress_is_lost_unchanged_files_are_known_again(version, tmp_path, lost):
    mine = tmp_path / "mine"
    copy_lessons(mine)
    (mine / "progress.json").write_text("{") if lost == "broken" else (mine / "progress.json").unlink()
    (mine / "02_backprop_by_hand.ipynb").write_text("my work")
    assert copy_lessons(mine) == ([], ["02_backprop_by_hand.ipynb"])
    for notebook in progress.NOTEBOOKS.values():
        (version / notebook).write_text("newer")
    assert copy_lessons(mine) == ([name for name in progress.NOTEBOOKS.values() if not name.startswith("02")],
                                  ["02_backprop_by_hand.ipynb"])
    assert (mine / "progress.broken-1.json").exists() == (lost == "broken")


def test_where_the_lessons_are_already_nothing_is_copied(version):
    before = files(version)
    assert copy_lessons(version, solutions=True) == ([], []) and files(version) == before


def test_a_complete_folder_may_be_read_only(version, tmp_path):
    mine = tmp_path / "mine"
    copy_lessons(mine)
    (mine / "progress.json").unlink()
    (mine / "progress.json.part").mkdir()  # no user can write that, not even root
    assert copy_lessons(mine) == ([], [])
    (mine / "README.md").unlink()
    with pytest.raises(OSError, match="the lessons cannot be copied to .*mine: Is a directory: .*progress.json.part"):
        copy_lessons(mine)


def test_files_are_whole_or_not_there(version, tmp_path):
    mine = tmp_path / "mine"
    (mine / "03_gradient_checking.ipynb.part").mkdir(parents=True)
    with pytest.raises(OSError, match="the lessons cannot be copied to"):
        copy_lessons(mine)
    assert files(mine) == {"01_the_job.ipynb", "02_backprop_by_hand.ipynb"}
    (mine / "03_gradient_checking.ipynb.part").rmdir()
    assert len(copy_lessons(mine).copied) == N_COPIES - 2
    assert len(json.loads((mine / "progress.json").read_text())["copied"]) == N_COPIES


def test_a_file_is_no_folder(version, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OSError, match="mine is not a folder: choose another name"):
        copy_lessons(tmp_path / "mine")
    with pytest.raises(OSError, match="the lessons cannot be copied to"):
        copy_lessons(tmp_path / "mine" / "lessons")
    assert (tmp_path / "mine").read_text() == "mine"


def test_links_of_the_page_lead_somewhere_in_a_copy(version, tmp_path):
    copy_lessons(tmp_path / "mine", solutions=True)
    page = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", page)
    assert len(links) > 13
    for link in links:
        assert (tmp_path / "mine" / link).exists(), link
