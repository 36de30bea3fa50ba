"""Reading weights: several at once, and never a made-up one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from analysis.errors import UnsupportedModel
from analysis.weights import read_network


@pytest.fixture
def tied(tmp_path: Path) -> Path:
    """A model whose unembedding is its embedding, so that no file holds it."""
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    return tmp_path


def test_readers_side_by_side_get_every_weight(tied: Path) -> None:
    expected = load_file(tied / "model.safetensors")["model.embed_tokens.weight"]
    with ThreadPoolExecutor(4) as pool:
        networks = list(pool.map(lambda _: read_network(tied, torch.float32), range(24)))
    for network in networks:
        assert not any(weight.is_meta for weight in network.parameters())
        assert torch.equal(network.get_output_embeddings().weight, expected)


def test_a_missing_weight_is_refused_by_name(tied: Path) -> None:
    weights = load_file(tied / "model.safetensors")
    del weights["model.layers.2.mlp.up_proj.weight"]
    save_file(weights, tied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnsupportedModel, match=r"lacks 1 of .*model\.layers\.2\.mlp\.up_proj\.weight"):
        read_network(tied, torch.float32)
