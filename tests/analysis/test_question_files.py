"""Question files: what is read, and that every mistake is reported with its line."""

import json
from pathlib import Path

import pytest

from analysis.question_files import MAX_PROBLEMS, BadQuestionFile, read_jsonl, read_mmlu_csv

MMLU = Path(__file__).parents[3] / "shared" / "data" / "mmlu"
GOOD = 'What is 1?,one,two,three,four,A\n"Which, ""exactly""\nis 2?","a, b",two,"x\ny",four,B\n'


def problems(read, text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadQuestionFile) as caught:
        read(text)
    return caught.value.problems


def test_fields_may_hold_commas_quotes_and_line_breaks() -> None:
    first, second = read_mmlu_csv(GOOD)
    assert (first.text, first.contents, first.correct) == ("What is 1?", ("one", "two", "three", "four"), 0)
    assert second.text == 'Which, "exactly"\nis 2?'
    assert (second.contents[0], second.contents[2], second.correct) == ("a, b", "x\ny", 1)
    assert second.labels == ("A", "B", "C", "D")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_any_line_ends_are_read(end: str) -> None:
    assert len(read_mmlu_csv(GOOD.replace("\n", end))) == 2


def test_every_mistake_is_reported_with_the_line_where_its_record_starts() -> None:
    text = GOOD + ",a,b,c,d,A\nWhat?,a,b\nWhat?,a,b,c,d,E\nWhat?,a,b,c,B\nWhat?,a,a,c,d,A\n"
    found = problems(read_mmlu_csv, text)
    assert [line for line, _ in found] == [5, 6, 7, 8, 9]
    sentences = [
        "no text",
        "3 columns",
        "'E' is not a letter from A to D",
        "3 options, the first one 4",
        "'a'",
    ]
    for (_, message), sentence in zip(found, sentences, strict=True):
        assert sentence in message


def test_a_quote_that_never_closes_is_reported() -> None:
    ((line, message),) = problems(read_mmlu_csv, 'What?,a,b,A\n"What?,a,b,A\n')
    assert line == 2 and "quote" in message


def test_a_long_list_of_mistakes_is_cut() -> None:
    with pytest.raises(BadQuestionFile, match=r"Line 1: .*49 more problems") as caught:
        read_mmlu_csv("What?,a,b,C\n" * 50)
    assert [line for line, _ in caught.value.problems] == list(range(1, MAX_PROBLEMS + 1))


@pytest.mark.parametrize("read", [read_mmlu_csv, read_jsonl])
@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(read, text: str) -> None:
    assert problems(read, text) == [(1, "The file holds no question.")]


@pytest.mark.parametrize(("answer", "correct"), [(2, 2), ("B", 1), ("d", 3), ("three", 2)])
def test_json_lines_take_an_index_a_letter_or_the_content(answer: object, correct: int) -> None:
    line = json.dumps({"question": "What?", "options": ["one", "two", "three", "four"], "answer": answer})
    (question,) = read_jsonl(line + "\n\n")
    assert question.correct == correct


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "JSON object"),
        ('{"options": ["a", "b"], "answer": 0}', '"question" must be a text'),
        ('{"question": "Q", "options": "ab", "answer": 0}', '"options" must be a list'),
        ('{"question": "Q", "options": ["a", 1], "answer": 0}', '"options" must be a list'),
        (
            '{"question": "Q", "options": ["a", "b"], "answer": 2}',
            "option 2, counted from 0, but there are 2",
        ),
        ('{"question": "Q", "options": ["a", "b"], "answer": -1}', "option -1"),
        ('{"question": "Q", "options": ["a", "b"], "answer": true}', '"answer" must be'),
        ('{"question": "Q", "options": ["a", "b"], "answer": NaN}', '"answer" must be'),
        ('{"question": "Q", "options": ["a", "b"], "answer": "c"}', "'c' is not a letter from A to B"),
        ('{"question": "Q", "options": ["a"], "answer": 0}', "at least 2 options"),
        ('{"question": "Q", "options": [], "answer": "A"}', "not a letter"),
        (json.dumps({"question": "Q", "options": [*"abcdefghijk"], "answer": 0}), "10 options at most"),
    ],
)
def test_bad_json_lines_are_reported(line: str, sentence: str) -> None:
    good = '{"question": "Q", "options": ["a", "b"], "answer": "A"}'
    ((number, message),) = problems(read_jsonl, f"{good}\n\n{line}\n{good}")
    assert number == 3
    assert sentence in message


@pytest.mark.skipif(not MMLU.is_dir(), reason="the MMLU files are not beside the repository")
def test_real_mmlu_files_are_read_whole() -> None:
    found = {path.name: len(read_mmlu_csv(path.read_bytes().decode())) for path in MMLU.glob("*.csv")}
    assert found["abstract_algebra_test.csv"] == 100
    assert found["astronomy_test.csv"] == 152
    assert found["miscellaneous_test.csv"] > 700
