"""Attention knock-out (F24): hiding nothing is the clean run; what is hidden has no weight, the rest all."""

from dataclasses import replace

import pytest
import torch

from analysis import naive
from analysis.analyses.knock_out import KnockOutParameters, KnockOuts
from analysis.errors import UnknownNode
from analysis.interventions import Patch
from analysis.knock_out import knock_out, positions_with
from analysis.model import Certificate
from analysis.nodes import Head
from analysis.pair_runs import run_pairs
from analysis.roles import ROLES
from tests.analysis.summaries import summary_of, values_of

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
N_TOKENS = 14
HIDDEN = torch.tensor([pos in (1, 10, 11, 13) for pos in range(N_TOKENS)]).expand(2, -1)  # and the final one


def test_hiding_nothing_is_the_clean_run(model, pairs):
    runs = run_pairs(model, pairs)
    heads = [Head(layer, head) for layer in range(4) for head in range(4)]
    cut = knock_out(model, runs, heads, [torch.zeros_like(HIDDEN)])
    assert (cut.worlds.logits[:, 2] - cut.worlds.logits[:, 0]).abs().max() <= 1e-5
    assert cut.weight.abs().max() == 0


def test_hidden_positions_have_no_weight_and_the_others_sum_to_one(model, pairs):
    """z of heads made by hand, from patterns with zeros, renormalised, and values; then patched in."""
    runs = run_pairs(model, pairs)
    base, group = runs.activations, model.n_heads // model.n_kv_heads
    for heads in ((Head(0, 1),), (Head(1, 2),), (Head(3, 3),), (Head(2, 0), Head(2, 3))):
        z = runs.source_suffix.z.clone()
        for layer, head in ((head.layer, head.head) for head in heads):
            pattern = base.pattern[layer, :, head].masked_fill(HIDDEN, 0)
            pattern = pattern / pattern.sum(-1, keepdim=True)
            z[layer, :, -1, head] = (pattern[:, :, None] * base.values[layer][:, head // group]).sum(1)
        source, patch = replace(runs.source_suffix, z=z), Patch(heads, runs.final)
        expected = naive.patched_logits(model, runs.base_ids, source, [patch])[0].gather(1, runs.answer_ids)
        logits = knock_out(model, runs, heads, [HIDDEN]).worlds.logits
        assert (logits[:, 2] - logits[:, 0]).abs().max() > 1e-3
        assert (logits[:, 2] - expected).abs().max() <= EXACT, heads


def test_weight_is_the_attention_that_was_there(tiny_model, pairs):
    """Mean over the heads of what they gave to the hidden positions; all positions together are 1."""
    model = tiny_model("mistral")
    runs = run_pairs(model, pairs)
    heads = [Head(1, 0), Head(2, 3)]
    cut = knock_out(model, runs, heads, [HIDDEN, ~HIDDEN])
    pattern = runs.activations.pattern
    expected = (pattern[1, :, 0, HIDDEN[0]].sum(-1) + pattern[2, :, 3, HIDDEN[0]].sum(-1)) / 2
    assert torch.allclose(cut.weight[:, 0], expected, atol=1e-6)
    assert torch.allclose(cut.weight.sum(1), torch.ones(2), atol=1e-5)
    assert cut.worlds.logits.isfinite().all()


def test_plain_hooks_cut_the_same(tiny_model, pairs):
    """Where the certificate has not passed; the attention that was cut is known there too."""
    model, heads = tiny_model("gemma2"), [Head(1, 0), Head(3, 2)]
    slow = model.with_certificate(FAILED)
    exact, plain = (knock_out(m, run_pairs(m, pairs), heads, [HIDDEN]) for m in (model, slow))
    assert (exact.worlds.logits - plain.worlds.logits).abs().max() <= EXACT
    assert torch.allclose(exact.weight, plain.weight, atol=1e-5)


def test_positions_with_a_role():
    roles = [("bos",), ("label", "label_correct"), ("content",), ("label",)]
    assert positions_with(roles, "label").tolist() == [False, True, False, True]
    assert not positions_with(roles, "answer").any()


@pytest.fixture
def pairs_with_roles(pairs):
    """The second pair has no label; every token is part of the question, and the last one an open bracket."""
    roles = [("bos",), ("label",), *[("content",)] * (N_TOKENS - 3), ("suffix", "open_bracket")]
    unlabelled = [("content",) if "label" in of_token else of_token for of_token in roles]
    return [
        replace(pair, clean=replace(pair.clean, roles=tuple(("question", *of_token) for of_token in of_pair)))
        for pair, of_pair in zip(pairs, (roles, unlabelled), strict=True)
    ]


@pytest.mark.parametrize("metric", ["centred_logit", "accuracy", "probability"])
def test_analysis(metric, tiny_model, pairs_with_roles):
    """Roles of no token, or of every token, are left out; others are means over prompts that have them."""
    model, analysis, parameters = tiny_model("llama"), KnockOuts(), KnockOutParameters(metric=metric)
    pairs = pairs_with_roles
    summary = summary_of(analysis, model, pairs, parameters)
    roles = [role["label"] for role in summary.coordinates["role"]]
    assert roles == ["bos", "label", "content", "suffix", "open_bracket"]
    tables = summary.tables
    assert all(tables[name].mean.isfinite().all() for name in ("effect", "flips", "weight"))
    alone = summary_of(analysis, model, pairs[:1], parameters)
    assert float(tables["effect"].mean[1]) == pytest.approx(float(alone.tables["effect"].mean[1]), abs=1e-6)
    assert torch.equal(tables["effect"].mean[3], tables["effect"].mean[4])  # the same token
    assert float(tables["weight"].mean[[0, 2, 3]].sum()) < 1  # without the label's share


def test_an_absent_role_has_no_effect_to_average(tiny_model, pairs_with_roles):
    """Both pairs are right in every world that there is; the second one has no world without its label."""
    model, analysis, pairs = tiny_model("llama"), KnockOuts(), pairs_with_roles
    parameters = KnockOutParameters(metric="accuracy")
    values = values_of(analysis, model, pairs, parameters)
    right = torch.tensor([0.0, 0.0, 1.0, 0.0])
    values["correct"] = torch.tensor([2, 2])
    values["logits"] = torch.where(values["logits"].isnan(), torch.nan, right)
    assert values["logits"][1, 2 + list(ROLES).index("label")].isnan().all()
    summary = analysis.summarise(model, pairs, values, parameters)
    column = [role["label"] for role in summary.coordinates["role"]].index("label")
    assert float(summary.tables["effect"].mean[column]) == 0
    assert float(summary.tables["flips"].mean[column]) == 0


def test_head_by_head_and_all(tiny_model, pairs_with_roles):
    model, analysis, pair = tiny_model("llama"), KnockOuts(), pairs_with_roles[0]
    labels = tuple(f"L{layer}H{head}" for layer in range(4) for head in range(4))
    every, named = (analysis.compute(model, pair, KnockOutParameters(heads)) for heads in ("all", labels))
    one = analysis.compute(model, pair, KnockOutParameters(("L2H1",)))
    assert torch.equal(every["logits"].nan_to_num(), named["logits"].nan_to_num())
    assert not torch.allclose(every["logits"].nan_to_num(), one["logits"].nan_to_num(), atol=1e-3)


def test_what_is_refused(tiny_model, pairs):
    for heads in (("MLP0",), ("L7H0",), ()):
        with pytest.raises(UnknownNode):
            KnockOuts().check(tiny_model("llama"), pairs, KnockOutParameters(heads))
