"""How few nodes are enough: curves over the first k nodes of a ranking, with random rankings behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from dash import dcc, html

from frontend.figures.attributes import attrs
from frontend.figures.bars import beside
from frontend.figures.map import CONFIG, FONT
from frontend.results import Estimate, estimate, estimates
from frontend.theme import Palette
from frontend.words import number, signed

Json = Mapping[str, Any]
Figure = dict[str, Any]
MEANING = {
    "sufficiency": "Corrupt run; the first k nodes take their clean values. Share of the gap between the "
    "runs that this closes.",
    "necessity": "Clean run; the first k nodes take their corrupt values. Share of the gap lost.",
    "faithfulness": "Clean run; all but the first k nodes take corrupt values. Share of the gap kept.",
    "coverage": "Share of the positive attribution that the first k nodes hold.",
}
TICKS = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
UNIT = {"nat": "nats", "logit": "logits", "fraction": "fraction"}


@dataclass(frozen=True)
class Curve:
    """One curve over k, and the same over random rankings where that was measured."""

    name: str
    unit: str
    k: Sequence[int]
    ranked: Sequence[Estimate | None]
    random: Sequence[Estimate | None] = ()


def curves_of(body: Json) -> list[Curve]:
    """All curves of a `curves` result."""
    k, unit = body["coordinates"]["k"], body["tables"]["curve"]["unit"]
    found = [
        Curve(name, unit, k, estimates(body, "curve", at), estimates(body, "random", at))
        for at, name in enumerate(body["coordinates"]["curve"])
    ]
    return [*found, Curve("coverage", "fraction", k, estimates(body, "coverage"))]


def curves_figure(body: Json, palette: Palette) -> list[Any]:
    """Four small figures, the areas under faithfulness, and the table with the same numbers."""
    curves = curves_of(body)
    panels = [_panel(curve, palette) for curve in curves]
    areas = beside(
        ("area under faithfulness (CPR)", estimate(body, "cpr")),
        ("of random rankings", estimate(body, "cpr_random")),
        ("distance from 1 (CMD)", estimate(body, "cmd")),
        ("of random rankings", estimate(body, "cmd_random")),
        write=number,
    )
    return [html.Div(panels, className="curves"), areas, _twin(curves)]


def _panel(curve: Curve, palette: Palette) -> html.Figure:
    graph = dcc.Graph(figure=curve_figure(curve, palette), config=CONFIG, responsive=True)
    words = [html.B(curve.name), html.Span(MEANING.get(curve.name, ""), className="note")]
    return html.Figure(
        [html.Figcaption(words), html.Div(graph, className="curve-plot")],
        **attrs(aria_label=f"{curve.name} over k; the table below has the numbers"),
    )


def curve_figure(curve: Curve, palette: Palette) -> Figure:
    """The ranking as a line with its interval, random rankings as a grey band."""
    band = _band(curve.k, curve.random, palette.muted) if curve.random else []
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "ranked by attribution",
        "x": [_x(k) for k in curve.k],
        "y": [value.mean if value else None for value in curve.ranked],
        "line": {"color": palette.accent, "width": 2},
        "marker": {"size": 5},
        "text": [_hover(curve, k, value) for k, value in zip(curve.k, curve.ranked, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return {
        "data": [*band, *_band(curve.k, curve.ranked, palette.accent)[:2], line],
        "layout": _frame(curve, palette),
    }


def _band(k: Sequence[int], values: Sequence[Estimate | None], colour: str) -> list[Figure]:
    known = [(at, value) for at, value in zip(k, values, strict=True) if value]
    bounds = [(at, value.low, value.high) for at, value in known if value.low is not None]
    x = [_x(at) for at, _, _ in bounds]
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    edge = {"color": colour, "width": 0}
    fill = {"fill": "tonexty", "fillcolor": _faint(colour)}
    mean = {"color": colour, "width": 1, "dash": "dot"}
    return [
        {**quiet, "x": x, "y": [low for _, low, _ in bounds], "line": edge},
        {**quiet, "x": x, "y": [high for _, _, high in bounds], "line": edge, **fill},
        {**quiet, "x": [_x(at) for at, _ in known], "y": [value.mean for _, value in known], "line": mean},
    ]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def _x(k: int) -> float:
    """Where k stands on the axis: like a logarithm, but with a place for none."""
    return log2(1 + k)


def _frame(curve: Curve, palette: Palette) -> Figure:
    ticks = [k for k in TICKS if k <= curve.k[-1]]
    plain = {"showgrid": False, "zeroline": False, "fixedrange": True, "color": palette.muted}
    return {
        "margin": {"l": 46, "r": 10, "t": 6, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 11.5, "color": palette.muted},
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.line,
            "font": {"color": palette.ink, "size": 13, "family": FONT},
            "align": "left",
        },
        "showlegend": False,
        "dragmode": False,
        "uirevision": "curves",
        "xaxis": {
            **plain,
            "tickvals": [_x(k) for k in ticks],
            "ticktext": [str(k) for k in ticks],
            "title": {"text": "k, number of nodes", "standoff": 4, "font": {"size": 11.5}},
        },
        "yaxis": {
            **plain,
            "showgrid": True,
            "gridcolor": palette.line,
            "nticks": 5,
            "title": {"text": UNIT.get(curve.unit, curve.unit), "standoff": 4, "font": {"size": 11.5}},
        },
    }


def _hover(curve: Curve, k: int, value: Estimate | None) -> str:
    if value is None:
        return ""
    bounds = f" [{number(value.low, 3)}, {number(value.high, 3)}]" if value.low is not None else ""
    return f"<b>{k} nodes</b>  {number(value.mean, 3)} {UNIT.get(curve.unit, curve.unit)}{bounds}"


def _twin(curves: Sequence[Curve]) -> html.Details:
    """The same numbers for eyes that read, and for those that hear."""
    columns = [(curve.name, curve.ranked) for curve in curves]
    columns += [(f"{curve.name}, random", curve.random) for curve in curves if curve.random]
    head = html.Tr([html.Th("k"), *(html.Th(name, className="number") for name, _ in columns)])
    rows = [
        html.Tr([html.Th(str(k), scope="row"), *(_value(values[at]) for _, values in columns)])
        for at, k in enumerate(curves[0].k)
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table")
    return html.Details(
        [html.Summary("The same as a table"), html.Div(table, className="scroll")], className="more"
    )


def _value(value: Estimate | None) -> html.Td:
    shown = number(value.mean, 3) if value else signed(None)
    return html.Td(shown, className="number")
