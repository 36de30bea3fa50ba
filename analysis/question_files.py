"""Questions from files: CSV in MMLU's layout, and JSON lines. Every mistake is reported with its line."""

import csv
import io
import json
import string
from collections.abc import Callable, Iterator
from typing import Any

from analysis.errors import AnalysisError, BadQuestion
from analysis.questions import MAX_OPTIONS, Option, Question, check

Problem = tuple[int, str]  # the line where the record starts, counted from 1, and what is wrong with it
MAX_PROBLEMS = 20


class BadQuestionFile(AnalysisError):
    """A file with mistakes in it; `problems` holds the first of them as (line, message)."""

    def __init__(self, problems: list[Problem]) -> None:
        line, message = problems[0]
        more = f" ({len(problems) - 1} more problems)" if len(problems) > 1 else ""
        super().__init__(f"Line {line}: {message}{more}")
        self.problems = problems[:MAX_PROBLEMS]


def read_mmlu_csv(text: str) -> list[Question]:
    """MMLU's own layout: no header; question, the options, the letter of the correct one.

    Fields may be quoted and then hold commas, quotes (doubled) and line breaks.
    """
    return _collect(_csv_records(text), _from_row)


def read_jsonl(text: str) -> list[Question]:
    """One object a line: {"question": "...", "options": ["...", ...], "answer": ...}.

    The answer is an index from 0, a letter, or the content of an option.
    """
    return _collect(_json_records(text), _from_object)


def _collect(records: Iterator[tuple[int, Any]], read: Callable[[Any], Question]) -> list[Question]:
    """Every record read, or `BadQuestionFile` with everything that is wrong."""
    questions: list[Question] = []
    problems: list[Problem] = []
    for line, record in records:
        try:
            if isinstance(record, BadQuestion):
                raise record
            question = read(record)
            check(question)
            _check_same_size(question, questions)
            questions.append(question)
        except BadQuestion as error:
            problems.append((line, str(error)))
    if not questions and not problems:
        problems.append((1, "The file holds no question."))
    if problems:
        raise BadQuestionFile(problems)
    return questions


def _check_same_size(question: Question, before: list[Question]) -> None:
    if before and len(question.options) != len(before[0].options):
        raise BadQuestion(
            f"This question has {len(question.options)} options, the first one {len(before[0].options)}; "
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
            yield line, json.loads(written)
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
