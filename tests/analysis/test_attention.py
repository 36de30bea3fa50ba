"""Attention from the final position: pattern (F19), weighted, by role (F20), signed (F21), by label (F22)."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.attention import AttentionByRole, HeadParameters, TokenAttention
from analysis.attention import at_labels, attention_in, by_role, head_attention
from analysis.attribution import logit_attribution
from analysis.bootstrap import mean_by_correct
from analysis.errors import UnknownNode
from analysis.nodes import Head
from analysis.run import record
from tests.analysis.summaries import summary_of


@pytest.fixture
def prompt(random_prompt):
    return random_prompt(5)


@torch.inference_mode()
def eager_row(model, token_ids):
    """The final position's row of every layer's pattern, as transformers reports it."""
    before = model.network.config._attn_implementation
    model.network.set_attn_implementation("eager")
    try:
        attentions = model.network(token_ids, use_cache=False, output_attentions=True).attentions
    finally:
        model.network.set_attn_implementation(before)
    return torch.stack(attentions)[..., -1, :]


def test_pattern_equals_eager_attention(model, pairs):
    token_ids = stack_tokens([pair.clean for pair in pairs])
    assert (record(model, token_ids).pattern - eager_row(model, token_ids)).abs().max() <= 1e-5


def test_a_sliding_window_is_a_window(tiny_model, prompt):
    pattern = record(tiny_model("gemma2"), stack_tokens([prompt])).pattern
    assert (pattern[[0, 2], ..., :-6] == 0).all() and (pattern[[1, 3], ..., :-6] > 0).all()


def test_pattern_and_values_give_z(model, prompt):
    run = record(model, stack_tokens([prompt]))
    values = run.values.repeat_interleave(model.n_heads // model.n_kv_heads, dim=2)
    z = torch.einsum("lbhk,lbhkd->lbhd", run.pattern, values)
    assert (z - run.final.z).abs().max() <= 1e-5


def output_weighted(model, run, head):
    """A · |W_O v|, with the head's part of W_O cut out of the weights."""
    kv_head = head.head * model.n_kv_heads // model.n_heads
    output = model.parts.attention_outputs[head.layer]
    weight = output.weight if type(output).__name__ == "Conv1D" else output.weight.T  # as in x @ W
    part = weight[head.head * model.d_head : (head.head + 1) * model.d_head]
    written = run.values[head.layer, 0, kv_head] @ part
    return run.pattern[head.layer, 0, head.head] * written.norm(dim=-1)


def test_weightings_by_hand(model, prompt):
    run = record(model, stack_tokens([prompt]))
    head = Head(2, 3)
    attention = attention_in(model, run, prompt, head)
    values = run.values.repeat_interleave(model.n_heads // model.n_kv_heads, dim=2)
    expected = run.pattern[2, 0, 3] * values[2, 0, 3].square().sum(-1).sqrt()
    assert torch.allclose(attention.raw, run.pattern[2, 0, 3])
    assert torch.allclose(attention.value_weighted, expected, atol=1e-5)
    assert torch.allclose(attention.output_weighted, output_weighted(model, run, head), atol=1e-5)
    assert abs(attention.raw.sum() - 1) <= 1e-5 and attention.correct == prompt.correct
    assert torch.equal(attention.shares[0], attention.raw)
    assert (attention.shares.sum(-1) - 1).abs().max() <= 1e-5
    assert attention.shares[2].argmax() == attention.output_weighted.argmax()


def test_signed_parts_sum_to_the_heads_attribution(model, prompt):
    attribution = logit_attribution(model, [prompt])
    labels = [part.label for part in attribution.components]
    run = record(model, stack_tokens([prompt]))
    for head in (Head(0, 0), Head(1, 2), Head(3, 3)):
        attention = attention_in(model, run, prompt, head)
        row = labels.index(str(head))
        assert (attention.signed.sum(0) - attribution.centred[0, row]).abs().max() <= 1e-4
        assert abs(attention.net.sum() - attribution.net[0, row]) <= 1e-4
        assert attention.signed.sum(-1).abs().max() <= 1e-4


def test_pooling_by_role():
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4])
    roles = (("question",), ("label", "label_A"), ("label", "label_B"), ("suffix",))
    pooled = by_role(weights, roles, ["question", "label", "label_B", "label_E"])
    assert torch.allclose(pooled, torch.tensor([0.1, 0.5, 0.3, torch.nan]), equal_nan=True)


def test_correct_by_label_is_the_mean_of_each_rows_prompts(random_prompt):
    prompt = random_prompt(3)
    weights = torch.arange(14.0)
    assert at_labels(weights, prompt).tolist() == [2, 4, 6, 8]
    label_weights = torch.tensor([[0.8, 0.2, 0.0], [0.4, 0.6, 0.0], [0.1, 0.7, 0.2]])
    correct = torch.tensor([0, 0, 1])
    table = mean_by_correct(label_weights, correct, 3)
    assert torch.allclose(table[:2], torch.tensor([[0.6, 0.4, 0.0], [0.1, 0.7, 0.2]]))
    assert table[2].isnan().all()  # no prompt has C correct
    counts = torch.tensor([2.0, 1.0])
    assert torch.allclose(
        counts @ table[:2] / 3, label_weights.mean(0)
    )  # rows weighted by count give the mean


@pytest.fixture
def pairs_with_roles(pairs):
    """The first token, four labels, and the rest."""
    roles = tuple(
        ("bos",)
        if pos == 0
        else ("label", f"label_{'ABCD'[pos // 2 - 1]}")
        if pos in (2, 4, 6, 8)
        else ("content",)
        for pos in range(14)
    )
    return [replace(pair, clean=replace(pair.clean, roles=roles)) for pair in pairs]


def test_roles_labels_and_sink_over_prompts(model, pairs_with_roles):
    """All roles together are all of the attention and, signed, the head's attribution; the sink is told."""
    summary = summary_of(AttentionByRole(), model, pairs_with_roles, HeadParameters(2, 1))
    tables, sink = summary.tables, summary.details["sink"]
    assert summary.coordinates["weighting"] == ("raw", "value_weighted", "output_weighted")
    assert torch.allclose(tables["by_role"].mean.sum(-1), torch.ones(3), atol=1e-5)
    assert torch.allclose(tables["by_role"].mean[:, 0], torch.tensor(list(sink.values())[:3]), atol=1e-6)
    parts = [logit_attribution(model, [pair.clean]) for pair in pairs_with_roles]
    row = [component.label for component in parts[0].components].index("L2H1")
    net = torch.stack([part.net[0, row] for part in parts]).mean()
    assert abs(tables["signed_by_role"].mean.sum() - net) <= 1e-4
    assert list(sink) == ["raw", "value_weighted", "output_weighted", "signed"]
    correct = pairs_with_roles[0].clean.correct
    seen = head_attention(model, pairs_with_roles[0].clean, Head(2, 1))
    alone = summary_of(AttentionByRole(), model, pairs_with_roles[:1], HeadParameters(2, 1)).tables
    assert torch.allclose(alone["signed_by_label"].mean[correct], seen.net[[2, 4, 6, 8]], atol=1e-5)
    assert torch.allclose(alone["correct_by_label"].mean[:, correct], seen.shares[:, [2, 4, 6, 8]], atol=1e-5)


def test_tokens_of_one_prompt(tiny_model, pairs):
    model = tiny_model("gemma2")
    summary = summary_of(TokenAttention(), model, pairs[:1], HeadParameters(1, 3))
    seen = head_attention(model, pairs[0].clean, Head(1, 3))
    assert torch.equal(summary.tables["attention"].mean, seen.shares)
    sink = summary.details["sink"]
    assert sink["signed"] == pytest.approx(float(seen.net[0]))
    assert sink["output_weighted"] == pytest.approx(float(seen.shares[2, 0]))


def test_an_unknown_head_is_refused(tiny_model, prompt):
    with pytest.raises(UnknownNode, match="L0H4"):
        head_attention(tiny_model("llama"), prompt, Head(0, 4))
