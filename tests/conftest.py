"""Shared fixtures: real digits, few enough to be fast."""

import os
from pathlib import Path

import numpy as np
import pytest

from aelearn import load_mnist
from aelearn.jobs.main_job import Settings, run


@pytest.fixture(scope="session")
def digits():
    """All 11,623 zeros and ones of MNIST's training split, images (N, 784) and labels (N,), shared and read-only."""
    images, labels = load_mnist("train", digits=(0, 1))
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


@pytest.fixture(scope="session")
def few_digits(digits):
    """The first 500 of these."""
    images, labels = digits
    return images[:500], labels[:500]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """The whole job, run with 4 epochs: its folder and its report."""
    out = tmp_path_factory.mktemp("job")
    return out, run(Settings(epochs=4, out=str(out)), say=lambda line: None)


SLOW = (  # parts of the names of folders, files and tests
    "peers/", "jobs/", "kernels/gpu/", "kernels/test_arguments.py", "kernels/test_ceiling.py",
    "kernels/test_compiling.py", "kernels/test_contention.py", "kernels/test_lloyd.py", "kernels/test_matmul.py",
    "spectral/test_eigenvectors.py", "density/test_bandwidths.py",
    "test_benchmarks.py", "test_browser.py", "test_cli.py", "test_lessons.py", "test_package.py", "test_readme.py",
    "test_tensorboard.py", "test_tiny.py",
    "::test_digits", "::test_the_report_from_the_command_line", "::test_killed_and_resumed",
    "::test_training_gives_the_same_bits",
)

SLOWEST = ("::test_every_kernel_without_a_gpu[simulator]", "::test_each_processor_has_kernels_of_its_own",
           "::test_the_cache_is_used_and_an_edited_helper", "::test_a_forked_child")  # a quarter of the time


def pytest_collection_modifyitems(items):
    """Mark what takes long: `pytest -m 'not slow'` leaves it out. The slowest are run only with AELEARN_STRICT=1."""
    for item in items:
        name = f"{item.path.relative_to(Path(__file__).parent).as_posix()}::{item.name}"
        if any(part in name for part in SLOW):
            item.add_marker(pytest.mark.slow)
        if any(part in name for part in SLOWEST) and os.environ.get("AELEARN_STRICT") != "1":
            item.add_marker(pytest.mark.skip(reason="takes long: .ci/run tries it, with AELEARN_STRICT=1"))
