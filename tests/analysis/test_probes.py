"""Linear probes: a planted direction is read, noise is not, and the closed form is that of numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.probes import TARGETS, ProbeParameters, Probes
from analysis.probes import PENALTY, cross_validated, smoother, standardised
from analysis.run import record
from tests.analysis.summaries import summary_of, values_of

N_LAYERS, N_VECTORS, D_MODEL = 3, 48, 64


@pytest.fixture
def noise():
    return torch.randn(N_LAYERS, N_VECTORS, D_MODEL, generator=torch.Generator().manual_seed(0))


def test_the_dual_form_is_ridge_regression_between_dimensions(noise):
    """W = (XᵀX/d + λ)⁻¹ XᵀY/d over dimensions, which numpy solves directly."""
    known = torch.arange(N_VECTORS) < 30
    targets = torch.randn(30, 5, generator=torch.Generator().manual_seed(1))
    found = smoother(noise, known) @ targets
    for layer in range(N_LAYERS):
        x = noise[layer].double().numpy()
        x = (x - x[:30].mean(0)) / x[:30].std(0)
        left = x[:30].T @ x[:30] / D_MODEL + PENALTY * np.eye(D_MODEL)
        expected = x @ np.linalg.solve(left, x[:30].T @ targets.double().numpy() / D_MODEL)
        assert np.abs(found[layer].numpy() - expected).max() <= 1e-4


def test_a_planted_direction_is_read_and_noise_is_not(noise):
    """The class stands in the middle layer only, and only one of the two ways to class is there."""
    draw = torch.Generator().manual_seed(2)
    many = torch.randn(N_LAYERS, 400, D_MODEL, generator=draw)
    there, not_there = torch.randint(0, 4, (2, 400), generator=draw)
    many[1] += 5 * torch.nn.functional.one_hot(there, D_MODEL)
    hits = cross_validated(many, torch.stack([there, not_there]), torch.arange(400) % 4).mean(1)
    assert hits[1, 0] > 0.95
    assert hits[[0, 2], 0].tolist() == pytest.approx([0.25, 0.25], abs=0.08)
    assert hits[:, 1].tolist() == pytest.approx([0.25] * 3, abs=0.08)


def test_no_vector_is_judged_by_a_probe_that_has_seen_it(noise):
    """Every vector is a class of its own fold: none can be known."""
    folds = torch.arange(N_VECTORS) % 4
    assert cross_validated(noise, folds[None], folds).max() == 0
    assert cross_validated(noise, folds[None], torch.zeros_like(folds)).isnan().all()


def test_a_constant_dimension_says_nothing(noise):
    noise[:, :, 0] = 3.0
    assert standardised(noise, torch.ones(N_VECTORS, dtype=torch.bool))[:, :, 0].abs().max() == 0


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"])
@pytest.mark.parametrize("role", ["label", "final"])
def test_analysis(family, role, tiny_model, pairs):
    """Values are the residual stream before each layer, divided by its root mean square."""
    model, parameters = tiny_model(family), ProbeParameters(role=role)
    pairs = [replace(pair, variants=(pair.corrupt,)) for pair in pairs]
    resid = values_of(Probes(), model, pairs, parameters)["resid"]
    prompt = pairs[1].corrupt
    places = list(prompt.label_positions) if role == "label" else [len(prompt.token_ids) - 1]
    real = record(model, stack_tokens([prompt]), 0).suffix.resid_pre[:, 0, places]
    real = real / real.square().mean(-1, keepdim=True).sqrt()
    assert (resid[1].float() - real).abs().max() <= 5e-3
    summary = summary_of(Probes(), model, pairs, parameters)
    assert summary.tables["accuracy"].mean.shape == (model.n_layers, len(TARGETS))
    assert summary.tables["accuracy"].mean.isfinite().all()


def test_tokens_that_differ_by_line_are_told_apart(tiny_model, random_prompt, pairs):
    """GPT-2's learnt positions are in the stream from the start; a symbol that is one token, too."""
    model = tiny_model("gpt2")
    prompts = [random_prompt(seed) for seed in range(12)]
    several = [replace(pairs[0], clean=prompt, variants=(prompt,)) for prompt in prompts]
    found = summary_of(Probes(), model, several, ProbeParameters()).tables["accuracy"].mean
    assert found[0, 0] >= 0.7


def test_prompts_that_cannot_be_written_are_left_out(tiny_model, pairs):
    several = [replace(pairs[0], variants=(pairs[0].clean,)), replace(pairs[1], variants=(None,))]
    summary = summary_of(Probes(), tiny_model("llama"), several, ProbeParameters())
    assert "1 prompts" in summary.warnings[-1]
