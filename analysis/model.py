"""A Hugging Face decoder model as the analyses see it: its sizes, one way to run it, one way to read it out.

The network stays Hugging Face's: nothing in it is copied, folded or centred. It knows no prompts.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from analysis.errors import UnsupportedModel
from analysis.families import Parts, family_of, find_parts
from analysis.linear import fast_linear
from analysis.lora import merge_lora
from analysis.precision import PrecisionError
from analysis.weights import read_network

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True)
class Certificate:
    """How far our numbers are from plain transformers, measured on this very model. Logits, all of them."""

    logits: float  # largest |our logit − transformers' logit|
    attributions: float  # largest |sum of attributions − logit|
    patches: float  # largest |exact engine − plain hooks| over `n_patches` random patches
    n_patches: int
    tolerance: float
    precision: PrecisionError | None = None  # of a model in half precision: the rounding error of its effects

    @property
    def largest(self) -> float:
        """The largest of the three differences."""
        return max(self.logits, self.attributions, self.patches)

    @property
    def passed(self) -> bool:
        """A NaN does not pass."""
        return all(value <= self.tolerance for value in (self.logits, self.attributions, self.patches))


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A model, where its parts are, its tokenizer, and what was measured when it was loaded."""

    network: PreTrainedModel = field(repr=False)
    parts: Parts = field(repr=False)
    tokenizer: PreTrainedTokenizerBase | None = field(default=None, repr=False)
    certificate: Certificate | None = None
    memory_budget: int = 32 * 2**20  # bytes that the rows of one pass of the exact engine may take

    @classmethod
    def load(
        cls, folder: Path, *, dtype: str = "float32", device: str = "cpu", adapter: Path | None = None
    ) -> "LanguageModel":
        """From a local folder with safetensors weights; the LoRA adapter in `adapter` is merged into them."""
        family_of(_read_config(folder))
        network = read_network(folder, getattr(torch, dtype))
        if adapter is not None:
            merge_lora(network, adapter)
        network.to(torch.device(device))  # pyright: ignore[reportArgumentType]  transformers decorates `to`
        return cls.wrap(network, AutoTokenizer.from_pretrained(folder, **_LOCAL))

    @classmethod
    def wrap(
        cls, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase | None = None
    ) -> "LanguageModel":
        """A model that is already in memory."""
        return cls(network.eval().requires_grad_(False), find_parts(network), tokenizer)

    def with_certificate(self, certificate: Certificate) -> "LanguageModel":
        """The same model, carrying what was measured on it."""
        return replace(self, certificate=certificate)

    @property
    def family(self) -> str:
        """The architecture, in transformers' words."""
        return self.network.config.model_type

    @property
    def n_layers(self) -> int:
        return len(self.parts.layers)

    @property
    def n_heads(self) -> int:
        return self.network.config.num_attention_heads

    @property
    def n_kv_heads(self) -> int:
        return getattr(self.network.config, "num_key_value_heads", None) or self.n_heads

    @property
    def d_model(self) -> int:
        return self.network.config.hidden_size

    @property
    def d_head(self) -> int:
        return getattr(self.network.config, "head_dim", None) or self.d_model // self.n_heads

    @property
    def d_mlp(self) -> int:
        return getattr(self.network.config, family_of(self.network.config).d_mlp) or 4 * self.d_model

    @property
    def vocab_size(self) -> int:
        return self.parts.unembedding.out_features

    @property
    def max_tokens(self) -> int:
        return self.network.config.max_position_embeddings

    @property
    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def dtype(self) -> torch.dtype:
        return self.network.dtype

    @property
    def device(self) -> torch.device:
        return self.network.device

    @property
    def softcap(self) -> float | None:
        """The final logits are squashed into ± this value (Gemma 2)."""
        return getattr(self.network.config, "final_logit_softcapping", None)

    @torch.inference_mode()
    def hidden(
        self, token_ids: Int[Tensor, "batch pos"], *, positions: Int[Tensor, " pos"] | None = None
    ) -> Float[Tensor, "row query_pos d_model"]:
        """Run the network on these tokens; the residual stream after the final norm.

        Where they are not whole prompts from position 0 on, `positions` says where they stand, and whoever
        attends supplies what they see. There are as many rows as prompts, unless a hook adds some.
        """
        if positions is None:
            positions = torch.arange(token_ids.shape[1])
        with fast_linear():
            output = self.network.base_model(
                input_ids=token_ids.to(self.device),
                position_ids=positions[None].to(self.device),
                use_cache=False,
            )
        return output.last_hidden_state

    @torch.inference_mode()
    def logits(self, hidden: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch token"]:
        """Logits over the whole vocabulary."""
        with fast_linear():
            return self.cap(self.parts.unembedding(hidden).float())

    @torch.inference_mode()
    def answer_logits(
        self, hidden: Float[Tensor, "*row batch d_model"], answer_ids: Int[Tensor, "batch answer"]
    ) -> Float[Tensor, "*row batch answer"]:
        """Logits of each prompt's answer tokens only."""
        return self.cap(self.uncapped_logits(hidden, answer_ids))

    @torch.inference_mode()
    def uncapped_logits(
        self, hidden: Float[Tensor, "*row batch d_model"], answer_ids: Int[Tensor, "batch answer"]
    ) -> Float[Tensor, "*row batch answer"]:
        """The same before the final soft-cap, where they are additive."""
        logits, bias = self.unembed(hidden, answer_ids), self.unembedding_bias(answer_ids)
        return logits if bias is None else logits + bias

    @torch.inference_mode()
    def unembed(
        self, hidden: Float[Tensor, "*row batch d_model"], answer_ids: Int[Tensor, "batch answer"]
    ) -> Float[Tensor, "*row batch answer"]:
        """The linear part of the readout: products with the answers' rows of the unembedding, in float32."""
        rows = self.parts.unembedding.weight[answer_ids].float()
        return einsum(hidden.float(), rows, "... batch d_model, batch answer d_model -> ... batch answer")

    @torch.inference_mode()
    def unembedding_bias(
        self, answer_ids: Int[Tensor, "batch answer"]
    ) -> Float[Tensor, "batch answer"] | None:
        """The constant part of the readout, where the model has one."""
        bias = self.parts.unembedding.bias
        return None if bias is None else bias[answer_ids].float()

    def cap(self, logits: Float[Tensor, "*batch answer"]) -> Float[Tensor, "*batch answer"]:
        """The final soft-cap, where the model has one."""
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    @torch.inference_mode()
    def attention_bias(self, layer: int) -> Float[Tensor, " d_model"]:
        """What the output projection adds whatever the heads say."""
        output = self.parts.attention_outputs[layer]
        nothing = torch.zeros(1, self.n_heads * self.d_head, dtype=self.dtype, device=self.device)
        return output(nothing)[0]

    @torch.inference_mode()
    def project_heads(
        self, layer: int, z: Float[Tensor, "batch head d_head"]
    ) -> Float[Tensor, "head batch d_model"]:
        """W_O^h z_h of each head: the output projection applied to one head at a time, less its bias."""
        alone = torch.eye(self.n_heads, dtype=z.dtype, device=z.device)
        z = einsum(z, alone, "batch head d_head, one head -> one batch head d_head")
        z = rearrange(z, "one batch head d_head -> one batch (head d_head)")
        return self.parts.attention_outputs[layer](z) - self.attention_bias(layer)

    @torch.inference_mode()
    def project_head(
        self, layer: int, head: int, values: Float[Tensor, "batch d_head"]
    ) -> Float[Tensor, "batch d_model"]:
        """W_O^h v for any vectors v of one head's size."""
        z = values.new_zeros(len(values), self.n_heads, self.d_head)
        z[:, head] = values
        return self.parts.attention_outputs[layer](z.flatten(1)) - self.attention_bias(layer)


def _read_config(folder: Path) -> PreTrainedConfig:
    try:
        return AutoConfig.from_pretrained(folder, **_LOCAL)
    except (OSError, ValueError, KeyError) as error:
        raise UnsupportedModel(
            f"{folder} holds no model configuration that transformers can read: {error}"
        ) from error
