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
    block = re.search(r"```\naelearn/\n(.*?)\ntests/", README, re.S).group(1)
    modules = [path.name for path in (ROOT / "aelearn").rglob("*.py")]
    folders = ["__init__.py"] * (modules.count("__init__.py") - 1)  # those of folders stand for the folders
    assert sorted(re.findall(r"\w+\.py", block) + folders) == sorted(modules)


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README)]
    assert len(links) >= 2 and all((ROOT / link).is_file() for link in links)
