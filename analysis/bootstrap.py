"""How sure a number is: means over prompts with 95 % intervals."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.interrupt import stop_point

_Z = 1.959964  # 97.5 % point of the normal distribution
_COLUMNS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Interval:
    """Means and the ends of their intervals, all of one shape. NaN where there is nothing to say."""

    mean: Float[Tensor, "..."]
    low: Float[Tensor, "..."]
    high: Float[Tensor, "..."]


def mean_interval(
    values: Float[Tensor, "batch ..."], *, level: float = 0.95, n_resamples: int = 2000, seed: int = 0
) -> Interval:
    """Mean over prompts (the first axis) with the bootstrap's percentile interval.

    A NaN means that the prompt has no such value and is left out of that mean. Below two prompts there is no
    interval. The same seed resamples the same prompts in every entry, so differences of entries stay paired.
    """
    stop_point()
    n_prompts, columns = (
        len(values),
        values.double().flatten(1) if values.ndim > 1 else values.double()[:, None],
    )
    mean = columns.nanmean(0)
    if n_prompts < 2:
        low = high = torch.full_like(mean, torch.nan)
    else:
        draws = torch.randint(
            n_prompts, (n_resamples, n_prompts), generator=torch.Generator().manual_seed(seed)
        )
        counts = torch.zeros(n_resamples, n_prompts, dtype=torch.double).scatter_add_(
            1, draws, torch.ones_like(draws, dtype=torch.double)
        )
        ends = [_percentiles(part, counts, level) for part in columns.split(_COLUMNS_AT_A_TIME, dim=1)]
        low, high = torch.cat(ends, dim=1)
    return Interval(*(end.float().view(values.shape[1:]) for end in (mean, low, high)))


def _percentiles(
    columns: Float[Tensor, "batch component"], counts: Float[Tensor, "resample batch"], level: float
) -> Float[Tensor, "2 component"]:
    present = ~columns.isnan()
    means = (counts @ columns.nan_to_num()) / (counts @ present.double())
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.double)
    return means.nanquantile(tails, dim=0)


def mean_by_correct(
    values: Float[Tensor, "batch ..."], correct: Int[Tensor, " batch"], n_options: int
) -> Float[Tensor, "correct ..."]:
    """Mean over the prompts of each correct option (the first axis).

    Of weights on labels: a head that looks at the correct label has its weight on the diagonal. NaN in the
    row of an option that is never correct.
    """
    return torch.stack([values[correct == option].mean(0) for option in range(n_options)])


def wilson_interval(successes: Float[Tensor, "..."], trials: Float[Tensor, "..."]) -> Interval:
    """A proportion with its 95 % interval, sensible also for few trials and near 0 or 1 (Wilson 1927)."""
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    reach = _Z * torch.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    shrink = 1 + _Z**2 / trials
    return Interval(share, ((centre - reach) / shrink).clamp(0, 1), ((centre + reach) / shrink).clamp(0, 1))
