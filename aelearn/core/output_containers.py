"""Data frames out of `transform`: what scikit-learn's users ask for with `set_output(transform="pandas")`.

The choice is kept where scikit-learn keeps it, in `_sklearn_output_config`, which its `clone` copies. Where nothing was
chosen, scikit-learn's own setting (`sklearn.config_context(transform_output="pandas")`) counts, if it is loaded at all.
pandas and polars are imported when the first frame is made.

Source: scikit-learn's enhancement proposal SLEP018, "Pandas output for transformers with set_output".
"""

import functools
import importlib
import sys
from contextlib import contextmanager
from contextvars import ContextVar

CONTAINERS = ("default", "pandas", "polars")
_only_arrays = ContextVar("only_arrays", default=False)


@contextmanager
def only_arrays():
    """Inside, `transform` returns arrays whatever was chosen: for aelearn's own jobs, which compute with them."""
    token = _only_arrays.set(True)
    try:
        yield
    finally:
        _only_arrays.reset(token)


def sklearn_setting(name, default):
    """A setting of scikit-learn's `set_config` and `config_context`; the default where it is not loaded."""
    sklearn = sys.modules.get("sklearn")
    return default if sklearn is None else sklearn.get_config().get(name, default)


def in_container(transform):
    """`transform`, so that its array (N, C) comes back as the kind of frame that the estimator was told to return."""
    @functools.wraps(transform)
    def wrapped(self, X, *args, **kwargs):
        container = container_of(self)  # first, so that a wrong name costs no work
        output = transform(self, X, *args, **kwargs)
        if container == "default" or _is_frame(output, container):
            return output
        names, frames = self.get_feature_names_out().tolist(), _load(container)
        if container == "polars":
            return frames.DataFrame(output, schema=names, orient="row")
        index = X.index if _is_frame(X, "pandas") else None  # rows keep their labels
        return frames.DataFrame(output, index=index, columns=names, copy=False)

    return wrapped


def container_of(estimator):
    """The kind of `transform`'s output, one of CONTAINERS. Raises ValueError if scikit-learn's setting is another."""
    if _only_arrays.get():
        return "default"
    chosen = getattr(estimator, "_sklearn_output_config", {})
    return check_container(chosen.get("transform", sklearn_setting("transform_output", "default")))


def check_container(container):
    """`container`, which must be one of CONTAINERS. Raises ValueError, in scikit-learn's words, otherwise."""
    if not isinstance(container, str) or container not in CONTAINERS:
        raise ValueError(f"output config must be in {sorted(CONTAINERS)}, got {container}")
    return container


def _load(library):
    """The module pandas or polars. Raises ImportError, in scikit-learn's words, where it is not installed."""
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"Setting output container to '{library}' requires {library} to be installed") from error


def _is_frame(values, library):
    """True for a DataFrame of "pandas" or "polars". Where that is not loaded, nothing can be one."""
    module = sys.modules.get(library)
    return module is not None and isinstance(values, module.DataFrame)
