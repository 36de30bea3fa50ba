"""A head as a few lines of code, and how far they hold under every mutation, on prompts not used for them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.attention import HeadParameters
from analysis.analyses.base import Analysis, Summary, Values, averaged, n_options, prompt_warnings
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS, Mutation
from analysis.nodes import Head, check_nodes
from analysis.prompts import Prompt, PromptPair
from analysis.pseudocode import Pseudocode, Reads, agreement, divergence, option_attention
from analysis.questions import Question

OF_LABELS = ("none", "shuffled", "random_letters", "ordered_letters", "numbers", "lower_case")
"""What tells lines from letters; measured where no others are asked for."""


@dataclass(frozen=True)
class PseudocodeParameters(HeadParameters):
    """Which head, and on which mutations its code is judged."""

    mutations: tuple[str, ...] = ()
    n_fit: int = 64


@dataclass(frozen=True)
class HeadPseudocode(Analysis):
    """The code that is closest to a head's attention over the options."""

    name: ClassVar[str] = "pseudocode"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "One head as a few lines of code, with their agreement under mutations"
    Parameters: ClassVar[type] = PseudocodeParameters
    codes: Mapping[Reads, Pseudocode] = field(default_factory=dict)

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: PseudocodeParameters
    ) -> None:
        """An unknown head or mutation is refused before anything runs."""
        check_nodes([Head(parameters.layer, parameters.head)], model.n_layers, model.n_heads)
        unknown = [name for name in parameters.mutations if name not in MUTATIONS]
        if unknown:
            raise BadQuestion(f"There is no mutation {unknown[0]!r}; known: {', '.join(MUTATIONS)}.")

    def variants(self, question: Question, parameters: PseudocodeParameters) -> tuple[Question, ...]:
        """The question under each mutation."""
        return tuple(mutation.mutate(question) for mutation in chosen(parameters))

    def computed_with(self, parameters: PseudocodeParameters) -> dict[str, Any]:
        """The head's own attention is computed; codes are compared with it afterwards."""
        return {name: value for name, value in asdict(parameters).items() if name != "n_fit"}

    def n_others(self, parameters: PseudocodeParameters) -> int:
        """The prompts that the tables are measured on."""
        return parameters.n_fit

    def fitted_with(self, parameters: PseudocodeParameters) -> dict[str, Any]:
        """The parameters that the tables depend on."""
        return {"layer": parameters.layer, "head": parameters.head}

    def from_others(
        self, model: LanguageModel, prompts: Sequence[Prompt], parameters: PseudocodeParameters
    ) -> Values:
        """The table of each algorithm."""
        attention = option_attention(model, prompts, Head(parameters.layer, parameters.head))
        codes = {
            reads: Pseudocode.measured(reads, torch.stack(attention), prompts) for reads in get_args(Reads)
        }
        letters = codes["letter"].letters
        return {reads: code.shares for reads, code in codes.items()} | {"letters": letters}

    def knowing(self, others: Values) -> "HeadPseudocode":
        """The same, with these tables."""
        codes = [Pseudocode(reads, others[reads], others["letters"]) for reads in get_args(Reads)]
        return replace(self, codes={code.reads: code for code in codes})

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: PseudocodeParameters) -> Values:
        """The head's attention over the options under each mutation; NaN where there is no such option."""
        shares = torch.full((len(pair.variants), len(pair.clean.label_ids)), torch.nan)
        written = [index for index, prompt in enumerate(pair.variants) if prompt is not None]
        prompts = [prompt for prompt in pair.variants if prompt is not None]
        found = option_attention(model, prompts, Head(parameters.layer, parameters.head))
        for index, attention in zip(written, found, strict=True):
            shares[index, : len(attention)] = attention
        return {"shares": shares}

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: PseudocodeParameters,
    ) -> Summary:
        """The closer of the two algorithms, and how close it is."""
        judged = {reads: judge(code, pairs, values["shares"]) for reads, code in self.codes.items()}
        closer = min(self.codes.values(), key=lambda code: float(judged[code.reads][..., 1].nanmean()))
        agrees, diverges = judged[closer.reads].unbind(-1)
        return Summary(
            coordinates={"mutation": [described(mutation) for mutation in chosen(parameters)]},
            tables={
                "agreement": averaged("fraction", agrees, "mutation"),
                "divergence": averaged("nat", diverges, "mutation"),
            },
            details={
                "code": closer.text,
                "reads": closer.reads,
                "chance": 1 / n_options(pairs),
                "candidates": {
                    name: dict(zip(("agreement", "divergence"), both.nanmean((0, 1)).tolist(), strict=True))
                    for name, both in judged.items()
                },
            },
            warnings=(*prompt_warnings(pairs), *unwritten(pairs, parameters)),
        )


def chosen(parameters: PseudocodeParameters) -> tuple[Mutation, ...]:
    """The mutations that were asked for, in their order."""
    return tuple(MUTATIONS[name] for name in parameters.mutations or OF_LABELS)


def judge(
    code: Pseudocode, pairs: Sequence[PromptPair], shares: Float[Tensor, "pair mutation answer"]
) -> Float[Tensor, "pair mutation score"]:
    """Agreement and divergence of a code with the head on every prompt; NaN where there is no prompt."""
    judged = torch.full((*shares.shape[:2], 2), torch.nan)
    for row, pair in enumerate(pairs):
        for column, prompt in enumerate(pair.variants):
            if prompt is not None:
                head = shares[row, column, : len(prompt.label_ids)]
                said = code.predict(prompt.question)
                judged[row, column] = torch.tensor([agreement(head, said), divergence(head, said)])
    return judged


def described(mutation: Mutation) -> dict[str, str]:
    """A mutation as the coordinates of a table name it."""
    return {
        "label": mutation.name,
        "title": mutation.title,
        "example": mutation.example,
        "isolates": mutation.isolates,
    }


def unwritten(pairs: Sequence[PromptPair], parameters: PseudocodeParameters) -> list[str]:
    """A sentence for each mutation that this tokenizer cannot write for all prompts."""
    missing = {
        mutation.title: sum(pair.variants[index] is None for pair in pairs)
        for index, mutation in enumerate(chosen(parameters))
    }
    return [
        f"{title}: this tokenizer has no single tokens for the labels of {n} prompts."
        for title, n in missing.items()
        if n
    ]
