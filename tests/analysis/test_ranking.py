"""Ranking and coverage (F9) against a brute-force computation."""

import numpy as np
import pytest
import torch

from analysis.ranking import rank_nodes


@pytest.mark.parametrize("seed", range(5))
def test_ranking_equals_brute_force(seed):
    effects = torch.randn(40, generator=torch.Generator().manual_seed(seed))
    ranking = rank_nodes(effects)
    values = effects.numpy().astype(float)
    order = sorted(range(40), key=lambda index: -values[index])
    total = values[values > 0].sum()
    carried = [np.clip(values[order[: k + 1]], 0, None).sum() / total for k in range(40)]
    assert ranking.order.tolist() == order
    assert np.allclose(ranking.coverage.numpy(), carried, atol=1e-6)
    assert ranking.selected.tolist() == order[: next(k for k in range(40) if carried[k] >= 0.8) + 1]
    assert ranking.negative.tolist() == sorted(np.flatnonzero(values < 0), key=lambda index: values[index])
    assert (ranking.coverage.diff() >= 0).all() and ranking.coverage[-1] == pytest.approx(1)


def test_equal_effects_keep_the_order_of_the_computation():
    ranking = rank_nodes(torch.tensor([1.0, 2.0, 1.0, 0.0, 1.0]), share=0.5)
    assert ranking.order.tolist() == [1, 0, 2, 4, 3]
    assert ranking.n_selected == 2 and ranking.negative.tolist() == []


def test_without_positive_effects_nothing_is_selected():
    ranking = rank_nodes(torch.tensor([-1.0, -3.0]))
    assert ranking.n_selected == 0 and ranking.negative.tolist() == [1, 0]
