"""A merged adapter acts like the low-rank path beside each weight."""

import json

import pytest
import torch
from safetensors.torch import save_file

from analysis.errors import UnsupportedModel
from analysis.lora import merge_lora
from analysis.model import LanguageModel
from tests.analysis.conftest import tiny_network

MODULES = {"llama": "model.layers.1.self_attn.q_proj", "gpt2": "transformer.h.1.attn.c_attn"}


def write_adapter(folder, module, network, **config):
    """A rank-3 adapter of one module; returns A and B."""
    weight = network.get_submodule(module).weight
    d_out, d_in = weight.shape if "proj" in module else weight.shape[::-1]
    a, b = torch.randn(3, d_in), torch.randn(d_out, 3)
    names = (f"base_model.model.{module}.lora_{half}.weight" for half in "AB")
    save_file(dict(zip(names, (a, b), strict=True)), folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": 3, "lora_alpha": 6, "bias": "none"} | config
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return a, b


@pytest.mark.parametrize("family", MODULES)
@pytest.mark.parametrize(("config", "scale"), [({}, 2.0), ({"use_rslora": True}, 6 / 3**0.5)])
def test_merged_equals_side_path(family, config, scale, tmp_path):
    network, merged = tiny_network(family), tiny_network(family)
    a, b = write_adapter(tmp_path, MODULES[family], network, **config)
    merge_lora(merged, tmp_path)
    network.get_submodule(MODULES[family]).register_forward_hook(
        lambda _module, inputs, output: output + scale * inputs[0] @ a.T @ b.T
    )
    ids = torch.arange(3, 13)[None]
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, network(ids).logits, atol=1e-4)
        assert not torch.allclose(merged(ids).logits, tiny_network(family)(ids).logits, atol=1e-2)


def test_load_merges(tiny_folder, tmp_path):
    plain = LanguageModel.load(tiny_folder)
    a, b = write_adapter(tmp_path, "model.layers.0.self_attn.o_proj", plain.network)
    adapted = LanguageModel.load(tiny_folder, adapter=tmp_path)
    weights = (model.parts.attention_outputs[0].weight for model in (adapted, plain))
    assert torch.allclose(next(weights) - next(weights), 2 * b @ a, atol=1e-5)


@pytest.mark.parametrize("config", [{"use_dora": True}, {"bias": "all"}, {"rank_pattern": {"q_proj": 4}}])
def test_other_adapters_are_refused(config, tmp_path):
    network = tiny_network("llama")
    write_adapter(tmp_path, MODULES["llama"], network, **config)
    with pytest.raises(UnsupportedModel, match="not plain LoRA"):
        merge_lora(network, tmp_path)


def test_an_adapter_of_another_model_is_refused(tmp_path):
    write_adapter(tmp_path, MODULES["gpt2"], tiny_network("gpt2"))
    with pytest.raises(UnsupportedModel, match="does not have"):
        merge_lora(tiny_network("llama"), tmp_path)
    write_adapter(tmp_path, MODULES["llama"], tiny_network("llama", hidden_size=64))
    with pytest.raises(UnsupportedModel, match="its weight is"):
        merge_lora(tiny_network("llama"), tmp_path)
