"""What the tests share: real digits, small enough to be quick."""

import numpy as np
import pytest

from aelearn import load_mnist


@pytest.fixture(scope="session")
def digits():
    """All 11,623 zeros and ones of MNIST's training split: images (N, 784), labels (N,). Read-only, as they are shared."""
    images, labels = load_mnist("train", digits=(0, 1))
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


@pytest.fixture(scope="session")
def few_digits(digits):
    """The first 500 of them."""
    images, labels = digits
    return images[:500], labels[:500]


@pytest.fixture
def rng():
    return np.random.default_rng(0)
