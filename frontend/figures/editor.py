"""The form in which a prompt pair is edited; its fields are named as in `drafts`."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.drafts import MAX_OPTIONS, SIDES, answers_of, is_text, prelude_of
from frontend.figures.attributes import attrs
from frontend.figures.forms import fields, lines, radio, text
from frontend.words import visible

Json = Mapping[str, Any]
SIDE_NAME = {"clean": "Clean prompt", "corrupt": "Corrupt prompt"}


def form(pair: Json) -> list[Any]:
    """Fields for everything that decides both prompts."""
    return _texts(pair) if is_text(pair) else _questions(pair)


def step(text: str, name: str, *, disabled: bool = False) -> html.Button:
    """A button that changes the form itself."""
    return html.Button(text, id={"step": name}, className="quiet", type="button", disabled=disabled)


def _texts(pair: Json) -> list[Any]:
    said = answers_of(pair)
    names = ["Answer", "Distractor", *(f"Distractor {place}" for place in range(2, len(said)))]
    answers = [
        text(f"answer-{place}", name, answer)
        for place, (name, answer) in enumerate(zip(names, said, strict=True))
    ]
    steps = [
        step("Add a distractor", "more", disabled=len(said) >= MAX_OPTIONS),
        step("Take the last one away", "fewer", disabled=len(said) <= 2),
    ]
    note = html.P(
        "An answer is what follows the prompt, character by character, and must be one token; usually it "
        "begins with a space. The answer is right after the clean prompt, the distractor after the corrupt "
        "one.",
        className="note",
    )
    return [
        _lines(*(lines(side, SIDE_NAME[side], pair[side]) for side in SIDES)),
        html.Div(step("Copy the clean prompt into the corrupt one", "swap"), className="form-steps"),
        html.Div(className="answer-fields", **fields(*answers)),
        html.Div(steps, className="form-steps"),
        note,
    ]


def _questions(pair: Json) -> list[Any]:
    n = len(pair["clean"]["options"])
    steps = [
        step("Add an option", "more", disabled=n >= MAX_OPTIONS),
        step("Take the last option away", "fewer", disabled=n <= 2),
        *_swaps(pair["clean"]),
    ]
    return [
        _lines(text("prelude", "Before everything else, in both prompts", prelude_of(pair))),
        _shots(pair["clean"].get("shots", [])),
        html.Div([_side(pair[side], side) for side in SIDES], className="two-sides"),
        html.Div(steps, className="form-steps"),
    ]


def _lines(*told: dict[str, Any]) -> html.Div:
    return html.Div(className="editor-lines", **fields(*told))


def _side(question: Json, side: str) -> html.Fieldset:
    rows = [
        _option(option, side, place, place == question["answer"])
        for place, option in enumerate(question["options"])
    ]
    mark = "Options; mark the correct one"
    options = html.Div([html.P(mark, className="note"), *rows], role="group", **attrs(aria_label=mark))
    asked = _lines(lines(f"{side}-question", "Question", question["question"]))
    return html.Fieldset([html.Legend(SIDE_NAME[side]), asked, options], className="prompt-side")


def _option(option: Json, side: str, place: int, correct: bool) -> html.Div:
    number = f"{place + 1}, {side} prompt"
    names = {"label": f"Label {number}", "content": f"Option {number}"}
    mark = radio(f"{side}-correct", str(place), f"Option {number}, is correct", correct)
    parts = [
        text(f"{side}-{part}-{place}", "", option[part], **attrs(aria_label=name))
        for part, name in names.items()
    ]
    return html.Div(className="option-row", **fields(mark, *parts))


def _swaps(clean: Json) -> list[html.Button]:
    return [
        step(f"Corrupt: swap the correct option with {visible(option['label'])}", f"swap:{place}")
        for place, option in enumerate(clean["options"])
        if place != clean["answer"]
    ]


def _shots(shots: list[Json]) -> html.Div:
    lines = [
        html.Li(
            [
                f"{visible(shot['question'])} → {visible(shot['options'][shot['answer']]['content'])} ",
                step(f"Remove example {place + 1}", f"unshot:{place}"),
            ]
        )
        for place, shot in enumerate(shots)
    ]
    named = html.P("Answered examples (shots) in front", className="note")
    return html.Div([named, html.Ol(lines), step("Add an example", "shot", disabled=len(shots) >= 5)])
