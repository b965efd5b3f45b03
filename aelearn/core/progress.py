"""Progress bars: while something takes long, they show that it goes on, how far it is, and whether Numba is compiling.

    with progress(self.verbose, unit="epoch", total=self.epochs) as bar:
        for epoch in range(self.epochs):
            ...
            bar.advance(loss=loss)

The code in the block only notes how far it is, in attributes of `bar`; this takes no time worth mentioning, and cannot
change a result. A thread reads them a few times a second and draws them with tqdm, as a widget in a notebook (as text,
if ipywidgets is not installed) or as text on stderr. So the elapsed time goes on even during one long step. The thread
ends with the block, however that ends, and removes the bar. A block that takes less than DELAY shows none.
"""

import functools
import threading
import time
import warnings
from contextlib import contextmanager
from contextvars import copy_context

from aelearn import kernels

DELAY = 1.0  # seconds before a bar appears
INTERVAL = 0.2  # seconds between two drawings


class Bar:
    """How far the work is: attributes that the work may change, and that the thread reads.

    text     what is being done, such as "start 2 of 4"
    n        how many units are done
    figures  numbers to show next to it, a dict
    """

    def __init__(self, text="", n=0):
        self.text, self.n, self.figures = text, n, {}

    def advance(self, n=1, **figures):
        """Note that n more units are done, and the newest figures, such as loss=0.03."""
        self.n += n
        self.figures = figures


@contextmanager
def progress(verbose, text="", *, unit=None, total=None, done=0):
    """A context manager that gives a Bar and, if `verbose`, shows it.

    text   what is being done
    unit   what is counted, in the singular; None: nothing is, and only the text and the elapsed time are shown
    total  how many units there will be; None if that is not known
    done   how many there are at the start
    """
    bar = Bar(text, done)
    if not verbose:
        yield bar
        return
    is_over, started = threading.Event(), time.time()
    # Within a copy of the context Jupyter knows which cell the thread belongs to.
    thread = threading.Thread(target=copy_context().run, daemon=True,
                              args=(_draw, _tqdm(), bar, unit, total, started, is_over))
    try:
        thread.start()
        yield bar
    finally:
        is_over.set()
        if thread.ident is not None:  # Ctrl-C may come before it has started
            thread.join()


def unwatched(*_, **__):
    """Does nothing: the default of a function that is told how far the work is, such as Bar.advance."""


@functools.cache
def _tqdm():
    """The class of bars for where this runs: Jupyter or a terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm warns in a notebook without ipywidgets; text will do
        from tqdm.auto import tqdm

    class TqdmWithoutMonitor(tqdm):
        monitor_interval = 0  # tqdm's own thread would outlive the bar

    return TqdmWithoutMonitor


def _draw(tqdm, bar, unit, total, started, is_over):
    """The thread: draw `bar` until is_over is set."""
    if is_over.wait(DELAY):
        return
    layout = None if total else "{desc}{elapsed}" if unit is None else "{desc}{n_fmt} {unit}s [{elapsed}{postfix}]"
    drawn = tqdm(desc=f"{bar.text}: " if bar.text else "", total=total, initial=bar.n, unit=unit or "", leave=False,
                 bar_format=layout, mininterval=0, miniters=0)  # each update is drawn
    drawn.start_t = started
    try:
        while True:
            n, is_compiling = bar.n, kernels.is_compiling()
            if is_compiling:
                drawn.last_print_t = time.time()  # so that the estimate of the time left leaves it out
            drawn.set_description("compiling the kernels" if is_compiling else bar.text, refresh=False)
            drawn.set_postfix({name: f"{value:.5g}" for name, value in bar.figures.items()}, refresh=False)
            if n == drawn.n:
                drawn.refresh()  # the elapsed time
            else:
                drawn.update(n - drawn.n)
            if is_over.wait(INTERVAL):
                return
    finally:
        drawn.total = None  # Jupyter's bars would stay, in red, if they were not full
        drawn.close()
