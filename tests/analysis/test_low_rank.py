"""Low rank as an analysis (F27, F28): ends of the curves, baselines, held-out fit, a planted head."""

from dataclasses import replace

import pytest
import torch

from analysis.analyses.low_rank import LowRank, LowRankParameters, recovery
from analysis.errors import BadQuestion, UnknownNode
from analysis.layout import Layout
from analysis.question_sets import BUILTIN, draw
from tests.analysis.summaries import summary_of, values_of

EXACT = 1e-4
RANKS = LowRankParameters(heads=("L1H0", "L2H3"), ranks=(0, 2, 8), n_fit=24)


def knowing(model, random_prompt, parameters, analysis=None):
    """The analysis, fitted on prompts that are not judged."""
    others = [random_prompt(seed, n_tokens=13 + seed % 2) for seed in range(100, 100 + parameters.n_fit)]
    analysis = LowRank() if analysis is None else analysis
    return analysis.knowing(analysis.from_others(model, others, parameters))


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"])
@pytest.mark.parametrize("rope", ["post", "pre"])
def test_curves_end_at_the_clean_run(family, rope, tiny_model, pairs, random_prompt):
    model = tiny_model(family)
    parameters = replace(RANKS, rope=rope, ranks=(0, 2, model.d_head))
    summary = summary_of(knowing(model, random_prompt, parameters), model, pairs, parameters)
    tables = summary.tables
    assert tables["measured"].axes == ("metric", "kind", "basis", "rank")
    for basis in range(3):
        ends = tables["measured"].mean[:, :, basis, -1]
        assert (ends - tables["clean"].mean[:, None]).abs().max() <= EXACT
    first = tables["measured"].mean[:, :, :, 0]  # nothing is kept: whatever the dimensions, the same mean
    assert (first - first[:, :, :1]).abs().max() <= EXACT
    assert (first[0] - tables["clean"].mean[0]).abs().min() > 1e-3
    assert tables["measured"].mean.isfinite().all()


def test_recovery_is_a_share_of_what_ablating_takes():
    clean = torch.tensor([3.0, 5.0])[:, None]
    curves = torch.tensor([2.0, 3.0]).view(2, 1, 1, 1, 1)
    assert float(recovery(curves, clean, clean - 2)) == pytest.approx((2.5 - 2) / 2)
    assert recovery(curves, clean, clean + 2).isnan().all()  # ablating them helps: nothing to come back
    assert recovery(curves, clean, clean - torch.tensor([[4.0], [-3.0]])).isnan().all()  # may be chance


def test_all_ranks_by_default_and_baselines_at_some(tiny_model, pairs, random_prompt):
    model = tiny_model("llama")
    parameters = replace(RANKS, ranks=(), kinds=("q", "qk"))
    summary = summary_of(knowing(model, random_prompt, parameters), model, pairs, parameters)
    assert list(summary.coordinates["rank"]) == list(range(9))
    assert summary.coordinates["kind"] == ("q", "qk")
    measured = summary.tables["measured"].mean
    assert measured[:, :, 0].isfinite().all()
    where = [1, 2, 3, 4, 6]
    for basis in (1, 2):
        assert measured[:, :, basis, where].isfinite().all()
        assert measured[:, :, basis, [0, 5, 7, 8]].isnan().all()


def test_random_is_the_mean_of_its_draws(tiny_model, pairs, random_prompt):
    model = tiny_model("llama")
    five = replace(RANKS, ranks=(3,), kinds=("q",), n_random=5)
    analysis = knowing(model, random_prompt, five)
    whole = summary_of(analysis, model, pairs, five).tables["measured"].mean[:, 0, 1, 0]
    draws = [
        summary_of(analysis, model, pairs, replace(five, n_random=1, seed=draw))
        .tables["measured"]
        .mean[:, 0, 1, 0]
        for draw in range(5)
    ]
    assert (whole - torch.stack(draws).mean(0)).abs().max() <= 1e-5
    assert (draws[0] - draws[1]).abs().max() > 1e-4


def test_nothing_is_judged_on_what_it_was_fitted_on(tiny_model, pairs, random_prompt):
    """The built-in sets share no question between their splits; where a file does, it is said."""
    for name in BUILTIN:
        asked = [
            {(q.text, q.answer) for q in draw(name, split=split, n=40, seed=0, layout=Layout())}
            for split in ("train", "held_out")
        ]
        assert not asked[0] & asked[1], name
    model = tiny_model("llama")
    named = [
        replace(pair, clean=replace(pair.clean, question=replace(pair.clean.question, text=f"Question {i}?")))
        for i, pair in enumerate(pairs)
    ]
    apart = knowing(model, random_prompt, RANKS)
    assert not values_of(apart, model, named, RANKS)["seen"].any()
    assert summary_of(apart, model, named, RANKS).warnings == ()
    fitted = LowRank().from_others(model, [named[1].clean, random_prompt(7)], RANKS)
    overlapping = LowRank().knowing(fitted)
    assert values_of(overlapping, model, named, RANKS)["seen"].tolist() == [False, True]
    assert any("1 of 2" in warning for warning in summary_of(overlapping, model, named, RANKS).warnings)


def test_what_is_stored_depends_on_heads_and_vectors_only(tiny_model, random_prompt):
    analysis, model = LowRank(), tiny_model("llama")
    prompts = [random_prompt(seed) for seed in (1, 2)]
    for change in ({"centring": "global"}, {"ranks": (1,)}, {"seed": 3}):
        other = replace(RANKS, **change)
        assert analysis.fitted_with(other) == analysis.fitted_with(RANKS)
        first, second = (analysis.from_others(model, prompts, parameters) for parameters in (RANKS, other))
        assert all(torch.equal(first[name], second[name]) for name in first)
    for change in ({"at": "delimiter"}, {"rope": "pre"}, {"heads": ("L0H0",)}):
        assert analysis.fitted_with(replace(RANKS, **change)) != analysis.fitted_with(RANKS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"heads": ()}, UnknownNode),
        ({"heads": ("MLP0",)}, UnknownNode),
        ({"heads": ("L9H9",)}, UnknownNode),
        ({"ranks": (9,)}, BadQuestion),
        ({"n_fit": 1}, BadQuestion),
        ({"kinds": ()}, BadQuestion),
        ({"at": "newline"}, BadQuestion),  # these prompts have no roles
    ],
)
def test_what_is_refused(change, error, tiny_model, pairs):
    with pytest.raises(error):
        LowRank().check(tiny_model("llama"), pairs, replace(RANKS, **change))
