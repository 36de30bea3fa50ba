"""On the page of all heads: two of their measures against each other, with a lasso."""

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.scatter import scatter_card, scatter_controls
from frontend.panels.follow import body_now
from frontend.panels.heads import qk_body
from frontend.panels.links import place_of
from frontend.still import HTML
from frontend.theme import PALETTES

Json = dict[str, Any]


def layout() -> html.Section:
    """Title, choices, an empty figure."""
    head = html.Div(
        [html.H2("Two measures of every head"), html.Div(id=ids.SCATTER_CHOICE, className="choices")],
        className="section-head",
    )
    return html.Section(
        [head, html.Div(id=ids.SCATTER, className="section-body")],
        id=ids.SCATTER_CARD,
        className="panel section",
        hidden=True,
        **attrs(aria_label="Two measures of every head"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Draw from what the table of heads is drawn from."""

    @app.callback(
        Output(ids.SCATTER, "children"),
        Output(ids.SCATTER_CHOICE, HTML),
        Output(ids.SCATTER_CARD, "hidden"),
        Input(ids.WANT_SCATTER, "data"),
        Input(ids.memory(ids.HEADS_TABLE), "data"),
        Input(ids.QK_MEASURED, "data"),
        State(ids.THEME, "data"),
    )
    async def scatter(want: Json | None, memory: Json | None, qk: Json | None, theme: str | None) -> Any:
        if want is None or not memory or memory["spec"] != want["spec"]:
            return no_update, no_update, no_update
        body, place = await body_now(client, memory), place_of(want["address"])
        if body is None:
            return no_update, no_update, True
        scores = await qk_body(client, want, qk)
        card = scatter_card(body, scores, place, PALETTES[theme or "light"])
        return card, scatter_controls(place, with_qk=scores is not None), False
