"""Low-rank adapters in PEFT's format, merged into the weights when a model is loaded: W + (alpha / r) B A."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from analysis.errors import UnsupportedModel

# What a plain low-rank adapter does not have; merged as if it were plain, it would be silently wrong.
_MUST_BE_EMPTY = (
    "rank_pattern",
    "alpha_pattern",
    "use_dora",
    "modules_to_save",
    "layer_replication",
    "trainable_token_indices",
)
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def merge_lora(network: PreTrainedModel, folder: Path) -> None:
    """Add an adapter (`adapter_config.json`, `adapter_model.safetensors`) to the weights of `network`."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    _check_plain(config, folder)
    tensors = load_file(folder / "adapter_model.safetensors")
    root = config["r"] ** 0.5 if config.get("use_rslora") else config["r"]
    scale = config["lora_alpha"] / root
    names = sorted(name.removesuffix(_A) for name in tensors if name.endswith(_A))
    strangers = set(tensors) - {name + half for name in names for half in (_A, _B)}
    if strangers or not names:
        raise UnsupportedModel(
            f"The adapter in {folder} has tensors that are not LoRA pairs: {sorted(strangers)[:3]}."
        )
    for name in names:
        _add(
            network,
            name.removeprefix(_PREFIX),
            scale * (tensors[name + _B].float() @ tensors[name + _A].float()),
        )


def _check_plain(config: dict[str, Any], folder: Path) -> None:
    found = [name for name in _MUST_BE_EMPTY if config.get(name)]
    if config.get("peft_type", "LORA") != "LORA" or config.get("bias", "none") != "none" or found:
        raise UnsupportedModel(
            f"The adapter in {folder} is not plain LoRA ({', '.join(found) or 'peft_type or bias'})."
        )


def _add(network: PreTrainedModel, name: str, change: Tensor) -> None:
    """Add to one weight; GPT-2's Conv1D keeps it transposed."""
    try:
        module = network.get_submodule(name)
    except AttributeError as error:
        raise UnsupportedModel(f"The adapter changes {name}, which this model does not have.") from error
    weight = module.weight
    assert isinstance(weight, Tensor)
    change = change.T if isinstance(module, Conv1D) else change
    if change.shape != weight.shape:
        raise UnsupportedModel(
            f"The adapter changes {name} by {tuple(change.shape)}, its weight is {tuple(weight.shape)}."
        )
    with torch.no_grad():
        weight += change.to(weight)
