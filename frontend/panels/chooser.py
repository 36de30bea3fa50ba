"""Choosing model and prompts: a small form behind the chips of the bar; nothing runs before it is sent."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.controls import go
from frontend.figures.notices import broken
from frontend.figures.runs import SET, Run, runs_of
from frontend.options import FORMATS, LABELS, MUTATIONS, SAMPLERS, SPLITS
from frontend.panels.links import place_of
from frontend.state import DEFAULT
from frontend.vocabulary import MUTATION_NAME
from frontend.words import count, visible

Json = dict[str, Any]
SAMPLER_NAME = {
    "swap_options": "swap the correct option",
    "diff_letter": "another question, another letter",
    "same_letter": "another question, same letter",
}
WIDTH: Any = {"withinPortal": False}


def layout() -> html.Div:
    """The form for the prompts."""
    choose = ids.CHOOSE
    look = go("See, edit or upload", page="prompts", className="quiet", label="See, edit or upload prompts")
    return html.Div(
        [
            html.Div([html.H2("Prompts"), look], className="card-head"),
            _select("set", "Set", [DEFAULT.set]),
            html.Div(
                [_number("n", "Pairs", 1, 1000), _number("seed", "Seed", 0, 2**31 - 1)], className="pair-row"
            ),
            _select(
                "sampler",
                "Corrupt prompt",
                [{"value": name, "label": SAMPLER_NAME[name]} for name in SAMPLERS],
            ),
            html.Div(
                [_select("split", "Split", _words(SPLITS)), _number("options", "Options", 2, 10)],
                className="pair-row",
            ),
            html.Div(
                [_select("labels", "Labels", _words(LABELS)), _select("format", "Format", list(FORMATS))],
                className="pair-row",
            ),
            html.Div(
                [
                    _number("shots", "Shots", 0, 5),
                    dmc.Switch(id=choose["prelude"], label="Prelude", checked=False, size="sm"),
                ],
                className="pair-row",
            ),
            _select(
                "mutation",
                "Mutation",
                [{"value": name, "label": MUTATION_NAME[name]} for name in MUTATIONS],
            ),
            html.Button("Use these prompts", id=ids.CHOOSER_APPLY, className="button primary", type="button"),
        ],
        id=ids.CHOOSER,
        className="chooser",
    )


def model_layout() -> html.Div:
    """Other models of the server."""
    return html.Div(id=ids.CHOOSER_MODEL, className="model-list")


def register(app: Dash, client: BackendClient) -> None:
    """Fill the form from the address; send it."""
    value = {name: "checked" if name == "prelude" else "value" for name in ids.CHOOSE}

    @app.callback(
        output={
            "fields": {name: Output(ids.CHOOSE[name], value[name]) for name in ids.CHOOSE},
            "sets": Output(ids.CHOOSE["set"], "data"),
            "models": Output(ids.CHOOSER_MODEL, "children"),
        },
        inputs={"want": Input(ids.WANT_MODEL, "data")},
    )
    async def fill(want: Json | None) -> Json:
        fields = dict.fromkeys(ids.CHOOSE, no_update)
        if want is None:
            return {"fields": fields, "sets": no_update, "models": no_update}
        place = place_of(want["address"])
        fields = {name: getattr(place, name) for name in ids.CHOOSE}
        try:
            sets, models = await client.prompt_sets(), await client.models()
        except BackendError as error:
            return {"fields": fields, "sets": [place.set], "models": broken(error)}
        return {
            "fields": fields,
            "sets": set_options(sets, place.set),
            "models": model_list(models, want["model"]),
        }

    @app.callback(
        Output(ids.GO, "data", allow_duplicate=True),
        Output(ids.popover(ids.PROMPTS_CHIP), "opened"),
        Input(ids.CHOOSER_APPLY, "n_clicks"),
        {name: State(ids.CHOOSE[name], value[name]) for name in ids.CHOOSE},
        prevent_initial_call=True,
    )
    async def apply(clicks: int, fields: Json) -> tuple[Json, bool]:
        return {**sent(fields), "at": clicks}, False


def sent(fields: Mapping[str, Any]) -> dict[str, str]:
    """The form as a change of the address; an emptied field goes back to its default."""
    filled = {
        name: getattr(DEFAULT, name) if value in (None, "") else value for name, value in fields.items()
    }
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in filled.items()
    }


def set_options(sets: list[Json], chosen: str) -> list[Json]:
    """Prompt sets to choose from, with how many questions each has."""
    known = [
        {"value": entry["id"], "label": f"{visible(entry['title'])} ({entry['n_questions']} questions)"}
        for entry in sets
    ]
    return (
        known
        if any(entry["value"] == chosen for entry in known)
        else [*known, {"value": chosen, "label": chosen}]
    )


def model_list(models: list[Json], chosen: str) -> list[Any]:
    """The other models of the server; a press opens the map of one. Checkpoints are folded away by run."""
    others = [model for model in models if model["id"] != chosen and not model.get("checkpoint")]
    runs = [checkpoints(run, chosen) for run in runs_of(models)]
    if not others and not runs:
        return []
    buttons = [
        go(visible(model["title"] or model["id"]), model=model["id"], node="", page="map") for model in others
    ]
    named = [html.H2("Checkpoints of training runs"), *runs] if runs else []
    return [*([html.H2("Other models"), *buttons] if buttons else []), *named]


def checkpoints(run: Run, chosen: str) -> html.Details:
    """The checkpoints of one training run, by their steps."""
    buttons = [
        go(
            f"{one.step:,}",
            model=one.model,
            set=SET,
            node="",
            page="map",
            disabled=one.model == chosen,
            label=f"{run.title}, step {one.step:,}",
        )
        for one in run.checkpoints
    ]
    line = html.Summary(f"{visible(run.title)}: {count(len(buttons), 'step')}")
    return html.Details([line, html.Div(buttons, className="checkpoints")], className="more")


def _words(names: tuple[str, ...]) -> list[Json]:
    return [{"value": name, "label": name.replace("_", " ")} for name in names]


def _select(name: str, text: str, data: list[Any]) -> dmc.Select:
    return dmc.Select(
        id=ids.CHOOSE[name],
        label=text,
        data=data,
        value=getattr(DEFAULT, name),
        size="sm",
        allowDeselect=False,
        comboboxProps=WIDTH,
    )


def _number(name: str, text: str, low: int, high: int) -> dmc.NumberInput:
    return dmc.NumberInput(
        id=ids.CHOOSE[name],
        label=text,
        value=getattr(DEFAULT, name),
        min=low,
        max=high,
        allowDecimal=False,
        size="sm",
        hideControls=True,
    )
