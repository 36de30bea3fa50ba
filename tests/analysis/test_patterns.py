"""Attention from every token: the strongest keys of each query, and small pictures of all heads."""

from base64 import b64decode

import numpy as np
import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.base import NoParameters
from analysis.analyses.pattern import SMALLEST, HeadPattern, PatternParameters
from analysis.analyses.thumbnails import Thumbnails
from analysis.errors import BadQuestion, UnknownNode
from analysis.nodes import Head
from analysis.patterns import head_pattern, shrunk, strongest_keys
from analysis.prompts import PromptPair
from tests.analysis.conftest import tiny_network
from tests.analysis.summaries import summary_of


@pytest.fixture
def pair(random_prompt):
    return PromptPair(random_prompt(5, n_tokens=30), random_prompt(6, n_tokens=30))


@torch.inference_mode()
def eager(model, prompt):
    """Every layer's whole pattern, as transformers reports it."""
    before = model.network.config._attn_implementation
    model.network.set_attn_implementation("eager")
    try:
        run = model.network(stack_tokens([prompt]), use_cache=False, output_attentions=True)
    finally:
        model.network.set_attn_implementation(before)
    return torch.stack(run.attentions)[:, 0]


def test_every_row_of_a_pattern_is_that_of_eager_attention(model, pair):
    theirs = eager(model, pair.clean)
    for head in (Head(0, 1), Head(3, 2)):
        ours = head_pattern(model, pair.clean, head)
        assert (ours - theirs[head.layer, head.head]).abs().max() <= 1e-5
        assert (ours.triu(1) == 0).all()


def by_query(summary, n):
    """What the flat lists say of every query: its keys with their shares."""
    found = [{} for _ in range(n)]
    for query, key, value in zip(*(summary.details[name] for name in ("query", "key", "value")), strict=True):
        found[query][key] = value
    return found


@pytest.mark.parametrize("top", [1, 8])
def test_listed_and_rest_are_one_for_every_query(tiny_model, pair, top):
    model, parameters = tiny_model("llama"), PatternParameters(layer=1, head=3, top=top)
    summary = summary_of(HeadPattern(), model, [pair], parameters)
    whole, rest = head_pattern(model, pair.clean, Head(1, 3)), summary.tables["not_listed"].mean
    assert rest.max() > 0.01, "nothing is left out here, so this proves nothing"
    for place, listed in enumerate(by_query(summary, 30)):
        assert 0 < len(listed) <= top
        assert sum(listed.values()) + float(rest[place]) == pytest.approx(1, abs=1e-3)
        assert min(listed.values()) >= SMALLEST
        assert set(listed) <= set(whole[place].topk(top).indices.tolist())
        for key, value in listed.items():
            assert value == pytest.approx(float(whole[place, key]), abs=6e-5)


@pytest.mark.parametrize("family", ["gpt2", "gemma2"])
def test_a_pattern_of_300_tokens_is_small_on_the_wire(family, random_prompt):
    from analysis.model import LanguageModel
    from backend.encoding import encode_result, encode_summary

    model = LanguageModel.wrap(tiny_network(family, max_position_embeddings=512))
    pair = PromptPair(random_prompt(5, n_tokens=300), random_prompt(6, n_tokens=300))
    summary = summary_of(HeadPattern(), model, [pair], PatternParameters(layer=1, head=0))
    assert len(summary.details["value"]) > 600, "too sparse to say much"
    assert len(encode_result(encode_summary(summary))) <= 100_000


def test_a_pattern_belongs_to_one_prompt_and_one_head_that_exists(tiny_model, pair, pairs):
    model = tiny_model("llama")
    with pytest.raises(BadQuestion, match=r"prompts\.index"):
        HeadPattern().check(model, pairs, PatternParameters())
    with pytest.raises(BadQuestion, match="top is 0"):
        HeadPattern().check(model, [pair], PatternParameters(top=0))
    with pytest.raises(UnknownNode, match="L0H9"):
        HeadPattern().check(model, [pair], PatternParameters(head=9))
    with pytest.raises(BadQuestion, match=r"prompts\.index"):
        Thumbnails().check(model, pairs, NoParameters())


def test_a_pixel_is_the_largest_of_its_tokens():
    pattern = torch.rand(2, 7, 7)
    small = shrunk(pattern, 3)
    bounds = [(0, 3), (3, 5), (5, 7)]  # t * 3 // 7
    for row, (top, bottom) in enumerate(bounds):
        for column, (left, right) in enumerate(bounds):
            assert torch.equal(small[:, row, column], pattern[:, top:bottom, left:right].amax((1, 2)))


@pytest.mark.parametrize(("family", "n_tokens"), [("gemma2", 14), ("gpt2", 30)])
def test_thumbnails_are_the_patterns_of_all_heads(tiny_model, random_prompt, family, n_tokens):
    model = tiny_model(family)
    pair = PromptPair(random_prompt(3, n_tokens=n_tokens), random_prompt(4, n_tokens=n_tokens))
    summary = summary_of(Thumbnails(), model, [pair], NoParameters())
    theirs, size = eager(model, pair.clean), min(24, n_tokens)
    pixels = np.frombuffer(b64decode(summary.details["pixels"]), np.uint8).reshape(4, 4, size, size)
    first = np.frombuffer(b64decode(summary.details["first_key"]), np.uint8).reshape(4, 4, size)
    whole = pixels.copy()
    whole[..., 0] = np.maximum(whole[..., 0], first)
    expected = torch.stack([shrunk(patterns, size) for patterns in theirs]).sqrt() * 255
    assert np.abs(whole - expected.numpy()).max() <= 0.51
    without = theirs.clone()
    without[..., 0] = 0
    expected = torch.stack([shrunk(patterns, size) for patterns in without]).sqrt() * 255
    assert np.abs(pixels - expected.numpy()).max() <= 0.51
    assert (summary.tables["sink"].mean - theirs[:, :, 1:, 0].mean(-1)).abs().max() <= 1e-5


def test_strongest_keys_of_a_short_prompt_are_all_of_them():
    found = strongest_keys(torch.eye(3), 8)
    assert found.keys.shape == (3, 3) and found.rest.abs().max() == 0
