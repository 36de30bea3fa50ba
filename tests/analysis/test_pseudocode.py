"""A head as code (F34): a planted head follows it without an exception; what it does not read fails."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.pseudocode import HeadPseudocode, PseudocodeParameters
from analysis.errors import BadQuestion, UnknownNode
from analysis.layout import relabel
from analysis.nodes import Head
from analysis.pseudocode import Pseudocode, agreement, divergence, option_attention
from analysis.run import record
from analysis.tokenise import tokenise, tokenised_or_none
from tests.analysis.planted import planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of

LETTERS = ("none", "shuffled", "random_letters", "ordered_letters")


def summary(reads, head=0, mutations=LETTERS):
    model = planted_model(reads)
    parameters = PseudocodeParameters(layer=2, head=head, mutations=mutations, n_fit=8)
    others = [tokenise(question, model.tokenizer) for question in planted_questions(8, seed=5)]
    analysis = HeadPseudocode()
    analysis = analysis.knowing(analysis.from_others(model, others, parameters))
    pairs = [
        replace(
            pair,
            variants=tuple(
                tokenised_or_none(variant, model.tokenizer)
                for variant in analysis.variants(pair.clean.question, parameters)
            ),
        )
        for pair in planted_pairs(model, planted_questions(8))
    ]
    return summary_of(analysis, model, pairs, parameters)


def test_a_head_that_reads_lines_follows_its_code_under_all_labels():
    found = summary("position")
    assert found.details["reads"] == "nth_item"
    assert found.tables["agreement"].mean.tolist() == [1, 1, 1, 1]
    assert found.tables["divergence"].mean.abs().max() <= 1e-3
    assert "line n, the line of the correct option" in found.details["code"]
    assert found.details["candidates"]["letter"]["divergence"] > 0.1


def test_a_head_that_reads_letters_follows_its_code_while_there_are_such_letters():
    found = summary("letter")
    assert found.details["reads"] == "letter"
    assert found.tables["agreement"].mean[:2].tolist() == [1, 1]
    assert found.tables["divergence"].mean[:2].abs().max() <= 1e-3
    assert "labelled l, the letter of the correct option" in found.details["code"]
    compile(found.details["code"], "pseudocode", "exec")


def test_a_head_that_looks_at_one_letter_is_said_to_spread():
    """C, whatever is correct: shuffled, it is found by letter and not by line."""
    found = summary("position", head=2, mutations=("none", "shuffled"))
    assert found.details["reads"] == "letter"
    assert found.tables["agreement"].mean.tolist() == [1, 1]
    assert "Spread attention over the letters" in found.details["code"]


def test_tables_are_means_and_predictions_their_rows():
    questions = planted_questions(4)
    model = planted_model("position")
    prompts = [tokenise(question, model.tokenizer) for question in questions]
    attention = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1], [0, 0, 1.0, 0], [0, 0, 0, 1.0]])
    by_line, by_letter = (Pseudocode.measured(reads, attention, prompts) for reads in ("nth_item", "letter"))
    assert torch.equal(by_line.shares, attention)
    assert torch.equal(by_letter.shares, attention)  # labels in order say the same
    turned = relabel(questions[1], "DCBA")
    assert by_line.predict(turned).tolist() == pytest.approx([0.2, 0.5, 0.2, 0.1])
    assert by_letter.predict(turned).tolist() == pytest.approx([0, 1, 0, 0], abs=1e-4)  # C is the third row
    strange = relabel(questions[1], "WXYZ")
    assert by_letter.predict(strange).tolist() == pytest.approx([0.25] * 4)
    both = Pseudocode.measured("nth_item", torch.cat([attention, 1 - attention]), [*prompts, *prompts])
    assert torch.allclose(both.shares, torch.full((4, 4), 0.5))


def test_agreement_and_divergence_by_hand():
    head = torch.tensor([0.5, 0.25, 0.25, 0.0])
    assert agreement(head, torch.tensor([0.7, 0.1, 0.1, 0.1])) == 1
    assert agreement(head, torch.tensor([0.1, 0.7, 0.1, 0.1])) == 0
    assert agreement(head, torch.full((4,), 0.25)) == 0.25
    assert divergence(head, head.clamp_min(1e-6)) == pytest.approx(0)
    expected = 0.5 * torch.tensor(2.0).log()
    assert divergence(head, torch.full((4,), 0.25)) == pytest.approx(float(expected))


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"])
def test_attention_over_the_options_of_every_family(family, tiny_model, random_prompt):
    model, head = tiny_model(family), Head(1, 3)
    prompts = [random_prompt(1), random_prompt(2, n_tokens=17), random_prompt(3)]
    found = option_attention(model, prompts, head)
    for prompt, attention in zip(prompts, found, strict=True):
        pattern = record(model, stack_tokens([prompt])).pattern[1, 0, 3, list(prompt.label_positions)]
        assert attention.sum() == pytest.approx(1)
        assert torch.allclose(attention, pattern / pattern.sum(), atol=1e-5)


def test_missing_prompts_and_refusals(tiny_model, random_prompt, pairs):
    model = tiny_model("llama")
    parameters = PseudocodeParameters(layer=1, mutations=("none", "lower_case"), n_fit=8)
    analysis = HeadPseudocode()
    others = [random_prompt(seed) for seed in range(8)]
    analysis = analysis.knowing(analysis.from_others(model, others, parameters))
    several = [replace(pair, variants=(pair.clean, None)) for pair in pairs]
    found = summary_of(analysis, model, several, parameters)
    assert found.tables["agreement"].mean.isnan().tolist() == [False, True]
    assert "Lower case" in found.warnings[-1]
    with pytest.raises(BadQuestion, match="no mutation"):
        analysis.check(model, pairs, PseudocodeParameters(mutations=("upside_down",)))
    with pytest.raises(UnknownNode):
        analysis.check(model, pairs, PseudocodeParameters(layer=7))
