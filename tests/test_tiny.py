"""The whole idea in one file: short, NumPy only, and with the same results as the rest of the package."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from aelearn import KMeans, tiny
from aelearn.autoencoder.network import Architecture, loss_and_gradients

SOURCE = Path(tiny.__file__).read_text()


def test_it_is_short_and_needs_numpy_alone():
    tree = ast.parse(SOURCE)
    docstrings = {line for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef))
                  for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)}
    code = [line for n, line in enumerate(SOURCE.splitlines(), 1)
            if line.strip() and not line.strip().startswith("#") and n not in docstrings]
    assert len(code) <= 150 and "out=" not in SOURCE and "class " not in "\n".join(code)
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"gzip", "pathlib", "numpy"}


def test_the_images_are_those_of_load_mnist(digits):
    images, labels = tiny.load_zeros_and_ones()
    assert np.array_equal(images, digits[0]) and np.array_equal(labels, digits[1])


def test_the_gradients_are_those_of_the_network(rng, few_digits):
    x = few_digits[0][:20].astype(np.float64)
    weights, biases = ([array.astype(np.float64) for array in arrays] for arrays in tiny.initial_parameters(rng))
    a = tiny.forward(x, weights, biases)
    d_weights, d_biases = tiny.backward(a, weights)
    architecture = Architecture(tuple(tiny.SIZES))
    params = architecture.parameters(np.concatenate(
        [part.ravel() for pair in zip(weights, biases) for part in pair]))
    loss, grads = loss_and_gradients(params, x, architecture)
    assert tiny.mean_squared_error(a[-1], x) == pytest.approx(loss, rel=1e-12)
    for layer in range(1, 5):
        for name, found in ((f"W{layer}", d_weights[layer - 1]), (f"b{layer}", d_biases[layer - 1])):
            wanted = grads[name]
            # Each is a sum of at most 784 products in float64.
            np.testing.assert_allclose(found, wanted, rtol=0, atol=784 * np.finfo(float).eps * np.abs(wanted).max())


def test_the_labels_are_those_of_kmeans_from_the_same_start(rng):
    points = np.concatenate([rng.normal(size=(100, 3)), rng.normal(size=(150, 3)) + 2])
    labels, centers = tiny.kmeans(points, points[[0, 120]])
    model = KMeans(2, init=points[[0, 120]], tol=0).fit(points)
    assert np.array_equal(labels, model.labels_)
    np.testing.assert_allclose(centers, model.cluster_centers_, rtol=1e-12)


def test_the_whole_of_it_with_few_epochs(monkeypatch, capsys):
    monkeypatch.setattr(tiny.train, "__defaults__", (1,))
    tiny.main()
    printed = capsys.readouterr().out
    assert "11,623 images" in printed and "epoch  1: mean squared error 0.0" in printed
    assert float(re.search(r"cluster of their digit: (\S+)", printed)[1]) > 0.9
