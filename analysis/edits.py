"""Edits of one full forward pass of transformers: by hooks, and inside attention by a textbook version."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.adapter import AttentionCall, Look, hooked
from analysis.interventions import KnockOut, Rewrite, Sight
from analysis.model import LanguageModel
from analysis.nodes import Head, Key, Mlp, Query, Residual, Value

INSIDE_ATTENTION = Query | Key | Value


@dataclass(frozen=True)
class Edit:
    """A node takes these values at these positions: vectors of a head, or of the residual stream."""

    node: Head | Mlp | Residual | Query | Key | Value
    values: Tensor  # "batch pos d_head" or "batch pos d_model"
    positions: Bool[Tensor, "batch pos"]


@dataclass(frozen=True)
class Edits:
    """Everything that is changed in one forward pass."""

    nodes: tuple[Edit, ...] = ()
    knock_out: KnockOut | None = None
    rewrite: Rewrite | None = None
    added: tuple[int, Tensor] | None = None  # to the residual stream before this layer; n_layers: at the end

    @property
    def inside_attention(self) -> bool:
        """Whether hooks are not enough."""
        inside = any(isinstance(one.node, INSIDE_ATTENTION) for one in self.nodes)
        return self.knock_out is not None or self.rewrite is not None or inside

    def also(self, *edits: Edit) -> "Edits":
        """These edits too."""
        return replace(self, nodes=(*self.nodes, *edits))

    def adding(self, layer: int, change: Float[Tensor, "batch pos d_model"]) -> "Edits":
        """And this added to the residual stream before a layer."""
        return replace(self, added=(layer, change))


@contextmanager
def editing(model: LanguageModel, edits: Edits, shape: Sequence[int]) -> Iterator[None]:
    """Inside the block the hooks of these edits are in place."""
    parts, inputs, outputs = model.parts, [], []
    for edit in edits.nodes:
        match edit.node:
            case Head(layer, head):
                inputs.append((parts.attention_outputs[layer], _put_head(edit, head, shape)))
            case Mlp(layer):
                outputs.append((parts.mlps[layer], _put(edit, shape)))
            case Residual(layer):
                inputs.append((parts.layers[layer], _put(edit, shape)))
            case _:
                pass  # inside the attention
    if edits.added is not None:
        layer, change = edits.added
        inputs.append(((*parts.layers, parts.final_norm)[layer], lambda hidden: hidden + change))
    with hooked(inputs=inputs, outputs=outputs):
        yield


def _put(edit: Edit, shape: Sequence[int]) -> Look:
    def look(x: Tensor) -> Tensor:
        whole = x.reshape(*shape, x.shape[-1])
        return torch.where(edit.positions[..., None], edit.values, whole).view(x.shape)

    return look


def _put_head(edit: Edit, head: int, shape: Sequence[int]) -> Look:
    def look(z: Tensor) -> Tensor:
        whole = z.reshape(*shape, -1, edit.values.shape[-1]).clone()
        whole[:, :, head] = torch.where(edit.positions[..., None], edit.values, whole[:, :, head])
        return whole.view(z.shape)

    return look


@dataclass(frozen=True)
class Textbook:
    """Attention as in a textbook: keys and values repeated for every head, all positions, edits by head."""

    edits: Edits
    seen: list[AttentionCall]
    patterns: list[Tensor]

    def __call__(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        self.seen.append(call)
        repeats = call.query.shape[1] // call.key.shape[1]
        query = self._edited(call.query, Query, call.layer)
        key = self._edited(call.key.repeat_interleave(repeats, dim=1), Key, call.layer)
        value = self._edited(call.value.repeat_interleave(repeats, dim=1), Value, call.layer)
        pattern, z = self._attend(call, query, key, value)
        for sight in self.edits.rewrite.sights if self.edits.rewrite is not None else ():
            if sight.head.layer == call.layer:
                head, seen = sight.head.head, _as_seen(sight, query, key, value)
                theirs, mixed = self._attend(call, *seen)
                pattern[:, head, -1], z[:, head, -1] = theirs[:, head, -1], mixed[:, head, -1]
        self.patterns.append(pattern)
        return z.transpose(1, 2)

    def _attend(
        self, call: AttentionCall, query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Pattern and z of every head at every position."""
        scores = query @ key.transpose(2, 3) * call.scaling
        if call.softcap is not None:
            scores = call.softcap * torch.tanh(scores / call.softcap)
        if call.mask is not None:
            scores = scores + call.mask
        if self.edits.knock_out is not None:
            scores = self._cut(scores, call.layer, self.edits.knock_out)
        pattern = scores.float().softmax(-1).to(value.dtype)
        return pattern, pattern @ value

    def _edited(self, x: Tensor, kind: type[Query | Key | Value], layer: int) -> Tensor:
        edited = x.clone()
        for edit in self.edits.nodes:
            if isinstance(edit.node, kind) and edit.node.layer == layer:
                ours = edited[:, edit.node.head]
                edited[:, edit.node.head] = torch.where(edit.positions[..., None], edit.values, ours)
        return edited

    def _cut(self, scores: Tensor, layer: int, knock_out: KnockOut) -> Tensor:
        scores = scores.clone()
        cut = (knock_out.queries[:, :, None] & knock_out.keys[:, None]).to(scores.device)
        for head in knock_out.heads:
            if head.layer == layer:
                scores[:, head.head] = scores[:, head.head].masked_fill(cut, -torch.inf)
        return scores


def _as_seen(sight: Sight, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All queries, keys and values as one head sees them at the final position."""
    head, prompt = sight.head.head, torch.arange(len(query), device=query.device)[:, None]
    query, key, value = query.clone(), key.clone(), value.clone()
    if sight.query is not None:
        query[:, head, -1] = query[:, head, -1] @ sight.query.matrix.T + sight.query.shift
    if sight.keys is not None:
        key[prompt, head, sight.positions] = sight.keys
    if sight.values is not None:
        value[prompt, head, sight.positions] = sight.values
    return query, key, value
