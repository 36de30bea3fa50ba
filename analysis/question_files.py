"""Prompts from files: CSV in MMLU's layout, and JSON lines. Every mistake is reported with its line."""

import csv
import io
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from analysis.errors import AnalysisError, BadQuestion
from analysis.pair_files import EXPECTED_PAIR, read_pair
from analysis.questions import MAX_OPTIONS, Option, Question, check
from analysis.text_pairs import QuestionPair

Problem = tuple[int, str]  # the line where the record starts, counted from 1, and what is wrong with it
Read = TypeVar("Read", Question, QuestionPair)
MAX_PROBLEMS = 20
EXPECTED_ROW = "question, 2 to 10 options, the letter of the correct one: What is 1 + 1?,1,2,3,4,B"
EXPECTED_LINE = '{"question": "What is 1 + 1?", "options": ["1", "2", "3", "4"], "answer": "B"}'


class BadQuestionFile(AnalysisError):
    """A file with mistakes in it; `problems` holds the first of them as (line, message).

    `expected` is what a line should look like.
    """

    def __init__(self, problems: list[Problem], expected: str = "") -> None:
        line, message = problems[0]
        more = f" ({len(problems) - 1} more problems)" if len(problems) > 1 else ""
        super().__init__(f"Line {line}: {message}{more}")
        self.problems, self.n_problems, self.expected = problems[:MAX_PROBLEMS], len(problems), expected


@dataclass(frozen=True)
class PromptFile:
    """What a file holds: questions, still to be laid out and given a counterfactual, or finished pairs."""

    questions: tuple[Question, ...]
    pairs: tuple[QuestionPair, ...]
    lines: tuple[int, ...]  # where each of them starts


def read_csv(text: str) -> PromptFile:
    """Questions in MMLU's layout."""
    return _questions(_collect(_csv_records(text), _from_row, EXPECTED_ROW))


def read_json_lines(text: str) -> PromptFile:
    """Questions or pairs, whichever the first line holds."""
    first = next(_json_records(text), (1, None))[1]
    if not isinstance(first, dict) or "clean" not in first:
        return _questions(_collect(_json_records(text), _from_object, EXPECTED_LINE))
    found = _collect(_json_records(text), read_pair, EXPECTED_PAIR)
    return PromptFile((), tuple(pair for _, pair in found), tuple(line for line, _ in found))


def _questions(found: list[tuple[int, Question]]) -> PromptFile:
    return PromptFile(tuple(question for _, question in found), (), tuple(line for line, _ in found))


def read_mmlu_csv(text: str) -> list[Question]:
    """MMLU's own layout: no header; question, the options, the letter of the correct one.

    Fields may be quoted and then hold commas, quotes (doubled) and line breaks.
    """
    return list(read_csv(text).questions)


def read_jsonl(text: str) -> list[Question]:
    """One object a line: {"question": "...", "options": ["...", ...], "answer": ...}.

    The answer is an index from 0, a letter, or the content of an option.
    """
    return [question for _, question in _collect(_json_records(text), _from_object, EXPECTED_LINE)]


def _collect(
    records: Iterator[tuple[int, Any]], read: Callable[[Any], Read], expected: str
) -> list[tuple[int, Read]]:
    """Every record read, or `BadQuestionFile` with everything that is wrong."""
    found: list[tuple[int, Read]] = []
    problems: list[Problem] = []
    for line, record in records:
        try:
            if isinstance(record, BadQuestion):
                raise record
            one = read(record)
            check(_clean(one))
            if found:
                _check_alike(_clean(one), _clean(found[0][1]))
            found.append((line, one))
        except BadQuestion as error:
            problems.append((line, str(error)))
    if not found and not problems:
        problems.append((1, "The file holds no question."))
    if problems:
        raise BadQuestionFile(problems, expected)
    return found


def _clean(read: Question | QuestionPair) -> Question:
    return read if isinstance(read, Question) else read[0]


def _check_alike(question: Question, first: Question) -> None:
    """Means over prompts of different kinds would mean nothing."""
    if question.lists_options != first.lists_options:
        raise BadQuestion("Questions and plain texts cannot stand in one file.")
    noun = "options" if question.lists_options else "answers"
    if len(question.options) != len(first.options):
        raise BadQuestion(
            f"This question has {len(question.options)} {noun}, the first one {len(first.options)}; "
            "all questions of a file need the same number."
        )


def _csv_records(text: str) -> Iterator[tuple[int, list[str] | BadQuestion]]:
    """Rows with the line where each starts; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield line, BadQuestion(f"This is not CSV: {error}. A quote may be missing.")
            return
        if row is None:
            return
        if row:
            yield line, row


def _from_row(row: list[str]) -> Question:
    if len(row) < 4:
        raise BadQuestion(
            f"There are {len(row)} columns; there must be a question, two options or more, and a letter."
        )
    text, *contents, letter = row
    return _question(text, contents, _place_of_letter(letter.strip(), len(contents)))


def _json_records(text: str) -> Iterator[tuple[int, Any]]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            record = json.loads(written)
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
            yield line, record
        except (ValueError, RecursionError) as error:
            yield line, BadQuestion(f"This is not JSON: {error}.")


def _from_object(record: Any) -> Question:
    if not isinstance(record, dict):
        raise BadQuestion("A line must be a JSON object with question, options and answer.")
    text, contents, answer = (record.get(field) for field in ("question", "options", "answer"))
    if not isinstance(text, str):
        raise BadQuestion('The field "question" must be a text.')
    if not isinstance(contents, list) or not all(isinstance(content, str) for content in contents):
        raise BadQuestion('The field "options" must be a list of texts.')
    return _question(text, contents, _place_of_answer(answer, contents), str(record.get("subject", "")))


def _question(text: str, contents: list[str], correct: int, subject: str = "") -> Question:
    if len(contents) > MAX_OPTIONS:
        raise BadQuestion(f"A question can have {MAX_OPTIONS} options at most, not {len(contents)}.")
    options = tuple(
        Option(label, content.strip())
        for label, content in zip(string.ascii_uppercase, contents, strict=False)
    )
    return Question(text.strip(), options, correct, kind="uploaded", subject=subject)


def _place_of_answer(answer: Any, contents: list[str]) -> int:
    """The place of an answer given as an index, a letter, or the content itself."""
    if isinstance(answer, int) and not isinstance(answer, bool):
        if not 0 <= answer < len(contents):
            raise BadQuestion(
                f"The answer is option {answer}, counted from 0, but there are {len(contents)}."
            )
        return answer
    if not isinstance(answer, str):
        raise BadQuestion('The field "answer" must be an index from 0, a letter, or the text of an option.')
    if answer in contents:
        return contents.index(answer)
    return _place_of_letter(answer.strip(), len(contents))


def _place_of_letter(letter: str, n_options: int) -> int:
    letters = string.ascii_uppercase[:n_options]
    if len(letter) != 1 or letter.upper() not in letters:
        raise BadQuestion(f"The answer {letter!r} is not a letter from A to {letters[-1:] or 'A'}.")
    return letters.index(letter.upper())
