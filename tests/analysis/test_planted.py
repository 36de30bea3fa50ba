"""The planted model does what it was written to do, through every door of the engine."""

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.certificate import certify
from analysis.effects import node_effects
from analysis.run import record
from tests.analysis.planted import (
    ABCD,
    FEATURES,
    N_TOKENS,
    codes,
    direction,
    planted_model,
    planted_pairs,
    planted_questions,
)


@pytest.fixture(scope="module", params=["position", "letter"])
def planted(request):
    return planted_model(request.param)


def test_features_do_not_mix():
    """Orthogonal, of length 1 and mean 0; four options stand at the corners of a tetrahedron."""
    directions = torch.stack([direction(feature) for feature in FEATURES])
    assert torch.allclose(directions @ directions.T, torch.eye(len(FEATURES)), atol=1e-6)
    assert directions.sum(-1).abs().max() <= 1e-6
    corners = codes(4)
    assert corners.shape == (4, 3)
    assert torch.allclose(corners @ corners.T, torch.eye(4) * 4 / 3 - 1 / 3, atol=1e-5)


def test_prompts_have_the_places_that_were_planted(planted):
    pair = planted_pairs(planted, planted_questions(4))[0]
    assert len(pair.clean.token_ids) == N_TOKENS and pair.clean.token_texts[0] == "<s>"
    assert pair.clean.label_positions == (9, 14, 19, 24)
    assert "newline_A" in pair.clean.roles[12] and "open_bracket" in pair.clean.roles[-1]


def test_it_is_a_model_like_any_other(planted):
    assert certify(planted).passed


@pytest.mark.parametrize("labels", ["ABCD", "CADB"])
def test_it_answers_rightly(planted, labels):
    effects = node_effects(planted, planted_pairs(planted, planted_questions(8, labels=labels)))
    assert (effects.base_logits.argmax(-1) == effects.correct).all()
    assert (effects.source_logits.argmax(-1) != effects.correct).all()


def test_other_letters_tell_the_two_ways_of_reading_apart():
    """Whoever looks for the line is right under any letters; whoever looks for A to D is not."""
    for model, expected in ((planted_model("position"), 1.0), (planted_model("letter"), 0.0)):
        effects = node_effects(model, planted_pairs(model, planted_questions(8, labels="EOKX")))
        assert (effects.base_logits.argmax(-1) == effects.correct).float().mean() == expected


def test_three_dimensions_carry_the_correct_letter_head(planted):
    """Its queries at the final position and its keys at the labels, each less their mean."""
    prompts = [pair.clean for pair in planted_pairs(planted, planted_questions(16))]
    run = record(planted, stack_tokens(prompts))
    queries = run.query[2, :, 0]
    keys = run.keys[2, :, 0, list(prompts[0].label_positions)].flatten(0, 1)
    for vectors in (queries, keys):
        spectrum = torch.linalg.svdvals(vectors - vectors.mean(0))
        assert spectrum[3] <= 0.01 * spectrum[2]


def test_the_gatherer_works_through_the_correct_letter_head(planted):
    effects = node_effects(planted, planted_pairs(planted, planted_questions(8, labels=ABCD)))
    place = {str(node): index for index, node in enumerate(effects.nodes)}
    total, direct = effects.total_effect().mean(0), effects.direct_effect().mean(0)
    assert total[place["L1H0"]] < -2 and abs(direct[place["L1H0"]]) <= 0.01
    assert direct[place["L2H0"]] < -2
