"""Where in one prompt a kind of node matters: estimates of every cell at once, then measured columns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.activations import first_difference, stack_tokens
from analysis.analyses.base import Analysis, Summary, Table, Values, node_coordinate, prompt_warnings
from analysis.errors import BadQuestion, MisalignedPrompts
from analysis.estimates import NO_ESTIMATE, base_of, metric_readout, node_estimates, rank_correlation
from analysis.gradients import differentiate
from analysis.interventions import Patch
from analysis.metrics import METRICS, MetricName
from analysis.model import LanguageModel
from analysis.nodes import Kind, Node, nodes_of
from analysis.pair_runs import Direction, PairRuns, engine_of, run_pairs
from analysis.prompts import Prompt, PromptPair
from analysis.worlds import worlds_of

COLUMNS_AT_ONCE = 6  # of a single layer: few rows each, so that both runs would cost more than they


@dataclass(frozen=True)
class PositionParameters:
    """Which nodes, in which layer (all of them if null), and how much is measured.

    `verify`: "all" cells, or only the so many with the strongest estimates. `positions`: only these columns;
    null means all from the first token on that differs between the prompts.
    """

    kind: Literal["heads", "mlps", "attention", "residual", "queries", "keys", "values"] = "heads"
    layer: int | None = None
    metric: MetricName = "centred_logit"
    direction: Direction = "noising"
    verify: int | Literal["all"] = "all"
    positions: tuple[int, ...] | None = None


class PositionEffects(Analysis):
    """Total effects of nodes patched at one position at a time. An estimate is never shown as measured."""

    name: ClassVar[str] = "position_effects"
    title: ClassVar[str] = "Effect of nodes at each position of one prompt"
    Parameters: ClassVar[type] = PositionParameters
    one_pair: ClassVar[bool] = True

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: PositionParameters
    ) -> None:
        """Positions of different prompts cannot share an axis, nor those of prompts of different lengths."""
        if len(pairs) != 1:
            raise BadQuestion("Positions belong to one prompt: choose it with prompts.index.")
        columns_of(pairs[0], parameters)
        chosen_nodes(model, parameters)
        if parameters.verify != "all" and parameters.verify < 0:
            raise BadQuestion("verify must be all, or how many cells to measure.")
        if parameters.metric in NO_ESTIMATE and parameters.verify != "all":
            reason = NO_ESTIMATE[parameters.metric]
            raise BadQuestion(f"{parameters.metric} has no estimates to choose cells by: {reason}.")

    def split(
        self, model: LanguageModel, pair: PromptPair, parameters: PositionParameters
    ) -> tuple[PositionParameters, ...]:
        """The estimate first; then the columns from the final position back, or the chosen cells."""
        estimate = replace(parameters, verify=0, positions=None)
        if parameters.verify == "all":
            columns = columns_of(pair, parameters)[::-1]
            at_once = 1 if parameters.layer is None else COLUMNS_AT_ONCE
            columns = [
                replace(parameters, positions=tuple(columns[first : first + at_once]))
                for first in range(0, len(columns), at_once)
            ]
            return (*columns,) if parameters.metric in NO_ESTIMATE else (estimate, *columns)
        return (estimate, parameters) if parameters.verify else (parameters,)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: PositionParameters) -> Values:
        """Estimates unless only columns are asked for, and the measured cells; NaN elsewhere."""
        runs = run_pairs(model, [pair], direction=parameters.direction, window="differing")
        nodes = chosen_nodes(model, parameters)
        asked = torch.zeros(len(nodes), runs.base_ids.shape[1] - runs.start, dtype=torch.bool)
        estimate = torch.full(asked.shape, torch.nan)
        asked[:, [pos - runs.start for pos in columns_of(pair, parameters)]] = True
        if parameters.verify != "all":
            estimate = estimates(model, runs, parameters)
            asked &= strongest(estimate.where(asked, torch.nan), parameters.verify)
        return {"estimate": estimate, "total_effect": measure(model, runs, asked, parameters)}

    def combine(self, parts: Sequence[Values]) -> Values:
        """Each cell from the part that has it."""
        combined = dict(parts[0])
        for part in parts[1:]:
            combined = {name: old.where(~old.isnan(), part[name]) for name, old in combined.items()}
        return combined

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: PositionParameters,
    ) -> Summary:
        """The one prompt's values as they are, and how far estimates can be trusted here."""
        estimate, measured = values["estimate"][0], values["total_effect"][0]
        unit, axes = METRICS[parameters.metric].unit, ("node", "pos")
        both = ~(estimate.isnan() | measured.isnan())
        correlation = rank_correlation(estimate[both], measured[both]) if both.sum() > 1 else math.nan
        return Summary(
            coordinates={
                "node": [node_coordinate(node) for node in chosen_nodes(model, parameters)],
                "pos": position_coordinates(pairs[0], parameters.direction),
            },
            tables={
                "total_effect": Table(axes, unit, measured),
                "estimate": Table(axes, unit, estimate),
            },
            details={
                "n_measured": int((~measured.isnan()).sum()),
                "n_cells": measured.numel(),
                "spearman": None if math.isnan(correlation) else correlation,
                "engine": engine_of(model),
                "no_estimate": NO_ESTIMATE.get(parameters.metric),
            },
            warnings=prompt_warnings(pairs),
        )


def window_of(pair: PromptPair) -> range:
    """The positions that a patch can change: from the first token on that differs."""
    clean, corrupt = (stack_tokens([prompt]) for prompt in (pair.clean, pair.corrupt))
    if clean.shape != corrupt.shape:
        raise MisalignedPrompts(
            f"The two prompts have {clean.shape[1]} and {corrupt.shape[1]} tokens, so their positions do not "
            "match one by one."
        )
    return range(first_difference(clean, corrupt), clean.shape[1])


def columns_of(pair: PromptPair, parameters: PositionParameters) -> tuple[int, ...]:
    """The positions to measure, in order."""
    window = window_of(pair)
    if parameters.positions is None:
        return tuple(window)
    for position in parameters.positions:
        if position not in window:
            raise BadQuestion(
                f"Position {position} cannot be patched: both prompts are the same before {window.start} "
                f"and end at {window[-1]}."
            )
    return tuple(sorted(set(parameters.positions)))


def chosen_nodes(model: LanguageModel, parameters: PositionParameters) -> tuple[Node, ...]:
    """The nodes of the kind, in the layer that is asked for."""
    if parameters.layer not in (None, *range(model.n_layers)):
        raise BadQuestion(f"There is no layer {parameters.layer}: this model has 0 to {model.n_layers - 1}.")
    kind: Kind = parameters.kind
    nodes = nodes_of(kind, model.n_layers, model.n_heads)
    return tuple(node for node in nodes if parameters.layer in (None, node.layer))


def estimates(
    model: LanguageModel, runs: PairRuns, parameters: PositionParameters
) -> Float[Tensor, "node pos"]:
    """Attribution patching with the QK fix, one backward pass for all cells."""
    base, readout = base_of(model, runs), metric_readout(model, runs, parameters.metric)
    slopes = differentiate(model, base, readout)
    every = node_estimates(slopes, base.suffix, runs.source_suffix, parameters.kind)[0]
    if parameters.layer is None:
        return every
    per_layer = len(every) // model.n_layers
    return every[parameters.layer * per_layer : (parameters.layer + 1) * per_layer]


def strongest(estimate: Float[Tensor, "node pos"], n: int) -> Bool[Tensor, "node pos"]:
    """The `n` cells with the largest estimates of either sign; cells without one are never among them."""
    sizes = estimate.abs().nan_to_num(nan=-1).flatten()
    chosen = torch.zeros_like(sizes, dtype=torch.bool)
    chosen[sizes.topk(min(n, int((sizes >= 0).sum()))).indices] = True
    return chosen.view(estimate.shape)


def measure(
    model: LanguageModel, runs: PairRuns, asked: Bool[Tensor, "node pos"], parameters: PositionParameters
) -> Float[Tensor, "node pos"]:
    """Exact effects of the cells that are asked for, column by column; NaN elsewhere."""
    nodes, effects = chosen_nodes(model, parameters), torch.full(asked.shape, torch.nan)
    metric = parameters.metric
    for column in asked.any(0).nonzero()[:, 0].tolist():
        rows = asked[:, column].nonzero()[:, 0].tolist()
        position = torch.zeros_like(runs.base_ids, dtype=torch.bool)
        position[:, runs.start + column] = True
        patches = [Patch((nodes[row],), position) for row in rows]
        worlds = worlds_of(model, runs, patches, over_vocabulary=METRICS[metric].over_vocabulary)
        effects[rows, column] = worlds.effects(metric)[0]
    return effects


def position_coordinates(pair: PromptPair, direction: Direction) -> list[dict[str, Any]]:
    """The tokens of the prompt that is edited, and whether the other prompt has another token there."""
    pairs: tuple[Prompt, Prompt] = (pair.clean, pair.corrupt)
    base, source = pairs if direction == "noising" else pairs[::-1]
    return [
        {
            "position": pos,
            "text": base.token_texts[pos],
            "roles": list(base.roles[pos]),
            "differs": base.token_ids[pos] != source.token_ids[pos],
        }
        for pos in window_of(pair)
    ]
