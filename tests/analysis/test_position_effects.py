"""Estimates come first, measured cells replace them and are the engine's own; parts make up the whole."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import first_difference, stack_tokens
from analysis.analyses.edge_estimates import EdgeParameters, Edges
from analysis.analyses.position_effects import PositionEffects, PositionParameters, strongest, window_of
from analysis.errors import BadQuestion, MisalignedPrompts
from analysis.estimates import rank_correlation
from analysis.interventions import Patch, PathPatch
from analysis.metrics import METRICS, Answers
from analysis.nodes import Head, all_nodes, nodes_named, receivers_named
from analysis.pair_runs import distractors, run_pairs

ANALYSIS, EDGES = PositionEffects(), Edges()


def run(model, pair, parameters, analysis=ANALYSIS):
    """All parts, and the summary of what they make together."""
    parts = [analysis.compute(model, pair, part) for part in analysis.split(model, pair, parameters)]
    values = {name: value[None] for name, value in analysis.combine(parts).items()}
    return parts, analysis.summarise(model, [pair], values, parameters)


def effect(model, pair, intervention, direction="noising", metric="centred_logit"):
    runs = run_pairs(model, [pair], direction=direction, window="all")
    base = model.answer_logits(runs.base.hidden, runs.answer_ids)
    logits = torch.cat([base[None], runs.logits_in([intervention(runs)])]).transpose(0, 1)
    values = METRICS[metric](Answers(logits, runs.correct, distractors(base, runs), base))
    return float(values[0, 1] - values[0, 0])


def patch(node, position):
    def intervention(runs):
        positions = torch.zeros_like(runs.base_ids, dtype=torch.bool)
        positions[:, position] = True
        return Patch((node,), positions)

    return intervention


def test_the_estimate_comes_first_and_columns_follow_from_the_final_position(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    parameters = PositionParameters()
    estimate, *columns = ANALYSIS.split(model, pair, parameters)
    assert estimate == replace(parameters, verify=0)
    window = window_of(pair)
    assert [column.positions for column in columns] == [(position,) for position in window[::-1]]
    assert ANALYSIS.split(model, pair, estimate) == (estimate,)
    parts, summary = run(model, pair, parameters)
    assert parts[0]["total_effect"].isnan().all() and not parts[0]["estimate"].isnan().any()
    assert all(part["estimate"].isnan().all() for part in parts[1:])
    values = {name: value[None] for name, value in ANALYSIS.combine(parts[:2]).items()}
    early = ANALYSIS.summarise(model, [pair], values, parameters)
    assert (early.details["n_measured"], early.details["n_cells"]) == (16, 16 * len(window))
    assert summary.details["n_measured"] == summary.details["n_cells"]
    assert not summary.tables["total_effect"].mean.isnan().any()
    assert torch.equal(summary.tables["estimate"].mean, parts[0]["estimate"])


@pytest.mark.parametrize("direction", ["noising", "denoising"])
def test_measured_cells_are_the_engines(tiny_model, pairs, direction):
    model, pair = tiny_model("gemma2"), pairs[1]
    parameters = PositionParameters(layer=1, metric="letter_loss", direction=direction)
    _, summary = run(model, pair, parameters)
    cells, window = summary.tables["total_effect"].mean, window_of(pair)
    assert [node["label"] for node in summary.coordinates["node"]] == ["L1H0", "L1H1", "L1H2", "L1H3"]
    assert cells.shape == (4, len(window)) and cells.abs().max() > 0.01
    for head, position in ((0, window[0]), (3, window[-1])):
        expected = effect(model, pair, patch(Head(1, head), position), direction, "letter_loss")
        assert cells[head, position - window[0]].item() == pytest.approx(expected, abs=1e-4)


def test_only_the_strongest_cells_are_measured_if_asked(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    everything = run(model, pair, PositionParameters())[1].tables["total_effect"].mean
    parts, summary = run(model, pair, PositionParameters(verify=5))
    measured, estimate = (summary.tables[name].mean for name in ("total_effect", "estimate"))
    known = ~measured.isnan()
    assert len(parts) == 2 and int(known.sum()) == summary.details["n_measured"] == 5
    assert estimate[known].abs().min() >= estimate[~known].abs().max()
    assert torch.allclose(measured[known], everything[known], atol=1e-5)
    assert summary.details["spearman"] == pytest.approx(rank_correlation(estimate[known], measured[known]))


def test_only_some_columns_are_measured_if_asked(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    window = window_of(pair)
    chosen = (window[-1], window[1])
    _, summary = run(model, pair, PositionParameters(kind="mlps", positions=chosen))
    known = ~summary.tables["total_effect"].mean.isnan()
    assert known.all(0).nonzero()[:, 0].tolist() == [1, len(window) - 1] and known.any(0).sum() == 2
    assert not summary.tables["estimate"].mean.isnan().any()


def test_the_axes_are_named(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    _, summary = run(model, pair, PositionParameters(kind="residual", direction="denoising"))
    window = window_of(pair)
    assert window[0] == first_difference(stack_tokens([pair.clean]), stack_tokens([pair.corrupt]))
    for position, told in zip(window, summary.coordinates["pos"], strict=True):
        assert told["position"] == position and told["text"] == pair.corrupt.token_texts[position]
        assert told["differs"] == (pair.clean.token_ids[position] != pair.corrupt.token_ids[position])
        assert told["roles"] == list(pair.corrupt.roles[position])
    assert [node["label"] for node in summary.coordinates["node"]] == [f"RESID{layer}" for layer in range(4)]


def test_a_metric_without_a_slope_is_measured_only(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    parts, summary = run(model, pair, PositionParameters(kind="mlps", metric="accuracy"))
    assert len(parts) == len(window_of(pair)) and summary.tables["estimate"].mean.isnan().all()
    assert not summary.tables["total_effect"].mean.isnan().any()
    assert summary.details["no_estimate"] and summary.details["spearman"] is None
    with pytest.raises(BadQuestion, match="accuracy"):
        ANALYSIS.check(model, [pair], PositionParameters(metric="accuracy", verify=3))


def test_what_cannot_be_asked_is_refused(tiny_model, pairs, uneven_pairs):
    model, first = tiny_model("llama"), window_of(pairs[0])[0]
    for refused, wanted, error in (
        (pairs, PositionParameters(), BadQuestion),
        (pairs[:1], PositionParameters(layer=4), BadQuestion),
        (pairs[:1], PositionParameters(verify=-1), BadQuestion),
        (pairs[:1], PositionParameters(positions=(first - 1,)), BadQuestion),
        (uneven_pairs[:1], PositionParameters(), MisalignedPrompts),
    ):
        with pytest.raises(error):
            ANALYSIS.check(model, refused, wanted)


def test_strongest_cells_of_either_sign():
    estimate = torch.tensor([[0.1, -3.0, torch.nan], [2.0, 0.0, torch.nan]])
    assert strongest(estimate, 2).tolist() == [[False, True, False], [True, False, False]]
    assert strongest(estimate, 99).sum() == 4 and strongest(estimate, 0).sum() == 0


def test_rank_correlation_by_hand():
    left = torch.tensor([1.0, 2.0, 2.0, 5.0])
    assert rank_correlation(left, left.exp()) == pytest.approx(1)
    assert rank_correlation(left, -left) == pytest.approx(-1)
    # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5 / √(4.5 · 5)
    assert rank_correlation(left, torch.tensor([0.0, 1.0, 2.0, 3.0])) == pytest.approx(0.9486833)


def test_edges_are_the_strongest_and_the_first_are_measured(tiny_model, pairs):
    model, pair = tiny_model("llama"), pairs[0]
    parts, summary = run(model, pair, EdgeParameters(top=12, verify=6), EDGES)
    estimate, measured = summary.tables["estimate"].mean, summary.tables["measured"].mean
    assert len(parts) == 2 and parts[0]["measured"].isnan().all()
    assert torch.equal(estimate.abs().sort(descending=True).values, estimate.abs()) and len(estimate) == 12
    assert not measured[:6].isnan().any() and measured[6:].isnan().all()
    for index in (0, 5):
        named = summary.coordinates["edge"][index]
        sender, receiver = edge_of(model, named)
        expected = effect(
            model, pair, lambda runs, s=sender, r=receiver: PathPatch(s, frozenset([r]), runs.final)
        )
        assert measured[index].item() == pytest.approx(expected, abs=1e-4)
        assert abs(expected) > 1e-3
    everything = run(model, pair, EdgeParameters(top=100_000), EDGES)[1].tables["estimate"].mean
    assert torch.allclose(everything[:12], estimate) and everything[-1] == 0


def edge_of(model, named):
    sender = nodes_named([named["sender"]], model.n_layers, model.n_heads)[0]
    assert sender in all_nodes(model.n_layers, model.n_heads)
    receiver = receivers_named([named["receiver"]], model.n_layers, model.n_heads)[0]
    assert named["input"] in ("q", "k", "v", "mlp", "logits")
    return sender, receiver


def test_edges_that_cannot_be_asked_are_refused(tiny_model, pairs):
    model = tiny_model("llama")
    for refused, wanted in (
        (pairs, EdgeParameters()),
        (pairs[:1], EdgeParameters(metric="letter_kl")),
        (pairs[:1], EdgeParameters(top=3, verify=4)),
    ):
        with pytest.raises(BadQuestion):
            EDGES.check(model, refused, wanted)
