"""Mutations (F31): what they change, what they never change, and the way back."""

import string
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import BadQuestion, UnresolvedLabel
from analysis.layout import Layout
from analysis.mutations import MUTATIONS, OwnMutation, inverse, mutation_of
from analysis.question_sets import draw
from analysis.questions import FORMATS, MAX_OPTIONS, Format, Option, Question, render, with_delimiters
from analysis.tokenise import tokenise
from tests.analysis.tokenizer_kinds import KINDS, bracket_merging, byte_level

COLORS = ("gray", "pink", "red", "yellow")
BIKE = Question(
    text="The bike is yellow. What color is the bike?",
    options=tuple(Option(label, content) for label, content in zip("ABCD", COLORS, strict=True)),
    correct=3,
    subject="colors",
)
OWN = mutation_of(
    OwnMutation(labels=("W", "X", "Y", "Z"), opening="<", closing="> ", lead="", prelude="Go. ")
)
WORDS = st.text(string.ascii_lowercase + " é", min_size=1, max_size=12).filter(str.strip)


FORMS = st.fixed_dictionaries(
    {
        "text": WORDS,
        "contents": st.lists(WORDS, min_size=2, max_size=MAX_OPTIONS, unique=True),
        "labels": st.permutations(string.ascii_uppercase),
        "correct": st.integers(0, MAX_OPTIONS),
    }
)
ASKED = FORMS.flatmap(
    lambda form: st.fixed_dictionaries(
        {
            "form": st.just(form),
            "prelude": st.sampled_from(["", "Choose.\n\n"]),
            "shots": st.lists(FORMS, max_size=1),
            "style": st.sampled_from(list(FORMATS)),
            "options_first": st.booleans(),
        }
    )
)


def plain(form: dict[str, Any], style: Format) -> Question:
    contents = form["contents"]
    options = tuple(Option(*pair) for pair in zip(form["labels"], contents, strict=False))
    return Question(form["text"], options, form["correct"] % len(contents), format=style)


def ask(form, prelude, shots, style, options_first) -> Question:
    """Any question that can be asked, with worked examples in its own format."""
    style = replace(FORMATS[style], options_first=options_first)
    return replace(plain(form, style), prelude=prelude, shots=tuple(plain(shot, style) for shot in shots))


@given(ASKED, st.sampled_from(list(MUTATIONS)), st.integers(0, 3))
def test_what_is_asked_and_answered_stays_and_the_way_back_exists(asked, name, seed):
    question, mutation = ask(**asked), MUTATIONS[name]
    mutated = mutation.mutate(question, seed=seed)
    render(mutated)
    assert mutated.answer == question.answer and mutated.text == question.text
    assert set(mutated.contents) <= set(question.contents)
    assert inverse(mutated, question) == question
    assert [shot.answer for shot in mutated.shots] == [shot.answer for shot in question.shots]
    assert {shot.format for shot in mutated.shots} <= {mutated.format}
    assert not any(shot.prelude for shot in mutated.shots)
    assert mutation.mutate(question, seed=seed) == mutated


def test_a_question_that_was_turned_into_another_does_not_come_back():
    assert inverse(replace(BIKE, correct=0), BIKE) != BIKE
    assert inverse(replace(BIKE, text="What color is the sky?"), BIKE) != BIKE
    with pytest.raises(BadQuestion, match="'blue' is in no option"):
        inverse(BIKE.with_contents(("gray", "pink", "blue", "yellow"), 3), BIKE)


def test_unchanged_is_unchanged():
    assert MUTATIONS["none"].mutate(BIKE) == BIKE


@given(ASKED)
def test_labels(asked):
    question = ask(**asked)
    n, mutated = len(question.options), {name: m.mutate(question) for name, m in MUTATIONS.items()}
    for name in ("shuffled", "random_letters", "ordered_letters", "numbers", "lower_case", "roman"):
        assert mutated[name].contents == question.contents and mutated[name].format == question.format
    assert sorted(mutated["shuffled"].labels) == sorted(question.labels)
    for name in ("random_letters", "ordered_letters"):
        assert not set(mutated[name].labels) & {*"ABCD", *question.labels}
    assert list(mutated["ordered_letters"].labels) == sorted(mutated["ordered_letters"].labels)
    assert mutated["numbers"].labels == tuple(str(place + 1) for place in range(n))
    assert mutated["lower_case"].labels == tuple(label.lower() for label in question.labels)
    assert mutated["roman"].labels[:4] == ("I", "II", "III", "IV")[:n]


def test_shuffled_labels_tell_nothing_of_the_place():
    """Over 800 questions each place has each letter about as often: below 21.7 in 99 % of seeds."""
    drawn = draw("stated-facts", split="train", n=800, seed=0, layout=Layout())
    labels = [MUTATIONS["shuffled"].mutate(question).labels for question in drawn]
    counts = Counter((place, label) for each in labels for place, label in enumerate(each))
    assert sum((counts[place, label] - 200) ** 2 / 200 for place in range(4) for label in "ABCD") < 21.7
    assert len({MUTATIONS["random_letters"].mutate(question).labels for question in drawn}) > 790


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dot", "A. gray\nB. pink\nC. red\nD. yellow\nAnswer:"),
        ("bracket", "[A] gray\n[B] pink\n[C] red\n[D] yellow\nAnswer: ["),
        ("colon", "A: gray\nB: pink\nC: red\nD: yellow\nAnswer:"),
        ("two_options", "Answer: ("),
    ],
)
def test_the_end_follows_the_delimiters(name, text):
    assert render(MUTATIONS[name].mutate(BIKE)).endswith(text)


def test_other_forms():
    asked = "Question: The bike is yellow. What color is the bike?"
    options = ["(A) gray", "(B) pink", "(C) red", "(D) yellow"]
    told = {name: render(MUTATIONS[name].mutate(BIKE)) for name in MUTATIONS}
    assert told["options_first"] == "\n".join([*options, asked, "Answer: ("])
    assert told["semicolon"] == "; ".join([asked, *options, "Answer: ("])
    assert told["prelude"].endswith("about colors.\n\n" + told["none"])
    assert render(MUTATIONS["no_prelude"].mutate(replace(BIKE, prelude="Hm. "))) == told["none"]
    assert MUTATIONS["permuted"].mutate(BIKE).contents != BIKE.contents
    assert MUTATIONS["permuted"].mutate(BIKE).labels == BIKE.labels


@given(ASKED)
def test_fewer_options_keep_the_first_labels(asked):
    question = ask(**asked)
    for name, n in (("two_options", 2), ("three_options", 3)):
        mutated = MUTATIONS[name].mutate(question)
        assert mutated.labels == question.labels[:n]
        places = [question.contents.index(content) for content in mutated.contents]
        assert places == sorted(places)


def test_the_formats_are_delimiters():
    """The same end follows from the delimiters as the two formats have."""
    for style in FORMATS.values():
        for other in FORMATS.values():
            assert with_delimiters(other, style.opening, style.closing) == style


@pytest.mark.parametrize("kind", KINDS)
def test_label_ids_are_resolved_again(kind):
    """The mutated prompt's labels are the tokens that the model says there, or it is refused in words."""
    tokenizer = KINDS[kind]()
    n_resolved = 0
    for mutation in MUTATIONS.values():
        mutated = mutation.mutate(BIKE)
        try:
            prompt = tokenise(mutated, tokenizer)
        except UnresolvedLabel as refused:
            assert "is not a single token" in str(refused)
            continue
        n_resolved += 1
        said = [str(tokenizer.decode([label_id])).strip() for label_id in prompt.label_ids]
        assert said == list(mutated.labels), mutation.name
        read = [prompt.token_texts[position].strip() for position in prompt.label_positions]
        assert all(label in text for label, text in zip(mutated.labels, read, strict=True))
    assert n_resolved >= 10


def test_a_merged_label_is_warned_of_and_another_format_avoids_it():
    merging = bracket_merging()
    assert "'(A'" in tokenise(BIKE, merging).warnings[0]
    assert tokenise(MUTATIONS["bracket"].mutate(BIKE), merging).warnings == ()


def test_an_own_mutation():
    mutated = OWN.mutate(BIKE)
    asked = "The bike is yellow. What color is the bike?\n"
    options = "<W> gray\n<X> pink\n<Y> red\n<Z> yellow\n"
    assert render(mutated) == "Go. " + asked + options + "Answer: <"
    assert inverse(mutated, BIKE) == BIKE
    shot = OWN.mutate(replace(BIKE, shots=(BIKE,)))
    assert render(shot) == "Go. " + asked + options + "Answer: <Z>\n\n" + asked + options + "Answer: <"
    assert mutation_of(OwnMutation()).mutate(BIKE) == BIKE


@pytest.mark.parametrize(
    ("suffix", "lead"), [("So it is", " "), ("Answer: (", ""), ("My choice:", " "), ('Say "', "")]
)
def test_an_own_end_of_the_prompt(suffix, lead):
    mutated = mutation_of(OwnMutation(suffix=suffix)).mutate(replace(BIKE, shots=(BIKE,)))
    assert render(mutated).endswith(f"yellow\n{suffix}")
    closing = ")" if suffix.endswith("(") else ""
    assert f"{suffix}{lead}D{closing}\n\n" in render(mutated)
    prompt = tokenise(mutated, byte_level())
    assert [str(byte_level().decode([id_])) for id_ in prompt.label_ids] == [lead + x for x in "ABCD"]


def test_an_own_mutation_needs_a_label_for_every_option():
    with pytest.raises(BadQuestion, match="has 3 labels; these questions have 4 options"):
        mutation_of(OwnMutation(labels=("X", "Y", "Z"))).mutate(BIKE)
    assert mutation_of(OwnMutation(labels=tuple("VWXYZ"))).mutate(BIKE).labels == tuple("VWXY")
