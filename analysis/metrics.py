"""One number from the answers' logits; each metric says which way is better.

`correct` and `distractor` are indices into the answers, one per prompt pair: the right option, and a
plausible wrong one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

MetricName = Literal["centred_logit", "logit_difference", "letter_loss"]
Metric = Callable[[Tensor, Tensor, Tensor], Tensor]


def centred_logit(
    logits: Float[Tensor, "pair *node answer"],
    correct: Int[Tensor, " pair"],
    _distractor: Int[Tensor, " pair"],
) -> Float[Tensor, " pair *node"]:
    """Logit of the correct answer less the mean over all answers. Higher is better."""
    return _pick(logits, correct) - logits.mean(-1)


def logit_difference(
    logits: Float[Tensor, "pair *node answer"],
    correct: Int[Tensor, " pair"],
    distractor: Int[Tensor, " pair"],
) -> Float[Tensor, " pair *node"]:
    """Logit of the correct answer less that of the distractor. Higher is better."""
    return _pick(logits, correct) - _pick(logits, distractor)


def letter_loss(
    logits: Float[Tensor, "pair *node answer"],
    correct: Int[Tensor, " pair"],
    _distractor: Int[Tensor, " pair"],
) -> Float[Tensor, " pair *node"]:
    """−log probability of the correct answer among the answers, in nats. Lower is better."""
    return -_pick(torch.log_softmax(logits, dim=-1), correct)


METRICS: Mapping[MetricName, Metric] = MappingProxyType(
    {"centred_logit": centred_logit, "logit_difference": logit_difference, "letter_loss": letter_loss}
)


def chosen(logits: Float[Tensor, "pair *node answer"]) -> Int[Tensor, " pair *node"]:
    """Index of the answer with the highest logit."""
    return logits.argmax(-1)


def _pick(
    values: Float[Tensor, "pair *node answer"], index: Int[Tensor, " pair"]
) -> Float[Tensor, " pair *node"]:
    """The entry of one answer per pair."""
    index = index.view(-1, *[1] * (values.ndim - 1)).expand(*values.shape[:-1], 1)
    return values.gather(-1, index).squeeze(-1)
