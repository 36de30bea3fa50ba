"""Lines over a whole number, with their intervals: the frame that several figures share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from dash import dcc, html

from frontend.figures.attributes import attrs
from frontend.figures.map import CONFIG, surroundings
from frontend.phrases import with_unit
from frontend.results import Estimate
from frontend.theme import Palette
from frontend.words import number

Figure = dict[str, Any]
Place = Callable[[float], float]
TICKS = (0, 1, 3, 8, 16, 32, 64, 128, 256)
UNIT = {"nat": "nats", "logit": "logits", "fraction": "fraction"}


@dataclass(frozen=True)
class Line:
    """One line: where it has values, how it is drawn, whether its interval is drawn as a band."""

    name: str
    x: Sequence[float]
    y: Sequence[Estimate | None]
    colour: str
    dash: str = "solid"
    width: float = 2
    band: bool = False


def line_panel(title: str, said: str, figure: Figure) -> html.Figure:
    """A small figure with its title and what it means."""
    graph = dcc.Graph(figure=figure, config=CONFIG, responsive=True)
    words = [html.B(title), html.Span(said, className="note")]
    return html.Figure(
        [html.Figcaption(words), html.Div(graph, className="curve-plot")],
        **attrs(aria_label=f"{title}; a table has the numbers"),
    )


def line_figure(
    lines: Sequence[Line], axis: str, unit: str, palette: Palette, *, even: bool = False
) -> Figure:
    """Lines in one frame. Small numbers get most of the room, x is log2(1 + x), unless all count `even`ly."""
    at = float if even else _log
    bands = [trace for line in lines if line.band for trace in _band(line, at)]
    largest = max((line.x[-1] for line in lines if len(line.x)), default=1)
    values = {"showgrid": True, "gridcolor": palette.line, "nticks": 5}
    axes = {
        "xaxis": plain_axis(palette, axis, **({} if even else ticks(largest))),
        "yaxis": plain_axis(palette, UNIT.get(unit, unit), **values),
    }
    return {
        "data": [*bands, *(_line(line, unit, at) for line in lines)],
        "layout": {**frame(palette), **axes},
    }


def level(name: str, value: Estimate | None, ends: tuple[int, int], colour: str, dash: str) -> Line:
    """A value that does not depend on x, as a line across the figure."""
    return Line(name, ends, (value, value), colour, dash, width=1.5)


def frame(palette: Palette) -> Figure:
    """Quiet surroundings for any small figure."""
    return {
        **surroundings(palette, 11.5),
        "margin": {"l": 48, "r": 10, "t": 6, "b": 36},
        "showlegend": False,
        "uirevision": "lines",
    }


def plain_axis(palette: Palette, title: str, **more: Any) -> Figure:
    """An axis without a grid that cannot be dragged."""
    said = {"text": title, "standoff": 4, "font": {"size": 11.5}}
    quiet = {"showgrid": False, "zeroline": False, "fixedrange": True, "color": palette.muted}
    return {**quiet, "title": said, **more}


def faint(colour: str, share: float = 0.18) -> str:
    """A colour of the palette, seen through."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def _log(x: float) -> float:
    return log2(1 + x)


def ticks(largest: float, possible: Sequence[int] = TICKS) -> Figure:
    """Where an axis with much room for small numbers is marked."""
    shown = [tick for tick in possible if tick <= largest]
    return {"tickvals": [_log(x) for x in shown], "ticktext": [str(x) for x in shown]}


def _line(line: Line, unit: str, at: Place) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x": [at(x) for x in line.x],
        "y": [value.mean if value else None for value in line.y],
        "line": {"color": line.colour, "width": line.width, "dash": line.dash},
        "text": [_hover(line, x, value, unit) for x, value in zip(line.x, line.y, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _band(line: Line, at: Place) -> list[Figure]:
    bounds = [
        (x, value.low, value.high)
        for x, value in zip(line.x, line.y, strict=True)
        if value and value.low is not None
    ]
    x = [at(place) for place, _, _ in bounds]
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    fill = {"fill": "tonexty", "fillcolor": faint(line.colour)}
    return [
        {**quiet, "x": x, "y": [low for _, low, _ in bounds]},
        {**quiet, "x": x, "y": [high for _, _, high in bounds], **fill},
    ]


def _hover(line: Line, x: float, value: Estimate | None, unit: str) -> str:
    if value is None:
        return ""
    bounds = f" [{number(value.low, 3)}, {number(value.high, 3)}]" if value.low is not None else ""
    return f"<b>{line.name}</b>, {x}: {with_unit(number(value.mean, 3), unit)}{bounds}"
