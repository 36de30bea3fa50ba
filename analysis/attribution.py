"""Logit attribution: how much each component of the model adds to each answer's logit directly, in logits.

    logit(answer) = Σ over components of  W_U[answer] · norm(write),   the final norm's scale held fixed

Components are the embedding (with learned positions), every head, every attention-output bias, every MLP
and the final bias. Positive favours the answer. The sum is exact; where a model squashes its logits at the
end (Gemma 2) it is that of the logits before. (Lieberum et al. 2023; Elhage et al. 2021, "Residual stream".)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from analysis.activations import FinalPosition, stack_answers, stack_tokens
from analysis.model import LanguageModel
from analysis.nodes import Head, Mlp, Node
from analysis.norms import freeze
from analysis.prompts import Prompt
from analysis.run import record
from analysis.writes import bias_write, frozen_attention_norm, head_writes, node_writes


@dataclass(frozen=True)
class Component:
    """One summand of a logit."""

    label: str
    kind: Literal["embedding", "head", "mlp", "bias"]
    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True)
class Attribution:
    """The logits of a batch of prompts in parts, as float32 on the CPU."""

    components: tuple[Component, ...]
    values: Float[Tensor, "batch component answer"]
    logits: Float[Tensor, "batch answer"]  # as the model computes them, before a final soft-cap
    capped_logits: Float[Tensor, "batch answer"]  # after it; the same where there is none
    correct: Int[Tensor, " batch"]  # index of the correct answer

    @property
    def residual(self) -> float:
        """Largest |sum of the parts − logit|."""
        return float((self.values.sum(1) - self.logits).abs().max())

    @property
    def centred(self) -> Float[Tensor, "batch component answer"]:
        """Less the mean over the answers, which takes away what raises all of them alike."""
        return self.values - self.values.mean(-1, keepdim=True)

    @property
    def net(self) -> Float[Tensor, "batch component"]:
        """The centred attribution to the correct answer; sums to its centred logit."""
        return self.centred[torch.arange(len(self.correct)), :, self.correct]


@torch.inference_mode()
def logit_attribution(model: LanguageModel, prompts: Sequence[Prompt]) -> Attribution:
    """Attribute the label logits of prompts of equal length."""
    final = record(model, stack_tokens(prompts)).final
    return attribute(
        model, final, stack_answers(prompts), torch.tensor([prompt.correct for prompt in prompts])
    )


@torch.inference_mode()
def attribute(
    model: LanguageModel,
    final: FinalPosition,
    answer_ids: Int[Tensor, "batch answer"],
    correct: Int[Tensor, " batch"],
) -> Attribution:
    """Attribute the logits of any answer tokens in a run that has been made."""
    norm = freeze(model.parts.final_norm, final.resid_final)
    components = components_of(model)
    parts = [model.unembed(norm(_writes(model, final)), answer_ids)]
    if components[-1].label == "final bias":
        parts.append(model.uncapped_logits(norm.shift.expand_as(final.hidden), answer_ids)[None])
    return Attribution(
        components=components,
        values=torch.cat(parts).transpose(0, 1).cpu(),
        logits=model.uncapped_logits(final.hidden, answer_ids).cpu(),
        capped_logits=model.answer_logits(final.hidden, answer_ids).cpu(),
        correct=correct.cpu(),
    )


@torch.inference_mode()
def node_attributions(
    model: LanguageModel,
    final: FinalPosition,
    nodes: Sequence[Node],
    answer_ids: Int[Tensor, "batch answer"],
    *,
    scales: FinalPosition,
) -> Float[Tensor, "node batch answer"]:
    """Attributions of some heads and MLPs only, with the norms' scales taken from the run `scales`."""
    norm = freeze(model.parts.final_norm, scales.resid_final)
    return model.unembed(norm(node_writes(model, final, nodes, scales=scales)), answer_ids)


def components_of(model: LanguageModel) -> tuple[Component, ...]:
    """All components in the order of the computation. A bias is listed in models that have one."""
    components = [Component("embedding", "embedding")]
    for layer in range(model.n_layers):
        heads = [Head(layer, head) for head in range(model.n_heads)]
        components += [Component(str(head), "head", layer, head.head) for head in heads]
        if _has_bias(model.parts.attention_outputs[layer]):
            components.append(Component(f"attention bias {layer}", "bias", layer))
        components.append(Component(str(Mlp(layer)), "mlp", layer))
    if _has_bias(model.parts.final_norm) or _has_bias(model.parts.unembedding):
        components.append(Component("final bias", "bias"))
    return tuple(components)


def _has_bias(module: nn.Module) -> bool:
    return getattr(module, "bias", None) is not None


def _writes(model: LanguageModel, final: FinalPosition) -> Float[Tensor, "component batch d_model"]:
    """What every component but the final bias writes, in the order of `components_of`."""
    writes = [final.embedding.float()]
    for layer in range(model.n_layers):
        norm = frozen_attention_norm(model, final, layer)
        writes += list(head_writes(model, layer, final.z[layer], norm))
        if _has_bias(model.parts.attention_outputs[layer]):
            writes.append(bias_write(model, layer, final, norm))
        writes.append(final.mlp_writes[layer].float())
    return torch.stack(writes)
