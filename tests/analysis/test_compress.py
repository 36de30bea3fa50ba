"""Rank-r worlds (F27): all ranks are the clean run, rank 0 the mean; siblings keep still; hooks agree."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from analysis import naive
from analysis.activations import stack_answers, stack_tokens
from analysis.compress import HeadSubspaces, World, compressed
from analysis.interventions import Affine, KnockOut, Patch, Rewrite, Sight
from analysis.model import Certificate
from analysis.nodes import Head
from analysis.pair_runs import run_pairs
from analysis.patching import patched_finals, patched_hidden
from analysis.run import record
from analysis.vectors import collect_heads, stack_positions, vectors_in

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
KINDS = ("q", "k", "v", "qk", "qkv")
HEADS = [Head(1, 0), Head(1, 3), Head(2, 2)]
MIXED = [
    World("clean"),
    World("qkv", 3),
    World("k", 2, "random", draw=4),
    World("ablated"),
    World("v", 1, "bottom"),
    World("q", 0),
    World("qk", 5, "random"),
]


@pytest.fixture(scope="module")
def others(random_prompt):
    """Prompts to fit on; the judged ones (seeds 1 to 3) are not among them."""
    return [random_prompt(seed, n_tokens=13 + seed % 2) for seed in range(100, 130)]


@pytest.fixture(scope="module")
def prompts(random_prompt):
    return [random_prompt(seed) for seed in (1, 2, 3)]


def fitted(model, others, heads=HEADS, centring: Any = "prompt", **looked):
    """Subspaces of these heads, fitted on the other prompts."""
    found = collect_heads(model, others, heads, **looked)
    return {head: HeadSubspaces.of(found[head], centring, **looked) for head in heads}


@pytest.mark.parametrize("rope", ["post", "pre"])
def test_every_dimension_is_the_clean_run(rope, model, prompts, others):
    subspaces = fitted(model, others, rope=rope)
    found = compressed(
        model, prompts, subspaces, [World("clean"), *(World(kind, model.d_head) for kind in KINDS)]
    )
    run = record(model, stack_tokens(prompts))
    clean = model.answer_logits(run.final.hidden, stack_answers(prompts))
    assert (found.logits - clean).abs().max() <= EXACT
    labels = list(prompts[0].label_positions)
    for index, head in enumerate(HEADS):
        attention = run.pattern[head.layer][:, head.head][:, labels]
        assert (found.attention[:, :, index] - attention).abs().max() <= EXACT


@pytest.mark.parametrize("rope", ["post", "pre"])
def test_exact_rows_are_those_of_plain_hooks(rope, model, prompts, others):
    """Several heads in several layers, every kind of world."""
    subspaces = fitted(model, others, rope=rope)
    exact = compressed(model, prompts, subspaces, MIXED)
    plain = compressed(model.with_certificate(FAILED), prompts, subspaces, MIXED)
    assert (exact.logits - plain.logits).abs().max() <= EXACT
    assert (exact.attention - plain.attention).abs().max() <= EXACT
    assert ((exact.logits[1:] - exact.logits[0]).abs().amax((1, 2)) > 1e-3).all()


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
def test_rank_zero_leaves_the_mean(family, tiny_model, prompts, others):
    """By hand: the mean of the other prompts' vectors in place of each, given as they shall be."""
    model, head = tiny_model(family), Head(2, 1)
    found = collect_heads(model, others, [head])[head]
    subspaces = {head: HeadSubspaces.of(found, "global")}
    run = record(model, stack_tokens(prompts))
    n, d = len(prompts), model.d_head
    means = {
        "q": {"query": Affine(torch.zeros(d, d), found.query.mean(0).expand(n, -1))},
        "k": {"keys": found.keys.mean((0, 1)).expand(n, 4, -1)},
        "v": {"values": found.values.mean((0, 1)).expand(n, 4, -1)},
    }
    means["qk"] = means["q"] | means["k"]
    means["qkv"] = means["qk"] | means["v"]
    positions = stack_positions(prompts)
    by_hand = [Rewrite((Sight(head, positions, **means[kind]),), 14) for kind in KINDS]
    expected = torch.stack(
        [
            logits.gather(1, stack_answers(prompts))
            for logits in naive.patched_logits(model, run.token_ids, run.suffix, by_hand)
        ]
    )
    ours = compressed(model, prompts, subspaces, [World(kind, 0) for kind in KINDS])
    assert (ours.logits - expected).abs().max() <= EXACT


def test_rank_zero_of_keys_leaves_equal_scores(tiny_model, prompts, others):
    """All options get the same score, so the same attention."""
    model = tiny_model("llama")
    for centring in ("global", "prompt"):
        subspaces = fitted(model, others, HEADS[:1], centring)
        attention = compressed(model, prompts, subspaces, [World("k", 0), World("k", 3)]).attention
        assert (attention[0] - attention[0, :, :, :1]).abs().max() <= 1e-5
        assert (attention[1] - attention[1, :, :, :1]).abs().max() > 1e-3


def test_the_ablated_head_writes_its_mean(tiny_model, prompts, others):
    model, head = tiny_model("qwen3"), Head(2, 3)
    subspaces = fitted(model, others, [head])
    run = record(model, stack_tokens(prompts))
    final = torch.zeros_like(run.token_ids, dtype=torch.bool)
    final[:, -1] = True
    z = run.suffix.z.clone()
    z[2, :, -1, 3] = torch.stack([record(model, stack_tokens([p])).final.z[2, 0, 3] for p in others]).mean(0)
    source = replace(run.suffix, z=z)
    hidden = patched_hidden(model, run, source, [Patch((head,), final)])[0]
    ours = compressed(model, prompts, subspaces, [World("ablated")])
    assert (ours.logits[0] - model.answer_logits(hidden, stack_answers(prompts))).abs().max() <= 1e-5


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2", "phi"])
def test_heads_that_share_keys_do_not_move(family, tiny_model, prompts, others):
    """z of every other head of the layer is the same to the last bit, that of the head is another."""
    model, head = tiny_model(family), Head(1, 2)
    run = record(model, stack_tokens(prompts))
    vectors = vectors_in(model, run, prompts, head)
    sight = Sight(
        head, stack_positions(prompts), Affine(-torch.eye(model.d_head), torch.ones(3, model.d_head)),
        vectors.keys + 1, 2 * vectors.values,
    )  # fmt: skip
    nothing = KnockOut((head,), *(torch.zeros_like(run.token_ids, dtype=torch.bool) for _ in range(2)))
    finals = patched_finals(model, run, run.suffix, [nothing, Rewrite((sight,), 14)])
    untouched, rewritten = finals.z[1].unflatten(0, (2, 3))
    siblings = [other for other in range(4) if other != head.head]
    assert torch.equal(untouched[:, siblings], rewritten[:, siblings])
    assert (untouched[:, 2] - rewritten[:, 2]).abs().max() > 0.01


def test_beside_other_interventions_in_the_pass_of_the_runs(tiny_model, pairs):
    """A rewrite among patches, base and source recorded on the way."""
    model = tiny_model("qwen3")
    runs = run_pairs(model, pairs)
    d, positions = model.d_head, stack_positions([pair.clean for pair in pairs])
    draw = torch.Generator().manual_seed(0)
    sights = [
        Sight(head, positions, Affine(torch.randn(d, d, generator=draw), torch.randn(2, d, generator=draw)))
        for head in HEADS
    ]
    keys = Sight(HEADS[0], positions, keys=torch.randn(2, 4, d, generator=draw))
    interventions = [
        Patch((Head(1, 1),), runs.final),
        Rewrite(tuple(sights), 14),
        Patch((Head(0, 2),), runs.final),
        Rewrite((keys, *sights[1:]), 14),
    ]
    found = runs.logits_in(interventions)
    expected = naive.patched_logits(
        model, runs.base_ids, runs.source_suffix, [interventions[1], interventions[3]]
    )
    ids = runs.answer_ids.expand(2, -1, -1)
    assert (found[[1, 3]] - expected.gather(2, ids)).abs().max() <= EXACT


def test_worlds_do_not_meet(tiny_model, prompts, others):
    """Any order, any company and any number of passes give the same numbers."""
    model = tiny_model("llama")
    subspaces = fitted(model, others)
    together = compressed(model, prompts, subspaces, MIXED)
    few = replace(model, memory_budget=1)
    assert (compressed(few, prompts, subspaces, MIXED).logits - together.logits).abs().max() <= 1e-5
    for index in (1, 2, 3, 6):
        alone = compressed(model, prompts, subspaces, MIXED[index : index + 1])
        assert (alone.logits[0] - together.logits[index]).abs().max() <= 1e-5
        assert (alone.attention[0] - together.attention[index]).abs().max() <= 1e-6
    one = compressed(model, prompts[1:2], subspaces, MIXED)
    assert (one.logits[:, 0] - together.logits[:, 1]).abs().max() <= 1e-5


def test_random_bases_differ_by_draw_and_part(tiny_model, prompts, others):
    model = tiny_model("llama")
    subspaces = fitted(model, others)
    worlds = [World("q", 3, "random", draw) for draw in range(5)]
    first, again = (compressed(model, prompts, subspaces, worlds).logits for _ in range(2))
    assert torch.equal(first, again)
    assert len({round(float(logits.sum()), 4) for logits in first}) == 5


def test_half_precision(tiny_network_model, prompts, others):
    """Rows stay in the model's own precision; every dimension is the clean run up to its rounding."""
    model = tiny_network_model
    subspaces = fitted(model, others)
    found = compressed(model, prompts, subspaces, [World("clean"), World("qkv", model.d_head)])
    assert found.logits.dtype == torch.float32
    assert (found.logits[1] - found.logits[0]).abs().max() <= 0.1


@pytest.fixture(scope="module")
def tiny_network_model():
    """A llama in bfloat16."""
    from analysis.model import LanguageModel
    from tests.analysis.conftest import tiny_network

    return LanguageModel.wrap(tiny_network("llama").to(torch.bfloat16))
