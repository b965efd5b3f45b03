"""What benchmarks share: alternating runs, tables, missing peers; and that every benchmark can be started."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from aelearn import metrics
from tests.benchmarks import __main__ as every, deep_clustering, harness
from tests.benchmarks.harness import Table, Timing, draw_speedups, geometric_mean, peers, race, summary


def test_rivals_take_turns(monkeypatch):
    monkeypatch.setattr(harness, "PAUSE", 0)
    calls = []
    times = race({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=4, turn=0)
    assert calls == ["a", "a", "b", "b"] * 4  # one call to warm up, one that is measured
    assert set(times) == {"a", "b"} and all(timing.median > 0 for timing in times.values())


def test_summary_and_mean():
    timing = summary([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (timing.median, timing.spread) == (3.0, 1.0)
    assert [str(Timing(seconds, 0.1 * seconds)) for seconds in (2.0, 0.0123, 4.5e-5)] == [
        "2 s ± 10 %", "12.3 ms ± 10 %", "45 us ± 10 %"]
    assert geometric_mean([2, 0.5]) == pytest.approx(1)


def test_a_table_says_on_what_it_was_measured():
    lines = str(Table("Title", ["what", "ratio"], [["x", 2]], ["a note"])).splitlines()
    assert lines[:5] == ["## Title", "", "| what | ratio |", "|---|---|", "| x | 2 |"]
    assert lines[-2] == "- a note" and "cores" in lines[-1] and "Numba" in lines[-1] and "Python" in lines[-1]


def test_a_table_becomes_a_picture(tmp_path):
    draw_speedups(Table("", [], speedups={"one": 2.0, "other": 0.5}), tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_a_missing_peer_is_named(capsys):
    assert list(peers("json", "no_such_library")) == ["json"]
    assert "peer missing: no_such_library" in capsys.readouterr().out


def test_every_benchmark_can_be_started():
    folder = Path(harness.__file__).parent
    assert set(every.NAMES) <= {path.stem for path in folder.glob("*.py")}
    modules = ["tests.benchmarks", *(f"tests.benchmarks.{name}" for name in (*every.NAMES, "gpu"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda module: subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True,
                                                          text=True), modules)
    for module, done in zip(modules, outcomes):
        assert done.returncode == 0 and "--json" in done.stdout and "--picture" in done.stdout, (module, done.stderr)
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks", "speed"], capture_output=True, text=True)
    assert done.returncode == 2 and "there is no benchmark speed" in done.stderr


def test_a_seed_of_deep_clustering(few_digits):
    images, labels = few_digits
    lines = []
    model, figures = deep_clustering.one_seed(3, images, labels, images[:50], labels[:50], lines.append,
                                              hidden_layer_sizes=(16, 3), pretraining_epochs=4, epochs=1,
                                              update_interval=3, backend="numpy", start="k-means", batch_size=32)
    named = dict(zip(deep_clustering.COLUMNS, figures, strict=True))
    assert len(lines) == 2 and lines[1].startswith("seed 3, epoch 1: ") and named["epochs"] == 1
    assert named["accuracy"] == metrics.accuracy(labels, model.labels_)
    assert named["test accuracy"] == np.mean(model.labels_[:50] == labels[:50]) or \
        named["test accuracy"] == 1 - np.mean(model.labels_[:50] == labels[:50])
