"""From the address of the page to what every panel wants; the only place that writes the address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.notices import broken
from frontend.heads import EMPTIED, ENTRIES, entered
from frontend.options import SECTIONS
from frontend.panels.wants import FOLLOWING, OWN, same, section_specs, shown_model, wants
from frontend.state import DEFAULT, FIELDS, changes, parse, with_page, write
from frontend.state import State as Place

RETRY_MS = 1000
Json = dict[str, Any]


def layout() -> list[Any]:
    """The parts of the page that are never seen."""
    return [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.GO),
        dcc.Interval(id=ids.RETRY_ROUTE, interval=RETRY_MS, disabled=True),
        *(dcc.Store(id=want) for want in ids.WANTS),
    ]


def register(app: Dash, client: BackendClient) -> None:
    """One callback: address or change in, address and wants out."""

    @app.callback(
        output={
            "path": Output(ids.URL, "pathname"),
            "search": Output(ids.URL, "search"),
            "map_hidden": Output(ids.MAP_PAGE, "hidden"),
            "head_hidden": Output(ids.HEAD_PAGE, "hidden"),
            "heads_hidden": Output(ids.HEADS_PAGE, "hidden"),
            "training_hidden": Output(ids.TRAINING_PAGE, "hidden"),
            "problems": Output(ids.PROBLEMS, "children"),
            "retry_off": Output(ids.RETRY_ROUTE, "disabled"),
            "wants": [Output(want, "data") for want in ids.WANTS],
        },
        inputs={
            "path": Input(ids.URL, "pathname"),
            "search": Input(ids.URL, "search"),
            "change": Input(ids.GO, "data"),
            "tick": Input(ids.RETRY_ROUTE, "n_intervals"),
        },
        state={"wanted": [State(want, "data") for want in ids.WANTS]},
    )
    async def route(
        path: str, search: str, change: Json | None, tick: int, wanted: list[Json | None]
    ) -> Json:
        del tick
        place, problems = parse(path or "/", search or "")
        if ctx.triggered_id != ids.GO or not change:
            return {**await routed(client, place, problems, wanted), "path": no_update, "search": no_update}
        return await routed(client, *changed(place, change), wanted)


def changed(place: Place, change: Mapping[str, str]) -> tuple[Place, list[str]]:
    """A state after the change that a control asks for. Another draw of prompts starts at its first pair."""
    fields = {name: text for name, text in change.items() if name not in (*ENTRIES, "page", "at")}
    fields |= entered(change, lambda name: getattr(place, name))
    values, problems = changes({name: text for name, text in fields.items() if text != ""})
    values |= {name: getattr(DEFAULT, name) for name in EMPTIED if fields.get(name) == ""}
    if change.get("node") == "":
        values["node"] = None
    if {"set", "split", "n", "seed", "model"} & values.keys():
        values.setdefault("index", 0)
    before, place = place, with_page(replace(place, page=change.get("page", place.page), **values))
    if place.view not in place.views:
        place = replace(place, view=DEFAULT.view)
    return replace(place, measure=still_asked(before, place)), problems


def still_asked(before: Place, after: Place) -> tuple[str, ...]:
    """Sections to measure: those newly asked for, and those that a change of other things leaves alone.

    A quick section that was asked for and is changed by its own choices only is measured with the new ones.
    """
    old, new = section_specs(before), section_specs(after)
    moved = {name for name in FIELDS if getattr(before, name) != getattr(after, name)} - {"measure"}
    kept = [
        name
        for name in before.measure
        if name in new and (old.get(name) == new[name] or (name in FOLLOWING and moved <= set(OWN[name])))
    ]
    fresh = after.measure if after.measure != before.measure else ()
    return tuple(name for name in SECTIONS if name in (*kept, *fresh))


async def routed(client: BackendClient, place: Place, problems: list[str], wanted: list[Json | None]) -> Json:
    """Everything that follows from a state. What a panel wants is only written when it differs."""
    try:
        default = next(model["id"] for model in await client.models() if model["default"])
    except (BackendError, StopIteration) as error:
        known = (
            error if isinstance(error, BackendError) else BackendError("no_model", "The server has no model.")
        )
        return nowhere(known)
    path, search = write(replace(place, model=shown_model(place, default)))
    new = list(wants(replace(place, model=place.model or default), default).values())
    return {
        "path": path,
        "search": search,
        "map_hidden": place.page != "map",
        "head_hidden": place.page != "head",
        "heads_hidden": place.page != "heads",
        "training_hidden": place.page != "training",
        "problems": [html.P(sentence) for sentence in problems],
        "retry_off": True,
        "wants": [
            no_update if same(after, before) else after for after, before in zip(new, wanted, strict=True)
        ],
    }


def nowhere(error: BackendError) -> Json:
    """The page while the server cannot be asked."""
    hidden = {"map_hidden": False, "problems": [broken(error)], "retry_off": False}
    hidden |= dict.fromkeys(("head_hidden", "heads_hidden", "training_hidden"), True)
    return {"path": no_update, "search": no_update, **hidden, "wants": [no_update] * len(ids.WANTS)}
