"""The map: every method on the same images, its table, its picture, its refusals."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from aelearn import metrics
from aelearn.data import load_mnist
from aelearn.jobs import compare
from aelearn.jobs.compare import Settings
from tests.test_data import write_folder

METHODS = [("clustering", "k-means on pixels"), ("feature learning", "PCA, k-means"),
           ("feature learning", "sparse coding, k-means"), ("feature learning", "autoencoder, k-means"),
           ("density estimation", "autoencoder, Gaussian mixture"),
           ("density estimation", "autoencoder, kernel density"), ("clustering", "spectral, on pixels")]


def quiet(line):
    pass


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "idx").mkdir()
    folder = write_folder(tmp_path / "idx", n_train=80, n_test=12, shape=(5, 4))
    return Settings(data=str(folder), digits=(0, 1, 2), code_size=2, epochs=2, out=str(tmp_path / "map"))


def test_every_method_is_in_the_table_and_in_the_picture(settings, tmp_path):
    said = []
    rows = compare.run(settings, say=said.append)
    images, labels = load_mnist("train", digits=settings.digits, directory=settings.data)
    assert [(row.topic, row.method) for row in rows] == METHODS
    for row in rows:
        assert len(row.codes) == len(row.labels) == len(images) and np.isfinite(row.codes).all()
        assert 1 <= len(np.unique(row.labels)) <= 3 and row.seconds > 0
        assert row.scores["accuracy"] == metrics.accuracy(labels, row.labels)
        assert row.scores["nmi"] == metrics.normalized_mutual_information(labels, row.labels)
        assert row.scores["ari"] == metrics.adjusted_rand_index(labels, row.labels)
    assert [row.codes.shape[1] for row in rows] == [20, 2, 64, 2, 2, 2, 3]
    with open(tmp_path / "map" / "map.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["method"] for line in table] == [row.method for row in rows]
    assert [float(line["accuracy"]) for line in table] == [row.scores["accuracy"] for row in rows]
    assert (tmp_path / "map" / "map.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "map").iterdir()} == set(compare.FILES)
    assert all(f"{row.method} " in said[n + 1] for n, row in enumerate(rows))


def test_the_same_seed_finds_the_same(settings):
    first, second = (compare.run(settings, say=quiet) for _ in range(2))
    assert all(np.array_equal(one.labels, other.labels) for one, other in zip(first, second))


@pytest.mark.parametrize("changes", [{"digits": (2,)}, {"code_size": 1}, {"code_size": 30}])
def test_any_digits_and_any_code(settings, changes):
    rows = compare.run(replace(settings, **changes), say=quiet)
    assert all(np.isfinite(list(row.scores.values())).all() for row in rows)


@pytest.mark.parametrize("changes, words", [
    ({"code_size": 0}, "--code-size"), ({"epochs": 0}, "--epochs"), ({"seed": -1}, "--seed"),
    ({"digits": (7, 11)}, "11"), ({"digits": (1, 1)}, "different labels"), ({"backend": "abacus"}, "abacus"),
])
def test_bad_settings_are_refused_before_anything_is_written(settings, tmp_path, changes, words):
    with pytest.raises((ValueError, TypeError), match=words):
        compare.run(replace(settings, **changes), say=quiet)
    assert not (tmp_path / "map").exists()


def test_a_method_that_cannot_work_is_left_out_and_the_others_are_written(settings, tmp_path):
    """Twelve images and codes of thirty numbers: no covariance to scale a kernel by."""
    (tmp_path / "few").mkdir()
    folder = write_folder(tmp_path / "few", n_train=12, n_test=12, shape=(5, 4))
    with pytest.warns(UserWarning, match="autoencoder, kernel density: left out. bandwidth='scott' gives"):
        rows = compare.run(replace(settings, data=str(folder), code_size=30), say=quiet)
    assert [row.method for row in rows] == [name for _, name in METHODS if "kernel" not in name]
    with open(tmp_path / "map" / "map.csv", newline="") as file:
        assert [line["method"] for line in csv.DictReader(file)] == [row.method for row in rows]


@pytest.mark.parametrize("error, words", [(MemoryError(), "left out. Out of memory."), (ValueError("Why?"), "Why?")])
def test_an_error_leaves_a_method_out_but_not_the_autoencoder(settings, monkeypatch, error, words):
    def fails(self, X, y=None):
        raise error

    monkeypatch.setattr(compare.PCA, "fit", fails)
    with pytest.raises(type(error)), pytest.warns(UserWarning, match=words):  # the picture needs PCA as well
        compare.run(settings, say=quiet)
    monkeypatch.undo()
    monkeypatch.setattr(compare.Autoencoder, "fit", fails)
    with pytest.raises(type(error)):
        compare.run(settings, say=quiet)


def test_ctrl_c_ends_it_and_writes_nothing(settings, tmp_path, monkeypatch):
    def interrupted(self, X):
        self.interrupted_ = True
        return self

    monkeypatch.setattr(compare.Autoencoder, "fit", interrupted)
    with pytest.raises(compare.Interrupted, match="nothing is written"):
        compare.run(settings, say=quiet)
    assert not list((tmp_path / "map").iterdir())
