"""Place or letter (F33): vectors that know only one of them, planted heads that read only one of them."""

from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_tokens
from analysis.analyses.nth_item import NthItem, NthItemParameters
from analysis.errors import UnknownNode
from analysis.geometry import Centroids, final_scores, label_codes, rotated, score_rule
from analysis.model import Certificate
from analysis.nodes import Head
from analysis.nth_item import Points, Swap, fit_places, geometric_scores, swap_queries
from analysis.run import record
from analysis.tokenise import tokenise, tokenised_or_none
from analysis.vectors import collect
from tests.analysis.planted import planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of

FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
N_PROMPTS, D_HEAD = 400, 8


def points(knows, shuffled):
    """Vectors that hold only the place, or only the letter, and a little noise."""
    draw = torch.Generator().manual_seed(int(shuffled))
    orders = [torch.randperm(4, generator=draw) if shuffled else torch.arange(4) for _ in range(N_PROMPTS)]
    letters, correct = torch.stack(orders), torch.arange(N_PROMPTS) % 4
    places = torch.arange(4).expand_as(letters)
    known = places if knows == "position" else letters
    codes = torch.eye(4, D_HEAD)
    keys, queries = codes[known][:, :, None], codes[known.gather(1, correct[:, None])]
    noisy = (x + 0.01 * torch.randn(x.shape, generator=draw) for x in (queries, keys))
    return Points(*noisy, correct, label_codes("ABCD")[letters])


@pytest.mark.parametrize(("knows", "not_known"), [("position", "letter"), ("letter", "position")])
def test_vectors_that_know_one_thing(knows, not_known):
    """Fitted where labels are in order and both are the same; told apart where they are shuffled."""
    fitted = {name: Centroids.of(*each) for name, each in points(knows, shuffled=False).classed().items()}
    scores = geometric_scores(points(knows, shuffled=True), fitted)
    index = {"position": 0, "letter": 1}
    for vector in ("keys", "queries"):
        mean = scores[vector].mean((0, 1))
        assert mean[index[knows]] == 1
        assert mean[index[not_known]] == pytest.approx(0.25, abs=0.07)


def test_unknown_letters_have_no_score():
    fitted = {name: Centroids.of(*each) for name, each in points("letter", shuffled=False).classed().items()}
    strange = replace(points("letter", shuffled=True), labels=label_codes("WXYZ").expand(N_PROMPTS, -1))
    scores = geometric_scores(strange, fitted)
    assert scores["keys"][..., 1].isnan().all()
    assert scores["keys"][..., 0].isfinite().all()


def test_targets_of_a_swap_are_three_different_lines(random_prompt):
    def prompt(labels, correct):
        made = random_prompt(1, correct=correct)
        options = tuple(
            replace(option, label=label) for option, label in zip(made.question.options, labels, strict=True)
        )
        return replace(made, question=replace(made.question, options=options, correct=correct))

    other = prompt("ABCD", 1)
    assert Swap.between(prompt("BDAC", 2), other) == Swap(nth_line=1, letter_line=0, stays=2)
    assert Swap.between(prompt("ABCD", 2), other) is None  # place and letter are one line
    assert Swap.between(prompt("BDAC", 0), other) is None  # the letter is where it was
    assert Swap.between(prompt("WXYZ", 0), other) is None  # there is no such letter
    assert Swap(1, 0, 2).found(0).tolist() == [0, 1, 0]
    assert Swap(1, 0, 2).found(3).tolist() == [0, 0, 0]


def summary(reads, heads, n=8, **chosen):
    model = planted_model(reads)
    parameters = NthItemParameters(heads=heads, n_fit=8, **chosen)
    others = [tokenise(question, model.tokenizer) for question in planted_questions(8, seed=5)]
    analysis = NthItem()
    analysis = analysis.knowing(analysis.from_others(model, others, parameters))
    pairs = [
        replace(
            pair,
            variants=tuple(
                tokenised_or_none(variant, model.tokenizer)
                for variant in analysis.variants(pair.clean.question, parameters)
            ),
        )
        for pair in planted_pairs(model, planted_questions(n))
    ]
    return summary_of(analysis, model, pairs, parameters)


@pytest.mark.parametrize(("reads", "place"), [("position", 0), ("letter", 1)])
def test_planted_heads_follow_what_they_read(reads, place):
    """By geometry and by cause, and so does the whole model, whose answer this head writes."""
    found = summary(reads, ("L2H0",))
    for name in ("keys", "queries"):
        assert found.tables[name].mean[0, place] == 1
        assert found.tables[name].mean[0, 1 - place] < 0.6
    assert found.tables["causal"].mean[0].tolist() == [float(place == 0), float(place == 1), 0]
    assert found.tables["model"].mean.tolist() == [float(place == 0), float(place == 1)]
    assert found.details["n_swaps"] > 4


def test_all_heads_are_judged_by_geometry_alone():
    found = summary("position", "all", n=2)
    assert set(found.tables) == {"keys", "queries"}
    assert found.tables["keys"].mean.shape == (32, 2)
    assert set(summary("position", ("L2H0",), n=2, causal=False).tables) == {"keys", "queries"}


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"])
def test_a_head_with_its_own_query_does_what_it_did(family, tiny_model, random_prompt):
    model, prompt, heads = tiny_model(family), random_prompt(1), [Head(1, 2), Head(3, 0)]
    run = record(model, stack_tokens([prompt]))
    logits = model.answer_logits(run.final.hidden, torch.tensor([prompt.label_ids]))[0]
    rules = {layer: score_rule(model, layer) for layer in (1, 3)}
    for one in (model, model.with_certificate(FAILED)):
        attention, choice = swap_queries(one, prompt, prompt, heads, rules)
        for row, head in zip(attention, heads, strict=True):
            real = run.pattern[head.layer, 0, head.head, list(prompt.label_positions)]
            assert (row - real).abs().max() <= 1e-5
        assert choice == int(logits.argmax())


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt2"])
def test_a_query_from_a_longer_prompt_looks_from_the_base_prompts_end(family, tiny_model, random_prompt):
    """Unrotated, it is the other prompt's query; its scores are made of it turned to where it now stands."""
    model, base, other, head = tiny_model(family), random_prompt(1), random_prompt(2, n_tokens=17), Head(1, 2)
    rule = score_rule(model, 1)
    attention, _ = swap_queries(model, base, other, [head], {1: rule})
    theirs = collect(model, [other], head, rope="pre").query
    ours = collect(model, [base], head, rope="pre")
    turned = rotated(model, 1, [base], replace(ours, query=theirs), "label").query
    run = record(model, stack_tokens([base]))
    expected = final_scores(run, head, rule, turned)[0].softmax(-1)[list(base.label_positions)]
    assert (attention[0] - expected).abs().max() <= 1e-4


def test_rotation_is_taken_off_as_for_one_head(model, random_prompt):
    prompts = [random_prompt(1), random_prompt(2, n_tokens=17), random_prompt(3)]
    heads = [Head(0, 1), Head(2, 0), Head(2, 3), Head(1, 1)]
    found = Points.of(model, prompts, heads)
    for index, head in enumerate(heads):
        alone = collect(model, prompts, head, rope="pre")
        centred = alone.keys - alone.keys.mean(1, keepdim=True)
        assert (found.queries[:, index] - alone.query).abs().max() <= 1e-5
        assert (found.keys[:, :, index] - centred).abs().max() <= 1e-5


def test_fitted_centroids_survive_storage(tiny_model, random_prompt):
    model, heads = tiny_model("llama"), [Head(0, 0), Head(2, 3)]
    prompts = [random_prompt(seed) for seed in range(8)]
    fitted = fit_places(model, prompts, heads)
    parameters = NthItemParameters(heads=("L0H0", "L2H3"))
    stored = NthItem().knowing(NthItem().from_others(model, prompts, parameters)).fitted
    assert set(stored) == set(fitted)
    assert all(torch.equal(stored[name].means, fitted[name].means) for name in fitted)


def test_unknown_heads_are_refused(tiny_model, pairs):
    with pytest.raises(UnknownNode):
        NthItem().check(tiny_model("llama"), pairs, NthItemParameters(heads=("L9H0",)))
    with pytest.raises(UnknownNode):
        NthItem().check(tiny_model("llama"), pairs, NthItemParameters(heads=("MLP1",)))
