"""What the map knows of every cell, for the preview in the evidence card: no request is made for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend import ids
from frontend.figures.attributes import attrs
from frontend.figures.evidence import NUMBERS, why_not
from frontend.nodes import Node
from frontend.results import estimate, nodes, reason
from frontend.state import State
from frontend.words import NONE, VIEW_TABLE, count, effect, spread

Json = Mapping[str, Any]


def preview_layout() -> html.Div:
    """Over the evidence card while a cell is pointed at; its words are said by the map's status line."""
    head = html.Div(
        [
            html.Div(className="node-name", **_part("node")),
            html.Span(className="note", **_part("how")),
        ],
        className="card-head",
    )
    numbers = html.Div([_number(view, name) for view, name in NUMBERS.items()], className="numbers")
    below = [html.P(className="note", **_part(name)) for name in ("hint", "note")]
    return html.Div(
        [head, numbers, *below], id=ids.PREVIEW, className="preview", hidden=True, **attrs(aria_hidden="true")
    )


def _number(view: str, name: str) -> html.Div:
    parts = [
        html.Div(className="value", **_part(view)),
        html.Div(f"mean {name}", className="name"),
        html.Div(className="note below", **_part(f"{view}-below")),
    ]
    return html.Div(parts, className="big-number")


def _part(name: str) -> dict[str, Any]:
    return attrs(data_part=name)


def previews(body: Json | None, place: State) -> dict[str, Any]:
    """Mean and interval of every view for every node with a value; why there is none for the others."""
    how = f"measured: mean over {count(body['n_done'], 'pair')}, 95 % intervals" if body else ""
    cells = _cells(body, place) if body else {}
    return {"views": list(NUMBERS), "how": how, "waiting": "not measured yet", "cells": cells}


def _cells(body: Json, place: State) -> dict[str, Any]:
    found = {}
    for at, node in enumerate(nodes(body)):
        told = [_told(body, view, at, node, place) for view in NUMBERS]
        if any(value != NONE or below for value, below in told):
            found[str(node)] = told
    return found


def _told(body: Json, view: str, at: int, node: Node, place: State) -> list[str]:
    value = estimate(body, VIEW_TABLE[view], at)
    if value is not None:
        return [effect(value), spread(value)]
    missing = VIEW_TABLE[view] not in body["tables"]
    why = why_not(replace(place, node=node), view) if missing else reason(body, VIEW_TABLE[view], str(node))
    return [NONE, why]
