"""A headless Chromium for tests, which finds no other machine than 127.0.0.1, and what a test of a server needs.

It comes from the extra `browser` and Debian's packages chromium and chromium-driver.

AELEARN_SCREENSHOTS names a folder to keep screenshots in.
"""

import importlib.util
import os
import shutil
import socket
import time
from pathlib import Path

import pytest


def missing():
    """What a browser needs and is not installed: a list of names."""
    return [name for name in ("selenium",) if not importlib.util.find_spec(name)] + [
        name for name in ("chromium", "chromedriver") if not shutil.which(name)]


def start(folder, *, width):
    """A browser with its settings in `folder`; `width` of its window, in pixels. `quit()` ends it."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox",  # as root, Chromium runs only without its sandbox
                     "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", f"--window-size={width},900", f"--user-data-dir={folder}",
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def keep_screenshot(browser, name):
    """Save what the browser shows as a PNG file of that name, if AELEARN_SCREENSHOTS names a folder."""
    if folder := os.environ.get("AELEARN_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def free_port():
    """A port of 127.0.0.1 that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(what, seconds, sentence):
    """Wait until what() is true, and return it. Fails with the sentence after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    pytest.fail(f"{sentence} within {seconds} seconds")
