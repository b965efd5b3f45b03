"""The installed package: it imports quickly, and includes its data, wherever it is."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import aelearn
from aelearn.teaching import progress

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
def distributions(tmp_path_factory):
    """A source distribution and a wheel, built offline from a copy of the sources, so that no earlier build can
    interfere, and so that what a learner leaves beside the lessons is there."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("aelearn", "data", "docs", "lessons", "tests", ".ci"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "api"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    for name in ("progress.json", "progress.broken-1.json", ".ipynb_checkpoints/01_the_job-checkpoint.ipynb"):
        (source / "lessons" / name).parent.mkdir(exist_ok=True)
        (source / "lessons" / name).write_text("{}")
    build = f"from setuptools.build_meta import build_sdist, build_wheel; folder = {str(built)!r}; "
    for step in ("build_sdist(folder)", "build_wheel(folder)"):
        done = subprocess.run([sys.executable, "-c", build + step], cwd=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return next(built.glob("*.tar.gz")), next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def site(distributions, tmp_path_factory):
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(distributions[1]) as file:
        file.extractall(folder)
    return folder


def away_from(site, *arguments, cwd):
    """The output of Python, in another folder, with the unpacked wheel."""
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}).stdout


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_has_what_it_needs(site):
    names = files(site)
    assert sum(name.startswith("aelearn/mnist/") and name.endswith(".gz") for name in names) == 4
    lessons = {name.removeprefix("aelearn/lessons/") for name in names if name.startswith("aelearn/lessons/")}
    notebooks = set(progress.NOTEBOOKS.values())
    pictures = {f"pictures/{path.name}" for path in (ROOT / "lessons" / "pictures").glob("*.png")}
    records = {f"src/recorded/{path.name}" for path in (ROOT / "lessons" / "src" / "recorded").glob("*.json")}
    assert lessons - {"build.py"} == {"README.md", *pictures, *records, *notebooks,
                                      *(f"solutions/{name}" for name in notebooks)}
    assert not [name for name in names if name.startswith(("tests", "lessons", "docs"))]
    assert any(name.endswith("licenses/data/README.md") for name in names), "MNIST's notice must travel with MNIST"


def test_the_wheel_works_in_another_folder(site, tmp_path):
    code = "import aelearn; print(aelearn.__file__, aelearn.load_mnist('test')[0].shape)"
    where = away_from(site, "-c", code, cwd=tmp_path)
    assert str(site) in where and "(10000, 784)" in where


def test_the_wheel_has_lessons_for_an_empty_folder(site, tmp_path):
    said = away_from(site, "-m", "aelearn", "lessons", "--solutions", cwd=tmp_path)
    assert said.startswith("lessons: 31 files copied\n\nlesson ")
    copied, there = files(tmp_path / "lessons"), files(site / "aelearn" / "lessons")
    assert copied - {"progress.json"} == {name for name in there if name.endswith((".ipynb", ".png", ".md"))}
    again = away_from(site, "-m", "aelearn", "lessons", "--solutions", cwd=tmp_path)
    assert again.startswith("lessons: all files are there already\n")


def test_the_source_distribution_is_complete(distributions, site, tmp_path):
    """It has all sources and tests, and the wheel built from it is the same."""
    with tarfile.open(distributions[0]) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # older versions of Python have none
        file.extractall(tmp_path)
    unpacked, = tmp_path.iterdir()
    left_out = re.compile(r"__pycache__|\.egg-info/|^docs/api/|\.ipynb_checkpoints|/progress[^/]*\.json$|\.pyc$")
    for folder in ("aelearn", "data", "docs", "lessons", "tests", ".ci"):
        there = {f"{folder}/{name}" for name in files(ROOT / folder)}
        assert {name for name in files(unpacked) if name.startswith(f"{folder}/")} == {
            name for name in there if not left_out.search(name)}
    assert {"README.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "setup.cfg", "pyproject.toml"} < files(unpacked)
    subprocess.run([sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('built')"],
                   cwd=unpacked, capture_output=True, check=True)
    with zipfile.ZipFile(next((unpacked / "built").glob("*.whl"))) as file:
        assert {name for name in file.namelist() if not name.endswith("/")} == files(site)


def test_works_from_any_folder_in_a_checkout(tmp_path):
    out = python("from aelearn import load_mnist; print(load_mnist('validation')[0].shape)", cwd=tmp_path,
                 env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert out == "(5000, 784)\n"


def test_the_citation_is_of_this_version():
    assert f"\nversion: {aelearn.__version__}\n" in (ROOT / "CITATION.cff").read_text()
