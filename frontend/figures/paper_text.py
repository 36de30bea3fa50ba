"""Printed figures of one prompt: its tokens as text with what the head does with each; the whole pattern."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.figures.paper_forms import named_places
from frontend.figures.paper_heat import box, colour_bar
from frontend.figures.paper_page import BAR_WIDE, WIDTH, Panel
from frontend.figures.tokens import token_values
from frontend.state import State
from frontend.theme import Palette, blend, strength
from frontend.words import label, token

Json = Mapping[str, Any]
Rows = Sequence[Sequence[Panel]]
MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace'
SIZE, ADVANCE, LINE = 11.5, 6.95, 21  # of the type, of one letter, of one line, in pixels
LOUD, LOWEST = 0.6, 64  # strength from which words turn light; pixels that the colour bar needs
PAD, GAP, LEFT = 3, 2, 10  # within a token, between tokens, at the left of the page


def token_attention(body: Json, place: State, palette: Palette) -> Rows:
    """The prompt as lines of tokens on their colours; the first token takes what attends nowhere: white."""
    weighting = place.weighting
    values = token_values(body, weighting)
    signed = weighting == "signed"
    largest = max((abs(value) for value in values[1:]), default=0.0) if signed else 1.0
    placed = _placed([token(one["text"]) for one in body["coordinates"]["pos"]], _breaks(body))
    colours = [
        blend(palette, 0.0 if at == 0 else strength(value, largest)) for at, value in enumerate(values)
    ]
    height = LINE * (1 + placed[-1][1]) if placed else LINE
    return [[_strip(placed, colours, values, (height, largest, "logit" if signed else "fraction"), palette)]]


def _breaks(body: Json) -> list[bool]:
    return ["\n" in one["text"] for one in body["coordinates"]["pos"]]


def _placed(texts: Sequence[str], breaks: Sequence[bool]) -> list[tuple[float, int, str]]:
    """Left edge, line and text of every token; lines end where the prompt's do, or where the page does."""
    left, line, found = 0.0, 0, []
    room = WIDTH - LEFT - BAR_WIDE - 10
    for text, ends in zip(texts, breaks, strict=True):
        wide = _wide(text)
        if left and left + wide > room:
            left, line = 0.0, line + 1
        found.append((left, line, text))
        left, line = (0.0, line + 1) if ends else (left + wide + GAP, line)
    return found


def _wide(text: str) -> float:
    return ADVANCE * len(text) + 2 * PAD


def _strip(
    placed: Sequence[tuple[float, int, str]],
    colours: Sequence[str],
    values: Sequence[float],
    scale_of: tuple[int, float, str],
    palette: Palette,
) -> Panel:
    height, largest, unit = scale_of
    grounds = [_ground(*one, colour) for one, colour in zip(placed, colours, strict=True)]
    loud = [at > 0 and abs(strength(value, largest)) > LOUD for at, value in enumerate(values)]
    inks = [palette.panel if one else palette.ink for one in loud]
    shown, hidden = max(height, LOWEST), {"visible": False, "type": "linear"}
    x, y = {**hidden, "range": [0, WIDTH - LEFT - BAR_WIDE]}, {**hidden, "range": [shown, 0]}
    data = [_words(placed, inks), colour_bar(largest, unit, palette)]
    return Panel(data, x, y, height=shown, left=LEFT, right=BAR_WIDE, bottom=8, shapes=grounds)


def _ground(left: float, line: int, text: str, colour: str) -> dict[str, Any]:
    """What lies behind a token."""
    across, up = {"x0": left, "x1": left + _wide(text)}, {"y0": LINE * line + 1, "y1": LINE * line + LINE - 3}
    return {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": colour, **across, **up}


def _words(placed: Sequence[tuple[float, int, str]], inks: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "x": [left + PAD for left, _, _ in placed],
        "y": [LINE * line + LINE / 2 - 1 for _, line, _ in placed],
        "text": [label(text) for *_, text in placed],
        "textposition": "middle right",
        "textfont": {"family": MONO, "size": SIZE, "color": inks},
        "showlegend": False,
    }


def pattern(body: Json, _place: State, palette: Palette) -> Rows:
    """Attention of every query token to every key token; what is not listed is blank."""
    names = [token(one["text"] if isinstance(one, Mapping) else str(one)) for one in _tokens(body)]
    details = body["details"]
    listed = zip(details["key"], details["query"], details["value"], strict=True)
    cells = [box(key, query, blend(palette, strength(value, 1.0))) for key, query, value in listed]
    axis = named_places([label(name) for name in names]) | {"tickfont": {"size": 7, "family": MONO}}
    x = {**axis, "range": [-0.5, len(names) - 0.5], "tickangle": -90, "title": {"text": "key token"}}
    y = {**axis, "range": [len(names) - 0.5, -0.5], "title": {"text": "query token"}}
    return [
        [
            Panel(
                [colour_bar(1.0, "fraction", palette)],
                x,
                y,
                height=520,
                left=96,
                right=BAR_WIDE,
                bottom=92,
                shapes=cells,
            )
        ]
    ]


def _tokens(body: Json) -> list[Any]:
    coordinates = body["coordinates"]
    return coordinates.get("pos") or coordinates.get("query_pos") or next(iter(coordinates.values()))
