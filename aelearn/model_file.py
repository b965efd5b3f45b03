"""An autoencoder on disk: one .npz file of plain arrays and one JSON text. No pickle, so loading runs no code.

    about           JSON: format, settings, seed, n_features, history, interrupted
    params/W1 ...   the parameters
    memory/m ...    what the optimiser remembers
"""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from aelearn.files import replacing

FORMAT = "aelearn autoencoder 1"


def write_model(path, *, params, memory, **about):
    """Write `params`, `memory` (dicts of arrays) and `about` (anything JSON can say) to `path`, whole or not at all."""
    arrays = {f"params/{name}": array for name, array in params.items()}
    arrays |= {f"memory/{name}": array for name, array in memory.items()}
    with replacing(path) as file:
        np.savez(file, about=json.dumps({"format": FORMAT, **about}, default=_plain), **arrays)


def read_model(path, build):
    """`build(params=..., memory=..., **about)` with what `write_model` wrote to `path`.

    Raises FileNotFoundError if there is no such file, ValueError, naming it, if it is damaged or something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about.pop("format", None) != FORMAT:
                raise ValueError(f"its format is not {FORMAT!r}")
            groups = {"params": {}, "memory": {}}
            for name in file.files:
                if name != "about":
                    group, _, key = name.partition("/")
                    groups[group][key] = file[name]
            return build(**about, **groups)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, OSError,
            EOFError, zipfile.BadZipFile, zlib.error) as error:  # all that a damaged file was seen to bring about
        raise ValueError(f"{path} is not a whole model file of aelearn: {error}") from None


def _plain(value):
    """A NumPy number as Python's, for JSON."""
    return value.item()
