"""What kind of head is it? Categories after Lieberum et al. 2023, who assigned them by eye.

A head belongs to the first category whose rule is met, in the order of `CATEGORIES`; the rules are in
`analysis.rules`. How far a condition is met, its margin, runs from −1 (as far from it as can be) over 0 (at
the threshold) to 1 (as well as can be); a rule is worth its worst condition.

Confidence is (1 + worth) / 2 of that rule: 0.5 at a threshold, 1 where every condition is met as well as can
be; it never falls when a measure moves away from its threshold. Where no rule is met it is (1 − worth) / 2 of
the one that comes closest: 0.5 if that is nearly met, 1 if nothing comes near.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.head_measures import HeadMeasures
from analysis.rules import Relation, Rule, Thresholds, rules_on


@dataclass(frozen=True)
class Category:
    """A kind of head in words."""

    name: str
    title: str
    meaning: str


CATEGORIES = (
    Category(
        "correct_letter",
        "Correct letter",
        "Attends to the label of the correct option, whichever letter that is, and writes it.",
    ),
    Category(
        "single_letter",
        "Single letter",
        "Attends to one fixed letter: only if that is the correct one, or whatever is correct.",
    ),
    Category("uniform", "Uniform", "Spreads its attention evenly over the labels."),
    Category(
        "amplification",
        "Amplification",
        "Attends to the end of the prompt and adds to the letter that is already favoured there.",
    ),
    Category(
        "content_gatherer",
        "Content gatherer",
        "Attends to the content of the correct option; writes little to the letters itself, yet the answer "
        "depends on it.",
    ),
    Category("newline", "Newline", "Attends to the line's end after the correct option."),
    Category("suppressor", "Suppressor", "Writes against the correct letter."),
    Category("other", "Other", "None of the rules is met."),
)


@dataclass(frozen=True)
class Evidence:
    """One condition on one head. The value is NaN where there is nothing to measure."""

    measure: str
    value: float
    threshold: float
    relation: Relation
    met: bool


@dataclass(frozen=True)
class Verdict:
    """What a head is taken for and why. Evidence on `other` is that of the rule that comes closest."""

    category: str
    confidence: float
    kind: str | None
    evidence: tuple[Evidence, ...]
    closest: str  # category of the rule that the evidence is about


def classify(measures: HeadMeasures, thresholds: Thresholds, letters: Sequence[str]) -> list[Verdict]:
    """A verdict on every head."""
    rules = rules_on(measures, thresholds, letters)
    met = torch.stack([rule.met for rule in rules])
    worth = torch.stack([rule.worth for rule in rules])
    any_met, first = met.any(0), met.int().argmax(0)
    closest = worth[:-1].argmax(0)  # the last rule, on the sign of the write alone, is close to every head
    deciding = torch.where(any_met, first, closest)
    worth = worth.gather(0, deciding[None])[0]
    confidence = (1 + torch.where(any_met, worth, -worth)) / 2
    evidence = [evidence_of(rule) for rule in rules]
    return [
        Verdict(
            category=rules[rule].category if is_met else "other",
            confidence=sure,
            kind=rules[rule].kinds[head] if is_met and rules[rule].kinds else None,
            evidence=evidence[rule][head],
            closest=rules[rule].category,
        )
        for head, (rule, is_met, sure) in enumerate(
            zip(deciding.tolist(), any_met.tolist(), confidence.tolist(), strict=True)
        )
    ]


def evidence_of(rule: Rule) -> list[tuple[Evidence, ...]]:
    """For every head, the conditions of a rule."""
    by_condition = [
        [
            Evidence(condition.measure, value, condition.threshold, condition.relation, is_met)
            for value, is_met in zip(condition.values.tolist(), condition.met.tolist(), strict=True)
        ]
        for condition in rule.conditions
    ]
    return list(zip(*by_condition, strict=True))
