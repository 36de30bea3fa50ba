"""The history strip: where the reader has been, a step back, and what differs between two of those places."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.places import differences
from frontend.state import State, parse
from frontend.still import HTML

Json = dict[str, Any]


def layout() -> html.Nav:
    """One line; the page's script fills it with the places of this tab."""
    return html.Nav(
        [
            html.Button("Undo", id=ids.UNDO, className="quiet", type="button", disabled=True),
            html.Ol(id=ids.HISTORY_PLACES),
            html.Button(
                "What differs",
                id=ids.WHAT_DIFFERS,
                className="quiet",
                type="button",
                disabled=True,
                title="Tick two places to read in what they differ",
                **attrs(aria_pressed="false"),
            ),
            dcc.Store(id=ids.HISTORY_TWO),
        ],
        id=ids.HISTORY,
        className="history",
        **attrs(aria_label="Where you have been"),
    )


def words_layout() -> html.Div:
    """Below the bar, while two places are compared."""
    return html.Div(id=ids.DIFFERENCES, className="differences", role="status", **attrs(aria_live="polite"))


def register(app: Dash, client: BackendClient) -> None:
    """Note every place; say what differs between the two that are ticked."""
    app.clientside_callback(
        ClientsideFunction("headscope", "visited"),
        Output(ids.HISTORY, "data-here"),
        Input(ids.WANT_HISTORY, "data"),
    )

    @app.callback(Output(ids.DIFFERENCES, HTML), Input(ids.HISTORY_TWO, "data"), prevent_initial_call=True)
    async def two(addresses: list[str] | None) -> Any:
        if addresses is None:
            return []
        if len(addresses) < 2:
            return html.P("Tick two places to read in what they differ.", className="note")
        default = await default_model(client)
        left, right = (place_at(address) for address in addresses[:2])
        return differences_table(*(replace(one, model=one.model or default) for one in (left, right)))


async def default_model(client: BackendClient) -> str | None:
    """The model of an address that names none, as far as the server can be asked."""
    try:
        return next((model["id"] for model in await client.models() if model["default"]), None)
    except BackendError:
        return None


def place_at(address: str) -> State:
    """The state of an address; what cannot be used in it is left at its default."""
    parts = urlsplit(address)
    return parse(parts.path, parts.query)[0]


def differences_table(left: State, right: State) -> Any:
    """A row for every field that differs."""
    found = differences(left, right)
    if not found:
        return html.P("These two are the same place.", className="note")
    head = html.Tr([html.Td(), html.Th("first"), html.Th("second")])
    rows = [
        html.Tr([html.Th(name, scope="row"), html.Td(before), html.Td(after)])
        for name, before, after in found
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="table")
