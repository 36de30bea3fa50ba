"""How few dimensions of what heads see are enough: loss, accuracy, logit and attention against the rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.base import Summary, Table, Values, correct_options, n_options, prompt_warnings, table
from analysis.analyses.fitted import FitParameters, FittedAnalysis, fit_warnings
from analysis.bootstrap import mean_interval
from analysis.compress import Basis, Kind, World, compressed
from analysis.errors import BadQuestion
from analysis.metrics import METRICS, Answers, MetricName
from analysis.model import LanguageModel
from analysis.pair_runs import engine_of
from analysis.prompts import PromptPair
from analysis.vectors import option_positions

KINDS: tuple[Kind, ...] = get_args(Kind)
BASES: tuple[Basis, ...] = get_args(Basis)
OF_LETTERS: tuple[MetricName, ...] = ("centred_logit", "letter_loss", "accuracy")
GRID = (1, 2, 3, 4, 6, 8, 16, 32, 64, 128)  # ranks at which baselines are measured
N_RESAMPLES = 500
CLEAN, ABLATED = World("clean"), World("ablated")


@dataclass(frozen=True)
class LowRankParameters(FitParameters):
    """Which heads, all at once, and what of them is cut down to which ranks."""

    heads: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = KINDS
    ranks: tuple[int, ...] = ()  # none: every rank of the strongest dimensions, some of the others
    n_random: int = 5
    seed: int = 0  # of the random dimensions


@dataclass(frozen=True)
class LowRank(FittedAnalysis):
    """The heads' queries, keys or values in their r strongest dimensions; in random and in weakest ones."""

    name: ClassVar[str] = "low_rank"
    title: ClassVar[str] = "What heads still do with r dimensions of their queries, keys and values"
    Parameters: ClassVar[type] = LowRankParameters
    example: ClassVar[Any] = LowRankParameters(heads=("L0H0",), n_fit=4)

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: LowRankParameters) -> None:
        """What does not exist is refused before anything runs."""
        self.check_fit(model, parameters)
        if not all(0 <= rank <= model.d_head for rank in parameters.ranks):
            raise BadQuestion(f"Ranks must be 0 to {model.d_head}, the size of a head.")
        if not parameters.kinds or parameters.n_random < 1:
            raise BadQuestion("Give at least one kind and one random draw.")
        for pair in pairs:
            option_positions(pair.clean, parameters.at)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: LowRankParameters) -> Values:
        """Answers' logits, and the heads' mean attention to the options, in every world."""
        heads = self.heads(model, parameters)
        subspaces = {head: self.subspaces_of(head, parameters) for head in heads}
        worlds = worlds_of(parameters, model.d_head)
        found = compressed(model, [pair.clean], subspaces, worlds)
        return {
            "logits": found.logits[:, 0].contiguous(),
            "attention": found.attention[:, 0].mean(1),
            "seen": self.was_fitted(pair.clean),
        }

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: LowRankParameters
    ) -> Summary:
        """Means over prompts; a rank that was not measured in some dimensions is left empty."""
        worlds, n_answers = worlds_of(parameters, model.d_head), n_options(pairs)
        measured = by_world(values, pairs)
        clean, ablated = (measured[..., worlds.index(world)] for world in (CLEAN, ABLATED))
        curves = arranged(measured, worlds, parameters, model.d_head)
        units = [*(METRICS[name].unit for name in OF_LETTERS), "fraction"]
        names = (*OF_LETTERS, "attention_on_correct")
        return Summary(
            coordinates={
                "metric": [{"label": name, "unit": unit} for name, unit in zip(names, units, strict=True)],
                "kind": parameters.kinds,
                "basis": BASES,
                "rank": ranks_of(parameters, model.d_head),
            },
            tables={
                "measured": by_metric(curves, "kind", "basis", "rank"),
                "clean": by_metric(clean),
                "ablated": by_metric(ablated),
                "recovery": Table(("kind", "basis", "rank"), "fraction", recovery(curves, clean, ablated)),
            },
            details={
                "heads": list(parameters.heads),
                "d_head": model.d_head,
                "chance": {"letter_loss": math.log(n_answers), "accuracy": 1 / n_answers},
                "engine": engine_of(model),
            },
            warnings=(*prompt_warnings(pairs), *fit_warnings(values["seen"])),
        )


def ranks_of(parameters: LowRankParameters, d_head: int) -> tuple[int, ...]:
    """The ranks that were asked for, or all, from nothing but the mean to everything."""
    return tuple(sorted(set(parameters.ranks))) or tuple(range(d_head + 1))


def worlds_of(parameters: LowRankParameters, d_head: int) -> list[World]:
    """The run as it is, the heads ablated, then all kinds, dimensions and ranks."""
    ranks = ranks_of(parameters, d_head)
    some = ranks if parameters.ranks else [rank for rank in GRID if rank < d_head]
    draws = range(parameters.n_random * parameters.seed, parameters.n_random * (parameters.seed + 1))
    worlds = [CLEAN, ABLATED]
    for kind in parameters.kinds:
        worlds += [World(kind, rank) for rank in ranks]
        worlds += [World(kind, rank, "random", draw) for rank in some for draw in draws]
        worlds += [World(kind, rank, "bottom") for rank in some]
    return worlds


def by_world(values: Values, pairs: Sequence[PromptPair]) -> Float[Tensor, "pair metric row"]:
    """Every metric in every world."""
    logits, correct = values["logits"], correct_options(pairs)
    answers = Answers(logits, correct, correct, logits[:, 0])
    on_correct = values["attention"][torch.arange(len(pairs)), :, correct]
    return torch.stack([*(METRICS[name](answers) for name in OF_LETTERS), on_correct], dim=1)


def arranged(
    measured: Float[Tensor, "pair metric row"],
    worlds: Sequence[World],
    parameters: LowRankParameters,
    d_head: int,
) -> Float[Tensor, "pair metric kind basis rank"]:
    """Worlds by kind, basis and rank; the mean over random draws. NaN where nothing was measured."""
    ranks = ranks_of(parameters, d_head)
    shape = len(parameters.kinds), len(BASES), len(ranks)
    places = torch.tensor(
        [
            (parameters.kinds.index(world.kind) * shape[1] + BASES.index(world.basis)) * shape[2]
            + ranks.index(world.rank)
            for world in worlds
            if world.kind in parameters.kinds
        ]
    )
    sums = measured.new_zeros(*measured.shape[:2], math.prod(shape)).index_add(2, places, measured[..., 2:])
    counts = torch.bincount(places, minlength=math.prod(shape))
    return (sums / counts).unflatten(2, shape)  # 0 / 0 is NaN


def recovery(
    curves: Float[Tensor, "pair metric kind basis rank"],
    clean: Float[Tensor, "pair metric"],
    ablated: Float[Tensor, "pair metric"],
) -> Float[Tensor, "kind basis rank"]:
    """Share of what ablating the heads takes from the centred logit, that is there at each rank.

    1: as in the clean run, 0: as without the heads. Of means; NaN where ablating them takes nothing that can
    be told from chance (two standard errors over prompts), as there is nothing to come back then.
    """
    kept, without = curves[:, 0].mean(0), ablated[:, 0].mean()
    lost = clean[:, 0] - ablated[:, 0]
    error = lost.std() / len(lost) ** 0.5 if len(lost) > 1 else torch.tensor(0.0)
    told = lost.mean() > 2 * error + 1e-6
    return (kept - without) / torch.where(told, lost.mean(), torch.nan)


def by_metric(values: Float[Tensor, "pair metric *row"], *axes: str) -> Table:
    """Means with intervals; fewer resamples than usual, as there are thousands of entries."""
    interval = mean_interval(values, n_resamples=N_RESAMPLES)
    return table("as the metric", interval, "metric", *axes)
