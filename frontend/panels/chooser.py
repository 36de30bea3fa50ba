"""Choosing model and prompts: a small form behind the chips of the bar; nothing runs before it is sent."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dash import Dash, Input, Output, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.controls import go
from frontend.figures.forms import choice, fields, number, tick, written
from frontend.figures.notices import broken
from frontend.figures.runs import SET, Run, runs_of
from frontend.options import FORMATS, LABELS, MUTATIONS, SAMPLERS, SPLITS
from frontend.panels.links import place_of
from frontend.state import DEFAULT
from frontend.state import State as Place
from frontend.vocabulary import MUTATION_NAME
from frontend.words import count, visible

Json = dict[str, Any]
SAMPLER_NAME = {
    "swap_options": "swap the correct option",
    "diff_letter": "another question, another letter",
    "same_letter": "another question, same letter",
}
USUAL_SETS = {DEFAULT.set: DEFAULT.set}


def layout() -> html.Form:
    """The form for the prompts; its script sends it as a change of the address."""
    look = go("See, edit or upload", page="prompts", className="quiet", label="See, edit or upload prompts")
    return html.Form(
        [
            html.Div([html.H2("Prompts"), look], className="card-head"),
            html.Div(id=ids.CHOOSER_FIELDS, className="fields", **fields(*chosen(DEFAULT, USUAL_SETS))),
            html.Button("Use these prompts", className="button primary", type="submit"),
        ],
        id=ids.CHOOSER,
        className="chooser",
        **attrs(data_submit=ids.GO),
    )


def chosen(place: Place, sets: Mapping[str, str]) -> list[Json]:
    """The fields of the form, as the address fills them."""
    return [
        choice("set", "Set", place.set, sets, wide=True),
        _number("n", "Pairs", place, (1, 1000)),
        _number("seed", "Seed", place, (0, 2**31 - 1)),
        choice("sampler", "Corrupt prompt", place.sampler, _words(SAMPLERS, SAMPLER_NAME), wide=True),
        choice("split", "Split", place.split, _words(SPLITS)),
        _number("options", "Options", place, (2, 10)),
        choice("labels", "Labels", place.labels, _words(LABELS)),
        choice("format", "Format", place.format, _words(FORMATS)),
        _number("shots", "Shots", place, (0, 5)),
        tick("prelude", "Prelude", place.prelude),
        choice("mutation", "Mutation", place.mutation, _words(MUTATIONS, MUTATION_NAME), wide=True),
    ]


def model_layout() -> html.Div:
    """Other models of the server."""
    return html.Div(id=ids.CHOOSER_MODEL, className="model-list")


def register(app: Dash, client: BackendClient) -> None:
    """Fill the form from the address."""

    @app.callback(
        Output(ids.CHOOSER_FIELDS, "data-fields"),
        Output(ids.CHOOSER_MODEL, "children"),
        Input(ids.WANT_MODEL, "data"),
    )
    async def fill(want: Json | None) -> tuple[Any, Any]:
        if want is None:
            return no_update, no_update
        place = place_of(want["address"])
        try:
            sets, models = await client.prompt_sets(), await client.models()
        except BackendError as error:
            return written(*chosen(place, {place.set: place.set})), broken(error)
        return written(*chosen(place, set_options(sets, place.set))), model_list(models, want["model"])


def set_options(sets: list[Json], chosen: str) -> dict[str, str]:
    """Prompt sets to choose from, with how many questions each has."""
    known = {entry["id"]: f"{visible(entry['title'])} ({entry['n_questions']} questions)" for entry in sets}
    return known if chosen in known else {**known, chosen: chosen}


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


def _words(names: tuple[str, ...], known: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    return {name: known.get(name, name.replace("_", " ")) for name in names}


def _number(name: str, label: str, place: Place, bounds: tuple[int, int]) -> Json:
    return number(name, label, getattr(place, name), bounds, getattr(DEFAULT, name))
