"""Queries, keys and values of heads (F25): they make the scores; unrotated, a token is the same anywhere."""

import math
from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.adapter import attending
from analysis.errors import BadQuestion, UnknownNode
from analysis.nodes import Head
from analysis.run import record
from analysis.vectors import collect, collect_heads, option_positions, unrotated, vectors_in

EXACT = 1e-4
HEADS = [Head(0, 3), Head(1, 0), Head(2, 2), Head(3, 1)]
WITHOUT_ROTATION = ("gpt2", "opt")


def scales_of(model):
    """Scale and soft-cap of each layer, as transformers hands them to its attention function."""
    calls = []

    def attend(call):
        calls.append(call)
        return torch.zeros_like(call.query.transpose(1, 2))

    with attending(model.network, attend):
        model.hidden(torch.tensor([[1]]))
    return [(call.scaling, call.softcap) for call in calls]


def test_they_make_the_scores_and_the_pattern(model, random_prompt):
    """softmax over all positions, the options' scores made of the vectors, is the recorded pattern."""
    prompts = [random_prompt(seed) for seed in (1, 2, 3)]
    run, scales = record(model, stack_tokens(prompts)), scales_of(model)
    for head in HEADS:
        scaling, softcap = scales[head.layer]
        group = head.head * model.n_kv_heads // model.n_heads
        found = vectors_in(model, run, prompts, head)
        raw = (run.keys[head.layer][:, group] @ run.query[head.layer][:, head.head, :, None]).squeeze(-1)
        ours = torch.einsum("pd,pad->pa", found.query, found.keys)
        positions = torch.tensor([prompt.label_positions for prompt in prompts])
        assert (ours - raw.gather(1, positions)).abs().max() <= EXACT
        scores = raw.scatter(1, positions, ours) * scaling
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        mask = run.masks[head.layer]
        if mask is not None:
            scores = scores + mask[:, 0, -1]
        assert (scores.softmax(-1) - run.pattern[head.layer][:, head.head]).abs().max() <= EXACT


def test_without_rotation_a_token_has_one_key_and_query(model, random_prompt):
    """In layer 0, where nothing has been mixed in yet, unless positions are learned and so in the input."""
    prompt = random_prompt(1)
    ids = list(prompt.token_ids)
    for position in (*prompt.label_positions, len(ids) - 1):
        ids[position] = 7
    prompt = replace(prompt, token_ids=tuple(ids))
    shorter = replace(prompt, token_ids=(*ids[:10], 7))
    pre, post = (collect(model, [prompt, shorter], Head(0, 1), rope=rope) for rope in ("pre", "post"))
    if model.family in WITHOUT_ROTATION:
        assert torch.equal(pre.keys, post.keys)
        assert torch.equal(pre.query, post.query)
        return
    assert (pre.keys - pre.keys[:1, :1]).abs().max() <= 1e-5
    assert (pre.query - pre.query[:1]).abs().max() <= 1e-5
    assert (post.keys - post.keys[:1, :1]).abs().max() > 1e-3
    assert torch.equal(pre.values, post.values)


def test_rotation_keeps_scores_of_equal_distance(tiny_model):
    """q_p · k_s depends on the content and on p − s alone: turned by hand from another place."""
    from analysis.rotary import rotations

    for family in ("llama", "gpt_neox", "phi", "gemma3_text"):
        model = tiny_model(family)
        for layer in (0, 1):
            query, key = torch.randn(2, model.d_head)
            turned = rotations(model, layer, torch.arange(14), 14)
            scores = torch.einsum("pij,j,qik,k->pq", turned, query, turned, key)
            diagonal = scores.diagonal(offset=3)
            assert (diagonal - diagonal[0]).abs().max() <= 1e-4
            assert scores.diagonal().std() < 1e-4 < (scores.diagonal(offset=3)[0] - scores[0, 0]).abs()
            back = unrotated(model, layer, turned @ key, torch.arange(14), 14)
            assert (back - key).abs().max() <= 1e-5


def test_layers_of_gemma3_turn_at_their_own_speed(tiny_model):
    from analysis.rotary import rotations

    local, whole = (rotations(tiny_model("gemma3_text"), layer, torch.tensor(9), 14) for layer in (0, 1))
    assert (local - whole).abs().max() > 0.1


def test_any_lengths_in_any_order(tiny_model, random_prompt):
    """Several heads at once, without the layers above, as one prompt and head at a time in whole runs."""
    model, heads = tiny_model("qwen3"), [Head(2, 3), Head(0, 1)]
    prompts = [random_prompt(seed, n_tokens=14 + seed % 3) for seed in range(20)]
    together = collect_heads(model, prompts, heads)
    for head in heads:
        for index in (0, 7, 13, 19):
            alone = vectors_in(
                model, record(model, stack_tokens(prompts[index : index + 1])), [prompts[index]], head
            )
            for name in ("query", "keys", "values", "z"):
                theirs = getattr(together[head][[index]], name)
                assert (theirs - getattr(alone, name)).abs().max() <= 1e-5


def test_positions_of_options(random_prompt):
    prompt = random_prompt(1)
    roles: list[tuple[str, ...]] = [("content",)] * 14
    for position in (3, 5, 7, 10):
        roles[position] = ("content", "content_last")
    roles[10] = ("content_last", "newline")  # merged by a tokenizer
    for position in (4, 6, 8):
        roles[position] = ("newline",)
    prompt = replace(prompt, label_positions=(2, 5, 7, 9), roles=tuple(roles))
    assert option_positions(prompt) == (2, 5, 7, 9)
    assert option_positions(prompt, "delimiter") == (3, 6, 8, 10)
    assert option_positions(prompt, "content_last") == (3, 5, 7, 10)
    assert option_positions(prompt, "newline") == (4, 6, 8, 10)
    with pytest.raises(BadQuestion):
        option_positions(random_prompt(2), "newline")


def test_unknown_heads_are_refused(tiny_model, random_prompt):
    with pytest.raises(UnknownNode):
        collect(tiny_model("llama"), [random_prompt(1)], Head(9, 0))


def test_scores_are_scaled_as_expected(tiny_model):
    """The scales that this file reads are the models' own, not one for all."""
    assert scales_of(tiny_model("llama"))[0] == (8**-0.5, None)
    gemma = scales_of(tiny_model("gemma2"))[0]
    assert math.isclose(gemma[0], 12**-0.5)
    assert gemma[1] == 3.0
    assert scales_of(tiny_model("gpt2"))[1][0] != scales_of(tiny_model("gpt2"))[0][0]
