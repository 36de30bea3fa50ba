"""The rules by which heads are put into categories: conditions on their measures, and where lines are drawn.

What the categories are is Lieberum et al.'s (2023); the rules and thresholds are headscope's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.head_measures import HeadMeasures, diagonal


@dataclass(frozen=True)
class Thresholds:
    """Where the rules draw their lines. Shares are of a head's attention from the final position."""

    label_mass: float = 0.25
    diagonal: float = 0.6
    diagonal_each: float = 0.4
    entropy: float = 0.9
    last_mass: float = 0.6
    boost: float = 0.5
    content_ratio: float = 2.0
    newline_ratio: float = 2.0
    small_effect: float = 0.1


MEANINGS = {
    "label_mass": "Least share on the labels (or contents, or line ends) for a head that is about them.",
    "diagonal": "Least share on the correct label, of that on all labels: mean over the letters.",
    "diagonal_each": "The same for every letter; a single-letter head is below it for all letters but one.",
    "entropy": "Least evenness over the labels of a uniform head: entropy ÷ its largest value.",
    "last_mass": "Least share on the tokens after the options for an amplification head.",
    "boost": "Least correlation of what an amplification head adds to a letter with what is already there.",
    "content_ratio": "How much more a content gatherer attends to the correct content than to another one.",
    "newline_ratio": "The same for line ends.",
    "small_effect": "An effect smaller than this, in logits, counts as none.",
}
HIGHEST = {"content_ratio": 10.0, "newline_ratio": 10.0, "small_effect": 2.0}  # of a slider; 1 for the others

Relation = Literal["at least", "at most", "above"]


@dataclass(frozen=True)
class Condition:
    """A measure of every head beside its threshold."""

    measure: str
    values: Float[Tensor, " head"]
    threshold: float
    relation: Relation = "at least"
    reach: tuple[float, float] | float = (0.0, 1.0)
    """Lowest and highest value that it can have; without such ends, a difference that counts as large."""

    @property
    def met(self) -> Bool[Tensor, " head"]:
        """A measure that is not there meets nothing."""
        if self.relation == "above":
            return self.values > self.threshold
        return self.values >= self.threshold if self.relation == "at least" else self.values <= self.threshold

    @property
    def margin(self) -> Float[Tensor, " head"]:
        """How far it is met, −1 to 1: the way from the threshold as a part of the way to that end.

        Without ends, difference / (|difference| + the large one).
        """
        beyond = self.values - self.threshold
        if isinstance(self.reach, tuple):
            low, high = self.reach
            room = torch.where(beyond > 0, high - self.threshold, self.threshold - low)
        else:
            room = beyond.abs() + self.reach
        part = torch.where(beyond.isinf(), beyond.sign(), beyond / room.clamp_min(1e-9)).clamp(-1, 1)
        return (-part if self.relation == "at most" else part).nan_to_num(-1.0)


@dataclass(frozen=True)
class Rule:
    """All conditions together make a head one of a category."""

    category: str
    conditions: tuple[Condition, ...]
    kinds: Sequence[str] = ()  # of every head, in words; none where the rule knows one kind only

    @property
    def met(self) -> Bool[Tensor, " head"]:
        """Per head."""
        return torch.stack([condition.met for condition in self.conditions]).all(0)

    @property
    def worth(self) -> Float[Tensor, " head"]:
        """Its worst condition."""
        return torch.stack([condition.margin for condition in self.conditions]).amin(0)


def rules_on(measures: HeadMeasures, thresholds: Thresholds, letters: Sequence[str]) -> list[Rule]:
    """The rules in the order in which they are asked."""
    return [
        _correct_letter(measures, thresholds),
        *_single_letter(measures, thresholds, letters),
        _uniform(measures, thresholds),
        _amplification(measures, thresholds),
        _content_gatherer(measures, thresholds),
        _newline(measures, thresholds),
        Rule("suppressor", (_effect("net_attribution", measures.net, -thresholds.small_effect, "at most"),)),
    ]


def _correct_letter(measures: HeadMeasures, thresholds: Thresholds) -> Rule:
    each = Condition("diagonal_each", lowest(measures.diagonal), thresholds.diagonal_each)
    writes = Condition("net_attribution_each", lowest(measures.net), 0.0, "above", thresholds.small_effect)
    return Rule(
        "correct_letter",
        (
            Condition("label_mass", measures.label_mass.nanmean(0), thresholds.label_mass),
            Condition("diagonal_share", measures.diagonal.nanmean(0), thresholds.diagonal),
            each,
            writes,
        ),
    )


def _single_letter(
    measures: HeadMeasures, thresholds: Thresholds, letters: Sequence[str]
) -> tuple[Rule, Rule]:
    """Whatever is correct: one label has most in every row. If it is correct: in its own row only."""
    column, always = lowest(measures.by_label).max(-1)
    rows = measures.diagonal.nan_to_num(-1.0).topk(2, dim=0)
    highest, next_highest = rows.values.where(rows.values >= 0, torch.nan)
    letter = rows.indices[0]
    mass = measures.label_mass.gather(0, letter[None])[0]
    return (
        Rule(
            "single_letter",
            (
                Condition("label_mass_each", lowest(measures.label_mass), thresholds.label_mass),
                Condition("same_label_each", column, thresholds.diagonal),
            ),
            [f"only {letters[index]}, whatever is correct" for index in always.tolist()],
        ),
        Rule(
            "single_letter",
            (
                Condition("label_mass_if_correct", mass, thresholds.label_mass),
                Condition("diagonal_of_the_letter", highest, thresholds.diagonal),
                Condition("diagonal_of_others", next_highest, thresholds.diagonal_each, "at most"),
            ),
            [f"only {letters[index]}, if it is correct" for index in letter.tolist()],
        ),
    )


def _uniform(measures: HeadMeasures, thresholds: Thresholds) -> Rule:
    return Rule(
        "uniform",
        (
            Condition("label_mass", measures.label_mass.nanmean(0), thresholds.label_mass),
            Condition("entropy_each", lowest(measures.evenness), thresholds.entropy),
        ),
    )


def _amplification(measures: HeadMeasures, thresholds: Thresholds) -> Rule:
    return Rule(
        "amplification",
        (
            Condition("last_mass", measures.suffix.nanmean(0), thresholds.last_mass),
            Condition("boost", measures.boost, thresholds.boost, reach=(-1.0, 1.0)),
            _effect("net_attribution", measures.net, thresholds.small_effect, "at least"),
        ),
    )


def _content_gatherer(measures: HeadMeasures, thresholds: Thresholds) -> Rule:
    small = thresholds.small_effect
    mass = measures.contents.sum(-1).nanmean(0)
    size = measures.net.nanmean(0).abs()
    return Rule(
        "content_gatherer",
        (
            Condition("content_mass", mass, thresholds.label_mass),
            Condition(
                "content_ratio",
                measures.content_ratio,
                thresholds.content_ratio,
                reach=thresholds.content_ratio,
            ),
            Condition("size_of_net_attribution", size, small, "at most", (0.0, 2 * small)),
            _effect("total_effect", measures.total_effect, -small, "at most"),
        ),
    )


def _newline(measures: HeadMeasures, thresholds: Thresholds) -> Rule:
    mass = measures.newlines.sum(-1)
    own = diagonal(measures.newlines) / mass
    return Rule(
        "newline",
        (
            Condition("newline_mass", mass.nanmean(0), thresholds.label_mass),
            Condition(
                "newline_ratio",
                measures.newline_ratio,
                thresholds.newline_ratio,
                reach=thresholds.newline_ratio,
            ),
            Condition("newline_diagonal_each", lowest(own), thresholds.diagonal_each),
        ),
    )


def _effect(name: str, by_correct: Tensor, threshold: float, relation: Relation) -> Condition:
    return Condition(name, by_correct.nanmean(0), threshold, relation, abs(threshold))


def lowest(by_correct: Float[Tensor, "correct ..."]) -> Float[Tensor, "..."]:
    """Of the letters that are ever correct, where it is smallest."""
    smallest = by_correct.nan_to_num(torch.inf).amin(0)
    return smallest.masked_fill(smallest.isinf(), torch.nan)
