"""From the address of the page to what every panel wants; the only place that writes the address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.compared import EMPTIED as COMPARED
from frontend.errors import BackendError
from frontend.figures.notices import broken
from frontend.heads import EMPTIED, ENTRIES, entered
from frontend.marks import ENTRIES as MARKS_ENTRIES
from frontend.marks import FIELDS as MARKS
from frontend.marks import marked
from frontend.options import SECTIONS
from frontend.panels.stored import about, stepped_from
from frontend.panels.wants import FOLLOWING, same, section_specs, shown_model, wants
from frontend.state import DEFAULT, FIELDS, changes, parse, with_page, write
from frontend.state import State as Place

RETRY_MS = 1000
Json = dict[str, Any]


def layout() -> list[Any]:
    """The parts of the page that are never seen."""
    return [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.GO),
        dcc.Store(id=ids.ANSWERED),
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
            "compare_hidden": Output(ids.COMPARE_PAGE, "hidden"),
            "prompts_hidden": Output(ids.PROMPTS_PAGE, "hidden"),
            "figure_hidden": Output(ids.FIGURE_PAGE, "hidden"),
            "problems": Output(ids.PROBLEMS, "children"),
            "retry_off": Output(ids.RETRY_ROUTE, "disabled"),
            "answered": Output(ids.ANSWERED, "data"),
            "wants": [Output(want, "data") for want in ids.WANTS],
        },
        inputs={
            "path": Input(ids.URL, "pathname"),
            "search": Input(ids.URL, "search"),
            "change": Input(ids.GO, "data"),
            "tick": Input(ids.RETRY_ROUTE, "n_intervals"),
            "theme": Input(ids.THEME, "data"),
        },
        state={"wanted": [State(want, "data") for want in ids.WANTS]},
        prevent_initial_call=False,
    )
    async def route(  # noqa: PLR0913, everything that can change what is shown
        path: str, search: str, change: Json | None, tick: int, theme: str | None, wanted: list[Json | None]
    ) -> Json:
        del tick
        place, problems = parse(path or "/", search or "")
        if ctx.triggered_id != ids.GO or not change:
            told = await routed(client, place, problems, wanted, theme)
            return {**told, "path": no_update, "search": no_update, "answered": no_update}
        place, problems = changed(await stepped_from(client, place, change), change)
        return {**await routed(client, place, problems, wanted, theme), "answered": change.get("at")}


def changed(place: Place, change: Mapping[str, str]) -> tuple[Place, list[str]]:
    """A state after the change that a control asks for. Another draw of prompts starts at its first pair."""
    entries = (*ENTRIES, *MARKS_ENTRIES, "page", "at")
    fields = {name: text for name, text in change.items() if name not in entries}
    fields |= entered(change, lambda name: getattr(place, name))
    fields |= marked(change, lambda name: getattr(place, name))
    values, problems = changes({name: text for name, text in fields.items() if text != ""})
    emptied = (*EMPTIED, *MARKS, *COMPARED, "own")
    values |= {name: getattr(DEFAULT, name) for name in emptied if fields.get(name) == ""}
    if change.get("node") == "":
        values["node"] = None
    if values.get("node", place.node) != place.node:  # the receivers were those of the other node
        values.setdefault("receivers", ())
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
        if name in new and (old.get(name) == new[name] or moved <= set(FOLLOWING.get(name, ())))
    ]
    fresh = after.measure if after.measure != before.measure else ()
    return tuple(name for name in SECTIONS if name in (*kept, *fresh))


async def default_of(client: BackendClient) -> str:
    """The model of the server that an address without one means."""
    return next(model["id"] for model in await client.models() if model["default"])


async def routed(
    client: BackendClient, place: Place, problems: list[str], wanted: list[Json | None], theme: str | None
) -> Json:
    """Everything that follows from a state. What a panel wants is only written when it differs; a new theme
    is a new want for those whose figures are painted here.
    """
    of, named = await about(client, place)
    try:  # a stored figure names its model, and waits for none
        default = of.model if named and of.model else await default_of(client)
    except (BackendError, StopIteration) as error:
        known = (
            error if isinstance(error, BackendError) else BackendError("no_model", "The server has no model.")
        )
        return nowhere(known)
    path, search = write(replace(place, model=shown_model(place, default)))
    wanting = wants(replace(of, model=of.model or default), default)
    if named:  # a stored figure: its place in the history is its own address
        wanting[ids.WANT_HISTORY] = {"address": path + search, "title": named}
    new = {
        name: {**want, "theme": theme} if want and name in ids.PAINTED else want
        for name, want in wanting.items()
    }
    return {
        "path": path,
        "search": search,
        "map_hidden": place.page != "map",
        "head_hidden": place.page != "head",
        "heads_hidden": place.page != "heads",
        "training_hidden": place.page != "training",
        "compare_hidden": place.page != "compare",
        "prompts_hidden": place.page != "prompts",
        "figure_hidden": place.page != "figure",
        "problems": [html.P(sentence) for sentence in problems],
        "retry_off": True,
        "wants": [
            new[name] if name in new and not same(new[name], before) else no_update
            for name, before in zip(ids.WANTS, wanted, strict=True)
        ],
    }


def nowhere(error: BackendError) -> Json:
    """The page while the server cannot be asked."""
    hidden = {"map_hidden": False, "problems": [broken(error)], "retry_off": False}
    others = ("head", "heads", "training", "compare", "prompts", "figure")
    hidden |= {f"{page}_hidden": True for page in others}
    return {"path": no_update, "search": no_update, **hidden, "wants": [no_update] * len(ids.WANTS)}
