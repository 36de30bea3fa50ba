"""The exact engine against plain hooks and identities (F12), in every family; and broken on purpose."""

from dataclasses import replace

import pytest
import torch

from analysis.adapter import hooked
from analysis.model import LanguageModel
from analysis.naive import patched_logits, plain_logits
from analysis.nodes import Head, Mlp, all_nodes
from analysis.patching import patched_hidden
from analysis.run import record, record_final, record_source, stack_tokens

EXACT = 1e-4


def runs(model, pairs):
    """Base run, and the source run from plain hooks."""
    base_ids = stack_tokens([pair.clean for pair in pairs])
    return record(model, base_ids), record_final(model, stack_tokens([pair.corrupt for pair in pairs]))


def single(model):
    return [[node] for node in all_nodes(model.n_layers, model.n_heads)]


def worst(model, base, source, patches):
    """Largest difference of the engine's logits from plain hooks'."""
    with torch.inference_mode():
        ours = model.logits(patched_hidden(model, base, source, patches))
    return float((ours - patched_logits(model, base.token_ids, source, patches)).abs().max())


@pytest.mark.parametrize("which", ["pairs", "uneven_pairs"])
def test_engine_equals_plain_hooks(model, which, request):
    base, source = runs(model, request.getfixturevalue(which))
    patches = single(model)
    effects = patched_logits(model, base.token_ids, source, patches) - plain_logits(model, base.token_ids)
    # Every node does something; but in parallel blocks MLP0 sees nothing but the token, the same in both.
    assert effects.abs().amax((1, 2)).sort().values[1] > 1e-3
    assert worst(model, base, source, patches) <= EXACT


def test_sets_of_nodes_equal_plain_hooks(model, pairs):
    base, source = runs(model, pairs)
    patches = [[Mlp(3), Head(1, 2)], [Head(2, 0)], [Head(1, 0), Head(1, 3), Mlp(1)], [Mlp(0), Head(3, 1)]]
    assert worst(model, base, source, patches) <= EXACT


def test_a_node_patched_with_itself_changes_nothing(model, pairs):
    base, _ = runs(model, pairs)
    rows = patched_hidden(model, base, base.final, single(model))
    assert (model.logits(rows) - model.logits(base.final.hidden)).abs().max() <= 1e-5


@pytest.mark.parametrize("which", ["pairs", "uneven_pairs"])
def test_everything_patched_gives_the_source_run(model, which, request):
    """All heads, MLPs and the embedding at the final position: the source's logits, whatever comes before."""
    base, source = runs(model, request.getfixturevalue(which))
    everything = [all_nodes(model.n_layers, model.n_heads)]
    resid_pre = torch.cat([source.embedding[None], base.final.resid_pre[1:]])
    with_embedding = replace(base, final=replace(base.final, resid_pre=resid_pre))
    (row,) = patched_hidden(model, with_embedding, source, everything)
    assert (model.logits(row) - model.logits(source.hidden)).abs().max() <= EXACT
    assert (model.logits(base.final.hidden) - model.logits(source.hidden)).abs().max() > 0.1


def test_a_few_nodes_cost_a_few_rows(tiny_model, pairs):
    """Rows start at their layer, and no layer below the first of them runs."""
    model = tiny_model("llama")
    base, source = runs(model, pairs)
    rows = []
    with hooked(outputs=[(mlp, lambda written: rows.append(len(written) // 2)) for mlp in model.parts.mlps]):
        patched_hidden(model, base, source, [[Head(2, 1)], [Mlp(3)]])
    assert rows == [1, 2]


def test_afterwards_every_layer_runs_again(tiny_model, pairs):
    model = tiny_model("llama")
    base, source = runs(model, pairs)
    before = plain_logits(model, base.token_ids)
    patched_hidden(model, base, source, [[Mlp(3)]])
    with pytest.raises(IndexError):
        patched_hidden(model, replace(base, masks=()), source, [[Mlp(3)]])
    assert torch.equal(plain_logits(model, base.token_ids), before)
    assert not any("forward" in vars(layer) for layer in model.parts.layers)


def test_stale_keys_are_noticed(model, pairs):
    base, source = runs(model, pairs)
    assert worst(model, replace(base, keys=base.keys.roll(1, dims=3)), source, single(model)) > EXACT


def test_a_missing_sliding_window_is_noticed(tiny_model, pairs):
    model = tiny_model("mistral")
    base, source = runs(model, pairs)
    assert worst(model, replace(base, masks=(None,) * model.n_layers), source, single(model)) > EXACT


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt_neox"])
def test_a_position_off_by_one_is_noticed(family, tiny_model, pairs, monkeypatch):
    """Where positions are rotations. Learned ones are part of the embedding, which rows take as recorded."""
    model = tiny_model(family)
    base, source = runs(model, pairs)

    def shifted(self, token_ids, start=0):
        positions = torch.arange(start, token_ids.shape[1])[None] - 1
        return self.network.base_model(
            input_ids=token_ids[:, start:], position_ids=positions, use_cache=False
        ).last_hidden_state

    monkeypatch.setattr(LanguageModel, "hidden", shifted)
    assert worst(model, base, source, single(model)) > EXACT


@pytest.mark.parametrize("which", ["pairs", "uneven_pairs"])
def test_the_source_run_continues_the_base_run(model, which, request):
    pairs = request.getfixturevalue(which)
    base, expected = runs(model, pairs)
    continued = record_source(model, stack_tokens([pair.corrupt for pair in pairs]), base)
    assert (continued.z - expected.z).abs().max() <= EXACT
    assert (continued.mlp_writes - expected.mlp_writes).abs().max() <= EXACT
    assert (model.logits(continued.hidden) - model.logits(expected.hidden)).abs().max() <= EXACT


def test_equal_prompts_need_the_final_position_only(tiny_model, pairs):
    model = tiny_model("llama")
    base, _ = runs(model, pairs)
    lengths = []
    with hooked(outputs=[(model.parts.layers[0], lambda hidden: lengths.append(hidden.shape[1]))]):
        record_source(model, base.token_ids, base)
    assert lengths == [1]
