"""The page of one stored figure: read-only, from the store, whether or not its model is loaded."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from frontend import ids
from frontend.addresses import drawn_by, name_of, shown_as, state_of
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.kinds import kind_of
from frontend.figures.notes import notes_list
from frontend.figures.notices import broken, warnings
from frontend.figures.share import copy
from frontend.figures.texts import caption, methods, python_of, title, where_from
from frontend.panels import recompute
from frontend.panels.links import place_of
from frontend.state import State as Place
from frontend.state import href
from frontend.theme import PALETTES
from frontend.words import count

Json = dict[str, Any]
UNKNOWN = (
    "Nobody has asked for a figure with this key on this server. A link from another server works here once "
    "the same measurement was made here."
)
GONE = "This figure was measured on {date}, but its numbers are no longer stored. Recompute brings them back."


def layout() -> html.Div:
    """Title, where it is from, the figure, its words, its origin."""
    top = html.Div(
        [html.H1(id=ids.FIGURE_TITLE), html.Div(id=ids.FIGURE_TOOLS), recompute.button()],
        className="title-row figure-head",
    )
    card = html.Section(
        [
            html.Div(id=ids.FIGURE_BODY, className="section-body"),
            html.P(id=ids.FIGURE_CAPTION, className="caption"),
        ],
        id=ids.FIGURE_CARD,
        className="panel section",
        **attrs(aria_label="Figure"),
    )
    words = html.Div(id=ids.FIGURE_WORDS, className="figure-words")
    return html.Div(
        [
            top,
            html.P(id=ids.FIGURE_FROM, className="lead"),
            *recompute.layout(),
            html.Div(id=ids.FIGURE_NOTICE),
            card,
            words,
            html.Footer(id=ids.FIGURE_AUDIT, className="audit"),
            dcc.Store(id=ids.FIGURE_ARRIVED),
        ],
        id=ids.FIGURE_PAGE,
        className="figure-page",
        hidden=True,
    )


OUTPUTS = {
    "title": Output(ids.FIGURE_TITLE, "children"),
    "where": Output(ids.FIGURE_FROM, "children"),
    "tools": Output(ids.FIGURE_TOOLS, "children"),
    "notice": Output(ids.FIGURE_NOTICE, "children"),
    "body": Output(ids.FIGURE_BODY, "children"),
    "caption": Output(ids.FIGURE_CAPTION, "children"),
    "words": Output(ids.FIGURE_WORDS, "children"),
    "audit": Output(ids.FIGURE_AUDIT, "children"),
    "card_hidden": Output(ids.FIGURE_CARD, "hidden"),
    "again_hidden": Output(ids.FIGURE_AGAIN, "hidden"),
}


def register(app: Dash, client: BackendClient) -> None:
    """Draw the figure when the address, the theme or what is stored changes."""
    recompute.register(app, client)

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_FIGURE, "data"),
            "theme": State(ids.THEME, "data"),
            "arrived": Input(ids.FIGURE_ARRIVED, "data"),
        },
        state={"again": State(ids.FIGURE_AGAIN, "hidden")},
    )
    async def show(want: Json | None, theme: str | None, arrived: str | None, again: bool) -> Json:
        del arrived, again
        if want is None:
            return dict.fromkeys(OUTPUTS, no_update)
        return await shown(client, want["key"], place_of(want["address"]), theme or "light")


async def shown(client: BackendClient, key: str, place: Place, theme: str) -> Json:
    """Everything on the page: the figure, or what is known of one whose numbers are gone."""
    try:
        body = (await client.stored(key)).body
    except BackendError as error:
        return nothing(error) if error.code != "unknown_key" else await known(client, key)
    told = drawn(body, drawn_by(body["spec"], place), place.theme or theme)
    return {**told, "body": [*told["body"], *notes_list(place.notes)]}


def drawn(body: Json, place: Place, theme: str) -> Json:
    """A complete result with its words."""
    spec = body["spec"]
    kind = kind_of(name_of(spec))
    said = caption(body, place)
    return {
        **heading(spec, body["provenance"]["prompts"], body["n"]),
        "notice": [*warnings(body["warnings"]), *recompute.of_another(body)],
        "body": [*kind.draw(body, place, PALETTES[theme]), *empty_values(body)],
        "caption": said,
        "words": words(body, said),
        "audit": [audit(body, place), back(body, place)],
        "card_hidden": False,
        "again_hidden": False,
    }


def back(body: Json, place: Place) -> html.A:
    """From a figure inside another page to the figure here; nothing to see elsewhere."""
    here = replace(shown_as(body["spec"], place), figure=body["key"])
    return html.A("Open in headscope", href=href(here), className="embedded-only")


def empty_values(body: Json) -> list[html.P]:
    """How many values of the result were not computed, by reason: the cells that they leave are empty."""
    found = Counter(one["reason"] for one in body["failures"])
    said = [f"{count(n, 'value was', 'values were')} not computed: {why}." for why, n in found.items()]
    return [html.P(sentence, className="note") for sentence in said]


def heading(spec: Mapping[str, Any], prompts: str, n: int) -> Json:
    """What the figure is, for which model and prompts, and the way to its place in the dashboard."""
    place = state_of(spec)
    name = title(spec, kind_of(name_of(spec)).title)
    to = html.A("Open in the dashboard", href=href(place), className="button", id="open-in-dashboard")
    return {"title": name, "where": where_from(spec, prompts, n), "tools": to}


def words(body: Json, said: str) -> list[Any]:
    """Caption, methods and code to copy; methods and code to read."""
    method, code = methods(body), python_of(body)
    presses = {"Copy caption": said, "Copy methods": method, "Copy as Python": code}
    return [
        html.Div([copy(name, text) for name, text in presses.items()], className="copies"),
        html.Details([html.Summary("Methods"), html.P(method)], className="more"),
        html.Details([html.Summary("Python"), html.Pre(code)], className="more"),
    ]


def nothing(error: BackendError) -> Json:
    """While the server cannot say: what is shown stays."""
    return {**dict.fromkeys(OUTPUTS, no_update), "notice": [broken(error)]}


async def known(client: BackendClient, key: str) -> Json:
    """A figure without numbers: what was asked, if anybody did."""
    empty = {"body": [], "caption": "", "words": [], "audit": "", "card_hidden": True}
    try:
        record = await client.record(key)
    except BackendError as error:
        if error.status != 404:
            return nothing(error)
        said = {"title": "No such figure", "where": UNKNOWN, "tools": [], "notice": []}
        return {**empty, **said, "again_hidden": True}
    gone = html.Div(GONE.format(date=record["date"][:10]), className="notice warning", role="note")
    top = heading(record["spec"], record["prompts"], record["n"])
    return {**empty, **top, "notice": [gone], "again_hidden": False}
