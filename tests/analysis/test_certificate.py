"""The certificate passes on every family, and fails where something is wrong."""

import pytest
import torch

from analysis import recording
from analysis.certificate import certify
from analysis.effects import node_effects
from analysis.model import Certificate, LanguageModel
from tests.analysis.conftest import tiny_network


def test_every_family_is_certified(model):
    certificate = certify(model)
    assert certificate.passed and certificate.n_patches == 8
    assert max(certificate.logits, certificate.attributions, certificate.patches) < 1e-4
    assert certify(model) == certificate  # the same seed measures the same


def test_a_wrong_attention_does_not_pass(tiny_model, monkeypatch):
    right = recording.mix_values
    monkeypatch.setattr(recording, "mix_values", lambda pattern, value: right(pattern, value.roll(1, dims=2)))
    certificate = certify(tiny_model("llama"))
    assert not certificate.passed and certificate.logits > 0.1


def test_a_part_that_is_not_counted_does_not_pass():
    """Something else that writes to the residual stream shows in the sum of attributions."""
    model = LanguageModel.wrap(tiny_network("llama"))
    handle = model.parts.layers[1].register_forward_hook(lambda _module, _inputs, output: output + 0.1)
    certificate = certify(model)
    handle.remove()
    assert not certificate.passed and certificate.attributions > 1e-2 > certificate.logits


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt2"])
def test_half_precision_has_its_own_tolerance(family, pairs):
    model = LanguageModel.wrap(tiny_network(family).to(torch.bfloat16))
    model = model.with_certificate(certify(model))
    assert model.certificate.passed and model.certificate.tolerance > 0.1
    effects = node_effects(model, pairs)
    single = node_effects(LanguageModel.wrap(tiny_network(family)), pairs)
    assert effects.patched_logits.dtype == torch.float32
    assert (
        torch.corrcoef(torch.stack([effects.total_effect().flatten(), single.total_effect().flatten()]))[0, 1]
        > 0.9
    )


def test_a_nan_does_not_pass():
    assert not Certificate(float("nan"), 0.0, 0.0, n_patches=1, tolerance=1.0).passed
