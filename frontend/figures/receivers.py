"""Paths from the selected node to the receivers that were chosen on the map."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.controls import go, node_link
from frontend.figures.paths import INPUT, how_read
from frontend.marks import reaches
from frontend.nodes import Node
from frontend.phrases import METRIC_PHRASE, colours, for_set, in_unit
from frontend.results import estimate, reason
from frontend.state import State
from frontend.words import count, effect, spread

Json = Mapping[str, Any]


def chosen(place: State) -> list[Any]:
    """The receivers, each with a way to remove it, and for which of them there can be no path."""
    sender, nodes = place.node or Node(0), [Node.read(label) for label in place.receivers]
    listed = [
        html.Span([str(node), " ", go("×", receiver=str(node), className="quiet", label=f"Remove {node}")])
        for node in nodes
    ]
    before = [str(node) for node in nodes if not reaches(sender, node)]
    return [
        html.Div([html.Span(f"From {sender} to"), *listed], className="receivers"),
        *_unreached(sender, before),
    ]


def _unreached(sender: Node, labels: list[str]) -> list[html.P]:
    if not labels:
        return []
    does = "does" if len(labels) == 1 else "do"
    return [
        html.P(f"{', '.join(labels)} {does} not come after {sender}: no path leads there.", className="note")
    ]


def receiver_table(body: Json, place: State, choices: Mapping[str, str]) -> list[Any]:
    """A row for each input of each receiver: query, key and value of a head, the one input of an MLP."""
    sender = place.node or Node(0)
    how, unit = how_read(choices), in_unit(body["tables"]["path_effect"]["unit"])
    said = (
        f"Change of {METRIC_PHRASE[choices['metric']]}, {unit}, when one input of one receiver alone reads "
        f"{sender} {how}; mean over {count(body['n_done'], 'pair')}. {colours(choices['metric'])}"
    )
    nodes = [node for label in place.receivers if reaches(sender, node := Node.read(label))]
    head = html.Tr(
        [html.Th("receiver"), html.Th("input"), *(_right(name) for name in ("path effect", "95 % interval"))]
    )
    groups = [html.Tbody(_rows(body, node, place)) for node in nodes]
    table = html.Table([html.Thead(head), *groups], className="table paths-to")
    return [html.Div(table, className="scroll"), html.P(for_set(said, place.set), className="note")]


def _right(text: str) -> html.Th:
    return html.Th(text, className="number")


def _rows(body: Json, node: Node, place: State) -> list[html.Tr]:
    entries = [
        (at, entry)
        for at, entry in enumerate(body["coordinates"]["receiver"])
        if entry["input"] != "logits" and Node.read(entry["label"]).owner == node
    ]
    if not entries:
        said = f"No path leads from {place.node} to {node} in this model."
        return [html.Tr([html.Th(str(node), scope="rowgroup"), html.Td(said, colSpan=3, className="note")])]
    first = html.Th(node_link(node, place), scope="rowgroup", rowSpan=len(entries))
    return [
        html.Tr([*([first] if not row else []), *_cells(body, at, entry)])
        for row, (at, entry) in enumerate(entries)
    ]


def _cells(body: Json, at: int, entry: Json) -> list[Any]:
    value = estimate(body, "path_effect", at)
    why = reason(body, "path_effect", entry["label"]) or "no value came out"
    shown = effect(value) if value else html.Span("", title=why)
    return [
        html.Th(INPUT[entry["input"]] or "input", scope="row"),
        html.Td(shown, className="number"),
        html.Td(spread(value) if value else why, className="number bounds"),
    ]
