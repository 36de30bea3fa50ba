"""A head planted with three dimensions of queries and keys: three are enough, and steering there moves it."""

from dataclasses import replace

import pytest
import torch

from analysis.analyses.low_rank import LowRank, LowRankParameters
from analysis.analyses.steer import Steering, SteerParameters
from tests.analysis.planted import planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of

HEAD = "L2H0"
CENTRED, ON_CORRECT = 0, 3  # metrics


@pytest.fixture(scope="module", params=["position", "letter"])
def planted(request):
    model = planted_model(request.param)
    judged = planted_pairs(model, planted_questions(8, seed=1))
    others = [pair.clean for pair in planted_pairs(model, planted_questions(16, seed=2))]
    return model, judged, others


def judged_by(analysis, planted, parameters):
    model, pairs, others = planted
    fitted = analysis.knowing(analysis.from_others(model, others, parameters))
    return summary_of(fitted, model, pairs, parameters).tables


def test_three_dimensions_keep_all_that_it_does(planted):
    parameters = LowRankParameters(heads=(HEAD,), ranks=(0, 1, 2, 3, 4, 32), n_fit=16)
    tables = judged_by(LowRank(), planted, parameters)
    measured, clean = tables["measured"].mean, tables["clean"].mean
    top = measured[:, :, 0]
    assert (top[:, :, 3:] - clean[:, None, None])[:, [0, 1, 3]].abs().max() <= 1e-3  # q, k, qk
    assert float(clean[ON_CORRECT]) > 0.9
    for fewer in (0, 1, 2):
        assert (top[ON_CORRECT, [0, 1, 3], fewer] < clean[ON_CORRECT] - 0.1).all()
    for basis in (1, 2):  # three dimensions of another kind do not
        assert (measured[CENTRED, [0, 1, 3], basis, 3] < clean[CENTRED] - 0.5).all()
    assert (tables["recovery"].mean[[0, 1, 3], 0, 3] - 1).abs().max() <= 1e-3
    assert (tables["ablated"].mean[CENTRED] < clean[CENTRED] - 0.5).all()


@pytest.mark.parametrize("mode", ["swap", "move"])
def test_steering_moves_attention_and_answer(mode, planted):
    """To the corrupt prompt's line in every pair: three dimensions of the query say which line."""
    parameters = SteerParameters(layer=2, head=0, mode=mode, n_fit=16)
    tables = judged_by(Steering(), planted, parameters)
    clean, steered, corrupt = tables["attention"].mean
    assert float(clean[0]) > 0.9
    assert float(steered[1]) > 0.9
    assert torch.allclose(steered, corrupt, atol=0.05)
    assert float(tables["attention_flips"].mean) == 1
    assert float(tables["flips"].mean) >= 0.75  # other heads say letters, too


def test_its_keys_say_which_line_and_not_which_is_right(planted):
    """So those of the corrupt prompt are the same, and there is nothing to steer."""
    tables = judged_by(Steering(), planted, SteerParameters(layer=2, head=0, vector="keys", n_fit=16))
    assert (tables["attention"].mean[1] - tables["attention"].mean[0]).abs().max() <= 1e-3
    assert float(tables["flips"].mean) == float(tables["attention_flips"].mean) == 0


def test_without_its_dimensions_it_looks_at_all_lines_alike(planted):
    parameters = SteerParameters(layer=2, head=0, mode="remove", n_fit=16)
    attention = judged_by(Steering(), planted, parameters)["attention"].mean
    assert (attention[1] - attention[1].mean()).abs().max() <= 0.02
    nothing = replace(parameters, mode="move", strength=0.0)
    tables = judged_by(Steering(), planted, nothing)
    assert float(tables["flips"].mean) == float(tables["attention_flips"].mean) == 0
    assert (tables["attention"].mean[1] - tables["attention"].mean[0]).abs().max() <= 1e-5
