"""Heat in print: cells with the dashboard's colours, as rectangles, and the bar that explains them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from frontend.figures.paper_forms import named_places, short, unit_words
from frontend.figures.paper_page import BAR_WIDE, SMALL, Figure, Panel, text_width
from frontend.results import Estimate
from frontend.theme import SCALE_FLOOR, Palette, blend, diverging, strength
from frontend.words import NONE, effect, label, number

TICK_SHARES = (1.0, 0.35, 0.05)  # of the largest value, where the colour bar names it


@dataclass(frozen=True)
class Square:
    """Values in rows and columns, and what the scale is: about zero, or a share from 0 to 1."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[Estimate | None]]
    unit: str = "logit"
    row_title: str = ""
    column_title: str = ""

    @property
    def largest(self) -> float:
        """Where the colours end."""
        known = [abs(value.mean) for row in self.values for value in row if value]
        return 1.0 if self.unit == "fraction" else max([SCALE_FLOOR.get(self.unit, 0.0), *known])


def heat(square: Square, palette: Palette, title: str = "", *, written: bool = True) -> Panel:
    """Cells with their colour, and with the number where there is room; a cell without a value is a dash."""
    cells = [(x, y, one) for y, row in enumerate(square.values) for x, one in enumerate(row)]
    drawn = [
        box(x, y, blend(palette, strength(one.mean, square.largest)), size=0.94) for x, y, one in cells if one
    ]
    marked = [(x, y, one) for x, y, one in cells if written or not one]
    fits = _fits(square)
    x = _names(square.columns, square.column_title) | {"tickangle": 0 if fits else -55}
    y = _names(square.rows, square.row_title) | {"range": [len(square.rows) - 0.5, -0.5]}
    return Panel(
        [colour_bar(square.largest, square.unit, palette), *_numbers(marked, square, palette)],
        x,
        y,
        title,
        height=max(56, round(26 * len(square.rows))),
        left=round(_widest(square.rows)) + (42 if square.row_title else 22),
        right=BAR_WIDE,
        bottom=46 if fits else 36 + round(0.75 * _widest(square.columns)),
        shapes=drawn,
    )


def box(x: float, y: float, colour: str, *, size: float = 1.0) -> Figure:
    """One cell as a rectangle: it stays sharp at any size, which a picture of cells does not."""
    half = size / 2
    place = {"x0": x - half, "x1": x + half, "y0": y - half, "y1": y + half}
    return {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": colour, **place}


def colour_bar(largest: float, unit: str, palette: Palette, said: str = "") -> Figure:
    """The diverging colours with zero fixed in the middle, and the true values beside them."""
    share = unit == "fraction" and largest == 1.0
    ends = [1.0, 0.5, 0.1, 0.0] if share else [*TICK_SHARES, 0.0, *(-one for one in reversed(TICK_SHARES))]
    values = [end * largest for end in ends]
    colours = [[0.0, palette.zero], [1.0, palette.positive]] if share else diverging(palette)
    words = [number(value) if share else effect(Estimate(value, unit=unit)) for value in values]
    bar = bar_of(label(said or unit_words(unit)), [strength(value, largest) for value in values], words)
    marker = {"color": [0], "cmin": 0 if share else -1, "cmax": 1, "colorscale": colours, "showscale": True}
    unseen = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "showlegend": False}
    return {**unseen, "marker": {**marker, "colorbar": bar}}


def bar_of(title: str, places: Sequence[float], words: Sequence[str]) -> Figure:
    """The thin bar beside a panel, with words at some places."""
    return {
        "thickness": 9,
        "outlinewidth": 0,
        "ticks": "outside",
        "ticklen": 3,
        "tickfont": {"size": 11},
        "tickvals": places,
        "ticktext": words,
        "title": {"text": title, "side": "right", "font": {"size": 11}},
        "xpad": 0,
        "ypad": 0,
    }


def _widest(names: Sequence[str]) -> float:
    return max([text_width(short(name), SMALL) for name in names], default=0.0)


def _numbers(
    cells: Sequence[tuple[int, int, Estimate | None]], square: Square, palette: Palette
) -> list[Figure]:
    if not cells:
        return []
    loud = [one is not None and abs(strength(one.mean, square.largest)) > 0.6 for *_, one in cells]
    write = number if square.unit == "fraction" else effect
    return [
        {
            "type": "scatter",
            "mode": "text",
            "x": [x for x, _, _ in cells],
            "y": [y for _, y, _ in cells],
            "text": [_written(one, write) for *_, one in cells],
            "textfont": {"size": 11, "color": [palette.panel if one else palette.ink for one in loud]},
            "showlegend": False,
        }
    ]


def _written(value: Estimate | None, write: Any) -> str:
    if value is None:
        return NONE
    return write(value.mean) if write is number else write(value)


def _fits(square: Square) -> bool:
    return len(square.columns) * (_widest(square.columns) + 8) < 460


def _names(names: Sequence[str], title: str) -> Figure:
    """An axis of names under their title."""
    axis = named_places([label(short(name)) for name in names])
    return axis | {"range": [-0.5, len(names) - 0.5], "title": {"text": title}}
