"""The same interventions in the plainest way: full forward passes of transformers, one or more for each.

Slow, and free of everything that could be wrong in the exact engine: it is the oracle of the tests and of the
certificate, and the fallback where the certificate does not pass. Heads, MLPs and the residual stream are
patched by hooks on untouched transformers; queries, keys, values and knock-outs need a textbook attention.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.activations import FinalPosition, Suffix
from analysis.adapter import AttentionCall, Look, attending, hooked
from analysis.edits import INSIDE_ATTENTION, Edit, Edits, Textbook, editing
from analysis.interventions import Intervention, KnockOut, Patch, PathPatch, Rewrite
from analysis.model import LanguageModel
from analysis.nodes import LOGITS, Attention, Head, Key, Mlp, Node, Query, Residual, Value


@dataclass
class _Seen:
    """What one forward pass computed, at every position."""

    resid_pre: list[Tensor] = field(default_factory=list)
    z: list[Tensor] = field(default_factory=list)
    mlp_writes: list[Tensor] = field(default_factory=list)
    resid_final: list[Tensor] = field(default_factory=list)
    hidden: list[Tensor] = field(default_factory=list)
    calls: list[AttentionCall] = field(default_factory=list)
    patterns: list[Tensor] = field(default_factory=list)  # like the calls, of the textbook attention only


@torch.inference_mode()
def plain_logits(model: LanguageModel, token_ids: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch token"]:
    """Logits at the final position, as transformers computes them."""
    output = model.network(input_ids=token_ids.to(model.device), use_cache=False, logits_to_keep=1)
    return output.logits[:, -1].float()


@torch.inference_mode()
def record_plainly(model: LanguageModel, token_ids: Int[Tensor, "batch pos"], n_positions: int) -> Suffix:
    """What a run holds at its last positions, seen by hooks and the textbook attention."""
    _, seen = _run(model, token_ids, Edits(), textbook=True)
    start = token_ids.shape[1] - n_positions
    return Suffix(
        start=start,
        differs_from=0,
        resid_pre=torch.stack(seen.resid_pre)[:, :, start:],
        query=torch.stack([call.query for call in seen.calls])[:, :, :, start:],
        keys=torch.stack([call.key for call in seen.calls])[:, :, :, start:],
        values=torch.stack([call.value for call in seen.calls])[:, :, :, start:],
        z=torch.stack(seen.z)[:, :, start:].unflatten(-1, (model.n_heads, model.d_head)),
        mlp_writes=torch.stack(seen.mlp_writes)[:, :, start:],
        resid_final=seen.resid_final[0][:, -1],
        hidden=seen.hidden[0][:, -1],
    )


@torch.inference_mode()
def patched_logits(
    model: LanguageModel,
    token_ids: Int[Tensor, "batch pos"],
    source: Suffix,
    interventions: Sequence[Intervention],
) -> Float[Tensor, "row batch token"]:
    """Logits of the base prompts under each intervention, full forward passes for each."""
    return torch.stack([_make(model, token_ids, source, one)[0] for one in interventions])


@torch.inference_mode()
def patched_finals(
    model: LanguageModel,
    token_ids: Int[Tensor, "batch pos"],
    source: Suffix,
    interventions: Sequence[Intervention],
) -> FinalPosition:
    """All that the base prompts hold at the final position under each; its batch axis is (row batch)."""
    worlds = [_make(model, token_ids, source, one)[1] for one in interventions]

    def last(name: str) -> Tensor:
        return torch.cat([torch.stack(getattr(seen, name))[:, :, -1] for seen in worlds], dim=1)

    return FinalPosition(
        resid_pre=last("resid_pre"),
        z=last("z").unflatten(-1, (model.n_heads, model.d_head)),
        mlp_writes=last("mlp_writes"),
        resid_final=last("resid_final")[0],
        hidden=last("hidden")[0],
    )


@torch.inference_mode()
def watched(
    model: LanguageModel,
    token_ids: Int[Tensor, "batch pos"],
    source: Suffix,
    interventions: Sequence[Patch | Rewrite],
) -> Iterator[tuple[Float[Tensor, "batch d_model"], Float[Tensor, "layer batch head key_pos"]]]:
    """World by world, the final position after the final norm, and what every head attends to from it."""
    for intervention in interventions:
        edits = _as_edits(model, source, intervention)
        _, seen = _run(model, token_ids, edits, textbook=True)
        yield seen.hidden[0][:, -1], torch.stack([pattern[:, :, -1] for pattern in seen.patterns])


def _make(
    model: LanguageModel, token_ids: Tensor, source: Suffix, intervention: Intervention
) -> tuple[Float[Tensor, "batch token"], _Seen]:
    """Logits, and all that was seen, under one intervention."""
    if isinstance(intervention, PathPatch):
        return _take_paths(model, token_ids, source, intervention)
    return _run(model, token_ids, _as_edits(model, source, intervention))


def _as_edits(model: LanguageModel, source: Suffix, intervention: Patch | KnockOut | Rewrite) -> Edits:
    match intervention:
        case KnockOut():
            return Edits(knock_out=intervention)
        case Rewrite():
            return Edits(rewrite=intervention)
        case Patch(nodes, where):
            return Edits(tuple(edit for node in nodes for edit in _edits(model, node, source, where)))


def _edits(
    model: LanguageModel, node: Node, source: Suffix, positions: Bool[Tensor, "batch pos"]
) -> list[Edit]:
    """The source's values of a node, at the base prompt's positions."""
    if isinstance(node, Attention):
        heads = [Head(node.layer, head) for head in range(model.n_heads)]
        return [edit for head in heads for edit in _edits(model, head, source, positions)]
    match node:
        case Head():
            kept = source.z[node.layer][:, :, node.head]
        case Mlp():
            kept = source.mlp_writes[node.layer]
        case Residual():
            kept = source.resid_pre[node.layer]
        case Query():
            kept = source.query[node.layer][:, node.head]
        case Key() | Value():
            shared = source.keys if isinstance(node, Key) else source.values
            kept = shared[node.layer][:, node.head * model.n_kv_heads // model.n_heads]
    n_prompts, n_positions = positions.shape
    start = n_positions - kept.shape[1]
    values = kept.new_zeros(n_prompts, n_positions, kept.shape[-1])
    values[:, start:] = kept
    was_kept = torch.arange(n_positions) >= start
    return [Edit(node, values, (positions & was_kept).to(kept.device))]


def _take_paths(
    model: LanguageModel, token_ids: Tensor, source: Suffix, path: PathPatch
) -> tuple[Float[Tensor, "batch token"], _Seen]:
    """Receivers in order of their layers; each reads what was recomputed so far plus the sender's change."""
    (sender,) = _edits(model, path.sender, source, path.positions)
    layer, n_layers = path.sender.layer, model.n_layers
    _, base = _run(model, token_ids, Edits())
    frozen = () if isinstance(path.sender, Mlp) else (_whole(Mlp(layer), base.mlp_writes[layer]),)
    _, alone = _run(model, token_ids, Edits((sender, *frozen)))
    after, before = ([*seen.resid_pre, *seen.resid_final][layer + 1] for seen in (alone, base))
    change = after - before

    edits = Edits()
    if Mlp(layer) in path.receivers and frozen:
        _, seen = _run(model, token_ids, edits.also(sender))
        edits = edits.also(_whole(Mlp(layer), seen.mlp_writes[layer]))
    for later in range(layer + 1, n_layers):
        _, seen = _run(model, token_ids, edits.adding(later, change), textbook=True)
        inside = [node for node in path.receivers if isinstance(node, INSIDE_ATTENTION)]
        edits = edits.also(
            *(_received(model, node, seen.calls[later]) for node in inside if node.layer == later)
        )
        if Mlp(later) in path.receivers:
            _, seen = _run(model, token_ids, edits)
            z = seen.z[later].unflatten(-1, (model.n_heads, model.d_head))
            heads = [_whole(Head(later, head), z[:, :, head]) for head in range(model.n_heads)]
            _, seen = _run(model, token_ids, edits.also(*heads).adding(later, change))
            edits = edits.also(_whole(Mlp(later), seen.mlp_writes[later]))
    return _run(model, token_ids, edits.adding(n_layers, change) if LOGITS in path.receivers else edits)


def _whole(node: Head | Mlp | Query | Key | Value, values: Tensor) -> Edit:
    """A node takes these values everywhere."""
    return Edit(node, values, torch.ones_like(values[..., 0], dtype=torch.bool))


def _received(model: LanguageModel, node: Query | Key | Value, call: AttentionCall) -> Edit:
    kv_head = node.head * model.n_kv_heads // model.n_heads
    match node:
        case Query():
            return _whole(node, call.query[:, node.head])
        case Key():
            return _whole(node, call.key[:, kv_head])
        case Value():
            return _whole(node, call.value[:, kv_head])


def _run(
    model: LanguageModel, token_ids: Tensor, edits: Edits, *, textbook: bool = False
) -> tuple[Float[Tensor, "batch token"], _Seen]:
    """One full forward pass with these edits: logits at the final position, and all that was seen."""
    seen, parts, shape = _Seen(), model.parts, token_ids.shape
    attention = Textbook(edits, seen.calls, seen.patterns)
    with (
        attending(model.network, attention) if textbook or edits.inside_attention else nullcontext(),
        editing(model, edits, shape),
        hooked(
            inputs=[
                *((layer, _keep(seen.resid_pre, shape)) for layer in parts.layers),
                *((output, _keep(seen.z, shape)) for output in parts.attention_outputs),
                (parts.final_norm, _keep(seen.resid_final, shape)),
            ],
            outputs=[
                *((mlp, _keep(seen.mlp_writes, shape)) for mlp in parts.mlps),
                (parts.final_norm, _keep(seen.hidden, shape)),
            ],
        ),
    ):
        return plain_logits(model, token_ids), seen


def _keep(kept: list[Tensor], shape: Sequence[int]) -> Look:
    def look(x: Tensor) -> None:
        kept.append(x.reshape(*shape, x.shape[-1]).clone())

    return look
