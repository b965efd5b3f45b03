"""What TensorBoard shows of a training: read back through its web server, and looked at in a browser.

The server runs on 127.0.0.1. This needs the extra `tensorboard`; the browser needs `browser` and Chromium as well (see
chromium.py). Without them the tests are skipped, or fail if AELEARN_STRICT=1.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from io import BytesIO
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest

from aelearn import Autoencoder
from aelearn.autoencoder.callbacks import TensorBoard
from aelearn.core.validation import ConvergenceWarning
from tests import chromium
from tests.chromium import until

STRICT = os.environ.get("AELEARN_STRICT") == "1"
MISSING = [name for name in ("tensorboard", "tensorboardX") if not find_spec(name)]
if MISSING and not STRICT:
    pytest.skip(f"TensorBoard needs {', '.join(MISSING)} (extra: tensorboard)", allow_module_level=True)

N_EPOCHS, N_IMAGES = 12, 60
DASHBOARDS = {  # the end of its address -> texts that it shows
    "timeseries": ["/accuracy", "Histogram"], "images": ["reconstructions"],
    "graphs": ["encoder", "decoder", "loss"], "hparams": ["Trial ID", "sigmoid"],
    "projector": ["codes", f"{N_IMAGES}x3"]}
SHOWN = """
    function texts(node) {
        if (node.nodeType === Node.TEXT_NODE) return [node.data.trim()];
        if (['STYLE', 'SCRIPT', 'NOSCRIPT'].includes(node.nodeName)) return [];
        return [].concat(...[...node.childNodes, node.shadowRoot, node.contentDocument].filter(Boolean).map(texts));
    }
    return texts(document.body).join('\\n');"""


@pytest.fixture(scope="module")
def training(few_digits, tmp_path_factory):
    """An autoencoder whose training was interrupted after five epochs and resumed, and the folder of its logs."""
    images, labels = few_digits
    folder = tmp_path_factory.mktemp("logs")

    def press_ctrl_c(model, row):
        if row["epoch"] == 5:
            raise KeyboardInterrupt

    def watch():
        return TensorBoard(folder, images[:N_IMAGES], labels[:N_IMAGES], histograms=True)

    model = Autoencoder((32, 3), epochs=N_EPOCHS, random_state=0, callbacks=(watch(), press_ctrl_c))
    with pytest.warns(ConvergenceWarning, match="interrupted after 5"):
        model.fit(images, validation=images[:100])
    model.set_params(callbacks=(watch(),)).resume(images, validation=images[:100])
    return model, folder


@pytest.fixture(scope="module")
def server(training, tmp_path_factory):
    """TensorBoard, showing these logs: its address."""
    port = chromium.free_port()
    url = f"http://127.0.0.1:{port}"
    with open(tmp_path_factory.mktemp("server") / "log", "w+") as log:
        process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", training[1],
                                    "--host=127.0.0.1", f"--port={port}"], stdout=log, stderr=subprocess.STDOUT)
        try:
            until(lambda: process.poll() is not None or has_loaded(url), 60, "TensorBoard has not read the logs")
            if process.poll() is not None:
                log.seek(0)
                pytest.fail(log.read())
            yield url
        finally:
            process.terminate()
            process.wait(30)


def ask(url, what, **query):
    """The bytes that the server answers."""
    query = {**query, "run": "."} if query or what.endswith("graph") else query
    with build_opener(ProxyHandler({})).open(f"{url}/data/plugin/{what}?{urlencode(query)}", timeout=10) as answer:
        return answer.read()


def has_loaded(url):
    try:
        return "." in json.loads(ask(url, "images/tags"))
    except OSError:
        return False


def test_an_interrupted_and_resumed_training_is_one_curve(training, server):
    for name in ("loss", "validation_loss"):
        steps, values = zip(*(point[1:] for point in json.loads(ask(server, "scalars/scalars", tag=name))))
        assert list(steps) == list(range(1, N_EPOCHS + 1))
        np.testing.assert_allclose(values, [row[name] for row in training[0].history_], rtol=1e-6)
    tags = set(json.loads(ask(server, "scalars/tags"))["."])
    assert {"learning_rate", "clusters/accuracy", "clusters/nmi", "clusters/ari", "norm_of_weights/W1",
            "norm_of_gradients/b4"} <= tags
    for tag in tags:
        assert len(json.loads(ask(server, "scalars/scalars", tag=tag))) == N_EPOCHS


def test_the_images_are_those_of_the_network(training, few_digits, server):
    from PIL import Image

    shown = json.loads(ask(server, "images/images", tag="reconstructions", sample=0))
    assert [entry["step"] for entry in shown][-1] == N_EPOCHS
    key = shown[-1]["query"].removeprefix("blob_key=")
    with Image.open(BytesIO(ask(server, "images/individualImage", blob_key=key))) as image:
        pixels = np.asarray(image)  # (60, 180): two rows of six images with a frame of one pixel
    assert pixels.shape == (60, 180)
    originals, outputs = few_digits[0][:6], training[0].reconstruct(few_digits[0][:6])  # (8, 784)
    for i in range(6):
        columns = slice(30 * i + 1, 30 * i + 29)
        np.testing.assert_allclose(pixels[1:29, columns].ravel(), 255 * originals[i], atol=1)
        np.testing.assert_allclose(pixels[31:59, columns].ravel(), 255 * outputs[i], atol=1)


def test_histograms_and_the_graph(training, server):
    assert set(json.loads(ask(server, "histograms/tags"))["."]) == {f"values_of/{name}" for name in training[0].params_}
    graph = ask(server, "graphs/graph").decode()
    assert graph.count("node {") == 22 and 'name: "decoder/layer_3/matmul"' in graph


def test_the_projector(training, few_digits, server):
    info, = json.loads(ask(server, "projector/info", tag=""))["embeddings"]
    assert info["tensorShape"] == [N_IMAGES, 3] and info["sprite"]["singleImageDim"] == [28, 28]
    codes = np.frombuffer(ask(server, "projector/tensor", name="codes"), np.float32).reshape(-1, 3)
    np.testing.assert_allclose(codes, training[0].transform(few_digits[0][:N_IMAGES]), rtol=1e-5)
    labels = ask(server, "projector/metadata", name="codes").decode().split()
    assert labels == few_digits[1][:N_IMAGES].astype(str).tolist()
    assert ask(server, "projector/sprite_image", name="codes").startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.missing() and not STRICT:
        pytest.skip(f"a browser needs {', '.join(chromium.missing())}")
    browser = chromium.start(tmp_path_factory.mktemp("chromium"), width=1400)
    yield browser
    browser.quit()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_the_page(dashboard, server, browser):
    browser.get(f"{server}/#{dashboard}")
    browser.refresh()  # only what follows the # has changed
    until(lambda: all(text in browser.execute_script(SHOWN) for text in DASHBOARDS[dashboard]), 30,
          f"TensorBoard's page does not show {DASHBOARDS[dashboard]}")
    chromium.keep_screenshot(browser, f"tensorboard_{dashboard}")
