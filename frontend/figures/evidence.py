"""What is known of one node: numbers with their meaning below, letters before and after, its attention."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.choices import choices_of
from frontend.figures.controls import link
from frontend.figures.tables import letter_table
from frontend.figures.tokens import on_correct_label, sink_note, token_strip
from frontend.phrases import METRIC_NAME, METRIC_PHRASE, ONLY_WRITES, UNIT_SHORT, for_set, patched, set_of
from frontend.results import estimate
from frontend.state import State
from frontend.words import VIEW_TABLE, count, effect, number, spread

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


def mean_lines(body: Json | None, view: str, at: int | None) -> list[Any]:
    """`mean −2.66` and below it `[−2.90, −2.41]`, as far as the sweep is."""
    value = estimate(body, VIEW_TABLE[view], at) if body and at is not None else None
    return [f"mean {effect(value)}", html.Br(), spread(value) or " "]


def why_not(place: State, view: str) -> str:
    """Why there is no such number for the node of a place; empty where there is."""
    writes = place.node is not None and not place.node.part and place.positions == "final"
    return "" if view == "total" or writes else ONLY_WRITES


def means_note(body: Json | None) -> str:
    """Over how many pairs the means are."""
    if body is None:
        return "Means appear when the first pair of the map is measured."
    return f"Means over {count(body['n_done'], 'pair')}, with 95 % intervals."


def head_of_card(place: State) -> html.Div:
    """Which node, patched from where, and the way to its page."""
    owner = place.node.owner if place.node else None
    opens = "Open head" if owner and owner.head is not None else "Open MLP"
    head = replace(place, page="head", node=owner)
    how = f"{patched(choices_of(place))}, question {place.index + 1}"
    return html.Div(
        [
            html.H2(str(place.node), className="node-name"),
            html.Span(how, className="note"),
            *([link(opens, head, className="button primary", id="open-node")] if owner else []),
        ],
        className="card-head",
    )


def pair_values(effects: Json | None) -> list[str]:
    """The effects of a result's only node on one pair, and its attribution there."""
    found = [estimate(effects, VIEW_TABLE[view], 0) if effects else None for view in NUMBERS]
    return [effect(value) for value in found]


def letters(effects: Json, pair: Json | None) -> html.Div:
    """The letters of one pair before and after the patch."""
    correct = pair["clean"]["correct"] if pair else None
    table = letter_table(effects, correct)
    head = html.H3(for_set("Logits of the letters", set_of(effects)))
    return html.Div([head, table], **attrs(data_key=effects["key"]))


def metric_table(effects: Json | None, sweep: Json | None, place: int | None) -> list[Any]:
    """The total effect in every metric: on this question, and the mean over the pairs of the map so far."""
    known = effects or sweep or {}
    named = known.get("coordinates", {}).get("metric")
    if not named:
        return []
    n = count(sweep["n_done"], "pair") if sweep else "all pairs"
    head = html.Tr(
        [
            html.Th("metric"),
            html.Td(),
            _right("this question"),
            _right(f"mean, {n}"),
            _right("95 % interval"),
        ]
    )
    rows = []
    for at, metric in enumerate(named):
        here = estimate(effects, "by_metric", at, 0) if effects else None
        mean = estimate(sweep, "by_metric", at, place) if sweep and place is not None else None
        here, mean = (replace(value, unit=metric["unit"]) if value else None for value in (here, mean))
        label: str = metric["label"]
        name = for_set(METRIC_NAME.get(label, label), set_of(known))
        unit = UNIT_SHORT.get(metric["unit"], metric["unit"])
        title = f"{METRIC_PHRASE.get(label, name)}; {metric['better']} is better"
        cells = [html.Td(text, className="number") for text in (effect(here), effect(mean), spread(mean))]
        rows.append(
            html.Tr([html.Th(name, scope="row", title=title), html.Td(unit, className="note"), *cells])
        )
    note = "Change in every metric when the node is patched."
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table metrics")
    return [html.H3(note), html.Div(table, className="scroll")]


def _right(text: str) -> html.Th:
    return html.Th(text, className="number")


def on_label(tokens: Json | None) -> str:
    """Attention on the correct label on this prompt."""
    return number(on_correct_label(tokens) if tokens else None)


def where_it_looks(tokens: Json) -> list[Any]:
    """The prompt with the head's attention as background."""
    return [
        html.H3("Where it looks from the final position"),
        token_strip(tokens, "raw"),
        html.P(sink_note(tokens, "raw"), className="note"),
    ]
