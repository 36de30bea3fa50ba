"""Prompt pairs as the model reads them: tokens above tokens, what differs, and what is to be said of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.controls import go
from frontend.words import NONE, count, token, visible

Json = Mapping[str, Any]
TOLD = 6  # differences in the sentence
FILE_HOLDS = {
    "questions": ("question", "questions"),
    "pairs": ("pair of questions", "pairs of questions"),
    "text": ("pair of texts", "pairs of texts"),
}
WHERE = {"clean": "Clean prompt: ", "corrupt": "Corrupt prompt: ", "both": ""}


def pair_list(pairs: Sequence[Json], chosen: int) -> html.Ol:
    """One line a pair: its number, how it begins, how many tokens its prompts have."""
    return html.Ol(
        [_line(drawn, drawn["index"] == chosen) for drawn in pairs],
        className="pair-list",
    )


def _line(drawn: Json, chosen: bool) -> html.Li:
    check, clean = drawn["check"], drawn["pair"]["clean"]
    lengths = [len(check[side]["tokens"]) if check[side] else 0 for side in ("clean", "corrupt")]
    same = lengths[0] == lengths[1]
    said = count(lengths[0], "token") if same else f"{lengths[0]} and {lengths[1]} tokens"
    notes = [said, *([] if check["usable"] else ["cannot be used"])]
    text = clean if isinstance(clean, str) else clean["question"]
    button = go(
        [
            html.Span(f"{drawn['index'] + 1}", className="pair-number"),
            html.Span(visible(text), className="pair-text"),
            html.Span(", ".join(notes), className="note" if same and check["usable"] else "note tag"),
        ],
        className="pair-line",
        index=drawn["index"],
    )
    if chosen:
        setattr(button, "aria-current", "true")
    return html.Li(button)


def checked(check: Json) -> list[Any]:
    """Everything about one pair: problems first, then its tokens, its answers, its differences."""
    said = html.Div(remarks(check["remarks"]), role="status")
    return [said, *both(check), answers(check)]


def remarks(found: Sequence[Json]) -> list[html.P]:
    """What stops the pair from being used, and what is worth knowing."""
    return [
        html.P(
            [
                html.B("Cannot be used. " if remark["stops"] else "Note. "),
                f"{WHERE[remark['where']]}{visible(remark['message'])}",
            ],
            className=f"remark{' stops' if remark['stops'] else ''}",
        )
        for remark in found
    ]


def both(check: Json) -> list[Any]:
    """The tokens of both prompts, each above the one that it is matched with."""
    if not check["clean"] or not check["corrupt"]:
        return []
    key = html.P(
        "Above the clean prompt, below it the corrupt one where it differs; · is a space, ⏎ a line’s end.",
        className="note",
    )
    return [html.P(differences(check), className="pair-differences"), _columns(check), key]


def _columns(check: Json) -> html.Div:
    sides = [check[side]["tokens"] for side in ("clean", "corrupt")]
    columns: list[Any] = []
    for left, right in check["aligned"]:
        here, there = (_at(side, at) for side, at in zip(sides, (left, right), strict=True))
        columns.append(_column(here, there, left if left is not None else right))
        if "\n" in ((here or there or {}).get("text", "")):
            columns.append(html.Span(className="line-break"))
    return html.Div(columns, className="aligned")


def _at(tokens: Sequence[Json], place: int | None) -> Json | None:
    return None if place is None else tokens[place]


def _column(here: Json | None, there: Json | None, place: int | None) -> html.Span:
    same = here is not None and there is not None and here["id"] == there["id"]
    shown = [html.Span(token(here["text"]) if here else NONE, className="token-box")]
    if not same:
        shown.append(html.Span(token(there["text"]) if there else NONE, className="token-box below"))
    title = f"{place}: {_named(here)}" if same else f"{place}: {_named(here)} / {_named(there)}"
    return html.Span(shown, className="token-column" + ("" if same else " token-differs"), title=title)


def _named(found: Json | None) -> str:
    return f"“{token(found['text'])}”, token {found['id']}" if found else "nothing"


def differences(check: Json) -> str:
    """Where the prompts differ, in words."""
    clean, corrupt = (check[side]["tokens"] for side in ("clean", "corrupt"))
    apart = [
        (left, right)
        for left, right in check["aligned"]
        if left is None or right is None or clean[left]["id"] != corrupt[right]["id"]
    ]
    n = count(len(clean), "token")
    lengths = f"Both have {n}" if len(clean) == len(corrupt) else f"{n} and {len(corrupt)}"
    if not apart:
        return f"{lengths}; they are the same."
    told = [
        f"{_quoted(clean, left)} / {_quoted(corrupt, right)} at {left if left is not None else right}"
        for left, right in apart[:TOLD]
    ]
    more = f" and {len(apart) - TOLD} more" if len(apart) > TOLD else ""
    return f"{lengths}; they differ in {count(len(apart), 'token')}: {', '.join(told)}{more}."


def _quoted(tokens: Sequence[Json], place: int | None) -> str:
    return NONE if place is None else f"“{token(tokens[place]['text'])}”"


def answers(check: Json) -> Any:
    """What the model may say, and which token that is."""
    prompt = check["clean"]
    if not prompt:
        return ""
    rows = [
        html.Tr(
            [
                html.Th(token(said["text"]), scope="row", className="mono"),
                html.Td(
                    token(said["token"]) if said["id"] is not None else "not one token", className="mono"
                ),
                html.Td(NONE if said["id"] is None else str(said["id"]), className="number"),
            ],
            className="" if said["id"] is not None else "stops",
        )
        for said in prompt["answers"]
    ]
    head = html.Tr([html.Th("answer"), html.Th("token here"), html.Th("id", className="number")])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="table answer-tokens")


def file_problems(problems: Sequence[Json]) -> list[Any]:
    """Why a file cannot be used: every line that is wrong, and what was expected."""
    expected = problems[0]["expected"]
    rows = [
        html.Tr(
            [
                html.Td(str(problem["line"] or NONE), className="number"),
                html.Td(visible(problem["message"])),
            ]
        )
        for problem in problems
    ]
    head = html.Tr([html.Th("line", className="number"), html.Th("what is wrong")])
    said = f"Nothing was uploaded: {count(len(problems), 'line')} cannot be read."
    wanted = html.P(["A line should look like ", html.Code(visible(expected))], className="note")
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table line-problems")
    what = html.P(html.B(said), className="remark stops", role="status")
    return [what, *([wanted] if expected else []), table]


def preview(found: Json) -> list[Any]:
    """What a file would become: how many prompts, remarks on its lines, the first prompts."""
    what, plural = FILE_HOLDS[found["kind"]]
    said = f"{count(found['n'], what, plural)} read."
    if bad := found["n_unusable"]:
        said += f" This model cannot use {bad} of the {found['n_checked']} that were checked."
    lines = [
        html.Li(
            [html.B(f"Line {remark['line']}: "), visible(remark["message"])],
            className="stops" if remark["stops"] else "",
        )
        for remark in found["remarks"]
    ]
    return [html.P(said, role="status"), *([html.Ul(lines, className="line-remarks")] if lines else [])]


def previewed(found: Json) -> list[Any]:
    """The first prompts of a file. Questions get their corrupt prompt only when they are drawn."""
    return [
        html.Div([html.H3(f"Number {drawn['index'] + 1}"), *_rendered(found, drawn)], className="previewed")
        for drawn in found["pairs"]
    ]


def _rendered(found: Json, drawn: Json) -> list[Any]:
    check = drawn["check"]
    if found["kind"] != "questions":
        return [*both(check), answers(check)]
    if not check["clean"]:
        return []
    alone = {"clean": check["clean"], "corrupt": check["clean"]}
    places = [(place, place) for place in range(len(check["clean"]["tokens"]))]
    return [_columns(alone | {"aligned": places})]
