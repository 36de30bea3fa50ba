"""A head in three dimensions (F26, F29): axes of other prompts, numbers that numpy finds, too."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.low_rank import LowRank, LowRankParameters
from analysis.analyses.steer import Steering
from analysis.analyses.subspace import SubspaceParameters, Subspaces, head_of
from analysis.clouds import RANK, Axes
from analysis.errors import BadQuestion, UnknownNode
from analysis.mutations import MUTATIONS
from analysis.prompts import PromptPair
from analysis.run import record
from analysis.tokenise import tokenise, tokenised_or_none
from analysis.vectors import HeadVectors
from tests.analysis.planted import planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of, values_of

N_FIT = 16


@pytest.fixture(scope="module")
def planted():
    return planted_model("position")


def fitted(model, others, parameters):
    analysis = Subspaces()
    return analysis.knowing(analysis.from_others(model, others, parameters))


def planted_summary(model, n=8, **chosen):
    parameters = SubspaceParameters(**({"layer": 2, "head": 0, "n_fit": N_FIT} | chosen))
    others = [tokenise(question, model.tokenizer) for question in planted_questions(N_FIT, seed=5)]
    analysis = fitted(model, others, parameters)
    pairs = planted_pairs(model, planted_questions(n))
    pairs = [
        replace(
            pair,
            variants=tuple(
                tokenised_or_none(variant, model.tokenizer)
                for variant in analysis.variants(pair.clean.question, parameters)
            ),
        )
        for pair in pairs
    ]
    return analysis, pairs, parameters, summary_of(analysis, model, pairs, parameters)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3", "gemma3_text"])
@pytest.mark.parametrize("rope", ["post", "pre"])
def test_shapes_and_the_real_pattern(family, rope, tiny_model, random_prompt, pairs):
    model = tiny_model(family)
    parameters = SubspaceParameters(layer=2, head=1, rope=rope, n_fit=6)
    analysis = fitted(model, [random_prompt(seed) for seed in range(30, 36)], parameters)
    summary = summary_of(analysis, model, pairs, parameters)
    tables, n = summary.tables, len(pairs)
    assert tables["spectrum"].mean.shape == (3, 3, model.d_head)
    assert (tables["spectrum"].mean[..., -1] - 1).abs().max() <= 1e-6
    assert tables["query"].mean.shape == (n, RANK)
    assert tables["keys"].mean.shape == tables["values"].mean.shape == (n, 4, RANK)
    run = record(model, stack_tokens([pair.clean for pair in pairs]))
    real = torch.stack(
        [run.pattern[2, i, 1, list(pair.clean.label_positions)] for i, pair in enumerate(pairs)]
    )
    assert (tables["pattern"].mean - real).abs().max() <= 1e-5
    assert (tables["rebuilt"].mean - real).abs().max() > 1e-4
    assert tables["rebuilt"].mean.isfinite().all()
    assert set(summary.details["nearest_centroid"]) == set(summary.details["chance"])


@pytest.mark.parametrize("centring", ["none", "global", "prompt"])
def test_coordinates_and_accuracy_are_those_of_numpy(centring, tiny_model, random_prompt):
    """(x − μ) times the strongest right singular vectors; the nearest mean of the other prompts' points."""
    model = tiny_model("llama")
    parameters = SubspaceParameters(layer=2, head=1, centring=centring, n_fit=N_FIT)
    analysis = fitted(model, [random_prompt(seed) for seed in range(100, 100 + N_FIT)], parameters)
    prompts = [random_prompt(seed) for seed in range(16)]
    pairs = [PromptPair(prompt, prompt) for prompt in prompts]
    summary = summary_of(analysis, model, pairs, parameters)
    stored = values_of(analysis, model, pairs, parameters)
    theirs = {name: analysis.others[f"L2H1.{name}"].double().numpy() for name in ("query", "keys")}
    ours = {name: stored[name].double().numpy() for name in ("query", "keys")}

    def centred(x, name):
        if centring == "prompt" and name == "keys":
            return x - x.mean(1, keepdims=True)
        return x - (0 if centring == "none" else theirs[name].reshape(-1, x.shape[-1]).mean(0))

    points = {}
    for name in ("query", "keys"):
        flat = centred(theirs[name], name).reshape(-1, model.d_head)
        axes = np.linalg.svd(flat, full_matrices=False)[2][:RANK]
        points[name] = centred(theirs[name], name) @ axes.T, centred(ours[name], name) @ axes.T
        shown = summary.tables[name].mean.double().numpy()
        assert np.abs(np.abs(shown) - np.abs(points[name][1])).max() <= 1e-4
    theirs_at, ours_at = points["keys"]
    means = theirs_at.mean(0)  # labels in order: class = place
    squares = ((ours_at[:, :, None] - means) ** 2).sum(-1)
    expected = (squares.argmin(-1) == np.arange(4)).mean()
    assert summary.details["nearest_centroid"]["keys_by_label"] == pytest.approx(expected)
    assert 0 < expected < 1


def test_three_planted_dimensions_carry_everything(planted):
    _, _, _, summary = planted_summary(planted)
    assert float(summary.tables["spectrum"].mean[:2, 1, 2].min()) >= 0.999
    assert summary.details["score_variance_share"] >= 0.999
    assert summary.details["nearest_centroid"]["query_by_correct"] == 1
    assert summary.details["nearest_centroid"]["keys_by_label"] == 1
    difference = summary.tables["pattern"].mean - summary.tables["rebuilt"].mean
    assert difference.abs().max() <= 1e-3
    assert (summary.tables["scores"].mean.argmax(-1) == torch.arange(4)).all()


def test_all_dimensions_rebuild_everything_none_nothing():
    draw = torch.Generator().manual_seed(0)
    vectors = HeadVectors(
        torch.randn(9, 6, generator=draw), torch.randn(9, 4, 6, generator=draw), torch.randn(9, 4, 6)
    )
    for centring in ("none", "global", "prompt"):
        axes = Axes.fitted(vectors, centring)
        whole, nothing = axes.rebuilt(vectors, 6), axes.rebuilt(vectors, 0)
        assert torch.allclose(whole.query, vectors.query, atol=1e-5)
        assert torch.allclose(whole.keys, vectors.keys, atol=1e-5)
        assert nothing.keys.std(1).max() <= 1e-6  # all options of a prompt alike


def test_mutated_prompts_stand_in_the_same_axes(planted):
    _, _, _, summary = planted_summary(planted, mutation="random_letters")
    _, _, _, plain = planted_summary(planted)
    assert torch.equal(summary.tables["query"].mean, plain.tables["query"].mean)
    moved = summary.tables["keys_mutated"].mean - summary.tables["keys"].mean
    assert moved.abs().max() <= 1e-4  # this head knows lines only
    labels = [entry["labels"] for entry in summary.coordinates["pair_mutated"]]
    assert all(set(each).isdisjoint("ABCD") for each in labels)


def test_what_cannot_be_written_is_left_empty(planted):
    """The planted tokenizer has no lower-case letters."""
    parameters = SubspaceParameters(layer=2, n_fit=N_FIT, mutation="two_options")
    others = [tokenise(question, planted.tokenizer) for question in planted_questions(N_FIT, seed=5)]
    analysis = fitted(planted, others, parameters)
    pairs = [replace(pair, variants=(None,)) for pair in planted_pairs(planted, planted_questions(4))]
    summary = summary_of(analysis, planted, pairs, parameters)
    assert summary.tables["keys_mutated"].mean.shape == (4, 2, RANK)
    assert summary.tables["keys_mutated"].mean.isnan().all()
    assert any(MUTATIONS["two_options"].title in warning for warning in summary.warnings)


def test_refusals_and_what_is_computed_with(planted):
    pairs = planted_pairs(planted, planted_questions(4))
    with pytest.raises(UnknownNode):
        Subspaces().check(planted, pairs, SubspaceParameters(layer=9))
    with pytest.raises(BadQuestion, match="no mutation"):
        Subspaces().check(planted, pairs, SubspaceParameters(mutation="upside_down"))
    one, other = SubspaceParameters(centring="none"), SubspaceParameters(centring="global")
    assert Subspaces().computed_with(one) == Subspaces().computed_with(other)
    assert Subspaces().fit == Steering().fit == LowRank().fit  # one run of the other prompts serves them all
    together = LowRankParameters(heads=(str(head_of(one)),))
    assert Subspaces().fitted_with(one) == LowRank().fitted_with(together)
    assert Subspaces().fitted_with(one) == Subspaces().fitted_with(replace(other, mutation="dot"))
