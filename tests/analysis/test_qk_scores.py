"""QK-scores (F40): argmax of query · key over the options; the head is chosen on other prompts."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.adapter import attending, attention_pattern, mix_values
from analysis.analyses.qk_scores import PLACES, QkScores, QkScoresParameters, shares
from analysis.errors import BadQuestion
from analysis.qk_scores import qk_answers, qk_scores
from analysis.run import record
from analysis.vectors import stack_positions
from tests.analysis.planted import planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of


def scores_by_hand(model, prompt):
    """q_T · k_j of every head, from what the attention function is given, head by head."""
    rows = []

    def attend(call):
        for head in range(model.n_heads):
            keys = call.key[0, head * model.n_kv_heads // model.n_heads]
            rows.append([float(call.query[0, head, -1] @ keys[pos]) for pos in prompt.label_positions])
        return mix_values(attention_pattern(call), call.value)

    with attending(model.network, attend):
        model.hidden(stack_tokens([prompt]))
    return torch.tensor(rows)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"])
def test_every_head_answers_with_its_best_option(family, tiny_model, pairs):
    model = tiny_model(family)
    prompts = [pair.clean for pair in pairs]
    expected = torch.stack([scores_by_hand(model, prompt) for prompt in prompts])
    scores = qk_scores(model, record(model, stack_tokens(prompts)), stack_positions(prompts))
    assert (scores - expected).abs().max() <= 1e-4 * expected.abs().max()
    right = expected.argmax(-1) == torch.tensor([[prompt.correct] for prompt in prompts])
    assert torch.equal(qk_answers(model, prompts, ["label"]).heads[:, 0], right)
    assert right.any() and not right.all()


def test_prompts_of_any_lengths_in_their_order(tiny_model, random_prompt):
    model = tiny_model("llama")
    prompts = [random_prompt(seed, n_tokens=n) for seed, n in ((1, 14), (2, 17), (3, 14), (4, 15))]
    together = qk_answers(model, prompts, ["label"])
    for index, prompt in enumerate(prompts):
        alone = qk_answers(model, [prompt], ["label"])
        assert torch.equal(together.heads[index], alone.heads[0])
        assert torch.equal(together.model[index], alone.model[0])


@pytest.fixture(scope="module")
def planted():
    model = planted_model()
    return model, planted_pairs(model, planted_questions(8))


@pytest.mark.parametrize("at, head", [("label", "L2H0"), ("content_last", "L1H0"), ("newline", "L2H4")])
def test_planted_heads_know_the_answer(planted, at, head):
    model, pairs = planted
    analysis = QkScores()
    others = [pair.clean for pair in planted_pairs(model, planted_questions(12, seed=5))]
    knowing = analysis.knowing(analysis.from_others(model, others, QkScoresParameters()))
    summary = summary_of(knowing, model, pairs, QkScoresParameters(at=at))
    names = [node["label"] for node in summary.coordinates["head"]]
    assert float(summary.tables["accuracy"].mean[names.index(head)]) == 1
    assert float(summary.tables["validation"].mean[names.index(head)]) == 1
    assert summary.details["model_accuracy"] == 1 and summary.details["chance"] == 0.25
    assert summary.details["best"]["validation"] == 1


def test_the_best_head_is_chosen_on_other_prompts(planted):
    """What is said of it is what it does here, not what it was chosen for."""
    model, pairs = planted
    validation = torch.zeros(len(PLACES), 32)
    validation[0, 3] = 0.9  # an idle head
    summary = summary_of(QkScores().knowing({"validation": validation}), model, pairs, QkScoresParameters())
    best = summary.details["best"]
    assert best["head"] == "L0H3" and best["validation"] == pytest.approx(0.9)
    assert best["test"] == float(summary.tables["accuracy"].mean[3]) < 1


def test_shares_have_wilsons_interval():
    interval = shares(torch.tensor([[True, False]] * 10))
    assert interval.mean.tolist() == [1, 0] and 0 < float(interval.high[1]) < 0.35


def test_parameters(planted):
    analysis, (model, pairs) = QkScores(), planted
    assert analysis.computed_with(QkScoresParameters("newline", 8)) == {}
    assert analysis.n_others(QkScoresParameters(n_fit=5)) == 5
    with pytest.raises(BadQuestion, match="n_fit"):
        analysis.check(model, pairs, replace(QkScoresParameters(), n_fit=0))
