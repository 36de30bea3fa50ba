"""Gradients of the base run against difference quotients of plain transformers, in every family."""

import copy

import pytest
import torch

from analysis.activations import stack_answers, stack_tokens
from analysis.adapter import attention_pattern, hooked, mix_values
from analysis.gradients import differentiate, for_each_head, of_inputs, of_pattern
from analysis.run import record

START = 8  # positions before it are constants of the gradient run
STEP = 1e-4  # of a difference quotient: small for ReLU, large for norms that compute in float32


@pytest.fixture
def base(model, pairs):
    return record(model, stack_tokens([pair.clean for pair in pairs]), START)


def readout(model, answer_ids):
    """Something nonlinear in the answers' logits."""

    def read(hidden):
        logits = model.cap(model.parts.unembedding(hidden)).gather(-1, answer_ids)
        return torch.log_softmax(logits, -1)[:, 1]

    return read


def difference_quotient(model, base, read, place, direction):
    """(metric a step along `direction` − one back) / 2 steps, in full runs of plain transformers."""

    def metric(step):
        def look(x):
            return x + (step * direction).view(x.shape)

        with hooked(**{place[0]: [(place[1], look)]}), torch.no_grad():
            hidden = model.network.base_model(input_ids=base.token_ids, use_cache=False).last_hidden_state
            return read(hidden[:, -1])

    return (metric(STEP) - metric(-STEP)) / (2 * STEP)


@pytest.mark.parametrize("layer", [0, 2, 3])
def test_gradients_are_slopes(model, pairs, base, layer):
    torch.manual_seed(0)
    answer_ids = stack_answers([pair.clean for pair in pairs])
    gradients = differentiate(model, base, readout(model, answer_ids))
    exact = type(model).wrap(copy.deepcopy(model.network).double())
    parts, n_prompts, n = exact.parts, len(pairs), base.token_ids.shape[1]
    places = {
        "resid_pre": ("inputs", parts.layers[layer], model.d_model),
        "z": ("inputs", parts.attention_outputs[layer], model.n_heads * model.d_head),
        "mlp_writes": ("outputs", parts.mlps[layer], model.d_model),
    }
    for name, (side, module, size) in places.items():
        direction = torch.zeros(n_prompts, n, size, dtype=torch.float64)
        direction[:, START:] = torch.randn(n_prompts, n - START, size, dtype=torch.float64)
        read = readout(exact, answer_ids)
        expected = difference_quotient(exact, base, read, (side, module), direction)
        slope = getattr(gradients, name)[layer].flatten(2).double()
        found = (slope * direction[:, START:]).sum((1, 2))
        assert expected.abs().max() > 1e-2, name
        assert (found - expected).abs().max() <= 2e-2 * expected.abs().max(), name


def test_a_heads_inputs_act_through_its_z(model, pairs, base):
    """Slopes of the pattern and of each head's own queries, keys and values, against difference quotients."""
    answer_ids = stack_answers([pair.clean for pair in pairs])
    gradients = differentiate(model, base, readout(model, answer_ids))
    call, of_z = gradients.calls[2], gradients.z[2]
    alone = for_each_head(call)
    slopes = dict(zip(("query", "key", "value"), of_inputs(call, of_z), strict=True))
    for name, slope in slopes.items():
        inputs = {key: getattr(alone, key).clone() for key in ("query", "key", "value")}
        direction = torch.randn_like(inputs[name])

        def z(step, inputs=inputs, name=name, direction=direction):
            moved = type(call)(**{**vars(alone), **inputs, name: inputs[name] + step * direction})
            return mix_values(attention_pattern(moved), moved.value)

        quotient = ((z(1e-2) - z(-1e-2)) * of_z).sum() / 2e-2
        assert torch.allclose((slope * direction).sum(), quotient, rtol=2e-2, atol=1e-3), name
    pattern = attention_pattern(call)
    assert torch.allclose(
        (of_pattern(call, of_z) * pattern).sum(-1),
        (mix_values(pattern, call.value) * of_z).sum(-1).transpose(1, 2),
        atol=1e-5,
    )


def test_the_gradient_run_repeats_the_base_run(model, pairs, base):
    """Its calls hold the queries, keys and values that were recorded; and nothing is left behind."""
    answer_ids = stack_answers([pair.clean for pair in pairs])
    before = model.network.config._attn_implementation
    with torch.inference_mode():  # as analyses may call it
        gradients = differentiate(model, base, readout(model, answer_ids))
    for layer, call in enumerate(gradients.calls):
        assert torch.allclose(call.query, base.suffix.query[layer], atol=1e-4)
        assert torch.allclose(call.key, base.keys[layer], atol=1e-4)
        assert torch.allclose(call.value, base.values[layer], atol=1e-4)
    assert model.network.config._attn_implementation == before
    assert all(parameter.grad is None for parameter in model.network.parameters())
