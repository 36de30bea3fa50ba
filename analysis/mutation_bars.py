"""The bars of one mutation, from the answers' logits in its worlds; and the prompts behind them."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.compress import Kind, World
from analysis.metrics import METRICS, Answers, MetricName
from analysis.prompts import Prompt

SHOWN_METRICS: tuple[MetricName, ...] = ("letter_loss", "accuracy", "centred_logit")
BARS = ("clean", "ablated", "full_rank", "low_rank", "random", "chance")
N_RANDOM = 5  # draws of random dimensions
N_SHOWN = 32  # prompts behind the bars of one mutation


def worlds_of(kind: Kind, rank: int, d_head: int, seed: int) -> list[World]:
    """Clean, ablated, full rank, low rank, then the random draws."""
    draws = range(N_RANDOM * seed, N_RANDOM * (seed + 1))
    named = [World("clean"), World("ablated"), World(kind, d_head), World(kind, rank)]
    return named + [World(kind, rank, "random", draw) for draw in draws]


def bars_of(
    prompts: Sequence[Prompt | None], logits: Float[Tensor, "pair row answer"]
) -> Float[Tensor, "pair metric bar"]:
    """Every metric of every bar; the random bar is the mean over its draws.

    All prompts have equally many options; logits may be padded with NaN behind them. NaN for a prompt that
    could not be written or has not been run.
    """
    written = [prompt for prompt in prompts if prompt is not None]
    if not written:
        return torch.full((len(prompts), len(SHOWN_METRICS), len(BARS)), torch.nan)
    n_answers = len(written[0].label_ids)
    logits = logits[..., :n_answers]
    correct = torch.tensor([0 if prompt is None else prompt.correct for prompt in prompts])
    answers = Answers(logits, correct, correct, logits[:, 0])
    measured = torch.stack([METRICS[name](answers) for name in SHOWN_METRICS], dim=1)  # pair metric row
    chance = torch.tensor([[math.log(n_answers), 1 / n_answers, 0.0]]).expand(len(prompts), -1)
    bars = [measured[..., :-N_RANDOM], measured[..., -N_RANDOM:].mean(-1, keepdim=True), chance[..., None]]
    return torch.cat(bars, dim=-1).masked_fill(logits.isnan().any(-1).any(-1)[:, None, None], torch.nan)


def shown(prompts: Sequence[Prompt | None], logits: Float[Tensor, "pair row answer"]) -> list[dict[str, Any]]:
    """The first prompts with what the unchanged run answers; those that were not run are left out."""
    losses = bars_of(prompts, logits)[:, SHOWN_METRICS.index("letter_loss"), BARS.index("clean")]
    return [
        {
            "text": prompt.text,
            "labels": list(prompt.question.labels),
            "correct": prompt.correct,
            "chosen": int(clean[: len(prompt.label_ids)].argmax()),
            "letter_loss": float(loss),
        }
        for prompt, clean, loss in zip(prompts, logits[:, 0], losses, strict=True)
        if prompt is not None and not loss.isnan()
    ][:N_SHOWN]
