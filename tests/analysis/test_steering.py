"""Steering inside a subspace (F30): nothing at strength 0, the whole patch at full rank, rates of flips."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from analysis.activations import stack_answers, stack_tokens
from analysis.analyses.steer import Steering, SteerParameters, by_target, flip_rate
from analysis.errors import BadQuestion, UnknownNode
from analysis.head_in_run import HeadSubspaces
from analysis.interventions import Patch
from analysis.model import Certificate
from analysis.nodes import Head, Query
from analysis.pair_runs import run_pairs
from analysis.prompts import PromptPair
from analysis.run import record
from analysis.steering import Centroids, Steer, correct_of, steered
from analysis.vectors import collect
from tests.analysis.summaries import summary_of, values_of

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
HEAD = Head(3, 1)


def seen_from_the_end(prompt):
    """The same with its labels nearer to the end, as some layers see the last six tokens only."""
    return replace(prompt, label_positions=(5, 8, 9, 11))


@pytest.fixture(scope="module")
def others(random_prompt):
    prompts = [random_prompt(seed, n_tokens=14 + seed % 2, correct=seed % 4) for seed in range(100, 130)]
    return [seen_from_the_end(prompt) for prompt in prompts]


@pytest.fixture(scope="module")
def pair(random_prompt):
    return PromptPair(*(seen_from_the_end(random_prompt(seed)) for seed in (1, 22)))


def fitted(model, others, rope: Any = "post"):
    found = collect(model, others, HEAD, rope=rope)
    return HeadSubspaces.of(found, "prompt", rope=rope), Centroids.of(found, correct_of(others))


def test_strength_zero_and_rank_zero_change_nothing(model, pair, others):
    known = fitted(model, others, "pre")
    for vector in ("query", "keys"):
        for steer in (Steer(vector, "move", 3, 0.0), Steer(vector, "swap", 0), Steer(vector, "remove", 0)):
            found = steered(model, pair, HEAD, steer, known)
            assert (found.logits[1] - found.logits[0]).abs().max() <= EXACT
            assert (found.attention[1] - found.attention[0]).abs().max() <= 1e-5
        for steer in (Steer(vector, "move", 3, 2.0), Steer(vector, "swap", 3), Steer(vector, "remove", 3)):
            found = steered(model, pair, HEAD, steer, known)
            assert (found.attention[1] - found.attention[0]).abs().max() > 1e-4


def test_a_query_swapped_in_all_dimensions_is_patched(model, pair, others):
    """At the same position with or without rotation, and through an engine of its own."""
    runs = run_pairs(model, [pair])
    expected = runs.logits_in([Patch((Query(HEAD.layer, HEAD.head),), runs.final)])[0, 0]
    for rope in ("post", "pre"):
        steer = Steer("query", "swap", model.d_head)
        found = steered(model, pair, HEAD, steer, fitted(model, others, rope))
        assert (found.logits[1] - expected).abs().max() <= EXACT
    ends = [
        model.answer_logits(record(model, stack_tokens([prompt])).final.hidden, stack_answers([prompt]))[0]
        for prompt in (pair.clean, pair.corrupt)
    ]
    assert (found.logits[[0, 2]] - torch.stack(ends)).abs().max() <= EXACT


@pytest.mark.parametrize("vector", ["query", "keys"])
@pytest.mark.parametrize("mode", ["swap", "move", "remove"])
@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_plain_hooks_steer_the_same(family, mode, vector, tiny_model, pair, others):
    model, steer = tiny_model(family), Steer(vector, mode, 3)
    exact, plain = (
        steered(m, pair, HEAD, steer, fitted(model, others)) for m in (model, model.with_certificate(FAILED))
    )
    assert (exact.logits - plain.logits).abs().max() <= EXACT
    assert (exact.attention - plain.attention).abs().max() <= EXACT


def test_moving_goes_to_the_other_answers_mean(tiny_model, pair, others):
    """By hand for the query: along the projected difference of two means, and linearly in the strength."""
    model = tiny_model("llama")
    subspaces, centroids = fitted(model, others)
    found = collect(model, others, HEAD)
    correct = correct_of(others)
    for option in range(4):
        of_option = correct == option
        assert torch.allclose(centroids.query[option], found.query[of_option].mean(0), atol=1e-6)
        assert torch.allclose(centroids.right[option], found.keys[of_option, option].mean(0), atol=1e-6)
        assert torch.allclose(centroids.wrong[option], found.keys[~of_option, option].mean(0), atol=1e-6)
    ours, theirs = pair.clean.correct, pair.corrupt.correct
    assert ours != theirs
    step = subspaces.query.projector(3) @ (centroids.query[theirs] - centroids.query[ours])
    run = record(model, stack_tokens([pair.clean]))
    group = HEAD.head * model.n_kv_heads // model.n_heads
    query = run.query[HEAD.layer, 0, HEAD.head] + 1.5 * step
    scores = run.keys[HEAD.layer, 0, group] @ query * model.d_head**-0.5
    expected = scores.softmax(-1)[list(pair.clean.label_positions)]
    moved = steered(model, pair, HEAD, Steer("query", "move", 3, 1.5), (subspaces, centroids))
    assert (moved.attention[1] - expected).abs().max() <= 1e-5


def test_too_few_fitted_prompts_to_know_a_mean(tiny_model, pair, others):
    model = tiny_model("llama")
    few = [prompt for prompt in others if prompt.correct != pair.corrupt.correct]
    for vector in ("query", "keys"):
        with pytest.raises(BadQuestion, match="n_fit"):
            steered(model, pair, HEAD, Steer(vector, "move"), fitted(model, few))


def test_targets_and_flips():
    """The clean answer's option, the corrupt one's, the mean of the rest; flips only where they could be."""
    attention = torch.tensor(
        [
            [[0.6, 0.2, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.0, 1.0, 0.0, 0.0]],  # follows
            [[0.1, 0.1, 0.6, 0.2], [0.1, 0.1, 0.5, 0.3], [1.0, 0.0, 0.0, 0.0]],  # stays
            [[0.0, 0.9, 0.1, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]],  # was there before
            [[0.0, 0.9, 0.1, 0.0], [0.9, 0.1, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]],  # same answer in both
        ]
    )
    ours, theirs = torch.tensor([0, 2, 2, 0]), torch.tensor([1, 0, 1, 0])
    targets = by_target(attention, ours, theirs)
    assert torch.allclose(targets[0, 0], torch.tensor([0.6, 0.2, 0.1]))
    assert torch.allclose(targets[1, 1], torch.tensor([0.5, 0.1, 0.2]))
    assert targets[3, 0, 1].isnan()
    flips = flip_rate(attention, ours, theirs)
    assert float(flips.mean) == 0.5
    assert flips.low is not None
    assert 0 < float(flips.low) < 0.5


@pytest.mark.parametrize("mode", ["swap", "move", "remove"])
def test_analysis(mode, tiny_model, pair, random_prompt, others):
    model, other = (
        tiny_model("llama"),
        PromptPair(*(seen_from_the_end(random_prompt(seed)) for seed in (3, 2))),
    )
    asked = replace(pair.clean.question, text="Asked of nobody else?")
    pairs = [replace(pair, clean=replace(pair.clean, question=asked)), other]
    parameters = SteerParameters(layer=3, head=1, mode=mode, n_fit=len(others))
    analysis = Steering().knowing(Steering().from_others(model, others, parameters))
    summary = summary_of(analysis, model, pairs, parameters)
    tables = summary.tables
    assert tables["attention"].mean.shape == tables["letters"].mean.shape == (3, 3)
    assert torch.allclose(tables["by_pair"].mean.mean(0), tables["attention"].mean, atol=1e-6)
    assert [pair["source_correct"] for pair in summary.coordinates["pair"]] == [
        p.corrupt.correct for p in pairs
    ]
    letters = tables["letters"].mean
    assert torch.allclose(letters[:, 0] + letters[:, 1] + 2 * letters[:, 2], torch.ones(3), atol=1e-5)
    values = values_of(analysis, model, pairs, parameters)
    assert values["seen"].tolist() == [False, True]  # random prompts share their question
    assert any("1 of 2" in warning for warning in summary.warnings)
    assert tables["flips"].axes == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"layer": 9}, UnknownNode),
        ({"rank": 99}, BadQuestion),
        ({"vector": "values"}, BadQuestion),
        ({"mode": "shake"}, BadQuestion),
        ({"n_fit": 1}, BadQuestion),
    ],
)
def test_what_is_refused(change, error, tiny_model, pairs):
    fields = {"layer": 2, "head": 1} | change
    parameters = SteerParameters()
    for name, value in fields.items():
        object.__setattr__(parameters, name, value)  # as it may arrive from outside
    with pytest.raises(error):
        Steering().check(tiny_model("llama"), pairs, parameters)
