"""Groups whose edges lead to the next at most, and elimination that solves what it claims to."""

import numpy as np
import pytest

from aelearn.spectral import elimination
from aelearn.spectral.eigenvectors import largest_eigenpairs
from aelearn.spectral.elimination import Elimination, block, level_groups
from tests.small import rounding
from tests.spectral.test_eigenvectors import CASES

pytestmark = pytest.mark.linear_algebra


@pytest.mark.parametrize("name, S", CASES, ids=[name for name, _ in CASES])
def test_edges_lead_to_the_same_group_or_to_the_next(name, S):
    groups, _ = level_groups(S)
    dense = S if isinstance(S, np.ndarray) else S.toarray()
    assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(len(S)))
    number = np.empty(len(S), int)
    for g, group in enumerate(groups):
        number[group] = g
    rows, columns = np.nonzero(dense)
    assert np.abs(number[rows] - number[columns]).max() <= 1
    for g in range(len(groups) - 1):
        assert np.array_equal(block(S, groups[g + 1], groups[g]), dense[np.ix_(groups[g + 1], groups[g])])


@pytest.mark.parametrize("name, S", CASES, ids=[name for name, _ in CASES])
def test_elimination_solves(name, S, rng):
    b = rng.normal(size=(len(S), 3))
    x = Elimination(S, level_groups(S)[0]).solve(b)
    np.testing.assert_allclose((1 + elimination.SHIFT) * x - S @ x, b,
                               atol=rounding(len(S), np.abs(x).sum(axis=0)) / elimination.SHIFT)


def test_a_graph_too_large_is_refused_before_memory_is_taken(monkeypatch):
    monkeypatch.setattr(elimination, "MAX_ENTRIES", 50_000)
    with pytest.raises(ValueError, match="the graph of 300 points has too many edges .* use affinity='rbf' with n_"):
        largest_eigenpairs(dict(CASES)["wide, neighbours"], 2, np.random.default_rng(0))
