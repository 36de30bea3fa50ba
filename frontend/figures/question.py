"""A prompt pair as a person reads it."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.words import token, visible

Json = Mapping[str, Any]


def question_card(pair: Json) -> list[Any]:
    """The clean question with its options, and below it what the corrupt prompt changes."""
    clean, corrupt = pair["clean"], pair["corrupt"]
    if clean.get("plain_text"):
        return _text_card(clean, corrupt)
    prelude = [html.P(visible(clean["prelude"]), className="note")] if clean["prelude"] else []
    return [
        *prelude,
        html.P(visible(clean["question"]), className="question-text"),
        option_list(clean),
        html.Details(
            [
                html.Summary(corruption(clean, corrupt)),
                html.P(visible(corrupt["question"]), className="question-text small"),
                option_list(corrupt),
            ],
            className="corrupt",
        ),
    ]


def _text_card(clean: Json, corrupt: Json) -> list[Any]:
    """Plain texts: what may follow them is not part of them."""
    right, *wrong = (f"“{token(option['content'])}”" for option in clean["options"])
    answers = [
        html.Li([html.Span(name, className="letter"), text], className="correct" if name == "answer" else "")
        for name, text in [("answer", right), *(("distractor", text) for text in wrong)]
    ]
    return [
        html.P(visible(clean["question"]), className="question-text"),
        html.Ol(answers, className="options"),
        html.Details(
            [
                html.Summary(corruption(clean, corrupt)),
                html.P(visible(corrupt["question"]), className="question-text small"),
            ],
            className="corrupt",
        ),
    ]


def option_list(prompt: Json) -> html.Ol:
    """All options, the correct one marked."""
    return html.Ol(
        [_option(option, place == prompt["correct"]) for place, option in enumerate(prompt["options"])],
        className="options",
    )


def corruption(clean: Json, corrupt: Json) -> str:
    """What the corrupt prompt changes, in a sentence."""
    if corrupt.get("plain_text"):
        said = token(corrupt["options"][corrupt["correct"]]["content"])
        return f"Corrupt prompt: another text; after it “{said}” is right."
    now = f"({visible(corrupt['options'][corrupt['correct']]['label'])})"
    if clean["question"] != corrupt["question"]:
        same = clean["correct"] == corrupt["correct"]
        return (
            f"Corrupt prompt: another question; correct there is {now}{', the same letter' if same else ''}."
        )
    moved = [
        visible(before["content"])
        for before, after in zip(clean["options"], corrupt["options"], strict=False)
        if before["content"] != after["content"]
    ]
    if len(moved) == 2:
        return f"Corrupt prompt: “{moved[0]}” and “{moved[1]}” change places; correct there is {now}."
    return f"Corrupt prompt: the options change; correct there is {now}."


def _option(option: Json, correct: bool) -> html.Li:
    mark = [html.Span("correct", className="tag")] if correct else []
    text = [html.Span(f"({visible(option['label'])})", className="letter"), visible(option["content"]), *mark]
    return html.Li(text, className="correct" if correct else "")
