"""The map: every method on the same images, its table, its picture, its refusals."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from aelearn import metrics
from aelearn.data import load_mnist
from aelearn.jobs import compare
from aelearn.jobs.compare import METHODS, Settings
from tests.test_data import write_folder


def quiet(line):
    pass


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "idx").mkdir()
    folder = write_folder(tmp_path / "idx", n_train=80, n_test=12, shape=(5, 4))
    return Settings(data=str(folder), digits=(0, 1, 2), code_size=2, epochs=2, out=str(tmp_path / "map"))


def test_every_method_is_in_the_table_and_in_the_picture(settings, tmp_path):
    said = []
    places = compare.run(settings, say=said.append)
    images, labels = load_mnist("train", digits=settings.digits, directory=settings.data)
    assert [(place.topic, place.method) for place in places] == [method[:2] for method in METHODS]
    assert {place.topic for place in places} == {"clustering", "feature learning", "density estimation"}
    for place in places:
        assert len(place.codes) == len(place.labels) == len(images) and np.isfinite(place.codes).all()
        assert 1 <= len(np.unique(place.labels)) <= 3 and place.seconds > 0
        assert place.scores["accuracy"] == metrics.accuracy(labels, place.labels)
        assert place.scores["nmi"] == metrics.normalized_mutual_information(labels, place.labels)
        assert place.scores["ari"] == metrics.adjusted_rand_index(labels, place.labels)
    assert [place.codes.shape[1] for place in places] == [20, 2, 64, 2, 2, 2, 3]
    with open(tmp_path / "map" / "map.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == [place.method for place in places]
    assert [float(row["accuracy"]) for row in rows] == [place.scores["accuracy"] for place in places]
    assert (tmp_path / "map" / "map.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "map").iterdir()} == set(compare.FILES)
    assert all(f"{place.method} " in said[n + 1] for n, place in enumerate(places))


def test_the_same_seed_finds_the_same(settings):
    first, second = (compare.run(settings, say=quiet) for _ in range(2))
    assert all(np.array_equal(one.labels, other.labels) for one, other in zip(first, second))


@pytest.mark.parametrize("changes", [{"digits": (2,)}, {"code_size": 1}, {"code_size": 30}])
def test_any_digits_and_any_code(settings, changes):
    places = compare.run(replace(settings, **changes), say=quiet)
    assert all(np.isfinite(list(place.scores.values())).all() for place in places)


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
        places = compare.run(replace(settings, data=str(folder), code_size=30), say=quiet)
    assert [place.method for place in places] == [name for _, name, _ in METHODS if "kernel" not in name]
    with open(tmp_path / "map" / "map.csv", newline="") as file:
        assert [row["method"] for row in csv.DictReader(file)] == [place.method for place in places]


def test_ctrl_c_ends_it_and_writes_nothing(settings, tmp_path, monkeypatch):
    def interrupted(self, X):
        self.interrupted_ = True
        return self

    monkeypatch.setattr(compare.Autoencoder, "fit", interrupted)
    with pytest.raises(compare.Interrupted, match="nothing is written"):
        compare.run(settings, say=quiet)
    assert not list((tmp_path / "map").iterdir())
