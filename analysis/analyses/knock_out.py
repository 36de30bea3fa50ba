"""What the answer loses when heads cannot see the tokens of a role from the final position."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.analyses.base import Analysis, Summary, Values, averaged, prompt_warnings, roles_in
from analysis.errors import UnknownNode
from analysis.knock_out import knock_out, positions_with
from analysis.metrics import METRICS, MetricName
from analysis.model import LanguageModel
from analysis.nodes import Head, nodes_named
from analysis.pair_runs import engine_of, run_pairs
from analysis.prompts import PromptPair
from analysis.worlds import FIRST, Worlds


@dataclass(frozen=True)
class KnockOutParameters:
    """Which heads, all at once."""

    heads: Literal["all"] | tuple[str, ...] = "all"
    metric: MetricName = "centred_logit"


class KnockOuts(Analysis):
    """Attention from the final position to each role, cut."""

    name: ClassVar[str] = "knock_out"
    title: ClassVar[str] = "Effect of cutting the final position's attention to the tokens of each role"
    Parameters: ClassVar[type] = KnockOutParameters

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: KnockOutParameters
    ) -> None:
        """Unknown heads are refused before anything runs."""
        heads_of(model, parameters)

    def computed_with(self, parameters: KnockOutParameters) -> dict[str, Any]:
        """Logits are computed; the metric is applied to them afterwards."""
        return asdict(parameters) | {"metric": METRICS[parameters.metric].over_vocabulary}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: KnockOutParameters) -> Values:
        """Answers' logits with each role hidden, and the attention cut.

        NaN for a role that no token plays, or every token: then nothing would be left to see.
        """
        runs = run_pairs(model, [pair], direction="noising", window="final")
        tokens = [positions_with(pair.clean.roles, role) for role in roles_in([pair])]
        present = torch.tensor([bool(keys.any()) and not bool(keys.all()) for keys in tokens])
        cut = knock_out(
            model,
            runs,
            heads_of(model, parameters),
            [keys[None] for keys, is_present in zip(tokens, present, strict=True) if is_present],
            over_vocabulary=METRICS[parameters.metric].over_vocabulary,
        )
        values = cut.worlds.of_pair(0) | {"weight": spread(cut.weight[0], present)}
        rows = torch.cat([torch.ones(FIRST, dtype=torch.bool), present])
        by_row = {name: spread(values[name], rows) for name in ("logits", "log_normaliser") if name in values}
        return values | by_row

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: KnockOutParameters,
    ) -> Summary:
        """Means over the prompts that have the role."""
        weight = values["weight"]
        worlds = Worlds(**{name: x for name, x in values.items() if name != "weight"})
        absent = weight.isnan()
        effect = worlds.effects(parameters.metric).masked_fill(absent, torch.nan)
        flips = worlds.flips().float().masked_fill(absent, torch.nan)
        present = ~absent.all(0)
        known = roles_in(pairs)
        roles = [role for role, is_present in zip(known, present.tolist(), strict=True) if is_present]
        unit = METRICS[parameters.metric].unit
        return Summary(
            coordinates={"role": [{"label": role, "meaning": known[role]} for role in roles]},
            tables={
                "effect": averaged(unit, effect[:, present], "role"),
                "flips": averaged("fraction", flips[:, present], "role"),
                "weight": averaged("fraction", weight[:, present], "role"),
                "clean_metric": averaged(unit, worlds.metric(parameters.metric)[:, 0]),
            },
            details={"engine": engine_of(model), **asdict(parameters)},
            warnings=prompt_warnings(pairs),
        )


def heads_of(model: LanguageModel, parameters: KnockOutParameters) -> tuple[Head, ...]:
    """The heads that are cut together."""
    if parameters.heads == "all":
        return tuple(Head(layer, head) for layer in range(model.n_layers) for head in range(model.n_heads))
    nodes = nodes_named(parameters.heads, model.n_layers, model.n_heads)
    for node in nodes:
        if not isinstance(node, Head):
            raise UnknownNode(f"{node} is no head: only heads have attention to cut.")
    if not nodes:
        raise UnknownNode("Give at least one head, or all.")
    return tuple(node for node in nodes if isinstance(node, Head))


def spread(values: Float[Tensor, "role ..."], present: Bool[Tensor, " row"]) -> Float[Tensor, "row ..."]:
    """Values of those that are present, in their places among all; NaN elsewhere."""
    every = values.new_full((len(present), *values.shape[1:]), torch.nan)
    every[present] = values
    return every
