"""The colour scale of the map, with its ends and its unit."""

from typing import Any

from dash import html

from frontend.phrases import UNIT_SHORT
from frontend.results import Estimate
from frontend.theme import strength
from frontend.words import effect

STEPS = 10  # swatches on either side of zero


def legend(largest: float, unit: str = "logit") -> html.Div:
    """Swatches from the most negative to the most positive value; zero is always in the middle."""
    swatches = [
        html.I(className=heat_class(step), style=heat(step / STEPS, 1.0)) for step in range(-STEPS, STEPS + 1)
    ]
    ends = [effect(Estimate(end, unit=unit)) if largest else "" for end in (-largest, largest)]
    bar = html.Div(className="legend-bar", children=swatches)
    return html.Div(
        className="legend",
        children=[
            html.Span(ends[0]),
            html.Div([bar, html.Div(f"0 {UNIT_SHORT.get(unit, unit)}", className="legend-zero")]),
            html.Span(ends[1]),
        ],
    )


def heat(value: float, largest: float) -> dict[str, str]:
    """CSS variable for the class `heat`: how strong the colour is, 0 to 100."""
    return {"--w": f"{abs(strength(value, largest)) * 100:.0f}%"}


def heat_class(value: float) -> str:
    """The classes of what is coloured: which end of the scale it goes towards."""
    return "heat negative" if value < 0 else "heat positive"


def heated(words: str, value: float, largest: float, **more: Any) -> html.Td:
    """A number in a table with the colour of a value behind it."""
    return html.Td(words, className=f"number {heat_class(value)}", style=heat(value, largest), **more)
