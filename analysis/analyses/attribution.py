"""Logit attribution of every component at the final position, over the clean prompts."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar

import torch

from analysis.analyses.base import (
    Analysis,
    NoParameters,
    Summary,
    Table,
    Values,
    answer_coordinates,
    averaged,
    correct_options,
    n_options,
    prompt_warnings,
)
from analysis.attribution import components_of, logit_attribution
from analysis.bootstrap import mean_by_correct
from analysis.model import LanguageModel
from analysis.prompts import PromptPair


class Attribution(Analysis):
    """How much every component adds to each letter, directly."""

    name: ClassVar[str] = "attribution"
    title: ClassVar[str] = "Logit attribution of every head, MLP, embedding and bias"

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NoParameters) -> Values:
        """Attributions to every answer, not centred, and what they leave unexplained."""
        parts = logit_attribution(model, [pair.clean])
        return {"values": parts.values[0], "residual": torch.tensor(parts.residual)}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: NoParameters
    ) -> Summary:
        """Net attribution to the correct letter, and the profile over correct letter and answer."""
        answers = answer_coordinates(pairs)
        centred = values["values"] - values["values"].mean(-1, keepdim=True)
        correct = correct_options(pairs)
        net = centred[torch.arange(len(pairs)), :, correct]
        profile = mean_by_correct(centred, correct, n_options(pairs)).transpose(0, 1)
        return Summary(
            coordinates={
                "component": [asdict(component) for component in components_of(model)],
                "correct": answers,
                "answer": answers,
            },
            tables={
                "net": averaged("logit", net, "component"),
                "by_letter": Table(("component", "correct", "answer"), "logit", profile),
            },
            details={"residual": float(values["residual"].max())},
            warnings=prompt_warnings(pairs),
        )
