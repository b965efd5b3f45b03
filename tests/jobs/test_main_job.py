"""The main job on real digits: its files, its report, its repeatability."""

import json
from dataclasses import replace

import numpy as np
import pytest

from aelearn import load_mnist
from aelearn.jobs import results
from aelearn.jobs.main_job import Settings, run
from tests.test_data import write_folder

FILES = {"report.json", "history.csv", "clusters.csv", "model.npz", "network.png", "loss.png", "reconstructions.png",
         "codes.png", "centers.png"}


def quiet(line):
    pass


def test_files_and_report(done):
    out, report = done
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads((out / "report.json").read_text()) == report
    assert (report["n_images"], report["n_test_images"], report["epochs"]) == (11_623, 2_115, 4)
    assert set(report["baselines"]) == {"raw", "pca"}
    for scores in (report, *report["baselines"].values()):
        assert all(0.9 < scores[name] <= 1 for name in ("accuracy",)) and {"nmi", "ari"} <= set(scores)
    assert report["baselines"]["raw"]["accuracy"] == pytest.approx(0.9908, abs=0.001)
    assert report["baselines"]["pca"]["accuracy"] == pytest.approx(0.9889, abs=0.001)
    assert report["mse"] < 0.035 and report["test_mse"] < 0.035 and report["test_accuracy"] > 0.9
    assert report["seconds"]["total"] == pytest.approx(sum(report["seconds"].values()) / 2)
    for name in FILES:
        if name.endswith(".png"):
            assert (out / name).read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def small_folder(tmp_path):
    (tmp_path / "idx").mkdir()
    return write_folder(tmp_path / "idx", n_train=60, n_test=12, shape=(4, 3))


@pytest.fixture
def no_pictures(monkeypatch):
    """For tests of bits: to draw takes far longer than all the rest."""
    monkeypatch.setattr(results, "draw", lambda *arguments, **settings: None)


def settings_for(folder, **changes):
    return replace(Settings(data=str(folder), digits=(0, 1, 2), hidden=(5,), code_size=2, epochs=3,
                            out=str(folder.parent / "out")), **changes)


@pytest.mark.parametrize("changes", [{}, {"code_size": 1}, {"code_size": 4, "hidden": ()}, {"clusters": 5},
                                     {"clusters": 1}, {"digits": (2,)}, {"loss": "bce", "hidden": (6, 4)},
                                     {"code_size": 20}])
def test_any_folder_any_code_any_clusters(small_folder, changes):
    settings = settings_for(small_folder, **changes)
    report = run(settings, say=quiet)
    assert {path.name for path in (small_folder.parent / "out").iterdir()} == FILES
    assert report["n_images"] == len(load_mnist("train", digits=settings.digits, directory=small_folder)[0])
    assert np.isfinite([report[name] for name in ("mse", "test_mse", "accuracy", "nmi", "ari", "inertia")]).all()


def test_the_same_settings_give_the_same_bits(small_folder, tmp_path, no_pictures):
    reports = []
    for name in ("a", "b"):
        report = run(settings_for(small_folder, out=str(tmp_path / name)), say=quiet)
        report.pop("seconds"), report["settings"].pop("out")
        reports.append(report)
    assert reports[0] == reports[1]
    assert (tmp_path / "a" / "clusters.csv").read_bytes() == (tmp_path / "b" / "clusters.csv").read_bytes()


def test_resume_from_the_checkpoint_gives_the_same_bits(small_folder, tmp_path, no_pictures):
    through = run(settings_for(small_folder, epochs=12, out=str(tmp_path / "a")), say=quiet)

    def fails(model, row):
        if row["epoch"] == 8:
            raise RuntimeError("the power went off")

    stopped = settings_for(small_folder, epochs=12, out=str(tmp_path / "b"))
    with pytest.raises(RuntimeError):
        run(stopped, say=quiet, callbacks=(fails,))
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"checkpoint.npz"}
    with pytest.raises(ValueError, match="was made with random_state 0, not 1: pass --seed as before"):
        run(replace(stopped, resume=True, seed=1), say=quiet)
    with pytest.raises(ValueError, match="another --data or --digits"):
        run(replace(stopped, resume=True, digits=(0, 1)), say=quiet)
    with pytest.raises(ValueError, match="left from a run that did not finish: continue with --resume"):
        run(stopped, say=quiet)
    with pytest.raises(ValueError, match="was trained for 5 epochs, more than --epochs 4"):
        run(replace(stopped, resume=True, epochs=4), say=quiet)
    said = []
    resumed = run(replace(stopped, resume=True), say=said.append)
    assert "resuming  after epoch 5" in said
    assert resumed["mse"] == through["mse"] and resumed["inertia"] == through["inertia"]
    assert (tmp_path / "a" / "clusters.csv").read_bytes() == (tmp_path / "b" / "clusters.csv").read_bytes()
    longer = run(replace(stopped, resume=True, epochs=14), say=quiet)  # a finished run, made longer
    assert longer["mse"] == run(settings_for(small_folder, epochs=14, out=str(tmp_path / "c")), say=quiet)["mse"]
    with pytest.raises(ValueError, match="holds no checkpoint.npz or model.npz"):
        run(replace(stopped, resume=True, out=str(tmp_path / "nowhere")), say=quiet)


def test_logs_for_tensorboard(small_folder, tmp_path, no_pictures):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator",
                                      reason="TensorBoard is not installed (extra: tensorboard)")
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed (extra: tensorboard)")
    settings = settings_for(small_folder, tensorboard=str(tmp_path / "logs"))
    run(settings, say=quiet)
    run(replace(settings, epochs=5, resume=True), say=quiet)
    log = accumulator.EventAccumulator(str(tmp_path / "logs")).Reload()
    for name in ("loss", "clusters/accuracy", "norm_of_gradients/W1"):
        assert [event.step for event in log.Scalars(name)] == [1, 2, 3, 4, 5]
    assert (log.Images("reconstructions")[-1].width, log.Images("reconstructions")[-1].height) == (6 * 5, 2 * 6)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="the folder for TensorBoard .*file cannot be written"):
        run(replace(settings, tensorboard=str(tmp_path / "file"), out=str(tmp_path / "new")), say=quiet)
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_too_small_for_validation(tmp_path, no_pictures):
    (tmp_path / "idx").mkdir()
    said = []
    run(settings_for(write_folder(tmp_path / "idx", n_train=11, n_test=4)), say=said.append)
    assert "none for validation" in said[0]
