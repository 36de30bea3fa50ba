"""Intervals cover the truth as often as they say (F18)."""

import torch

from analysis.bootstrap import mean_interval, wilson_interval


def test_coverage_on_gaussian_data():
    """4000 synthetic analyses of 60 prompts each: 93 to 97 % of the intervals hold the true mean."""
    values = 3 + torch.randn(60, 4000, generator=torch.Generator().manual_seed(0))
    interval = mean_interval(values)
    covered = ((interval.low <= 3) & (interval.high >= 3)).float().mean()
    assert 0.93 <= covered <= 0.97


def test_mean_shape_and_seed():
    values = torch.randn(12, 5, 3, generator=torch.Generator().manual_seed(1))
    first, again, other = mean_interval(values), mean_interval(values), mean_interval(values, seed=1)
    assert torch.allclose(first.mean, values.mean(0), atol=1e-6) and first.low.shape == (5, 3)
    assert torch.equal(first.low, again.low) and not torch.equal(first.low, other.low)
    assert (first.low < first.mean).all() and (first.mean < first.high).all()


def test_few_prompts_and_missing_values():
    one = mean_interval(torch.tensor([2.0]))
    assert one.mean == 2 and one.low.isnan() and one.high.isnan()
    values = torch.tensor([[1.0, torch.nan], [3.0, torch.nan], [torch.nan, torch.nan], [2.0, torch.nan]])
    interval = mean_interval(values)
    assert interval.mean[0] == 2 and 1 <= interval.low[0] < 2 < interval.high[0] <= 3
    assert interval.mean[1].isnan() and interval.low[1].isnan()


def test_equal_values_have_no_width():
    interval = mean_interval(torch.full((8, 2), 0.5))
    assert torch.equal(interval.low, interval.high) and interval.low[0] == 0.5


def test_wilson_by_hand():
    """Reference values of the score interval for 8 of 32, 0 of 10 and 10 of 10."""
    interval = wilson_interval(torch.tensor([8.0, 0.0, 10.0]), torch.tensor([32.0, 10.0, 10.0]))
    assert torch.allclose(interval.mean, torch.tensor([0.25, 0.0, 1.0]))
    assert torch.allclose(interval.low, torch.tensor([0.1325, 0.0, 0.7225]), atol=1e-4)
    assert torch.allclose(interval.high, torch.tensor([0.4211, 0.2775, 1.0]), atol=1e-4)
    assert wilson_interval(torch.tensor(0.0), torch.tensor(0.0)).mean.isnan()
