"""The structure of the package: what may import what, what each subpackage documents, and old names."""

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import aelearn
from aelearn import Autoencoder
from aelearn.moved import MOVED

ROOT = Path(__file__).parent.parent
TOPICS = ("autoencoder", "kmeans", "deep_clustering", "pca", "sparse_coding", "mixture", "density", "spectral")
MATHEMATICS = {"core", "kernels", *TOPICS}  # they may import only the public names of other topics
MAY_IMPORT = {  # a part of aelearn (a subpackage, or a module at the top) -> the others that it may import
    "__init__": {"moved"}, "__main__": {"cli"}, "moved": set(), "tiny": set(), "mnist": set(),
    "lessons": set(),
    "kernels": set(), "core": {"kernels"},
    "finite_differences": {"core"}, "gradcheck": {"core", "finite_differences"},
    "assignment": {"core"}, "metrics": {"core", "assignment"}, "data": {"core"},
    **{topic: MATHEMATICS for topic in TOPICS}, "autoencoder": MATHEMATICS | {"gradcheck", "metrics", "plotting"},
    "spectral": MATHEMATICS | {"metrics"},
    "plotting": {"core", "metrics"},
    "jobs": MATHEMATICS | {"data", "metrics", "plotting", "__init__"},
    "teaching": MATHEMATICS | {"data", "metrics", "gradcheck", "plotting"},
    "cli": {"jobs", "teaching", "__init__"},
}


def imports(path):
    """The imports of aelearn in a module: pairs of a dotted module and a name in it, or None."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which way the arrow runs"
            if node.module.split(".")[0] == "aelearn":
                yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.split(".")[0] == "aelearn")


def part_of(module, name=None):
    """The subpackage or top-level module that `from module import name` refers to."""
    parts = module.split(".")[1:] or ([name] if name and _exists(f"aelearn.{name}") else ["__init__"])
    return parts[0]


def _exists(module):
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in (ROOT / "aelearn").rglob("*.py")}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_arrows_run_one_way(module):
    part = part_of(module)
    for other, name in imports(MODULES[module]):
        to = part_of(other, name)
        assert to == part or to in MAY_IMPORT[part], f"{module} imports {other}.{name}"
        if part in TOPICS and to in TOPICS and to != part:
            assert other == f"aelearn.{to}" and name in importlib.import_module(other).__all__, \
                f"{module} imports {other}.{name}, which is not a public name of {to}"


def test_pictures_are_drawn_by_few():
    draw = {module for module in MODULES for other, name in imports(MODULES[module])
            if part_of(other, name) == "plotting" and part_of(module) != "plotting"}
    assert draw == {"aelearn.jobs.results", "aelearn.jobs.compare", "aelearn.jobs.deep_job",
                    "aelearn.autoencoder.watching", "aelearn.teaching.notebooks"}


@pytest.mark.parametrize("room", [*TOPICS, "core", "jobs", "teaching"])
def test_a_subpackage_is_what_it_says(room):
    package = importlib.import_module(f"aelearn.{room}")
    named = re.findall(r"^    (\w+)  ", package.__doc__, re.M)
    folder = ROOT / "aelearn" / room
    there = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    there -= {"__init__", "__pycache__"}
    assert sorted(named) == sorted(there)
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name).__module__.startswith(package.__name__)
    if room in TOPICS:
        lessons = re.search(r"[Tt]aught in lessons? ([\d, toand]+)", package.__doc__).group(1)
        for number in re.findall(r"\d+", lessons):
            assert list((ROOT / "lessons").glob(f"{int(number):02}_*.ipynb"))
        assert (ROOT / re.search(r"\((tests/peers/\w+\.py)\)", package.__doc__).group(1)).is_file()
        assert package.__all__ and named[-1] in ("estimator", "selfcheck", "peaks") and "estimator" in named


def test_tests_mirror_the_package():
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] not in ("peers", "kernels"):
            assert (ROOT / "aelearn" / folder / f"{path.stem.removeprefix('test_')}.py").is_file() \
                or path.stem == f"test_{folder.name}", path


@pytest.mark.parametrize("old", sorted(MOVED))
def test_names_of_version_1_are_the_same_modules(old):
    now = importlib.import_module(f"aelearn.{MOVED[old]}")
    assert importlib.import_module(f"aelearn.{old}") is now
    assert now.__name__ == now.__spec__.name == f"aelearn.{MOVED[old]}"
    assert not (ROOT / "aelearn" / old).exists(), "the old name would not be looked up"


def test_modules_inside_an_old_package_are_the_same_as_well():
    assert importlib.import_module("aelearn.exercises.exercise") is importlib.import_module(
        "aelearn.teaching.exercises.exercise")


OLD_HOMES = {"Autoencoder": "autoencoder", "KMeans": "kmeans", "PCA": "pca", "SparseCoding": "sparse_coding",
             "KernelDensity": "kernel_density", "histogram_density": "histogram", "GaussianMixture": "gaussian_mixture",
             "SpectralClustering": "spectral", "eigengap": "eigenmaps", "laplacian_eigenmaps": "eigenmaps",
             "EarlyStopping": "callbacks", "Checkpoint": "callbacks", "load_mnist": "data", "make_blobs": "data",
             "make_moons": "data", "make_circles": "data", "check_gradients": "gradcheck", "GradientError": "gradcheck"}


def test_public_names_can_be_imported_as_in_version_1_and_as_today():
    assert set(OLD_HOMES) == set(aelearn.__all__) - {"__version__", "DeepClustering"}  # which is new
    for name, old in OLD_HOMES.items():
        assert getattr(importlib.import_module(f"aelearn.{old}"), name) is getattr(aelearn, name)
        room = part_of(getattr(aelearn, name).__module__)
        assert getattr(importlib.import_module(f"aelearn.{room}"), name) is getattr(aelearn, name)


def test_names_that_were_never_there_are_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("aelearn.nonsense")


def test_a_model_saved_by_version_1_loads():
    """Autoencoder((6, 2), activation="tanh", epochs=5, batch_size=20, random_state=3), of 200 rows of 20 pixels."""
    model = Autoencoder.load(ROOT / "tests" / "autoencoder" / "version_1.npz")
    images, _ = aelearn.load_mnist("validation", digits=(0, 1))
    codes = model.transform(images[:3, 350:370])
    np.testing.assert_allclose(codes, [[0.10517581, 0.68059033], [0.5755842, 0.02225148], [0.51036924, 0.07278756]],
                               atol=1e-5)
    assert model.get_params()["hidden_layer_sizes"] == (6, 2) and len(model.history_) == 5
    again = model.set_params(epochs=6).resume(np.ascontiguousarray(images[:200, 350:370]))
    assert len(again.history_) == 6 and again.history_[-1]["loss"] < again.history_[0]["loss"]


@pytest.mark.parametrize("module", sorted(module for module in MODULES if module.startswith("aelearn.kernels")))
def test_functions_of_kernels_take_ten_arguments_at_most(module):
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            takes = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            assert len(takes) <= 10, f"{getattr(node, 'name', 'lambda')} of {module}"


def test_files_of_kernels_say_whether_they_are_worth_reading():
    for module, path in MODULES.items():
        if module.startswith("aelearn.kernels.") and path.name != "__init__.py":
            words = ast.get_docstring(ast.parse(path.read_text())).split("\n\nShapes:")[0]
            assert re.search("worth reading|plumbing", words, re.I), module
