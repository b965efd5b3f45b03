"""Every lesson where it is worked through: in JupyterLab in a browser, all cells run from the menu, all sliders moved.

This needs the extras `lessons` and `browser`, and Debian's packages chromium and chromium-driver; without them the
tests are skipped, or fail if AELEARN_STRICT=1. There is one server and one browser, on 127.0.0.1. Nothing is fetched
from outside. AELEARN_SCREENSHOTS names a folder to keep a screenshot of each notebook in.
"""

import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests import chromium
from tests.chromium import until
from tests.test_lessons import build, each_lesson  # skips where the extra `lessons` is missing

MISSING = [name for name in ("jupyterlab", "ipywidgets") if not importlib.util.find_spec(name)] + chromium.missing()
if MISSING and os.environ.get("AELEARN_STRICT") != "1":
    pytest.skip(f"lessons in a browser need {', '.join(MISSING)}", allow_module_level=True)

SETTINGS = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "docmanager-extension/plugin": {"autosave": False},
            "notebook-extension/tracker": {"windowingMode": "none"}}  # all cells are on the page at any time
STATUS = "return document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status"
CELLS = """return [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].map(cell => ({
    folded: !!cell.querySelector('.jp-InputPlaceholder'),
    output: cell.querySelector('.jp-OutputArea').innerText,
    prompt: cell.querySelector('.jp-InputPrompt').innerText,
    errors: [...cell.querySelectorAll('[data-mime-type$="jupyter.error"], [data-mime-type$="jupyter.stderr"]')].map(
        output => output.innerText)}))"""
PICTURES = """return [...document.querySelectorAll('.jp-OutputArea img')].map(image => {
    const output = image.closest('.jp-OutputArea-output');
    return {text: image.alt, loaded: image.complete && image.naturalWidth > 0,
            fits: output.scrollWidth <= output.clientWidth
                  && image.getBoundingClientRect().right <= output.getBoundingClientRect().right}})"""
SLIDER = """const all = arguments[0].closest('.widget-vbox'), image = all.querySelector('img');
            return [all.querySelector('.widget-readout').innerText, image.alt, image.src]"""


class Lab:
    """JupyterLab in a folder of its own, without the user's settings, on a free port, with a token."""

    def __init__(self, folder):
        self.notebooks, self.token = folder / "notebooks", secrets.token_hex(16)
        self.notebooks.mkdir()
        for name, value in SETTINGS.items():
            path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        port, own = chromium.free_port(), ("CONFIG", "DATA", "RUNTIME")
        self.url = f"http://127.0.0.1:{port}"
        self._log = open(folder / "log", "w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
             "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.notebooks}"],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=folder,
            env={**os.environ, **{f"JUPYTER_{name}_DIR": str(folder / name) for name in own},
                 "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "IPYTHONDIR": str(folder / "ipython"),
                 "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"), "JUPYTER_TOKEN": self.token})

    def wait(self):
        """Wait until the server answers."""
        until(lambda: self._process.poll() is not None or self._answers(), 60, "JupyterLab has not started")
        if self._process.poll() is not None:
            self._log.seek(0)
            pytest.fail(self._log.read())

    def ask(self, path, method="GET"):
        """What the server's API answers."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method,
                                         headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def _answers(self):
        try:
            return bool(self.ask("status"))
        except OSError:
            return False

    def end(self):
        """End the server; it ends its kernels."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        lab.wait()
        yield lab
    finally:
        lab.end()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = chromium.start(tmp_path_factory.mktemp("chromium"), width=1000)  # in a narrow window, pictures shrink
    yield browser
    browser.quit()


@pytest.fixture
def notebook(request, lab, browser):
    """A function that opens a notebook and waits for its kernel, which is ended after the test."""
    def open_notebook(name, book):
        build.nbformat.write(book, lab.notebooks / name)
        browser.get(f"{lab.url}/lab/tree/{name}?token={lab.token}&reset")
        until(lambda: any(session["kernel"]["execution_state"] == "idle" and session["kernel"]["connections"]
                          for session in lab.ask("sessions")), 60, "the kernel has not started")

    yield open_notebook
    chromium.keep_screenshot(browser, request.node.callspec.id)
    for session in lab.ask("sessions"):
        lab.ask(f"sessions/{session['id']}", "DELETE")


def find(browser, css):
    return browser.find_elements("css selector", css)


def click(browser, css, text):
    """Click on the element with this text. Returns whether it was there."""
    from selenium.common.exceptions import WebDriverException

    try:
        for element in find(browser, css):
            if element.text == text:
                element.click()
                return True
    except WebDriverException:  # JupyterLab is just drawing it anew
        pass
    return False


def run_all(browser):
    """Choose Run All Cells from the menu Run, with the mouse; again, if JupyterLab draws its menus anew meanwhile."""
    until(lambda: click(browser, ".lm-Menu-itemLabel", "Run All Cells")
          or click(browser, ".lm-MenuBar-itemLabel", "Run") and False, 20, "there is no Run, Run All Cells")


def tags(cell):
    return set(cell.metadata.get("tags", []))


def errors(browser):
    """The errors and warnings on the page."""
    return [error for shown in browser.execute_script(CELLS) for error in shown["errors"]]


def has_run(browser):
    """Whether all cells have run; those that are folded show no number."""
    return (all(cell["folded"] or cell["prompt"].strip("[]:").isdigit() for cell in browser.execute_script(CELLS))
            and browser.execute_script(STATUS) == "idle")


@each_lesson
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "open"])
def test_lessons_run_in_a_browser(source, solved, lab, browser, notebook):
    """Solved and open, from the first cell to the last. Of an open lesson exactly the checks say "not solved yet"."""
    book = build.notebook(source.read_text(), solved=solved)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    notebook(f"{source.stem}.ipynb", book)
    run_all(browser)
    until(lambda: errors(browser) or has_run(browser), 600, "not all cells have run")
    assert not errors(browser)

    cells = browser.execute_script(CELLS)
    assert len(cells) == len(code)
    for cell, shown in zip(code, cells):
        assert shown["folded"] == bool(tags(cell) & {"setup", "plot"})
        is_right, is_open = ("✓" in shown["output"], "○" in shown["output"])
        assert (is_right, is_open) == ((solved, not solved) if "check" in tags(cell) else (False, False))

    handles = find(browser, ".jp-OutputArea .noUi-handle")
    assert len(handles) == sum(cell.source.count("slider(") for cell in code)
    for handle in handles:
        before = browser.execute_script(SLIDER, handle)
        handle.send_keys("\ue014")  # the key that is an arrow to the right
        until(lambda: all(now != then for now, then in zip(browser.execute_script(SLIDER, handle), before)), 20,
              f"the slider at {before[0]!r} has not moved, or its picture has not changed,")

    until(lambda: all(picture["loaded"] for picture in browser.execute_script(PICTURES)), 10, "a picture is missing")
    pictures = browser.execute_script(PICTURES)
    assert len(pictures) >= sum(cell.source.count("show(") + cell.source.count("slider(") for cell in code)
    assert all(picture["text"].strip() not in ("", "Image") for picture in pictures), pictures  # JupyterLab's own text
    assert all(picture["fits"] for picture in pictures), pictures
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
