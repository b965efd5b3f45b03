"""What the README shows, works."""

import re
from pathlib import Path

import pytest

from aelearn import Autoencoder, GradientError
from tests.kernels.threads import run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_python_blocks_run(monkeypatch, capsys, tmp_path):
    import aelearn.autoencoder

    fit = Autoencoder.fit
    monkeypatch.setattr(aelearn.autoencoder.Autoencoder, "fit",  # the same lines, with fewer epochs
                        lambda self, X: fit(self.set_params(epochs=2), X))
    job, check, back_ends, kernel = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(job, {})
    assert "[" in capsys.readouterr().out
    with pytest.raises(GradientError, match=r"dW: 12 of 12 entries are wrong, worst at \["):
        exec(check, {})
    assert "dW: all 12 entries are right" in capsys.readouterr().out
    exec(back_ends, {})
    assert "numba: runs here, on " in capsys.readouterr().out
    (tmp_path / "double.py").write_text(kernel)  # the simulator reads a kernel's source
    assert run(f"exec(compile(open({str(tmp_path / 'double.py')!r}).read(), {str(tmp_path / 'double.py')!r}, 'exec'))",
               NUMBA_ENABLE_CUDASIM="1") == "[0. 2. 4. 6. 8.]\n"


def test_the_map_names_every_module_and_only_those():
    block = re.search(r"```\naelearn/\n(.*?)\ntests/", (ROOT / "docs" / "map.md").read_text(), re.S).group(1)
    block = re.sub(r"\n {10,}", " ", block)  # lines that go on
    at_the_top = set(re.findall(r"^  (\w+)(?: |$)", block, re.M))
    inside = {folder: set(re.findall(r"\w+", words)) for folder, words in re.findall(r"^ +(\w+)/ +(.*)$", block, re.M)}
    folders = {path.parent for path in (ROOT / "aelearn").rglob("*.py")} - {ROOT / "aelearn"}
    for folder in folders:
        modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert folder.name == "exercises" or modules <= inside[folder.name], folder
    assert set(inside) == {folder.name for folder in folders} - {"exercises"}
    assert at_the_top == {path.stem for path in (ROOT / "aelearn").glob("*.py")} - {"__init__", "__main__"}


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README)]
    assert len(links) >= 2 and all((ROOT / link).is_file() for link in links)
