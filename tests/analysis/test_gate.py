"""The capability gate (F5): by hand, on a random model, and on one that has no opinion."""

import math
from dataclasses import replace

import pytest
import torch

from analysis.errors import MisalignedPrompts, UnsupportedModel
from analysis.gate import PromptGate, content_log_probs, gate_prompt, summarise
from analysis.model import LanguageModel
from analysis.questions import Option, Question
from analysis.tokenise import tokenise


def question(index: int) -> Question:
    contents = [f"{colour}{index * 7 % 13}" for colour in ("red", "deep blue", "g", "violet ink")]
    options = tuple(Option(label, content) for label, content in zip("ABCD", contents, strict=True))
    return Question(f"What colour is thing {index}?", options, correct=index % 4)


@pytest.fixture(scope="module")
def model(tiny_folder):
    model = LanguageModel.load(tiny_folder)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return model


@pytest.fixture(scope="module")
def prompts(model):
    return [tokenise(question(index), model.tokenizer) for index in range(20)]


@torch.inference_mode()
def log_probs(model, token_ids):
    return model.network(torch.tensor([token_ids])).logits[0].log_softmax(-1)


def test_letters_by_hand(model, prompts):
    for prompt in prompts:
        gate = gate_prompt(model, prompt)
        by_hand = log_probs(model, prompt.token_ids)[-1]
        letters = by_hand[list(prompt.label_ids)]
        assert gate.nll == pytest.approx(-float(by_hand[prompt.answer_id]), abs=1e-5)
        assert gate.letter_nll == pytest.approx(-float(letters.log_softmax(-1)[prompt.correct]), abs=1e-5)
        assert gate.centred_logit == pytest.approx(float(letters[prompt.correct] - letters.mean()), abs=1e-5)
        assert gate.chosen == letters.argmax()


def test_content_by_hand(model):
    """Each option alone, without padding; the tokens of this tokenizer are bytes."""
    asked = question(1)
    start = len(f"Question: {asked.text}\nAnswer:")
    for scored, content in zip(content_log_probs(model, asked), asked.contents, strict=True):
        ids = model.tokenizer(f"Question: {asked.text}\nAnswer: {content}").input_ids
        by_hand = log_probs(model, ids[:-1])[range(start - 1, len(ids) - 1), ids[start:]]
        assert float(scored) == pytest.approx(float(by_hand.mean()), abs=1e-5)


def test_content_needs_a_tokenizer(model):
    with pytest.raises(UnsupportedModel, match="tokenizer"):
        content_log_probs(replace(model, tokenizer=None), question(0))


def test_a_random_model_is_at_chance(model, prompts):
    summary = summarise([gate_prompt(model, prompt) for prompt in prompts])
    three_sigma = 3 * math.sqrt(0.25 * 0.75 / len(prompts))
    assert abs(float(summary.accuracy_by_letter.mean) - 0.25) <= three_sigma
    assert summary.at_chance and "at chance" in summary.verdict


def test_a_model_without_opinion_loses_ln_4(tiny_folder, prompts):
    model = LanguageModel.load(tiny_folder)
    with torch.no_grad():
        model.parts.unembedding.weight.zero_()
    summary = summarise([gate_prompt(model, prompt) for prompt in prompts[:4]])
    assert float(summary.letter_nll.mean) == pytest.approx(math.log(4), abs=1e-6)
    assert float(summary.nll.mean) == pytest.approx(math.log(256), abs=1e-5)


def answered(chosen: int, correct: int, n_options: int = 4) -> PromptGate:
    logits = torch.zeros(n_options)
    logits[chosen] = 5.0
    return PromptGate(logits, logits.log_softmax(-1), torch.arange(float(n_options)), correct)


def test_summary_by_hand():
    """Ten prompts with A right and answered A, five with B right of which one is answered B, the rest A."""
    prompts = [answered(0, 0)] * 10 + [answered(1, 1)] + [answered(0, 1)] * 4
    summary = summarise(prompts)
    assert summary.n == 15 and summary.chance == 0.25
    assert float(summary.accuracy_by_letter.mean) == pytest.approx(11 / 15)
    assert float(summary.accuracy_by_content.mean) == 0  # the likeliest text is always the last option's
    assert summary.recall.mean.tolist()[:2] == pytest.approx([1.0, 0.2])
    assert summary.recall.mean[2:].isnan().all()
    assert summary.chosen_share.mean.tolist() == pytest.approx([14 / 15, 1 / 15, 0, 0])
    assert summary.recall_std == pytest.approx(40.0, abs=1e-4)
    assert not summary.at_chance and summary.verdict.startswith(
        "This model does the task: 73 % of 15 prompts"
    )


def test_prompts_with_other_numbers_of_options_do_not_mix():
    with pytest.raises(MisalignedPrompts, match=r"\[3, 4\]"):
        summarise([answered(0, 0), answered(0, 0, n_options=3)])


def test_a_few_prompts_decide_nothing():
    import torch

    from analysis.bootstrap import wilson_interval
    from analysis.gate import standing

    def of(right, n):
        return standing(wilson_interval(torch.tensor(float(right)), torch.tensor(float(n))), 0.25)

    assert of(1, 1) == of(1, 4) == "undecided"
    assert of(3, 12) == of(8, 32) == of(0, 32) == "at chance"
    assert of(12, 12) == of(20, 32) == "does the task"
