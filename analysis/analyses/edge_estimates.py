"""The strongest edges between nodes of one prompt by their estimates; the first few are then measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.base import Analysis, Summary, Table, Values, prompt_warnings
from analysis.analyses.paths import receiver_coordinate
from analysis.edge_estimates import all_receivers, edge_estimates
from analysis.errors import BadQuestion
from analysis.estimates import NO_ESTIMATE, base_of, metric_readout, rank_correlation
from analysis.gradients import differentiate
from analysis.interventions import PathPatch
from analysis.metrics import METRICS, MetricName
from analysis.model import LanguageModel
from analysis.nodes import Receiver, Writer, all_nodes
from analysis.pair_runs import Direction, PairRuns, engine_of, run_pairs
from analysis.prompts import PromptPair
from analysis.worlds import worlds_of


@dataclass(frozen=True)
class EdgeParameters:
    """How many edges are returned, and how many of these are measured by path patching."""

    metric: MetricName = "centred_logit"
    direction: Direction = "noising"
    top: int = 50
    verify: int = 0


class Edges(Analysis):
    """Paths at the final position from every head and MLP to every later input, the strongest first."""

    name: ClassVar[str] = "edge_estimates"
    title: ClassVar[str] = "Estimated effects of the edges between nodes"
    Parameters: ClassVar[type] = EdgeParameters
    one_pair: ClassVar[bool] = True

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: EdgeParameters) -> None:
        """One prompt pair, a metric with a slope, and no more edges to measure than are returned."""
        if len(pairs) != 1:
            raise BadQuestion("Edges are estimated on one prompt pair: choose it with prompts.index.")
        if parameters.metric in NO_ESTIMATE:
            raise BadQuestion(f"{parameters.metric} cannot be estimated: {NO_ESTIMATE[parameters.metric]}.")
        if not 0 <= parameters.verify <= parameters.top or parameters.top < 1:
            raise BadQuestion("top must be 1 or more, and verify from 0 to top.")

    def split(
        self, model: LanguageModel, pair: PromptPair, parameters: EdgeParameters
    ) -> tuple[EdgeParameters, ...]:
        """Estimates first, then the measured edges."""
        return (replace(parameters, verify=0), parameters) if parameters.verify else (parameters,)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: EdgeParameters) -> Values:
        """Sender and receiver of each edge by number, its estimate, its measured effect or NaN."""
        runs = run_pairs(model, [pair], direction=parameters.direction)
        readout = metric_readout(model, runs, parameters.metric)
        slopes = differentiate(model, base_of(model, runs), readout)
        every = edge_estimates(model, runs, slopes, parameters.metric)[0]
        found = every.abs().flatten().topk(min(parameters.top, every.numel())).indices
        edges = torch.stack(torch.unravel_index(found, every.shape), dim=-1)
        measured = torch.full(found.shape, torch.nan)
        if parameters.verify:
            some = [named_edge(model, edge) for edge in edges[: parameters.verify].tolist()]
            measured[: parameters.verify] = measure(model, runs, some, parameters.metric)
        return {"edges": edges, "estimate": every.flatten()[found], "measured": measured}

    def combine(self, parts: Sequence[Values]) -> Values:
        """The later part has everything that the first has."""
        return parts[-1]

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: EdgeParameters
    ) -> Summary:
        """The edges by name, strongest estimate first."""
        estimate, measured = values["estimate"][0], values["measured"][0]
        unit, known = METRICS[parameters.metric].unit, ~measured.isnan()
        correlation = rank_correlation(estimate[known], measured[known]) if known.sum() > 1 else math.nan
        return Summary(
            coordinates={
                "edge": [
                    edge_coordinate(*named_edge(model, edge)) for edge in values["edges"][0].long().tolist()
                ]
            },
            tables={
                "estimate": Table(("edge",), unit, estimate),
                "measured": Table(("edge",), unit, measured),
            },
            details={
                "spearman": None if math.isnan(correlation) else correlation,
                "n_measured": int(known.sum()),
                "engine": engine_of(model),
            },
            warnings=prompt_warnings(pairs),
        )


def named_edge(model: LanguageModel, edge: Sequence[int]) -> tuple[Writer, Receiver]:
    """Sender and receiver by their numbers."""
    sender, receiver = edge
    size = model.n_layers, model.n_heads
    return all_nodes(*size)[sender], all_receivers(*size)[receiver]


def edge_coordinate(sender: Writer, receiver: Receiver) -> dict[str, Any]:
    """An edge as the coordinates of a table name it."""
    return {
        "sender": str(sender),
        "receiver": str(receiver),
        "input": receiver_coordinate(receiver)["input"],
    }


def measure(
    model: LanguageModel, runs: PairRuns, edges: Sequence[tuple[Writer, Receiver]], metric: MetricName
) -> Float[Tensor, " row"]:
    """Each edge alone, by path patching."""
    paths = [PathPatch(sender, frozenset([receiver]), runs.final) for sender, receiver in edges]
    worlds = worlds_of(model, runs, paths, over_vocabulary=METRICS[metric].over_vocabulary)
    return worlds.effects(metric)[0]
