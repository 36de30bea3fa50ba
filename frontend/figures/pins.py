"""Pinned nodes with their mean effects and the way to compare them; the tools of one node."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend import ids
from frontend.figures.attributes import attrs
from frontend.figures.controls import go, link, node_link
from frontend.marks import PINS
from frontend.nodes import Node
from frontend.results import estimate, node_index
from frontend.state import State
from frontend.words import effect, spread

Json = Mapping[str, Any]


def tray(pins: list[str], place: State, body: Json | None) -> list[Any]:
    """Each pin as a link with its mean total effect, as far as that is measured."""
    if not pins:
        return [html.Span("P pins a node", className="note")]
    listed = html.Ol([html.Li(_pin(label, place, body)) for label in pins])
    together = [link("Compare", replace(place, page="compare"), id="compare-pins")] if len(pins) > 1 else []
    return [html.Span("Pinned"), listed, *together]


def _pin(label: str, place: State, body: Json | None) -> list[Any]:
    node = Node.read(label)
    at = node_index(body, node) if body else None
    value = estimate(body, "total_effect", at) if body and at is not None else None
    said = (
        f"mean total effect {spread(value)}" if value else "its effect is not measured on these prompts yet"
    )
    return [
        node_link(node, place),
        html.Span(effect(value) if value else "", className="number", title=said),
        go("×", pin=label, className="quiet", label=f"Unpin {label}"),
    ]


def node_tools(node: str | None, marks: Json, *, paths: bool) -> list[Any]:
    """What can be done with one node: pin it, and on the map follow its paths."""
    if node is None:
        return []
    pinned = node in marks["pins"]
    full = {"data-full": "true"} if len(marks["pins"]) >= PINS and not pinned else {}
    pin = go("Unpin" if pinned else "Pin", pin=node, label=f"{'Unpin' if pinned else 'Pin'} {node}")
    for name, value in {"data-pin": node, "aria-pressed": str(pinned).lower(), **full}.items():
        setattr(pin, name, value)
    return [pin, *([_path_button(node)] if paths else [])]


def _path_button(node: str) -> html.Button:
    said = f"Add a later node that reads {node}: press, then click it; or Shift-click it"
    return html.Button(
        "Path to …",
        id=ids.PATH_TO,
        className="button",
        type="button",
        title=said,
        **attrs(aria_pressed="false"),
    )
