"""A number of the page's state to be dragged; the browser's own control, drawn by the page's script."""

import json

from dash import html

from frontend.figures.attributes import attrs
from frontend.words import number


def slider(name: str, value: float, bounds: tuple[float, float, float], label: str) -> html.Label:
    """`bounds` are the lowest value, the highest one and the step. Letting go changes the address."""
    low, high, step = bounds
    told = {"name": name, "min": low, "max": max(high, value), "step": step, "value": value, "label": label}
    shown = str(value) if isinstance(value, int) else number(value)
    return html.Label(
        [
            html.Span([f"{label} ", html.B(shown)]),
            html.Span(className="slide", **attrs(data_slider=json.dumps(told))),
        ],
        className="choice slider",
    )
