"""A mutation of the reader's own: labels, marks around them, what stands before and after."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.forms import fields, text, written
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
NOT_ONE = (
    "This cannot be a mutation: it takes 2 to 10 labels of at most 20 characters, marks of at most 20, an "
    "end of at most 200, a beginning of at most 2,000."
)


def layout() -> html.Section:
    """A field for each part; an empty one leaves it as it is."""
    form = html.Form(
        id=ids.OWN_FORM,
        className="own-form",
        **fields(*parts_told({})),
        **attrs(data_typed=ids.OWN_TYPED),
    )
    buttons = [
        html.Button("Use this mutation", id={"own-use": "use"}, className="button primary", type="button"),
        html.Button("Without it", id={"own-use": "none"}, className="button", type="button"),
    ]
    note = "A part that is left empty stays as it is; \\n is a line’s end. All questions of the draw change."
    return html.Section(
        [
            html.H2("A mutation of your own"),
            html.P(note, className="note"),
            form,
            html.Div(id=ids.OWN_SAID),
            html.Div(buttons, className="form-steps"),
            dcc.Store(id=ids.OWN_TYPED),
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
        State(ids.OWN_TYPED, "data"),
        prevent_initial_call=True,
    )
    async def used(clicks: list[int | None], values: dict[str, str] | None) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update
        try:
            own = of_form(values or {}) if ctx.triggered_id["own-use"] == "use" else ""
        except ValueError:
            return no_update
        return {"own": own, "at": str(sum(filter(None, clicks)))}


def _register_form(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.OWN_FORM, "data-fields"),
        Output(ids.OWN_TYPED, "data"),
        Output(ids.OWN_FILLED, "data"),
        Input(ids.WANT_PROMPTS, "data"),
        State(ids.OWN_FILLED, "data"),
    )
    async def fill(want: Json | None, filled: str) -> Any:
        own = place_of(want["address"]).own if want else filled
        if own == filled:  # what somebody has typed and not used yet stays
            return (no_update,) * 3
        return written(*parts_told(form_of(own))), form_of(own), own

    @app.callback(
        Output(ids.OWN_SAID, "children"),
        Input(ids.OWN_TYPED, "data"),
        State(ids.WANT_PROMPTS, "data"),
        prevent_initial_call=True,
    )
    async def typed(values: dict[str, str], want: Json | None) -> Any:
        try:
            own = of_form(values)
        except ValueError:
            return [html.P(NOT_ONE, className="remark stops")]
        return await tried(client, want, own) if own and want else []


async def tried(client: BackendClient, want: Json, own: str) -> list[Any]:
    """The pair looked at with this mutation, as the model reads it."""
    place = place_of(want["address"])
    try:
        drawn = await client.draw(specs.draw(replace(place, own=own), place.index, 1))
    except BackendError as error:
        return [broken(error)]
    return checked(drawn["pairs"][0]["check"])


def parts_told(filled: Mapping[str, str]) -> list[Json]:
    """A field for each part."""
    return [
        text(name, label, filled.get(name, ""), placeholder=USUAL.get(name, ""))
        for name, label in PART_NAME.items()
    ]


def form_of(own: str) -> dict[str, str]:
    """A mutation as the form shows it."""
    parts = parts_of(own)
    return {
        name: " ".join(value) if name == "labels" else value.replace("\n", "\\n")
        for name, value in parts.items()
    }


def of_form(values: Mapping[str, str]) -> str:
    """The mutation that a form says, as the address writes it; `ValueError` for what is none."""
    parts: Json = {name: values[name].replace("\\n", "\n") for name in PART_NAME if values.get(name)}
    if "labels" in parts:
        parts["labels"] = parts["labels"].split()
    return FIELDS["own"].read(json.dumps(parts))
