"""Patching inside a subspace: do attention and answer follow when few dimensions of one head change?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.analyses.base import Summary, Table, Values, averaged, prompt_warnings, table
from analysis.analyses.fitted import FitParameters, FittedAnalysis, fit_warnings
from analysis.bootstrap import wilson_interval
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.pair_runs import engine_of
from analysis.prompts import PromptPair
from analysis.steering import Centroids, Mode, Steer, Vector, correct_of, steered
from analysis.vectors import option_positions

WORLDS = ("clean", "steered", "corrupt")
TARGETS = ("correct", "source_correct", "other")


@dataclass(frozen=True)
class SteerParameters(FitParameters):
    """Which head, which of its vectors, and what is done to its strongest dimensions."""

    layer: int = 0
    head: int = 0
    vector: Vector = "query"
    mode: Mode = "swap"
    rank: int = 3
    strength: float = 1.0  # of "move"; 0 changes nothing


@dataclass(frozen=True)
class Steering(FittedAnalysis):
    """Between the clean and the corrupt prompt of each pair, in one head."""

    name: ClassVar[str] = "steer"
    title: ClassVar[str] = "One head patched inside its subspace: attention and answer"
    Parameters: ClassVar[type] = SteerParameters
    example: ClassVar[Any] = SteerParameters(n_fit=8)

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: SteerParameters) -> None:
        """What does not exist is refused before anything runs."""
        self.check_fit(model, parameters)
        if not 0 <= parameters.rank <= model.d_head:
            raise BadQuestion(f"rank must be 0 to {model.d_head}, not {parameters.rank}.")
        for name, known in (("vector", get_args(Vector)), ("mode", get_args(Mode))):
            if getattr(parameters, name) not in known:
                raise BadQuestion(f"{name} must be one of {', '.join(known)}.")
        for pair in pairs:
            for prompt in (pair.clean, pair.corrupt):
                option_positions(prompt, parameters.at)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: SteerParameters) -> Values:
        """Logits of the labels and attention to the options in the three worlds."""
        (head,) = self.heads(model, parameters)
        steer = Steer(parameters.vector, parameters.mode, parameters.rank, parameters.strength)
        centroids = Centroids.of(self.vectors_of(head), self.others["query_by_correct"])
        found = steered(model, pair, head, steer, (self.subspaces_of(head, parameters), centroids))
        return {
            "logits": found.logits,
            "attention": found.attention,
            "seen": self.was_fitted(pair.clean),
        }

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: SteerParameters
    ) -> Summary:
        """Means over pairs, and how often the steered head and model turn to the corrupt prompt's answer."""
        ours, theirs = (
            correct_of([pair.clean for pair in pairs]),
            correct_of([pair.corrupt for pair in pairs]),
        )
        letters = values["logits"].softmax(-1)
        attention = by_target(values["attention"], ours, theirs)
        same = int((ours == theirs).sum())
        return Summary(
            coordinates={
                "world": WORLDS,
                "target": TARGETS,
                "pair": [
                    {"index": index, "correct": pair.clean.correct, "source_correct": pair.corrupt.correct}
                    for index, pair in enumerate(pairs)
                ],
            },
            tables={
                "attention": averaged("fraction", attention, "world", "target"),
                "letters": averaged("fraction", by_target(letters, ours, theirs), "world", "target"),
                "flips": flip_rate(letters, ours, theirs),
                "attention_flips": flip_rate(values["attention"], ours, theirs),
                "by_pair": Table(("pair", "world", "target"), "fraction", attention),
            },
            details={"engine": engine_of(model)},
            warnings=(
                *prompt_warnings(pairs),
                *fit_warnings(values["seen"]),
                *([SAME_ANSWER.format(same, len(pairs))] if same else []),
            ),
        )


SAME_ANSWER = (
    "In {} of {} pairs the corrupt prompt has the same answer as the clean one: they have no other answer to "
    "turn to, and count neither as flips nor among the pairs that could flip."
)


def by_target(
    values: Float[Tensor, "pair row answer"],
    correct: Int[Tensor, " pair"],
    source_correct: Int[Tensor, " pair"],
) -> Float[Tensor, "pair row target"]:
    """At the clean prompt's correct option, at the corrupt prompt's, and the mean of all others.

    NaN at the second where both are the same, and at the third where no option is left.
    """
    option = torch.arange(values.shape[-1])
    ours, theirs = option == correct[:, None], option == source_correct[:, None]
    members = torch.stack([ours, theirs & ~ours, ~ours & ~theirs], dim=1).float()
    sums = torch.einsum("pwo,pto->pwt", values, members)
    return sums / members.sum(-1)[:, None]


def flip_rate(
    values: Float[Tensor, "pair row answer"],
    correct: Int[Tensor, " pair"],
    source_correct: Int[Tensor, " pair"],
) -> Table:
    """Of the pairs in which the clean run does not choose the corrupt prompt's option, how many now do."""
    choice = values.argmax(-1)
    could = (choice[:, 0] != source_correct) & (correct != source_correct)
    flipped = could & (choice[:, 1] == source_correct)
    return table("fraction", wilson_interval(_count(flipped), _count(could)))


def _count(which: Bool[Tensor, " pair"]) -> Float[Tensor, ""]:
    return which.sum().float()
