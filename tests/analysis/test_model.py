"""The adapter against untouched transformers (F1), loading, and what is refused."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from analysis.activations import stack_answers, stack_tokens
from analysis.adapter import attending, hooked
from analysis.errors import MisalignedPrompts, NonFinite, UnsupportedModel
from analysis.families import FAMILIES
from analysis.model import LanguageModel
from analysis.naive import plain_logits
from analysis.run import record
from tests.analysis import conftest


@pytest.fixture
def token_ids(pairs):
    return stack_tokens([pair.clean for pair in pairs])


def test_every_family_is_tested():
    assert set(FAMILIES) == set(conftest.FAMILIES)


def test_our_logits_are_the_models(model, token_ids):
    ours = model.logits(record(model, token_ids).final.hidden)
    assert (ours - plain_logits(model, token_ids)).abs().max() <= 1e-5


def test_answer_logits_are_entries_of_all_logits(model, token_ids):
    hidden = record(model, token_ids).final.hidden
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    assert torch.allclose(model.answer_logits(hidden, ids), model.logits(hidden).gather(1, ids), atol=1e-5)


def test_afterwards_the_model_is_bit_identical(model, token_ids):
    before, attention = plain_logits(model, token_ids), model.network.config._attn_implementation
    record(model, token_ids)
    with pytest.raises(RuntimeError, match="on purpose"), attending(model.network, _fail):
        model.hidden(token_ids)
    with pytest.raises(RuntimeError, match="on purpose"), hooked(outputs=[(model.parts.mlps[1], _fail)]):
        model.hidden(token_ids)
    assert torch.equal(plain_logits(model, token_ids), before)
    assert model.network.config._attn_implementation == attention != "headscope"


def _fail(_):
    raise RuntimeError("on purpose")


def test_two_models_run_at_the_same_time(tiny_model, token_ids):
    """Each thread attends for itself."""
    models = [tiny_model("llama"), tiny_model("qwen3")]
    expected = [plain_logits(model, token_ids) for model in models]

    def logits(model):
        return [model.logits(record(model, token_ids).final.hidden) for _ in range(5)]

    with ThreadPoolExecutor(2) as threads:
        for found, plain in zip(threads.map(logits, models), expected, strict=True):
            assert all((one - plain).abs().max() <= 1e-5 for one in found)


def test_batch_equals_one_by_one(model, token_ids):
    together = record(model, token_ids).final.hidden
    alone = torch.cat([record(model, token_ids[row : row + 1]).final.hidden for row in range(2)])
    assert (together - alone).abs().max() <= 1e-5


def test_sizes(tiny_model):
    model = tiny_model("qwen3")
    sizes = (model.n_layers, model.n_heads, model.n_kv_heads, model.d_model, model.d_head, model.d_mlp)
    assert sizes == (4, 4, 2, 32, 12, 48)
    assert (tiny_model("gpt2").d_mlp, tiny_model("opt").d_mlp, tiny_model("opt").max_tokens) == (128, 48, 64)
    assert (
        model.vocab_size == conftest.VOCABULARY and model.dtype == torch.float32 and model.family == "qwen3"
    )
    assert model.n_parameters == sum(p.numel() for p in model.network.parameters())


@pytest.mark.parametrize(
    ("family", "changes", "reason"),
    [
        ("bloom", {"n_layer": 2, "n_head": 4}, "'bloom'.*Supported architectures: gemma2"),
        ("opt", {"do_layer_norm_before": False}, "do_layer_norm_before = False"),
        ("opt", {"word_embed_proj_dim": 16}, "output embedding"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "use_bidirectional_attention"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused(family, changes, reason):
    settings = conftest._COMMON | conftest.FAMILIES.get(family, {}) | changes
    network = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings))
    with pytest.raises(UnsupportedModel, match=reason):
        LanguageModel.wrap(network)


def test_load_from_a_folder(tiny_folder, tmp_path):
    model = LanguageModel.load(tiny_folder)
    assert model.tokenizer is not None and model.n_layers == 2
    plain = AutoModelForCausalLM.from_pretrained(tiny_folder)
    ids = torch.arange(10)[None]
    with torch.no_grad():
        expected = plain(ids).logits[:, -1]
    assert torch.allclose(model.logits(record(model, ids).final.hidden), expected, atol=1e-5)
    assert LanguageModel.load(tiny_folder, dtype="bfloat16").dtype == torch.bfloat16

    shutil.copytree(tiny_folder, tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").unlink()
    with pytest.raises(UnsupportedModel, match="no safetensors weights"):
        LanguageModel.load(tmp_path / "other")
    config = tmp_path / "other" / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"unheard-of"'))
    with pytest.raises(UnsupportedModel, match="unheard-of"):
        LanguageModel.load(tmp_path / "other")


def test_values_that_are_not_finite_are_named(token_ids):
    broken = LanguageModel.wrap(conftest.tiny_network("llama"))
    with torch.no_grad():
        broken.network.model.layers[2].mlp.down_proj.weight[3, 3] = torch.nan
    with pytest.raises(NonFinite, match="first are in MLP2"):
        record(broken, token_ids)


def test_prompts_that_cannot_share_a_run(random_prompt, uneven_pairs):
    with pytest.raises(MisalignedPrompts, match=r"\[14, 17\]"):
        stack_tokens([uneven_pairs[0].clean, uneven_pairs[0].corrupt])
    shorter = random_prompt(1)
    object.__setattr__(shorter, "label_ids", (1, 2))
    with pytest.raises(MisalignedPrompts, match=r"\[2, 4\]"):
        stack_answers([random_prompt(1), shorter])
