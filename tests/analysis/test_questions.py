"""Questions as values and the text they become."""

from dataclasses import replace

import pytest

from analysis.errors import BadQuestion
from analysis.questions import FORMATS, Option, Question, check, render, segments

BIKE = Question(
    text="The bike is yellow. What color is the bike?",
    options=(Option("A", "gray"), Option("B", "pink"), Option("C", "orange"), Option("D", "yellow")),
    correct=3,
)


def test_the_default_layout() -> None:
    assert render(BIKE) == (
        "Question: The bike is yellow. What color is the bike?\n"
        "(A) gray\n(B) pink\n(C) orange\n(D) yellow\nAnswer: ("
    )


def test_the_layout_with_full_stops() -> None:
    assert render(replace(BIKE, format=FORMATS["A."])) == (
        "Question: The bike is yellow. What color is the bike?\n"
        "A. gray\nB. pink\nC. orange\nD. yellow\nAnswer:"
    )


@pytest.mark.parametrize(("name", "answer"), [("(A)", "Answer: (D)\n\n"), ("A.", "Answer: D\n\n")])
def test_shots_are_shown_with_their_answer(name: str, answer: str) -> None:
    plain = replace(BIKE, format=FORMATS[name])
    asked = replace(plain, prelude="Choose.\n\n", shots=(plain,))
    cut = len(render(plain)) - len(plain.format.suffix)
    assert render(asked) == "Choose.\n\n" + render(plain)[:cut] + answer + render(plain)


def test_segments_are_the_text_and_name_the_correct_option() -> None:
    pieces = segments(BIKE)
    assert "".join(piece.text for piece in pieces) == render(BIKE)
    assert [piece.text for piece in pieces if "content_correct" in piece.roles] == ["yellow"]
    assert [piece.text for piece in pieces if "label_incorrect" in piece.roles] == ["A", "B", "C"]
    assert [piece.option for piece in pieces if "newline" in piece.roles] == [None, 0, 1, 2, 3]
    assert [piece.roles[-1] for piece in pieces[-3:]] == ["answer", "colon", "open_bracket"]


def test_other_contents_keep_the_labels() -> None:
    swapped = BIKE.with_contents(("yellow", "pink", "orange", "gray"), 0)
    assert swapped.labels == BIKE.labels
    assert (swapped.answer, swapped.correct) == ("yellow", 0)
    assert BIKE.answer == "yellow" and BIKE.correct == 3


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (replace(BIKE, text=" \n"), "no text"),
        (replace(BIKE, options=()), "at least 2 options; this one has 0"),
        (replace(BIKE, options=BIKE.options[:1], correct=0), "at least 2 options; this one has 1"),
        (
            replace(BIKE, options=tuple(Option(str(i), f"x{i}") for i in range(11))),
            "10 options at most, not 11",
        ),
        (replace(BIKE, correct=4), "number 5 of only 4"),
        (replace(BIKE, correct=-1), "number 0 of only 4"),
        (replace(BIKE, options=(Option("A", "x"), Option("A", "y")), correct=0), "same label, 'A'"),
        (replace(BIKE, options=(Option("A", "x"), Option("B", "x")), correct=0), "same content, 'x'"),
        (
            replace(BIKE, options=(Option("A", "x"), Option("B", " ")), correct=0),
            "Option 2 has an empty content",
        ),
        (
            replace(BIKE, options=(Option("", "x"), Option("B", "y")), correct=0),
            "Option 1 has an empty label",
        ),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(question: Question, sentence: str) -> None:
    with pytest.raises(BadQuestion, match=sentence):
        check(question)
    with pytest.raises(BadQuestion, match=sentence):
        render(question)
