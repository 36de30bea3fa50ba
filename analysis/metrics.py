"""One number from the answers' logits; each metric says its unit and which way is better.

A metric is always about the correct answer of the clean prompt. Those over the letters read the answers'
logits only; `loss` and `probability` also need the normaliser of the whole vocabulary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.model import LanguageModel

MetricName = Literal[
    "centred_logit",
    "logit_difference",
    "letter_loss",
    "letter_probability",
    "letter_kl",
    "accuracy",
    "loss",
    "probability",
]
_VOCABULARY_ROWS = 64  # rows of logits over the whole vocabulary that are held at a time


@dataclass(frozen=True)
class Answers:
    """The answers' logits in one world per prompt pair or in several, and what metrics compare them with.

    `correct` and `distractor` are indices into the answers: the right one, and a plausible wrong one.
    """

    logits: Float[Tensor, "pair *node answer"]
    correct: Int[Tensor, " pair"]
    distractor: Int[Tensor, " pair"]
    base_logits: Float[Tensor, "pair answer"]  # of the base run, where nothing is changed
    log_normaliser: Float[Tensor, " pair *node"] | None = None  # log Σ exp(logit) over the vocabulary

    @property
    def log_letters(self) -> Float[Tensor, "pair *node answer"]:
        """log probabilities among the answers."""
        return torch.log_softmax(self.logits, dim=-1)

    @property
    def log_probability(self) -> Float[Tensor, " pair *node"]:
        """log p(correct answer) among all tokens."""
        if self.log_normaliser is None:
            raise ValueError("This metric needs the normaliser of the whole vocabulary.")
        return self.of_correct(self.logits) - self.log_normaliser

    def of_correct(self, values: Float[Tensor, "pair *node answer"]) -> Float[Tensor, " pair *node"]:
        """The correct answer's entries."""
        return _pick(values, self.correct)


def centred_logit(answers: Answers) -> Float[Tensor, " pair *node"]:
    """Logit of the correct answer − mean over all answers."""
    return answers.of_correct(answers.logits) - answers.logits.mean(-1)


def logit_difference(answers: Answers) -> Float[Tensor, " pair *node"]:
    """Logit of the correct answer − that of the distractor."""
    return answers.of_correct(answers.logits) - _pick(answers.logits, answers.distractor)


def letter_loss(answers: Answers) -> Float[Tensor, " pair *node"]:
    """−log p(correct answer) among the answers."""
    return -answers.of_correct(answers.log_letters)


def letter_probability(answers: Answers) -> Float[Tensor, " pair *node"]:
    """p(correct answer) among the answers."""
    return answers.of_correct(answers.log_letters.exp())


def letter_kl(answers: Answers) -> Float[Tensor, " pair *node"]:
    """KL(base run's letter distribution ‖ this one) = Σ p_base · (log p_base − log p); 0 for the base run.

    How far the answer has moved, whichever way; its effect is itself.
    """
    base = torch.log_softmax(answers.base_logits, dim=-1)
    base = base.view(len(base), *[1] * (answers.logits.ndim - 2), base.shape[-1])
    return (base.exp() * (base - answers.log_letters)).sum(-1)


def accuracy(answers: Answers) -> Float[Tensor, " pair *node"]:
    """1 where the correct answer has the highest logit of the answers, else 0."""
    correct = answers.correct.view(-1, *[1] * (answers.logits.ndim - 2))
    return (chosen(answers.logits) == correct).to(answers.logits.dtype)


def loss(answers: Answers) -> Float[Tensor, " pair *node"]:
    """−log p(correct answer) among all tokens."""
    return -answers.log_probability


def probability(answers: Answers) -> Float[Tensor, " pair *node"]:
    """p(correct answer) among all tokens."""
    return answers.log_probability.exp()


@dataclass(frozen=True)
class Metric:
    """A way to judge the answers' logits. Calling it gives one number per pair and world."""

    measure: Callable[[Answers], Tensor]
    unit: Literal["logit", "nat", "fraction"]
    better: Literal["higher", "lower"]
    over_vocabulary: bool = False  # it needs `Answers.log_normaliser`

    def __call__(self, answers: Answers) -> Float[Tensor, " pair *node"]:
        return self.measure(answers)


METRICS: Mapping[MetricName, Metric] = MappingProxyType(
    {
        "centred_logit": Metric(centred_logit, "logit", "higher"),
        "logit_difference": Metric(logit_difference, "logit", "higher"),
        "letter_loss": Metric(letter_loss, "nat", "lower"),
        "letter_probability": Metric(letter_probability, "fraction", "higher"),
        "letter_kl": Metric(letter_kl, "nat", "lower"),
        "accuracy": Metric(accuracy, "fraction", "higher"),
        "loss": Metric(loss, "nat", "lower", over_vocabulary=True),
        "probability": Metric(probability, "fraction", "higher", over_vocabulary=True),
    }
)


@torch.inference_mode()
def log_normaliser(
    model: LanguageModel, hidden: Float[Tensor, "*row batch d_model"]
) -> Float[Tensor, "*row batch"]:
    """log Σ exp(logit) over the whole vocabulary, a few rows at a time."""
    rows = hidden.flatten(0, -2).split(_VOCABULARY_ROWS)
    return torch.cat([model.logits(part).logsumexp(-1) for part in rows]).view(hidden.shape[:-1])


def chosen(logits: Float[Tensor, "pair *node answer"]) -> Int[Tensor, " pair *node"]:
    """Index of the answer with the highest logit."""
    return logits.argmax(-1)


def _pick(
    values: Float[Tensor, "pair *node answer"], index: Int[Tensor, " pair"]
) -> Float[Tensor, " pair *node"]:
    """The entry of one answer per pair."""
    index = index.view(-1, *[1] * (values.ndim - 1)).expand(*values.shape[:-1], 1)
    return values.gather(-1, index).squeeze(-1)
