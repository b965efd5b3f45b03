"""Progress bars: silent unless asked for, drawn while the work goes on, then gone; of no effect on results."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from numba.core import event

from aelearn import (
    Autoencoder,
    GaussianMixture,
    KernelDensity,
    KMeans,
    SparseCoding,
    SpectralClustering,
    kernels,
    make_blobs,
)
from aelearn.core import progress as module
from aelearn.core.progress import Bar, progress
from aelearn.core.validation import ConvergenceWarning
from aelearn.teaching.notebooks import waiting
from tests.small import every_estimator, quick
from tests.test_inputs import TABLE, fit, learnt

X = make_blobs(60, centers=3, random_state=0)[0]  # (60, 2)


class Screen:
    """What has been printed on stderr."""

    def __init__(self, capsys):
        self._capsys, self._text = capsys, ""

    def text(self):
        self._text += self._capsys.readouterr().err
        return self._text

    def wait_for(self, words):
        """Go on as soon as they have been printed, from now on."""
        self._text = ""
        deadline = time.monotonic() + 20
        while words not in self.text():
            assert time.monotonic() < deadline, f"{words!r} is not in {self._text[:500]!r}"
            time.sleep(0.01)

    def is_clear(self):
        """True if the last that was printed removes the bar: a line of blanks, and back to its start."""
        *_, line, end = self.text().split("\r")
        return line.strip() == end == "" and "\n" not in self._text


@pytest.fixture
def screen(monkeypatch, capsys):
    """The Screen, with bars that appear at once; afterwards no thread may be left."""
    monkeypatch.setattr(module, "DELAY", 0)
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    before = threading.active_count()
    yield Screen(capsys)
    assert threading.active_count() == before


def test_how_far_and_how_good(screen):
    with progress(1, unit="epoch", total=4, done=1) as bar:
        screen.wait_for("| 1/4 [")
        bar.advance(loss=0.123456789)
        screen.wait_for("| 2/4 [")
        screen.wait_for("epoch/s, loss=0.12346]")
        bar.text = "almost"
        screen.wait_for("almost: ")
    assert screen.is_clear()


def test_where_the_end_is_not_known(screen):
    with progress(True, "start 1 of 2", unit="iteration") as bar:
        bar.advance(3, inertia=2e9)
        screen.wait_for("start 1 of 2: 3 iterations [00:00, inertia=2e+09]")
        bar.text, bar.n = "start 2 of 2", 0
        screen.wait_for("start 2 of 2: 0 iterations")
    assert screen.is_clear()


def test_only_the_time(screen):
    with waiting("a long wait"):
        screen.wait_for("a long wait: 00:00")
    assert screen.is_clear()


def test_it_says_when_numba_compiles(screen):
    kernels.get("numba")
    with waiting("work"):
        screen.wait_for("work: ")
        event.start_event("numba:compile")
        try:
            screen.wait_for("compiling the kernels: ")
        finally:
            event.end_event("numba:compile")
        screen.wait_for("work: ")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_removes_the_bar(screen, error):
    with pytest.raises(error, match="stop"):
        with waiting("work"):
            screen.wait_for("work: ")
            raise error("stop")
    assert screen.is_clear()


def test_short_blocks_show_nothing(screen, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 3600)
    with progress(1, "work", unit="epoch", total=2) as bar:
        bar.advance(2)
    assert screen.text() == ""


def test_nothing_is_shown_or_loaded_unless_asked_for(screen):
    n_threads = threading.active_count()
    with progress(0, "work", unit="epoch", total=1) as bar:
        assert threading.active_count() == n_threads
        bar.advance(loss=1.0)
    assert screen.text() == ""
    code = ("import sys; from aelearn import KMeans; KMeans(2, backend='numpy').fit([[0], [1]]); "
            "print('tqdm' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("name", every_estimator())
def test_estimators_give_the_same_bits_with_and_without(name, screen):
    model = every_estimator()[name]
    silent = learnt(fit(model, TABLE))
    assert screen.text() == "" and model.get_params()["verbose"] == 0
    assert learnt(fit(every_estimator()[name], TABLE, verbose=True)) == silent


@pytest.mark.parametrize("value, error", [(-1, ValueError), ("yes", TypeError), (None, TypeError), (1.5, TypeError)])
@pytest.mark.parametrize("name", every_estimator())
def test_estimators_refuse_other_values(name, value, error):
    with pytest.raises(error, match="^verbose must be an integer.*got") as caught:
        every_estimator()[name].set_params(verbose=value).fit(TABLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [True, False, 2, np.int64(1), np.bool_(True)])
def test_estimators_store_the_value_unchanged(value, screen):
    model = KMeans(2, verbose=value, random_state=0).fit(TABLE)
    assert model.verbose is value and model.get_params()["verbose"] is value


@pytest.fixture
def bars(monkeypatch):
    """The Bars of all fits, with what they count and how much there is of it."""
    found = []

    @contextmanager
    def recorded(verbose, text="", *, unit=None, total=None, done=0):
        found.append((Bar(text, done), unit, total))
        yield found[-1][0]

    for estimator in (Autoencoder, GaussianMixture, KMeans, KernelDensity, SparseCoding, SpectralClustering):
        monkeypatch.setattr(sys.modules[estimator.__module__], "progress", recorded)
    return found


def test_what_each_estimator_counts(bars):
    model = quick(hidden_layer_sizes=(2,), output_activation="identity").fit(X)
    (bar, *counted), = bars
    assert (bar.n, bar.figures, counted) == (4, {"loss": model.history_[-1]["loss"]}, ["epoch", 4])
    model = SparseCoding(3, max_iter=4, tol=0, random_state=0).fit(X)
    bar, *counted = bars[-1]
    assert (bar.n, bar.figures, counted) == (model.n_iter_, {"objective": model.history_[-1]}, ["round", 4])
    model = KMeans(3, random_state=0).fit(X)
    bar, *counted = bars[-1]
    assert (bar.n, bar.figures, counted) == (model.n_iter_, {"inertia": model.history_[-1]}, ["iteration", None])
    assert bar.text == "start 1 of 1"
    model = GaussianMixture(3, random_state=0).fit(X)
    bar = next(bar for bar, *_ in bars if "log_likelihood" in bar.figures)
    assert (bar.n, bar.figures["log_likelihood"], bar.text) == (model.n_iter_, model.lower_bound_, "start 1 of 1")
    for settings in ({"bandwidth": "leave-one-out"}, {"bandwidth": 0.5, "kernel": "epanechnikov"}):
        KernelDensity(**settings).fit(X).score_samples(X[:7])
        assert bars[-1][0].n == bars[-1][2] == 7
    assert [bar.n for bar, unit, total in bars if total == 3 * len(X)] == [3 * len(X)]
    SpectralClustering(3, random_state=0).fit(X)
    bar, unit, total = next(found for found in bars if found[1] == "step")
    assert (bar.n, bar.text, total) == (2, "k-means", 3)  # during its third step; it has ended when that is done


def test_a_resumed_training_goes_on_counting(bars):
    model = quick(hidden_layer_sizes=(2,), output_activation="identity").fit(X)
    model.set_params(epochs=6).resume(X)
    assert [(bar.n, total) for bar, _, total in bars] == [(4, 4), (6, 6)]


def test_a_training_that_ends_early_removes_its_bar(screen):
    def stop(model, row):
        screen.wait_for("| 1/9 [")
        raise KeyboardInterrupt

    with pytest.warns(ConvergenceWarning, match="interrupted after 1 of 9 epochs"):
        quick(epochs=9, output_activation="identity", callbacks=(stop,), verbose=1).fit(X)
    assert screen.is_clear()


def test_a_training_that_diverges_removes_its_bar(screen):
    def watch(model, row):
        screen.wait_for("| 1/9 [")

    with pytest.raises(ValueError, match="diverged in epoch 2"):
        quick(epochs=9, output_activation="identity", callbacks=(watch, spoil), verbose=1).fit(X)
    assert screen.is_clear()


def spoil(model, row):
    """Make the next epoch diverge."""
    model.params_["b1"][:] = np.nan
