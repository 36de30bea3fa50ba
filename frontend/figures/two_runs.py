"""Two runs side by side: both maps on one scale, their difference, what was asked differently, all nodes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import html

from frontend.addresses import model_of, state_of
from frontend.figures.attributes import attrs
from frontend.figures.comparing import Both, Two, rank_correlation, two_of, what_differs
from frontend.figures.grid import MEASURED, Cell, Grid, Row
from frontend.figures.legend import legend
from frontend.nodes import Node
from frontend.state import href
from frontend.theme import strength
from frontend.words import NONE, count, effect, signed, spread, visible

Json = Mapping[str, Any]
LISTED = 30  # nodes in the table: every element costs the browser
AGREE = "1 where both order the nodes alike, 0 where they have nothing to do with each other"


def two_maps(left: Json, right: Json, table: str) -> list[Any]:
    """Both maps with linked marks, the difference or why there is none, and the same as a table."""
    two = two_of(left, right, table)
    told = {
        "maps": [
            _map(f"{side}: {model_of(body['spec'])}", grid, two.largest)
            for side, body, grid in (("Left", left, two.left), ("Right", right, two.right))
        ],
        "words": {str(both.node): both.sentence for both in two.nodes},
        "links": [_link("left", left), _link("right", right)],
    }
    if not two.why_not:
        told["maps"].append(_map("Right less left", _difference(two), two.largest_difference))
    return [
        _differences(what_differs(left, right)),
        html.Div(className="two-maps", **attrs(data_compare=json.dumps(told))),
        _legends(two),
        *([html.P(two.why_not, className="note")] if two.why_not else []),
        *_agreement(two),
        _list(two),
    ]


def _map(title: str, grid: Grid, largest: float) -> Json:
    """What the script paints: rows of cells with label, strength of the colour and state."""
    ends = largest or grid.largest
    return {
        "title": title,
        "columns": grid.n_layers,
        "rows": [row.name for row in grid.rows],
        "gap": len(grid.head_rows) if grid.head_rows and grid.layer_row else None,
        "cells": [_cells(row, ends) for row in grid.rows],
    }


def _cells(row: Row, largest: float) -> list[list[Any]]:
    return [
        [str(cell.node), round(strength(cell.value.mean, largest), 4) if cell.value else None, cell.state]
        for cell in row.cells
    ]


def _difference(two: Two) -> Grid:
    """Right less left, where both have the node."""
    cells = {}
    for both in two.nodes:
        cells[both.node] = two.left.cell(both.node)
        if both.difference:
            cells[both.node] = Cell(both.node, MEASURED, both.difference)
        elif both.left:
            cells[both.node] = two.right.cell(both.node)
    return replace(two.left, cells=cells)


def _link(name: str, body: Json) -> Json:
    """Where a node of a run has its page; the script puts the node's label in."""
    place = replace(state_of(body["spec"]), page="head", node=Node(0, 0))
    return {"name": name, "href": href(place)}


def _differences(found: Sequence[tuple[str, str, str]]) -> Any:
    if not found:
        return html.P("Both are the same measurement.", className="note")
    head = html.Tr([html.Th("differs"), html.Th("left"), html.Th("right")])
    rows = [
        html.Tr([html.Th(name, scope="row"), html.Td(visible(one)), html.Td(visible(other))])
        for name, one, other in found
    ]
    return html.Div(
        html.Table([html.Thead(head), html.Tbody(rows)], className="table differs"), className="scroll"
    )


def _legends(two: Two) -> html.Div:
    """The common scale, or each map's own; then that of the difference."""
    shown = [("left and right", two.largest, two.left.unit)]
    if not two.largest:
        shown = [("left", two.left.largest, two.left.unit), ("right", two.right.largest, two.right.unit)]
    if not two.why_not:
        shown.append(("right less left", two.largest_difference, two.left.unit))
    keys = [
        html.Div([html.Span(name, className="note"), legend(end, unit)], className="legend-named")
        for name, end, unit in shown
    ]
    return html.Div(keys, className="legends")


def _agreement(two: Two) -> list[Any]:
    found = rank_correlation(two)
    if found is None:
        return []
    value, n = found
    words = f"Rank correlation over {count(n, 'node')}: "
    return [html.P([words, html.B(signed(value)), f" ({AGREE})."], className="agreement")]


def _list(two: Two) -> html.Details:
    """The twin of the maps: nodes with the largest difference first, or the strongest of either."""

    def size(both: Both) -> float:
        sizes = [abs(value.mean) for value in (both.left, both.right) if value]
        return abs(both.difference.mean) if both.difference else max(sizes, default=0.0)

    every = sorted(two.nodes, key=lambda both: (both.difference is None, -size(both)))
    order = "strongest first" if two.why_not else "largest difference first"
    columns = ("left", "95 % interval", "right", "95 % interval", "difference")
    heads = [html.Th(text, className="number", scope="col") for text in columns]
    head = html.Tr([html.Th("node", scope="col"), *heads, html.Th("intervals", scope="col")])
    rows = [_row(both) for both in every[:LISTED]]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table two-list")
    weaker = f", the first {LISTED} of {len(every)}" if len(every) > LISTED else ""
    return html.Details(
        [html.Summary(f"Nodes as a table, {order}{weaker}"), html.Div(table, className="scroll")],
        className="more",
    )


def _row(both: Both) -> html.Tr:
    texts = [text for value in (both.left, both.right) for text in (effect(value), spread(value))]
    meets = {True: "overlap", False: "apart", None: NONE}[both.overlap]
    cells = [html.Td(text, className="number") for text in (*texts, effect(both.difference))]
    return html.Tr([html.Th(str(both.node), scope="row"), *cells, html.Td(meets)])
