"""Mutation bars (F32): each from what is stored, full rank as clean, missing ones with their reason."""

import math
from dataclasses import replace

import pytest
import torch

from analysis.activations import stack_answers, stack_tokens
from analysis.analyses.mutations import MutationBars, MutationParameters
from analysis.compress import compressed
from analysis.errors import BadQuestion, UnknownNode
from analysis.layout import Layout
from analysis.model import LanguageModel
from analysis.mutation_bars import BARS, N_RANDOM, SHOWN_METRICS
from analysis.mutations import MUTATIONS, OwnMutation
from analysis.naive import plain_logits
from analysis.prompts import PromptPair
from analysis.question_sets import draw
from analysis.tokenise import tokenise, tokenised_or_none
from tests.analysis.conftest import tiny_network
from tests.analysis.tokenizer_kinds import byte_level

EXACT = 1e-4
SEEN = MutationParameters(heads=("L1H0", "L1H1", "L3H2"), rank=3, n_fit=6)
OWN = OwnMutation(opening="<", closing="> ")
SOME = ("none", "shuffled", "bracket", "no_prelude", "prelude", "two_options")


def read_with(tokenizer, family="llama"):
    """A tiny model of this family that reads real prompts."""
    network = tiny_network(family, vocab_size=len(tokenizer), max_position_embeddings=512)
    return LanguageModel.wrap(network, tokenizer)


@pytest.fixture(scope="module")
def model():
    return read_with(byte_level())


def asked(split, n):
    return draw("stated-facts", split=split, n=n, seed=0, layout=Layout())


def pairs_for(model, parameters, n=2):
    def written(question):
        variants = MutationBars().variants(question, parameters)
        return tuple(tokenised_or_none(variant, model.tokenizer) for variant in variants)

    questions = asked("held_out", n)
    prompts = [tokenise(question, model.tokenizer) for question in questions]
    return [PromptPair(prompt, prompt, written(prompt.question)) for prompt in prompts]


def fitted(model, parameters):
    others = [tokenise(question, model.tokenizer) for question in asked("train", parameters.n_fit)]
    return MutationBars().knowing(MutationBars().from_others(model, others, parameters))


def values_in_parts(analysis, model, pairs, parameters):
    each = []
    for pair in pairs:
        parts = [analysis.compute(model, pair, part) for part in analysis.split(model, pair, parameters)]
        each.append(analysis.combine(parts))
    return {name: torch.stack([one[name] for one in each]) for name in each[0]}


def bars_in(summary, mutation, bar):
    names = [entry["label"] for entry in summary.coordinates["mutation"]]
    return summary.tables["bars"].mean[:, names.index(mutation), BARS.index(bar)]


@pytest.fixture(scope="module")
def everything(model):
    """All mutations and an own one: the pairs, what is stored of them, and what is said."""
    parameters = replace(SEEN, own=OWN)
    analysis, pairs = fitted(model, parameters), pairs_for(model, parameters)
    analysis.check(model, pairs, parameters)
    values = values_in_parts(analysis, model, pairs, parameters)
    return pairs, values, analysis.summarise(model, pairs, values, parameters)


def test_every_mutation_has_its_bars(everything):
    _, _, summary = everything
    assert [entry["label"] for entry in summary.coordinates["mutation"]] == [*MUTATIONS, "own"]
    bars = summary.tables["bars"]
    assert bars.axes == ("metric", "mutation", "bar")
    assert bars.mean.shape == (len(SHOWN_METRICS), len(MUTATIONS) + 1, len(BARS))
    gone = [entry for entry in MUTATIONS if bars_in(summary, entry, "clean").isnan().any()]
    assert set(gone) == set(summary.details["missing"])
    assert all("left out" in summary.details["missing"][name] for name in gone) and len(gone) <= 1


def test_full_rank_is_clean_and_the_other_bars_are_not(everything):
    _, _, summary = everything
    for mutation in ("none", "shuffled", "options_first", "two_options", "own"):
        clean = bars_in(summary, mutation, "clean")
        assert (bars_in(summary, mutation, "full_rank") - clean).abs().max() <= EXACT
        for bar in ("ablated", "low_rank", "random"):
            assert (bars_in(summary, mutation, bar) - clean).abs().max() > 1e-3


def test_clean_bars_are_those_of_plain_transformers(everything, model):
    pairs, _, summary = everything
    for place, (name, mutation) in enumerate(MUTATIONS.items()):
        losses = []
        for pair in pairs:
            prompt = pair.variants[place]
            if prompt is None:
                continue
            assert prompt.question == mutation.mutate(pair.clean.question)
            logits = plain_logits(model, stack_tokens([prompt]))[0, stack_answers([prompt])[0]]
            losses.append(-float(logits.log_softmax(-1)[prompt.correct]))
        if len(losses) == len(pairs):
            found = bars_in(summary, name, "clean")[SHOWN_METRICS.index("letter_loss")]
            assert float(found) == pytest.approx(sum(losses) / len(losses), abs=EXACT)
            shown = summary.details["prompts"][name]
            assert [one["letter_loss"] for one in shown] == pytest.approx(losses, abs=EXACT)


def test_bars_follow_from_what_is_stored(everything):
    pairs, values, summary = everything
    stored = values["logits"][:, list(MUTATIONS).index("shuffled")]
    assert stored.shape[1] == 4 + N_RANDOM >= 4 + 5
    correct = torch.tensor([pair.clean.correct for pair in pairs])
    centred = (stored - stored.mean(-1, keepdim=True))[torch.arange(len(pairs)), :, correct].mean(0)
    for bar, row in (("clean", 0), ("ablated", 1), ("full_rank", 2), ("low_rank", 3)):
        assert bars_in(summary, "shuffled", bar)[2] == pytest.approx(float(centred[row]), abs=1e-5)
    assert bars_in(summary, "shuffled", "random")[2] == pytest.approx(float(centred[4:].mean()), abs=1e-5)


def test_chance_counts_the_options(everything):
    _, _, summary = everything
    for name, n in (("none", 4), ("two_options", 2), ("three_options", 3)):
        expected = torch.tensor([math.log(n), 1 / n, 0.0])
        assert torch.allclose(bars_in(summary, name, "chance"), expected)
        assert {len(prompt["labels"]) for prompt in summary.details["prompts"][name]} == {n}


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "qwen3"])
def test_full_rank_is_clean_in_other_families(family):
    parameters = replace(SEEN, mutations=("none", "random_letters", "semicolon"), n_fit=4)
    model = read_with(byte_level(), family)
    pairs, analysis = pairs_for(model, parameters, n=2), fitted(model, parameters)
    summary = analysis.summarise(
        model, pairs, values_in_parts(analysis, model, pairs, parameters), parameters
    )
    bars = summary.tables["bars"].mean
    difference = bars[:, :, BARS.index("full_rank")] - bars[:, :, BARS.index("clean")]
    assert difference.abs().max() <= EXACT
    assert (bars[:, :, BARS.index("low_rank")] - bars[:, :, BARS.index("clean")]).abs().max() > 1e-3


def test_parts_give_what_all_at_once_gives(model):
    parameters = replace(SEEN, mutations=SOME)
    analysis, pairs = fitted(model, parameters), pairs_for(model, parameters, n=2)
    parts = analysis.split(model, pairs[0], parameters)
    assert sorted(name for part in parts for name in part.mutations) == sorted(SOME)
    assert 1 < len(parts) <= len(SOME)
    at_once = torch.stack([analysis.compute(model, pair, parameters)["logits"] for pair in pairs])
    found = values_in_parts(analysis, model, pairs, parameters)["logits"]
    assert torch.equal(found.isnan(), at_once.isnan())
    assert (found - at_once).nan_to_num().abs().max() <= EXACT


def test_mutations_that_change_nothing_are_not_run_again(model, monkeypatch):
    n_run = []

    def counting(model, prompts, *rest):
        n_run.append(len(prompts))
        return compressed(model, prompts, *rest)

    monkeypatch.setattr("analysis.analyses.mutations.compressed", counting)
    parameters = replace(SEEN, mutations=("none", "no_prelude", "lower_case"))
    analysis, (pair,) = fitted(model, parameters), pairs_for(model, parameters, n=1)
    assert pair.variants[0] == pair.variants[1] != pair.variants[2]
    (part,) = analysis.split(model, pair, parameters)
    logits = analysis.compute(model, pair, part)["logits"]
    assert n_run == [2]
    places = [list(MUTATIONS).index(name) for name in parameters.mutations]
    assert torch.equal(logits[places[0]], logits[places[1]])
    assert not torch.equal(logits[places[0]], logits[places[2]])


def test_bars_that_are_not_there_yet_are_empty(model):
    """Between two parts the others are NaN, and no prompt is shown as answered."""
    parameters = replace(SEEN, mutations=("none", "prelude"))
    analysis, pairs = fitted(model, parameters), pairs_for(model, parameters, n=1)
    first = analysis.compute(model, pairs[0], analysis.split(model, pairs[0], parameters)[0])
    summary = analysis.summarise(
        model, pairs, {name: value[None] for name, value in first.items()}, parameters
    )
    assert bars_in(summary, "prelude", "chance").isnan().all()
    assert not bars_in(summary, "none", "clean").isnan().any()
    assert summary.details["prompts"]["prelude"] == [] and summary.details["missing"] == {}


def test_labels_of_several_tokens_leave_their_place_empty_with_the_reason():
    model = read_with(byte_level(merges=0))
    parameters = replace(SEEN, mutations=("none", "roman"), n_fit=4)
    analysis, pairs = fitted(model, parameters), pairs_for(model, parameters, n=2)
    summary = analysis.summarise(
        model, pairs, values_in_parts(analysis, model, pairs, parameters), parameters
    )
    assert bars_in(summary, "roman", "clean").isnan().all()
    assert bars_in(summary, "roman", "chance").isnan().all()
    (warning,) = (each for each in summary.warnings if "Roman" in each)
    assert "2 of 2 prompts are left out" in warning and "'II' is not a single token" in warning
    assert summary.details["missing"] == {"roman": warning}
    nothing = replace(parameters, mutations=("roman",))
    (part,) = analysis.split(model, pairs[0], nothing)
    assert analysis.compute(model, pairs[0], part)["logits"].isnan().all()


def test_dimensions_are_fitted_on_other_questions():
    assert MutationBars().n_others(SEEN) == 6
    fit = {question.text for question in asked("train", 64)}
    assert fit.isdisjoint(question.text for question in asked("held_out", 100))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": ()}, "at least one head"),
        ({"heads": ("MLP2",)}, "only heads"),
        ({"heads": ("L9H0",)}, "L9H0"),
        ({"rank": 9}, "rank must be 0 to 8, not 9"),
        ({"n_fit": 1}, "at least 2"),
        ({"mutations": ("upside_down",)}, "no mutation 'upside_down'"),
        ({"mutations": ("own",)}, "no mutation 'own'"),
    ],
)
def test_what_does_not_exist_is_refused(model, changes, words):
    parameters = replace(SEEN, **changes)
    with pytest.raises((BadQuestion, UnknownNode), match=words):
        MutationBars().variants(asked("held_out", 1)[0], parameters)
        MutationBars().check(model, [], parameters)
