"""The tray of pinned nodes in the bar, and the tools of the node that is looked at."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.pins import node_tools, tray
from frontend.panels.follow import body_now
from frontend.panels.links import place_of
from frontend.still import HTML

Json = dict[str, Any]


def layout() -> html.Div:
    """The pins, and a word where there is no room for another."""
    said = html.Span(id=ids.PINS_SAID, className="note", role="status", **attrs(aria_live="polite"))
    return html.Div(
        [said, html.Div(id=ids.PINS, className="pins", role="group", **attrs(aria_label="Pinned nodes"))],
        className="pins",
    )


def tools(page: str) -> html.Div:
    """Where the tools of a page's node stand."""
    return html.Div(id=ids.NODE_TOOLS[page], className="node-tools")


def register(app: Dash, client: BackendClient) -> None:
    """Show what is pinned, with effects as far as the map or the head's page has measured them."""

    app.clientside_callback(
        ClientsideFunction("headscope", "marked"),
        Output(ids.PINS, "data-marked"),
        Input(ids.WANT_MARKS, "data"),
    )

    @app.callback(
        Output(ids.PINS, HTML),
        Input(ids.WANT_MARKS, "data"),
        Input(ids.memory(ids.MAP), "data"),
        Input(ids.memory(ids.HEAD_NUMBERS), "data"),
    )
    async def pins(marks: Json | None, on_map: Json | None, on_head: Json | None) -> Any:
        if marks is None:
            return no_update
        known = [memory for memory in (on_map, on_head) if memory and memory["spec"] == marks["spec"]]
        body = await body_now(client, known[0]) if known and marks["pins"] else None
        return tray(marks["pins"], place_of(marks["address"]), body)

    @app.callback(
        *(Output(ids.NODE_TOOLS[page], HTML) for page in ids.NODE_TOOLS),
        Input(ids.WANT_MARKS, "data"),
    )
    async def node(marks: Json | None) -> list[Any]:
        if marks is None:
            return [no_update] * len(ids.NODE_TOOLS)
        return [node_tools(marks["node"], marks, paths=page == "map") for page in ids.NODE_TOOLS]
