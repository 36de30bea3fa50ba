"""QK-scores: which option does a head's query match best? A head may know what the model does not say.

    score(option) = query at the final position · key at the token that stands for the option

The head answers with the option of the highest score. No scale, soft-cap or softmax changes which one that
is. ("Listening to the Wise Few", arXiv 2410.02343.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.activations import Activations, stack_answers, stack_tokens
from analysis.model import LanguageModel
from analysis.prompts import Prompt
from analysis.run import record
from analysis.vectors import At, by_length, stack_positions


@dataclass(frozen=True)
class QkAnswers:
    """Who answers rightly: every head by its scores, and the model by its letters."""

    heads: Bool[Tensor, "batch role head"]  # by what stands for an option; heads in the order of the layers
    model: Bool[Tensor, " batch"]


def qk_scores(
    model: LanguageModel, run: Activations, positions: Int[Tensor, "batch answer"]
) -> Float[Tensor, "batch head answer"]:
    """Query · key of every head at each prompt's options; rotated and normed as the model uses them."""
    prompts = torch.arange(len(positions))[:, None]
    keys = run.keys.float().cpu()[:, prompts, :, positions]  # batch answer layer kv_head d_head
    keys = keys.repeat_interleave(model.n_heads // keys.shape[3], dim=3)  # a group's heads share its keys
    scores = einsum(
        run.query.float().cpu(),
        keys,
        "layer batch head d_head, batch answer layer head d_head -> batch layer head answer",
    )
    return scores.flatten(1, 2)


def qk_answers(model: LanguageModel, prompts: Sequence[Prompt], places: Sequence[At]) -> QkAnswers:
    """Which heads point at the correct option, in prompts of any lengths."""
    n, n_heads = len(prompts), model.n_layers * model.n_heads
    heads = torch.zeros(n, len(places), n_heads, dtype=torch.bool)
    own = torch.zeros(n, dtype=torch.bool)
    for indices in by_length(prompts):
        together = [prompts[index] for index in indices]
        run = record(model, stack_tokens(together))
        correct = torch.tensor([prompt.correct for prompt in together])
        for role, place in enumerate(places):
            chosen = qk_scores(model, run, stack_positions(together, place)).argmax(-1)
            heads[indices, role] = chosen == correct[:, None]
        logits = model.answer_logits(run.final.hidden, stack_answers(together)).cpu()
        own[indices] = logits.argmax(-1) == correct
    return QkAnswers(heads, own)
