"""One prompt pair as a JSON object and back: as lines of a file, and as what the editor of the page sends.

    {"clean": "When Mary and ...", "corrupt": "When Mary and ...", "answer": " Mary", "distractor": " John"}
    {"clean": {"question": "...", "options": [...], "answer": 0, ...}, "corrupt": {...}}

The first is plain text; more distractors are written as "answers", the right one first. The second is a
question with everything that decides its text; what is left out is usual: labels A, B, ..., no shots.
"""

import string
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from analysis.errors import BadQuestion
from analysis.layout import MAX_SHOTS
from analysis.questions import DEFAULT_FORMAT, FORMATS, TEXT, Format, Option, Question, render
from analysis.text_pairs import QuestionPair, text_pair

LONGEST = 4000  # characters of a part
LONGEST_LABEL = 20
EXPECTED_PAIR = '{"clean": "...", "corrupt": "...", "answer": " yes", "distractor": " no"}'
QUESTION_FIELDS = {"question", "options", "answer", "prelude", "shots", "format", "subject", "kind"}
Json = Mapping[str, Any]


def read_pair(record: Any) -> QuestionPair:
    """The pair that an object describes; `BadQuestion` says what is wrong with it."""
    if not isinstance(record, dict) or not {"clean", "corrupt"} <= record.keys():
        raise BadQuestion('A pair must be a JSON object with "clean" and "corrupt".')
    clean, corrupt = record["clean"], record["corrupt"]
    if isinstance(clean, str) and isinstance(corrupt, str):
        pair = text_pair(_text(record, "clean"), _text(record, "corrupt"), _answers(record))
    elif isinstance(clean, dict) and isinstance(corrupt, dict):
        _refuse_others(record, {"clean", "corrupt"})
        pair = (read_question(clean), read_question(corrupt))
        if len(pair[0].options) != len(pair[1].options):
            here, there = (len(question.options) for question in pair)
            raise BadQuestion(f"The clean question has {here} options, the corrupt one {there}.")
    else:
        raise BadQuestion('"clean" and "corrupt" must both be texts, or both questions.')
    for question in pair:
        render(question)
    return pair


def write_pair(pair: QuestionPair) -> dict[str, Any]:
    """The object that `read_pair` reads the same pair from."""
    clean, corrupt = pair
    if clean.lists_options:
        return {"clean": write_question(clean), "corrupt": write_question(corrupt)}
    texts: dict[str, Any] = {"clean": clean.text, "corrupt": corrupt.text}
    if len(clean.labels) > 2:
        return texts | {"answers": list(clean.labels)}
    return texts | dict(zip(("answer", "distractor"), clean.labels, strict=True))


def read_question(record: Json) -> Question:
    """A question with all that decides its text."""
    _refuse_others(record, QUESTION_FIELDS)
    options, shots = record.get("options"), record.get("shots", [])
    if not isinstance(options, list):
        raise BadQuestion('The field "options" must be a list.')
    if not isinstance(shots, list) or len(shots) > MAX_SHOTS or not all(isinstance(s, dict) for s in shots):
        raise BadQuestion(f'The field "shots" must be a list of at most {MAX_SHOTS} answered questions.')
    correct = record.get("answer", 0)
    if not isinstance(correct, int) or isinstance(correct, bool):
        raise BadQuestion('The field "answer" must be the number of the correct option, from 0.')
    style = _format(record.get("format", DEFAULT_FORMAT.name))
    plain = [{name: shot[name] for name in shot if name not in ("shots", "prelude")} for shot in shots]
    return Question(
        _text(record, "question"),
        tuple(_option(place, option) for place, option in enumerate(options)),
        correct,
        prelude=_text(record, "prelude", ""),
        shots=tuple(replace(read_question(shot), format=style) for shot in plain),
        format=style,
        kind=_text(record, "kind", "edited"),
        subject=_text(record, "subject", ""),
    )


def write_question(question: Question) -> dict[str, Any]:
    """What `read_question` reads; fields that are as usual are left out."""
    options = [{"label": option.label, "content": option.content} for option in question.options]
    named = question.format.name if question.format in FORMATS.values() else asdict(question.format)
    more = {
        "prelude": question.prelude,
        "shots": [write_question(shot) for shot in question.shots],
        "format": None if question.format == DEFAULT_FORMAT else named,
        "subject": question.subject,
        "kind": question.kind,
    }
    plain = {"question": question.text, "options": options, "answer": question.correct}
    return plain | {name: value for name, value in more.items() if value}


def _answers(record: Json) -> tuple[str, ...]:
    if "answers" in record:
        _refuse_others(record, {"clean", "corrupt", "answers"})
        answers = record["answers"]
        if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
            raise BadQuestion('The field "answers" must be a list of texts, the right one first.')
        return tuple(answers)
    _refuse_others(record, {"clean", "corrupt", "answer", "distractor"})
    return _text(record, "answer"), _text(record, "distractor")


def _option(place: int, option: Any) -> Option:
    if isinstance(option, str) and place < len(string.ascii_uppercase):
        return Option(string.ascii_uppercase[place], option)
    if not isinstance(option, dict):
        raise BadQuestion(f"Option {place + 1} must be a text, or an object with label and content.")
    label = _text(option, "label")
    if len(label) > LONGEST_LABEL:
        raise BadQuestion(f"The label of option {place + 1} is longer than {LONGEST_LABEL} characters.")
    return Option(label, _text(option, "content"))


def _format(style: Any) -> Format:
    if isinstance(style, str) and style in FORMATS:
        return FORMATS[style]
    known = {field.name for field in fields(Format)}
    if not isinstance(style, dict) or set(style) != known:
        raise BadQuestion(f"The format must be one of {', '.join(FORMATS)}, or all of its parts.")
    parts = {name: _text(style, name) for name in known - {"options_first"}}
    made = Format(**parts, options_first=style["options_first"] is True)
    if made == TEXT or not made.separator or not made.suffix:
        raise BadQuestion("A question's format needs something between the options and a suffix.")
    return made


def _text(record: Json, name: str, usual: str | None = None) -> str:
    value = record.get(name, usual)
    if not isinstance(value, str):
        raise BadQuestion(f'The field "{name}" must be a text.')
    if len(value) > LONGEST:
        raise BadQuestion(
            f'The field "{name}" has {len(value):,} characters; at most {LONGEST:,} are allowed.'
        )
    return value


def _refuse_others(record: Json, known: set[str]) -> None:
    unknown = sorted(set(map(str, record)) - known)
    if unknown:
        raise BadQuestion(f'There is no field "{unknown[0][:40]}" here; known: {", ".join(sorted(known))}.')
