"""How the direct effect of every component changes when one node is patched."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch

from analysis.analyses.base import Analysis, Summary, Values, averaged, prompt_warnings
from analysis.attribution import components_of
from analysis.gate import percent
from analysis.model import LanguageModel
from analysis.nodes import writers_named
from analysis.pair_runs import Direction, engine_of, run_pairs
from analysis.prompts import PromptPair
from analysis.self_repair import self_repair

LARGE_NORM_CHANGE = 0.05  # a frozen scale is off by more than this


@dataclass(frozen=True)
class SelfRepairParameters:
    """Which head or MLP is patched."""

    node: str = "L0H0"
    direction: Direction = "noising"


class SelfRepair(Analysis):
    """Who makes up for a patched node."""

    name: ClassVar[str] = "self_repair"
    title: ClassVar[str] = "Change of every component's direct effect when one node is patched"
    Parameters: ClassVar[type] = SelfRepairParameters

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: SelfRepairParameters
    ) -> None:
        """An unknown node is refused before anything runs."""
        writers_named([parameters.node], model.n_layers, model.n_heads)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: SelfRepairParameters) -> Values:
        """The changes, and what they must sum to."""
        runs = run_pairs(model, [pair], direction=parameters.direction, window="final")
        (node,) = writers_named([parameters.node], model.n_layers, model.n_heads)
        repair = self_repair(model, runs, node)
        return {
            "change": repair.change[0],
            "total_effect_frozen": repair.total_effect_frozen[0],
            "total_effect": repair.total_effect[0],
            "norm_change": repair.norm_change[0],
            "residual": torch.tensor(repair.residual),
        }

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: SelfRepairParameters,
    ) -> Summary:
        """Mean changes by component."""
        components = components_of(model)
        own = [component.label for component in components].index(parameters.node)
        norm_change = averaged("fraction", values["norm_change"])
        return Summary(
            coordinates={"component": [asdict(component) for component in components]},
            tables={
                "change": averaged("logit", values["change"], "component"),
                "direct_effect": averaged("logit", values["change"][:, own]),
                "total_effect_frozen": averaged("logit", values["total_effect_frozen"]),
                "total_effect": averaged("logit", values["total_effect"]),
                "norm_change": norm_change,
            },
            details={
                "engine": engine_of(model),
                "residual": float(values["residual"].max()),
                **asdict(parameters),
            },
            warnings=(*norm_warning(parameters.node, float(norm_change.mean)), *prompt_warnings(pairs)),
        )


def norm_warning(node: str, change: float) -> tuple[str, ...]:
    """A sentence where the final norm's scale moves too much to be held fixed without a word."""
    if abs(change) <= LARGE_NORM_CHANGE:
        return ()
    return (
        f"Patching {node} changes the final norm's scale by {percent(change)} on average; the changes here "
        "are read out with the scale of the run before, so they differ from what the model does.",
    )
