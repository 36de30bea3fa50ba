"""The page on prompts: the pairs of a draw as the model reads them, and ways to make other ones."""

from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, html, no_update

from frontend import ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.controls import go, link
from frontend.figures.notices import broken
from frontend.figures.workshop import checked, pair_list
from frontend.panels import editor, own, upload
from frontend.panels.header import mutated
from frontend.panels.links import place_of
from frontend.state import State
from frontend.still import HTML
from frontend.words import count, visible

Json = dict[str, Any]
LISTED = 12  # pairs at a time
KEPT = "It is kept in this server’s store: a link to it works for everybody of this server."


def layout() -> html.Div:
    """Title; the list beside the pair looked at; editing, uploading, a mutation of one's own."""
    listed = html.Section(
        html.Div(id=ids.DRAWN_LIST), className="panel side", **attrs(aria_label="Pairs of this draw")
    )
    shown = html.Section(
        [
            html.Div(id=ids.DRAWN_PAIR),
            html.Div(editor.openers(), className="form-steps"),
        ],
        className="panel",
        **attrs(aria_label="The pair looked at"),
    )
    right = html.Div([shown, editor.layout(), upload.layout(), own.layout()], className="stack")
    return html.Div(
        [
            html.H1("Prompts"),
            html.Div(id=ids.DRAWN_TITLE, className="lead"),
            html.Div([listed, right], className="workshop"),
        ],
        id=ids.PROMPTS_PAGE,
        hidden=True,
    )


def register(app: Dash, client: BackendClient) -> None:
    """Draw the pairs that the address names, and everything that the other cards do."""

    @app.callback(
        Output(ids.DRAWN_TITLE, HTML),
        Output(ids.DRAWN_LIST, HTML),
        Output(ids.DRAWN_PAIR, HTML),
        Input(ids.WANT_PROMPTS, "data"),
    )
    async def draw(want: Json | None) -> Any:
        if want is None:
            return no_update, no_update, no_update
        place = place_of(want["address"])
        try:
            drawn = await client.draw(specs.draw(place, place.index // LISTED * LISTED, LISTED))
            sets = await client.prompt_sets()
        except BackendError as error:
            return title(place, []), [], [broken(error)]
        return title(place, sets), listed(place, drawn), looked_at(place, drawn)

    app.clientside_callback(
        ClientsideFunction("workshop", "ready"),
        Output(ids.PROMPTS_PAGE, "data-ready"),
        Input(ids.WANT_PROMPTS, "data"),
    )
    for card in (editor, upload, own):
        card.register(app, client)


def title(place: State, sets: list[Json]) -> list[Any]:
    """Which set it is, whose it is, and the way to the map."""
    known = next((one for one in sets if one["id"] == place.set), None)
    name = visible(known["title"] if known else place.set)
    about = visible(known["description"]) if known else ""
    kept = "" if known is None or known["builtin"] else KEPT
    return [
        html.P([html.B(name), f", {count(place.n, 'pair')}{mutated(place)}. {about} {kept}"]),
        link("Show these prompts on the map", replace(place, page="map")),
    ]


def listed(place: State, drawn: Json) -> list[Any]:
    """The pairs around the one looked at, and the way to those before and after."""
    first, n = place.index // LISTED * LISTED, drawn["n"]
    last = min(n, first + LISTED)
    steps = [
        go("Earlier", index=max(0, first - LISTED), className="quiet", disabled=first == 0),
        go("Later", index=min(n - 1, last), className="quiet", disabled=last >= n),
    ]
    head = html.Div(
        [html.H2(f"{first + 1} to {last} of {count(n, 'pair')}"), html.Div(steps, className="steps")],
        className="card-head",
    )
    return [head, pair_list(drawn["pairs"], place.index)]


def looked_at(place: State, drawn: Json) -> list[Any]:
    """One pair, token by token."""
    found = next((one for one in drawn["pairs"] if one["index"] == place.index), None)
    if found is None:
        return [html.P("There is no such pair in this draw.", className="note")]
    return [html.H2(f"Pair {place.index + 1}"), *checked(found["check"])]
