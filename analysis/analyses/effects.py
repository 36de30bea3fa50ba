"""Total, direct and indirect effect and attribution of nodes at the final position, over prompt pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Int
from torch import Tensor

from analysis.analyses.base import (
    Analysis,
    Summary,
    Table,
    Values,
    answer_coordinates,
    averaged,
    node_coordinate,
    prompt_warnings,
    table,
)
from analysis.bootstrap import Interval, wilson_interval
from analysis.effects import Direction, NodeEffects, node_effects
from analysis.gate import percent, standing
from analysis.metrics import MetricName, chosen
from analysis.model import LanguageModel
from analysis.nodes import Node, all_nodes, nodes_named
from analysis.prompts import PromptPair
from analysis.ranking import rank_nodes

SHARE = 0.8  # of the positive attribution, as in Lieberum et al. 2023
UNITS: dict[MetricName, str] = {"centred_logit": "logit", "logit_difference": "logit", "letter_loss": "nat"}
TENSORS = tuple(field.name for field in fields(NodeEffects) if field.name not in ("nodes", "engine"))


@dataclass(frozen=True)
class EffectsParameters:
    """Which nodes are patched, what is measured, and which prompt of a pair is edited.

    noising: the clean run is edited with values of the corrupt run; denoising: the other way round.
    """

    nodes: Literal["all"] | tuple[str, ...] = "all"
    metric: MetricName = "centred_logit"
    direction: Direction = "noising"


class Effects(Analysis):
    """What changes at the answer when one node takes its value from the other prompt of the pair."""

    name: ClassVar[str] = "effects"
    title: ClassVar[str] = "Total, direct and indirect effect and attribution of heads and MLPs"
    Parameters: ClassVar[type] = EffectsParameters

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: EffectsParameters) -> None:
        """Unknown nodes are refused before anything runs."""
        chosen_nodes(model, parameters)

    def computed_with(self, parameters: EffectsParameters) -> dict[str, Any]:
        """Logits are computed; the metric is applied to them afterwards."""
        return {"nodes": parameters.nodes, "direction": parameters.direction}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: EffectsParameters) -> Values:
        """Logits of the answers in every patched world."""
        nodes = chosen_nodes(model, parameters)
        effects = node_effects(model, [pair], nodes, direction=parameters.direction)
        return {name: getattr(effects, name)[0] for name in TENSORS}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: EffectsParameters
    ) -> Summary:
        """Mean effects of every node, and how well the model does on both prompts."""
        nodes, answers = chosen_nodes(model, parameters), answer_coordinates(pairs)
        engine = "exact" if model.certificate is None or model.certificate.passed else "plain hooks"
        effects = NodeEffects(nodes=nodes, engine=engine, **values)
        accuracy = accuracies(effects, pairs, parameters.direction)
        warnings = chance_warning(accuracy["accuracy_clean"], len(pairs), len(answers))
        return Summary(
            coordinates={"node": [node_coordinate(node) for node in nodes], "answer": answers},
            tables=effect_tables(effects, parameters.metric)
            | logit_tables(effects)
            | {name: table("fraction", share) for name, share in accuracy.items()},
            details={
                "engine": engine,
                "metric": parameters.metric,
                "direction": parameters.direction,
                "ranking": ranking_of(nodes, effects),
            },
            warnings=(*warnings, *prompt_warnings(pairs)),
        )


def chosen_nodes(model: LanguageModel, parameters: EffectsParameters) -> tuple[Node, ...]:
    """The nodes that the parameters name."""
    if parameters.nodes == "all":
        return all_nodes(model.n_layers, model.n_heads)
    return nodes_named(parameters.nodes, model.n_layers, model.n_heads)


def effect_tables(effects: NodeEffects, metric: MetricName) -> dict[str, Table]:
    """One number per node."""
    unit = UNITS[metric]
    per_node: dict[str, tuple[str, Tensor]] = {
        "attribution": ("logit", effects.net_attribution()),
        "total_effect": (unit, effects.total_effect(metric)),
        "direct_effect": (unit, effects.direct_effect(metric)),
        "direct_effect_frozen": (unit, effects.direct_effect_frozen(metric)),
        "indirect_effect": (unit, effects.indirect_effect(metric)),
        "flips": ("fraction", effects.flips()),
    }
    tables = {name: averaged(unit, values, "node") for name, (unit, values) in per_node.items()}
    return tables | {
        "base_metric": averaged(unit, effects.base_metric(metric)),
        "source_metric": averaged(unit, effects.source_metric(metric)),
    }


def ranking_of(nodes: Sequence[Node], effects: NodeEffects) -> dict[str, Any]:
    """The nodes that together hold 80 % of the positive mean attribution, and those that work against it."""
    ranking = rank_nodes(effects.net_attribution().mean(0), share=SHARE)
    return {
        "by": "attribution",
        "share": SHARE,
        "nodes": [str(nodes[index]) for index in ranking.selected.tolist()],
        "coverage": [round(value, 6) for value in ranking.coverage[: ranking.n_selected].tolist()],
        "negative": [str(nodes[index]) for index in ranking.negative.tolist()],
    }


def logit_tables(effects: NodeEffects) -> dict[str, Table]:
    """Mean logits of the answers, before and after."""
    return {
        "base_logits": averaged("logit", effects.base_logits, "answer"),
        "source_logits": averaged("logit", effects.source_logits, "answer"),
        "patched_logits": Table(("node", "answer"), "logit", effects.patched_logits.mean(0)),
    }


def accuracies(
    effects: NodeEffects, pairs: Sequence[PromptPair], direction: Direction
) -> dict[str, Interval]:
    """How often each prompt of a pair is answered rightly, among the answers."""
    runs = (effects.base_logits, effects.source_logits)
    clean, corrupt = runs if direction == "noising" else runs[::-1]
    return {
        "accuracy_clean": share_right(chosen(clean), [pair.clean.correct for pair in pairs]),
        "accuracy_corrupt": share_right(chosen(corrupt), [pair.corrupt.correct for pair in pairs]),
    }


def share_right(choices: Int[Tensor, " pair"], correct: Sequence[int]) -> Interval:
    """Share of right choices with Wilson's interval."""
    right = (choices == torch.tensor(correct)).float()
    return wilson_interval(right.sum(), torch.tensor(float(len(right))))


def chance_warning(accuracy: Interval, n_pairs: int, n_answers: int) -> tuple[str, ...]:
    """A sentence for every figure about a model that does not do the task."""
    if standing(accuracy, 1 / n_answers) != "at chance":
        return ()
    return (
        f"This model answers at chance on these prompts ({percent(accuracy.mean)} of {n_pairs} right, "
        f"chance {percent(1 / n_answers)}): do not read a circuit into it.",
    )
