"""Changing only a few dimensions of one head's query or keys, and seeing attention and answer follow.

    swap     x + P_r (x' − x)        x' the corrupt prompt's own vector
    move     x + α P_r (c' − c)      c, c' means over other prompts: of the clean and of the corrupt answer
    remove   x − P_r (x − μ)         only the mean is left in these dimensions

P_r keeps the r strongest dimensions, fitted on other prompts; nothing else of the head, and no other head, is
touched, and everything above is computed again. α = 0 changes nothing. For the query, c belongs to the place
of the correct option. For the keys, the corrupt answer's option takes the step from wrong to right at its
place, and the clean answer's the step from right to wrong. (Lieberum et al. 2023, section 4.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis import naive
from analysis.activations import Activations, stack_answers, stack_tokens
from analysis.errors import BadQuestion
from analysis.head_in_run import HeadInRun, HeadSubspaces
from analysis.interventions import Rewrite, Sight
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.pair_runs import engine_of
from analysis.patching import patched_hidden
from analysis.prompts import Prompt, PromptPair
from analysis.run import record
from analysis.vectors import HeadVectors
from analysis.watch import Watch

Vector = Literal["query", "keys"]
Mode = Literal["swap", "move", "remove"]


@dataclass(frozen=True)
class Steer:
    """What is changed, and how far."""

    vector: Vector = "query"
    mode: Mode = "swap"
    rank: int = 3
    strength: float = 1.0  # α


@dataclass(frozen=True)
class Centroids:
    """Mean vectors of other prompts by the place of the option. NaN where none of them has such a one."""

    query: Float[Tensor, "correct d_head"]  # of prompts in which this option is right
    right: Float[Tensor, "answer d_head"]  # keys of this option where it is right
    wrong: Float[Tensor, "answer d_head"]  # and where it is not

    @classmethod
    def of(cls, found: HeadVectors, correct: Int[Tensor, " batch"]) -> "Centroids":
        """Of vectors of prompts whose correct options are known."""
        is_right = correct[:, None] == torch.arange(found.keys.shape[1])
        query, right, wrong = (
            (member.float().T[:, :, None] * vectors).sum(1) / member.sum(0)[:, None]
            for member, vectors in (
                (is_right, found.query[None]),
                (is_right, found.keys.transpose(0, 1)),
                (~is_right, found.keys.transpose(0, 1)),
            )
        )
        return cls(query, right, wrong)


@dataclass(frozen=True)
class Steered:
    """Logits of the labels, and attention to the options from the final position. Float32 on the CPU."""

    logits: Float[Tensor, "row answer"]  # clean, steered, corrupt
    attention: Float[Tensor, "row answer"]


@torch.inference_mode()
def steered(
    model: LanguageModel,
    pair: PromptPair,
    head: Head,
    steer: Steer,
    fitted: tuple[HeadSubspaces, Centroids],
) -> Steered:
    """One head of the clean prompt, steered towards the corrupt prompt's answer."""
    subspaces, centroids = fitted
    runs = [record(model, stack_tokens([prompt])) for prompt in (pair.clean, pair.corrupt)]
    clean, corrupt = (
        HeadInRun.of(model, run, [prompt], head, subspaces)
        for run, prompt in zip(runs, (pair.clean, pair.corrupt), strict=True)
    )
    sight = steered_sight(steer, clean, corrupt.own, pair, centroids)
    hidden, attention = _rewritten(model, runs[0], sight)
    prompts = pair.clean, pair.clean, pair.corrupt
    finals = runs[0].final.hidden, hidden, runs[1].final.hidden
    ends = [_attention(runs[0], clean), attention, _attention(runs[1], corrupt)]
    logits = [_letters(model, final, prompt) for final, prompt in zip(finals, prompts, strict=True)]
    return Steered(torch.cat(logits), torch.cat(ends).float().cpu())


def steered_sight(
    steer: Steer, clean: HeadInRun, corrupt: HeadVectors, pair: PromptPair, centroids: Centroids
) -> Sight:
    """What the head sees of the clean prompt."""
    if clean.own.keys.shape != corrupt.keys.shape:
        raise BadQuestion("Steering needs a corrupt prompt with as many options as the clean one.")
    subspace = getattr(clean.subspaces, steer.vector)
    ours, theirs = getattr(clean.own, steer.vector), getattr(corrupt, steer.vector)
    match steer.mode:
        case "swap":
            step = theirs - ours
        case "move":
            step = steer.strength * _step(steer.vector, pair, centroids).expand_as(ours)
        case "remove":
            step = subspace.centre(ours) - ours
    vectors = ours + step @ subspace.projector(steer.rank)
    if steer.vector == "keys":
        return clean.sight(keys=clean.turned_keys(vectors))
    return clean.sight(query=clean.mapped_query(torch.zeros_like(clean.turn_query), vectors))


def _step(vector: Vector, pair: PromptPair, centroids: Centroids) -> Float[Tensor, "..."]:
    """From the clean answer to the corrupt one, as other prompts have it."""
    ours, theirs = pair.clean.correct, pair.corrupt.correct
    if vector == "query":
        step = centroids.query[theirs] - centroids.query[ours]
    else:
        turn = centroids.right - centroids.wrong  # from wrong to right, at each place
        step = torch.zeros_like(turn)
        if ours != theirs:
            step[theirs], step[ours] = turn[theirs], -turn[ours]
    if step.isnan().any():
        raise BadQuestion("No fitted prompt is answered by each of these options; fit on more (n_fit).")
    return step


def _rewritten(
    model: LanguageModel, run: Activations, sight: Sight
) -> tuple[Float[Tensor, "batch d_model"], Float[Tensor, "batch answer"]]:
    """The final position after the final norm, and the head's attention to the options."""
    rewrite = Rewrite((sight,), run.token_ids.shape[1])
    watch = Watch.of(run, {sight.head: sight.positions}, 1)
    if engine_of(model) == "exact":
        (hidden,) = patched_hidden(model, run, run.suffix, [rewrite], watch=watch)
    else:
        ((hidden, pattern),) = naive.watched(model, run.token_ids, run.suffix, [rewrite])
        watch.keep(0, pattern)
    return hidden, watch.attention[0, :, 0]


def _attention(run: Activations, head: HeadInRun) -> Float[Tensor, "batch answer"]:
    return Watch.of(run, {head.head: head.positions}, 1).attention[0, :, 0]


def _letters(
    model: LanguageModel, hidden: Float[Tensor, "batch d_model"], prompt: Prompt
) -> Float[Tensor, "batch answer"]:
    return model.answer_logits(hidden, stack_answers([prompt])).cpu()


def correct_of(prompts: Sequence[Prompt]) -> Int[Tensor, " batch"]:
    """Which option is right in each."""
    return torch.tensor([prompt.correct for prompt in prompts])
