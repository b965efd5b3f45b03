"""Extra arguments, such as sample weights, in pipelines and searches: scikit-learn's metadata routing.

`Pipeline.fit(X, sample_weight=w)` passes w to the steps that have requested it:

    KMeans().set_fit_request(sample_weight=True)

An estimator can request all arguments in the signatures of its methods except X and y. What it has requested is kept as
a dict, method -> {argument: request}, in `_metadata_request`, where scikit-learn's `clone` looks for it. Only
scikit-learn's tools need more than that dict, so only they load scikit-learn.

Source: scikit-learn's enhancement proposals SLEP006, "Metadata routing".
"""

import copy
import inspect

from aelearn.core.output_containers import sklearn_setting

METHODS = ("fit", "partial_fit", "predict", "predict_proba", "score", "transform", "inverse_transform")


class Requests(dict):
    """What was requested: method -> {argument: True, False, None or another name for it}."""

    def __sklearn_clone__(self):
        return copy.deepcopy(self)


def extra_arguments(estimator, method):
    """The names of the arguments of an estimator's method that can be requested: those that are not data."""
    function = getattr(estimator, method, None)
    if function is None:
        return []
    arguments = list(inspect.signature(function).parameters.values())
    return [argument.name for argument in arguments if argument.name not in ("self", "X", "y")
            and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)]


def routing(estimator):
    """scikit-learn's MetadataRequest for an estimator."""
    from sklearn.utils.metadata_routing import MetadataRequest

    asked, requests = getattr(estimator, "_metadata_request", {}), MetadataRequest(owner=estimator)
    for method in METHODS:
        for name in extra_arguments(estimator, method):
            getattr(requests, method).add_request(param=name, alias=asked.get(method, {}).get(name))
    return requests


def request_setter(method):
    """The function `set_{method}_request` of a class whose `method` takes extra arguments."""
    def set_request(self, **requests):
        if not sklearn_setting("enable_metadata_routing", False):
            raise RuntimeError("This method is only available when metadata routing is enabled. "
                               "You can enable it using sklearn.set_config(enable_metadata_routing=True).")
        known = extra_arguments(self, method)
        if not set(requests) <= set(known):
            raise TypeError(f"Unexpected args: {set(requests) - set(known)} in {method}. "
                            f"Accepted arguments are: {set(known)}")
        from sklearn.utils.metadata_routing import UNCHANGED

        changed = {name: request for name, request in requests.items() if request != UNCHANGED}
        trial = getattr(routing(self), method)
        for name, request in changed.items():
            trial.add_request(param=name, alias=request)  # raises ValueError for an invalid request
        asked = Requests(getattr(self, "_metadata_request", {}))
        asked[method] = {**asked.get(method, {}), **changed}
        self._metadata_request = asked
        return self

    set_request.__name__ = f"set_{method}_request"
    set_request.__qualname__ = f"Estimator.{set_request.__name__}"
    set_request.__doc__ = f"""Say which extra arguments of `{method}` scikit-learn's tools pass on; returns self.

        Each is True (pass it on), False (do not), None (an error if it is given) or a string, another name for it.
        Raises RuntimeError unless sklearn.set_config(enable_metadata_routing=True), TypeError for an argument that
        `{method}` does not have, ValueError for any other value.
        """
    return set_request
