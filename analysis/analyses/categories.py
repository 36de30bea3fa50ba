"""What kind of head every head of a model is, on what evidence. Moving a threshold runs no model."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite
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
    correct_options,
    n_options,
    node_coordinate,
    prompt_warnings,
)
from analysis.categories import CATEGORIES, Verdict, classify
from analysis.errors import BadQuestion
from analysis.head_looks import WEIGHTINGS, HeadLooks, look_at_heads
from analysis.head_measures import HeadMeasures, balancing_weights, measure, net_attribution
from analysis.model import LanguageModel
from analysis.nodes import Node, nodes_of
from analysis.pair_runs import engine_of, run_pairs
from analysis.prompts import PromptPair
from analysis.rules import HIGHEST, MEANINGS, Thresholds, lowest

LARGEST_THRESHOLD = 10.0


@dataclass(frozen=True)
class CategoriesParameters(Thresholds):
    """How attention is weighted, and where the rules draw their lines. Neither needs another run."""

    weighting: Literal["value_weighted", "raw"] = "value_weighted"

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds alone."""
        return Thresholds(**{field.name: getattr(self, field.name) for field in fields(Thresholds)})


class Categories(Analysis):
    """All heads at once: attention from the final position, attributions and total effects, then rules."""

    name: ClassVar[str] = "categories"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "Categories of heads: correct letter, single letter, uniform and others"
    Parameters: ClassVar[type] = CategoriesParameters

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: CategoriesParameters
    ) -> None:
        """A threshold far out is a mistake."""
        for name, value in asdict(parameters.thresholds).items():
            if not 0 <= value <= LARGEST_THRESHOLD:
                raise BadQuestion(f"{name} must be from 0 to {LARGEST_THRESHOLD:g}, not {value:g}.")

    def computed_with(self, parameters: CategoriesParameters) -> dict[str, Any]:
        """Nothing: both weightings are computed, and thresholds are applied afterwards."""
        return {}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: CategoriesParameters) -> Values:
        """What all heads look at, write and cause on this pair."""
        looks = look_at_heads(model, run_pairs(model, [pair]), [pair.clean])
        return {name: values[0].contiguous() for name, values in vars(looks).items()}

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: CategoriesParameters,
    ) -> Summary:
        """Means over pairs, and a verdict on every head."""
        letters, order = letter_order(pairs)
        correct = order.argsort(-1)[torch.arange(len(pairs)), correct_options(pairs)]
        looks = HeadLooks(**values).reordered(order)
        measures = measure(looks, correct, parameters.weighting)
        heads = nodes_of("heads", model.n_layers, model.n_heads)
        verdicts = classify(measures, parameters.thresholds, letters)
        return Summary(
            coordinates={
                "head": [node_coordinate(head) for head in heads],
                "correct": letters,
                "answer": letters,
                "weighting": WEIGHTINGS,
            },
            tables=effect_tables(looks, correct) | measure_tables(measures),
            details={
                "engine": engine_of(model),
                "weighting": parameters.weighting,
                "verdicts": [on_wire(head, verdict) for head, verdict in zip(heads, verdicts, strict=True)],
                "categories": [asdict(category) for category in CATEGORIES],
                "thresholds": sliders(parameters.thresholds),
            },
            warnings=(*never_correct(letters, correct), *prompt_warnings(pairs)),
        )


def letter_order(pairs: Sequence[PromptPair]) -> tuple[list[str], Int[Tensor, "pair answer"]]:
    """Names of the answers, and the place of each among the options of every pair.

    Where all questions have the same labels, in whatever order, an answer is a letter; otherwise it is the
    number of the option. So a head that likes one letter is found where labels are shuffled, too.
    """
    labels = [pair.clean.question.labels for pair in pairs]
    if len({frozenset(of_pair) for of_pair in labels}) > 1:
        return answer_coordinates(pairs), torch.arange(n_options(pairs)).repeat(len(pairs), 1)
    letters = sorted(labels[0], key=lambda label: (len(label), label))
    return letters, torch.tensor([[of_pair.index(letter) for letter in letters] for of_pair in labels])


def effect_tables(looks: HeadLooks, correct: Int[Tensor, " pair"]) -> dict[str, Table]:
    """What heads write and cause, means over the correct letters with intervals over prompts."""
    weights = balancing_weights(correct)[:, None]
    return {
        "net_attribution": averaged("logit", net_attribution(looks, correct) * weights, "head"),
        "total_effect": averaged("logit", looks.total_effect * weights, "head"),
        "sink": Table(("weighting", "head"), "fraction", (looks.sink * weights[..., None]).mean(0)),
    }


def measure_tables(measures: HeadMeasures) -> dict[str, Table]:
    """The other measures of every head."""
    fractions = {
        "label_mass": measures.label_mass.nanmean(0),
        "diagonal_share": measures.diagonal.nanmean(0),
        "entropy": lowest(measures.evenness),
        "last_mass": measures.suffix.nanmean(0),
        "content_mass": measures.contents.sum(-1).nanmean(0),
        "newline_mass": measures.newlines.sum(-1).nanmean(0),
    }
    ratios = {"content_ratio": measures.content_ratio, "newline_ratio": measures.newline_ratio}
    return {
        **{name: Table(("head",), "fraction", values) for name, values in fractions.items()},
        **{name: Table(("head",), "ratio", values) for name, values in ratios.items()},
        "boost": Table(("head",), "correlation", measures.boost),
        "diagonal_by_correct": Table(("head", "correct"), "fraction", measures.diagonal.T),
        "correct_by_label": Table(("head", "correct", "answer"), "fraction", measures.labels.transpose(0, 1)),
    }


def on_wire(head: Node, verdict: Verdict) -> dict[str, Any]:
    """A verdict as details tell it; what could not be measured is null."""
    evidence = [
        asdict(one) | {"value": one.value if isfinite(one.value) else None} for one in verdict.evidence
    ]
    return {"head": str(head)} | asdict(verdict) | {"evidence": evidence}


def sliders(thresholds: Thresholds) -> list[dict[str, Any]]:
    """Every threshold with its range and meaning."""
    return [
        {"name": name, "value": value, "low": 0.0, "high": HIGHEST.get(name, 1.0), "meaning": MEANINGS[name]}
        for name, value in asdict(thresholds).items()
    ]


def never_correct(letters: Sequence[str], correct: Int[Tensor, " pair"]) -> tuple[str, ...]:
    """A sentence where the prompts cannot tell apart what the rules tell apart."""
    missing = [letter for place, letter in enumerate(letters) if place not in correct]
    if not missing:
        return ()
    return (
        f"No prompt so far has {' or '.join(missing)} as its correct answer: "
        "rules about every letter know the others only.",
    )
