"""A file is replaced only when its successor is whole."""

import os

import pytest

from aelearn.core.files import replacing


def test_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path, "w") as file:
        file.write("first")
        assert not path.exists()
    assert path.read_text() == "first"
    with pytest.raises(KeyboardInterrupt):
        with replacing(path, "w") as file:
            file.write("half of the sec")
            raise KeyboardInterrupt
    assert path.read_text() == "first" and os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        with replacing(tmp_path / "nowhere" / "a.txt"):
            pass
