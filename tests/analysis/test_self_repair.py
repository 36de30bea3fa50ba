"""Self-repair (F38): the changes of all direct effects sum to the total effect, in every family."""

import pytest
import torch

from analysis import naive
from analysis.analyses.self_repair import SelfRepair, SelfRepairParameters
from analysis.attribution import components_of, node_attributions
from analysis.interventions import Patch
from analysis.model import Certificate
from analysis.nodes import Head, Mlp
from analysis.norms import freeze
from analysis.pair_runs import run_pairs
from analysis.self_repair import self_repair
from tests.analysis.summaries import summary_of

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
WITH_ATTENTION_NORM = ("gemma2", "gemma3_text", "olmo2")
NODES = [Head(0, 2), Head(2, 1), Mlp(1), Mlp(3)]


def centred(logits: torch.Tensor, correct: torch.Tensor) -> torch.Tensor:
    return logits[torch.arange(len(correct)), correct] - logits.mean(1)


def test_changes_sum_to_the_total_effect(model, pairs):
    """Σ changes, the node's own included = total effect, read out with the base run's scale.

    The patched run is that of plain hooks here: its final residual stream through the base run's frozen norm.
    """
    runs = run_pairs(model, pairs)
    norm = freeze(model.parts.final_norm, runs.base.resid_final)
    for node in NODES:
        repair, patch = self_repair(model, runs, node), Patch((node,), runs.final)
        patched = naive.patched_finals(model, runs.base_ids, runs.source_suffix, [patch])
        before, after = (
            model.unembed(norm(run.resid_final), runs.answer_ids) for run in (runs.base, patched)
        )
        expected = centred(after - before, runs.correct)
        assert expected.abs().max() > 1e-2
        assert (repair.change.sum(1) - expected).abs().max() <= EXACT, node
        assert (repair.total_effect_frozen - expected).abs().max() <= EXACT, node
        assert repair.residual <= EXACT


def test_total_effect_is_the_models(model, pairs):
    """As transformers itself reads it out, final soft-cap included."""
    runs = run_pairs(model, pairs)
    before = naive.plain_logits(model, runs.base_ids).gather(1, runs.answer_ids)
    for node in NODES[::2]:
        patch = Patch((node,), runs.final)
        after = naive.patched_logits(model, runs.base_ids, runs.source_suffix, [patch])[0]
        expected = centred(after.gather(1, runs.answer_ids) - before, runs.correct)
        assert (self_repair(model, runs, node).total_effect - expected).abs().max() <= EXACT, node


def test_what_comes_before_does_not_change(model, pairs):
    """Components below the patched layer are as in the base run; later ones are not."""
    repair = self_repair(model, run_pairs(model, pairs), Head(2, 1))
    layers = torch.tensor([-1 if part.layer is None else part.layer for part in repair.components])
    assert repair.change[:, layers < 2].abs().max() <= 1e-5
    later = torch.tensor([part.layer == 3 and part.kind in ("head", "mlp") for part in repair.components])
    assert repair.change[:, later].abs().amax(0).min() > 1e-4


def test_own_change_is_the_direct_effect(model, pairs):
    """Attribution of the source's value − of the base's, both with the base run's scales.

    Not for heads before a norm: their layer's norm has the patched run's own scale here.
    """
    nodes = [Mlp(1), Mlp(3)] if model.family in WITH_ATTENTION_NORM else NODES
    runs = run_pairs(model, pairs)
    base, source = (
        node_attributions(model, run, nodes, runs.answer_ids, scales=runs.base)
        for run in (runs.base, runs.source)
    )
    for index, node in enumerate(nodes):
        expected = centred((source - base)[index].cpu(), runs.correct)
        assert (self_repair(model, runs, node).direct_effect - expected).abs().max() <= EXACT, node


def test_nothing_answers_the_last_mlp(model, pairs):
    """It is its own total effect: no component comes after it."""
    repair = self_repair(model, run_pairs(model, pairs), Mlp(3))
    labels = [component.label for component in components_of(model)]
    others = torch.tensor([label != "MLP3" for label in labels])
    assert repair.change[:, others].abs().max() <= 1e-5
    assert (repair.direct_effect - repair.total_effect_frozen).abs().max() <= EXACT


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_norm_change_is_that_of_the_divisor(family, tiny_model, pairs):
    """Root mean square for RMSNorm, standard deviation for LayerNorm (F8)."""
    model, node = tiny_model(family), Mlp(0)
    runs = run_pairs(model, pairs)
    patched = naive.patched_finals(model, runs.base_ids, runs.source_suffix, [Patch((node,), runs.final)])
    divisors = [
        (run.resid_final - (run.resid_final.mean(-1, keepdim=True) if family == "gpt2" else 0)).norm(dim=-1)
        for run in (patched, runs.base)
    ]
    found = self_repair(model, runs, node).norm_change
    assert found.abs().max() > 1e-2
    assert torch.allclose(found, divisors[0] / divisors[1] - 1, atol=EXACT)


def test_plain_hooks_see_the_same(tiny_model, pairs):
    """Where the certificate has not passed."""
    model = tiny_model("gemma3_text")
    slow = model.with_certificate(FAILED)
    exact, plain = (self_repair(m, run_pairs(m, pairs), Head(1, 3)) for m in (model, slow))
    assert (exact.change - plain.change).abs().max() <= EXACT
    assert (exact.total_effect - plain.total_effect).abs().max() <= EXACT


@pytest.mark.parametrize("direction", ["noising", "denoising"])
def test_analysis(direction, tiny_model, pairs):
    """Tables add up as the identity says, and a norm that moves much is mentioned."""
    model, parameters = tiny_model("olmo2"), SelfRepairParameters("L1H0", direction=direction)
    summary = summary_of(SelfRepair(), model, pairs, parameters)
    tables = summary.tables
    assert [c["label"] for c in summary.coordinates["component"]] == [c.label for c in components_of(model)]
    assert float(tables["change"].mean.sum()) == pytest.approx(
        float(tables["total_effect_frozen"].mean), abs=EXACT
    )
    own = [c.label for c in components_of(model)].index("L1H0")
    assert float(tables["change"].mean[own]) == pytest.approx(float(tables["direct_effect"].mean), abs=1e-6)
    moved = abs(float(tables["norm_change"].mean)) > 0.05
    assert moved == any("final norm's scale" in warning for warning in summary.warnings)
