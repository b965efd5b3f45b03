"""The job of `aelearn deep`: what it writes, that it resumes, what it refuses."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from aelearn import DeepClustering, metrics
from aelearn.data import load_mnist
from aelearn.jobs import deep_job
from aelearn.jobs.deep_job import Settings, cluster_names
from aelearn.jobs.main_job import Interrupted
from tests.test_data import write_folder


def quiet(line):
    pass


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Small images, and a small network on NumPy."""
    (tmp_path / "idx").mkdir()
    folder = write_folder(tmp_path / "idx", n_train=80, n_test=12, shape=(5, 4))
    make = deep_job.make_model
    monkeypatch.setattr(deep_job, "make_model", lambda *arguments: make(*arguments).set_params(
        hidden_layer_sizes=(8, 3), update_interval=3, batch_size=20, tol=0.0))
    return Settings(data=str(folder), pretraining_epochs=2, epochs=2, start="k-means", backend="numpy",
                    out=str(tmp_path / "deep"))


def test_the_whole_job(settings, tmp_path):
    said = []
    report = deep_job.run(settings, say=said.append)
    out = tmp_path / "deep"
    assert {path.name for path in out.iterdir()} == set(deep_job.FILES)
    assert json.loads((out / "report.json").read_text()) == report
    images, labels = load_mnist("train60k", directory=settings.data)
    model = DeepClustering.load(out / "model.npz")
    assert report["accuracy"] == metrics.accuracy(labels, model.labels_)
    assert np.sum(list(report["confusion"].values())) == 80 and report["n_clusters"] == 3
    test_images, test_labels = load_mnist("test", directory=settings.data)
    assert report["test_accuracy"] == metrics.accuracy(test_labels, model.predict(test_images),
                                                       metrics.best_matching(labels, model.labels_))
    with open(out / "clusters.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["cluster"]) for row in rows if row["split"] == "train60k"] == model.labels_.tolist()
    assert len(rows) == 92
    with open(out / "history.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2"]
    for name in ("training.png", "confusion.png", "centers.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert sum(line.startswith("epoch") for line in said) == 3


def test_interrupted_and_resumed_it_is_the_same(settings, tmp_path, monkeypatch):
    whole = deep_job.run(settings, say=quiet)

    def interrupt(line):
        if line.startswith("epoch   1"):
            raise KeyboardInterrupt

    other = replace(settings, out=str(tmp_path / "other"))
    with pytest.raises(Interrupted, match="after epoch 1 of joint training; .*--resume continues"):
        deep_job.run(other, say=interrupt)
    with pytest.raises(ValueError, match="left from a run that did not finish"):
        deep_job.run(other, say=quiet)
    with pytest.raises(ValueError, match="was made with random_state 0, not 1: pass --seed"):
        deep_job.run(replace(other, seed=1, resume=True), say=quiet)
    with pytest.raises(ValueError, match="other images"):
        deep_job.run(replace(other, digits=(0, 1), clusters=3, resume=True), say=quiet)
    resumed = deep_job.run(replace(other, resume=True), say=quiet)
    for name in ("accuracy", "confusion", "clusters", "pretraining_loss", "epochs"):
        assert resumed[name] == whole[name]
    longer = deep_job.run(replace(other, resume=True, epochs=3), say=quiet)
    assert longer["epochs"] == 3


@pytest.mark.parametrize("changes, words", [
    ({"epochs": -1}, "--epochs"), ({"seed": -1}, "--seed"), ({"clusters": 0}, "--clusters"), ({"digits": (7,)}, "7"),
    ({"clusters": 81}, "more than the 80"), ({"start": "luck"}, "start"), ({"resume": True}, "holds no checkpoint"),
])
def test_bad_settings_are_refused_before_anything_is_written(settings, tmp_path, changes, words):
    with pytest.raises((ValueError, TypeError), match=words):
        deep_job.run(replace(settings, **changes), say=quiet)
    assert not (tmp_path / "deep").exists()


def test_clusters_are_named_by_their_largest_class():
    labels, clusters = np.array([7, 7, 7, 1, 1, 2]), np.array([0, 0, 0, 0, 2, 2])
    assert cluster_names(labels, clusters, 3) == ["mostly 7: 75 %", "empty", "mostly 1: 50 %"]


def test_one_cluster_and_one_without_images(settings):
    assert deep_job.run(replace(settings, clusters=1), say=quiet)["n_clusters"] == 1
