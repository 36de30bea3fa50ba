"""What the page's scripts draw from the data of one element, written out as tables for files without them."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.attributes import attrs

Json = Mapping[str, Any]


def squares(data: Json) -> html.Table:
    """Effects by node and token: every cell with its colour, and its words for those who hear or point."""
    head = [html.Td(className="corner"), *(_column(*column) for column in data["columns"])]
    rows = [
        html.Tr(
            [
                html.Th(row["name"], scope="row"),
                *(_square(cell, first=not at + place) for place, cell in enumerate(row["cells"])),
            ],
            className="own" if row["own"] else "",
        )
        for at, row in enumerate(data["rows"])
    ]
    label = attrs(aria_label=data["label"])
    return html.Table(
        [html.Thead(html.Tr(head)), html.Tbody(rows)], className="squares", role="grid", **label
    )


def _column(classes: str, name: str, words: str) -> html.Th:
    return html.Th(html.Span(name), className=classes, title=words, scope="col")


def _square(cell: Sequence[str], *, first: bool) -> html.Td:
    classes, share, words, name = cell
    style: Any = {"--w": share} if share else {}
    told = attrs(aria_label=words, data_cell=name)
    return html.Td(
        "", className=classes, role="gridcell", title=words, tabIndex=0 if first else -1, style=style, **told
    )


def points(data: Json) -> html.Table:
    """All points of a head's subspace with their prompts."""
    head = html.Tr(
        [html.Th(name, className="number" if at > 2 else "") for at, name in enumerate(data["columns"])]
    )
    rows = [
        html.Tr([html.Td(text, className="number" if at > 2 else "") for at, text in enumerate(row)])
        for row in data["rows"]
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="table points-table")


DRAWN: Mapping[str, Callable[[Json], Any]] = {"data-squares": squares, "data-points": points}
LEFT_OUT = {"data-slider", "data-range", "data-heads"}  # they ask a server


def drawn(props: Json) -> list[Any] | None:
    """What a script would put into an element with these properties; None where no script draws."""
    for name, draw in DRAWN.items():
        if name in props:
            return [draw(json.loads(props[name]))]
    return [] if LEFT_OUT & set(props) else None
