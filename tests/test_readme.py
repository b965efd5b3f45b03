"""The examples in the README work."""

import re
from pathlib import Path

import pytest

import aelearn
from aelearn import Autoencoder, GradientError
from tests.kernels.threads import run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)


def test_python_blocks_of_the_readme_run(monkeypatch, capsys):
    fit, load = Autoencoder.fit, aelearn.load_mnist  # the same lines, with fewer epochs and fewer images
    monkeypatch.setattr(Autoencoder, "fit", lambda self, X: fit(self.set_params(epochs=2), X))
    monkeypatch.setattr(aelearn, "load_mnist", lambda *which, **kept: [part[:2000] for part in load(*which, **kept)])
    job, others, check = python_blocks("README.md")
    names = {}
    exec(job, names)
    assert "[" in capsys.readouterr().out
    exec(others, names)
    assert float(capsys.readouterr().out.split()[-1]) > 0.99, "spectral clustering is nearly always right"
    with pytest.raises(GradientError, match=r"dW: 12 of 12 entries are wrong, worst at \["):
        exec(check, {})
    assert "dW: all 12 entries are right" in capsys.readouterr().out


def test_python_blocks_of_the_other_pages_run(capsys, tmp_path):
    back_ends, = python_blocks("docs/performance.md")
    exec(back_ends, {})
    assert "numba: runs here, on " in capsys.readouterr().out
    kernel, = python_blocks("docs/gpu.md")
    (tmp_path / "double.py").write_text(kernel)  # the simulator reads a kernel's source
    assert run(f"exec(compile(open({str(tmp_path / 'double.py')!r}).read(), {str(tmp_path / 'double.py')!r}, 'exec'))",
               NUMBA_ENABLE_CUDASIM="1") == "[0. 2. 4. 6. 8.]\n"


def test_the_python_block_about_tensorboard_runs(monkeypatch, tmp_path):
    for name in ("tensorboard", "tensorboardX"):
        pytest.importorskip(name, reason="TensorBoard is not installed (extra: tensorboard)")
    fit, load = Autoencoder.fit, aelearn.load_mnist
    monkeypatch.setattr(Autoencoder, "fit", lambda self, X: fit(self.set_params(epochs=2), X))
    monkeypatch.setattr(aelearn, "load_mnist", lambda *which, **kept: [part[:2000] for part in load(*which, **kept)])
    monkeypatch.chdir(tmp_path)
    block, = python_blocks("docs/watching.md")
    exec(block, {})
    assert (tmp_path / "logs" / "first" / "projector" / "images.png").is_file()


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_the_map_names_every_module_and_only_those():
    block = re.search(r"```\naelearn/\n(.*?)\ntests/", (ROOT / "docs" / "map.md").read_text(), re.S).group(1)
    block = re.sub(r"\n {10,}", " ", block)  # continued lines
    at_the_top = set(re.findall(r"^  (\w+)(?: |$)", block, re.M))
    inside = {folder: set(re.findall(r"\w+", words)) for folder, words in re.findall(r"^ +(\w+)/ +(.*)$", block, re.M)}
    folders = {path.parent for path in (ROOT / "aelearn").rglob("*.py")} - {ROOT / "aelearn"}
    for folder in folders:
        modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert folder.name == "exercises" or modules <= inside[folder.name], folder
    assert set(inside) == {folder.name for folder in folders} - {"exercises"}
    assert at_the_top == {path.stem for path in (ROOT / "aelearn").glob("*.py")} - {"__init__", "__main__"}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "data/README.md", "lessons/README.md",
                                  *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert re.match(r"https?://", link) or ((ROOT / page).parent / link).exists(), link
