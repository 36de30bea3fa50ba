"""How few nodes are enough: curves over the first k nodes of a ranking, with random rankings behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from frontend.figures.bars import beside
from frontend.figures.lines import Line, line_figure, line_panel, ticks
from frontend.figures.twin import as_table
from frontend.results import Estimate, estimate, estimates
from frontend.theme import Palette
from frontend.words import number

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
    panels = [
        line_panel(curve.name, MEANING.get(curve.name, ""), curve_figure(curve, palette)) for curve in curves
    ]
    areas = beside(
        ("area under faithfulness (CPR)", estimate(body, "cpr")),
        ("of random rankings", estimate(body, "cpr_random")),
        ("distance from 1 (CMD)", estimate(body, "cmd")),
        ("of random rankings", estimate(body, "cmd_random")),
        write=number,
    )
    return [html.Div(panels, className="curves"), areas, _twin(curves)]


def curve_figure(curve: Curve, palette: Palette) -> Figure:
    """The ranking as a line with its interval, random rankings as a grey band."""
    ranked = Line("ranked by attribution", curve.k, curve.ranked, palette.accent, band=True)
    random = Line("random rankings", curve.k, curve.random, palette.muted, "dot", 1, band=True)
    lines = [random, ranked] if any(curve.random) else [ranked]
    figure = line_figure(lines, "k, number of nodes", curve.unit, palette)
    figure["data"][-1] |= {"mode": "lines+markers", "marker": {"size": 5}}
    figure["layout"]["xaxis"] |= ticks(curve.k[-1], TICKS)
    return figure


def _twin(curves: Sequence[Curve]) -> html.Details:
    """The same numbers for eyes that read, and for those that hear."""
    columns = [(curve.name, curve.ranked) for curve in curves]
    columns += [(f"{curve.name}, random", curve.random) for curve in curves if curve.random]
    head = html.Tr([html.Th("k"), *(html.Th(name, className="number") for name, _ in columns)])
    rows = [
        html.Tr([html.Th(str(k), scope="row"), *(_value(values[at]) for _, values in columns)])
        for at, k in enumerate(curves[0].k)
    ]
    return as_table(head, rows)


def _value(value: Estimate | None) -> html.Td:
    return html.Td(number(value.mean if value else None, 3), className="number")
