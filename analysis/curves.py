"""How much of a model's performance its first k nodes carry, in rank order and in random orders.

With m the metric, at the final position, and gap = m(clean run) − m(corrupt run):

    sufficiency    base corrupt, the first k nodes take their clean values          (m(k) − m(corrupt)) / gap
    necessity      base clean, the first k nodes take their corrupt values          (m(clean) − m(k)) / gap
    faithfulness   base clean, every other node of the model is corrupt (MIB)       (m(k) − m(corrupt)) / gap

All are 0 for no node and 1 for all nodes of the model, whichever way of the metric is better. Means over
prompts are taken before dividing: one prompt whose two runs are nearly alike has no meaningful ratio.

    CPR = ∫ f dx    what the circuit performs; higher is better, and it may exceed 1
    CMD = ∫ |1 − f| dx    how far it is from the model; 0 is best

f is the faithfulness and x = k / number of ranked nodes; trapezoids. (Lieberum et al. 2023 for the first two;
MIB: Mueller et al. 2025 for the others.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analysis.bootstrap import Interval

CurveName = Literal["sufficiency", "necessity", "faithfulness"]
CURVES: tuple[CurveName, ...] = ("sufficiency", "necessity", "faithfulness")
_SAME = 1e-4  # means of a metric that differ by less cannot be told apart
_N_RESAMPLES = 2000


@dataclass(frozen=True)
class Measured:
    """A metric in every world of the curves: the ranking in question first, then the random ones."""

    values: Float[Tensor, "pair ranking curve k"]
    start: Float[Tensor, "pair curve"]  # in the run that the curve leads from
    end: Float[Tensor, "pair curve"]  # in the run that it leads to


@dataclass(frozen=True)
class Curves:
    """Fractions and areas with 95 % intervals; `random` are means over the random rankings."""

    curve: Interval
    cpr: Interval
    cmd: Interval
    random: Interval
    cpr_random: Interval
    cmd_random: Interval


def curves_of(measured: Measured, sizes: Sequence[int], *, seed: int = 0) -> Curves:
    """Means over prompts, their ratios and areas; intervals resample prompts, and the random rankings too.

    There is no interval where only one thing could be drawn: one prompt, and for `random` one ranking.
    """
    n_pairs, n_random = len(measured.values), measured.values.shape[1] - 1
    fractions = torch.tensor(sizes, dtype=torch.double) / sizes[-1]
    once = _statistics(measured, fractions, _evenly(n_pairs), _evenly(n_random))
    drawn = _statistics(measured, fractions, _draws(n_pairs, seed), _draws(n_random, seed + 1))
    intervals = {}
    for name, resampled in drawn.items():
        varies = n_pairs > 1 or (n_random > 1 and "random" in name)
        intervals[name] = _interval(once[name][0], resampled if varies else None)
    return Curves(**intervals)


def recovered_fraction(
    values: Float[Tensor, "*resample ranking curve k"],
    start: Float[Tensor, "*resample curve"],
    end: Float[Tensor, "*resample curve"],
) -> Float[Tensor, "*resample ranking curve k"]:
    """(value − start) / (end − start), of means over prompts. Undefined, so NaN, where the ends are alike."""
    gap = (end - start).masked_fill((end - start).abs() < _SAME, torch.nan)
    return (values - start[..., None, :, None]) / gap[..., None, :, None]


def circuit_areas(
    faithfulness: Float[Tensor, "*resample k"], fractions: Float[Tensor, " k"]
) -> tuple[Float[Tensor, " *resample"], Float[Tensor, " *resample"]]:
    """CPR and CMD of faithfulness over the fraction of nodes."""
    distance = (1 - faithfulness).abs()
    return torch.trapezoid(faithfulness, fractions), torch.trapezoid(distance, fractions)


def set_sizes(n_nodes: int, points: int) -> tuple[int, ...]:
    """At most `points` sizes: 0, and from 1 to all nodes in roughly equal ratios."""
    between = {round(n_nodes ** (step / (points - 2))) for step in range(points - 2)}
    return tuple(sorted({0, n_nodes, *between}))


def _statistics(
    measured: Measured,
    fractions: Float[Tensor, " k"],
    pairs: Float[Tensor, "resample pair"],
    rankings: Float[Tensor, "resample ranking"],
) -> dict[str, Float[Tensor, "resample ..."]]:
    """The fields of `Curves` under each weighting of the prompts and of the random rankings."""
    recovered = recovered_fraction(
        einsum(pairs, measured.values.double(), "resample pair, pair ... -> resample ..."),
        einsum(pairs, measured.start.double(), "resample pair, pair curve -> resample curve"),
        einsum(pairs, measured.end.double(), "resample pair, pair curve -> resample curve"),
    )
    cpr, cmd = circuit_areas(recovered[:, :, CURVES.index("faithfulness")], fractions)
    statistics = {}
    for name, values in {"curve": recovered, "cpr": cpr, "cmd": cmd}.items():
        statistics[name] = values[:, 0]
        random = "random" if name == "curve" else f"{name}_random"
        statistics[random] = einsum(
            rankings, values[:, 1:], "resample ranking, resample ranking ... -> resample ..."
        )
    return statistics


def _evenly(n: int) -> Float[Tensor, "1 ..."]:
    """The same weight for each of n things."""
    return torch.full((1, n), 1 / n, dtype=torch.double)


def _draws(n: int, seed: int) -> Float[Tensor, "resample ..."]:
    """Weights of n things in each resample: how often it was drawn, with replacement, as a share."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randint(n, (_N_RESAMPLES, n), generator=generator)
    shares = torch.full(draws.shape, 1 / n, dtype=torch.double)
    return torch.zeros_like(shares).scatter_add_(1, draws, shares)


def _interval(mean: Float[Tensor, "..."], resampled: Float[Tensor, "resample ..."] | None) -> Interval:
    if resampled is None:
        low = high = torch.full_like(mean, torch.nan)
    else:
        low, high = resampled.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.double), dim=0)
    return Interval(mean.float(), low.float(), high.float())
