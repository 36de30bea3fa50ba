"""Total, direct and indirect effects obey their definitions (F13) in every family."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.attribution import logit_attribution
from analysis.effects import effects_in, node_effects
from analysis.errors import MisalignedPrompts, NonFinite, UnknownNode
from analysis.metrics import METRICS, Answers
from analysis.model import Certificate
from analysis.naive import plain_logits
from analysis.nodes import Head, Mlp
from analysis.norms import freeze
from analysis.pair_runs import run_pairs

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)


def test_base_and_source_logits_are_the_models(model, pairs):
    effects = node_effects(model, pairs, [Mlp(0)])
    for logits, side in ((effects.base_logits, "clean"), (effects.source_logits, "corrupt")):
        plain = plain_logits(model, stack_tokens([getattr(pair, side) for pair in pairs]))
        assert (logits - plain[:, pairs[0].clean.label_ids]).abs().max() <= EXACT


def test_the_last_mlp_acts_directly_only(model, uneven_pairs):
    """Nothing comes after it, so its total effect is its direct effect with the norms recomputed."""
    effects = node_effects(model, uneven_pairs, [Mlp(3)])
    assert effects.total_effect().abs().min() > 1e-3
    assert effects.indirect_effect().abs().max() <= EXACT


@pytest.mark.parametrize("family", ["gpt_neox", "phi"])
def test_the_last_heads_of_parallel_blocks_act_directly_only(family, tiny_model, pairs):
    effects = node_effects(tiny_model(family), pairs, [Head(3, head) for head in range(4)])
    assert effects.total_effect().abs().min() > 1e-3
    assert effects.indirect_effect().abs().max() <= EXACT


@pytest.mark.parametrize("family", ["llama", "gpt2", "phi", "opt"])
def test_frozen_direct_effect_is_a_difference_of_attributions(family, tiny_model, pairs):
    """Both with the base run's scale, to which the source's own attributions are brought here."""
    model = tiny_model(family)
    effects, runs = node_effects(model, pairs), run_pairs(model, pairs)
    clean, corrupt = (
        logit_attribution(model, [getattr(pair, side) for pair in pairs]) for side in ("clean", "corrupt")
    )
    norms = [freeze(model.parts.final_norm, final.resid_final) for final in (runs.base, runs.source)]
    rescaled = corrupt.values * (norms[1].scale / norms[0].scale)[:, None, None]
    rows = [[part.label for part in clean.components].index(str(node)) for node in effects.nodes]
    parts = (rescaled - clean.values)[:, rows]
    answers = Answers(parts, effects.correct, effects.distractor, effects.base_logits)
    change = METRICS["centred_logit"](answers)
    assert (effects.direct_effect_frozen() - change).abs().max() <= EXACT
    assert torch.allclose(effects.net_attribution(), clean.net[:, rows], atol=1e-5)


def test_frozen_and_recomputed_agree_when_nothing_changes(model, pairs):
    same = [replace(pair, corrupt=pair.clean) for pair in pairs]
    effects = node_effects(model, same)
    for effect in (effects.total_effect(), effects.direct_effect(), effects.direct_effect_frozen()):
        assert effect.abs().max() <= 1e-5
    assert not effects.flips().any()


def test_some_nodes_are_entries_of_all_nodes(model, pairs):
    all_effects = node_effects(model, pairs)
    nodes = [Mlp(2), Head(0, 3), Head(2, 1)]
    some = node_effects(model, pairs, nodes)
    columns = [all_effects.nodes.index(node) for node in nodes]
    for name in ("patched_logits", "direct_logits", "direct_logits_frozen", "attribution"):
        assert torch.allclose(getattr(some, name), getattr(all_effects, name)[:, columns], atol=1e-5), name


def test_denoising_swaps_the_runs_and_keeps_the_question(tiny_model, pairs):
    """The answers and the correct one stay the clean prompt's."""
    model = tiny_model("llama")
    noising, denoising = (node_effects(model, pairs, direction=way) for way in ("noising", "denoising"))
    assert torch.allclose(denoising.base_logits, noising.source_logits, atol=1e-5)
    assert torch.equal(denoising.correct, noising.correct)
    assert torch.equal(noising.correct, torch.tensor([pair.clean.correct for pair in pairs]))
    assert torch.allclose(denoising.attribution, noising.attribution, atol=1e-4)
    assert not torch.allclose(denoising.total_effect(), -noising.total_effect(), atol=1e-2)


def test_plain_hooks_take_over_when_the_certificate_has_not_passed(tiny_model, pairs):
    model = tiny_model("gemma2")
    exact, slow = node_effects(model, pairs), node_effects(model.with_certificate(FAILED), pairs)
    assert (exact.engine, slow.engine) == ("exact", "plain hooks")
    for name in ("base_logits", "source_logits", "patched_logits", "direct_logits", "attribution"):
        assert torch.allclose(getattr(exact, name), getattr(slow, name), atol=EXACT), name


def test_runs_can_be_used_again(tiny_model, pairs):
    model = tiny_model("qwen3")
    runs = run_pairs(model, pairs)
    first, second = (effects_in(model, runs, [Head(1, 1)]) for _ in range(2))
    assert torch.allclose(first.patched_logits, second.patched_logits, atol=1e-5)


def test_the_distractor_is_the_corrupt_prompts_answer(tiny_model, pairs, random_prompt):
    model = tiny_model("llama")
    clean = pairs[0].clean
    same_letter = replace(pairs[0], corrupt=random_prompt(40, like=clean, correct=clean.correct))
    effects = node_effects(model, [pairs[0], same_letter], [Mlp(0)])
    assert effects.distractor[0] == pairs[0].corrupt.correct != clean.correct
    others = effects.base_logits[1].clone()
    others[clean.correct] = -torch.inf
    assert effects.distractor[1] == others.argmax()


def test_what_cannot_be_computed_is_refused(tiny_model, pairs, uneven_pairs):
    model = tiny_model("llama")
    with pytest.raises(UnknownNode, match="L4H0"):
        node_effects(model, pairs, [Head(4, 0)])
    with pytest.raises(MisalignedPrompts):
        run_pairs(model, [pairs[0], replace(pairs[1], corrupt=uneven_pairs[0].corrupt)])
    runs = run_pairs(model, pairs)
    z = runs.source_suffix.z.clone()
    z[1, 0, :, 2] = torch.inf
    with pytest.raises(NonFinite, match="patched logits"):
        effects_in(model, runs.with_source(replace(runs.source_suffix, z=z)), [Head(1, 2)])


def test_prompts_of_different_lengths_in_one_call(model, pairs, uneven_pairs):
    """The same numbers as one by one, in the order given."""
    mixed = [uneven_pairs[0], pairs[0], uneven_pairs[1], pairs[1]]
    together = node_effects(model, mixed, [Head(1, 1), Mlp(2)])
    for index, pair in enumerate(mixed):
        alone = node_effects(model, [pair], [Head(1, 1), Mlp(2)])
        assert torch.allclose(together.patched_logits[index], alone.patched_logits[0], atol=1e-5)
        assert together.correct[index] == alone.correct[0]
