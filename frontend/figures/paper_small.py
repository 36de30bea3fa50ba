"""Printed figure of all heads' attention patterns as small pictures, a column for every layer."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from frontend.figures.paper_heat import bar_of
from frontend.figures.paper_page import BAR_WIDE, WIDTH, Panel
from frontend.state import State
from frontend.theme import Palette
from frontend.words import number

Json = Mapping[str, Any]
LEFT, CELL = 52, 44  # left of the pictures; the largest one, in pixels
TICKS = (1.0, 0.25, 0.05, 0.0)  # attention that the colour bar names


def thumbnails(body: Json, _place: State, palette: Palette) -> Sequence[Sequence[Panel]]:
    """Every head's pattern, queries downwards and keys to the right; colours go by the root of attention."""
    layers, heads = (len(body["coordinates"][axis]) for axis in ("layer", "head"))
    size = body["details"]["size"]
    cell = min(CELL, (WIDTH - LEFT - BAR_WIDE) // layers)
    trace = {
        "type": "heatmap",
        "z": _rows(b64decode(body["details"]["pixels"]), size, layers, heads),
        "zmin": 0,
        "zmax": 255,
        "colorscale": [[0.0, palette.zero], [1.0, palette.positive]],
        "showscale": True,
        "colorbar": bar_of("attention", [255 * sqrt(value) for value in TICKS], list(map(number, TICKS))),
    }
    step = size + 1
    x, y = (_axis(n, step, name) for n, name in ((layers, "layer"), (heads, "head")))
    y["range"] = [heads * step - 0.5, -1.5]
    wide = LEFT + cell * layers + BAR_WIDE
    return [[Panel([trace], x, y, height=cell * heads, left=LEFT, right=BAR_WIDE, width=wide)]]


def _rows(pixels: bytes, size: int, layers: int, heads: int) -> list[list[int | None]]:
    """All pictures as one, with a gap of one pixel between them."""
    rows: list[list[int | None]] = []
    for head in range(heads):
        for line in range(size):
            row: list[int | None] = []
            for layer in range(layers):
                start = ((layer * heads + head) * size + line) * size
                row += [*pixels[start : start + size], None]
            rows.append(row)
        rows.append([None] * len(rows[0]))
    return rows


def _axis(n: int, step: int, name: str) -> dict[str, Any]:
    """A number at the middle of every picture, or of some where there are many."""
    named = range(0, n, 1 + (n - 1) // 20)
    return {
        "tickmode": "array",
        "tickvals": [at * step + (step - 2) / 2 for at in named],
        "ticktext": [str(at) for at in named],
        "range": [-1.5, n * step - 0.5],
        "title": {"text": name},
        "ticks": "",
        "type": "linear",
    }
