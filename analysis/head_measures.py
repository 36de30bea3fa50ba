"""Measures of all heads over prompts, by the letter that is correct.

Every mean is taken over the prompts of each correct letter first and over the letters then. Otherwise, where
letters are not correct equally often, a head that likes one letter would pass for one that knows the answer.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.bootstrap import mean_by_correct
from analysis.head_looks import WEIGHTINGS, HeadLooks


@dataclass(frozen=True)
class HeadMeasures:
    """Means over the prompts of each correct letter; NaN in the row of a letter that is never correct."""

    labels: Float[Tensor, "correct head answer"]  # share of the attention on each label
    contents: Float[Tensor, "correct head answer"]
    newlines: Float[Tensor, "correct head answer"]
    suffix: Float[Tensor, "correct head"]
    evenness: Float[Tensor, "correct head"]  # entropy over the labels ÷ log of their number
    net: Float[Tensor, "correct head"]  # attribution to the centred logit of the correct letter
    total_effect: Float[Tensor, "correct head"]
    boost: Float[Tensor, " head"]  # see `boosts`

    @property
    def label_mass(self) -> Float[Tensor, "correct head"]:
        """Share of the attention on all labels together."""
        return self.labels.sum(-1)

    @property
    def by_label(self) -> Float[Tensor, "correct head answer"]:
        """Share of each label in the attention on all labels."""
        return self.labels / self.label_mass[..., None]

    @property
    def diagonal(self) -> Float[Tensor, "correct head"]:
        """Share of the correct label in the attention on all labels."""
        return diagonal(self.by_label)

    @property
    def content_ratio(self) -> Float[Tensor, " head"]:
        """Attention on the correct content ÷ attention on another one."""
        return _ratio(self.contents)

    @property
    def newline_ratio(self) -> Float[Tensor, " head"]:
        """Attention on the line's end after the correct option ÷ that after another one."""
        return _ratio(self.newlines)


def measure(looks: HeadLooks, correct: Int[Tensor, " pair"], weighting: str) -> HeadMeasures:
    """Sum up what was seen in all pairs; `correct` is the place of the correct answer."""
    chosen, n_answers = WEIGHTINGS.index(weighting), looks.attribution.shape[-1]
    labels = looks.labels[:, chosen]
    by_label = labels / labels.sum(-1, keepdim=True)
    entropy = torch.special.entr(by_label).sum(-1) / torch.tensor(float(n_answers)).log()
    each = {
        "labels": labels,
        "contents": looks.contents[:, chosen],
        "newlines": looks.newlines[:, chosen],
        "suffix": looks.suffix[:, chosen],
        "evenness": entropy,
        "net": net_attribution(looks, correct),
        "total_effect": looks.total_effect,
    }
    means = {name: mean_by_correct(values, correct, n_answers) for name, values in each.items()}
    return HeadMeasures(**means, boost=boosts(looks))


def net_attribution(looks: HeadLooks, correct: Int[Tensor, " pair"]) -> Float[Tensor, "pair head"]:
    """Attribution to the correct answer's logit less the mean over the answers."""
    centred = _centred(looks.attribution)
    return centred[torch.arange(len(correct)), :, correct]


def boosts(looks: HeadLooks) -> Float[Tensor, " head"]:
    """Does it add to what is there? Correlation over prompts of its attribution with the incoming logits.

    Both are centred over the answers, and each answer's mean over the prompts is taken off: a letter that is
    always favoured, there and by the head, says nothing. NaN for one prompt.
    """
    n_heads = looks.attribution.shape[1] // looks.incoming.shape[1]
    incoming = _centred(looks.incoming).repeat_interleave(n_heads, dim=1)
    added = _centred(looks.attribution)
    added, incoming = (x - x.mean(0) for x in (added, incoming))
    size = added.square().sum((0, 2)).sqrt() * incoming.square().sum((0, 2)).sqrt()
    return (added * incoming).sum((0, 2)) / size


def balancing_weights(correct: Int[Tensor, " pair"]) -> Float[Tensor, " pair"]:
    """With these the plain mean over pairs is the mean of the means by correct answer. Their mean is 1."""
    counts = torch.bincount(correct)
    return len(correct) / ((counts > 0).sum() * counts[correct])


def diagonal(values: Float[Tensor, "correct head answer"]) -> Float[Tensor, "correct head"]:
    """What belongs to the correct answer itself."""
    return values.diagonal(dim1=0, dim2=2).T


def _ratio(values: Tensor) -> Tensor:
    own = diagonal(values)
    others = (values.sum(-1) - own) / (values.shape[-1] - 1)
    return own.nanmean(0) / others.nanmean(0)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(-1, keepdim=True)
