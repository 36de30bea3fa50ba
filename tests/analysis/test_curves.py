"""Curves over node sets (F16, F37): ends, ratios of means, areas, intervals; every point by plain hooks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from analysis import naive
from analysis.analyses.curves import Curves, CurvesParameters, curve_warnings
from analysis.attribution import logit_attribution
from analysis.curves import CURVES, Measured, circuit_areas, curves_of, recovered_fraction, set_sizes
from analysis.errors import BadQuestion, UnknownNode
from analysis.interventions import Patch
from analysis.metrics import METRICS, Answers
from analysis.model import LanguageModel
from analysis.node_sets import CurvePlan, measured_in, patch_sets, plan_curves, random_rankings
from analysis.nodes import Writer, all_nodes
from analysis.pair_runs import PairRuns, run_pairs
from tests.analysis.summaries import summary_of

EXACT = 1e-4
SIZES = (0, 1, 7, 20)  # of the 20 heads and MLPs of the tiny models
NODES = all_nodes(4, 4)
RANKED = (*NODES[3::2], *NODES[1::2][:1], *NODES[::2])


def test_areas_are_trapezoids():
    """As MIB's circuit track adds them up: point by point, the width times the mean of the two heights."""
    fractions = torch.tensor([0, 0.001, 0.01, 0.1, 0.2, 0.5, 1], dtype=torch.double)
    faithfulness = 1.5 * torch.rand(7, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    cpr = cmd = 0.0
    for (x1, f1), (x2, f2) in pairwise(zip(fractions.tolist(), faithfulness.tolist(), strict=True)):
        cpr += (x2 - x1) * (f1 + f2) / 2
        cmd += (x2 - x1) * (abs(1 - f1) + abs(1 - f2)) / 2
    found = circuit_areas(faithfulness, fractions)
    assert [float(area) for area in found] == pytest.approx([cpr, cmd], abs=1e-9)


def measured_with(fractions: torch.Tensor, gaps: Sequence[float]) -> Measured:
    """Prompts with these gaps whose worlds recover `fractions` ("pair ranking curve k") of them."""
    start = torch.linspace(-1, 2, len(gaps), dtype=torch.double)[:, None].repeat(1, 3)
    end = start + torch.tensor(gaps, dtype=torch.double)[:, None]
    return Measured(start[:, None, :, None] + fractions * (end - start)[:, None, :, None], start, end)


def test_means_come_before_the_ratio():
    """Two prompts, gaps 3 and 1, recover 1/2 and 1: (1.5 + 1) / (3 + 1) = 0.625, not the mean 0.75."""
    fractions = torch.tensor([0.5, 1.0]).double().view(2, 1, 1, 1).expand(2, 2, 3, 2)
    curves = curves_of(measured_with(fractions, [3.0, 1.0]), (0, 1))
    assert torch.allclose(curves.curve.mean, torch.tensor(0.625))
    assert torch.allclose(curves.random.mean, torch.tensor(0.625))


def test_a_prompt_without_a_gap_does_no_harm():
    """Its own ratio would be infinite; in the ratio of means it only adds what it measures."""
    fractions = torch.full((3, 2, 3, 2), 0.4, dtype=torch.double)
    measured = measured_with(fractions, [2.0, 0.0, 1.0])
    assert torch.allclose(curves_of(measured, (0, 1)).curve.mean, torch.tensor(0.4))


def test_a_ratio_of_nothing_is_undefined():
    """Undefined, not 0, where the two runs are alike on average; the areas are then undefined too."""
    same = measured_with(torch.rand(3, 3, 3, 4).double(), [1e-6, -1e-6, 1e-6])
    curves = curves_of(same, (0, 1, 2, 3))
    for interval in (curves.curve, curves.random, curves.cpr, curves.cmd, curves.cpr_random):
        assert interval.mean.isnan().all()
    assert recovered_fraction(torch.ones(1, 3, 1), torch.zeros(3), torch.zeros(3)).isnan().all()


def test_numerator_and_denominator_are_resampled_together():
    """If every prompt recovers 0.7 of its own gap, so does any resample: the interval has no width."""
    curves = curves_of(
        measured_with(torch.full((6, 4, 3, 3), 0.7).double(), [1.0, 5.0, 2.0, 0.1, 9.0, 3.0]), (0, 2, 5)
    )
    for interval in (curves.curve, curves.random):
        assert torch.allclose(interval.low, torch.tensor(0.7))
        assert torch.allclose(interval.high, torch.tensor(0.7))
    assert float(curves.cpr.mean) == pytest.approx(0.7)
    assert float(curves.cmd.mean) == pytest.approx(0.3)


def test_intervals_cover_prompts():
    """About 95 % of intervals hold the true fraction, 0.5, when prompts differ."""
    draw, held = torch.Generator().manual_seed(3), 0
    for _ in range(100):
        fractions = 0.5 + torch.randn(60, 1, 1, 1, generator=draw).double().expand(60, 2, 3, 2)
        curve = curves_of(measured_with(fractions, [1.0] * 60), (0, 1)).curve
        held += bool(curve.low[0, 1] <= 0.5 <= curve.high[0, 1])
    assert 88 <= held <= 100


def test_the_baseline_is_a_mean_over_rankings():
    """Rankings with f = 0 and f = 2: the mean is 1, so CPR is 1; each is 1 away from 1, so CMD is too."""
    fractions = torch.tensor([0.3, 0.0, 2.0]).double().view(1, 3, 1, 1).expand(1, 3, 3, 2)
    curves = curves_of(measured_with(fractions, [1.0]), (0, 1))
    assert torch.allclose(curves.random.mean, torch.tensor(1.0))
    assert float(curves.cpr_random.mean) == pytest.approx(1.0)
    assert float(curves.cmd_random.mean) == pytest.approx(1.0)
    assert float(curves.cpr.mean) == pytest.approx(0.3)


def test_what_cannot_be_resampled_has_no_interval():
    """One prompt: none for the ranking, but the random rankings still differ among themselves."""
    fractions = torch.rand(1, 6, 3, 4, generator=torch.Generator().manual_seed(1)).double()
    curves = curves_of(measured_with(fractions, [1.0]), (0, 1, 2, 3))
    assert curves.curve.low.isnan().all() and curves.cpr.low.isnan().all()
    assert (curves.random.low < curves.random.high).all()
    assert curves.cpr_random.low < curves.cpr_random.mean < curves.cpr_random.high
    single = curves_of(measured_with(fractions[:, :2], [1.0]), (0, 1, 2, 3))
    assert single.random.low.isnan().all()


@pytest.mark.parametrize("n_nodes", [1, 2, 5, 20, 300, 1000])
@pytest.mark.parametrize("points", [2, 3, 16])
def test_sizes(n_nodes, points):
    sizes = set_sizes(n_nodes, points)
    assert sizes[0] == 0 and sizes[-1] == n_nodes
    assert len(sizes) <= points
    assert all(left < right for left, right in pairwise(sizes))
    if points == 16 and n_nodes >= 300:
        assert sizes[1] == 1 and len(sizes) >= 14


def both_runs(model: LanguageModel, pairs) -> dict[str, PairRuns]:
    return {way: run_pairs(model, pairs, direction=way) for way in ("noising", "denoising")}


def planned(model: LanguageModel, ranked: Sequence[Writer] = RANKED) -> CurvePlan:
    return plan_curves(model, ranked, SIZES, n_random=2, seed=5)


def test_ends(model, pairs):
    """No node: the run that the curve leads from. All nodes: the run that it leads to. In every ranking."""
    plan, runs = planned(model), both_runs(model, pairs)
    worlds = [patch_sets(model, runs[way], plan.sets(way)) for way in ("noising", "denoising")]
    measured = measured_in(plan, *worlds, "centred_logit")
    assert measured.values.shape == (len(pairs), 3, len(CURVES), len(SIZES))
    assert (measured.values[..., 0] - measured.start[:, None]).abs().max() <= EXACT
    assert (measured.values[..., -1] - measured.end[:, None]).abs().max() <= EXACT
    assert (measured.end - measured.start).abs().min() > 0.01  # the two runs differ
    middle = measured.values[..., 1:-1]
    assert (middle - measured.start[:, None, :, None]).abs().amax((0, 1, 3)).min() > 0.01


def test_every_point_is_a_full_forward_pass_with_that_set(model, pairs):
    """The definitions, set by set, with plain hooks: which run is edited, and with which nodes."""
    plan, runs = planned(model), both_runs(model, pairs)
    worlds = [patch_sets(model, runs[way], plan.sets(way)) for way in ("noising", "denoising")]
    measured = measured_in(plan, *worlds, "letter_loss")
    for k in (1, 2):
        first, rest = RANKED[: SIZES[k]], [node for node in NODES if node not in RANKED[: SIZES[k]]]
        edits = {"sufficiency": ("denoising", first), "necessity": ("noising", first)}
        edits["faithfulness"] = ("noising", rest)
        for index, curve in enumerate(CURVES):
            way, nodes = edits[curve]
            run = runs[way]
            patch = Patch(tuple(nodes), run.final)
            logits = naive.patched_logits(model, run.base_ids, run.source_suffix, [patch])[0]
            letters = logits.gather(1, run.answer_ids)
            loss = METRICS["letter_loss"](Answers(letters, run.correct, run.corrupt_correct, letters))
            assert (measured.values[:, 0, index, k] - loss).abs().max() <= EXACT, (curve, k)


@pytest.mark.parametrize("metric", METRICS)
def test_ends_hold_in_every_metric(metric, tiny_model, pairs):
    """Also over the vocabulary, and in the KL from the run that each curve's base is."""
    model = tiny_model("llama")
    plan, runs = planned(model), both_runs(model, pairs)
    worlds = [
        patch_sets(model, runs[way], plan.sets(way), over_vocabulary=True) for way in ("noising", "denoising")
    ]
    measured = measured_in(plan, *worlds, metric)
    assert (measured.values[..., 0] - measured.start[:, None]).abs().max() <= EXACT
    assert (measured.values[..., -1] - measured.end[:, None]).abs().max() <= EXACT


def test_random_rankings_are_permutations():
    rankings = random_rankings(RANKED, 4, seed=1)
    assert all(sorted(map(str, ranking)) == sorted(map(str, RANKED)) for ranking in rankings)
    assert len({tuple(ranking) for ranking in [*rankings, list(RANKED)]}) == 5
    assert random_rankings(RANKED, 4, seed=1) == rankings != random_rankings(RANKED, 4, seed=2)


def test_a_set_is_patched_once(tiny_model):
    """All 20 nodes are the same set in every ranking, and no node is no patch at all."""
    plan = planned(tiny_model("llama"))
    for sets in (plan.noising, plan.denoising):
        assert len(set(sets)) == len(sets) and frozenset() not in sets
    assert plan.denoising.count(frozenset(NODES)) == 1
    assert len(plan.denoising) == 3 * 2 + 1  # k = 1 and 7 in three rankings, and all


def test_faithfulness_patches_the_whole_rest_of_the_model(tiny_model):
    """Also the nodes that a short ranking does not name: what it names must work alone."""
    plan = plan_curves(tiny_model("llama"), RANKED[:2], (0, 1, 2), n_random=1, seed=0)
    faithfulness = plan.rows[0, CURVES.index("faithfulness")].tolist()
    patched = [plan.noising[row - 2] for row in faithfulness]  # rows 0 and 1 are the two runs
    assert patched == [frozenset(NODES), frozenset(NODES) - {RANKED[0]}, frozenset(NODES) - {*RANKED[:2]}]


def test_analysis(tiny_model, pairs):
    """Coverage of a ranking by attribution grows to 1, and the first and last points are 0 and 1."""
    model = tiny_model("qwen3")
    labels = tuple(str(node) for node in RANKED)
    summary = summary_of(Curves(), model, pairs, CurvesParameters(labels, metric="centred_logit", points=6))
    sizes = summary.coordinates["k"]
    assert summary.coordinates["curve"] == ["sufficiency", "necessity", "faithfulness"]
    for name in ("curve", "random"):
        table = summary.tables[name]
        assert table.axes == ("curve", "k") and table.mean.shape == (3, len(sizes))
        assert torch.allclose(table.mean[:, 0], torch.zeros(3), atol=1e-2)
        assert torch.allclose(table.mean[:, -1], torch.ones(3), atol=1e-2)
    coverage = summary.tables["coverage"].mean
    assert coverage[0] == 0 and coverage[-1] == pytest.approx(1)
    attribution = logit_attribution(model, [pair.clean for pair in pairs])
    net = dict(zip((part.label for part in attribution.components), attribution.net.mean(0), strict=True))
    positive = {label: max(float(net[label]), 0.0) for label in labels}
    shares = [sum(positive[label] for label in labels[:k]) / sum(positive.values()) for k in sizes]
    assert coverage.tolist() == pytest.approx(shares, abs=1e-5)
    assert summary.tables["cpr"].axes == ()
    assert not any("ranking holds" in warning for warning in summary.warnings)


def test_metric_is_chosen_afterwards(pairs):
    """Letter metrics share what is computed; those over the vocabulary need more."""
    analysis, parameters = Curves(), CurvesParameters(("MLP0",))
    computed = analysis.computed_with(parameters)
    assert computed == analysis.computed_with(replace(parameters, metric="letter_kl"))
    assert computed != analysis.computed_with(replace(parameters, metric="loss"))


def test_a_short_ranking_says_so(tiny_model, pairs):
    summary = summary_of(Curves(), tiny_model("llama"), pairs, CurvesParameters(("MLP3", "L1H2"), points=4))
    assert any("2 of the model's 20" in warning for warning in summary.warnings)
    assert summary.tables["coverage"].mean[-1] < 1


def test_runs_that_are_alike_are_mentioned(tiny_model):
    """Gaps of +1 and −1 average to nothing; gaps of 1 and 2 do not."""
    fractions, parameters = torch.rand(2, 2, 3, 2).double(), CurvesParameters(tuple(map(str, NODES)))
    alike, apart = (
        curve_warnings(tiny_model("llama"), measured_with(fractions, gaps), parameters)
        for gaps in ([1.0, -1.0], [1.0, 2.0])
    )
    assert len(alike) == 1 and "cannot be told apart" in alike[0]
    assert apart == ()


def test_what_is_refused(tiny_model, pairs):
    model, check = tiny_model("llama"), Curves().check
    for parameters, error in (
        (CurvesParameters(), UnknownNode),
        (CurvesParameters(("MLP0", "MLP0")), UnknownNode),
        (CurvesParameters(("L9H9",)), UnknownNode),
        (CurvesParameters(("ATTN0",)), UnknownNode),
        (CurvesParameters(("MLP0",), n_random=0), BadQuestion),
        (CurvesParameters(("MLP0",), n_random=101), BadQuestion),
        (CurvesParameters(("MLP0",), points=1), BadQuestion),
    ):
        with pytest.raises(error):
            check(model, pairs, parameters)
