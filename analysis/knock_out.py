"""Attention knock-out: what the answer loses when the final position cannot see the tokens of one role.

The heads no longer attend from the final position to these tokens; their other attention there is scaled up
to sum to 1 again, and everything later is recomputed. The weight says how much attention was there to lose.
(Geva et al. 2023, "Dissecting recall".)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.interventions import KnockOut
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.pair_runs import PairRuns
from analysis.run import record
from analysis.worlds import Worlds, worlds_of


@dataclass(frozen=True)
class KnockedOut:
    """One world per set of key positions that was hidden, and the attention cut in it."""

    worlds: Worlds
    weight: Float[Tensor, "pair row"]  # share of the final position's attention, mean over the heads


def positions_with(roles: Sequence[Sequence[str]], role: str) -> Bool[Tensor, " pos"]:
    """The tokens of a prompt that play a role."""
    return torch.tensor([role in of_token for of_token in roles])


@torch.inference_mode()
def knock_out(
    model: LanguageModel,
    runs: PairRuns,
    heads: Sequence[Head],
    keys: Sequence[Bool[Tensor, "batch pos"]],
    *,
    over_vocabulary: bool = False,
) -> KnockedOut:
    """Hide each set of key positions from these heads at the final position, one world per set."""
    changes = [KnockOut(tuple(heads), runs.final, hidden) for hidden in keys]
    base = record(model, runs.base_ids) if runs.activations is None else runs.activations
    pattern = torch.stack([base.pattern[head.layer, :, head.head] for head in heads]).mean(0).float().cpu()
    return KnockedOut(
        worlds=worlds_of(model, runs, changes, over_vocabulary=over_vocabulary),
        weight=torch.stack([(pattern * hidden.cpu()).sum(-1) for hidden in keys], dim=1),
    )
