"""Attributions sum to the logit (F6), centred ones to the centred logit (F7), in every family."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_answers, stack_tokens
from analysis.attribution import attribute, logit_attribution, node_attributions
from analysis.model import LanguageModel
from analysis.naive import plain_logits
from analysis.nodes import all_nodes
from analysis.norms import freeze
from analysis.run import record
from tests.analysis.conftest import tiny_network

EXACT = 1e-4


@pytest.fixture
def clean(pairs):
    return [pair.clean for pair in pairs]


def test_parts_sum_to_the_logit(model, clean):
    attribution = logit_attribution(model, clean)
    plain = plain_logits(model, stack_tokens(clean)).gather(1, stack_answers(clean))
    assert attribution.values.shape[1] == len(attribution.components)
    assert (model.cap(attribution.values.sum(1)) - plain).abs().max() <= EXACT
    assert (attribution.capped_logits - plain).abs().max() <= EXACT
    assert attribution.residual <= EXACT
    assert attribution.values.abs().amax((0, 2)).min() > 1e-3  # every part does something here


def test_centred_parts(model, clean):
    attribution = logit_attribution(model, clean)
    logits = attribution.logits
    centred = torch.stack([logits[i, p.correct] for i, p in enumerate(clean)]) - logits.mean(-1)
    assert attribution.centred.sum(-1).abs().max() <= 1e-5
    assert (attribution.net.sum(-1) - centred).abs().max() <= EXACT


def test_what_raises_all_letters_alike_is_centred_away(clean):
    """The same vector added to the unembedding of every letter leaves net attributions as they are."""
    model, changed = (LanguageModel.wrap(tiny_network("llama", tie_word_embeddings=False)) for _ in range(2))
    with torch.no_grad():
        changed.parts.unembedding.weight[list(clean[0].label_ids)] += torch.randn(model.d_model)
    before, after = (logit_attribution(m, clean) for m in (model, changed))
    assert (before.net - after.net).abs().max() <= EXACT
    assert (before.values - after.values).abs().max() > 0.1


def test_a_biased_component_is_listed_only_where_there_is_one(tiny_model, clean):
    kinds = {
        family: [
            part.label
            for part in logit_attribution(tiny_model(family), clean).components
            if part.kind == "bias"
        ]
        for family in ("gpt2", "mistral", "llama")
    }
    biases = [f"attention bias {layer}" for layer in range(4)]
    assert kinds == {"gpt2": [*biases, "final bias"], "mistral": [], "llama": biases}


def test_a_missing_head_is_noticed(tiny_model, clean):
    model = tiny_model("llama")
    final = record(model, stack_tokens(clean)).final
    z = final.z.clone()
    z[2, :, 1] = 0
    broken = attribute(model, replace(final, z=z), stack_answers(clean), torch.tensor([0, 1]))
    assert broken.residual > EXACT


def test_some_nodes_have_their_parts_of_the_whole(model, clean):
    final, ids = record(model, stack_tokens(clean)).final, stack_answers(clean)
    whole = logit_attribution(model, clean)
    nodes = all_nodes(model.n_layers, model.n_heads)[::-3]
    rows = [[part.label for part in whole.components].index(str(node)) for node in nodes]
    some = node_attributions(model, final, nodes, ids, scales=final)
    assert torch.allclose(some.transpose(0, 1), whole.values[:, rows], atol=1e-5)


@torch.inference_mode()
def test_frozen_norm_is_the_norm(model, clean):
    """With its own scale the frozen norm gives the norm's output; in parts, the parts of it."""
    resid = record(model, stack_tokens(clean)).final.resid_final
    norm = freeze(model.parts.final_norm, resid)
    expected = model.parts.final_norm(resid)
    half = torch.randn_like(resid)
    assert torch.allclose(norm(resid) + norm.shift, expected, atol=1e-5)
    assert torch.allclose(norm(half) + norm(resid - half) + norm.shift, expected, atol=1e-4)
    assert norm.centres == isinstance(model.parts.final_norm, torch.nn.LayerNorm)
