"""The row of choices above the map and on the page of a node; the map's is part of its layout."""

from typing import Any

from dash import Dash, Input, Output, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.choices import choices_row
from frontend.panels.links import place_of
from frontend.still import HTML

Json = dict[str, Any]


def register(app: Dash, _client: BackendClient) -> None:
    """Show what the address says; a change of a field goes into the address by the page's script."""

    @app.callback(
        {page: Output(element, HTML) for page, element in ids.CHOICES_ON.items()},
        Input(ids.WANT_CHOICES, "data"),
    )
    async def choices(want: Json | None) -> Json:
        shown = dict.fromkeys(ids.CHOICES_ON, no_update)
        if want is None:
            return shown
        place = place_of(want["address"])
        return {**shown, place.page: choices_row(place)}
