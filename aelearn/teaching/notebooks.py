"""What lessons need from Jupyter and the machine: figures, sliders, progress bars, sources, measurements, a GPU."""

import inspect
import json
import os
import platform
import subprocess
import sys
import time
from numbers import Integral
from pathlib import Path

from aelearn.core.progress import progress
from aelearn.plotting.picture import Picture
from aelearn.teaching.progress import originals

PAUSE = 0.25  # seconds
RECORD = "AELEARN_RECORD"  # the environment variable that names a file of measurements, to be shown again


def show(figure, alt):
    """A figure as the output of a notebook's cell.

    alt  what it shows, in words, for people who cannot see it. Raises ValueError if it is empty.
    """
    return Picture(figure, alt)


def slider(draw, values, label, alt):
    """A slider over values, and below it the figure draw(value). It moves only while a kernel is running.

    values  numbers or texts
    label   what they are
    alt     what the figure shows, in words; the label and the value are added to it. Raises ValueError if it is empty.

    Without ipywidgets it prints one sentence, and the lesson goes on.
    """
    try:
        import ipywidgets
    except ImportError:
        print("To see a slider here, pip install ipywidgets. The other pictures show the same.")
        return None
    from IPython.display import display

    options = [(_as_text(value), value) for value in values]
    control = ipywidgets.SelectionSlider(options=options, description=label, style={"description_width": "initial"},
                                         layout={"width": "500px", "max_width": "100%"})
    picture = ipywidgets.HTML()

    def redraw(_=None):
        text, value = options[control.index]
        picture.value = Picture(draw(value), alt and f"{alt}; {label}: {text}")._repr_html_()

    control.observe(redraw, names="index")
    redraw()
    display(ipywidgets.VBox([control, picture]))
    return None


def _as_text(value):
    """A slider's value as it is shown: at most four digits of a float."""
    return str(value) if isinstance(value, (str, Integral)) else f"{value:.4g}"


def waiting(text):
    """For a `with` block that may take more than a second: shows `text` and the elapsed time while it runs.

    The estimators have `verbose` for this.
    """
    return progress(True, text)


def source(function):
    """The source of a function; of a compiled kernel as well."""
    return inspect.getsource(inspect.unwrap(getattr(function, "py_func", function)))


def measured(name, measure):
    """What `measure()` returns (numbers, strings, lists and dicts of them), measured here and now.

    Two builds of the lessons must give the same bytes, but no two measurements are the same. So a build names a file in
    AELEARN_RECORD: a measurement that it has under `name` is shown again; any other is made and written to it.
    """
    path = os.environ.get(RECORD)
    if not path:
        return measure()
    record = json.loads(Path(path).read_text()) if Path(path).exists() else {}
    if name not in record:
        record[name] = measure()
        Path(path).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return record[name]


def recorded(lesson, name):
    """What was recorded under `name` when the notebooks of `lesson` were built: see `measured`."""
    path = originals() / "src" / "recorded" / f"{lesson}.json"
    return json.loads(path.read_text(encoding="utf-8"))[name]


def seconds(functions, *, rounds=5):
    """How long one call takes: {name: function without arguments} -> {name: seconds}.

    Each is called once without being timed, because a kernel compiles at its first call; then, after a pause, several
    times. The best time counts: whatever else the machine does can only make a call slower. During the pause the last
    function's threads, which wait for more work by turning in circles, go to sleep.
    """
    best = {}
    for name, function in functions.items():
        function()
        time.sleep(PAUSE)
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            function()
            times.append(time.perf_counter() - started)
        best[name] = min(times)
    return best


def machine():
    """The machine that measures, without its name."""
    import numba
    import numpy as np

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    kernels = os.environ.get("OPENBLAS_CORETYPE")  # BLAS may have been set not to use the widest vectors
    return (f"{cores} cores ({platform.machine()}), Python {platform.python_version()}, NumPy {np.__version__}, "
            f"Numba {numba.__version__} on {numba.get_num_threads()} threads"
            + (f", OPENBLAS_CORETYPE={kernels}" if kernels else ""))


def gpu_or_simulator():
    """Make backend "cuda" run in this notebook: on the GPU if there is one, otherwise simulated. Says which.

    Call it before anything has loaded Numba, which checks only once. Raises RuntimeError if Numba is loaded.
    """
    if "numba" in sys.modules:
        raise RuntimeError("Numba is loaded already: restart the kernel, and run the lesson from its first cell")
    program = "from aelearn import kernels; kernels.get('cuda')"
    plain = {name: value for name, value in os.environ.items() if name not in ("NUMBA_ENABLE_CUDASIM",
                                                                               "AELEARN_SIMULATE")}
    if subprocess.run([sys.executable, "-c", program], env=plain, capture_output=True).returncode == 0:
        return "kernels run on the GPU of this machine"
    os.environ.update(NUMBA_ENABLE_CUDASIM="1", AELEARN_SIMULATE="1")
    return "there is no GPU here: kernels run in the simulator, thread by thread, in Python"
