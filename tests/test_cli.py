"""The command line as users see it: a real process, its output, its exit code."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest

from aelearn import Autoencoder, __version__
from aelearn.cli import main
from aelearn.teaching import progress
from tests.test_data import write_folder

SMALL = ["--hidden", "5", "--code-size", "2", "--digits", "0", "1", "2"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "idx").mkdir()
    return write_folder(tmp_path / "idx", n_train=60, n_test=12, shape=(4, 3))


def aelearn(*arguments, cwd=None, **settings):
    return subprocess.run([sys.executable, "-m", "aelearn", *map(str, arguments)], capture_output=True, text=True,
                          cwd=cwd, timeout=120, **settings)


def test_the_job(folder):
    done = aelearn("--data", folder, *SMALL, "--epochs", 3, "--out", folder / "out")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    stages = ["images", "numba", "trained", "clusters", "baselines", "written"]
    assert [line.split()[0] for line in lines[:6]] == stages
    assert "accuracy" in lines[6] and "k-means on raw pixels (12)" in done.stdout and "on test images" in lines[-1]
    assert len(list((folder / "out").iterdir())) == 9


def test_a_warning_is_one_line(folder):
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):  # all images identical: one distinct code
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:16] + bytes(len(content) - 16))
    done = aelearn("--data", folder, *SMALL, "--epochs", 1, "--out", folder / "out")
    assert done.returncode == 0
    assert set(done.stderr.splitlines()) == {"aelearn: warning: Number of distinct clusters (1) found smaller than "
                                             "n_clusters (3). Possibly due to duplicate points in X."}


def test_quiet_and_the_console_script(folder):
    script = Path(sys.executable).with_name("aelearn")
    if not script.exists():
        pytest.skip("aelearn is not installed in this environment, only importable")
    done = subprocess.run([script, "--data", folder, *SMALL, "--epochs", "1", "--out", folder / "out", "--quiet"],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((folder / "out" / "report.json").read_text())["epochs"] == 1


def test_the_default_output_folder_is_out(folder, tmp_path):
    assert aelearn("--data", folder, *SMALL, "--epochs", 1, cwd=tmp_path,
                   env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}).returncode == 0
    assert (tmp_path / "out" / "report.json").is_file()


def test_help_and_version():
    assert aelearn("--version").stdout == f"aelearn {__version__}\n"
    text = aelearn("--help").stdout
    for flag in ("--data", "--digits", "--hidden", "--code-size", "--epochs", "--batch-size", "--learning-rate",
                 "--loss", "--clusters", "--backend", "--seed", "--out", "--resume", "--tensorboard",
                 "--quiet"):
        assert flag in text


@pytest.mark.parametrize("arguments, words", [
    (["--digits", "0", "7"], "no images of 7"), (["--digits", "0", "0"], "different labels"),
    (["--digits", "x"], "invalid int"),
    (["--data", "nowhere"], "nowhere is not a folder"), (["--epochs", "0"], "--epochs must be"),
    (["--code-size", "0"], "--code-size must be"), (["--hidden", "0"], "hidden_layer_sizes must be"),
    (["--batch-size", "-3"], "batch_size must be"), (["--learning-rate", "nan"], "learning_rate must be"),
    (["--learning-rate", "0"], "above 0"), (["--clusters", "0"], "--clusters must be"),
    (["--clusters", "1000"], "more than the"),
    (["--seed", "-1"], "--seed must be"),
    (["--loss", "mae"], "invalid choice"),
    (["--resume"], "holds no checkpoint.npz or model.npz"), (["--nonsense"], "unrecognized arguments"),
    (["--epochs"], "expected one"),
])
def test_bad_arguments_are_one_line_and_exit_2(folder, tmp_path, arguments, words, monkeypatch, capsys):
    """In this process, which takes a tenth of the time; the next test looks at a process of its own."""
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["--data", str(folder), *SMALL, "--out", "out", *arguments])
    except SystemExit as exit:  # argparse
        code = exit.code
    said = capsys.readouterr().err
    assert code == 2 and words in said and said.startswith("aelearn: error: ") and said.count("\n") == 1
    assert not Path("out").exists() or not list(Path("out").iterdir()), "something was left behind"


@pytest.mark.parametrize("arguments, words", [(["--backend", "cuda"], "cannot run here: "),
                                              (["--nonsense"], "unrecognized arguments")])
def test_bad_arguments_in_a_process(folder, tmp_path, arguments, words):
    done = aelearn("--data", folder, *SMALL, *arguments, cwd=tmp_path,
                   env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""
    assert done.stderr.startswith("aelearn: error: ") and done.stderr.count("\n") == 1


def test_an_output_folder_that_cannot_be_written_is_told_before_the_training(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    done = aelearn("--data", folder, "--out", tmp_path / "file")
    assert done.returncode == 2 and "file cannot be written" in done.stderr and done.stdout == ""
    assert (tmp_path / "file").read_text() == "mine"


def test_tensorboard_that_is_not_installed_is_one_line(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert main(["--data", str(folder), *SMALL, "--quiet", "--out", str(tmp_path / "out"), "--tensorboard",
                 str(tmp_path / "logs")]) == 2
    assert capsys.readouterr() == ("", "aelearn: error: logs for TensorBoard need tensorboard and tensorboardX: "
                                       "pip install 'aelearn[tensorboard]' installs them\n")
    assert not (tmp_path / "logs").exists() and not list((tmp_path / "out").iterdir())


# python -m aelearn that reacts to Ctrl-C even if the tests run in the background of a shell, which ignores it.
LISTENING = ("import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
             "runpy.run_module('aelearn', run_name='__main__')")


def start_and_wait_for_a_checkpoint(folder, out):
    process = subprocess.Popen([sys.executable, "-c", LISTENING, "--data", folder, *SMALL, "--epochs", "1000000",
                                "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out / "checkpoint.npz").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number, code", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_stopped_and_resumed_ends_with_the_same_bits(folder, tmp_path, number, code):
    process = start_and_wait_for_a_checkpoint(folder, tmp_path / "stopped")
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    if number == signal.SIGINT:
        assert errors.startswith("aelearn: interrupted after epoch") and errors.count("\n") == 1
        assert "--resume" in errors
    epochs = len(Autoencoder.load(tmp_path / "stopped" / "checkpoint.npz").history_) + 3
    common = ["--data", folder, *SMALL, "--epochs", epochs]
    with ThreadPoolExecutor() as pool:  # at the same time
        runs = [pool.submit(aelearn, *common, "--out", tmp_path / "stopped", "--resume"),
                pool.submit(aelearn, *common, "--out", tmp_path / "through")]
    assert [run.result().returncode for run in runs] == [0, 0]
    a, b = (Autoencoder.load(tmp_path / name / "model.npz") for name in ("stopped", "through"))
    assert all(np.array_equal(a.params_[name], b.params_[name]) for name in a.params_)
    assert (tmp_path / "stopped" / "clusters.csv").read_bytes() == (tmp_path / "through" / "clusters.csv").read_bytes()


def test_a_terminal_gets_a_progress_bar(folder, tmp_path):
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    terminal, stderr = pty.openpty()
    fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows and columns
    process = subprocess.Popen([sys.executable, "-c", LISTENING, "--data", folder, *SMALL, "--epochs", "1000000",
                                "--out", tmp_path / "out"], stdout=subprocess.DEVNULL, stderr=stderr)
    os.close(stderr)
    shown, too_late = b"", threading.Timer(60, process.kill)  # then there is nothing more to read
    too_late.start()
    try:
        while b"epoch/s, loss=" not in shown:
            shown = shown[-10_000:] + os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        while not shown.endswith(b"\n"):
            shown += os.read(terminal, 1000)
        assert process.wait(timeout=60) == 130
    finally:
        too_late.cancel()
        process.kill()
        process.wait()
        os.close(terminal)
    *_, blanks, last = shown.decode().rstrip().split("\r")
    assert blanks.strip() == "" and last.startswith("aelearn: interrupted after epoch")


def test_the_map(folder):
    done = aelearn("map", "--data", folder, "--digits", 0, 1, 2, "--epochs", 1, "--out", folder / "map")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["topic", "method", "numbers", "accuracy", "NMI", "ARI", "seconds"]
    assert "spectral, on pixels" in done.stdout and lines[-1].startswith("written: map.csv, map.png in ")
    assert {path.name for path in (folder / "map").iterdir()} == {"map.csv", "map.png"}


def test_the_map_refuses_in_one_line(folder):
    done = aelearn("map", "--data", folder / "nowhere")
    assert done.returncode == 2 and done.stderr.startswith("aelearn: error: ") and done.stderr.count("\n") == 1
    done = aelearn("map", "--hidden", 3)
    assert (done.returncode, done.stderr) == (2, "aelearn map: error: unrecognized arguments: --hidden 3 "
                                                 "(see aelearn map --help)\n")


def test_deep(folder):
    done = aelearn("deep", "--data", folder, "--digits", 0, 1, "--pretraining-epochs", 0, "--epochs", 0, "--backend",
                   "numpy", "--start", "k-means", "--out", folder / "deep")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("2 clusters: accuracy ")
    assert (folder / "deep" / "report.json").is_file()


def test_deep_refuses_in_one_line(folder):
    for arguments in (("--data", folder / "nowhere"), ("--epochs", -1), ("--resume", "--data", folder)):
        done = aelearn("deep", *arguments, "--out", folder / "deep")
        assert done.returncode == 2 and done.stderr.startswith("aelearn: error: ") and done.stderr.count("\n") == 1
    done = aelearn("deep", "--code-size", 3)
    assert (done.returncode, done.stderr) == (2, "aelearn deep: error: unrecognized arguments: --code-size 3 "
                                                 "(see aelearn deep --help)\n")


def lessons(capsys, *arguments):
    """Run `aelearn lessons` in this process: its exit code, the lines that it printed, and its errors."""
    try:
        code = main(["lessons", *map(str, arguments)])
    except SystemExit as exit:  # argparse
        code = exit.code
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def test_lessons_are_copied_and_the_progress_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, lines, errors = lessons(capsys)
    assert (code, errors) == (0, "") and lines[:2] == ["lessons: 18 files copied", ""]
    assert lines[2].startswith("lesson ") and lines[3].split() == "1 The job 0 of 4 35".split() and len(lines) == 17
    Path("lessons", "01_the_job.ipynb").write_text("mine")
    progress.record_solved("nearest", "lessons")
    _, lines, _ = lessons(capsys, "--solutions")
    assert lines[0] == "lessons: 13 files copied, 1 kept because you have changed it"
    assert lines[3].split() == "1 The job 1 of 4 26".split()
    assert Path("lessons", "01_the_job.ipynb").read_text() == "mine"
    Path("lessons", "README.md").write_text("mine")
    Path("lessons", "02_backprop_by_hand.ipynb").unlink()
    assert lessons(capsys)[1][0] == "lessons: 1 file copied, 2 kept because you have changed them"
    assert lessons(capsys, "another")[1][0] == "another: 18 files copied" and len(list(Path().iterdir())) == 2


def test_in_a_checkout_nothing_is_copied(monkeypatch, capsys):
    root = Path(__file__).parent.parent
    before = sorted((root / "lessons").rglob("*"))
    monkeypatch.chdir(root)
    code, lines, errors = lessons(capsys, "--solutions")
    assert (code, errors) == (0, "") and lines[0] == "lessons: all files are there already" and len(lines) == 17
    assert sorted((root / "lessons").rglob("*")) == before


def test_lessons_refuse_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    Path("mine").mkdir()
    Path("mine", "progress.json").mkdir()
    for arguments, words in ((["file"], "file is not a folder"), (["file/lessons"], "cannot be copied to file/lessons"),
                             (["mine"], "mine/progress.json cannot be read"), (["a", "b"], "unrecognized arguments: b"),
                             (["--epochs", "3"], "unrecognized arguments: --epochs")):
        code, lines, errors = lessons(capsys, *arguments)
        assert (code, lines) == (2, []) and words in errors and errors.startswith("aelearn") and errors.count("\n") == 1
    assert Path("file").read_text() == "mine" and len(list(Path().rglob("*"))) == 3


def test_without_jupyterlab_there_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("aelearn.teaching.copies.find_spec", lambda name: None)
    assert lessons(capsys, tmp_path / "mine", "--open") == (
        2, [], "aelearn: error: JupyterLab is not installed; pip install 'aelearn[lessons]' installs it\n")
    assert not (tmp_path / "mine").exists()


@pytest.fixture
def jupyter(tmp_path):
    """An environment in which JupyterLab opens no browser, and writes nothing into the user's folders."""
    (tmp_path / "jupyter").mkdir()
    settings = {"ServerApp": {"open_browser": False, "allow_root": True, "ip": "127.0.0.1"}}
    (tmp_path / "jupyter" / "jupyter_server_config.json").write_text(json.dumps(settings))
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / "jupyter") for kind in ("CONFIG", "DATA", "RUNTIME")}
    return {**os.environ, **folders, "PYTHONPATH": str(Path(__file__).parent.parent), "JUPYTERLAB_SETTINGS_DIR":
            str(tmp_path / "jupyter"), "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "jupyter")}


def test_lessons_open_in_jupyterlab_until_ctrl_c(tmp_path, jupyter):
    pytest.importorskip("jupyterlab", reason="the extra 'lessons' is not installed")
    process = subprocess.Popen([sys.executable, "-c", LISTENING, "lessons", "--open"], cwd=tmp_path, env=jupyter,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        deadline, names = time.monotonic() + 60, set()
        while not names and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
            for path in (tmp_path / "jupyter").glob("jpserver-*.json"):
                with suppress(ValueError, OSError):  # half written, or not listening yet
                    server = json.loads(path.read_text())
                    address = f"http://127.0.0.1:{server['port']}/api/contents?token={server['token']}"
                    with build_opener(ProxyHandler({})).open(address, timeout=60) as answer:
                        names = {row["name"] for row in json.load(answer)["content"]}
        assert {*progress.NOTEBOOKS.values(), "README.md"} < names
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to JupyterLab as well
        said, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and said.startswith("lessons: 18 files copied") and "Traceback" not in errors
        assert not list((tmp_path / "jupyter").glob("jpserver-*.json")), "JupyterLab was not ended properly"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_jupyterlab_that_fails_is_told(tmp_path, jupyter):
    pytest.importorskip("jupyterlab", reason="the extra 'lessons' is not installed")
    (tmp_path / "jupyter" / "jupyter_server_config.py").write_text("raise SystemExit(3)")
    done = aelearn("lessons", "--open", cwd=tmp_path, env=jupyter)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "aelearn: error: JupyterLab has ended with exit code 3"
