"""Training: every image counts, and whatever ends a run leaves the last whole epoch."""

import inspect
import warnings

import numpy as np
import pytest

from aelearn import Autoencoder
from aelearn.autoencoder.training import Run
from aelearn.kernels.gpu import training as gpu_training
from tests.small import quick, same_parameters

pytestmark = pytest.mark.linear_algebra


def test_the_last_smaller_batch_is_used(rng):
    """With one epoch and plain SGD, dropping the last row of 5 would leave the parameters of 2 steps, not 3."""
    X = rng.random((5, 4))
    model = Autoencoder((2,), optimizer="sgd", epochs=1, batch_size=2, dtype=np.float64, random_state=0).fit(X)
    start = Autoencoder((2,), optimizer="sgd", epochs=0, dtype=np.float64, random_state=0).fit(X)
    order = np.random.default_rng((model._training.seed, 1)).permutation(5)
    for rows in (order[:2], order[2:4], order[4:]):
        for name, gradient in start.loss_and_gradients(X[rows])[1].items():
            start.params_[name] -= 3e-3 * gradient
    for name in model.params_:
        np.testing.assert_allclose(model.params_[name], start.params_[name], rtol=1e-12)


def test_divergence_is_reported_and_the_last_good_epoch_kept(rng):
    X = rng.normal(size=(64, 5)) * 10
    model = Autoencoder((4,), activation="identity", output_activation="identity", optimizer="sgd", learning_rate=100.0,
                        epochs=500, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="diverged in epoch .*lower learning_rate"):
            model.fit(X)
    assert all(np.isfinite(p).all() for p in model.params_.values())


def test_an_exception_in_a_callback_leaves_the_last_whole_epoch(few_digits):
    def fails(model, row):
        if row["epoch"] == 3:
            raise RuntimeError("no space left")

    model = quick(callbacks=(fails,))
    with pytest.raises(RuntimeError, match="no space left"):
        model.fit(few_digits[0])
    assert len(model.history_) == 3 and same_parameters(model, quick(epochs=3).fit(few_digits[0]))


def test_both_runs_have_the_same_methods():
    def methods(kind):
        return {name: inspect.signature(method) for name, method in vars(kind).items() if not name.startswith("_")}

    assert methods(Run) == methods(gpu_training.Run) and "step" in methods(Run)


def test_the_state_is_not_the_runs_after_a_run(few_digits):
    """So nothing of a run is copied or saved with a model, and its arrays can be freed."""
    model = quick(epochs=1).fit(few_digits[0])
    assert model._training._run is None
    params = model.params_
    params["W1"][0, 0] = 7.0
    assert model.params_["W1"][0, 0] == model._training.vector[0] == 7.0  # views, not copies
