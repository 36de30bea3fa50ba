"""Run prompts once and keep what the analyses need: frozen records of tensors, mostly of the final position.

The final position is where the label is predicted. Only keys, values and masks are kept for every position.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.adapter import AttentionCall, attending, attention_pattern, hooked, mix_values
from analysis.errors import MisalignedPrompts, NonFinite
from analysis.model import LanguageModel
from analysis.prompts import Prompt


@dataclass(frozen=True)
class FinalPosition:
    """What a run holds at the final position."""

    resid_pre: Float[Tensor, "layer batch d_model"]  # before each layer; the first is the embedding
    z: Float[Tensor, "layer batch head d_head"]
    mlp_writes: Float[Tensor, "layer batch d_model"]
    resid_final: Float[Tensor, "batch d_model"]
    hidden: Float[Tensor, "batch d_model"]  # resid_final after the final norm

    @property
    def embedding(self) -> Float[Tensor, "batch d_model"]:
        """Token embedding, with the position embedding where it is learned."""
        return self.resid_pre[0]


@dataclass(frozen=True)
class Activations:
    """One run of prompts of equal length."""

    token_ids: Int[Tensor, "batch pos"]
    keys: Float[Tensor, "layer batch kv_head pos d_head"]  # after rotary embedding and QK-norm
    values: Float[Tensor, "layer batch kv_head pos d_head"]
    masks: tuple[Tensor | None, ...]  # per layer, "#batch 1 query_pos key_pos", added to the scores
    query: Float[Tensor, "layer batch head d_head"]  # of the final position
    pattern: Float[Tensor, "layer batch head key_pos"]  # of the final position
    final: FinalPosition


def stack_tokens(prompts: Sequence[Prompt]) -> Int[Tensor, "batch pos"]:
    """The prompts' tokens as one batch; `MisalignedPrompts` unless they are equally long."""
    lengths = sorted({len(prompt.token_ids) for prompt in prompts})
    if len(lengths) != 1:
        raise MisalignedPrompts(f"Prompts in one run must have the same number of tokens, not {lengths}.")
    return torch.tensor([prompt.token_ids for prompt in prompts])


def stack_answers(prompts: Sequence[Prompt]) -> Int[Tensor, "batch answer"]:
    """The label tokens of each prompt; `MisalignedPrompts` unless all have equally many options."""
    counts = sorted({len(prompt.label_ids) for prompt in prompts})
    if len(counts) != 1:
        raise MisalignedPrompts(f"Prompts in one run must have the same number of options, not {counts}.")
    return torch.tensor([prompt.label_ids for prompt in prompts])


@torch.inference_mode()
def record(model: LanguageModel, token_ids: Int[Tensor, "batch pos"]) -> Activations:
    """Run prompts through our attention function and keep everything."""
    recorder = _Recorder()
    with attending(model.network, recorder):
        final = record_final(model, token_ids)
    return Activations(
        token_ids=token_ids,
        keys=torch.stack([call.key for call in recorder.calls]),
        values=torch.stack([call.value for call in recorder.calls]),
        masks=tuple(call.mask for call in recorder.calls),
        query=torch.stack([call.query[:, :, -1] for call in recorder.calls]),
        pattern=torch.stack(recorder.patterns),
        final=final,
    )


@torch.inference_mode()
def record_source(
    model: LanguageModel, token_ids: Int[Tensor, "batch pos"], base: Activations
) -> FinalPosition:
    """Run the source prompts from the first token in which they differ from the base prompts.

    Earlier tokens have the same keys and values in both runs. Prompts of another length run in full.
    """
    if token_ids.shape != base.token_ids.shape:
        return record(model, token_ids).final
    with attending(model.network, _Continuation(base, start := _first_difference(token_ids, base.token_ids))):
        return record_final(model, token_ids, start)


@torch.inference_mode()
def record_final(model: LanguageModel, token_ids: Int[Tensor, "batch pos"], start: int = 0) -> FinalPosition:
    """Run prompts with plain hooks, through whichever attention is active, and keep the final position."""
    parts, n_prompts = model.parts, len(token_ids)
    resid_pre, z, mlp_writes, resid_final = [], [], [], []

    def keep(kept: list[Tensor], x: Tensor) -> None:
        kept.append(x.view(n_prompts, -1, x.shape[-1])[:, -1].clone())

    with hooked(
        inputs=[
            *((layer, lambda x: keep(resid_pre, x)) for layer in parts.layers),
            *((output, lambda x: keep(z, x)) for output in parts.attention_outputs),
            (parts.final_norm, lambda x: keep(resid_final, x)),
        ],
        outputs=[(mlp, lambda x: keep(mlp_writes, x)) for mlp in parts.mlps],
    ):
        hidden = model.hidden(token_ids, start)[:, -1]
    final = FinalPosition(
        resid_pre=torch.stack(resid_pre),
        z=torch.stack(z).unflatten(-1, (model.n_heads, model.d_head)),
        mlp_writes=torch.stack(mlp_writes),
        resid_final=resid_final[0],
        hidden=hidden,
    )
    _check_finite(final)
    return final


def _first_difference(left: Int[Tensor, "batch pos"], right: Int[Tensor, "batch pos"]) -> int:
    """The first position where any prompt differs; the last position if none does."""
    differing = (left != right).any(0).nonzero()
    return int(differing[0]) if len(differing) else left.shape[1] - 1


def _check_finite(final: FinalPosition) -> None:
    """Name the first place that holds a NaN or an infinity."""
    if final.hidden.isfinite().all() and final.mlp_writes.isfinite().all() and final.z.isfinite().all():
        return
    for layer in range(len(final.resid_pre)):
        places = {
            f"the residual stream before layer {layer}": final.resid_pre[layer],
            f"the heads of layer {layer}": final.z[layer],
            f"MLP{layer}": final.mlp_writes[layer],
        }
        for place, tensor in places.items():
            if not tensor.isfinite().all():
                raise NonFinite(f"The model computes values that are not finite; the first are in {place}.")
    raise NonFinite("The model computes values that are not finite; the first are in the final norm.")


@dataclass
class _Recorder:
    """Attends as the model does, and keeps every layer's call."""

    calls: list[AttentionCall] = field(default_factory=list)
    patterns: list[Tensor] = field(default_factory=list)

    def __call__(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        pattern = attention_pattern(call)
        self.calls.append(call)
        self.patterns.append(pattern[:, :, -1].clone())
        return mix_values(pattern, call.value)


@dataclass(frozen=True)
class _Continuation:
    """Attends from position `start` on, with the base run's keys and values before it."""

    base: Activations
    start: int

    def __call__(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        mask = self.base.masks[call.layer]
        call = replace(
            call,
            key=torch.cat([self.base.keys[call.layer][:, :, : self.start], call.key], dim=2),
            value=torch.cat([self.base.values[call.layer][:, :, : self.start], call.value], dim=2),
            mask=None if mask is None else mask[:, :, self.start :],
        )
        return mix_values(attention_pattern(call), call.value)
