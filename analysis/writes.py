"""What each component adds to the residual stream at the final position. Sums to the final residual stream.

Where a norm stands between the attention and the residual stream (Gemma 2 and 3, OLMo 2), heads are additive
only with the scale of that norm held fixed; a `FrozenNorm` of one run says at which value.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import FinalPosition
from analysis.model import LanguageModel
from analysis.nodes import Head, Node
from analysis.norms import FrozenNorm, freeze


def attention_output(
    model: LanguageModel, final: FinalPosition, layer: int
) -> Float[Tensor, "batch d_model"]:
    """All heads together with the bias, before the norm that may follow."""
    return model.parts.attention_outputs[layer](final.z[layer].flatten(1))


def frozen_attention_norm(model: LanguageModel, final: FinalPosition, layer: int) -> FrozenNorm | None:
    """The norm after the attention with this run's scale; None in models that have none."""
    norm = model.parts.attention_norms[layer]
    return None if norm is None else freeze(norm, attention_output(model, final, layer))


def head_writes(
    model: LanguageModel, layer: int, z: Float[Tensor, "batch head d_head"], norm: FrozenNorm | None
) -> Float[Tensor, "head batch d_model"]:
    """Each head's write."""
    writes = model.project_heads(layer, z)
    return writes.float() if norm is None else norm(writes)


def bias_write(
    model: LanguageModel, layer: int, final: FinalPosition, norm: FrozenNorm | None
) -> Float[Tensor, "batch d_model"]:
    """What the attention writes whatever its heads say."""
    bias = model.attention_bias(layer).expand(len(final.hidden), -1)
    return bias.float() if norm is None else norm(bias) + norm.shift


def node_writes(
    model: LanguageModel, final: FinalPosition, nodes: Sequence[Node], *, scales: FinalPosition
) -> Float[Tensor, "node batch d_model"]:
    """The nodes' writes in one run, with the norms' scales taken from another (or the same) run."""
    by_layer = {
        layer: head_writes(model, layer, final.z[layer], frozen_attention_norm(model, scales, layer))
        for layer in sorted({node.layer for node in nodes if isinstance(node, Head)})
    }
    return _select(by_layer, final.mlp_writes.float(), nodes)


def write_changes(
    model: LanguageModel, base: FinalPosition, source: FinalPosition, nodes: Sequence[Node]
) -> Float[Tensor, "node batch d_model"]:
    """How the final residual stream changes if one node has the source's value and no other node reacts.

    The norm after the attention is recomputed. MLPs' writes are taken after their own norm, so theirs is too.
    """
    by_layer = {
        layer: _head_changes(model, base, source, layer)
        for layer in sorted({node.layer for node in nodes if isinstance(node, Head)})
    }
    return _select(by_layer, (source.mlp_writes - base.mlp_writes).float(), nodes)


def _head_changes(
    model: LanguageModel, base: FinalPosition, source: FinalPosition, layer: int
) -> Float[Tensor, "head batch d_model"]:
    change = model.project_heads(layer, source.z[layer] - base.z[layer])
    norm = model.parts.attention_norms[layer]
    if norm is None:
        return change.float()
    whole = attention_output(model, base, layer)
    return norm(whole + change).float() - norm(whole).float()


def _select(
    heads: dict[int, Tensor], mlps: Float[Tensor, "layer batch d_model"], nodes: Sequence[Node]
) -> Float[Tensor, "node batch d_model"]:
    return torch.stack(
        [heads[node.layer][node.head] if isinstance(node, Head) else mlps[node.layer] for node in nodes]
    )
