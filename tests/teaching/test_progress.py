"""The file of progress: what is noted where, what is left, and that it never disturbs a lesson."""

import json
import re
import shutil
from pathlib import Path

import pytest

from aelearn.teaching import progress
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.progress import record_solved, solved, table

PAGE = progress.originals() / "README.md"


@pytest.fixture
def folder(tmp_path):
    """A folder with the first lesson in it, open and solved."""
    (tmp_path / "mine" / "solutions").mkdir(parents=True)
    for path in ("01_the_job.ipynb", "solutions/01_the_job.ipynb"):
        shutil.copy(progress.originals() / path, tmp_path / "mine" / path)
    return tmp_path / "mine"


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_lessons_say_what_the_page_about_them_says():
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) .*\| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert [file for _, file, _ in rows] == list(progress.NOTEBOOKS.values())
    assert [int(minutes) for *_, minutes in rows] == [lesson.minutes for lesson in progress.lessons()]
    assert [lesson.number for lesson in progress.lessons()] == list(range(1, len(rows) + 1))
    assert [name for lesson in progress.lessons() for name in lesson.exercises] == list(EXERCISES)
    assert progress.lessons()[9].title == "PCA and the linear autoencoder"


def test_open_and_solved_notebooks_say_the_same():
    """The table reads the open ones."""
    for notebook in progress.NOTEBOOKS.values():
        open_one, solved_one = (progress.originals() / where / notebook for where in (".", "solutions"))
        assert progress._title_and_minutes(open_one) == progress._title_and_minutes(solved_one)


def test_an_exercise_is_noted_once_in_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert solved(folder) == set()
    for name in ("nearest", "shuffled", "nearest"):
        assert record_solved(name) is None
    assert json.loads((folder / "progress.json").read_text()) == {"solved": ["nearest", "shuffled"], "copied": {}}
    assert solved(folder) == {"nearest", "shuffled"}


def test_nothing_is_noted_elsewhere(folder, tmp_path, monkeypatch):
    """Solved notebooks run in solutions/, and `check` works anywhere."""
    before = files(tmp_path)
    for elsewhere in (folder / "solutions", tmp_path, tmp_path / "nowhere"):
        record_solved("nearest", elsewhere)
    monkeypatch.chdir(folder / "solutions")
    record_solved("nearest")
    assert files(tmp_path) == before


def test_a_learner_may_call_the_folder_solutions(folder, tmp_path):
    folder.rename(tmp_path / "solutions")
    record_solved("nearest", tmp_path / "solutions")
    assert solved(tmp_path / "solutions") == {"nearest"}


def test_what_other_versions_have_written_is_kept(folder):
    (folder / "progress.json").write_text('{"solved": ["of_another_version"], "colour": "red"}')
    record_solved("nearest", folder)
    assert json.loads((folder / "progress.json").read_text()) == {
        "solved": ["of_another_version", "nearest"], "copied": {}, "colour": "red"}
    assert table(folder).splitlines()[-1].split()[2:5] == ["1", "of", str(len(EXERCISES))]


@pytest.mark.parametrize("broken", ["", "{", "[]", "3", "null", '{"solved": 3}', '{"solved": [3]}',
                                    '{"solved": "nearest"}', '{"copied": []}', '{"copied": {"a": 3}}', "\x80",
                                    "[" * 100_000])
def test_a_broken_file_is_kept_under_another_name(folder, broken):
    for n in (1, 2):
        (folder / "progress.json").write_bytes(broken.encode("latin-1"))
        assert solved(folder) == set() and (folder / "progress.json").read_text("latin-1") == broken, "only read"
        record_solved("nearest", folder)
        assert solved(folder) == {"nearest"}
        assert (folder / f"progress.broken-{n}.json").read_text("latin-1") == broken
    assert len(files(folder)) == 5


@pytest.mark.parametrize("obstacle", ["progress.json", "progress.json.part"])
def test_a_folder_that_cannot_be_written_does_not_disturb(folder, obstacle, capsys):
    (folder / obstacle).mkdir()  # no user can write that, not even root
    record_solved("nearest", folder)
    assert capsys.readouterr() == ("", "") and len(files(folder)) == 2


def test_a_file_that_cannot_be_read_is_told_to_those_who_ask(folder):
    (folder / "progress.json").mkdir()
    with pytest.raises(OSError, match=r"progress\.json cannot be read: "):
        table(folder)


def test_a_working_directory_that_is_gone_does_not_disturb(tmp_path, monkeypatch):
    def gone():
        raise FileNotFoundError

    (tmp_path / "01_the_job.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    record_solved("nearest")
    before = (tmp_path / "progress.json").read_text()
    monkeypatch.setattr(Path, "cwd", gone)
    assert record_solved("shuffled") is None and (tmp_path / "progress.json").read_text() == before


def test_the_table(folder):
    first, second, seventh = (progress.lessons()[number - 1] for number in (1, 2, 7))
    for name in ("nearest", *seventh.exercises):
        record_solved(name, folder)
    lines, n = table(folder).splitlines(), len(first.exercises)
    left = round(first.minutes * (n - 1) / n)
    assert len(lines) == 15 and len({line.index(" of ") for line in lines[1:]}) == 1
    assert lines[0].split("  ")[0] == "lesson" and lines[0].endswith("solved   minutes left")
    assert lines[1].split() == f"1 The job 1 of {n} {left}".split() and 0 < left < first.minutes
    assert lines[2].split() == f"2 Backpropagation by hand 0 of {len(second.exercises)} {second.minutes}".split()
    n = len(seventh.exercises)
    assert lines[7].split() == f"7 Matrix multiplication, down to the metal {n} of {n} 0".split()
    total = sum(lesson.minutes for lesson in progress.lessons()) - (first.minutes - left) - seventh.minutes
    assert lines[14].split() == f"all lessons {n + 1} of {len(EXERCISES)} {total}".split()


def test_without_a_folder_everything_is_left(tmp_path):
    total = sum(lesson.minutes for lesson in progress.lessons())
    assert table(tmp_path / "nowhere").splitlines()[-1].split()[2:] == ["0", "of", str(len(EXERCISES)), str(total)]
