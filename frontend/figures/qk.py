"""QK-scores: how often a head's scores alone pick the correct label, against what the model says."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.controls import node_link
from frontend.figures.evidence import big_number
from frontend.nodes import Node
from frontend.results import estimate
from frontend.state import State
from frontend.words import interval, percent

Json = Mapping[str, Any]
SHOWN = 10


def qk_table(body: Json, place: State) -> list[Any]:
    """The head chosen on the other split and its accuracy on this one, the model's, the ten best heads."""
    details = body["details"]
    best = details.get("best") or {}
    name = f"{best.get('head', 'no head')}, chosen by {percent(best.get('validation'))} on the other split"
    numbers = [
        big_number(name, percent(best.get("test"))),
        big_number("the whole model says the correct letter", percent(details.get("model_accuracy"))),
        big_number("by chance", percent(details.get("chance"))),
    ]
    return [html.Div(numbers, className="numbers beside"), _best_heads(body, place)]


def _best_heads(body: Json, place: State) -> html.Div:
    entries = body["coordinates"]["head"]
    known = [
        (value, estimate(body, "validation", at), Node.read(entry["label"]))
        for at, entry in enumerate(entries)
        if (value := estimate(body, "accuracy", at))
    ]
    known.sort(key=lambda entry: (-entry[0].mean, entry[2]))
    head = html.Tr(
        [
            html.Th("head"),
            html.Th("picks the correct label", className="number"),
            html.Th("95 % interval", className="number"),
            html.Th("on the other split", className="number"),
        ]
    )
    rows = [
        html.Tr(
            [
                html.Th(node_link(node, place)),
                html.Td(percent(value.mean), className="number"),
                html.Td(interval(value, percent), className="number bounds"),
                html.Td(percent(other.mean if other else None), className="number"),
            ]
        )
        for value, other, node in known[:SHOWN]
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table qk-table")
    return html.Div(table, className="scroll")
