"""Mean and zero ablation take the values they say, and positions are matched as they say."""

from dataclasses import replace

import pytest
import torch

from analysis import naive
from analysis.ablation import ablated, mean_over
from analysis.effects import effects_in
from analysis.errors import MisalignedPrompts
from analysis.interventions import Patch
from analysis.nodes import Head, Mlp
from analysis.pair_runs import run_pairs
from analysis.positions import line_up, matching
from analysis.prompts import PromptPair
from analysis.roles import ROLES

EXACT = 1e-4
NODES = [Head(0, 1), Head(2, 3), Mlp(1), Mlp(3)]


def with_roles(prompt, *roles):
    """The prompt with these roles for its last tokens."""
    before = (("question",),) * (len(prompt.token_ids) - len(roles))
    return replace(prompt, roles=(*before, *((role,) if isinstance(role, str) else role for role in roles)))


@pytest.mark.parametrize("window", ["final", "all"])
def test_zero_ablation_is_a_patch_with_zeros(model, pairs, window):
    pair = PromptPair(pairs[0].clean, pairs[0].clean)
    runs = ablated(run_pairs(model, [pair], window=window), [pair.clean], None)
    effects = effects_in(model, runs, NODES, positions=runs.chosen)
    zeros = naive.record_plainly(model, runs.base_ids, runs.base_ids.shape[1] - runs.start)
    zeros = replace(zeros, z=torch.zeros_like(zeros.z), mlp_writes=torch.zeros_like(zeros.mlp_writes))
    patches = [Patch((node,), runs.chosen) for node in NODES]
    expected = naive.patched_logits(model, runs.base_ids, zeros, patches)[:, 0, list(pair.clean.label_ids)]
    assert (effects.patched_logits[0] - expected).abs().max() <= EXACT
    assert effects.total_effect().abs().max() > 1e-2


def test_the_mean_of_one_prompt_is_that_prompt(model, pairs):
    """At the final position, where every prompt has one token of its own role."""
    clean, other = (with_roles(prompt, "open_bracket") for prompt in (pairs[0].clean, pairs[1].clean))
    means = mean_over(model, [other])
    runs = ablated(run_pairs(model, [PromptPair(clean, clean)]), [clean], means)
    usual = run_pairs(model, [PromptPair(clean, other)])
    ours, theirs = (effects_in(model, each, NODES).patched_logits for each in (runs, usual))
    assert (ours - theirs).abs().max() <= EXACT


def test_means_are_taken_over_all_tokens_of_a_role(tiny_model, pairs):
    model = tiny_model("llama")
    prompts = [with_roles(pair.clean, "colon", "colon", "open_bracket") for pair in pairs]
    means = mean_over(model, prompts)
    runs = [naive.record_plainly(model, torch.tensor([prompt.token_ids]), 3) for prompt in prompts]
    by_hand = torch.cat([run.mlp_writes[:, 0, :2] for run in runs], dim=1).mean(1)
    colon = list(ROLES).index("colon")
    assert torch.allclose(means.mlp_writes[colon], by_hand, atol=1e-5)
    known = [role for role, is_known in zip(ROLES, means.known.tolist(), strict=True) if is_known]
    assert known == ["question", "colon", "open_bracket"]


def test_a_role_that_no_other_prompt_has_is_refused(tiny_model, pairs):
    model = tiny_model("llama")
    clean = with_roles(pairs[0].clean, "colon", "open_bracket")
    means = mean_over(model, [with_roles(pairs[1].clean, "open_bracket")])
    runs = run_pairs(model, [PromptPair(clean, clean)], window="colon")
    with pytest.raises(MisalignedPrompts, match="'colon'"):
        ablated(runs, [clean], means)


def test_roles_are_matched_by_what_they_are(tiny_model, random_prompt):
    """The source is one token longer before the label; the label's value still comes from the label."""
    model = tiny_model("qwen2")
    roles = [("content", "content_A"), ("label", "label_B", "label_correct"), "colon", "open_bracket"]
    clean = with_roles(random_prompt(1), *roles)
    roles[1] = ("label", "label_B", "label_incorrect")
    corrupt = with_roles(random_prompt(2, n_tokens=15), ("content", "content_A"), *roles)
    assert matching(clean, corrupt)[-4:] == [None, 12, 13, 14]
    runs = run_pairs(model, [PromptPair(clean, corrupt)], window="label_B")
    assert runs.chosen[0].nonzero().flatten().tolist() == [11]
    there = naive.record_plainly(model, runs.source_ids, 15)
    assert (runs.source_suffix.z[:, :, 0] - there.z[:, :, 12]).abs().max() <= EXACT
    effects = effects_in(model, runs, NODES, positions=runs.chosen)
    moved = there.at(torch.tensor([[*range(11), 12, 13, 14]]), 0)
    patches = [Patch((node,), runs.chosen) for node in NODES]
    expected = naive.patched_logits(model, runs.base_ids, moved, patches)[:, 0, list(clean.label_ids)]
    assert (effects.patched_logits[0] - expected).abs().max() <= EXACT
    with pytest.raises(MisalignedPrompts, match="no counterpart"):
        line_up([clean], [corrupt], "content_A")
    with pytest.raises(MisalignedPrompts, match="14 and 15 tokens"):
        line_up([clean], [corrupt], "all")
    with pytest.raises(MisalignedPrompts, match="no token with the role"):
        line_up([clean], [corrupt], "newline")
