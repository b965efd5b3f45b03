"""Soft assignments by hand and by definition; both gradients by finite differences, entry by entry."""

import numpy as np
import pytest

from aelearn import GradientError, check_gradients
from aelearn.deep_clustering.soft_assignment import divergence, divergence_gradients, soft_assignment, target


def test_by_hand():
    """Distances 0 and 1 from one centre, 2 and 1 from the other: u = 1, 5 and 2, 2; q = 5/6, 1/6 and 1/2, 1/2."""
    q = soft_assignment(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]))
    np.testing.assert_allclose(q, [[5 / 6, 1 / 6], [1 / 2, 1 / 2]])
    # f = 8/6, 4/6: q^2 / f = 25/48, 2/48 and 9/48, 18/48
    np.testing.assert_allclose(target(q), [[25 / 27, 2 / 27], [9 / 27, 18 / 27]])
    assert divergence(q, q) == 0
    wanted = (25 / 27 * np.log(25 / 27 / (5 / 6)) + 2 / 27 * np.log(2 / 27 / (1 / 6))
              + 1 / 3 * np.log(2 / 3) + 2 / 3 * np.log(4 / 3)) / 2
    assert divergence(target(q), q) == pytest.approx(wanted)


@pytest.mark.parametrize("v", [0.5, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("n, c, k", [(1, 1, 1), (7, 3, 4), (5, 10, 2), (33, 2, 10)])
def test_gradients(rng, n, c, k, v):
    z, m = rng.normal(size=(n, c)) * 2, rng.normal(size=(k, c)) * 2
    p = target(soft_assignment(rng.normal(size=(n, c)), rng.normal(size=(k, c)), v))  # constant, and of other codes
    dz, dm = divergence_gradients(p, z, m, v)
    check_gradients(lambda a: divergence(p, soft_assignment(a["z"], a["m"], v)), {"z": z, "m": m}, {"z": dz, "m": dm})


def test_the_check_finds_wrong_gradients(rng):
    """p that is not held constant, and a missing factor (v + 1) / v."""
    z, m = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    p = target(soft_assignment(z, m, 3.0))
    dz, dm = divergence_gradients(p, z, m, 3.0)
    with pytest.raises(GradientError):
        check_gradients(lambda a: divergence(target(soft_assignment(a["z"], m, 3.0)), soft_assignment(a["z"], m, 3.0)),
                        {"z": z}, {"z": dz})
    with pytest.raises(GradientError):
        check_gradients(lambda a: divergence(p, soft_assignment(z, a["m"], 3.0)), {"m": m}, {"m": dm * 3 / 4})


def test_the_gradient_of_a_batch_is_its_rows(rng):
    """The loss is a mean: the gradient by z of a batch of 4 of 12 is three times its rows of the whole one."""
    z, m = rng.normal(size=(12, 3)), rng.normal(size=(5, 3))
    p = target(soft_assignment(rng.normal(size=(12, 3)), m))
    dz, dm = divergence_gradients(p, z, m)
    parts = [divergence_gradients(p[rows], z[rows], m) for rows in (slice(0, 4), slice(4, 8), slice(8, 12))]
    np.testing.assert_allclose(np.concatenate([part[0] for part in parts]), 3 * dz, atol=1e-15)
    np.testing.assert_allclose(sum(part[1] for part in parts), 3 * dm, atol=1e-15)


def test_p_is_sharper_and_fair(rng):
    z = np.concatenate([rng.normal(size=(200, 2)), rng.normal(size=(20, 2)) + 3])
    m = np.array([[0.0, 0], [3, 3]])
    q = soft_assignment(z, m)
    p = target(q)
    np.testing.assert_allclose([q.sum(axis=1), p.sum(axis=1)], 1)
    sure = q.max(axis=1) > 0.9
    assert (p.max(axis=1) > q.max(axis=1))[sure].all() and sure.any()
    undecided = soft_assignment(np.array([[1.5, 1.5]]), m)  # halfway: to the smaller cluster
    share = undecided**2 / q.sum(axis=0)
    assert share[0, 1] > share[0, 0]
    # p depends on all samples: that of a part is another one.
    assert not np.allclose(target(q[:100]), p[:100])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_far_from_every_centre_and_dtypes(dtype):
    z, m = np.array([[1e15], [-3e15]], dtype), np.array([[0.0], [1.0], [2.0]], dtype)
    q = soft_assignment(z, m, dtype(1))
    assert q.dtype == dtype and np.isfinite(q).all()
    np.testing.assert_allclose(q, 1 / 3, rtol=1e-5)
    far = soft_assignment(np.array([[0.0], [1e3]]), np.array([[0.0], [1e3]]), 200.0)  # 1e-300 and less
    p = target(far)
    assert np.isfinite(divergence(p, far))


def test_a_cluster_to_which_nothing_belongs():
    q = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert np.array_equal(target(q), q) and divergence(q, q) == 0
