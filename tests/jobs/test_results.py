"""The files of the main job fit together: tables, model, report and pictures."""

import csv

import numpy as np
import pytest

from aelearn import Autoencoder, load_mnist
from aelearn.jobs.results import _mistakes


def test_tables_and_model_belong_together(done):
    out, report = done
    with open(out / "clusters.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["split"] == "train"]
    assert len(train) == 11_623 and len(rows) == 11_623 + 2_115
    for split in ("train", "test"):
        images, labels = load_mnist(split, digits=(0, 1))
        mine = [row for row in rows if row["split"] == split]
        assert [int(row["row"]) for row in mine] == list(range(len(images)))
        assert [int(row["digit"]) for row in mine] == labels.tolist()
        codes = np.array([[float(row[f"code{i}"]) for i in (1, 2, 3)] for row in mine])
        np.testing.assert_allclose(Autoencoder.load(out / "model.npz").transform(images), codes, rtol=1e-5)
        right = np.mean([row["cluster_digit"] == row["digit"] for row in mine])
        assert right == pytest.approx(report["accuracy" if split == "train" else "test_accuracy"])
    with open(out / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2", "3", "4"]
    assert float(history[-1]["loss"]) == pytest.approx(report["mse"], rel=1e-6)
    assert float(history[-1]["validation_loss"]) > 0


def test_mistakes_are_all_there_and_the_most_telling_come_first():
    from aelearn import KMeans
    from aelearn.jobs.main_job import Clusters

    codes = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [0.9], [1.05]])
    labels = np.array([0, 0, 1, 1, 1, 0, 0])
    kmeans = KMeans(2, init=[[0.0], [1.0]]).fit(codes)
    clusters = Clusters(codes, kmeans.labels_, codes, kmeans.labels_, kmeans, {0: 0, 1: 1})
    assert _mistakes(labels, clusters).tolist() == [6, 2, 5]  # a 0, a 1, a 0; the farthest 0 first
    perfect = Clusters(codes, kmeans.labels_, codes, kmeans.labels_, kmeans, {0: 0, 1: 1})
    assert len(_mistakes(kmeans.labels_, perfect)) == 0
