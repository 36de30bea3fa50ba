"""Whether heads, and the whole model, go by the place in the list or by the letter."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch

from analysis.analyses.base import (
    Analysis,
    Summary,
    Values,
    averaged,
    n_options,
    node_coordinate,
    prompt_warnings,
)
from analysis.analyses.fitted import heads_named
from analysis.geometry import as_values, from_values, score_rule
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS
from analysis.nodes import Head
from analysis.nth_item import (
    SCORES,
    TARGETS,
    Fitted,
    Points,
    Swap,
    fit_places,
    geometric_scores,
    swap_queries,
)
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question

N_SHUFFLES = 3
"""Of every question. In one of two, place, letter and the right option are three different lines."""


@dataclass(frozen=True)
class NthItemParameters:
    """Which heads; the causal swap is made for listed heads only."""

    heads: Literal["all"] | tuple[str, ...] = "all"
    causal: bool = True
    n_fit: int = 64

    @property
    def swaps(self) -> bool:
        """Whether queries are swapped."""
        return self.causal and self.heads != "all"


@dataclass(frozen=True)
class NthItem(Analysis):
    """Place or letter, by geometry and by cause."""

    name: ClassVar[str] = "nth_item"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "Whether heads go by the place in the list or by the letter"
    Parameters: ClassVar[type] = NthItemParameters
    fitted: Fitted = field(default_factory=dict)

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: NthItemParameters) -> None:
        """Unknown heads are refused before anything runs."""
        heads_of(model, parameters)

    def variants(self, question: Question, parameters: NthItemParameters) -> tuple[Question, ...]:
        """The same question under shuffled labels, several times."""
        return tuple(MUTATIONS["shuffled"].mutate(question, seed=seed) for seed in range(N_SHUFFLES))

    def n_others(self, parameters: NthItemParameters) -> int:
        """The prompts, with labels in order, that places and letters are learnt from."""
        return parameters.n_fit

    def fitted_with(self, parameters: NthItemParameters) -> dict[str, Any]:
        """The parameters that the centroids depend on."""
        return {"heads": parameters.heads}

    def from_others(
        self, model: LanguageModel, prompts: Sequence[Prompt], parameters: NthItemParameters
    ) -> Values:
        """The centroids of these heads' queries and keys."""
        return as_values(fit_places(model, prompts, heads_of(model, parameters)))

    def knowing(self, others: Values) -> "NthItem":
        """The same, with these centroids."""
        return replace(self, fitted=from_values(others))

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NthItemParameters) -> Values:
        """Means over the shuffles of this question; NaN where none can be written, or tells anything."""
        heads = heads_of(model, parameters)
        prompts = [prompt for prompt in pair.variants if prompt is not None]
        nothing = torch.full((len(heads), len(SCORES)), torch.nan)
        values = {"keys": nothing, "queries": nothing}
        if prompts:
            scores = geometric_scores(Points.of(model, prompts, heads), self.fitted)
            values = {name: score.nanmean(0) for name, score in scores.items()}
        return values | (swapped(model, prompts, pair.corrupt, heads) if parameters.swaps else {})

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: NthItemParameters,
    ) -> Summary:
        """Means over prompts."""
        tables = {name: averaged("fraction", values[name], "head", "score") for name in ("keys", "queries")}
        details: dict[str, Any] = {"chance": 1 / n_options(pairs)}
        if parameters.swaps:
            tables["causal"] = averaged("fraction", values["causal"], "head", "target")
            tables["model"] = averaged("fraction", values["model"], "score")
            details["n_swaps"] = int(values["n_swaps"].sum())
        return Summary(
            coordinates={
                "head": [node_coordinate(head) for head in heads_of(model, parameters)],
                "score": SCORES,
                "target": TARGETS,
            },
            tables=tables,
            details=details | asdict(parameters),
            warnings=(*prompt_warnings(pairs), *_warnings(values)),
        )


def heads_of(model: LanguageModel, parameters: NthItemParameters) -> tuple[Head, ...]:
    """The heads that are judged."""
    if parameters.heads == "all":
        return tuple(Head(layer, head) for layer in range(model.n_layers) for head in range(model.n_heads))
    return heads_named(model, parameters.heads)


def swapped(model: LanguageModel, bases: Sequence[Prompt], other: Prompt, heads: Sequence[Head]) -> Values:
    """How often each head then looks most at each target, and the model answers by place or by letter."""
    swaps = [(base, swap) for base in bases if (swap := Swap.between(base, other)) is not None]
    rules = {head.layer: score_rule(model, head.layer) for head in heads}
    looks = [torch.full((len(heads), len(TARGETS)), torch.nan)]
    answers = [torch.full((len(SCORES),), torch.nan)]
    for base, swap in swaps:
        attention, choice = swap_queries(model, base, other, heads, rules)
        looks.append(torch.stack([swap.found(int(line)) for line in attention.argmax(-1)]))
        answers.append(swap.found(choice)[: len(SCORES)])
    return {
        "causal": torch.stack(looks).nanmean(0),
        "model": torch.stack(answers).nanmean(0),
        "n_swaps": torch.tensor(len(swaps)),
    }


def _warnings(values: Values) -> tuple[str, ...]:
    if "n_swaps" not in values or values["n_swaps"].any():
        return ()
    return (
        "No query could be swapped so that place, letter and the right option are three different lines; "
        "that takes three options or more, and counterfactuals to which another letter is right.",
    )
