"""An estimator's result for a row depends on that row alone, whatever else is in the batch: all estimators."""

import warnings

import numpy as np
import pytest

from tests.small import ROW_METHODS, every_estimator

pytestmark = pytest.mark.linear_algebra

SIZES = {np.float64: (1, 1e8, 1e-8, 1e-150, 1e150, 1e-300, 1e300), np.float32: (1, 1e8, 1e-30, 1e30, 1e38, 1e-40)}
CASES = [(name, dtype, size) for name, model in every_estimator().items()
         if any(hasattr(model, method) for method in ROW_METHODS) for dtype, sizes in SIZES.items() for size in sizes]


def objective(X, codes, model):
    """The objective of SparseCoding for each row of X (N, D) and its code (N, K): (N,); it may be infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        left = X - codes.astype(np.float64) @ model.components_.astype(np.float64)  # (N, D)
        return (left**2).sum(axis=1) / 2 + model.alpha * np.abs(codes).sum(axis=1, dtype=np.float64)


@pytest.mark.parametrize("name, dtype, size", CASES, ids=lambda part: getattr(part, "__name__", str(part)))
def test_a_row_among_others_is_answered_as_it_is_alone(name, dtype, size, rng):
    X = np.concatenate([rng.normal(size=(30, 4)), rng.normal(size=(30, 4)) + 5]).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = every_estimator()[name].fit(X)
    batch = np.concatenate([X[:4], rng.normal(size=(3, 4)) * size, rng.normal(size=(4, 4))]).astype(dtype)
    rows = [batch[i:i + 1] for i in range(len(batch))]
    for method in (method for method in ROW_METHODS if hasattr(model, method)):
        answer = getattr(model, method)
        try:
            whole = answer(batch)
        except ValueError as refused:  # numbers that are too large are rejected, in a batch and alone
            with pytest.raises(ValueError, match=str(refused)[:8]):
                [answer(row) for row in rows]
            continue
        alone = np.concatenate([answer(row) for row in rows])
        if method == "predict":
            assert np.array_equal(whole, alone)
            continue
        if name == "SparseCoding":  # rounding may end a row some steps earlier, with f still within tol
            f, other_f = (objective(batch, codes, model) for codes in (whole, alone))  # (N,), (N,)
            with np.errstate(over="ignore", invalid="ignore"):
                squares = np.square(batch, dtype=float).sum(axis=1)  # (N,)
                room = 2 * model.transform_tol * f + 9 * np.finfo(dtype).eps * squares
                assert (~np.isfinite(f) | (np.abs(f - other_f) <= room)).all()
            continue
        # BLAS orders the sums for one row differently than for many. Each is a sum of at most 5 products, there are
        # at most 4 layers of them, and no weight here is above 10: fewer than 4 * 5 * 10 roundings of the terms.
        scale = np.maximum(1, np.abs(batch).max(axis=1)).astype(np.float64)  # (N,)
        for n, (one, other) in enumerate(zip(whole.astype(np.float64), alone.astype(np.float64))):
            room = 1000 * np.finfo(whole.dtype).eps * np.maximum(scale[n], np.abs(other))
            with np.errstate(invalid="ignore"):  # -inf, the logarithm of a density of 0, minus itself
                same = (one == other) | (np.abs(one - other) <= room)
            assert np.all(same), (method, n, one, other)
