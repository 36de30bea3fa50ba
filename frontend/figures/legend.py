"""The colour scale of the map, with its ends and its unit."""

from dash import html

from frontend.theme import strength
from frontend.words import signed

STEPS = 10  # swatches on either side of zero


def legend(largest: float) -> html.Div:
    """Swatches from the most negative to the most positive value; zero is always in the middle."""
    swatches = [
        html.I(className="heat " + ("negative" if step < 0 else "positive"), style=heat(step / STEPS, 1.0))
        for step in range(-STEPS, STEPS + 1)
    ]
    ends = (signed(-largest), "+" + signed(largest).lstrip("+")) if largest else ("", "")
    bar = html.Div(className="legend-bar", children=swatches)
    return html.Div(
        className="legend",
        children=[
            html.Span(ends[0]),
            html.Div([bar, html.Div("0 logits", className="legend-zero")]),
            html.Span(ends[1]),
        ],
    )


def heat(value: float, largest: float) -> dict[str, str]:
    """CSS variable for the class `heat`: how strong the colour is, 0 to 100."""
    return {"--w": f"{abs(strength(value, largest)) * 100:.0f}%"}
