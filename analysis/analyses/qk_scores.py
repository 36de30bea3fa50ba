"""Which option every head's query matches best: does a head know the answer, whatever the model says?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.analyses.base import (
    Analysis,
    Summary,
    Table,
    Values,
    n_options,
    node_coordinate,
    prompt_warnings,
    table,
)
from analysis.bootstrap import Interval, wilson_interval
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.nodes import nodes_of
from analysis.prompts import Prompt, PromptPair
from analysis.qk_scores import qk_answers

Place = Literal["label", "content_last", "newline"]
PLACES: tuple[Place, ...] = get_args(Place)
MOST_OTHERS = 256


@dataclass(frozen=True)
class QkScoresParameters:
    """Which token stands for an option; on how many prompts of the other split the best head is chosen."""

    at: Place = "label"
    n_fit: int = 32


@dataclass(frozen=True)
class QkScores(Analysis):
    """Accuracy of every head's QK-score; the best head is chosen on other prompts than it is reported on."""

    name: ClassVar[str] = "qk_scores"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "QK-scores: which option the query of every head matches best"
    Parameters: ClassVar[type] = QkScoresParameters
    validation: Float[Tensor, "role head"] | None = None  # share of the other prompts

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: QkScoresParameters
    ) -> None:
        """Without other prompts no head can be chosen."""
        if not 1 <= parameters.n_fit <= MOST_OTHERS:
            raise BadQuestion(f"n_fit must be from 1 to {MOST_OTHERS}, not {parameters.n_fit}.")

    def n_others(self, parameters: QkScoresParameters) -> int:
        """The best head is chosen on these."""
        return parameters.n_fit

    def fitted_with(self, parameters: QkScoresParameters) -> dict[str, Any]:
        """All places are looked at together."""
        return {}

    def from_others(
        self, model: LanguageModel, prompts: Sequence[Prompt], parameters: QkScoresParameters
    ) -> Values:
        """How often every head is right on them, at each place."""
        return {"validation": qk_answers(model, prompts, PLACES).heads.float().mean(0)}

    def knowing(self, others: Values) -> "QkScores":
        """The same, with these shares."""
        return replace(self, validation=others["validation"])

    def computed_with(self, parameters: QkScoresParameters) -> dict[str, Any]:
        """Nothing: every place is looked at in the same run."""
        return {}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: QkScoresParameters) -> Values:
        """Whether each head, and the model, is right on the clean prompt."""
        answers = qk_answers(model, [pair.clean], PLACES)
        return {"heads": answers.heads[0], "model": answers.model[0]}

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: QkScoresParameters,
    ) -> Summary:
        """Accuracy of every head here and on the other split, and the head that was best there."""
        assert self.validation is not None
        place = PLACES.index(parameters.at)
        accuracy, validation = shares(values["heads"][:, place]), self.validation[place]
        heads = [node_coordinate(head) for head in nodes_of("heads", model.n_layers, model.n_heads)]
        best = int(validation.argmax())
        return Summary(
            coordinates={"head": heads},
            tables={
                "accuracy": table("fraction", accuracy, "head"),
                "validation": Table(("head",), "fraction", validation),
                "model_accuracy": table("fraction", shares(values["model"])),
            },
            details={
                "best": {
                    "head": heads[best]["label"],
                    "validation": float(validation[best]),
                    "test": float(accuracy.mean[best]),
                },
                "model_accuracy": float(values["model"].float().mean()),
                "chance": 1 / n_options(pairs),
                "at": parameters.at,
            },
            warnings=prompt_warnings(pairs),
        )


def shares(right: Bool[Tensor, "pair ..."]) -> Interval:
    """Share of right answers with Wilson's interval."""
    return wilson_interval(right.float().sum(0), torch.tensor(float(len(right))))
