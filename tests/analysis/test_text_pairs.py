"""Pairs of plain text: what becomes of them as tokens, what may follow them, the indirect-object set."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from analysis.alignment import align, changed
from analysis.errors import BadQuestion, UnresolvedLabel
from analysis.indirect_object import NAMES, draw_pairs, n_pairs
from analysis.pair_files import read_pair, write_pair
from analysis.prompt_checks import check_pair
from analysis.question_files import BadQuestionFile, read_csv, read_json_lines
from analysis.question_sets import Layout, draw
from analysis.questions import Option, Question, check, render, with_delimiters
from analysis.text_pairs import compared, text_pair
from analysis.tokenise import tokenise
from tests.analysis.tokenizer_kinds import byte_level

QUESTION = {"question": "Q", "options": ["a", "b"]}
TEXT = {"clean": "(A) red (B) A", "corrupt": "(A) red (B) B", "answer": "A", "distractor": "B"}


@pytest.fixture(scope="module")
def tokenizer():
    return byte_level()


def test_a_text_is_its_own_prompt_and_lists_no_options() -> None:
    clean, corrupt = text_pair("The cat is", "The rose is", (" an", " a"))
    assert render(clean) == "The cat is" and not clean.lists_options
    assert (clean.answer, corrupt.answer) == (" an", " a")


def test_tokens_of_a_text_know_where_it_says_an_answer_and_where_the_pair_differs(tokenizer) -> None:
    pair = compared(*(tokenise(question, tokenizer) for question in read_pair(TEXT)))
    roles = dict(zip(pair.clean.token_texts, pair.clean.roles, strict=True))
    assert roles["("] == ("text",)
    assert pair.clean.roles[-1] == ("final", "text", "changed")  # “ A” is not the answer “A”
    assert "says_answer" in roles["A"] and "says_distractor" in roles["B"]
    assert pair.clean.label_positions == ()
    assert [tokenizer.decode([id_]) for id_ in pair.clean.label_ids] == ["A", "B"]


def test_an_answer_of_two_tokens_is_refused_with_its_pieces(tokenizer) -> None:
    (clean, _) = text_pair("Answer:", "Question:", (" A", " A zebra"))
    with pytest.raises(UnresolvedLabel, match=r"“ A zebra” is \d tokens here \(“ A” \+ "):
        tokenise(clean, tokenizer)


@pytest.mark.parametrize(
    ("left", "right", "aligned"),
    [
        ([1, 2, 3], [1, 9, 3], [(0, 0), (1, 1), (2, 2)]),
        ([1, 2, 3], [1, 3], [(0, 0), (1, None), (2, 1)]),
        ([1, 3], [1, 2, 4, 3], [(0, 0), (None, 1), (None, 2), (1, 3)]),
    ],
)
def test_tokens_are_matched_by_number_or_by_what_is_alike(left, right, aligned) -> None:
    assert align(left, right) == aligned


def test_what_is_changed_is_known_on_both_sides() -> None:
    assert changed([1, 2, 3], [1, 9, 3]) == ({1}, {1})
    assert changed([1, 3], [1, 2, 4, 3]) == (set(), {1, 2})


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ([1], "JSON object"),
        (TEXT | {"clean": " "}, "empty"),
        (TEXT | {"distractor": "A"}, "“A” stands twice"),
        (TEXT | {"answer": ""}, "The answer is empty"),
        (TEXT | {"answer": 3}, '"answer" must be a text'),
        (TEXT | {"colour": "red"}, 'no field "colour"'),
        ({"clean": "a", "corrupt": "b", "answers": ["x"]}, "not 1 in all"),
        ({"clean": "a", "corrupt": {}}, "both be texts"),
        ({"clean": QUESTION | {"options": ["a"]}, "corrupt": QUESTION}, "1 options, the corrupt one 2"),
        ({"clean": QUESTION | {"shots": [{}] * 6}, "corrupt": QUESTION}, "at most 5"),
        ({"clean": QUESTION | {"shots": ["x"]}, "corrupt": QUESTION}, "answered questions"),
        ({"clean": QUESTION | {"shots": [QUESTION | {"options": ["a"]}]}, "corrupt": QUESTION}, "2 options"),
        ({"clean": QUESTION | {"format": "?"}, "corrupt": QUESTION}, "format must be"),
        ({"clean": "x" * 5000, "corrupt": "b", "answer": "A", "distractor": "B"}, "5,000 characters"),
    ],
)
def test_pairs_that_are_none_are_refused_with_a_sentence(record, sentence: str) -> None:
    with pytest.raises(BadQuestion, match=sentence.replace("(", r"\(")):
        read_pair(record)


def test_what_is_written_of_a_pair_is_read_again() -> None:
    layout = Layout(n_options=3, label_style="numbers", shots=2, prelude=True)
    clean = draw("stated-facts", split="held_out", n=1, seed=3, layout=layout)[0]
    odd = replace(clean, shots=(), prelude="", format=with_delimiters(clean.format, "<", "> "))
    for pair in (
        (clean, clean.with_contents(clean.contents[::-1], 0)),
        (odd, odd),
        text_pair("a", "b", (" x", " y")),
        text_pair("a", "b", (" x", " y", " z")),
    ):
        assert read_pair(json.loads(json.dumps(write_pair(pair)))) == pair


def test_a_file_of_pairs_is_read_whole_and_mistakes_name_their_lines() -> None:
    good = json.dumps(TEXT)
    file = read_json_lines(f"{good}\n\n{good}\n")
    assert file.lines == (1, 3) and not file.questions and file.pairs[0] == read_pair(TEXT)
    three = json.dumps({"clean": "a", "corrupt": "b", "answers": ["x", "y", "z"]})
    with pytest.raises(BadQuestionFile) as caught:
        half = json.dumps(TEXT | {"answer": "\ud800"})
        read_json_lines(f"{good}\nnot json\n{three}\n{json.dumps(TEXT | {'answer': 1})}\n{half}")
    assert [line for line, _ in caught.value.problems] == [2, 3, 4, 5]
    assert "3 answers, the first one 2" in caught.value.problems[1][1] and '"clean"' in caught.value.expected
    with pytest.raises(BadQuestionFile) as caught:
        read_csv("What?,a,b\n")
    assert "the letter of the correct one" in caught.value.expected


def test_a_check_says_what_stops_a_pair_and_what_is_worth_knowing(tokenizer) -> None:
    good = check_pair(read_pair(TEXT), tokenizer)
    assert good.usable and good.clean and [said.token_text for said in good.clean.answers] == ["A", "B"]
    said = check_pair(text_pair("Answer: ", "Answer: (A) ", ("A", " A zebra")), tokenizer)
    assert not said.usable and said.clean and said.clean.answers[1].token_id is None
    remarks = [remark.message for remark in said.remarks]
    assert any("ends with a space" in remark for remark in remarks)
    assert any("tokens. The final position" in remark for remark in remarks)
    glued = check_pair(text_pair("the pink", "the gray", ("A", "B")), tokenizer)
    assert any("would be read as “pinkA”" in remark.message for remark in glued.remarks)
    same = check_pair(text_pair("(A)", "(A)", (" A", " B")), tokenizer)
    assert [remark.message for remark in same.remarks if remark.stops] == [
        "Both prompts are the same: a patch would change nothing."
    ]
    empty = check_pair(text_pair("", "(A)", (" A", " B")), tokenizer)
    assert empty.clean is None and not empty.usable and empty.aligned == []


def test_labels_that_do_not_match_are_said(tokenizer) -> None:
    clean = Question("Which?", (Option("A", "red"), Option("B", "pink")), 0)
    corrupt = Question("Which?", (Option("C", "pink"), Option("D", "red")), 0)
    messages = " ".join(remark.message for remark in check_pair((clean, corrupt), tokenizer).remarks)
    assert "A, B and C, D" in messages and "same label is right" in messages


def test_indirect_objects_exchange_the_giver_only() -> None:
    pairs = draw_pairs("held_out", 40, 7)
    assert len({clean.text for clean, _ in pairs}) == 40
    for clean, corrupt in pairs:
        receiver, giver = clean.labels
        check(clean)
        words, others = clean.text.split(), corrupt.text.split()
        apart = [(one, other) for one, other in zip(words, others, strict=True) if one != other]
        assert apart == [(giver.strip(), receiver.strip())]
        assert corrupt.answer == giver and clean.text.count(giver) == 2
        assert {receiver.strip(), giver.strip()} <= set(NAMES["held_out"])


def test_indirect_objects_are_balanced_and_stay_as_more_are_drawn() -> None:
    pairs = draw_pairs("train", 20, 1)
    assert pairs[:7] == draw_pairs("train", 7, 1) != draw_pairs("train", 7, 2)[:7]
    giver_first = Counter(c.text.find(c.labels[1]) < c.text.find(c.labels[0]) for c, _ in pairs)
    assert giver_first == {True: 10, False: 10}
    assert not set(NAMES["train"]) & set(NAMES["held_out"])
    with pytest.raises(BadQuestion, match="not from 1 to that"):
        draw_pairs("train", n_pairs("train") + 1, 0)
