"""Estimates (F36): exact where everything downstream is linear, and the limit of small exact effects."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from analysis.edge_estimates import all_receivers, edge_estimates
from analysis.errors import BadQuestion
from analysis.estimates import base_of, metric_readout, node_estimates
from analysis.gradients import differentiate
from analysis.interventions import Patch, PathPatch, every_receiver
from analysis.metrics import METRICS
from analysis.model import Certificate, LanguageModel
from analysis.nodes import LOGITS, all_nodes, nodes_of
from analysis.pair_runs import run_pairs
from analysis.worlds import worlds_of
from tests.analysis.conftest import tiny_network

LINEAR = ("all", "attention", "residual", "values")
EXACT = 1e-4
LIMIT = {False: 0.02, True: 0.1}  # of the largest slope; OPT's ReLU has kinks


def linear_network(*, softmax_layer: int | None = None):
    """A llama with grouped-query heads that is linear in all it writes, or in all but one layer's patterns.

    No norms; gates are constants; queries are zero, so that every position attends evenly.
    """
    network = tiny_network("llama")
    for index, layer in enumerate(network.model.layers):
        layer.input_layernorm = layer.post_attention_layernorm = nn.Identity()
        layer.mlp.gate_proj.weight.data.zero_()
        layer.self_attn.q_proj.bias.data.zero_()
        if index != softmax_layer:
            layer.self_attn.q_proj.weight.data.zero_()
        else:
            layer.self_attn.q_proj.weight.data.mul_(0.1)  # without norms the scores would be huge
    network.model.norm = nn.Identity()
    return LanguageModel.wrap(network)


def estimated(model, runs, kind, metric="centred_logit", **options):
    base = base_of(model, runs)
    gradients = differentiate(model, base, metric_readout(model, runs, metric))
    return node_estimates(gradients, base.suffix, runs.source_suffix, kind, **options)


def at(runs, position):
    positions = torch.zeros_like(runs.base_ids, dtype=torch.bool)
    positions[:, position] = True
    return positions


def effects(model, runs, interventions, metric="centred_logit"):
    """Measured by the engine; "batch row"."""
    over_vocabulary = METRICS[metric].over_vocabulary
    return worlds_of(model, runs, interventions, over_vocabulary=over_vocabulary).effects(metric)


def measured(model, runs, kind, metric="centred_logit"):
    """Exact effects of every node of a kind at every position of the window; "batch node pos"."""
    nodes = nodes_of(kind, model.n_layers, model.n_heads)
    positions = range(runs.start, runs.base_ids.shape[1])
    columns = [
        effects(model, runs, [Patch((node,), at(runs, position)) for node in nodes], metric)
        for position in positions
    ]
    return torch.stack(columns, dim=-1)


def close(found, expected, tolerance=EXACT):
    return (found - expected).abs().max() <= tolerance * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("kind", LINEAR)
@pytest.mark.parametrize("metric", ["centred_logit", "logit_difference"])
def test_linear_models_leave_nothing_to_estimate(kind, metric, pairs):
    model = linear_network()
    runs = run_pairs(model, pairs, window="differing")
    exact = measured(model, runs, kind, metric)
    assert exact.abs().max() > 0.1
    assert close(estimated(model, runs, kind, metric), exact)


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("kind", ["queries", "keys"])
def test_the_qk_fix_is_exact_where_everything_after_the_softmax_is_linear(kind, layer, pairs):
    model = linear_network(softmax_layer=layer)
    runs = run_pairs(model, pairs, window="differing")
    heads = slice(layer * model.n_heads, (layer + 1) * model.n_heads)
    exact = measured(model, runs, kind)[:, heads]
    assert exact.abs().max() > 0.1
    assert close(estimated(model, runs, kind)[:, heads], exact)
    plain = estimated(model, runs, kind, qk_fix=False)[:, heads]
    assert not close(plain, exact, 1e-2)


@pytest.mark.parametrize("kind", ["all", "attention", "residual", "queries", "keys", "values"])
def test_estimates_are_the_limit_of_small_patches(model, pairs, kind):
    """(effect of going a little towards the source − of going a little away) / twice as little."""
    runs = run_pairs(model, pairs, window="differing")
    exact = slope(lambda share: measured(model, towards(runs, share), kind, "letter_loss"))
    for qk_fix in (True, False):
        ours = slope(
            lambda share, qk_fix=qk_fix: estimated(
                model, towards(runs, share), kind, "letter_loss", qk_fix=qk_fix
            )
        )
        assert exact.abs().max() > 0.1
        assert (ours - exact).abs().max() <= LIMIT[model.family == "opt"] * exact.abs().max(), qk_fix


def slope(values, little=0.003):
    return (values(little) - values(-little)) / (2 * little)


def towards(runs, share):
    """The same runs with a source that has gone only a share of the way from the base."""
    base, source = runs.activations.suffix, runs.source_suffix
    names = ("resid_pre", "query", "keys", "values", "z", "mlp_writes")
    moved = {name: torch.lerp(getattr(base, name), getattr(source, name), share) for name in names}
    return runs.with_source(replace(source, **moved))


def test_models_patched_with_plain_hooks_have_estimates_too(tiny_model, pairs):
    model = tiny_model("qwen3")
    failed = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
    uncertain = model.with_certificate(failed)
    runs, plain_runs = (run_pairs(one, pairs, window="differing") for one in (model, uncertain))
    assert plain_runs.activations is None
    for kind in ("all", "residual", "queries", "keys", "values"):
        assert close(estimated(uncertain, plain_runs, kind), estimated(model, runs, kind))


def test_metrics_without_a_slope_are_refused(tiny_model, pairs):
    model = tiny_model("llama")
    runs = run_pairs(model, pairs)
    for metric in ("accuracy", "letter_kl"):
        with pytest.raises(BadQuestion, match=metric):
            metric_readout(model, runs, metric)


@pytest.mark.parametrize("metric", ["loss", "probability", "letter_probability", "logit_difference"])
def test_every_metric_with_a_slope_has_estimates(tiny_model, pairs, metric):
    model = tiny_model("gemma2")
    runs = run_pairs(model, pairs)
    exact = slope(lambda share: measured(model, towards(runs, share), "all", metric))
    ours = slope(lambda share: estimated(model, towards(runs, share), "all", metric))
    assert (ours - exact).abs().max() <= 0.02 * exact.abs().max()
    to_logits = every_edge(model, runs, lambda receiver: receiver == LOGITS)
    direct = effects(model, runs, [path for _, path in to_logits], metric)
    assert close(edges(model, runs, metric)[..., -1], direct)


def edges(model, runs, metric="centred_logit"):
    slopes = differentiate(model, base_of(model, runs), metric_readout(model, runs, metric))
    return edge_estimates(model, runs, slopes, metric)


def every_edge(model, runs, keep):
    senders = all_nodes(model.n_layers, model.n_heads)
    return [
        (index, PathPatch(sender, frozenset([receiver]), runs.final))
        for index, sender in enumerate(senders)
        for receiver in every_receiver(sender, model.n_layers, model.n_heads)
        if keep(receiver)
    ]


def check_edges(model, runs, keep):
    chosen, found = every_edge(model, runs, keep), edges(model, runs)
    exact = effects(model, runs, [path for _, path in chosen])
    receivers = all_receivers(model.n_layers, model.n_heads)
    columns = [receivers.index(*path.receivers) for _, path in chosen]
    ours = found[:, [index for index, _ in chosen], columns]
    assert exact.abs().max() > 0.05
    assert close(ours, exact)


def test_edges_are_exact_where_everything_after_the_receiver_is_linear(pairs):
    """The receivers' own softmax may be as it likes: in layer 2 it is not linear."""
    model = linear_network(softmax_layer=2)
    runs = run_pairs(model, pairs)
    check_edges(model, runs, lambda receiver: receiver == LOGITS or receiver.layer >= 2)


def test_paths_to_the_logits_and_the_last_mlp_are_exact_in_every_family(model, pairs):
    """Nothing but the final norm comes after the last MLP; without a path there is nothing."""
    runs = run_pairs(model, pairs)
    check_edges(model, runs, lambda receiver: receiver == LOGITS)
    found, receivers = edges(model, runs), all_receivers(model.n_layers, model.n_heads)
    for index, sender in enumerate(all_nodes(model.n_layers, model.n_heads)):
        later = every_receiver(sender, model.n_layers, model.n_heads)
        no_path = [column for column, receiver in enumerate(receivers) if receiver not in later]
        assert found[:, index, no_path].abs().max() <= 1e-5


def test_all_paths_of_a_sender_make_its_total_effect_in_a_linear_model(pairs):
    model = linear_network()
    runs = run_pairs(model, pairs)
    assert close(edges(model, runs).sum(2), estimated(model, runs, "all")[..., -1])


def test_edge_estimates_are_the_limit_of_small_path_patches(model, pairs):
    runs = run_pairs(model, pairs)
    chosen, columns = every_edge(model, runs, lambda _: True), all_receivers(model.n_layers, model.n_heads)
    places = [index for index, _ in chosen], [columns.index(*path.receivers) for _, path in chosen]
    paths = [path for _, path in chosen]
    exact = slope(lambda share: effects(model, towards(runs, share), paths))
    ours = slope(lambda share: edges(model, towards(runs, share))[:, *places])
    assert exact.abs().max() > 0.1
    assert (ours - exact).abs().max() <= LIMIT[model.family == "opt"] * exact.abs().max()


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_half_precision_models_have_rougher_estimates(family, pairs):
    exact = LanguageModel.wrap(tiny_network(family))
    half = LanguageModel.wrap(tiny_network(family).to(torch.bfloat16))
    for kind in ("all", "queries", "keys", "values"):
        rough, fine = (estimated(m, run_pairs(m, pairs, window="differing"), kind) for m in (half, exact))
        assert rough.dtype == torch.float32
        assert 1e-6 < (rough - fine).abs().mean() <= 0.2 * fine.abs().mean(), kind
    rough, fine = (edges(m, run_pairs(m, pairs)) for m in (half, exact))
    assert (rough - fine).abs().mean() <= 0.2 * fine.abs().mean()
