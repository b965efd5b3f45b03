"""Shared fixtures: real digits, few enough to be fast."""

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
