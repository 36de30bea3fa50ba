"""What is known of one node: numbers with their meaning below, letters before and after, its attention."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.controls import link
from frontend.figures.tables import letter_table
from frontend.figures.tokens import on_correct_label, sink_note, token_strip
from frontend.results import estimate
from frontend.state import State
from frontend.words import NONE, VIEW_TABLE, count, interval, number, signed

Json = Mapping[str, Any]
NUMBERS = {
    "total": "total effect",
    "direct": "direct effect",
    "indirect": "indirect effect",
    "attribution": "attribution",
}


def no_node() -> html.P:
    """The card before anything is selected."""
    return html.P(
        "Click a cell or choose a node in the table: it is patched on this question and answers here.",
        className="note empty",
    )


def big_number(name: str, value: str, below: Any = None, *, id: str | None = None) -> html.Div:
    """A number, what it is, and a line below, for example its mean over all pairs."""
    more = attrs(id=id) if id else {}
    return html.Div(
        [
            html.Div(value, className="value", **more),
            html.Div(name, className="name"),
            html.Div(below, className="note below"),
        ],
        className="big-number",
    )


def mean_lines(body: Json | None, view: str, place: int | None) -> list[Any]:
    """`mean −2.66` and below it `[−2.90, −2.41]`, as far as the sweep is."""
    value = estimate(body, VIEW_TABLE[view], place) if body and place is not None else None
    return [f"mean {signed(value.mean if value else None)}", html.Br(), interval(value) or " "]


def means_note(body: Json | None) -> str:
    """Over how many pairs the means are."""
    if body is None:
        return "Means appear when the first pair of the map is measured."
    return f"Means over {count(body['n_done'], 'pair')}, with 95 % intervals."


def head_of_card(place: State) -> html.Div:
    """Which node, patched from where, and the way to its page."""
    opens = "Open head" if place.node and place.node.head is not None else "Open MLP"
    head = replace(place, page="head")
    return html.Div(
        [
            html.H2(str(place.node), className="node-name"),
            html.Span(f"patched from the corrupt prompt of question {place.index + 1}", className="note"),
            link(opens, head, className="button primary", id="open-node"),
        ],
        className="card-head",
    )


def pair_values(effects: Json | None) -> list[str]:
    """The effects of a result's only node on one pair, and its attribution there."""
    found = [estimate(effects, VIEW_TABLE[view], 0) if effects else None for view in NUMBERS]
    return [signed(value.mean) if value else NONE for value in found]


def letters(effects: Json, pair: Json | None) -> html.Div:
    """The letters of one pair before and after the patch."""
    correct = pair["clean"]["correct"] if pair else None
    table = letter_table(effects, correct, "patched")
    return html.Div([html.H3("Logits of the letters"), table], **attrs(data_key=effects["key"]))


def on_label(tokens: Json | None) -> str:
    """Attention on the correct label on this prompt."""
    return number(on_correct_label(tokens)) if tokens else NONE


def where_it_looks(tokens: Json) -> list[Any]:
    """The prompt with the head's attention as background."""
    return [
        html.H3("Where it looks from the final position"),
        token_strip(tokens, "raw"),
        html.P(sink_note(tokens, "raw"), className="note"),
    ]
