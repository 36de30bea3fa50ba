"""What one head attends to from the final position: over many prompts by role, and on one prompt by token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.base import (
    Analysis,
    Summary,
    Table,
    Values,
    answer_coordinates,
    averaged,
    correct_options,
    lists_options,
    n_options,
    prompt_warnings,
    roles_in,
)
from analysis.attention import WEIGHTINGS, at_labels, by_role, head_attention
from analysis.bootstrap import mean_by_correct
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.nodes import Head, check_nodes
from analysis.prompts import PromptPair


@dataclass(frozen=True)
class HeadParameters:
    """Which head."""

    layer: int = 0
    head: int = 0


class HeadAnalysis(Analysis):
    """An analysis of one head."""

    Parameters: ClassVar[type] = HeadParameters

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: HeadParameters) -> None:
        """An unknown head is refused before anything runs."""
        check_nodes([Head(parameters.layer, parameters.head)], model.n_layers, model.n_heads)


class AttentionByRole(HeadAnalysis):
    """A head's attention over many prompts, pooled by the role of the tokens that it looks at."""

    name: ClassVar[str] = "attention"
    title: ClassVar[str] = "Attention of one head by token role, and correct letter × attended label"
    version: ClassVar[int] = 2

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: HeadParameters) -> Values:
        """Shares of the weight by role, at the labels and on the first token; logits in the same way."""
        prompt = pair.clean
        seen = head_attention(model, prompt, Head(parameters.layer, parameters.head))
        rows = [*seen.shares, seen.net]
        roles = list(roles_in([pair]))
        by_role_, at_labels_ = (
            torch.stack(parts)
            for parts in (
                [by_role(row, prompt.roles, roles) for row in rows],
                [at_labels(row, prompt) for row in rows],
            )
        )
        return {
            "by_role": by_role_[:-1],
            "at_labels": at_labels_[:-1],
            "signed_by_role": by_role_[-1],
            "signed_at_labels": at_labels_[-1],
            "sink": torch.stack([row[0] for row in rows]),
        }

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: HeadParameters
    ) -> Summary:
        """Means over prompts; a role that no prompt has is left out, and labels where there are none."""
        present, known = ~values["by_role"].isnan().all(0)[0], roles_in(pairs)
        roles = [role for role, is_present in zip(known, present.tolist(), strict=True) if is_present]
        answers = answer_coordinates(pairs)
        return Summary(
            coordinates={
                "weighting": WEIGHTINGS,
                "role": [{"label": role, "meaning": known[role]} for role in roles],
                "correct": answers,
                "answer": answers,
            },
            tables={
                "by_role": averaged("fraction", values["by_role"][:, :, present], "weighting", "role"),
                "signed_by_role": averaged("logit", values["signed_by_role"][:, present], "role"),
                **(label_tables(pairs, values) if lists_options(pairs) else {}),
            },
            details={"sink": sink(values["sink"].mean(0))},
            warnings=prompt_warnings(pairs),
        )


def label_tables(pairs: Sequence[PromptPair], values: Values) -> dict[str, Table]:
    """Correct letter × label, and the weight on the correct label."""
    correct, n = correct_options(pairs), n_options(pairs)
    on_correct = values["at_labels"][torch.arange(len(pairs)), :, correct]
    by_label = mean_by_correct(values["at_labels"], correct, n).transpose(0, 1)
    signed = mean_by_correct(values["signed_at_labels"], correct, n)
    return {
        "correct_by_label": Table(("weighting", "correct", "answer"), "fraction", by_label),
        "signed_by_label": Table(("correct", "answer"), "logit", signed),
        "on_correct_label": averaged("fraction", on_correct, "weighting"),
    }


class TokenAttention(HeadAnalysis):
    """A head's attention on one prompt, token by token."""

    name: ClassVar[str] = "token_attention"
    title: ClassVar[str] = "Attention of one head on one prompt, token by token"
    version: ClassVar[int] = 2
    one_pair: ClassVar[bool] = True

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: HeadParameters) -> None:
        """Tokens of different prompts cannot share an axis."""
        super().check(model, pairs, parameters)
        if len(pairs) != 1:
            raise BadQuestion("Tokens belong to one prompt: choose it with prompts.index.")

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: HeadParameters) -> Values:
        """All weightings as shares, and what each token adds to the correct letter."""
        seen = head_attention(model, pair.clean, Head(parameters.layer, parameters.head))
        return {"attention": seen.shares, "signed": seen.net.contiguous()}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: HeadParameters
    ) -> Summary:
        """The one prompt's values as they are."""
        prompt = pairs[0].clean
        positions: list[dict[str, Any]] = [
            {"pos": pos, "text": text, "roles": list(roles)}
            for pos, (text, roles) in enumerate(zip(prompt.token_texts, prompt.roles, strict=True))
        ]
        return Summary(
            coordinates={"weighting": WEIGHTINGS, "pos": positions},
            tables={
                "attention": Table(("weighting", "pos"), "fraction", values["attention"][0]),
                "signed": Table(("pos",), "logit", values["signed"][0]),
            },
            details={"sink": sink(torch.cat([values["attention"][0, :, 0], values["signed"][0, :1]]))},
            warnings=prompt_warnings(pairs),
        )


def sink(weights: Float[Tensor, " weighting"]) -> dict[str, float]:
    """What the first token takes by each weighting (shares; signed: logits). Most heads rest there."""
    return dict(zip((*WEIGHTINGS, "signed"), weights.tolist(), strict=True))
