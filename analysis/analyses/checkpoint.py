"""One step of a training, in the few numbers that are followed from step to step.

Made of other analyses: what every head is (categories), whether the best heads go by place or by letter
(nth_item) and how much rank 3 of their queries and keys keeps (low_rank). The best heads are those that write
most to the correct letter on prompts of the other split, so they are chosen without the drawn prompts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import stack_answers, stack_tokens
from analysis.analyses.base import Analysis, Summary, Table, Values, averaged, prompt_warnings
from analysis.analyses.categories import Categories, CategoriesParameters
from analysis.analyses.fitted import fit_warnings
from analysis.analyses.low_rank import LowRank, LowRankParameters
from analysis.analyses.mutations import mutation_coordinate
from analysis.analyses.nth_item import NthItem, NthItemParameters
from analysis.attribution import logit_attribution
from analysis.categories import CATEGORIES
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS
from analysis.nodes import Head
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.vectors import At, by_length

N_BEST, RANK = 3, 3
SCORED = ("position", "letter")


@dataclass(frozen=True)
class CheckpointParameters:
    """On how many prompts the best heads and their dimensions are found, and where they look at options.

    The heads of `mcq-tiny` look at contents. Where heads do not look, rank 3 keeps all and says nothing.
    """

    n_fit: int = 64
    at: At = "content_last"


@dataclass(frozen=True)
class Checkpoint(Analysis):
    """What a model can do at this step, and with which heads."""

    name: ClassVar[str] = "checkpoint"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "One step of a training: accuracy, categories of heads, place or letter, rank 3"
    Parameters: ClassVar[type] = CheckpointParameters
    example: ClassVar[Any] = CheckpointParameters(n_fit=8)
    others: Values = field(default_factory=dict, repr=False)

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: CheckpointParameters
    ) -> None:
        """One prompt has no dimensions."""
        if parameters.n_fit < 2:
            raise BadQuestion("n_fit must be at least 2: one prompt has no dimensions.")

    def variants(self, question: Question, parameters: CheckpointParameters) -> tuple[Question, ...]:
        """The question in every form, then under the shuffled labels that place and letter are told by."""
        forms = (mutation.mutate(question) for mutation in MUTATIONS.values())
        return (*forms, *NthItem().variants(question, NthItemParameters()))

    def n_others(self, parameters: CheckpointParameters) -> int:
        """Where the best heads are looked for."""
        return parameters.n_fit

    def from_others(
        self, model: LanguageModel, prompts: Sequence[Prompt], parameters: CheckpointParameters
    ) -> Values:
        """The best heads, their dimensions, and where their places and letters are."""
        best = best_heads(model, prompts)
        labels = tuple(map(str, best))
        nth_item = NthItem().from_others(model, prompts, NthItemParameters(labels))
        low_rank = LowRank().from_others(model, prompts, LowRankParameters(heads=labels, at=parameters.at))
        return {
            "best": torch.tensor([[head.layer, head.head] for head in best]),
            **prefixed("nth_item", nth_item),
            **prefixed("low_rank", low_rank),
        }

    def knowing(self, others: Values) -> "Checkpoint":
        """The same, with these heads."""
        return replace(self, others=others)

    @property
    def heads(self) -> tuple[str, ...]:
        """Labels of the best heads, the best one first."""
        return tuple(str(Head(layer, head)) for layer, head in self.others["best"].tolist())

    def parts(self, parameters: CheckpointParameters) -> Mapping[str, tuple[Analysis, Any]]:
        """The analyses that it is made of, each with its parameters."""
        low_rank = LowRankParameters(
            heads=self.heads, at=parameters.at, kinds=("qk",), ranks=(RANK,), n_random=1
        )
        return {
            "categories": (Categories(), CategoriesParameters()),
            "nth_item": (
                NthItem().knowing(under("nth_item", self.others)),
                NthItemParameters(self.heads, causal=False),
            ),
            "low_rank": (LowRank().knowing(under("low_rank", self.others)), low_rank),
        }

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: CheckpointParameters) -> Values:
        """Whether each form of the question is answered rightly, and the values of every part."""
        n_forms = len(MUTATIONS)
        values = {"right": answered_rightly(model, pair.variants[:n_forms])}
        pair = replace(pair, variants=pair.variants[n_forms:])
        for name, (analysis, chosen) in self.parts(parameters).items():
            values |= prefixed(name, analysis.compute(model, pair, chosen))
        return values

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: CheckpointParameters,
    ) -> Summary:
        """Means over prompts."""
        found = {
            name: analysis.summarise(model, pairs, under(name, values), chosen)
            for name, (analysis, chosen) in self.parts(parameters).items()
        }
        verdicts = found["categories"].details["verdicts"]
        count = Counter(verdict["category"] for verdict in verdicts)
        counts = torch.tensor([float(count[category.name]) for category in CATEGORIES])
        by_score = values["nth_item.keys"].nanmean(1)  # over the best heads
        return Summary(
            coordinates={
                "mutation": [mutation_coordinate(mutation) for mutation in MUTATIONS.values()],
                "category": [category.name for category in CATEGORIES],
            },
            tables={
                "accuracy": averaged("fraction", values["right"], "mutation"),
                "categories": Table(("category",), "heads", counts),
                **{f"{name}_score": averaged("fraction", by_score[:, i]) for i, name in enumerate(SCORED)},
                "recovery": Table((), "fraction", found["low_rank"].tables["recovery"].mean.flatten()[0]),
            },
            details={
                "heads": list(self.heads),
                "step": getattr(model.network.config, "training_step", None),
                "rank": RANK,
                "verdicts": verdicts,
                "chance": found["nth_item"].details["chance"],
            },
            warnings=(*prompt_warnings(pairs), *fit_warnings(values["low_rank.seen"])),
        )


def best_heads(model: LanguageModel, prompts: Sequence[Prompt]) -> tuple[Head, ...]:
    """The heads with the highest mean attribution to the centred logit of the correct letter."""
    totals: Counter[Head] = Counter()
    for indices in by_length(prompts):
        together = [prompts[index] for index in indices]
        parts = logit_attribution(model, together)
        for component, value in zip(parts.components, parts.net.sum(0).tolist(), strict=True):
            if component.layer is not None and component.head is not None:
                totals[Head(component.layer, component.head)] += value
    return tuple(head for head, _ in totals.most_common(N_BEST))


@torch.inference_mode()
def answered_rightly(model: LanguageModel, forms: Sequence[Prompt | None]) -> Float[Tensor, " mutation"]:
    """1 where the correct label has the highest logit of the labels, else 0; NaN for a form that is none."""
    right = torch.full((len(forms),), torch.nan)
    alike: dict[tuple[int, int], dict[int, Prompt]] = {}
    for place, form in enumerate(forms):
        if form is not None:
            alike.setdefault((len(form.token_ids), len(form.label_ids)), {})[place] = form
    for places in alike.values():
        prompts = list(places.values())
        chosen = model.answer_logits(
            model.hidden(stack_tokens(prompts))[:, -1], stack_answers(prompts)
        ).argmax(-1)
        correct = torch.tensor([prompt.correct for prompt in prompts])
        right[list(places)] = (chosen.cpu() == correct).float()
    return right


def prefixed(name: str, values: Values) -> Values:
    """Values of one part among those of all."""
    return {f"{name}.{key}": value for key, value in values.items()}


def under(name: str, values: Values) -> Values:
    """The values of one part."""
    return {
        key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")
    }
