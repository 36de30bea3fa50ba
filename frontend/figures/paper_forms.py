"""The forms of printed figures that have rows: bars from zero, and dots, both with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.figures.lines import UNIT
from frontend.figures.paper_page import SMALL, Panel, text_width
from frontend.figures.points import SYMBOLS
from frontend.results import Estimate
from frontend.theme import Palette
from frontend.words import NONE, label

Figure = dict[str, Any]
ROW = 19  # pixels of a row of bars or dots
LONGEST = 40  # letters of a name before it is cut


@dataclass(frozen=True)
class Series:
    """Values with their names: one kind of dot, or the bars."""

    name: str
    values: Sequence[Estimate | None]
    colour: str
    hollow: Sequence[bool] = field(default_factory=tuple)


def unit_words(unit: str) -> str:
    """`logits`, `nats`, `fraction`."""
    return UNIT.get(unit, unit)


def bars(names: Sequence[str], values: Series, palette: Palette, title: str = "") -> Panel:
    """Bars from a common zero with 95 % intervals, blue above and red below it; estimates are hollow."""
    places, means = list(range(len(names))), [value.mean if value else None for value in values.values]
    sides = [palette.negative if (mean or 0.0) < 0 else palette.positive for mean in means]
    hollow = values.hollow or [False] * len(names)
    fill = [palette.panel if empty else side for side, empty in zip(sides, hollow, strict=True)]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": means,
        "y": places,
        "width": 0.66,
        "marker": {"color": fill, "line": {"color": sides, "width": 1.5}},
        "error_x": whiskers(values.values, palette.ink),
        "textposition": "none",
        "showlegend": False,
    }
    unit = next((value.unit for value in values.values if value), "")
    zero = {"zeroline": True, "zerolinecolor": palette.ink, "zerolinewidth": 1}
    return _rows(
        names, [trace, *_missing(values.values, palette)], values.name or unit_words(unit), title, zero
    )


def dots(names: Sequence[str], series: Sequence[Series], axis: str, title: str = "", **more: Any) -> Panel:
    """Values with 95 % intervals, row by row, a colour and shape for each kind; `marks` are upright lines."""
    apart = 0.5 / max(1, len(series))
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(one.name) if one.name else "",
            "x": [value.mean if value else None for value in one.values],
            "y": [row + apart * (at - (len(series) - 1) / 2) for row in range(len(names))],
            "marker": {"color": one.colour, "size": 7, "symbol": SYMBOLS[at % len(SYMBOLS)]},
            "error_x": whiskers(one.values, one.colour),
        }
        for at, one in enumerate(series)
    ]
    grid = {"showgrid": True}
    return _rows(names, [*traces, *more.pop("marks", ())], axis, title, grid | more)


def mark(name: str, value: float, rows: int, colour: str, dash: str = "dash") -> Figure:
    """An upright line across all rows, for example at chance."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [value, value],
        "y": [-0.5, rows - 0.5],
        "line": {"color": colour, "width": 1.3, "dash": dash},
    }


def _rows(names: Sequence[str], data: Sequence[Figure], axis: str, title: str, more: Figure) -> Panel:
    shown = [short(name) for name in names]
    y = named_places([label(name) for name in shown]) | {"range": [len(names) - 0.4, -0.6]}
    wide = max([text_width(name, SMALL) for name in shown], default=0)
    x = {"title": {"text": axis}, "nticks": 5, "tickangle": 0, "showgrid": True, **more}
    height = max(60, ROW * len(names) + 8)
    return Panel(data, x, y, title, height=height, left=round(24 + wide), bottom=44)


def named_places(names: Sequence[str]) -> Figure:
    """A numeric axis with a name at every place: names may repeat."""
    places = list(range(len(names)))
    return {"tickmode": "array", "tickvals": places, "ticktext": names, "ticks": "", "type": "linear"}


def short(name: str, longest: int = LONGEST) -> str:
    """A name that fits beside a row."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def whiskers(values: Sequence[Estimate | None], colour: str) -> Figure:
    """The 95 % intervals, in full or not at all."""
    known = [
        value if value and value.low is not None and value.high is not None else None for value in values
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, (one.high or 0.0) - one.mean) if one else None for one in known],
        "arrayminus": [max(0.0, one.mean - (one.low or 0.0)) if one else None for one in known],
        "color": colour,
        "thickness": 1.1,
        "width": 2.5,
        "visible": any(known),
    }


def _missing(values: Sequence[Estimate | None], palette: Palette) -> list[Figure]:
    """A dash where nothing was computed: an empty row is not a zero."""
    rows = [row for row, value in enumerate(values) if value is None]
    if not rows:
        return []
    font = {"color": palette.muted, "size": SMALL}
    text = {"type": "scatter", "mode": "text", "text": [NONE] * len(rows), "textfont": font}
    return [{**text, "x": [0] * len(rows), "y": rows, "showlegend": False}]
