"""Total, direct and indirect effect and attribution of nodes at the final position, over prompt pairs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from analysis.ablation import Means, SourceName, ablated, mean_over
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
from analysis.effects import NodeEffects, effects_in
from analysis.errors import BadQuestion
from analysis.gate import percent, standing
from analysis.metrics import METRICS, MetricName, chosen
from analysis.model import LanguageModel
from analysis.nodes import Key, Kind, Node, Query, Value, nodes_named, nodes_of
from analysis.pair_runs import Direction, engine_of, run_pairs
from analysis.positions import PositionChoice, check_choice
from analysis.prompts import Prompt, PromptPair
from analysis.ranking import rank_nodes

SHARE = 0.8  # of the positive attribution, as in Lieberum et al. 2023
N_OTHERS = 32  # prompts of the other split that a mean is taken over


@dataclass(frozen=True)
class EffectsParameters:
    """Which nodes are patched where and with what, what is measured, and which prompt of a pair is edited.

    noising: the clean run is edited with values of the corrupt run; denoising: the other way round.
    """

    nodes: Kind | tuple[str, ...] = "all"
    positions: PositionChoice = "final"
    metric: MetricName = "centred_logit"
    direction: Direction = "noising"
    source: SourceName = "counterfactual"


@dataclass(frozen=True)
class Effects(Analysis):
    """What changes at the answer when one node takes its value from another run."""

    name: ClassVar[str] = "effects"
    title: ClassVar[str] = "Total, direct and indirect effect and attribution of nodes"
    version: ClassVar[int] = 2
    Parameters: ClassVar[type] = EffectsParameters
    means: Means | None = None

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: EffectsParameters) -> None:
        """What cannot be patched is refused before anything runs."""
        nodes = chosen_nodes(model, parameters)
        check_choice(parameters.positions, min(len(pair.clean.token_ids) for pair in pairs))
        if parameters.source == "counterfactual":
            return
        if parameters.direction == "denoising":
            raise BadQuestion("Denoising puts clean values back; a mean or zero is no clean value.")
        if parameters.source == "mean" and any(isinstance(node, Query | Key | Value) for node in nodes):
            raise BadQuestion(
                "Queries, keys and values of single heads have no mean here; patch whole heads."
            )

    def n_others(self, parameters: EffectsParameters) -> int:
        """A mean is taken over prompts that are not measured."""
        return N_OTHERS if parameters.source == "mean" else 0

    def fitted_with(self, parameters: EffectsParameters) -> dict[str, Any]:
        """The same means serve all."""
        return {}

    def from_others(
        self, model: LanguageModel, prompts: Sequence[Prompt], parameters: EffectsParameters
    ) -> Values:
        """The means by role."""
        return dict(vars(mean_over(model, prompts)))

    def knowing(self, others: Values) -> "Effects":
        """The same, with these means."""
        return replace(self, means=Means(**others))

    def computed_with(self, parameters: EffectsParameters) -> dict[str, Any]:
        """Logits are computed; the metric is applied to them afterwards."""
        return asdict(parameters) | {"metric": METRICS[parameters.metric].over_vocabulary}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: EffectsParameters) -> Values:
        """Logits of the answers in every patched world."""
        if parameters.source != "counterfactual":
            pair = PromptPair(pair.clean, pair.clean)
        runs = run_pairs(model, [pair], direction=parameters.direction, window=parameters.positions)
        if parameters.source != "counterfactual":
            runs = ablated(runs, [pair.clean], self.means)
        effects = effects_in(
            model,
            runs,
            chosen_nodes(model, parameters),
            positions=runs.chosen,
            over_vocabulary=METRICS[parameters.metric].over_vocabulary,
        )
        return {name: value[0] for name, value in vars(effects).items() if isinstance(value, Tensor)}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: EffectsParameters
    ) -> Summary:
        """Mean effects of every node, and how well the model does on both prompts."""
        nodes, answers = chosen_nodes(model, parameters), answer_coordinates(pairs)
        effects = NodeEffects(nodes=nodes, engine=engine_of(model), **values)
        accuracy = accuracies(effects, pairs, parameters)
        warnings = chance_warning(accuracy["accuracy_clean"], len(pairs), len(answers))
        return Summary(
            coordinates={
                "node": [node_coordinate(node) for node in nodes],
                "answer": answers,
                "metric": [metric_coordinate(name) for name in metrics_of(parameters.metric)],
            },
            tables=effect_tables(effects, parameters.metric)
            | source_tables(effects, parameters)
            | {name: table("fraction", share) for name, share in accuracy.items()},
            details={
                "engine": effects.engine,
                "metric": parameters.metric,
                "direction": parameters.direction,
                "positions": parameters.positions,
                "source": parameters.source,
            }
            | ({"ranking": ranking_of(nodes, effects)} if effects.has_direct else {}),
            warnings=(*warnings, *prompt_warnings(pairs)),
        )


def chosen_nodes(model: LanguageModel, parameters: EffectsParameters) -> tuple[Node, ...]:
    """The nodes that the parameters name."""
    if isinstance(parameters.nodes, str):
        return nodes_of(parameters.nodes, model.n_layers, model.n_heads)
    return nodes_named(parameters.nodes, model.n_layers, model.n_heads)


def metrics_of(chosen_metric: MetricName) -> list[MetricName]:
    """The metrics that stand side by side: those over the letters, and the chosen one."""
    return [name for name, metric in METRICS.items() if not metric.over_vocabulary or name == chosen_metric]


def metric_coordinate(name: MetricName) -> dict[str, Any]:
    """A metric as the coordinates of a table name it."""
    return {"label": name, "unit": METRICS[name].unit, "better": METRICS[name].better}


def effect_tables(effects: NodeEffects, metric: MetricName) -> dict[str, Table]:
    """One number per node."""
    unit = METRICS[metric].unit
    per_node: dict[str, tuple[str, Tensor]] = {
        "total_effect": (unit, effects.total_effect(metric)),
        "flips": ("fraction", effects.flips()),
    }
    if effects.has_direct:
        per_node["attribution"] = ("logit", effects.net_attribution())
    if effects.has_direct and not METRICS[metric].over_vocabulary:
        per_node |= {
            "direct_effect": (unit, effects.direct_effect(metric)),
            "direct_effect_frozen": (unit, effects.direct_effect_frozen(metric)),
            "indirect_effect": (unit, effects.indirect_effect(metric)),
        }
    tables = {name: averaged(unit, values, "node") for name, (unit, values) in per_node.items()}
    by_metric = torch.stack([effects.total_effect(name) for name in metrics_of(metric)], dim=1)
    return tables | {
        "by_metric": averaged("as the metric", by_metric, "metric", "node"),
        "base_metric": averaged(unit, effects.base_metric(metric)),
        "base_logits": averaged("logit", effects.base_logits, "answer"),
        "patched_logits": Table(("node", "answer"), "logit", effects.patched_logits.mean(0)),
    }


def source_tables(effects: NodeEffects, parameters: EffectsParameters) -> dict[str, Table]:
    """What the source run says; a mean or zero is no run."""
    if parameters.source != "counterfactual":
        return {}
    metric = parameters.metric
    return {
        "source_metric": averaged(METRICS[metric].unit, effects.source_metric(metric)),
        "source_logits": averaged("logit", effects.source_logits, "answer"),
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
        "order": [str(nodes[index]) for index in ranking.order.tolist()],
    }


def accuracies(
    effects: NodeEffects, pairs: Sequence[PromptPair], parameters: EffectsParameters
) -> dict[str, Interval]:
    """How often each prompt of a pair is answered rightly, among the answers."""
    runs = (effects.base_logits, effects.source_logits)
    clean, corrupt = runs if parameters.direction == "noising" else runs[::-1]
    shares = {"accuracy_clean": share_right(chosen(clean), [pair.clean.correct for pair in pairs])}
    if parameters.source == "counterfactual":
        shares["accuracy_corrupt"] = share_right(chosen(corrupt), [pair.corrupt.correct for pair in pairs])
    return shares


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
