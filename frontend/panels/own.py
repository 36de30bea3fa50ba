"""A mutation of the reader's own: labels, marks around them, what stands before and after."""

import json
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.editor import PAUSE_MS
from frontend.figures.notices import broken
from frontend.figures.workshop import checked
from frontend.own import FIELDS, parts_of
from frontend.panels.links import place_of

Json = dict[str, Any]
PART_NAME = {
    "labels": "Labels, with spaces between them",
    "opening": "Before a label",
    "closing": "After a label",
    "separator": "After an option",
    "suffix": "The prompt’s end",
    "lead": "Before the question",
    "prelude": "Before everything else",
}
USUAL = {"labels": "A B C D", "opening": "(", "closing": ") ", "separator": "\\n", "suffix": "Answer: ("}
FORM = {"own": ALL}
NOT_ONE = (
    "This cannot be a mutation: it takes 2 to 10 labels of at most 20 characters, marks of at most 20, an "
    "end of at most 200, a beginning of at most 2,000."
)


def layout() -> html.Section:
    """A field for each part; an empty one leaves it as it is."""
    fields = [
        dmc.TextInput(
            id={"own": name},
            label=text,
            value="",
            placeholder=USUAL.get(name, ""),
            debounce=PAUSE_MS,
            size="sm",
        )
        for name, text in PART_NAME.items()
    ]
    buttons = [
        html.Button("Use this mutation", id={"own-use": "use"}, className="button primary", type="button"),
        html.Button("Without it", id={"own-use": "none"}, className="button", type="button"),
    ]
    note = "A part that is left empty stays as it is; \\n is a line’s end. All questions of the draw change."
    return html.Section(
        [
            html.H2("A mutation of your own"),
            html.P(note, className="note"),
            html.Div(fields, className="own-form", id=ids.OWN_FORM),
            html.Div(id=ids.OWN_SAID),
            html.Div(buttons, className="form-steps"),
            dcc.Store(id=ids.OWN_NOW),
            dcc.Store(id=ids.OWN_FILLED, data=""),
        ],
        className="panel",
        **attrs(aria_label="A mutation of your own"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill the form from the address, show the pair so changed, put it into the address."""
    _register_form(app, client)

    @app.callback(
        Output(ids.GO, "data", allow_duplicate=True),
        Input({"own-use": ALL}, "n_clicks"),
        State(ids.OWN_NOW, "data"),
        prevent_initial_call=True,
    )
    async def used(clicks: list[int | None], own: str | None) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update
        chosen = own if ctx.triggered_id["own-use"] == "use" else ""
        return no_update if chosen is None else {"own": chosen, "at": str(sum(filter(None, clicks)))}


def _register_form(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(FORM, "value"),
        Output(ids.OWN_FILLED, "data"),
        Input(ids.WANT_PROMPTS, "data"),
        State(ids.OWN_FILLED, "data"),
        State(FORM, "id"),
    )
    async def fill(want: Json | None, filled: str, names: list[Json]) -> Any:
        own = place_of(want["address"]).own if want else filled
        if own == filled:  # what somebody has typed and not used yet stays
            return [no_update] * len(names), no_update
        written = form_of(own)
        return [written.get(name["own"], "") for name in names], own

    @app.callback(
        Output(ids.OWN_SAID, "children"),
        Output(ids.OWN_NOW, "data"),
        Input(FORM, "value"),
        State(FORM, "id"),
        State(ids.WANT_PROMPTS, "data"),
        prevent_initial_call=True,
    )
    async def typed(values: list[str | None], names: list[Json], want: Json | None) -> Any:
        written = {name["own"]: value or "" for name, value in zip(names, values, strict=True)}
        try:
            own = of_form(written)
        except ValueError:
            return [html.P(NOT_ONE, className="remark stops")], None
        return await tried(client, want, own) if own and want else [], own


async def tried(client: BackendClient, want: Json, own: str) -> list[Any]:
    """The pair looked at with this mutation, as the model reads it."""
    place = place_of(want["address"])
    try:
        drawn = await client.draw(specs.draw(replace(place, own=own), place.index, 1))
    except BackendError as error:
        return [broken(error)]
    return checked(drawn["pairs"][0]["check"])


def form_of(own: str) -> dict[str, str]:
    """A mutation as the form shows it."""
    parts = parts_of(own)
    return {
        name: " ".join(value) if name == "labels" else value.replace("\n", "\\n")
        for name, value in parts.items()
    }


def of_form(written: dict[str, str]) -> str:
    """The mutation that a form says, as the address writes it; `ValueError` for what is none."""
    parts: Json = {name: text.replace("\\n", "\n") for name, text in written.items() if text}
    if "labels" in parts:
        parts["labels"] = parts["labels"].split()
    return FIELDS["own"].read(json.dumps(parts))
