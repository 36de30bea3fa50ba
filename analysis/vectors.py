"""Queries, keys and values of a head where it answers: at the final position, and at the options.

They are what the attention function gets, after QK-norm and, where the network has it, rotary embedding
("post"); so query · key × the layer's scale, soft-capped and masked, is the score before the softmax. "pre"
takes the rotation off again: the same content then has the same vector wherever it stands.
(Lieberum et al. 2023, section 4.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations, stack_tokens
from analysis.adapter import AttentionCall, attending, attention_pattern, bypassed, mix_values
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.nodes import Head, check_nodes
from analysis.prompts import Prompt
from analysis.rotary import rotations

At = Literal["label", "delimiter", "newline", "content_last"]
"""Which token stands for an option: its label, the token after it, its line's end, its content's end."""
Rope = Literal["post", "pre"]

_PROMPTS_PER_PASS = 8


@dataclass(frozen=True)
class HeadVectors:
    """Vectors of one query head, float32 on the CPU; keys and values are those of its group."""

    query: Float[Tensor, "batch d_head"]  # at the final position
    keys: Float[Tensor, "batch answer d_head"]  # one per option
    values: Float[Tensor, "batch answer d_head"]
    z: Float[Tensor, "batch d_head"] | None = None  # what it mixed at the final position; of runs only

    def __getitem__(self, which: slice | list[int] | Tensor) -> "HeadVectors":
        """Those of some prompts."""
        z = None if self.z is None else self.z[which]
        return HeadVectors(self.query[which], self.keys[which], self.values[which], z)


def option_positions(prompt: Prompt, at: At = "label") -> tuple[int, ...]:
    """Where each option is looked at; `BadQuestion` where a prompt has no such token."""
    if at == "label":
        return prompt.label_positions
    if at == "delimiter":
        return tuple(position + 1 for position in prompt.label_positions)
    ends = (*prompt.label_positions[1:], len(prompt.roles))
    return tuple(
        _first_with(at, range(label, end), prompt)
        for label, end in zip(prompt.label_positions, ends, strict=True)
    )


def stack_positions(prompts: Sequence[Prompt], at: At = "label") -> Int[Tensor, "batch answer"]:
    """The same for prompts with equally many options."""
    return torch.tensor([option_positions(prompt, at) for prompt in prompts])


def vectors_in(  # noqa: PLR0913, two choices that every analysis of vectors offers
    model: LanguageModel,
    run: Activations,
    prompts: Sequence[Prompt],
    head: Head,
    *,
    at: At = "label",
    rope: Rope = "post",
) -> HeadVectors:
    """The head's vectors in a run of these prompts."""
    check_nodes([head], model.n_layers, model.n_heads)
    layer = head.layer
    seen = _Seen(run.query[layer], run.keys[layer], run.values[layer], run.final.z[layer])
    found = seen.of_head(head, stack_positions(prompts, at))
    return found if rope == "post" else without_rotation(model, found, head, prompts, at)


@dataclass(frozen=True)
class _Seen:
    """One layer of a run."""

    query: Float[Tensor, "batch head d_head"]  # of the final position, like z
    keys: Float[Tensor, "batch kv_head pos d_head"]
    values: Float[Tensor, "batch kv_head pos d_head"]
    z: Float[Tensor, "batch head d_head"]

    def of_head(self, head: Head, positions: Int[Tensor, "batch answer"]) -> HeadVectors:
        kv_head = head.head * self.keys.shape[1] // self.query.shape[1]
        prompt = torch.arange(len(positions))[:, None]
        keys, values = (x[:, kv_head][prompt, positions].float().cpu() for x in (self.keys, self.values))
        query, z = (x[:, head.head].float().cpu() for x in (self.query, self.z))
        return HeadVectors(query, keys, values, z)


def without_rotation(
    model: LanguageModel, found: HeadVectors, head: Head, prompts: Sequence[Prompt], at: At
) -> HeadVectors:
    """The same with rotary embedding taken off, in prompts of equal length."""
    n_positions = len(prompts[0].token_ids)
    final = torch.tensor(n_positions - 1)
    return replace(
        found,
        query=unrotated(model, head.layer, found.query, final, n_positions),
        keys=unrotated(model, head.layer, found.keys, stack_positions(prompts, at), n_positions),
    )


def unrotated(
    model: LanguageModel,
    layer: int,
    vectors: Float[Tensor, "*batch d_head"],
    positions: Int[Tensor, "..."],
    n_positions: int,
) -> Float[Tensor, "*batch d_head"]:
    """R_p⁻¹ x: queries or keys as they were before rotary embedding."""
    turned = rotations(model, layer, positions, n_positions)
    return torch.linalg.solve(turned, vectors[..., None]).squeeze(-1)


def collect(
    model: LanguageModel, prompts: Sequence[Prompt], head: Head, *, at: At = "label", rope: Rope = "post"
) -> HeadVectors:
    """The head's vectors in prompts of any lengths, in their order."""
    return collect_heads(model, prompts, [head], at=at, rope=rope)[head]


def collect_heads(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    heads: Sequence[Head],
    *,
    at: At = "label",
    rope: Rope = "post",
) -> Mapping[Head, HeadVectors]:
    """The same for several heads at once. Layers above the last of them do not run."""
    check_nodes(heads, model.n_layers, model.n_heads)
    order: list[int] = []
    found: dict[Head, list[HeadVectors]] = {head: [] for head in heads}
    for indices in by_length(prompts):
        together = [prompts[index] for index in indices]
        positions = stack_positions(together, at)
        layers = _run_to(model, together, max(head.layer for head in heads))
        for head in heads:
            vectors = layers[head.layer].of_head(head, positions)
            if rope == "pre":
                vectors = without_rotation(model, vectors, head, together, at)
            found[head].append(vectors)
        order += indices
    back = torch.tensor(order).argsort()
    return {head: _joined(parts)[back] for head, parts in found.items()}


@torch.inference_mode()
def _run_to(model: LanguageModel, prompts: Sequence[Prompt], last_layer: int) -> list[_Seen]:
    """The layers of a run of prompts of equal length, up to the last one that is needed."""
    layers: list[_Seen] = []

    def attend(call: AttentionCall) -> Tensor:
        z = mix_values(attention_pattern(call), call.value)
        layers.append(_Seen(call.query[:, :, -1], call.key, call.value, z[:, -1]))
        return z

    with attending(model.network, attend), bypassed(model.parts.layers[last_layer + 1 :]):
        model.hidden(stack_tokens(prompts))
    return layers


def _joined(parts: Sequence[HeadVectors]) -> HeadVectors:
    return HeadVectors(
        *(torch.cat(vectors) for vectors in zip(*(vars(part).values() for part in parts), strict=True))
    )


def by_length(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Which prompts, by index, can share a run: those of equal length, a few at a time."""
    alike: dict[int, list[int]] = {}
    for index, prompt in enumerate(prompts):
        alike.setdefault(len(prompt.token_ids), []).append(index)
    return [
        indices[first : first + _PROMPTS_PER_PASS]
        for indices in alike.values()
        for first in range(0, len(indices), _PROMPTS_PER_PASS)
    ]


def _first_with(role: str, positions: range, prompt: Prompt) -> int:
    for position in positions:
        if role in prompt.roles[position]:
            return position
    raise BadQuestion(f"An option of this prompt has no token of its own with the role {role!r}.")
