"""The error of computing in half precision is measured rightly, and the model is left as it was."""

import copy

import pytest
import torch

from analysis.model import LanguageModel
from analysis.precision import computing_type, in_float32, precision_error
from tests.analysis.conftest import tiny_network

TYPES = (torch.bfloat16, torch.float16)


def halved(model, dtype):
    """A copy of the model in this type, and one in float32 with the very same (rounded) weights."""
    half = copy.deepcopy(model.network).to(dtype)
    return half, copy.deepcopy(half).float()


def logits(network, token_ids):
    return network(input_ids=token_ids, use_cache=False).logits


@pytest.mark.parametrize("dtype", TYPES)
def test_it_computes_as_a_float32_model_with_the_same_weights(model, dtype):
    half, exact = halved(model, dtype)
    ids = torch.randint(3, 97, (2, 12), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        with in_float32(half):
            lifted = logits(half, ids)
        rounded = logits(half, ids)
    assert lifted.dtype == torch.float32 and rounded.dtype == dtype
    assert (lifted - logits(exact, ids)).abs().max() <= 1e-5
    assert (rounded.float() - lifted).abs().max() > 1e-3


def test_the_weights_are_the_same_tensors_afterwards_even_if_it_fails(tiny_model):
    half, _ = halved(tiny_model("llama"), torch.bfloat16)
    before = {name: (id(weight), weight.data_ptr()) for name, weight in half.named_parameters()}
    hooks = [len(module._forward_hooks) for module in half.modules()]

    def fail(*_):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), in_float32(half):
        half.model.layers[2].mlp.down_proj.register_forward_pre_hook(fail)  # after its weights are cast up
        logits(half, torch.ones(1, 4, dtype=torch.long))
    assert {name: (id(weight), weight.data_ptr()) for name, weight in half.named_parameters()} == before
    assert all(weight.dtype == torch.bfloat16 for weight in half.parameters())
    assert [len(module._forward_hooks) for module in half.modules()] == hooks


def test_only_one_modules_weights_are_doubled_at_a_time(tiny_model):
    half, _ = halved(tiny_model("llama"), torch.bfloat16)
    seen = []

    def look(*_):
        seen.append(sum(weight.dtype == torch.float32 for weight in half.parameters()))

    for layer in half.model.layers:
        layer.mlp.act_fn.register_forward_pre_hook(look)
    with in_float32(half):
        logits(half, torch.ones(1, 4, dtype=torch.long))
    assert seen == [0] * len(half.model.layers)  # between two modules nothing is cast up


def test_the_error_by_hand():
    """1.0078125 · 3 = 3.0234375 lies between the bfloat16 numbers 3.015625 and 3.03125, 1/128 from both."""
    network = torch.nn.Sequential(torch.nn.Embedding(2, 1), torch.nn.Linear(1, 1, bias=False))
    network.to(torch.bfloat16)
    for weight, values in zip(network.parameters(), ([[3.0], [1.0]], [[1.0078125]]), strict=True):
        weight.data.copy_(torch.tensor(values))
    error = precision_error(network, lambda: network(torch.tensor([[0], [1]])))
    assert error.n_patches == 2
    assert error.largest == pytest.approx(1 / 128)
    assert error.rms == pytest.approx(1 / 128 / 2**0.5)
    assert error.rms_effect == pytest.approx(((3.0234375**2 + 1.0078125**2) / 2) ** 0.5)


def test_float32_has_no_such_error(tiny_model):
    model = LanguageModel.wrap(tiny_network("gpt2", seed=3))
    ids = torch.randint(3, 97, (1, 9))
    error = precision_error(model.network, lambda: logits(model.network, ids))
    assert (error.rms, error.largest) == (0, 0)


def test_a_cpu_computes_in_float32_whatever_the_files_hold():
    assert computing_type("bfloat16", "cpu") == "float32"
    assert computing_type("bfloat16", "mps") == "bfloat16"
    assert computing_type("float32", "mps:0") == "float32"
