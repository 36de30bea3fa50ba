"""A note on the node that is looked at, in the evidence card and on the node's page."""

from typing import Any

from dash import Dash, Input, Output, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.notes import note_data

Json = dict[str, Any]


def layout(page: str) -> html.Div:
    """Filled by the page's script."""
    return html.Div(id=ids.NOTE[page], className="note-box", **attrs(data_note=""))


def register(app: Dash, _client: BackendClient) -> None:
    """Show the note of the node."""

    @app.callback(
        *(Output(ids.NOTE[page], "data-note") for page in ids.NOTE),
        *(Output(ids.NOTE[page], "hidden") for page in ids.NOTE),
        Input(ids.WANT_MARKS, "data"),
    )
    async def note(marks: Json | None) -> list[Any]:
        if marks is None:
            return [no_update] * (2 * len(ids.NOTE))
        told = note_data(marks["node"], marks["notes"])
        return [*[told] * len(ids.NOTE), *[not told] * len(ids.NOTE)]
