"""What every estimator of aelearn shares: scikit-learn's conventions, without scikit-learn.

A constructor stores its arguments unchanged; `fit` checks them, learns, sets attributes that end in `_` and returns
self. This class reads the parameters from the constructor's signature, so `get_params`, `set_params`, `clone`,
pipelines and grid searches work. Source: "Developing scikit-learn estimators" in scikit-learn's documentation.
"""

import functools
import inspect

import numpy as np

from aelearn.core.metadata_routing import METHODS, extra_arguments, request_setter, routing
from aelearn.core.output_containers import check_container, in_container
from aelearn.core.validation import check_array, not_fitted, warn


def all_or_nothing(fit):
    """A `fit` after which, if it raises anything, Ctrl-C included, the estimator is as it was before the call.

    What an earlier `fit` has learnt stays usable; without one, the estimator is still not fitted. A shallow copy of
    the attributes is enough, because each `fit` creates its own arrays and does not write into those of an earlier one.
    """
    @functools.wraps(fit)
    def guarded(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            self._go_back_to(before)
            raise

    return guarded


class Estimator:
    """Base class. A subclass's `_estimator_type` names its kind: "transformer", "clusterer", "density_estimator".

    Its `fit` becomes `all_or_nothing`, and each method with arguments besides X and y gets a `set_..._request`.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "fit" in vars(cls):
            cls.fit = all_or_nothing(cls.fit)
        for method in METHODS:
            if extra_arguments(cls, method):
                setattr(cls, f"set_{method}_request", request_setter(method))

    def _go_back_to(self, before):
        """Undo a `fit` that failed: restore the attributes, those of `before`."""
        self.__dict__ = before

    @classmethod
    def _parameters(cls):
        """The constructor's arguments: name -> default."""
        arguments = list(inspect.signature(cls.__init__).parameters.values())[1:]  # without self
        return {argument.name: argument.default for argument in arguments}

    def get_params(self, deep=True):
        """The settings as a dict. `deep`, for scikit-learn, changes nothing: no estimator here contains another."""
        return {name: getattr(self, name) for name in sorted(self._parameters())}

    def set_params(self, **params):
        """Change settings; returns self. Raises ValueError for a name that the constructor does not have."""
        valid = self._parameters()
        for name in params:
            if name not in valid:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. "
                                 f"Valid parameters are: {sorted(valid)!r}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self):
        """The constructor call for this estimator, with the arguments that differ from the defaults."""
        changed = [f"{name}={getattr(self, name)!r}" for name, default in self._parameters().items()
                   if repr(getattr(self, name)) != repr(default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _check_fitted(self, attribute):
        if not hasattr(self, attribute):
            raise not_fitted(self)

    def _check_training_data(self, X):
        """X as a float array (N, D), for `fit`; remembers the number of columns and, for a data frame, their names."""
        array = check_array(X, estimator=type(self).__name__)
        self.n_features_in_ = array.shape[1]
        names = column_names(X)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return array

    def _check_X(self, X):
        """X as a float array (N, D). Raises ValueError unless it has the columns that `fit` was given."""
        array = check_array(X, estimator=type(self).__name__)
        names = column_names(X)
        known = getattr(self, "feature_names_in_", None)
        if names is not None and known is not None and list(names) != list(known):
            raise ValueError("The feature names should match those that were passed during fit: "
                             f"{list(known)}; got {list(names)}")
        if (names is None) != (known is None):
            kind = type(self).__name__
            warn(f"X does not have valid feature names, but {kind} was fitted with feature names" if names is None else
                 f"X has feature names, but {kind} was fitted without feature names")
        if array.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {array.shape[1]} features, but {type(self).__name__} "
                             f"is expecting {self.n_features_in_} features as input")
        return array

    def get_metadata_routing(self):
        """Which extra arguments scikit-learn's tools pass on to which method: its MetadataRequest."""
        return routing(self)

    def __sklearn_tags__(self):
        """The properties of this estimator for scikit-learn's tools; only they call this, so scikit-learn is loaded."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=self._estimator_type, target_tags=TargetTags(required=False),
                    transformer_tags=TransformerTags(preserves_dtype=self._dtypes_kept()))

    def _dtypes_kept(self):
        """Names of the input dtypes that `transform` returns unchanged."""
        return ["float64", "float32"]


class Transformer(Estimator):
    """Base class of estimators with `transform`: names for its columns, and data frames on request."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "transform" in vars(cls):
            cls.transform = in_container(cls.transform)

    def fit_transform(self, X, y=None, **fit_params):
        """Fit to X (N, D), then `transform` it; y is ignored. fit_params are passed on to `fit`."""
        return self.fit(X, y, **fit_params).transform(X)

    def set_output(self, *, transform=None):
        """What `transform` and `fit_transform` return; returns self.

        transform  "default" (arrays), "pandas" or "polars" (their DataFrame, columns named by
                   `get_feature_names_out`; pandas keeps the index of X); None changes nothing

        Raises ValueError for anything else.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": check_container(transform)}
        return self

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` returns: the class's name in lower case and a number.

        input_features  names of X's columns, which are only compared with those that `fit` was given

        Raises ValueError if they differ.
        """
        self._check_fitted("n_features_in_")
        if input_features is not None:
            known = getattr(self, "feature_names_in_", None)
            if known is not None and list(input_features) != list(known):
                raise ValueError(f"input_features is not equal to feature_names_in_, {list(known)}")
            if len(input_features) != self.n_features_in_:
                raise ValueError("input_features should have length equal to number of features "
                                 f"({self.n_features_in_}), got {len(input_features)}")
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(self._n_features_out)], dtype=object)


def column_names(X):
    """The column names of a data frame as an array, or None if X has none (or not only strings)."""
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.array(list(columns), dtype=object)
