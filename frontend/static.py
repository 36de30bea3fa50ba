"""Pages that stand by themselves: one HTML file with a figure, which opens from a disk and asks nobody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from dash import html

from frontend.addresses import name_of, state_of
from frontend.figures.audit import audit
from frontend.figures.kinds import kind_of
from frontend.figures.texts import caption, methods, title
from frontend.markup import data_block
from frontend.offline import html_of
from frontend.state import State
from frontend.theme import DARK, LIGHT, css

Json = Mapping[str, Any]
ASSETS = Path(__file__).parent / "assets"
SMALL_PLOTLY = ASSETS / "vendor" / "plotly-cartesian.min.js"
WHOLE_PLOTLY = files("plotly").joinpath("package_data", "plotly.min.js")
CANVASES = ("data-pattern=", "data-thumbnails=")  # drawn by the page's own scripts
THREE_D = '"type":"scatter3d"'
INLINE = "'unsafe-inline'"
POLICY = f"default-src 'none'; script-src {INLINE} 'self' file:; style-src {INLINE}; img-src data: blob:"


def standalone(body: Json, place: State | None = None) -> str:
    """One HTML file: the figure as the dashboard draws it, its caption, how it was made, where it is from."""
    place = place or state_of(body["spec"])
    kind = kind_of(name_of(body["spec"]))
    said = title(body["spec"], kind.title)
    parts = [
        html.P(caption(body, place), className="lead"),
        html.Section(kind.draw(body, place, LIGHT), className="panel section"),
        html.P(methods(body), className="note"),
        html.Footer(audit(body), className="audit"),
    ]
    content = heading(said) + html_of(parts)
    return document(said, content, [plotly_for(content)])


def heading(text: str) -> str:
    """The title of a page and the switch between light and dark."""
    switch = '<button type="button" class="button" data-switch>Dark</button>'
    return f"<header>{html_of(html.H1(text))}{switch}</header>"


def document(
    name: str,
    content: str,
    libraries: Sequence[str],
    *,
    linked: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """The whole page. Libraries and scripts are written into it, files beside it are `linked`."""
    beside = "".join(f'<script src="{escape(file)}"></script>' for file in linked)
    drawing = [
        asset(name) for name in ("cells.js", "patterns.js") if any(mark in content for mark in CANVASES)
    ]
    ours = [asset("static.js"), *drawing]
    inside = "".join(f"<script>{script}</script>" for script in (*libraries, *ours, *scripts) if script)
    return (
        '<!DOCTYPE html>\n<html lang="en" data-scheme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(name)} · headscope</title>"
        f"<style>{css()}\n{styles()}</style><script>{asset('theme.js')}</script></head>"
        f'<body><main class="page alone">{content}</main>'
        f'<script type="application/json" id="recoloured">{data_block(recoloured())}</script>'
        f"{beside}{inside}</body></html>\n"
    )


def plotly_for(content: str) -> str:
    """The plotting library that a page needs: none without a graph, the small one without a scene."""
    if 'class="plot"' not in content:
        return ""
    return (
        whole_plotly()
        if THREE_D in content or not SMALL_PLOTLY.exists()
        else asset("vendor/plotly-cartesian.min.js")
    )


@cache
def whole_plotly() -> str:
    """The library with everything in it, from the installed plotly."""
    return WHOLE_PLOTLY.read_text(encoding="utf-8")


@cache
def asset(name: str) -> str:
    """A file of the page as text."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def styles() -> str:
    """All style sheets of the page, the general one first."""
    names = sorted(
        (path.name for path in ASSETS.glob("*.css")), key=lambda name: (name != "headscope.css", name)
    )
    return "\n".join(asset(name) for name in names)


@cache
def recoloured() -> dict[str, str]:
    """Every light colour and its dark form, as figures write them: `#b4531f` and `180,83,31`."""
    found: dict[str, str] = {}
    for light, dark in zip(_colours(LIGHT), _colours(DARK), strict=True):
        found.setdefault(_triple(light), _triple(dark))
        if light.startswith("#"):
            found.setdefault(light, dark if dark.startswith("#") else f"rgb({_triple(dark)})")
    return found


def _colours(palette: Any) -> list[str]:
    values = [getattr(palette, field.name) for field in fields(palette)]
    return [colour for value in values for colour in ([value] if isinstance(value, str) else value)]


def _triple(colour: str) -> str:
    if not colour.startswith("#"):
        return re.sub(r"[^0-9,]", "", colour)
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
