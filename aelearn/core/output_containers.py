"""Data frames as the output of `transform`: scikit-learn's `set_output(transform="pandas")`.

The choice is kept where scikit-learn keeps it, in `_sklearn_output_config`, which its `clone` copies. If nothing was
chosen, scikit-learn's global setting (`sklearn.config_context(transform_output="pandas")`) counts, if scikit-learn is
loaded at all. pandas and polars are imported when the first frame is created.

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
    """In this context `transform` returns arrays, whatever was chosen: aelearn's own jobs compute with arrays."""
    token = _only_arrays.set(True)
    try:
        yield
    finally:
        _only_arrays.reset(token)


def sklearn_setting(name, default):
    """A setting of scikit-learn's `set_config` and `config_context`; the default if scikit-learn is not loaded."""
    sklearn = sys.modules.get("sklearn")
    return default if sklearn is None else sklearn.get_config().get(name, default)


def in_container(transform):
    """A `transform` that returns its array (N, C) as the kind of data frame that was chosen for the estimator."""
    @functools.wraps(transform)
    def wrapped(self, X, *args, **kwargs):
        container = container_of(self)  # first, so that an invalid name is reported before any work is done
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
    """The kind of `transform`'s output, one of CONTAINERS. Raises ValueError for another setting of scikit-learn's."""
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
    """The module pandas or polars. Raises ImportError, in scikit-learn's words, if it is not installed."""
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"Setting output container to '{library}' requires {library} to be installed") from error


def _is_frame(values, library):
    """True for a DataFrame of "pandas" or "polars". If that library is not loaded, `values` cannot be one."""
    module = sys.modules.get(library)
    return module is not None and isinstance(values, module.DataFrame)
