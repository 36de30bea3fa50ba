"""The faster product gives the same numbers, leaves everything else alone, and ends with its block."""

import pytest
import torch
import torch.nn.functional as F

from analysis import linear
from analysis.activations import stack_tokens
from analysis.naive import plain_logits
from analysis.run import record

pytestmark = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this torch has no oneDNN linear"
)


@pytest.fixture
def onednn(monkeypatch):
    """Use it here whichever is faster on this machine; counts its calls."""
    calls = []
    right = linear._onednn_linear
    monkeypatch.setattr(linear, "_onednn_is_faster", lambda: True)
    monkeypatch.setattr(linear, "_onednn_linear", lambda *args: calls.append(1) or right(*args))
    return calls


@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_same_numbers(onednn, bias):
    layer, x = torch.nn.Linear(24, 7, bias=bias), torch.randn(2, 5, 24)
    expected = layer(x)
    with linear.fast_linear():
        assert torch.allclose(layer(x), expected, atol=1e-5)
    assert onednn == [1]
    layer(x)
    assert onednn == [1]


@torch.inference_mode()
def test_other_types_take_the_usual_way(onednn):
    with linear.fast_linear():
        assert F.linear(torch.ones(2, 3).double(), torch.ones(4, 3).double()).dtype == torch.float64
        assert F.linear(torch.ones(2, 3).bfloat16(), torch.ones(4, 3).bfloat16()).dtype == torch.bfloat16
        assert F.linear(torch.ones(0, 3), torch.ones(4, 3)).shape == (0, 4)
    assert onednn == []


def test_a_whole_run_gives_the_same_numbers(onednn, tiny_model, pairs):
    model, token_ids = tiny_model("qwen2"), stack_tokens([pair.clean for pair in pairs])
    ours = model.logits(record(model, token_ids).final.hidden)
    assert (ours - plain_logits(model, token_ids)).abs().max() <= 1e-4
    assert len(onednn) == 4 * 7 + 1  # q, k, v, o, gate, up, down in four layers, and the readout


def test_without_onednn_nothing_is_redirected(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert linear._onednn_is_faster.__wrapped__() is False
