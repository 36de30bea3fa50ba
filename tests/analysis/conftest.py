"""Tiny random models, one of every supported architecture, and prompts of random tokens.

The models are shared by all tests and read-only. `analysis` is imported inside the fixtures only, so that the
shape checks are installed before it.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_num_threads(1)  # the tensors are tiny
VOCABULARY, WINDOW = 97, 6  # the sliding window is shorter than the prompts, so it matters

_COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": None,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_SLIDING = {
    "sliding_window": WINDOW,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "query_pre_attn_scalar": 12,
}
_NO_GROUPS = {"num_key_value_heads": 4}  # these have keys and values for every head
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"attention_bias": True, "mlp_bias": True},
    "mistral": {"sliding_window": WINDOW},
    "qwen2": {},
    "qwen3": {"head_dim": 12, "attention_bias": True},
    "gemma2": {"head_dim": 12, "attn_logit_softcapping": 3.0, "final_logit_softcapping": 8.0} | _SLIDING,
    "gemma3_text": {"head_dim": 12, "attention_bias": True} | _SLIDING,
    "gpt2": {"n_inner": None, "scale_attn_by_inverse_layer_idx": True} | _NO_GROUPS,
    "gpt_neox": _NO_GROUPS,
    "phi": {"num_key_value_heads": 2},
    "olmo2": {"attention_bias": True},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32} | _NO_GROUPS,
}


def tiny_network(family: str, seed: int = 0, **changes: Any):
    """A network of four layers in which every parameter is random, also biases and norms."""
    torch.manual_seed(seed)
    config = AutoConfig.for_model(family, **{**_COMMON, **FAMILIES[family], **changes})
    network = AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                wide = "embed" in name or "wte" in name or "wpe" in name
                parameter.normal_(std=1.0 if wide else 1.6 * parameter.shape[-1] ** -0.5)
            else:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return network


@pytest.fixture(scope="session")
def tiny_model() -> Callable[[str], Any]:
    """`tiny_model(family)`: the shared model of that family."""
    from analysis.model import LanguageModel

    models: dict[str, LanguageModel] = {}

    def get(family: str) -> LanguageModel:
        if family not in models:
            models[family] = LanguageModel.wrap(tiny_network(family))
        return models[family]

    return get


@pytest.fixture(params=sorted(FAMILIES))
def model(request: pytest.FixtureRequest, tiny_model: Callable[[str], Any]) -> Any:
    """The tiny model of every family in turn."""
    return tiny_model(request.param)


@pytest.fixture(scope="session")
def random_prompt() -> Callable[..., Any]:
    """Makes prompts of random tokens with four labels; `like`: differing from that one in four tokens."""
    from analysis.prompts import Prompt
    from analysis.questions import Option, Question

    def make(seed: int, n_tokens: int = 14, like: Prompt | None = None, correct: int | None = None) -> Prompt:
        draw = torch.Generator().manual_seed(seed)
        ids = torch.randint(3, VOCABULARY, (n_tokens,), generator=draw).tolist()
        if like is not None:
            ids = [*like.token_ids[:-5], *ids[-5:-1], like.token_ids[-1]]
        options = tuple(Option(label, f"thing {label}") for label in "ABCD")
        return Prompt(
            question=Question("Which?", options, correct=seed % 4 if correct is None else correct),
            text="",
            token_ids=tuple(ids),
            token_texts=tuple(str(i) for i in ids),
            roles=(("question",),) * len(ids),
            label_ids=(11, 23, 35, 47),
            label_positions=(2, 4, 6, 8),
        )

    return make


@pytest.fixture(scope="session")
def pairs(random_prompt: Callable[..., Any]) -> Any:
    """Two pairs of equal length that share their first tokens and their last one."""
    from analysis.prompts import PromptPair

    cleans = [random_prompt(seed) for seed in (1, 2)]
    return [PromptPair(clean, random_prompt(10 + i, like=clean)) for i, clean in enumerate(cleans)]


@pytest.fixture(scope="session")
def uneven_pairs(random_prompt: Callable[..., Any]) -> Any:
    """Two pairs whose corrupt prompts are longer than the clean ones."""
    from analysis.prompts import PromptPair

    return [PromptPair(random_prompt(seed), random_prompt(seed + 20, n_tokens=17)) for seed in (1, 2)]
