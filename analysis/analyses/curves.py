"""Sufficiency, necessity and faithfulness of the first k nodes of a ranking, beside random rankings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.base import Analysis, Summary, Table, Values, averaged, prompt_warnings, table
from analysis.attribution import node_attributions
from analysis.curves import CURVES, Measured, curves_of, set_sizes
from analysis.errors import BadQuestion, UnknownNode
from analysis.metrics import METRICS, MetricName
from analysis.model import LanguageModel
from analysis.node_sets import CurvePlan, measured_in, patch_sets, plan_curves
from analysis.nodes import Writer, all_nodes, writers_named
from analysis.pair_runs import PairRuns, engine_of, run_pairs
from analysis.prompts import PromptPair
from analysis.worlds import Worlds

MOST = 100  # random rankings, and points on a curve


@dataclass(frozen=True)
class CurvesParameters:
    """Which nodes, in rank order; how many random rankings of the same nodes; how many points on a curve."""

    nodes: tuple[str, ...] = ()
    metric: MetricName = "letter_loss"
    n_random: int = 5
    seed: int = 0
    points: int = 16


class Curves(Analysis):
    """What the first k nodes carry."""

    name: ClassVar[str] = "curves"
    title: ClassVar[str] = "Sufficiency, necessity and faithfulness of the first k nodes"
    Parameters: ClassVar[type] = CurvesParameters
    example: ClassVar[CurvesParameters] = CurvesParameters(nodes=("MLP1", "L0H0", "L1H1", "MLP0"))

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: CurvesParameters) -> None:
        """A ranking names heads and MLPs, each once; a baseline needs at least one random ranking."""
        ranked(model, parameters)
        if not parameters.nodes:
            raise UnknownNode("Curves need nodes in rank order, such as those of an effects result.")
        if len(set(parameters.nodes)) < len(parameters.nodes):
            raise UnknownNode("A node can stand in a ranking only once.")
        if not (1 <= parameters.n_random <= MOST and 2 <= parameters.points <= MOST):
            raise BadQuestion(
                f"Curves take 1 to {MOST} random rankings and 2 to {MOST} points, "
                f"not {parameters.n_random} and {parameters.points}."
            )

    def computed_with(self, parameters: CurvesParameters) -> dict[str, Any]:
        """Logits are computed; the metric is applied to them afterwards."""
        chosen = asdict(parameters)
        return chosen | {"metric": METRICS[parameters.metric].over_vocabulary}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: CurvesParameters) -> Values:
        """Logits of the answers with every node set patched, in both directions."""
        plan, over_vocabulary = plan_of(model, parameters), METRICS[parameters.metric].over_vocabulary
        noising, denoising = (
            run_pairs(model, [pair], direction=way, window="final") for way in ("noising", "denoising")
        )
        worlds = {
            "noising": patch_sets(model, noising, plan.noising, over_vocabulary=over_vocabulary),
            "denoising": patch_sets(model, denoising, plan.denoising, over_vocabulary=over_vocabulary),
        }
        values = {f"{way}_{name}": x for way, of in worlds.items() for name, x in of.of_pair(0).items()}
        return values | {"attribution": clean_attributions(model, noising)[0]}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: CurvesParameters
    ) -> Summary:
        """Recovered fractions and their areas, each with the random rankings beside it."""
        plan, sizes = plan_of(model, parameters), sizes_of(parameters)
        noising, denoising = (worlds_named(values, way) for way in ("noising", "denoising"))
        measured = measured_in(plan, noising, denoising, parameters.metric)
        unit = METRICS[parameters.metric].unit
        covered = coverage(model, ranked(model, parameters), values["attribution"], sizes)
        return Summary(
            coordinates={"k": list(sizes), "curve": list(CURVES)},
            tables=curve_tables(measured, sizes, parameters.seed)
            | {
                "coverage": Table(("k",), "fraction", covered),
                "clean_metric": averaged(unit, noising.metric(parameters.metric)[:, 0]),
                "corrupt_metric": averaged(unit, noising.metric(parameters.metric)[:, 1]),
            },
            details={
                "engine": engine_of(model),
                "metric": parameters.metric,
                "n_random": parameters.n_random,
                "seed": parameters.seed,
            },
            warnings=(*curve_warnings(model, measured, parameters), *prompt_warnings(pairs)),
        )


def ranked(model: LanguageModel, parameters: CurvesParameters) -> tuple[Writer, ...]:
    """The nodes in rank order."""
    return writers_named(parameters.nodes, model.n_layers, model.n_heads)


def sizes_of(parameters: CurvesParameters) -> tuple[int, ...]:
    """How many nodes are taken at each point."""
    return set_sizes(len(parameters.nodes), parameters.points)


def plan_of(model: LanguageModel, parameters: CurvesParameters) -> CurvePlan:
    """The node sets that these curves need; the same for every pair."""
    nodes, sizes = ranked(model, parameters), sizes_of(parameters)
    return plan_curves(model, nodes, sizes, n_random=parameters.n_random, seed=parameters.seed)


def worlds_named(values: Values, prefix: str) -> Worlds:
    """The worlds whose tensors carry this prefix."""
    start = f"{prefix}_"
    return Worlds(**{name.removeprefix(start): x for name, x in values.items() if name.startswith(start)})


def clean_attributions(model: LanguageModel, runs: PairRuns) -> Float[Tensor, "batch node"]:
    """Attribution of every head and MLP to the centred logit of the correct answer, in the clean run."""
    nodes = all_nodes(model.n_layers, model.n_heads)
    parts = node_attributions(model, runs.base, nodes, runs.answer_ids, scales=runs.base)
    parts = parts.cpu().transpose(0, 1)
    centred = parts - parts.mean(-1, keepdim=True)
    return centred[torch.arange(len(runs.correct)), :, runs.correct]


def coverage(
    model: LanguageModel,
    nodes: Sequence[Writer],
    attribution: Float[Tensor, "pair node"],
    sizes: Sequence[int],
) -> Float[Tensor, " k"]:
    """Share of the model's positive mean attribution that the first k nodes hold."""
    positive = attribution.double().mean(0).clamp(min=0)
    index = {node: place for place, node in enumerate(all_nodes(model.n_layers, model.n_heads))}
    held = positive[[index[node] for node in nodes]].cumsum(0) / positive.sum()
    return torch.cat([held.new_zeros(1), held])[list(sizes)].float()


def curve_tables(measured: Measured, sizes: Sequence[int], seed: int) -> dict[str, Table]:
    """Curves by k, and the areas below faithfulness."""
    curves = curves_of(measured, sizes, seed=seed)
    by_k = {"curve": curves.curve, "random": curves.random}
    areas = {name: getattr(curves, name) for name in ("cpr", "cmd", "cpr_random", "cmd_random")}
    return {name: table("fraction", interval, "curve", "k") for name, interval in by_k.items()} | {
        name: table("fraction", interval) for name, interval in areas.items()
    }


def curve_warnings(model: LanguageModel, measured: Measured, parameters: CurvesParameters) -> tuple[str, ...]:
    """Where a fraction means little: runs that are alike, or a list that is not the whole model."""
    n_nodes, warnings = model.n_layers * (model.n_heads + 1), []
    gap = averaged("", (measured.end - measured.start)[:, 0])
    if gap.low is not None and gap.high is not None and bool(gap.low <= 0 <= gap.high):
        warnings.append(
            f"Over these prompts the {parameters.metric} of the clean and the corrupt run cannot be told "
            "apart, so the fractions mean little."
        )
    if len(parameters.nodes) < n_nodes:
        warnings.append(
            f"The ranking holds {len(parameters.nodes)} of the model's {n_nodes} heads and MLPs; the curves "
            "end, and the areas count, at these."
        )
    return tuple(warnings)
