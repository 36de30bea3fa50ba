"""The question looked at: as a person reads it, its correct option, and what the corrupt prompt changes."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.controls import go
from frontend.figures.notices import broken, warnings
from frontend.figures.question import question_card
from frontend.panels.follow import Answer, look, machinery
from frontend.results import pair_of
from frontend.still import HTML

Json = dict[str, Any]

QUICK = 64  # prompts that are read before anything else; more of them take turns with the map


def layout() -> html.Section:
    """The card at the top left."""
    return html.Section(
        [html.Div(id=ids.QUESTION, className="question"), *machinery(ids.QUESTION)],
        **attrs(aria_label="Question"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill the card when the pair changes."""

    @app.callback(
        Output(ids.QUESTION, HTML),
        Output(ids.memory(ids.QUESTION), "data"),
        Output(ids.poll(ids.QUESTION), "disabled"),
        Input(ids.WANT_QUESTION, "data"),
        Input(ids.poll(ids.QUESTION), "n_intervals"),
        State(ids.memory(ids.QUESTION), "data"),
    )
    async def question(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        answer = await look(client, want["spec"], memory, priority="click" if want["n"] <= QUICK else "sweep")
        return shown(answer, want["index"], want["n"]), answer.memory, not answer.pending


def shown(answer: Answer, index: int, n: int) -> list[Any]:
    """The card, or why there is none yet."""
    if answer.error:
        return [heading(index, n), broken(answer.error)]
    pair = pair_of(answer.body, index) if answer.body else None
    if pair is None:
        return [heading(index, n), html.P("Waiting for the prompts.", className="note")]
    edit = go("Edit", page="prompts", className="quiet", label="Edit this question")
    return [heading(index, n), *question_card(pair), *warnings(all_warnings(answer.body or {}, pair)), edit]


def all_warnings(body: Mapping[str, Any], pair: Mapping[str, Any]) -> list[str]:
    """Warnings of the draw and of this pair, each once."""
    prompt_warnings = [*pair["clean"]["warnings"], *pair["corrupt"]["warnings"]]
    return list(dict.fromkeys([*body.get("warnings", []), *prompt_warnings]))


def heading(index: int, n: int) -> html.Div:
    """Which question of how many, with previous and next."""
    previous, following = (index - 1) % n, (index + 1) % n
    return html.Div(
        [
            html.H2(f"Question {index + 1} of {n}"),
            html.Div(
                [
                    go(
                        "Previous",
                        index=previous,
                        className="quiet",
                        label="Previous question",
                        disabled=n < 2,
                    ),
                    go("Next", index=following, className="quiet", label="Next question", disabled=n < 2),
                ],
                className="steps",
            ),
        ],
        className="card-head",
    )
