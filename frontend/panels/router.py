"""From the address of the page to what every panel wants; the only place that writes the address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.notices import broken
from frontend.state import DEFAULT, changes, parse, write
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
    fields = {name: text for name, text in change.items() if name not in ("page", "at") and text != ""}
    values, problems = changes(fields)
    if change.get("node") == "":
        values["node"] = None
    if {"set", "split", "n", "seed", "model"} & values.keys():
        values.setdefault("index", 0)
    place = replace(place, page=change.get("page", place.page), **values)
    return (replace(place, page="map") if place.node is None else place), problems


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
        "problems": [html.P(sentence) for sentence in problems],
        "retry_off": True,
        "wants": [no_update if after == before else after for after, before in zip(new, wanted, strict=True)],
    }


def shown_model(place: Place, default: str) -> str | None:
    """The model as the address names it: always on a head page, otherwise only if it is not the default."""
    if place.page == "head":
        return place.model or default
    return None if place.model == default else place.model


def nowhere(error: BackendError) -> Json:
    """The page while the server cannot be asked."""
    hidden = {"map_hidden": False, "head_hidden": True, "problems": [broken(error)], "retry_off": False}
    return {"path": no_update, "search": no_update, **hidden, "wants": [no_update] * len(ids.WANTS)}


def wants(place: Place, default: str) -> dict[str, Json | None]:
    """What every panel needs to know of a state; None for panels of the other page."""
    on_map = place.page == "map"
    node = place.node
    address, prompts = fields_of(place, default), fields_of(place_of_prompts(place), default)
    plain = fields_of(replace(place, view=DEFAULT.view, sort=DEFAULT.sort), default)
    pair = {"index": place.index, "n": place.n, "spec": specs.prompts(place)}
    panels: dict[str, Json | None] = dict.fromkeys(ids.WANTS)
    panels[ids.WANT_MODEL] = {"model": place.model, "address": prompts}
    if on_map:
        panels[ids.WANT_QUESTION] = pair
        panels[ids.WANT_GATE] = {"spec": specs.gate(place)}
        panels[ids.WANT_MAP] = {
            "spec": specs.sweep(place),
            "view": place.view,
            "sort": place.sort,
            "model": place.model,
        }
        panels[ids.WANT_PAIR] = {**pair, **_pair(place), "address": plain} if node else {"node": None}
    elif node:
        panels[ids.WANT_HEAD] = {
            "node": str(node),
            "spec": specs.sweep(place),
            "address": address,
        }
        panels[ids.WANT_PATTERN] = _pattern(place)
        panels[ids.WANT_TOKENS] = {**pair, **_pair(place), "weighting": place.weighting}
        panels[ids.WANT_PROFILE] = {"node": str(node), "spec": specs.attribution(place)}
    return panels


def place_of_prompts(place: Place) -> Place:
    """Only which model and which prompts."""
    seen = {name: getattr(DEFAULT, name) for name in ("page", "view", "sort", "index", "node", "weighting")}
    return replace(place, **seen)


def fields_of(place: Place, default: str) -> Json:
    """The address of a state as path and query, to be parsed again by a panel that writes links."""
    path, search = write(replace(place, model=shown_model(place, default)))
    return {"path": path, "search": search, "default": default}


def _pair(place: Place) -> Json:
    node = place.node
    if node is None:
        return {"node": None}
    tokens = None if node.head is None else specs.token_attention(place, node)
    return {"node": str(node), "effects": specs.pair_effects(place, node), "tokens": tokens}


def _pattern(place: Place) -> Json | None:
    node = place.node
    if node is None or node.head is None:
        return None
    return {"node": str(node), "spec": specs.attention(place, node)}
