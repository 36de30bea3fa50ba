"""The links between the pages: map, heads, training."""

from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.controls import link
from frontend.panels.links import place_of
from frontend.state import DEFAULT, State
from frontend.still import HTML, within

Json = dict[str, Any]
NAMES = {"map": "Map", "heads": "Heads", "prompts": "Prompts", "training": "Training", "compare": "Compare"}


def layout() -> html.Nav:
    """Three links in the bar."""
    return html.Nav(id=ids.PAGES, className="pages", **attrs(aria_label="Pages"), **within(links(DEFAULT)))


def links(place: State) -> list[Any]:
    """One link for each page; that of the page that is shown is marked. A head belongs to the map."""
    shown = "map" if place.page == "head" else place.page
    found = []
    for page, name in NAMES.items():
        anchor = link(name, replace(place, page=page), className="page-link", id=f"to-{page}")
        if page == shown:
            setattr(anchor, "aria-current", "page")
        found.append(anchor)
    return found


def register(app: Dash, _client: BackendClient) -> None:
    """Keep the model and the prompts in the links."""

    @app.callback(Output(ids.PAGES, HTML), Input(ids.WANT_PAGES, "data"))
    async def pages(want: Json | None) -> Any:
        if want is None:
            return no_update
        return links(replace(place_of(want["address"]), page=want["page"]))
