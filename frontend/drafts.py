"""A prompt pair while it is edited: the API's object as a form of named fields, and back."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
SIDES = ("clean", "corrupt")
MAX_OPTIONS = 10
BLANK: Json = {"clean": "", "corrupt": "", "answer": "", "distractor": ""}


def is_text(pair: Mapping[str, Any]) -> bool:
    """Whether both prompts are plain texts, without options."""
    return isinstance(pair["clean"], str)


def answers_of(pair: Mapping[str, Any]) -> list[str]:
    """The words that may follow a plain text, the right one first."""
    return list(pair.get("answers") or (pair.get("answer", ""), pair.get("distractor", "")))


def of_texts(clean: str, corrupt: str, answers: list[str]) -> Json:
    """A pair of plain texts, written as shortly as possible."""
    texts: Json = {"clean": clean, "corrupt": corrupt}
    if len(answers) == 2:
        return texts | dict(zip(("answer", "distractor"), answers, strict=True))
    return texts | {"answers": answers}


def filled(pair: Json, values: Mapping[str, str | None]) -> Json:
    """The pair with what its form says; a field that the form does not have stays as it was."""

    def said(name: str, before: str) -> str:
        return (values[name] or "") if name in values else before

    if is_text(pair):
        answers = [said(f"answer-{place}", answer) for place, answer in enumerate(answers_of(pair))]
        return of_texts(said("clean", pair["clean"]), said("corrupt", pair["corrupt"]), answers)
    prelude = said("prelude", prelude_of(pair))
    return {side: _question(pair[side], side, said) | {"prelude": prelude} for side in SIDES}


def _question(before: Json, side: str, said: Any) -> Json:
    options = [
        {name: said(f"{side}-{name}-{place}", option[name]) for name in ("label", "content")}
        for place, option in enumerate(before["options"])
    ]
    correct = int(said(f"{side}-correct", str(before["answer"])))
    return before | {
        "question": said(f"{side}-question", before["question"]),
        "options": options,
        "answer": min(correct, len(options) - 1),
    }


def prelude_of(pair: Mapping[str, Any]) -> str:
    """What stands before everything else in the clean prompt."""
    return pair["clean"].get("prelude", "")


def changed(pair: Json, step: str) -> Json:
    """The pair after a press of a button of the form; an unknown one changes nothing."""
    name, _, which = step.partition(":")
    return STEPS[name](pair, which) if name in STEPS else pair


def _more(pair: Json, _which: str) -> Json:
    if is_text(pair):
        return of_texts(pair["clean"], pair["corrupt"], [*answers_of(pair), ""])
    return {side: _with_option(pair[side]) for side in SIDES}


def _fewer(pair: Json, _which: str) -> Json:
    if is_text(pair):
        return of_texts(pair["clean"], pair["corrupt"], answers_of(pair)[:-1])
    return {side: _without_option(pair[side]) for side in SIDES}


def _with_option(question: Json) -> Json:
    used = [option["label"] for option in question["options"]]
    label = next(letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used)
    return question | {"options": [*question["options"], {"label": label, "content": ""}]}


def _without_option(question: Json) -> Json:
    options = question["options"][:-1]
    return question | {"options": options, "answer": min(question["answer"], len(options) - 1)}


def _swapped(pair: Json, which: str) -> Json:
    """The corrupt prompt made from the clean one: the content of the correct option changes places."""
    if is_text(pair):
        return of_texts(pair["clean"], pair["clean"], answers_of(pair))
    clean, other = pair["clean"], int(which)
    options = [dict(option) for option in clean["options"]]
    here = clean["answer"]
    options[here]["content"], options[other]["content"] = options[other]["content"], options[here]["content"]
    return {"clean": clean, "corrupt": clean | {"options": options, "answer": other}}


def _without_shot(pair: Json, which: str) -> Json:
    shots = [shot for place, shot in enumerate(pair["clean"].get("shots", [])) if place != int(which)]
    return {side: pair[side] | {"shots": shots} for side in SIDES}


def with_shot(pair: Json, other: Json) -> Json:
    """Another question, answered, stands before both prompts."""
    example = {name: value for name, value in other.items() if name not in ("shots", "prelude")}
    shots = [*pair["clean"].get("shots", []), example]
    return {side: pair[side] | {"shots": shots} for side in SIDES}


STEPS = {"more": _more, "fewer": _fewer, "swap": _swapped, "unshot": _without_shot}
