"""Where the parts of each supported architecture are: one row per family, and nothing else about it.

Queries, keys and values need no row, they come out of the attention function (`analysis.adapter`); norms need
none, they are probed (`analysis.norms`). So a row only says which modules write to the residual stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from analysis.errors import UnsupportedModel


@dataclass(frozen=True)
class Family:
    """Module names, from the model or from one layer. The defaults are Llama's."""

    layers: str = "model.layers"
    final_norm: str = "model.norm"
    attention_output: str = "self_attn.o_proj"  # W_O: the heads' z, side by side, to the attention's write
    attention_norm: str | None = None  # a norm between W_O and the residual stream
    mlp: str = "mlp"  # the module whose output is added to the residual stream
    mlp_first: str = "mlp"  # from the input of this one to the output of that one positions do not meet
    mlp_last: str = "mlp"
    d_mlp: str = "intermediate_size"  # name in the config
    requires: Mapping[str, Any] = field(default_factory=dict)  # config values that the row counts on


_LLAMA = Family()
_GEMMA = Family(
    attention_norm="post_attention_layernorm",
    mlp="post_feedforward_layernorm",
    requires={"use_bidirectional_attention": False},
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "llama": _LLAMA,
        "mistral": _LLAMA,
        "qwen2": _LLAMA,
        "qwen3": _LLAMA,
        "gemma2": _GEMMA,
        "gemma3_text": _GEMMA,
        "olmo2": Family(attention_norm="post_attention_layernorm", mlp="post_feedforward_layernorm"),
        "gpt2": Family(
            layers="transformer.h",
            final_norm="transformer.ln_f",
            attention_output="attn.c_proj",
            d_mlp="n_inner",
            requires={"add_cross_attention": False},
        ),
        "gpt_neox": Family(
            layers="gpt_neox.layers",
            final_norm="gpt_neox.final_layer_norm",
            attention_output="attention.dense",
        ),
        "phi": Family(final_norm="model.final_layernorm", attention_output="self_attn.dense"),
        "opt": Family(
            layers="model.decoder.layers",
            final_norm="model.decoder.final_layer_norm",
            attention_output="self_attn.out_proj",
            mlp="fc2",
            mlp_first="fc1",
            mlp_last="fc2",
            d_mlp="ffn_dim",
            requires={"do_layer_norm_before": True, "_remove_final_layer_norm": False},
        ),
    }
)


@dataclass(frozen=True)
class Parts:
    """The modules of one model that write to the residual stream or read it out; one entry per layer."""

    layers: tuple[nn.Module, ...]
    attention_outputs: tuple[nn.Module, ...]
    attention_norms: tuple[nn.Module | None, ...]
    mlps: tuple[nn.Module, ...]
    last_mlp: tuple[nn.Module, nn.Module]  # first and last module of the last layer's MLP, without its norms
    final_norm: nn.Module
    unembedding: nn.Linear


def family_of(config: PreTrainedConfig) -> Family:
    """The row of this architecture; `UnsupportedModel` with the reason if none fits."""
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise UnsupportedModel(
            f"headscope cannot read {config.model_type!r} models exactly. "
            f"Supported architectures: {', '.join(sorted(FAMILIES))}."
        )
    for name, wanted in family.requires.items():
        if (found := getattr(config, name, wanted)) not in (wanted, None):
            raise UnsupportedModel(
                f"This {config.model_type!r} model has {name} = {found!r}; headscope reads it exactly only "
                f"with {name} = {wanted!r}."
            )
    return family


def find_parts(network: PreTrainedModel) -> Parts:
    """The modules of this model that its family's row names."""
    family = family_of(network.config)
    layers = tuple(network.get_submodule(family.layers).children())
    unembedding = network.get_output_embeddings()
    d_model = network.config.hidden_size
    if not isinstance(unembedding, nn.Linear) or unembedding.in_features != d_model:
        raise UnsupportedModel(
            f"The output embedding of this {network.config.model_type!r} model does not read the residual "
            f"stream of width {d_model} directly, so logits cannot be attributed to what is written there."
        )
    norm = family.attention_norm
    return Parts(
        layers=layers,
        attention_outputs=tuple(layer.get_submodule(family.attention_output) for layer in layers),
        attention_norms=tuple(None if norm is None else layer.get_submodule(norm) for layer in layers),
        mlps=tuple(layer.get_submodule(family.mlp) for layer in layers),
        last_mlp=(layers[-1].get_submodule(family.mlp_first), layers[-1].get_submodule(family.mlp_last)),
        final_norm=network.get_submodule(family.final_norm),
        unembedding=unembedding,
    )
