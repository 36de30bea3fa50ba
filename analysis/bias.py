"""Selection bias: what the model prefers whatever stands behind a label, taken apart from what it reads.

The contents of the options move on, place by place, under labels that stay. Each content then stood once at
each label, so what is left in the mean is the label's own:

    prior(label) = softmax over labels of  mean over permutations of log p(label)
    debiased     = log p(label) − log prior(label), the prior averaged over questions

The label is also a place in the list here; where a prompt set shuffles its labels, the prior is the place's.
(Zheng et al. 2024, "PriDe", its cyclic permutations.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.attribution import logit_attribution
from analysis.bootstrap import Interval, wilson_interval
from analysis.model import LanguageModel
from analysis.prompts import Prompt
from analysis.questions import Question
from analysis.vectors import by_length


def moved_on(question: Question) -> tuple[Question, ...]:
    """The contents 1, 2, ... places further on, in a circle; the labels stay where they are."""
    contents, n = question.contents, len(question.options)
    return tuple(
        question.with_contents(contents[-step:] + contents[:-step], (question.correct + step) % n)
        for step in range(1, n)
    )


def label_prior(log_probs: Float[Tensor, "*batch permutation answer"]) -> Float[Tensor, "*batch answer"]:
    """How likely each label is whatever stands behind it, from its log-probabilities; sums to 1."""
    return log_probs.mean(-2).softmax(-1)


def debiased(
    log_probs: Float[Tensor, "*batch answer"], prior: Float[Tensor, " answer"]
) -> Float[Tensor, "*batch answer"]:
    """log p(label) − log prior(label): the highest is the debiased prediction."""
    return log_probs - prior.log()


@dataclass(frozen=True)
class PermutedAnswers:
    """One question in every cyclic order, the original one first; logits as float32 on the CPU."""

    logits: Float[Tensor, "permutation answer"]
    attribution: Float[Tensor, "component answer"]  # in the original order, centred over the labels
    prior_attribution: Float[Tensor, "component answer"]  # the mean over all orders


@torch.inference_mode()
def ask_permuted(model: LanguageModel, prompts: Sequence[Prompt]) -> PermutedAnswers:
    """What each order of a question says, and what every component adds to each label.

    Attributions are centred over the labels, so those of all components sum to the centred logits.
    """
    logits: dict[int, Tensor] = {}
    attributions: dict[int, Tensor] = {}
    for indices in by_length(prompts):
        parts = logit_attribution(model, [prompts[index] for index in indices])
        logits |= zip(indices, parts.capped_logits, strict=True)
        attributions |= zip(indices, parts.centred, strict=True)
    in_order = range(len(prompts))
    by_order = torch.stack([attributions[index] for index in in_order])
    return PermutedAnswers(
        torch.stack([logits[index] for index in in_order]), by_order[0].contiguous(), by_order.mean(0)
    )


def right_in_every_order(
    logits: Float[Tensor, "pair permutation answer"], correct: Int[Tensor, " pair"]
) -> Float[Tensor, " pair"]:
    """1 where the right content is chosen wherever it stands, else 0."""
    n_orders, n_answers = logits.shape[1:]
    expected = (correct[:, None] + torch.arange(n_orders)) % n_answers
    return (logits.argmax(-1) == expected).all(1).float()


def recall(choices: Int[Tensor, " pair"], correct: Int[Tensor, " pair"], n_answers: int) -> Interval:
    """Per label: how often it is chosen where it is correct, with Wilson's interval."""
    is_correct, is_chosen = (torch.nn.functional.one_hot(x, n_answers).float() for x in (correct, choices))
    return wilson_interval((is_correct * is_chosen).sum(0), is_correct.sum(0))


def recall_std(recalls: Float[Tensor, " answer"]) -> float:
    """RStd: standard deviation of the recalls, as a fraction; 0 where the model has no favourite."""
    return float(recalls[~recalls.isnan()].std(correction=0))
