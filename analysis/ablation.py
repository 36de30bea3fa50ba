"""Ablations: patches whose values come from no single prompt.

Zero: nothing is written. Mean: the average over other prompts, at tokens of the same role.

Both take a model off the distribution that it knows; a counterfactual prompt is the better source
(Lieberum et al. 2023; Zhang & Nanda 2024). They are offered for comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.activations import Suffix, stack_tokens
from analysis.errors import MisalignedPrompts
from analysis.model import LanguageModel
from analysis.pair_runs import PairRuns
from analysis.prompts import Prompt
from analysis.roles import roles_of
from analysis.run import record

SourceName = Literal["counterfactual", "mean", "zero"]
_AVERAGED = ("resid_pre", "z", "mlp_writes")  # queries and keys are rotated by position: they have no mean


@dataclass(frozen=True)
class Means:
    """Averages over other prompts by the first role of a token; NaN for a role that none of them has."""

    resid_pre: Float[Tensor, "role layer d_model"]
    z: Float[Tensor, "role layer head d_head"]
    mlp_writes: Float[Tensor, "role layer d_model"]

    @property
    def known(self) -> Bool[Tensor, " role"]:
        """Roles that occurred."""
        return ~self.mlp_writes[:, 0, 0].isnan()


@torch.inference_mode()
def mean_over(model: LanguageModel, prompts: Sequence[Prompt]) -> Means:
    """Run other prompts, and average what the network computes at tokens of each role."""
    sums = {name: torch.tensor(0.0) for name in _AVERAGED}
    index = _role_index(prompts)
    counts = torch.zeros(len(index))
    for prompt in prompts:
        suffix = record(model, stack_tokens([prompt]), 0).suffix
        member = torch.zeros(len(index), len(prompt.roles))
        member[[index[roles[0]] for roles in prompt.roles], range(len(prompt.roles))] = 1
        counts += member.sum(1)
        for name in _AVERAGED:
            values = getattr(suffix, name)[:, 0].float().cpu().transpose(0, 1)
            sums[name] = sums[name] + torch.tensordot(member, values, dims=1)
    return Means(**{name: total / counts.view(-1, *[1] * (total.ndim - 1)) for name, total in sums.items()})


def ablated(runs: PairRuns, base: Sequence[Prompt], means: Means | None) -> PairRuns:
    """The same runs, but patches take the means at tokens of the same role, or zeros where there are none."""
    zeros = _zeros(runs.source_suffix)
    if means is None:
        return runs.with_source(zeros)
    index = _role_index(base)
    roles = torch.tensor([[index[roles[0]] for roles in prompt.roles[zeros.start :]] for prompt in base])
    unknown = [name for name, place in index.items() if place in roles and not means.known[place]]
    if unknown and any(_needed(runs, roles, index[name]) for name in unknown):
        raise MisalignedPrompts(
            f"None of the other prompts has a token with the role {unknown[0]!r}, so it has no mean."
        )

    def at_tokens(name: str) -> Tensor:
        like = getattr(zeros, name)
        return getattr(means, name)[roles].movedim(2, 0).to(like)  # layer batch pos ...

    return runs.with_source(replace(zeros, **{name: at_tokens(name) for name in _AVERAGED}))


def _role_index(prompts: Sequence[Prompt]) -> dict[str, int]:
    roles = roles_of(lists_options=prompts[0].question.lists_options)
    return {role: place for place, role in enumerate(roles)}


def _needed(runs: PairRuns, roles: Tensor, role: int) -> bool:
    return bool((runs.chosen[:, runs.start :] & (roles == role)).any())


def _zeros(suffix: Suffix) -> Suffix:
    kept = ("start", "differs_from", "resid_final", "hidden")
    values = {field.name: getattr(suffix, field.name) for field in fields(suffix) if field.name not in kept}
    zeros = {name: torch.zeros_like(value) for name, value in values.items()}
    return replace(suffix, differs_from=0, **zeros)
