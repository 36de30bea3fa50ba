"""Whole attention patterns of one prompt: from every query position, not only from the final one.

A pattern grows with the square of the prompt, so none is kept whole for all heads: each layer is looked at as
it goes by, and what is kept is a few keys per query of one head, or a small picture of every head.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import stack_tokens
from analysis.adapter import AttentionCall, attending, attention_pattern, mix_values
from analysis.errors import NonFinite
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.prompts import Prompt

See = Callable[[int, Float[Tensor, "head query_pos key_pos"]], None]  # gets a layer and its patterns


class Strongest(NamedTuple):
    """The keys that each query attends to most, strongest first, and what it gives to all others."""

    keys: Int[Tensor, "query_pos rank"]
    values: Float[Tensor, "query_pos rank"]
    rest: Float[Tensor, " query_pos"]


@torch.inference_mode()
def see_patterns(model: LanguageModel, prompt: Prompt, see: See) -> None:
    """Run one prompt; `see` gets the patterns of every layer in turn, as float32 on the CPU."""

    def attend(call: AttentionCall) -> Tensor:
        pattern = attention_pattern(call)
        seen = pattern[0].float().cpu()
        if not seen.isfinite().all():
            raise NonFinite(f"The attention of layer {call.layer} is not finite.")
        see(call.layer, seen)
        return mix_values(pattern, call.value)

    with attending(model.network, attend):
        model.hidden(stack_tokens([prompt]))


def head_pattern(model: LanguageModel, prompt: Prompt, head: Head) -> Float[Tensor, "query_pos key_pos"]:
    """The pattern of one head: rows sum to 1, nothing lies after the diagonal."""
    kept: list[Tensor] = []

    def see(layer: int, patterns: Tensor) -> None:
        if layer == head.layer:
            kept.append(patterns[head.head].clone())

    see_patterns(model, prompt, see)
    return kept[0]


def strongest_keys(pattern: Float[Tensor, "query_pos key_pos"], top: int) -> Strongest:
    """The `top` strongest keys of every query. With `rest`, each row sums to what the pattern's row does."""
    values, keys = pattern.topk(min(top, pattern.shape[1]), dim=1)
    return Strongest(keys, values, pattern.sum(1) - values.sum(1))


def shrunk(pattern: Float[Tensor, "head query_pos key_pos"], size: int) -> Float[Tensor, "head pixel pixel"]:
    """Pictures of patterns: the largest attention among the tokens that fall into a pixel.

    Token t of n falls into row or column t · size // n, so no token is left out or counted twice.
    """
    return _largest_in(_largest_in(pattern, 1, size), 2, size)


def _largest_in(values: Tensor, axis: int, size: int) -> Tensor:
    pixel = torch.arange(values.shape[axis]) * size // values.shape[axis]
    parts = values.split(torch.bincount(pixel).tolist(), axis)
    return torch.stack([part.amax(axis) for part in parts], axis)
