"""All heads as points: any two of their measures against each other, coloured by what they do."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from frontend.compared import COLOURS, MEASURES
from frontend.figures.attributes import attrs
from frontend.figures.controls import select
from frontend.figures.heads import Row, rows_of, titles
from frontend.figures.heads_table import HEADING, MEANING
from frontend.figures.lines import frame, plain_axis
from frontend.figures.map import CONFIG
from frontend.heads import CATEGORIES
from frontend.phrases import UNIT_SHORT
from frontend.results import Estimate
from frontend.state import State
from frontend.theme import Palette, letter
from frontend.words import count, effect, interval, label, number, spread

Json = Mapping[str, Any]
Figure = dict[str, Any]
IN_LOGITS = ("total_effect", "net_attribution")
SYMBOLS = {  # plotly's name and the same as a character
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "cross": "✚",
    "x": "✖",
    "triangle-down": "▼",
    "circle-open": "○",
}
COLOUR_NAME = {"category": "category", "layer": "layer", "none": "nothing"}


def scatter_controls(place: State, *, with_qk: bool) -> list[Any]:
    """What stands on either axis, and what the colour means."""
    measures = {name: HEADING[name] for name in MEASURES if with_qk or name != "qk_score"}
    colours = {name: COLOUR_NAME[name] for name in COLOURS}
    return [
        select("x", measures, place.x, "across"),
        select("y", measures, place.y, "up"),
        select("colour", colours, place.colour, "colour by"),
    ]


def scatter_card(body: Json, qk: Json | None, place: State, palette: Palette) -> list[Any]:
    """The figure, what its marks mean, and what it leaves out. The table of heads is its twin."""
    rows = rows_of(body, place, qk)
    known = [row for row in rows if row.value(place.x) and row.value(place.y)]
    ranked = sorted(known, key=lambda row: -abs(_mean(row, "total_effect")))
    left_out = len(rows) - len(known)
    note = (
        f"{count(len(known), 'head')}. {HEADING[place.x].capitalize()}: {MEANING[place.x]} "
        f"{HEADING[place.y].capitalize()}: {MEANING[place.y]} Point at a head for its 95 % intervals; a "
        "click opens it. Draw around some to tick them for analysis together; the four with the strongest "
        "total effect among them are pinned."
    )
    missing = f" {count(left_out, 'head')} without one of the two values left out." if left_out else ""
    graph = dcc.Graph(figure=scatter_figure(known, place, palette), config=CONFIG, responsive=True)
    return [
        html.Div(
            graph,
            className="scatter",
            **attrs(data_ranked=json.dumps([str(row.node) for row in ranked])),
        ),
        *_key(known, place, titles(body)),
        html.P(note + missing, className="note"),
    ]


def scatter_figure(rows: Sequence[Row], place: State, palette: Palette) -> Figure:
    """A trace for each look; the last trace is empty and holds the intervals of the head pointed at."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.shown if place.colour == "category" else "", []).append(row)
    traces = [_points(name, groups[name], place, palette) for name in sorted(groups, key=_order)]
    bars = {"color": palette.ink, "width": 1.5}
    hovered = {
        "type": "scatter",
        "mode": "lines",
        "x": [None],
        "y": [None],
        "hoverinfo": "skip",
        "line": bars,
    }
    return {
        "data": [*traces, hovered],
        "layout": {
            **frame(palette),
            "margin": {"l": 62, "r": 12, "t": 8, "b": 44},
            "xaxis": _axis(place.x, palette),
            "yaxis": _axis(place.y, palette),
            "dragmode": "lasso",
            "newselection": {"line": {"color": palette.accent, "width": 1.5, "dash": "solid"}},
            "uirevision": f"{place.x} {place.y}",
            "selectionrevision": f"{place.x} {place.y} {place.heads}",
        },
    }


def _points(name: str, rows: Sequence[Row], place: State, palette: Palette) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [_mean(row, place.x) for row in rows],
        "y": [_mean(row, place.y) for row in rows],
        "marker": _marker(name, rows, place, palette),
        "customdata": [[str(row.node), *_bounds(row, place.x), *_bounds(row, place.y)] for row in rows],
        "text": [_said(row, place) for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.25}},
    }


def _marker(name: str, rows: Sequence[Row], place: State, palette: Palette) -> Figure:
    """Colour and shape by category; or a scale from the first layer to the last; pins have an outline."""
    outline = [2 if str(row.node) in place.pins else 0 for row in rows]
    look: Figure = {"size": 9, "opacity": 0.8, "line": {"color": palette.ink, "width": outline}}
    if place.colour == "layer":
        layers = [row.node.layer for row in rows]
        ends = {"cmin": min(layers, default=0), "cmax": max([1, *layers])}
        return look | ends | {"color": layers, "colorscale": [[0, palette.line], [1, palette.accent]]}
    if place.colour == "none":
        return look | {"color": palette.positive}
    at = _order(name)
    return look | {"color": letter(palette, at), "symbol": list(SYMBOLS)[at % len(SYMBOLS)]}


def _order(name: str) -> int:
    return CATEGORIES.index(name) if name in CATEGORIES else len(CATEGORIES)


def _axis(measure: str, palette: Palette) -> Figure:
    """Zero is drawn; logits have their unit."""
    unit = f", {UNIT_SHORT['logit']}" if measure in IN_LOGITS else ""
    zero = {"exponentformat": "none", "zeroline": True, "zerolinecolor": palette.muted, "zerolinewidth": 1}
    return plain_axis(palette, HEADING[measure] + unit, **zero)


def _mean(row: Row, measure: str) -> float:
    value = row.value(measure)
    return value.mean if value else 0.0


def _bounds(row: Row, measure: str) -> list[float | None]:
    value = row.value(measure)
    return [value.low, value.high] if value and value.low is not None else [_mean(row, measure)] * 2


def _said(row: Row, place: State) -> str:
    values = [f"{HEADING[name]} {_told(name, row.value(name))}" for name in dict.fromkeys((place.x, place.y))]
    return "<br>".join([f"<b>{row.node}</b>  {label(row.own_title or row.title or 'no category')}", *values])


def _told(measure: str, value: Estimate | None) -> str:
    if value is None:
        return "not measured"
    if measure in IN_LOGITS:
        return f"{effect(value)} {spread(value)}".strip()
    return f"{number(value.mean)} {interval(value, number)}".strip()


def _key(rows: Sequence[Row], place: State, named: Mapping[str, str]) -> list[Any]:
    """Which mark is which category, with their numbers; or what pale and strong mean."""
    if place.colour == "none":
        return []
    if place.colour == "layer":
        return [html.P("Pale: early layers. Strong: late ones.", className="note")]
    marks, found = list(SYMBOLS.values()), Counter(row.shown for row in rows)
    listed = []
    for name in sorted(found, key=_order):
        colour = {"color": f"var(--letter-{_order(name) % 10})"}
        said = f"{named.get(name, name) or 'no category yet'} {found[name]}"
        listed.append(html.Span([html.I(marks[_order(name) % len(marks)], style=colour), said]))
    return [html.Div(listed, className="letters-key")]
