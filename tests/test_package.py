"""The installed package: it imports quickly, and includes its data, wherever it is."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import aelearn

ROOT = Path(__file__).parent.parent


def python(code, **settings):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **settings).stdout


def test_import_loads_neither_numba_nor_matplotlib():
    heavy = "print([m for m in ('numba', 'matplotlib', 'tqdm', 'sklearn', 'scipy') if m in sys.modules])"
    assert python(f"import aelearn, sys; print('numpy' in sys.modules); {heavy}") == "False\n[]\n"
    names = "Autoencoder, KMeans, load_mnist, check_gradients"
    assert python(f"import sys; from aelearn import {names}; {heavy}") == "[]\n"


def test_public_names():
    for name in aelearn.__all__:
        assert getattr(aelearn, name) is not None and name in dir(aelearn)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        aelearn.Nonsense  # noqa: B018


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built offline from a copy of the sources, so that no earlier build can interfere."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("aelearn", "data"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    built = subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet",
                            "--wheel-dir", str(folder), str(source)], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_works_in_another_folder(wheel, tmp_path):
    names = zipfile.ZipFile(wheel).namelist()
    assert sum(name.startswith("aelearn/mnist/") and name.endswith(".gz") for name in names) == 4
    assert not [name for name in names if name.startswith(("tests", "lessons"))]
    assert any(name.endswith("licenses/data/README.md") for name in names), "MNIST's notice must travel with MNIST"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    where = python("import aelearn; print(aelearn.__file__, aelearn.load_mnist('test')[0].shape)",
                   cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"})
    assert str(tmp_path) in where and "(10000, 784)" in where


def test_works_from_any_folder_in_a_checkout(tmp_path):
    out = python("from aelearn import load_mnist; print(load_mnist('validation')[0].shape)", cwd=tmp_path,
                 env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert out == "(5000, 784)\n"


def test_the_citation_is_of_this_version():
    assert f"\nversion: {aelearn.__version__}\n" in (ROOT / "CITATION.cff").read_text()
